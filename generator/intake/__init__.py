"""Files come in: found, unpacked, archived."""
