"""Causes: one file a family, with what it proposes, its doubts and its sentence."""
