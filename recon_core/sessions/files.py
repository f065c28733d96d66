"""Reading the files of a recording: regular files of bounded size, inside its directory."""

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from recon_core.errors import SessionError
from recon_core.model import InputFile
from recon_core.printable import printable, quoted

MAX_FILE_BYTES: Final = 512 * 1024 * 1024
_BYTE_ORDER_MARKS: Final = {
    b"\xef\xbb\xbf": "a UTF-8 byte order mark",
    b"\xff\xfe": "a UTF-16 byte order mark",
    b"\xfe\xff": "a UTF-16 byte order mark",
}


@dataclass(frozen=True, slots=True)
class FileContent:
    """The text of one file that was read, and what was read, as evidence."""

    name: str
    text: str
    evidence: InputFile


def read_text_file(path: Path) -> FileContent:
    """Read a UTF-8 file once; raises `SessionError` for anything else.

    A device, a pipe or a directory is refused before a byte is read, so that
    nothing hangs.
    """
    name = printable(path.name)
    content = read_bytes(path)
    for mark, description in _BYTE_ORDER_MARKS.items():
        if content.startswith(mark):
            raise SessionError(f"{name}: starts with {description}; expected plain UTF-8")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise SessionError(
            f"{name}: byte {error.start} is not UTF-8; expected UTF-8 text"
        ) from None
    return FileContent(name, text, InputFile(name, hashlib.sha256(content).hexdigest()))


def read_bytes(path: Path) -> bytes:
    """The content of a regular file of at most `MAX_FILE_BYTES`; raises `SessionError`."""
    name = printable(path.name)
    try:
        with open(path, "rb", opener=open_without_waiting) as file:  # has no opener
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise SessionError(f"{name}: is not a regular file; expected a file")
            if status.st_size > MAX_FILE_BYTES:
                raise SessionError(
                    f"{name}: has {status.st_size} bytes; expected at most {MAX_FILE_BYTES}"
                )
            return file.read(MAX_FILE_BYTES + 1)
    except IsADirectoryError:
        raise SessionError(f"{name}: is a directory; expected a file") from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise SessionError(f"{name}: cannot be read: {reason}; expected a readable file") from None


def input_files(path: Path) -> tuple[InputFile, ...]:
    """The evidence of a file that was no session, where it can be read at all."""
    try:
        digest = hashlib.sha256(read_bytes(path)).hexdigest()
    except SessionError:
        return ()
    return (InputFile(printable(path.name), digest),)


def open_without_waiting(path: str, flags: int) -> int:
    """Open a file; without O_NONBLOCK a pipe that nobody writes would wait for ever."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def inside(directory: Path, relative: str) -> Path:
    """The path of a file named inside a session; it must stay in `directory`.

    Symbolic links are followed first, so that none leads out. Raises `SessionError`.
    """
    shown = quoted(relative, 100)
    try:
        root = directory.resolve()
        path = (root / relative).resolve()
    except (OSError, ValueError, RuntimeError):
        raise SessionError(f"path {shown} cannot be resolved") from None
    if Path(relative).is_absolute() or not path.is_relative_to(root):
        raise SessionError(
            f"path {shown} leads out of the session's directory; "
            "expected a path relative to the session file, inside its directory"
        )
    return path
