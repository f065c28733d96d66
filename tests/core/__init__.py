"""Tests of the core: everything that imports no pytest."""
