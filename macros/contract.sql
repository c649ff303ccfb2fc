{#- What dbt's graph knows about a contract and its layouts. -#}

{#- The dbt model of a contract: the gold model of that name. -#}
{% macro contract_node(contract) %}
    {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.name == contract -%}
        {{- return(node) -}}
    {%- endfor -%}
    {{- exceptions.raise_compiler_error("There is no contract '" ~ contract ~ "': models/gold/" ~ contract ~ ".yml is missing") -}}
{% endmacro %}

{#- The columns of a contract, without those of the project (`_file_id`, ...). -#}
{% macro contract_columns(contract) %}
    {%- set found = [] -%}
    {%- for column in contract_node(contract).columns.values() if not column.name.startswith('_') -%}
        {%- do found.append(column) -%}
    {%- endfor -%}
    {{- return(found) -}}
{% endmacro %}

{#- The accepted values of a contract, by column: the arguments of its `accepted_values` data tests. -#}
{% macro accepted_values(contract) %}
    {%- set found = {} -%}
    {%- for test in graph.nodes.values()
        if test.resource_type == 'test' and test.test_metadata and test.test_metadata.name == 'accepted_values'
        and test.attached_node == contract_node(contract).unique_id -%}
        {%- do found.update({test.test_metadata.kwargs.column_name: test.test_metadata.kwargs['values']}) -%}
    {%- endfor -%}
    {{- return(found) -}}
{% endmacro %}

{#- The primary key of a contract, [] if it has none. -#}
{% macro primary_key(contract) %}
    {{- return(contract_node(contract).config.meta.get('primary_key', [])) -}}
{% endmacro %}

{#- The layouts of a contract: one dict a staging dbt model with relation, raw table, whether it is held and why, and a
    hash that changes when the mapping or the contract does: then its rows are harmonized anew. -#}
{% macro contract_layouts(contract) %}
    {%- set node = contract_node(contract) -%}
    {%- set rules = tojson([node.columns.values() | map(attribute='data_type') | list, node.columns.keys() | list,
        node.columns.values() | map(attribute='constraints') | map('string') | list, accepted_values(contract), primary_key(contract)]) -%}
    {%- set found = [] -%}
    {%- for layout in graph.nodes.values() | sort(attribute='name')
        if layout.resource_type == 'model' and layout.config.meta.get('contract') == contract and layout.sources -%}
        {%- set held = held_because(layout, contract) -%}
        {%- do found.append({
            'name': layout.name,
            'relation': layout.relation_name,
            'raw_table': layout.sources[0][1],
            'held': held,
            'mapping': local_md5(layout.checksum.checksum ~ rules ~ held),
        }) -%}
    {%- endfor -%}
    {{- return(found) -}}
{% endmacro %}

{#- Why a layout is held out of gold, '' if it is not: an open question, or a required column that is too uncertain. -#}
{% macro held_because(layout, contract) %}
    {%- set meta = layout.config.meta -%}
    {%- if meta.get('review') == 'approved' -%}{{- return('') -}}{%- endif -%}
    {%- for question in meta.get('questions', []) -%}
        {{- return(question.column ~ ': ' ~ question.text) -}}
    {%- endfor -%}
    {%- for column in contract_columns(contract) if is_required(column) -%}
        {%- set confidence = meta.get('columns', {}).get(column.name, {}).get('confidence', 1) -%}
        {%- if confidence is not none and confidence < var('min_confidence') -%}
            {{- return(column.name ~ ': mapped with confidence ' ~ confidence ~ ', below ' ~ var('min_confidence')) -}}
        {%- endif -%}
    {%- endfor -%}
    {{- return('') -}}
{% endmacro %}

{% macro is_required(column) %}
    {{- return('not_null' in (column.constraints | map(attribute='type') | map('string') | join(' ')) | lower) -}}
{% endmacro %}
