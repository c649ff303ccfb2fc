"""Other versions of a dbt model or a contract: what they would do, before they do it."""
