{#- The violations of one row of a staging dbt model, as a list of texts `column: what`; an empty list if there are none.

    Expects the gold columns and `_raw`, the source row as a struct. Which source columns feed a gold column is said in
    the yml beside the dbt model: a gold cell that is NULL although one of them holds something could not be read. -#}

{% macro contract_violations(contract) %}
    {{- return(adapter.dispatch('contract_violations')(contract)) -}}
{% endmacro %}

{% macro duckdb__contract_violations(contract) %}
    {#- dbt unit tests have no graph, and so no contract: they test the mapping alone. -#}
    {%- if not execute or graph.nodes is not defined -%}
        {{- return('cast([] as varchar [])') -}}
    {%- endif -%}
    {%- set accepted = accepted_values(contract) -%}
    {%- set key = primary_key(contract) -%}
    {%- set meta = model.config.meta -%}
    {%- set found = [] -%}
    {%- for column in contract_columns(contract) -%}
        {%- set name = column.name -%}
        {%- if meta.get('columns') and name not in meta.columns and not modules.re.search('(?im)\\bas\\s+"?' ~ name ~ '"?\\s*(,|--|$)', model.raw_code) -%}
            {#- The contract has got the column since this layout was mapped, and nobody has written it by hand since. -#}
            {%- if is_required(column) or name in key -%}
                {%- do found.append("'" ~ name ~ ": required, but empty'") -%}
            {%- endif -%}
        {%- else -%}
            {%- set headers = meta.get('columns', {}).get(name, {}).get('source_columns', []) -%}
            {%- set cells = [] -%}
            {%- for raw, header in meta.get('headers', {}).items() if header in headers -%}
                {%- do cells.append('has_value(_raw.' ~ raw ~ ')') -%}
            {%- endfor -%}
            {%- set filled = '(' ~ cells | join(' or ') ~ ')' if cells else 'false' -%}
            {%- if cells -%}
                {%- do found.append("case when " ~ name ~ " is null and " ~ filled ~ " then '" ~ name ~ ": cannot be read' end") -%}
            {%- endif -%}
            {%- if is_required(column) or name in key -%}
                {%- do found.append("case when " ~ name ~ " is null and not " ~ filled ~ " then '" ~ name ~ ": required, but empty' end") -%}
            {%- endif -%}
            {%- set loss = type_loss(name, column.data_type | lower) -%}
            {%- if loss -%}
                {%- do found.append("case when " ~ loss ~ " then '" ~ name ~ ": does not fit " ~ column.data_type ~ "' end") -%}
            {%- endif -%}
            {%- if name in accepted -%}
                {%- set values = accepted[name] | map('replace', "'", "''") | join("', '") -%}
                {%- do found.append("case when " ~ name ~ " not in ('" ~ values ~ "') then '" ~ name ~ ": not an accepted value' end") -%}
            {%- endif -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if schema_contract(contract).get('columns') == 'discard_row' -%}
        {%- for raw in (meta.get('drift') or {}).get('discarded', []) -%}
            {%- do found.append("case when has_value(_raw." ~ raw ~ ") then 'new column " ~ raw ~ ": holds something, and is discarded' end") -%}
        {%- endfor -%}
    {%- endif -%}
    list_filter([
        {{ found | join(',\n        ') }}
    ], lambda violation: violation is not null)
{%- endmacro %}

{#- A condition that is true where a value cannot be cast to the contract's type, or would be another one; '' where neither
    can be. What is to be compared has no comparable form itself where a text is no number, or a number is too large. -#}
{% macro type_loss(name, data_type) %}
    {%- set base = data_type.split('(')[0] | trim -%}
    {%- set cast = "try_cast(" ~ name ~ " as " ~ data_type ~ ")" -%}
    {%- set compared = {'decimal': 'decimal(38, 10)', 'numeric': 'decimal(38, 10)', 'integer': 'decimal(38, 10)',
        'bigint': 'decimal(38, 10)', 'date': 'timestamp'}.get(base) -%}
    {%- if compared -%}
        {{- return(name ~ " is not null and (" ~ cast ~ " is null or try_cast(" ~ name ~ " as " ~ compared
            ~ ") is distinct from try_cast(" ~ cast ~ " as " ~ compared ~ "))") -}}
    {%- elif base in ('timestamp', 'boolean', 'double') -%}
        {{- return(name ~ " is not null and " ~ cast ~ " is null") -}}
    {%- elif base in ('text', 'varchar') -%}
        {#- The text of such a value is not the file's: 18.08 is read with ten decimals. -#}
        {{- return(name ~ " is not null and regexp_matches(typeof(" ~ name ~ "), '^(DECIMAL|DOUBLE|FLOAT|TIMESTAMP)')") -}}
    {%- endif -%}
    {{- return('') -}}
{% endmacro %}
