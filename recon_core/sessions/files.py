"""Reading the files of a recording: regular files of bounded size, inside its directory."""

import codecs
import errno
import hashlib
import io
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from recon_core.model import InputFile
from recon_core.values.errors import ReconError, SessionError
from recon_core.values.limits import FILE_BYTES, JSON_BYTES, MIB, Limit, refuse_above
from recon_core.values.printable import printable, quoted

_BYTE_ORDER_MARKS: Final = {
    b"\xef\xbb\xbf": "a UTF-8 byte order mark",
    b"\xff\xfe": "a UTF-16 byte order mark",
    b"\xfe\xff": "a UTF-16 byte order mark",
}


TOO_LARGE: Final = "takes more memory than there is; expected a smaller file"
UNFORESEEN: Final = (TypeError, ValueError, LookupError, AttributeError, ArithmeticError)
_MISSING: Final = (errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.ELOOP)
_FOUR_BYTES: Final = re.compile(rb"[\xf0-\xff]")


class MissingListError(SessionError):
    """A document has no list of rows at the place that was asked for."""


@dataclass(frozen=True, slots=True)
class FileContent:
    """The text of one file that was read, and as evidence its name and SHA-256."""

    name: str
    text: str
    evidence: InputFile

    @property
    def data(self) -> bytes:
        """The bytes of the text."""
        return self.text.encode()

    def lines(self) -> io.StringIO:
        """The lines with the ends that they have in the file."""
        return io.StringIO(self.text, newline="")


@dataclass(frozen=True, slots=True)
class LinedFile:
    """A UTF-8 file that is read line by line, so that its text is never in memory whole."""

    name: str
    data: bytes
    evidence: InputFile

    def lines(self) -> io.TextIOWrapper:
        """The lines with the ends that they have in the file."""
        return io.TextIOWrapper(io.BytesIO(self.data), encoding="utf-8", newline="")


def read_text_file(path: Path, limit: Limit = JSON_BYTES, *, marked: bool = False) -> FileContent:
    """Read a UTF-8 file once; raises `SessionError` for anything else.

    A device, a pipe or a directory is refused before a byte is read, so that
    nothing hangs. With `marked` a byte order mark of UTF-8 is passed over.
    """
    name = printable(path.name)
    whole = read_bytes(path, limit)
    content = whole.removeprefix(codecs.BOM_UTF8) if marked else whole
    _require_text(content, name)
    if not content.isascii():
        _refuse_wide(content, name, limit)
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _not_utf8(name, error.start) from None
    return FileContent(name, text, InputFile(name, hashlib.sha256(whole).hexdigest()))


def read_lined_file(path: Path, *, marked: bool = False) -> LinedFile:
    """Read a UTF-8 file of many lines once, as `read_text_file` does."""
    name = printable(path.name)
    whole = read_bytes(path)
    content = whole.removeprefix(codecs.BOM_UTF8) if marked else whole
    _require_text(content, name)
    _require_utf8(content, name)
    return LinedFile(name, content, InputFile(name, hashlib.sha256(whole).hexdigest()))


def _require_text(content: bytes, name: str) -> None:
    for mark, description in _BYTE_ORDER_MARKS.items():
        if content.startswith(mark):
            raise SessionError(f"{name}: starts with {description}; expected plain UTF-8")
    # What a crash leaves of a file that was not yet on the disk, or one that is all hole.
    position = content.find(b"\0")
    if position >= 0:
        raise SessionError(f"{name}: byte {position} is NUL; expected UTF-8 text")


def _refuse_wide(content: bytes, name: str, limit: Limit) -> None:
    """Refuse a text that is much larger in memory than on the disk.

    One character beyond U+FFFF makes Python keep each of a text in four bytes.
    """
    if _FOUR_BYTES.search(content):
        refuse_above(limit, 2 * len(content), f"{name}: as text with characters beyond U+FFFF ")


def _require_utf8(content: bytes, name: str) -> None:
    if content.isascii():
        return
    decoder = codecs.getincrementaldecoder("utf-8")()
    view = memoryview(content)
    for start in range(0, len(content), MIB):
        kept = len(decoder.getstate()[0])
        try:
            decoder.decode(view[start : start + MIB], final=start + MIB >= len(content))
        except UnicodeDecodeError as error:
            raise _not_utf8(name, start - kept + error.start) from None


def _not_utf8(name: str, position: int) -> SessionError:
    return SessionError(f"{name}: byte {position} is not UTF-8; expected UTF-8 text")


def read_bytes(path: Path, limit: Limit = FILE_BYTES) -> bytes:
    """The content of a regular file whose size `limit` allows; raises `SessionError`."""
    name = printable(path.name)
    try:
        with open(path, "rb", opener=open_without_waiting) as file:  # has no opener
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise SessionError(f"{name}: is not a regular file; expected a file")
            refuse_above(limit, status.st_size, f"{name}: ")
            content = file.read(status.st_size + 1)
            if len(content) > status.st_size:
                raise SessionError(f"{name}: grows while it is read; expected a complete file")
            return content
    except IsADirectoryError:
        raise SessionError(f"{name}: is a directory; expected a file") from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise SessionError(f"{name}: cannot be read: {reason}; expected a readable file") from None


def file_head(path: Path, size: int) -> bytes:
    """The first bytes of a regular file, by which a format knows it; empty where it has none."""
    try:
        with open(path, "rb", opener=open_without_waiting) as file:  # has no opener
            return file.read(size) if stat.S_ISREG(os.fstat(file.fileno()).st_mode) else b""
    except (OSError, ValueError):
        return b""


@contextmanager
def unforeseen_refused(name: str) -> Iterator[None]:
    """Turn what a reader did not foresee into a `SessionError` that names the file.

    The last guard of the readers of this project: their rows name the field where a value
    is not of the expected kind. No message has a path of the machine.
    """
    try:
        yield
    except ReconError:
        raise
    except MemoryError:
        raise SessionError(f"{name}: {TOO_LARGE}") from None
    except RecursionError:
        raise SessionError(f"{name}: is nested too deep to be read") from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise SessionError(f"{name}: cannot be read: {reason}; expected a readable file") from None
    except UNFORESEEN as error:
        raise SessionError(f"{name}: {unforeseen_text(error)}") from None


def unforeseen_text(error: Exception) -> str:
    """A value of another kind than the format has; the library's own words speak of code."""
    return f"holds a value that the format does not have there ({type(error).__name__})"


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


def exists(path: Path) -> bool:
    """True if there is such a file; a name that no file can have is none."""
    return os.path.exists(path)  # noqa: PTH110  # Path.exists raises for a name too long


def inside(directory: Path, relative: str) -> Path:
    """The path of a file named inside a session; it must stay in `directory`.

    Symbolic links are followed first, so that none leads out. Raises `SessionError`.
    """
    shown = quoted(relative, 100)
    try:
        root = directory.resolve()
        path = (root / relative).resolve()
        path.stat()
    except (OSError, ValueError, RuntimeError) as error:
        # A file that is missing is named as such by who reads it.
        if getattr(error, "errno", None) not in _MISSING:
            raise SessionError(f"path {shown} cannot be resolved") from None
    if Path(relative).is_absolute() or not path.is_relative_to(root):
        raise SessionError(
            f"path {shown} leads out of the session's directory; "
            "expected a path relative to the session file, inside its directory"
        )
    return path
