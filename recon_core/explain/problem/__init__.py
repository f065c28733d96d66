"""Search problems: what is to be explained, from which rows, and what rows post."""
