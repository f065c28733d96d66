"""Proof of hypotheses: the reconciled copy, the snapshots, and the words of a cause."""
