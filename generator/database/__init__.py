"""DuckDB and dbt: the ledger, the lock, and the modules that touch them."""
