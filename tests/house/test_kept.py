"""Runs of pytest in this process: answers that are kept for them, and what they do not await."""

import os
from pathlib import Path

import pytest


def test_a_file_that_cannot_be_synchronised_is_refused(tmp_path: Path) -> None:
    """A closed descriptor and a pipe are errors, whether a disk is waited for or not."""
    with (tmp_path / "file").open("wb") as file:
        os.fsync(file.fileno())
        os.fsync(file)
        closed = os.dup(file.fileno())
    os.close(closed)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fsync(closed)
    reading, writing = os.pipe()
    try:
        with pytest.raises(OSError, match="Invalid argument"):
            os.fsync(writing)
    finally:
        os.close(reading)
        os.close(writing)
