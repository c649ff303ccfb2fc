{% macro create_clean_text() %}{{ return(adapter.dispatch('create_clean_text')()) }}{% endmacro %}


{% macro duckdb__create_clean_text() -%}
{%- set blank = '[' ~ pattern_blanks() ~ ']' -%}
{%- set marker = 'NULL|\\\\N|#N/A|N/A|(?i:\\(null\\)|<null>|\\[null\\])' -%}
create or replace macro clean_text(x) as (
    case
        when regexp_full_match(x, '{{ blank }}*(?:{{ marker }})?{{ blank }}*') then null
        when regexp_matches(x, '^{{ blank }}|{{ blank }}$')
            then regexp_replace(x, '^{{ blank }}+|{{ blank }}+$', '', 'g')
        else x
    end
);
{%- endmacro %}
