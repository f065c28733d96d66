"""Which files a command may write to."""

import os
from pathlib import Path

from recon_core.errors import ReconError
from recon_core.printable import quoted
from recon_core.sessions.discovery import NATIVE_SUFFIX


def written_path(value: str, directory: Path) -> Path:
    """The file that `value` names, seen from `directory`; raises `ReconError`.

    A device, a pipe or a link would be replaced by the report, and a session is what is
    judged and never what is written.
    """
    path = directory / value
    # os.path answers for a name that is too long, too.
    taken = os.path.lexists(path) and (path.is_symlink() or not path.is_file())
    if not value or taken or path.name.endswith(NATIVE_SUFFIX):
        raise ReconError(
            f"{quoted(value, 200)}; expected a new or a regular file to write, which is no session"
        )
    return path


def is_same_file(one: Path | None, other: Path | None) -> bool:
    """Whether two names of files, which need not exist yet, lead to one place."""
    if one is None or other is None:
        return False
    return os.path.realpath(one) == os.path.realpath(other)
