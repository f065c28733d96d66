"""Faults of a whole state: names, units, roundings and kinds of balances."""
