"""Writing a file whole or not at all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from recon_core.values.errors import ReconError
from recon_core.values.printable import printable


@contextmanager
def refusing(name: object) -> Iterator[None]:
    """Raise `ReconError` in one line, with `name`, for a file that cannot be written."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ReconError(f"{printable(name)}: cannot be written: {reason}") from None


def write_atomically(path: Path, text: str) -> None:
    """Write `text` to a file beside `path` and rename it; raises `OSError`.

    A reader sees the old content or the new one, never a part, also after a crash.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:50]}.", suffix=".tmp")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _umask() -> int:
    """The permissions that the file would have had if it was written in place."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
