{#- All layouts of a contract as one relation: the body of the generated dbt models `stg_<contract>`.

    Their staging dbt models are passed as refs, so that dbt knows the lineage. Those without files are left out: they have
    no rows, `goldsmith run` does not build their views, and DuckDB would have to look into each of a thousand. -#}

{% macro union_layouts(contract, relations) %}
    {%- set live = live_layouts(contract) | map(attribute='relation') | list if execute else [] -%}
    {%- for relation in relations if relation | string in live %}
select * from {{ relation }}
{{ 'union all by name' if not loop.last }}
    {%- else %}
select
    cast(null as varchar) as _file_id,
    cast(null as varchar) as _source_file,
    cast(null as bigint) as _source_row,
        {%- if execute %}
            {%- for column in contract_columns(contract) %}
    cast(null as {{ column.data_type }}) as {{ column.name }},
            {%- endfor %}
        {%- endif %}
    cast([] as varchar []) as _violations
where false
    {%- endfor %}
{% endmacro %}
