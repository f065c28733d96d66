"""Statements of venues and brokers: one mapping and one sample of each, as plain data.

A format is the name of a mapping. `recon formats NAME` shows it, to begin one's own with.
"""
