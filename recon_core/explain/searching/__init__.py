"""Searches for one or two hypotheses with the required effect, by fingerprint."""
