{% macro create_parse_integer() %}{{ return(adapter.dispatch('create_parse_integer')()) }}{% endmacro %}


{% macro duckdb__create_parse_integer() -%}
{%- set blank = '[' ~ pattern_blanks() ~ ']' -%}
{%- set whole = '(?:[0-9]{1,19}|' ~ pattern_thousands() ~ ')' -%}
create or replace macro parse_integer(x) as (
    case
        when regexp_full_match(x, '[-+]?[0-9]{1,19}') then try_cast(x as bigint)
        when regexp_full_match(x, '{{ blank }}*(?:[-+−]{{ blank }}*)?{{ whole }}(?:[.,]0{1,2})?{{ blank }}*')
            then try_cast(
                case when regexp_matches(x, '[-−]') then '-' else '' end
                || regexp_replace(regexp_extract(x, '^[^.,]*'), '[^0-9]+', '', 'g') as bigint
            )
    end
);
{%- endmacro %}
