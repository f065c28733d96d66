"""Paths that a command may write to."""

import os
import re
from pathlib import Path
from typing import Final

from recon_core.sessions.directory_search import NATIVE_SUFFIX
from recon_core.values.errors import ReconError
from recon_core.values.printable import quoted

_LOOKED_AT: Final = 4096
"""Bytes of a file that are read to see what it is: a report shows in its first line."""


def written_path(value: str, directory: Path, begins: re.Pattern[bytes] | None = None) -> Path:
    """The file that `value` names, seen from `directory`; raises `ReconError`.

    A device, a pipe or a link would be replaced by the report, and a session is what is
    judged and never what is written. Nor is any other file replaced by a report whose
    files begin with `begins`: only an earlier report, or an empty file.
    """
    path = directory / value
    # os.path answers for a name that is too long, too.
    taken = os.path.lexists(path) and (path.is_symlink() or not path.is_file())
    if not value or taken or path.name.endswith(NATIVE_SUFFIX):
        raise ReconError(
            f"{quoted(value, 200)}; expected a new or a regular file to write, which is no session"
        )
    if begins and _is_foreign(path, begins):
        raise ReconError(
            f"{quoted(value, 200)}: holds something else; expected a new file or an earlier report"
        )
    return path


def _is_foreign(path: Path, begins: re.Pattern[bytes]) -> bool:
    try:
        with path.open("rb") as file:
            start = file.read(_LOOKED_AT)
    except (OSError, ValueError):
        return False  # not there yet, or writing it will say why it cannot be
    return bool(start) and begins.match(start) is None


def is_same_file(one: Path | None, other: Path | None) -> bool:
    """True if two paths, of files that may not exist yet, lead to one place."""
    if one is None or other is None:
        return False
    return os.path.realpath(one) == os.path.realpath(other)
