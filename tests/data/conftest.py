"""Inputs of tests are no sessions of the project."""

collect_ignore_glob = ["fuzz/*"]
