{#- What a contract does with columns and cells that it does not expect: `meta.schema_contract`, after dlt's words.
    `generator/contracts/modes.py` reads the same, and says what is wrong with it in more words. -#}

{% macro schema_contract(contract) %}
    {{- return(contract_node(contract).config.meta.get('schema_contract') or {}) -}}
{% endmacro %}

{#- The gold columns whose bad cells are met with this mode: freeze, discard_row or discard_value. -#}
{% macro columns_with_mode(contract, wanted) %}
    {%- set given = schema_contract(contract) -%}
    {%- set modes = {} -%}
    {%- for group in given.get('groups') or [] -%}
        {%- for name in group.of -%}{%- do modes.update({name: group.data_type}) -%}{%- endfor -%}
    {%- endfor -%}
    {%- set found = [] -%}
    {%- for column in contract_columns(contract) -%}
        {%- set mode = modes.get(column.name, given.get('data_type', 'discard_row')) -%}
        {%- if mode not in ('freeze', 'discard_row', 'discard_value') -%}
            {{- exceptions.raise_compiler_error(contract ~ ': schema_contract: data_type is ' ~ mode ~ '; it must be freeze, discard_row or discard_value') -}}
        {%- endif -%}
        {%- if mode == 'discard_value' and (is_required(column) or column.name in primary_key(contract)) -%}
            {%- if column.name in modes -%}
                {{- exceptions.raise_compiler_error(contract ~ ': schema_contract: ' ~ column.name ~ ' cannot be NULL, so its values cannot be discarded alone') -}}
            {%- endif -%}
            {%- set mode = 'discard_row' -%}
        {%- endif -%}
        {%- if mode == wanted -%}{%- do found.append(column.name) -%}{%- endif -%}
    {%- endfor -%}
    {{- return(found) -}}
{% endmacro %}

{#- The violations of a row that are of these gold columns, or of others, as SQL for a list. -#}
{% macro violations_of(violations, columns, of_others=false) %}
    {{- return(adapter.dispatch('violations_of')(violations, columns, of_others)) -}}
{% endmacro %}

{% macro duckdb__violations_of(violations, columns, of_others) %}
    {{- return("list_filter(" ~ violations ~ ", lambda violation: split_part(violation, ':', 1) " ~ ('not ' if of_others else '')
        ~ "in ('" ~ columns | join("', '") ~ "'))") -}}
{% endmacro %}

{#- The violations that keep a row out of gold: all but those of columns whose values are `discarded` alone. -#}
{% macro grave_violations(discarded) %}
    {{- return(violations_of('_violations', discarded, true) if discarded else '_violations') -}}
{% endmacro %}

{#- Those of a layout's `files` that a violation in one of the `frozen` columns keeps out of gold, with the first one; '' if
    no column is frozen. -#}
{% macro frozen_files(frozen, relation, files) %}
    {{- return(adapter.dispatch('frozen_files')(violations_of('_violations', frozen), relation, files) if frozen else '') -}}
{% endmacro %}

{% macro duckdb__frozen_files(violations, relation, files) %}
    select _file_id, min_by('line ' || _source_row || ': ' || {{ violations }}[1], _source_row) as violation
    from {{ relation }}
    where len({{ violations }}) > 0 and _file_id in ({{ files }})
    group by _file_id
{% endmacro %}
