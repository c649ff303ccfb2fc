{#- All SQL functions of the project, as an on-run-start hook; a function comes after those that it calls. -#}
{% macro create_functions() %}{{ return(adapter.dispatch('create_functions')()) }}{% endmacro %}


{% macro duckdb__create_functions() -%}
{{ duckdb__create_clean_text() }}
{{ duckdb__create_has_value() }}
{{ duckdb__create_parse_decimal() }}
{{ duckdb__create_parse_integer() }}
{{ duckdb__create_parse_date() }}
{{ duckdb__create_parse_timestamp() }}
{{ duckdb__create_parse_boolean() }}
{{ duckdb__create_net_amount() }}
{%- endmacro %}
