{#-
    What parse_date and parse_timestamp share.

    strptime alone is not enough: it knows English month names only, takes `1.2.5` for a day of 2005 and `epoch` for one
    of 1900, and how many digits of `2024115` are the month (`%Y%m%d`) it guesses. So the format becomes an RE2 pattern
    that the whole cell must match, and its groups are written anew in one fixed order, which strptime then checks:
    `05.01.2024` (`%d.%m.%Y`) becomes `Y2024 05 0:0:0.0 01`. The pattern and the order come from the format alone,
    and a format is a literal: DuckDB makes them once a query.
-#}

{#- The pattern for a whole cell. Its groups hold the `numbers`, the `month` name or the `zone`. -#}
{% macro date_pattern(format, capture='numbers') -%}
{%- set blank = '[' ~ pattern_blanks() ~ ']' -%}
{%- set word = '[A-Za-z\\x{C0}-\\x{24F}\\x{300}-\\x{36F}\\x{400}-\\x{4FF}]+' -%}
{%- set number = '(' if capture == 'numbers' else '(?:' -%}
{%- set month = '(' if capture == 'month' else '(?:' -%}
{%- set zone = '(' if capture == 'zone' else '(?:' -%}
{%- set offset = '(?i:' ~ date_zone_names() ~ ')|[+-](?:0[0-9]|1[0-4]):?(?:[0-5][0-9])?' -%}
{%- set patterns = {
    ' ?%[zZ]': blank ~ '*(?:UTC|GMT)??' ~ zone ~ offset ~ ')',
    ' ': blank ~ '+',
    '%Y': number ~ '(?:19|20|21)[0-9]{2})',
    '%y': number ~ '[0-9]{2})',
    '%[bB]': month ~ word ~ ')[.]?',
    '%[aA]': word ~ '[.]?',
    '%f': number ~ '[0-9]{1,6})[0-9]{0,3}',
    '%p': number ~ '[AaPp])[.]?' ~ blank ~ '?[Mm][.]?',
} -%}
case
    when regexp_matches({{ format }}, '%-?[Yy]')
        then '^{{ blank }}*' || {{ 'regexp_replace(' * (patterns | length + 1) }}{{ date_escaped(format) }}
        {%- for directive, pattern in patterns.items() -%}
            , '{{ directive }}', '{{ pattern | replace('\\', '\\\\') }}', 'g')
        {%- endfor -%}
        , '%[dmHIMS]', '{{ number }}[0-9]' || {{ date_digits(format) }} || ')', 'g') || '{{ blank }}*$'
end
{%- endmacro %}


{#- The format with its text escaped for RE2, its directives and blanks as they were; `%-d` is `%d`. -#}
{% macro date_escaped(format) -%}
replace(replace(
    regexp_escape(replace(regexp_replace({{ format }}, ' +', ' ', 'g'), '%-', '%')),
    '\%', '%'), '\ ', ' ')
{%- endmacro %}


{#- Directives that touch need both digits; elsewhere a leading zero may be missing. -#}
{% macro date_digits(format) -%}
case when regexp_matches({{ format }}, '%[YymdHIMS]%[YymdHIMS]') then '{2}' else '{1,2}' end
{%- endmacro %}


{#- The directive's group in date_pattern as a reference (`\1`), or a default where the format lacks it. -#}
{% macro date_group(format, directive, default) -%}
case
    when regexp_matches({{ format }}, '%-?{{ directive }}')
        then '\' || len(regexp_extract_all(regexp_extract({{ format }}, '^.*?%-?{{ directive }}'), '%-?[YymdHIMSfp]'))
    else '{{ default }}'
end
{%- endmacro %}


{#- The cell in the fixed order of date_formats, a month name as its number. An unknown name makes it NULL. -#}
{% macro date_cell(x, format) -%}
regexp_replace(
    {{ x }},
    {{ date_pattern(format) }},
    case when regexp_matches({{ format }}, '%-?y') then 'y' else 'Y' end || {{ date_group(format, '[Yy]', '') }}
    || ' ' || {{ date_group(format, 'd', '1') }}
    || ' ' || {{ date_group(format, '[HI]', '0') }}
    || ':' || {{ date_group(format, 'M', '0') }}
    || ':' || {{ date_group(format, 'S', '0') }}
    || '.' || {{ date_group(format, 'f', '0') }}
    || ' ' || case when contains({{ format }}, '%p') then {{ date_group(format, 'p', '') }} || 'm ' else '' end
    || case when regexp_matches({{ format }}, '%[bB]') then '' else {{ date_group(format, 'm', '1') }} end
) || case
    when regexp_matches({{ format }}, '%[bB]')
        then {{ date_months() }}[strip_accents(lower(regexp_extract({{ x }}, {{ date_pattern(format, 'month') }}, 1)))]
    else ''
end
{%- endmacro %}


{% macro date_formats() -%}
[
    'Y%Y %d %H:%M:%S.%f %m', 'Y%Y %d %I:%M:%S.%f %p %m', 'y%y %d %H:%M:%S.%f %m', 'y%y %d %I:%M:%S.%f %p %m'
]
{%- endmacro %}


{#- The offset of the cell's zone from UTC, as strptime's %z reads it. -#}
{% macro date_zone(x, format) -%}
{%- set zone = "lower(regexp_extract(" ~ x ~ ", " ~ date_pattern(format, 'zone') ~ ", 1))" -%}
case
    when regexp_matches({{ format }}, '%[zZ]') then coalesce({{ date_zone_offsets() }}[{{ zone }}], {{ zone }})
    else '+00:00'
end
{%- endmacro %}
