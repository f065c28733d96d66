"""The audit trail: an append-only log, and answers from it."""
