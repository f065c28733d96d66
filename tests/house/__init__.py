"""Checks of the house itself: its words, and figures of its structure."""
