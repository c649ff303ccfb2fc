-- All layouts of `bank_transactions`. Made by goldsmith from this folder: edit the layouts, not this list.
{{ union_layouts('bank_transactions', []) }}
