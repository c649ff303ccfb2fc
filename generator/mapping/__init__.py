"""One layout is mapped: asked for, judged on its rows, repaired, kept."""
