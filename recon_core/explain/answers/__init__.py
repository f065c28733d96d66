"""Explanations from confirmed answers: unique, or ambiguous with what would decide."""
