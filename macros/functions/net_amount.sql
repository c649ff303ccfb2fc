{% macro create_net_amount() %}{{ return(adapter.dispatch('create_net_amount')()) }}{% endmacro %}


{#- The list of one struct binds each parsed cell to a name, so that each is parsed once. -#}
{% macro duckdb__create_net_amount() -%}
create or replace macro net_amount(inflow, outflow, sep) as (
    list_transform(
        [{
            'inflow': parse_decimal(inflow, sep),
            'outflow': parse_decimal(outflow, sep),
            'has_inflow': has_value(inflow),
            'has_outflow': has_value(outflow)
        }],
        lambda pair: case
            when pair.has_inflow and pair.inflow is null or pair.has_outflow and pair.outflow is null then null
            when pair.inflow < 0 or pair.outflow < 0 or (pair.inflow <> 0 and pair.outflow <> 0) then null
            else coalesce(pair.inflow - pair.outflow, pair.inflow, -pair.outflow)
        end
    )[1]
);
{%- endmacro %}
