"""A run: files loaded, mapped, built, and counted."""
