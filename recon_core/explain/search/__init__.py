"""Searches for causes with the required effect, in rows, in pairs of rows, and in states."""
