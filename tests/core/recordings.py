"""Recordings: what is copied into the tests, and what may lie beside the project."""

import shutil
from pathlib import Path

import pytest

DATA = Path(__file__).parents[1] / "data"
BESIDE = Path(__file__).parents[3] / "shared"
"""Recordings that are too many or not ours to copy; a clone runs without them."""

needs_recordings = pytest.mark.skipif(
    not (BESIDE / "recordings").is_dir(), reason="no recordings beside the project"
)


def writable_copy(source: Path, target: Path) -> Path:
    """A copy of a directory whose files may be changed, whatever they were."""
    target.mkdir(parents=True)
    for path in source.iterdir():
        shutil.copyfile(path, target / path.name)
    return target
