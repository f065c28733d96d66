"""Which files a command may write to."""

import os
from pathlib import Path

from recon_core.errors import ReconError
from recon_core.printable import quoted
from recon_core.sessions.discovery import NATIVE_SUFFIX


def written_path(value: str, directory: Path, begins: bytes = b"") -> Path:
    """The file that `value` names, seen from `directory`; raises `ReconError`.

    A device, a pipe or a link would be replaced by the report, and a session is what is
    judged and never what is written. Nor is any other file replaced by a report that
    begins with `begins`: only an earlier report, or an empty file.
    """
    path = directory / value
    # os.path answers for a name that is too long, too.
    taken = os.path.lexists(path) and (path.is_symlink() or not path.is_file())
    if not value or taken or path.name.endswith(NATIVE_SUFFIX):
        raise ReconError(
            f"{quoted(value, 200)}; expected a new or a regular file to write, which is no session"
        )
    if begins and _begins_otherwise(path, begins):
        raise ReconError(
            f"{quoted(value, 200)}: holds something else; expected a new file or an earlier report"
        )
    return path


def _begins_otherwise(path: Path, begins: bytes) -> bool:
    try:
        with path.open("rb") as file:
            start = file.read(len(begins))
    except (OSError, ValueError):
        return False  # not there yet, or writing it will say why it cannot be
    return start not in (b"", begins)


def is_same_file(one: Path | None, other: Path | None) -> bool:
    """Whether two names of files, which need not exist yet, lead to one place."""
    if one is None or other is None:
        return False
    return os.path.realpath(one) == os.path.realpath(other)
