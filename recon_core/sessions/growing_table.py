"""A table in JSON Lines that is written while a session runs."""

import json
import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from recon_core.atomic import write_atomically


class GrowingTable:
    """A table in JSON Lines that only grows, each row by one write."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows = 0
        self._handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o666)

    def append(self, document: Mapping[str, Any]) -> None:
        """Add a row; what the system did not take at once is written after it."""
        line = _line(document).encode()
        while line:
            line = line[os.write(self._handle, line) :]
        self.rows += 1

    def close(self) -> None:
        """Give the file to the disk, so that counts never promise more than there is."""
        os.fsync(self._handle)
        os.close(self._handle)

    def replace(self, documents: Collection[Mapping[str, Any]]) -> None:
        """Write the closed file anew."""
        write_atomically(self.path, "".join(map(_line, documents)))
        self.rows = len(documents)


def _line(document: Mapping[str, Any]) -> str:
    return f"{json.dumps(document)}\n"
