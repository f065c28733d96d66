"""Pairs of keys and rows of the two sides, and the checks of a whole session."""
