"""Tests of the documents and examples."""
