"""A person decides: approve, correct, teach the contract."""
