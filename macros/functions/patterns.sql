{#- Pieces of RE2 patterns that several functions share. -#}

{#- Every Unicode blank, and the characters without width that exports leave around a cell; inside `[…]`. -#}
{% macro pattern_blanks() -%}
\s\x{0B}\x{1C}-\x{1F}\x{85}\pZ\x{180E}\x{200B}-\x{200F}\x{202A}-\x{202E}\x{2060}\x{2066}-\x{2069}\x{FEFF}
{%- endmacro %}


{#- A number in groups of three, by one kind of blank or apostrophe, which no decimal sign can be taken for. -#}
{% macro pattern_thousands() -%}
[1-9][0-9]{0,2}(?:
{%- for sign in [' ', '\\x{A0}', '\\x{2009}', '\\x{202F}', "''", '’'] -%}
    (?:{{ sign }}[0-9]{3})+{{ '|' if not loop.last }}
{%- endfor -%}
)
{%- endmacro %}
