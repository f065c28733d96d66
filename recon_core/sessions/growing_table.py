"""A table in JSON Lines that is written while a session runs."""

import json
import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from recon_core.values.files import refusing, write_atomically


class GrowingTable:
    """A table in JSON Lines that only grows, each row by one write.

    Raises `ReconError` for what cannot be written; the rows before are kept whole.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows = 0
        with refusing(path.name):
            self._handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o666)

    def append(self, document: Mapping[str, Any]) -> None:
        """Add a row; what the system did not take at once is written after it."""
        line = _line(document).encode()
        with refusing(self.path.name):
            before = os.fstat(self._handle).st_size
            try:
                while line:
                    line = line[os.write(self._handle, line) :]
            except OSError:
                os.ftruncate(self._handle, before)  # half a row would spoil all others
                raise
        self.rows += 1

    def close(self) -> None:
        """Give the file to the disk, so that counts never promise more than there is."""
        with refusing(self.path.name):
            os.fsync(self._handle)
            os.close(self._handle)

    def replace(self, documents: Collection[Mapping[str, Any]]) -> None:
        """Write the closed file anew."""
        with refusing(self.path.name):
            write_atomically(self.path, "".join(map(_line, documents)))
        self.rows = len(documents)


def _line(document: Mapping[str, Any]) -> str:
    return f"{json.dumps(document)}\n"
