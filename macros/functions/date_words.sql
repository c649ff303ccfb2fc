{#-
    Month names, full and abbreviated, as lower and strip_accents leave them: English, German, French, Spanish,
    Italian, Portuguese, Dutch, Swedish, Danish, Norwegian, Finnish, Polish, Czech, Hungarian, Romanian, Turkish,
    Russian. No word stands for two months.
-#}
{% macro date_months() -%}
{%- set months = {
    '01': 'jan january januar janner jaenner janvier janv enero ene gennaio gen janeiro januari tammikuu
        tammikuuta tammi styczen stycznia sty leden ledna led ianuarie ian ocak oca январь января янв',
    '02': 'feb february februar feber fevrier fevr fev febrero febbraio fevereiro februari febr helmikuu
        helmikuuta helmi luty lutego lut unor unora uno februarie subat sub февраль февраля фев февр',
    '03': 'mar march marz maerz mrz mars marzo marco maart mrt marts maaliskuu maaliskuuta maalis marzec marca
        brezen brezna bre marcius marc martie mart март марта мар',
    '04': 'apr april avril avr abril abr aprile huhtikuu huhtikuuta huhti kwiecien kwietnia kwi duben dubna dub
        aprilis aprilie nisan nis апрель апреля апр',
    '05': 'may mai mayo maggio mag maio mei maj toukokuu toukokuuta touko maja kveten kvetna kve majus mayıs
        mayis маи мая',
    '06': 'jun june juni juin junio giugno giu junho kesakuu kesakuuta kesa czerwiec czerwca cze cerven cervna
        cvn junius iunie iun haziran haz июнь июня июн',
    '07': 'jul july juli juillet juil julio luglio lug julho heinakuu heinakuuta heina lipiec lipca lip
        cervenec cervence cvc julius iulie iul temmuz tem июль июля июл',
    '08': 'aug august aout agosto ago augustus augusti elokuu elokuuta elo sierpien sierpnia sie srpen srpna
        srp augusztus agustos agu август августа авг',
    '09': 'sep sept september septembre septiembre setiembre settembre set setembro syyskuu syyskuuta syys
        wrzesien wrzesnia wrz zari zar szeptember szept septembrie eylul eyl сентябрь сентября сен сент',
    '10': 'oct october oktober okt octobre octubre ottobre ott outubro out lokakuu lokakuuta loka pazdziernik
        pazdziernika paz rijen rijna rij octombrie ekim eki октябрь октября окт',
    '11': 'nov november novembre noviembre novembro marraskuu marraskuuta marras listopad listopada listopadu
        lis noiembrie noi kasım kasim kas ноябрь ноября ноя нояб',
    '12': 'dec december dezember dez decembre diciembre dic dicembre dezembro desember des joulukuu joulukuuta
        joulu grudzien grudnia gru prosinec prosince pro decembrie aralık aralik ara декабрь декабря дек',
} -%}
{%- set names, numbers = [], [] -%}
{%- for number, written in months.items() -%}
    {%- set _ = names.extend(written.split()) -%}
    {%- set _ = numbers.extend([number] * written.split() | length) -%}
{%- endfor -%}
map(string_split('{{ names | join(' ') }}', ' '), string_split('{{ numbers | join(' ') }}', ' '))
{%- endmacro %}


{#- Zone names that leave no doubt about the offset: no CST (Chicago or Shanghai), no BST (London or Dhaka), no IST. -#}
{% macro date_zones() -%}
z+00:00 utc+00:00 gmt+00:00 wet+00:00 west+01:00 cet+01:00 cest+02:00 mez+01:00 mesz+02:00 eet+02:00 eest+03:00
est-05:00 edt-04:00 cdt-05:00 mst-07:00 mdt-06:00 pst-08:00 pdt-07:00
{%- endmacro %}


{% macro date_zone_names() -%}
{%- for zone in date_zones().split() %}{{ zone[:-6] }}{{ '|' if not loop.last }}{% endfor -%}
{%- endmacro %}


{% macro date_zone_offsets() -%}
map {
    {%- for zone in date_zones().split() %}'{{ zone[:-6] }}': '{{ zone[-6:] }}'{{ ', ' if not loop.last }}{% endfor -%}
}
{%- endmacro %}
