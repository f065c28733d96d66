"""Tests of explanations: faults of every kind, injected and to be found again."""
