"""Gold contracts: read, compared with what they were, and in the words of another standard."""
