"""What rows book: positions and cash as vectors, changes of rows, fees, and what stays open."""
