"""Mutation testing: do the tests notice a rule that is changed? See README.md."""
