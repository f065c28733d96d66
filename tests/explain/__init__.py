"""Tests of explanations, a file a subject; those of one family of causes are in `causes`."""
