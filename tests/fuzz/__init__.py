"""Fuzzing: whatever a file holds, an answer, and a green one only where it is so. See README.md."""
