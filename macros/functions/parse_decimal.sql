{% macro create_parse_decimal() %}{{ return(adapter.dispatch('create_parse_decimal')()) }}{% endmacro %}


{% macro duckdb__create_parse_decimal() -%}
create or replace macro parse_decimal(x, sep) as (
    case
        when regexp_full_match(x, {{ decimal_by_sep(decimal_plain('.'), decimal_plain(',')) }})
            then try_cast(replace(x, sep, '.') as decimal(38, 10))
        when regexp_full_match(
            {{ decimal_marked('x') }}, {{ decimal_by_sep(decimal_written('.'), decimal_written(',')) }}
        )
            then try_cast(
                case when regexp_matches({{ decimal_marked('x') }}, '(?i)[-−(]|dr') then '-' else '' end
                || replace(regexp_replace({{ decimal_marked('x') }}, '[^0-9' || sep || ']+', '', 'g'), sep, '.')
                as decimal(38, 10)
            )
    end
);
{%- endmacro %}


{#- Another decimal sign than these two reads nothing. -#}
{% macro decimal_by_sep(point, comma) -%}
case sep when '.' then '{{ point }}' when ',' then '{{ comma }}' end
{%- endmacro %}


{#- The common case, read without a second look: digits, at most one decimal sign, a leading sign. -#}
{% macro decimal_plain(sep) -%}
[-+]?(?:[0-9]{1,28}(?:[{{ sep }}][0-9]{0,10})?|[{{ sep }}][0-9]{1,10})
{%- endmacro %}


{#- The cell with its first currency code or name as ¤: ISO 4217, and what a country writes instead. -#}
{% macro decimal_marked(x) -%}
regexp_replace({{ x }}, '{{ decimal_currencies() }}', '¤')
{%- endmacro %}


{% macro decimal_currencies() -%}
AED|AFN|ALL|AMD|ANG|AOA|ARS|AUD|AWG|AZN|BAM|BBD|BDT|BGN|BHD|BIF|BMD|BND|BOB|BRL|BSD|BTN|BWP|BYN|BYR|BZD
{#- -#}|CAD|CDF|CHF|CLF|CLP|CNY|COP|CRC|CUC|CUP|CVE|CZK|DJF|DKK|DOP|DZD|EEK|EGP|ERN|ETB|EUR|FJD|FKP|GBP|GEL|GHS
{#- -#}|GIP|GMD|GNF|GTQ|GYD|HKD|HNL|HRK|HTG|HUF|IDR|ILS|INR|IQD|IRR|ISK|JMD|JOD|JPY|KES|KGS|KHR|KMF|KPW|KRW|KWD
{#- -#}|KYD|KZT|LAK|LBP|LKR|LRD|LSL|LTL|LVL|LYD|MAD|MDL|MGA|MKD|MMK|MNT|MOP|MRO|MRU|MUR|MVR|MWK|MXN|MYR|MZN|NAD
{#- -#}|NGN|NIO|NOK|NPR|NZD|OMR|PAB|PEN|PGK|PHP|PKR|PLN|PYG|QAR|RON|RSD|RUB|RWF|SAR|SBD|SCR|SDG|SEK|SGD|SHP|SLE
{#- -#}|SLL|SOS|SRD|SSP|STD|STN|SVC|SYP|SZL|THB|TJS|TMT|TND|TOP|TRY|TTD|TWD|TZS|UAH|UGX|USD|UYU|UZS|VED|VEF|VES
{#- -#}|VND|VUV|WST|XAF|XCD|XCG|XOF|XPF|YER|ZAR|ZMK|ZMW|ZWG|ZWL
{#- -#}|(?:kr|Fr|Rs|Kč|лв|руб)\.|kr|zł|Kč|Ft|Rs|TL|лв|元|円|원
{%- endmacro %}


{#- A whole cell that is one amount; the sign on either side of the currency and of the number, but once only. -#}
{% macro decimal_written(sep) -%}
{%- set blanks = '[' ~ pattern_blanks() ~ ']*' -%}
{%- set sign = '[-+−]' -%}
{#- A letter before any other sign than the dollar's is no country: the mark of a code is a currency sign, too. -#}
{%- set currency = '(?:(?:US|CA|C|AU|A|NZ|HK|SG|S|NT|MX|R)[$]|\\p{Sc})' -%}
{%- set grouped = {'.': '[1-9][0-9]{0,2}(?:,[0-9]{3})+|[1-9][0-9]?(?:,[0-9]{2})+,[0-9]{3}',
                   ',': '[1-9][0-9]{0,2}(?:[.][0-9]{3})+'}[sep] -%}
{%- set whole = '(?:[0-9]{1,28}|' ~ grouped ~ '|' ~ pattern_thousands() ~ ')' -%}
{%- set number = '(?:' ~ whole ~ '(?:[' ~ sep ~ '][0-9]{1,10})?|[' ~ sep ~ '][0-9]{1,10})' -%}
{%- set after = '(?:' ~ blanks ~ currency ~ ')?' -%}
{%- set code_after = '(?:' ~ blanks ~ '¤)?' -%}
{%- set side = blanks ~ '(?:' ~ sign ~ '|(?i:[cd]r))' -%}
{%- set money = '(?:' ~ number ~ after ~ '|' ~ currency ~ blanks ~ number ~ code_after ~ ')' -%}
{{ blanks }}(?:
{#- -#}{{ sign }}{{ blanks }}{{ money }}
{#- -#}|{{ currency }}{{ blanks }}{{ sign }}{{ blanks }}{{ number }}{{ code_after }}
{#- -#}|{{ money }}(?:{{ side }})?
{#- -#}|{{ number }}{{ side }}{{ blanks }}{{ currency }}
{#- -#}|{{ currency }}{{ blanks }}{{ number }}{{ side }}{{ blanks }}¤
{#- -#}|\({{ blanks }}{{ money }}{{ blanks }}\){{ after }}
{#- -#}|{{ currency }}{{ blanks }}\({{ blanks }}{{ number }}{{ blanks }}\){{ code_after }}
{#- -#}){{ blanks }}
{%- endmacro %}
