"""Goldsmith: CSV files of any layout into tables that keep a gold contract."""
