{#- Gold after its contract has changed: a table whose columns, types or constraints are other than the contract's is made
    anew from all loaded rows, and takes the old one's place in one transaction. Nothing is lost with it: all rows of all
    files are read from raw again. If that fails, the old table stays. -#}

{#- dbt's own macro of that name, and true as well for a gold table that its contract has outgrown. dbt asks several times
    for one node, also when the new table is there already: the first answer stands. -#}
{% macro should_full_refresh() %}
    {%- if config.get('full_refresh') is not none -%}{{- return(config.get('full_refresh')) -}}{%- endif -%}
    {%- if flags.FULL_REFRESH -%}{{- return(true) -}}{%- endif -%}
    {%- if '_outgrown' not in model -%}
        {%- do model.update({'_outgrown': is_gold() and outgrown()}) -%}
    {%- endif -%}
    {{- return(model['_outgrown']) -}}
{% endmacro %}

{#- Whether the node is the gold table of a contract; other dbt models of a project are none of our business. -#}
{% macro is_gold() %}
    {{- return(execute and model.resource_type == 'model' and 'gold_rows' in model.raw_code and config.get('contract').enforced) -}}
{% endmacro %}

{% macro outgrown() %}
    {{- return(adapter.dispatch('outgrown')()) -}}
{% endmacro %}

{#- The contract as a table without rows, compared with the table that is there. Foreign keys are not compared: they cannot
    point out of a temporary table. -#}
{% macro duckdb__outgrown() %}
    {%- set there = adapter.get_relation(this.database, this.schema, this.table) -%}
    {%- if there is none or there.type != 'table' -%}{{- return(false) -}}{%- endif -%}
    {%- set columns = {} -%}
    {%- for column in model.columns.values() -%}
        {%- do columns.update({column.name: dict(column, constraints=own_constraints(column))}) -%}
    {%- endfor -%}
    {%- set wanted = adapter.render_raw_columns_constraints(raw_columns=columns)
        + adapter.render_raw_model_constraints(raw_constraints=own_constraints(model)) -%}
    {%- do run_query('create or replace temporary table _contract (' ~ wanted | join(', ') ~ ')') -%}
    {%- set same = run_query(
        'select (' ~ shape_of(this.database, this.schema, this.table) ~ ') = (' ~ shape_of('temp', 'main', '_contract') ~ ')'
    ).rows[0][0] -%}
    {%- do run_query('drop table temp.main._contract') -%}
    {{- return(not same) -}}
{% endmacro %}

{% macro own_constraints(node) %}
    {{- return(node.constraints | rejectattr('type', 'in', ['foreign_key']) | list) -}}
{% endmacro %}

{#- A query for one text: a table's columns in order, with types, and its constraints. -#}
{% macro shape_of(database, schema, table) %}
    {%- set where -%}
        where database_name = '{{ database }}' and schema_name = '{{ schema }}' and table_name = '{{ table }}'
    {%- endset -%}
    select to_json([
        (select to_json(list([column_name, data_type, is_nullable::varchar] order by column_index)) from duckdb_columns() {{ where }}),
        (select to_json(list(constraint_text order by constraint_text)) from duckdb_constraints()
            {{ where }} and constraint_type != 'FOREIGN KEY')
    ])
{% endmacro %}
