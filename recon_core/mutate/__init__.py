"""Faults put into copies of a session, and the answer of the gate to each of them."""
