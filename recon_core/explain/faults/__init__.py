"""Hypotheses about rows: faults of one fill, of all fees or trades, of a span of time."""
