{#- The tables that intake writes and dbt reads. `generator/database/ledger.py` renders the same text, so this is their only home. -#}

{% macro create_ledger() %}
    {{- return(adapter.dispatch('create_ledger')()) -}}
{% endmacro %}

{% macro duckdb__create_ledger() %}
create schema if not exists raw;
create table if not exists raw._files (
    file_id varchar primary key,
    source_file varchar not null,
    sha256 varchar not null,
    bytes bigint not null,
    contract varchar,
    source varchar,
    layout varchar,
    raw_table varchar,
    encoding varchar,
    encoding_certainty double,
    compression varchar,
    delimiter varchar,
    quotechar varchar,
    escapechar varchar,
    has_header boolean,
    headers varchar [],
    preamble_rows bigint,
    footer_rows bigint,
    rows_read bigint not null,
    rows_loaded bigint not null,
    rows_rejected bigint not null,
    remarks varchar [],
    state varchar not null,
    message varchar,
    loaded_at timestamp not null
);
{#- Databases that were made before these columns. #}
alter table raw._files add column if not exists encoding_certainty double;
alter table raw._files add column if not exists compression varchar;
alter table raw._files add column if not exists escapechar varchar;
alter table raw._files add column if not exists remarks varchar [];
create table if not exists raw._rejects (
    file_id varchar not null,
    source_row bigint not null,
    text varchar not null,
    reason varchar not null
);
create table if not exists raw._margins (
    file_id varchar not null,
    source_row bigint not null,
    part varchar not null,
    text varchar not null
);
create table if not exists raw._staged (
    layout varchar not null,
    mapping varchar not null
);
create table if not exists raw._built (
    relation varchar not null,
    file_id varchar not null,
    mapping varchar not null
);
{% endmacro %}
