"""YAML files of a dbt project: read, written, and changed in one place."""
