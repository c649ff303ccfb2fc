{#- The raw tables of committed layouts, created empty where no file of theirs was loaded yet: dbt runs in a fresh clone. -#}

{% macro create_raw_tables() %}
    {{- return(adapter.dispatch('create_raw_tables')()) -}}
{% endmacro %}

{% macro duckdb__create_raw_tables() %}
    {%- if execute -%}
        {%- for source in graph.sources.values() if source.source_name == 'raw' and source.columns %}
create table if not exists {{ source.schema }}.{{ adapter.quote(source.identifier) }} (
            {%- for column in source.columns.values() %}
    {{ adapter.quote(column.name) }} {{ column.data_type }}{{ ',' if not loop.last }}
            {%- endfor %}
);
        {%- endfor %}
    {%- endif -%}
{% endmacro %}
