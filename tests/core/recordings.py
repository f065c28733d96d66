"""Recordings: what is copied into the tests, and what may lie elsewhere.

`RECON_TEST_RECORDINGS` names a directory with more of them: too many or not ours to copy.
"""

import os
import shutil
from pathlib import Path

import pytest

from recon_core.engine.reconciliation import Reconciliation

from .builders import verdicts

DATA = Path(__file__).parents[1] / "data"
BESIDE = Path(os.environ.get("RECON_TEST_RECORDINGS", os.devnull))

needs_recordings = pytest.mark.skipif(
    not (BESIDE / "recordings").is_dir(), reason="RECON_TEST_RECORDINGS names no recordings"
)


def writable_copy(source: Path, target: Path) -> Path:
    """A copy of a directory whose files may be changed, whatever they were."""
    target.mkdir(parents=True)
    for path in source.iterdir():
        shutil.copyfile(path, target / path.name)
    return target


def states(reconciliation: Reconciliation) -> dict[str, str]:
    """The verdicts of positions and cash; other kinds of items are other tests' subject."""
    found = verdicts(reconciliation).items()
    return {name: verdict for name, verdict in found if name.startswith(("position::", "cash::"))}
