-- All layouts of `contacts`. Made by goldsmith from this folder: edit the layouts, not this list.
{{ union_layouts('contacts', []) }}
