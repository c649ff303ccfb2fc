"""What cells and columns hold: dates, numbers, kinds, and what a layout looks like."""
