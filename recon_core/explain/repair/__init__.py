"""Repairs: correcting entries, how they are applied, and their file."""
