-- All layouts of `products`. Made by goldsmith from this folder: edit the layouts, not this list.
{{ union_layouts('products', []) }}
