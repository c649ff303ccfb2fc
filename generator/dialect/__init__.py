"""How a file is written: encoding, delimiter, quotes, headers; and its records."""
