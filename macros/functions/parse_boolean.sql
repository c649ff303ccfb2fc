{% macro create_parse_boolean() %}{{ return(adapter.dispatch('create_parse_boolean')()) }}{% endmacro %}


{% macro duckdb__create_parse_boolean() -%}
{%- set blank = '[' ~ pattern_blanks() ~ ']' -%}
create or replace macro parse_boolean(x) as (
    case
        when regexp_full_match(x, '(?i){{ blank }}*(?:true|t|yes|y|1|ja|oui|si|sí|sì){{ blank }}*') then true
        when regexp_full_match(x, '(?i){{ blank }}*(?:false|f|no|n|0|nein|non){{ blank }}*') then false
    end
);
{%- endmacro %}
