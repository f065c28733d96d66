"""Exact amounts, times, printable text, severities, errors, files written whole."""
