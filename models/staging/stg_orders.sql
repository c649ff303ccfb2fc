-- All layouts of `orders`. Made by goldsmith from this folder: edit the layouts, not this list.
{{ union_layouts('orders', [
    ref('stg_amazon__orders_d8421cf1'),
    ref('stg_ebay_de__orders_58450263'),
    ref('stg_etsy__orders_0839f444'),
    ref('stg_shopify__orders_0eefdb74'),
    ref('stg_woocommerce__orders_0679d258'),
]) }}
