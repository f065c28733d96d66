"""Trials of explanations: sessions drawn by seed, and the lock on what is answered."""
