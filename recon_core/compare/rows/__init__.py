"""Fills and orders: which rows of both sides belong together, and what differs on them."""
