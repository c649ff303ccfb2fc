{#- What dbt's graph knows about a contract and its layouts. -#}

{#- The dbt model of a contract: the gold model of that name. Only one with versions has to be looked for. -#}
{% macro contract_node(contract) %}
    {%- set node = graph.nodes.get('model.' ~ project_name ~ '.' ~ contract) -%}
    {%- if node -%}{{- return(node) -}}{%- endif -%}
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

{#- The accepted values of a contract, by column: those that all `accepted_values` data tests of the column have. One of the
    whole dbt model is no matter of a column, and dbt's alone, like any other data test. -#}
{% macro accepted_values(contract) %}
    {%- set found = {} -%}
    {%- set node = contract_node(contract) -%}
    {%- for test in graph.nodes.values()
        if test.resource_type == 'test' and test.test_metadata and test.test_metadata.name == 'accepted_values'
        and test.test_metadata.namespace in (none, 'dbt') and test.column_name and test.attached_node == node.unique_id -%}
        {%- set values = test.test_metadata.kwargs['values'] | map('string') | list -%}
        {%- do found.update({test.column_name: found.get(test.column_name, values) | select('in', values) | list}) -%}
    {%- endfor -%}
    {{- return(found) -}}
{% endmacro %}

{#- The primary key of a contract, [] if it has none. -#}
{% macro primary_key(contract) %}
    {{- return(contract_node(contract).config.meta.get('primary_key', [])) -}}
{% endmacro %}

{#- All that makes a row good or bad, as one text; `generator/contracts/contract.py` makes the same of the yml, so that `goldsmith run`
    sees what is to be built without asking dbt. -#}
{% macro contract_rules(contract) %}
    {%- set node = contract_node(contract) -%}
    {%- set accepted = accepted_values(contract) -%}
    {%- set columns = [] -%}
    {%- for column in node.columns.values() -%}
        {%- do columns.append([column.name, column.data_type, constraint_texts(column),
            accepted.get(column.name, []) | sort(case_sensitive=true)]) -%}
    {%- endfor -%}
    {{- return(tojson([columns, constraint_texts(node), primary_key(contract), node.config.meta.get('schema_contract', {})])) -}}
{% endmacro %}

{% macro constraint_texts(node) %}
    {%- set found = [] -%}
    {%- for constraint in node.constraints -%}
        {%- do found.append([constraint.type | string, constraint.expression or '', constraint.columns or []]) -%}
    {%- endfor -%}
    {{- return(found) -}}
{% endmacro %}

{#- The layouts of a contract: one dict a staging dbt model with path, relation, raw table, whether it is held and why, and a
    hash that changes when the mapping, its name, the contract or the macros do: then its rows are harmonized anew, for
    quarantine has the name, too. With `only` the one that has this name, with `tables` those that read one of these raw
    tables. -#}
{% macro contract_layouts(contract, only=none, tables=none) %}
    {%- set rules = contract_rules(contract) ~ deciding_macros() -%}
    {%- set found = [] -%}
    {%- for layout in graph.nodes.values() | sort(attribute='name')
        if layout.resource_type == 'model' and layout.config.meta.get('contract') == contract and layout.sources
        and only in (none, layout.name) and (tables is none or layout.sources[0][1] in tables) -%}
        {%- set held = held_because(layout, contract) -%}
        {%- do found.append({
            'name': layout.name,
            'path': layout.original_file_path,
            'relation': layout.relation_name,
            'raw_table': layout.sources[0][1],
            'held': held,
            'mapping': local_md5(layout.name ~ layout.checksum.checksum ~ rules ~ feeding(layout) ~ held | replace('\u2060', '')),
        }) -%}
    {%- endfor -%}
    {{- return(found) -}}
{% endmacro %}

{#- A checksum of all macros that decide what becomes of a row. With other ones a row may belong elsewhere, and gold and
    quarantine are each built when their turn comes: only a version that both remember keeps them two halves of one whole.
    `generator/project/versions.py` reads the same. -#}
{% macro deciding_macros() %}
    {%- set found = [] -%}
    {%- for name, macro in context[project_name] | dictsort
        if modules.re.match('macros/(functions/|(contract|gold|modes|violations)[.]sql)', macro.macro.original_file_path) -%}
        {%- do found.append(macro.macro.macro_sql) -%}
    {%- endfor -%}
    {{- return(local_md5(found | join('\n'))) -}}
{% endmacro %}

{#- What the yml beside a layout's dbt model adds to its violations, as one text: the raw columns that feed each gold column.
    `generator/project/versions.py` makes the same. -#}
{% macro feeding(layout) %}
    {%- set meta = layout.config.meta -%}
    {%- set raw_columns = {} -%}
    {%- for raw, header in (meta.get('headers') or {}).items() -%}
        {%- do raw_columns.setdefault(header | string, []).append(raw) -%}
    {%- endfor -%}
    {%- set found = [] -%}
    {%- for name, mapping in (meta.get('columns') or {}).items() -%}
        {%- set fed = [] -%}
        {%- for header in mapping.get('source_columns') or [] -%}
            {%- do fed.extend(raw_columns.get(header | string, [])) -%}
        {%- endfor -%}
        {%- do found.append([name, fed]) -%}
    {%- endfor -%}
    {{- return(tojson([found, (meta.get('drift') or {}).get('discarded', [])])) -}}
{% endmacro %}

{#- Why a layout is held out of gold, '' if it is not: an open question, a required column that is too uncertain, or, where
    the project says so, no approval of the text as it is now. `generator/project/layouts.py` has the same rule. -#}
{% macro held_because(layout, contract) %}
    {%- set meta = layout.config.meta -%}
    {%- set hold = hold_unreviewed() -%}
    {%- if meta.get('review') == 'approved' -%}
        {%- set reviewed = meta.get('reviewed') or {} -%}
        {%- if hold and reviewed and layout.checksum.checksum not in [reviewed.sha256, reviewed.get('sha256_crlf')] -%}
            {{- return('edited since it was approved') -}}
        {%- endif -%}
        {{- return('') -}}
    {%- endif -%}
    {%- for question in meta.get('questions', []) -%}
        {{- return(question.column ~ ': ' ~ question.text) -}}
    {%- endfor -%}
    {%- for column in contract_columns(contract) if is_required(column) -%}
        {%- set mapping = meta.get('columns', {}).get(column.name, {}) -%}
        {%- set confidence = none if mapping.get('reviewed') else mapping.get('confidence') -%}
        {%- if confidence is not none and confidence < min_confidence() -%}
            {{- return(column.name ~ ': mapped with confidence ' ~ confidence ~ ', below ' ~ min_confidence()) -}}
        {%- endif -%}
    {%- endfor -%}
    {{- return('not reviewed yet' if hold else '') -}}
{% endmacro %}

{#- The project's setting: the confidence below which a required column waits for a person. -#}
{% macro min_confidence() %}
    {{- return(var('min_confidence', 0.6)) -}}
{% endmacro %}

{#- The project's setting: whether a layout that nobody has approved feeds gold, or waits. -#}
{% macro hold_unreviewed() %}
    {%- set setting = var('unreviewed_layouts', 'gold') -%}
    {%- if setting not in ('gold', 'hold') -%}
        {{- exceptions.raise_compiler_error("vars: unreviewed_layouts is '" ~ setting ~ "'; it must be gold or hold") -}}
    {%- endif -%}
    {{- return(setting == 'hold') -}}
{% endmacro %}

{% macro is_required(column) %}
    {{- return('not_null' in (column.constraints | map(attribute='type') | map('string') | join(' ')) | lower) -}}
{% endmacro %}
