"""Directories of recordings whose format knows each by one file."""

from collections.abc import Callable
from pathlib import Path


def only_recording(directory: Path, anchor_of: Callable[[Path], Path | None]) -> Path | None:
    """Return the anchor of the one recording in a directory, `None` where there are more or none.

    `anchor_of` returns the anchor of the recording that a file belongs to.
    """
    found = {anchor for path in directory.iterdir() if (anchor := anchor_of(path)) is not None}
    return found.pop() if len(found) == 1 else None
