{% macro create_parse_timestamp() %}{{ return(adapter.dispatch('create_parse_timestamp')()) }}{% endmacro %}


{#-
    The time as written less its offset, which is read apart, as a moment of 1970: given a list of formats with %z,
    try_strptime (DuckDB 2.0) takes 30 February for 1 March.
-#}
{% macro duckdb__create_parse_timestamp() -%}
create or replace macro parse_timestamp(x, format) as (
    case
        when regexp_full_match(x, {{ date_pattern('format') }})
            then make_timestamp(
                epoch_us(try_strptime({{ date_cell('x', 'format') }}, {{ date_formats() }}))
                + epoch_us(try_strptime('1970 ' || {{ date_zone('x', 'format') }}, '%Y %z'))
            )
    end
);
{%- endmacro %}
