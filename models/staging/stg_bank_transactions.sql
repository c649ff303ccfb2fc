-- All layouts of `bank_transactions`. Made by goldsmith from this folder: edit the layouts, not this list.
{{ union_layouts('bank_transactions', [
    ref('stg_barclays__bank_transactions_00901f1f'),
    ref('stg_chase__bank_transactions_ec185f7c'),
    ref('stg_comdirect__bank_transactions_b0b0eb61'),
    ref('stg_dkb__bank_transactions_a3c3d883'),
    ref('stg_mint__bank_transactions_c8fc51ab'),
    ref('stg_n26__bank_transactions_235afcbb'),
    ref('stg_nordic__bank_transactions_24ae6c58'),
    ref('stg_revolut__bank_transactions_2e8241c2'),
    ref('stg_sparkasse__bank_transactions_c5877afd'),
]) }}
