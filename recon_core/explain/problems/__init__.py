"""Search problems: rows that are evidence, the side at fault, and the required effect."""
