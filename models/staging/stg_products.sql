-- All layouts of `products`. Made by goldsmith from this folder: edit the layouts, not this list.
{{ union_layouts('products', [
    ref('stg_shopify__products_23ad8ff8'),
    ref('stg_woocommerce__products_6c71fe32'),
]) }}
