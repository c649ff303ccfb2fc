"""The deterministic matcher: columns for gold columns, with evidence."""
