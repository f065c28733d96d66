"""Tests of the `recon` command."""
