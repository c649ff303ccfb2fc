{#- Gold and quarantine: every row of every loaded file of a contract is in one of the two.

    Both are incremental by file. `raw._staged` says which version of a mapping each staging view has, `raw._built` which
    file was built into which relation under which version. A file is stale where the two differ: new files, and all
    files of an edited layout, and no others. -#}

{#- Gold: the rows without violations. The contract is the dbt model's own name. -#}
{% macro gold_rows() %}
    {{- return(adapter.dispatch('gold_rows')(model.name, ref('stg_' ~ model.name))) -}}
{% endmacro %}

{#- Quarantine: all other rows, with the reasons and the raw row. -#}
{% macro quarantine_rows(contract) %}
    {{- return(adapter.dispatch('quarantine_rows')(contract, ref('stg_' ~ contract))) -}}
{% endmacro %}

{% macro duckdb__gold_rows(contract, staged) %}
    {%- if not execute -%}{{- return('select * from ' ~ staged) -}}{%- endif -%}
select
    good._file_id,
    good._source_file,
    good._source_row,
    files.loaded_at as _loaded_at,
    {%- for column in contract_columns(contract) %}
    cast(good.{{ column.name }} as {{ column.data_type }}) as {{ column.name }}{{ ',' if not loop.last }}
    {%- endfor %}
from ({{ good_rows(contract, staged) }}) as good
inner join raw._files as files on good._file_id = files.file_id
where good._rank = 1
{% endmacro %}

{% macro duckdb__quarantine_rows(contract, staged) %}
    {%- if not execute -%}{{- return('select * from ' ~ staged) -}}{%- endif -%}
    {%- set discarded = columns_with_mode(contract, 'discard_value') -%}
    {%- set frozen_columns = columns_with_mode(contract, 'freeze') -%}
    {%- for layout in stale_layouts(contract) %}
        {%- set mapped = layout.relation and not layout.held -%}
        {%- set frozen = frozen_files(frozen_columns, layout.relation, stale_files(contract, layout)) if mapped else '' %}
select
    cells._file_id,
    cells._source_file,
    cells._source_row,
    files.loaded_at as _loaded_at,
    '{{ layout.name }}' as layout,
        {%- if mapped %}
    case
        when staged._source_row is null then 'filtered'
            {%- if frozen %}
        when frozen._file_id is not null then 'frozen'
            {%- endif %}
            {%- if discarded %}
        when len({{ violations_of('staged.reasons', discarded, true) }}) = 0 then 'discarded_value'
            {%- endif %}
        else 'violation'
    end as kind,
    case
        when staged._source_row is null then ['left out by the mapping']
            {%- if frozen %}
        when frozen._file_id is not null
            then list_append(list_distinct(staged.reasons), 'the file is frozen by ' || frozen.violation)
            {%- endif %}
        else list_distinct(staged.reasons)
    end as reasons,
        {%- else %}
    '{{ 'held' if layout.relation else 'blocked' }}' as kind,
    ['{{ (layout.held or 'no mapping: goldsmith status says why') | replace("'", "''") }}'] as reasons,
        {%- endif %}
    json_merge_patch(to_json(cells), '{{ not_cells() }}') as row
from raw.{{ adapter.quote(layout.raw_table) }} as cells
inner join raw._files as files on cells._file_id = files.file_id
        {%- if mapped %}
left join (
    select _file_id, _source_row, flatten(list(_violations)) as reasons
    from {{ layout.relation }}
    group by _file_id, _source_row
) as staged on cells._file_id = staged._file_id and cells._source_row = staged._source_row
            {%- if frozen %}
left join ({{ frozen }}) as frozen on cells._file_id = frozen._file_id
            {%- endif %}
        {%- endif %}
where
    cells._file_id in ({{ stale_files(contract, layout) }})
        {%- if mapped %}
    and (staged._source_row is null or len(staged.reasons) > 0{{ ' or frozen._file_id is not null' if frozen }})
        {%- endif %}
union all
    {%- endfor %}
    {%- if primary_key(contract) %}
select
    good._file_id, good._source_file, good._source_row, files.loaded_at as _loaded_at, good._layout as layout,
    'superseded' as kind, ['superseded by a later row of the same {{ primary_key(contract) | join(', ') }}'] as reasons,
    to_json(good) as row
from ({{ good_rows(contract, staged) }}) as good
inner join raw._files as files on good._file_id = files.file_id
where good._rank > 1
union all
    {%- endif %}
select
    cast(null as varchar) as _file_id, cast(null as varchar) as _source_file, cast(null as bigint) as _source_row,
    cast(null as timestamp) as _loaded_at, cast(null as varchar) as layout, cast(null as varchar) as kind,
    cast([] as varchar []) as reasons, cast(null as json) as row
where false
{% endmacro %}

{#- The harmonized rows without violations, of stale files. `_rank` is 1 for all of them; with a primary key it numbers
    the rows of one key, the latest file first, and within a file the last line. -#}
{% macro good_rows(contract, staged) %}
    {%- set key = primary_key(contract) -%}
    {%- set discarded = columns_with_mode(contract, 'discard_value') -%}
    {%- set frozen_columns = columns_with_mode(contract, 'freeze') %}
    select
        rows.*{% if discarded %} replace (
            {%- for name in discarded %}
            case when len({{ violations_of('_violations', [name]) }}) = 0 then {{ name }} end as {{ name }}{{ ',' if not loop.last }}
            {%- endfor %}
        ){% endif %},
        {{ 'row_number() over (partition by ' ~ key | join(', ') ~ ' order by files.loaded_at desc, rows._file_id desc,
        rows._source_row desc)' if key else '1' }} as _rank
    from (
    {%- for layout in stale_layouts(contract) if layout.relation and not layout.held %}
        select *, '{{ layout.name }}' as _layout
        from {{ layout.relation }}
        where len({{ grave_violations(discarded) }}) = 0 and _file_id in ({{ stale_files(contract, layout) }})
            {%- set frozen = frozen_files(frozen_columns, layout.relation, stale_files(contract, layout)) %}
            {%- if frozen %}
            and _file_id not in (select _file_id from ({{ frozen }}))
            {%- endif %}
        union all by name
    {%- endfor %}
        {#- Columns that the contract has got since its layouts were mapped are NULL. #}
        select
            cast(null as varchar) as _file_id, cast(null as varchar) as _source_file, cast(null as bigint) as _source_row,
            {%- for column in contract_columns(contract) %}
            null as {{ column.name }},
            {%- endfor %}
            cast([] as varchar []) as _violations,
            cast(null as varchar) as _layout
        where false
    ) as rows
    inner join raw._files as files on rows._file_id = files.file_id
{% endmacro %}

{#- The columns of a raw table that are no cells of the file, as a patch that takes them out of a row's JSON. -#}
{% macro not_cells() %}
    {{- return('{"_file_id": null, "_source_file": null, "_source_row": null, "_preamble": null, "_footer": null}') -}}
{% endmacro %}

{#- The layouts of a contract that the database has files of: those whose staging view was built, with the version it has,
    and raw tables that no staging dbt model reads (their files are blocked). A folder may have a thousand more. Two that
    read one raw table are an error, as in `generator/project/layouts.py`. -#}
{% macro live_layouts(contract) %}
    {%- set found = [] -%}
    {%- set mapped = {} -%}
    {%- set versions = staged_versions() -%}
    {%- set loaded = loaded_tables(contract) -%}
    {%- for layout in contract_layouts(contract, tables=loaded) -%}
        {%- if layout.raw_table in mapped -%}
            {{- exceptions.raise_compiler_error(mapped[layout.raw_table] ~ ' and ' ~ layout.path ~ ': both read raw.'
                ~ layout.raw_table ~ ' for ' ~ contract
                ~ ', so each row would be in gold twice; delete one, and what the yml says of it') -}}
        {%- endif -%}
        {%- do mapped.update({layout.raw_table: layout.path}) -%}
        {%- if layout.name in versions -%}
            {%- do found.append(dict(layout, mapping=versions[layout.name])) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- for raw_table in loaded if raw_table not in mapped -%}
        {%- do found.append({'name': raw_table, 'relation': none, 'raw_table': raw_table, 'held': '', 'mapping': 'none'}) -%}
    {%- endfor -%}
    {{- return(found) -}}
{% endmacro %}

{#- The raw tables of a contract's files. -#}
{% macro loaded_tables(contract) %}
    {%- set found = [] -%}
    {%- if has_ledger() -%}
        {%- for row in run_query("select distinct raw_table from raw._files where contract = '" ~ contract ~ "' order by 1") -%}
            {%- do found.append(row[0]) -%}
        {%- endfor -%}
    {%- endif -%}
    {{- return(found) -}}
{% endmacro %}

{% macro staged_versions() %}
    {%- set found = {} -%}
    {%- if has_ledger() -%}
        {%- for row in run_query('select layout, mapping from raw._staged') -%}
            {%- do found.update({row[0]: row[1]}) -%}
        {%- endfor -%}
    {%- endif -%}
    {{- return(found) -}}
{% endmacro %}

{#- Whether the ledger's tables exist: not so where dbt only compiles, before any run. -#}
{% macro has_ledger() %}
    {{- return(execute and adapter.get_relation(target.database, 'raw', '_staged') is not none) -}}
{% endmacro %}

{#- The files of a layout that this relation has not built yet under the layout's version. A primary key ranks rows of
    all files, so there one stale file makes all of them stale. -#}
{% macro stale_files(contract, layout) %}
    {%- if primary_key(contract) -%}
        select file_id from raw._files where contract = '{{ contract }}' and raw_table = '{{ layout.raw_table }}'
    {%- else -%}
        select file_id from raw._files
        where contract = '{{ contract }}' and raw_table = '{{ layout.raw_table }}'
        except
        select file_id from raw._built where relation = '{{ this }}' and mapping = '{{ layout.mapping }}'
    {%- endif -%}
{% endmacro %}

{#- The live layouts that have stale files for this relation: only their views are read, however many there are. -#}
{% macro stale_layouts(contract) %}
    {%- set layouts = live_layouts(contract) -%}
    {%- if primary_key(contract) or not is_incremental() -%}
        {{- return(layouts) -}}
    {%- endif -%}
    {%- set found = [] -%}
    {%- set versions = built_versions(contract) -%}
    {%- for layout in layouts if versions.get(layout.raw_table, [layout.mapping]) != [layout.mapping] -%}
        {%- do found.append(layout) -%}
    {%- endfor -%}
    {{- return(found) -}}
{% endmacro %}

{#- Raw table -> the versions of its mapping that this relation built its files under; null for files not built. -#}
{% macro built_versions(contract) %}
    {%- set found = {} -%}
    {%- for row in run_query("select distinct files.raw_table, built.mapping from raw._files as files
        left join raw._built as built on files.file_id = built.file_id and built.relation = '" ~ this ~ "'
        where files.contract = '" ~ contract ~ "'") -%}
        {%- do found.setdefault(row[0], []).append(row[1]) -%}
    {%- endfor -%}
    {{- return(found) -}}
{% endmacro %}

{#- Before gold or quarantine is built: take out the rows of stale files, and of files that have no layout any more. -#}
{% macro forget_stale_files(contract) %}
    {%- if execute -%}
        {%- if is_incremental() %}
delete from {{ this }}
where _file_id not in (
    select built.file_id from raw._built as built
    inner join ({{ wanted_files(contract) }}) as wanted
        on built.file_id = wanted.file_id and built.mapping = wanted.mapping
    where built.relation = '{{ this }}' and {{ 'false' if primary_key(contract) else 'true' }}
)
        {%- else %}
delete from raw._built where relation = '{{ this }}'
        {%- endif %}
    {%- endif -%}
{% endmacro %}

{#- After gold or quarantine was built: remember which files it holds, under which version of their mapping. -#}
{% macro remember_built_files(contract) %}
    {%- if execute %}
delete from raw._built where relation = '{{ this }}';
insert into raw._built (relation, file_id, mapping)
select '{{ this }}', file_id, mapping from ({{ wanted_files(contract) }})
    {%- endif -%}
{% endmacro %}

{% macro wanted_files(contract) %}
    {%- for layout in live_layouts(contract) %}
    select file_id, '{{ layout.mapping }}' as mapping
    from raw._files
    where contract = '{{ contract }}' and raw_table = '{{ layout.raw_table }}'
    union all
    {%- endfor %}
    select null as file_id, null as mapping where false
{% endmacro %}

{#- After a staging view was made: remember which version of its mapping the database now has. -#}
{% macro remember_staged_layout() %}
    {%- if execute and model.config.meta.get('contract') %}
        {%- for layout in contract_layouts(model.config.meta.contract, model.name) %}
delete from raw._staged where layout = '{{ layout.name }}';
insert into raw._staged (layout, mapping) values ('{{ layout.name }}', '{{ layout.mapping }}')
        {%- endfor %}
    {%- endif -%}
{% endmacro %}
