"""The commands, a module for each kind of work; `generator.cli` puts them together."""
