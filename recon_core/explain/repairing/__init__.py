"""Correcting entries for the side at fault, and the file of entries."""
