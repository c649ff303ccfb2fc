"""The dbt project on disk: settings, and the dbt models of layouts, which are the cache."""
