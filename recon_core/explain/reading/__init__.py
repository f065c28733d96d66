"""Causes that pairs of rows, order reports and a side's own records show without a search."""
