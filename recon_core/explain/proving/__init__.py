"""Whether an edit explains: the sides reconciled again with it, and the snapshots."""
