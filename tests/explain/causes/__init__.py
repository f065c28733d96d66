"""Tests of single families of causes, a file each, named as the family is."""
