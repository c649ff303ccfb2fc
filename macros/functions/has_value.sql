{% macro create_has_value() %}{{ return(adapter.dispatch('create_has_value')()) }}{% endmacro %}


{#- A value holds a character that is no blank, punctuation, control, currency or mathematical sign. -#}
{% macro duckdb__create_has_value() -%}
{%- set blank = '[' ~ pattern_blanks() ~ ']' -%}
{%- set word = '\\(null\\)|<null>|\\[null\\]|null|none|nan|n/a|na|#n/a|nil|\\\\n' -%}
create or replace macro has_value(x) as (
    coalesce(
        regexp_matches(x, '[^{{ pattern_blanks() }}\pP\pC\p{Sc}\p{Sk}\p{Sm}]')
        and not regexp_full_match(x, '(?i){{ blank }}*(?:{{ word }}){{ blank }}*'),
        false
    )
);
{%- endmacro %}
