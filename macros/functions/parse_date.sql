{% macro create_parse_date() %}{{ return(adapter.dispatch('create_parse_date')()) }}{% endmacro %}


{#- The zone of a format is read and dropped with the time: the day is the one that is written. -#}
{% macro duckdb__create_parse_date() -%}
create or replace macro parse_date(x, format) as (
    case
        when regexp_full_match(x, {{ date_pattern('format') }})
            then cast(try_strptime({{ date_cell('x', 'format') }}, {{ date_formats() }}) as date)
    end
);
{%- endmacro %}
