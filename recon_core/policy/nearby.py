"""Policy files near a run: the one that was written and is not the one in force."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from recon_core.policy.file_names import POLICY_FILE, PYPROJECT
from recon_core.values.errors import PolicyError

_MOST_BYTES: Final = 1024 * 1024
"""Bytes of a neighbour's `pyproject.toml` that are looked at; real ones have some KiB."""


def unused_policies(used: Path | None, starts: Iterable[Path]) -> list[Path]:
    """The policy files in `starts` and above them, without the one that is used.

    A file is `recon.toml`, or a `pyproject.toml` with `[tool.recon]`. The search is upward
    only, and into each directory once.
    """
    known = {os.path.realpath(used)} if used is not None else set()
    found = []
    for directory in _upward(starts):
        for path in _policies(directory):
            place = os.path.realpath(path)
            if place not in known:
                known.add(place)
                found.append(path)
    return found


def _upward(starts: Iterable[Path]) -> Iterator[Path]:
    seen: set[Path] = set()
    for start in starts:
        whole = Path(os.path.abspath(start))  # noqa: PTH100  # without `..`, links unresolved
        for directory in (whole, *whole.parents):
            if directory in seen:
                break
            seen.add(directory)
            yield directory


def _policies(directory: Path) -> Iterator[Path]:
    # os.path answers where a directory may not be read, too.
    if os.path.lexists(directory / POLICY_FILE):
        yield directory / POLICY_FILE
    pyproject = directory / PYPROJECT
    if os.path.isfile(pyproject) and _holds_policy(pyproject):  # noqa: PTH113
        yield pyproject


def _holds_policy(pyproject: Path) -> bool:
    try:
        with pyproject.open("rb") as file:
            if b"recon" not in file.read(_MOST_BYTES):
                return False
    except OSError:
        return False
    from recon_core.policy.toml_file import read_pyproject_policy  # noqa: PLC0415  # brings pydantic

    try:
        return read_pyproject_policy(pyproject) is not None
    except PolicyError:
        return True
