"""Any source of audit entries, read in one pass: a log, an export, standard input, nothing.

A log is verified line by line while it is read (`recon_core.audit.chain`), its earlier
files first, and compared with its checkpoint. A log and an export are distinguished by
their first character; nothing that was handed out is kept, so that memory does not depend
on the length of the source.
"""

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final, NoReturn

from recon_core.audit.chain import LONGEST_LINE, ChainReader, Head, next_entry
from recon_core.audit.checkpoint import Witness, read_checkpoint
from recon_core.audit.entries import RECON_DIFF, RECON_SUMMARY
from recon_core.audit.export_text import EXPECTED, read_export
from recon_core.audit.fields import Entry, is_naive, utc_time
from recon_core.audit.log_lock import settle
from recon_core.audit.succession import Files, Finder, Part, Succession, beside, found_files
from recon_core.sessions.files import open_without_waiting
from recon_core.values.errors import AuditError
from recon_core.values.printable import printable, quoted

STANDARD_INPUT: Final = "-"

_WHITE: Final = b" \t\r\n"
_MOST_ROTATIONS: Final = 10
"""Attempts to open a log and its checkpoint between two rotations; one is nearly always enough."""
_LONGEST_START: Final = 1 << 16
"""Bytes of white space that are passed before the first character of a source."""
_BYTE_ORDER_MARKS: Final = (b"\xef", b"\xfe", b"\xff")


class EntrySource:
    """The entries of one source, to be iterated once.

    `chain` is the state of a verified log after the entries so far, `None` where the source
    has no hashes; `chains` are those of all its files so far. `files` are its earlier
    files, which `find` looks for; `path` is the log that a writer may be at. Whatever is wrong
    with the source, or with an entry that its reader refuses, is an `AuditError` that names the
    source and the place in it.
    """

    def __init__(
        self,
        name: str,
        file: BinaryIO | None,
        find: Finder | None = None,
        path: Path | None = None,
        witness: Witness | None = None,
    ) -> None:
        self.name = printable(name)
        self.chain: ChainReader | None = None
        self.chains: list[tuple[str, ChainReader]] = []
        self.files = Files()
        self._file, self._find, self._path = file, find, path
        self._witness = witness or Witness(None)
        self._part = ""
        self._count = self._naive = 0
        self._settled = path is None

    def __iter__(self) -> Iterator[Entry]:
        try:
            yield from () if self._file is None else self._entries(self._file)
        except OSError as error:
            raise self.refused(f"cannot be read: {error.strerror}") from None
        except RecursionError:
            raise self.refused(f"{self.place}: is nested too deep") from None
        except AuditError as error:
            raise self.refused(str(error)) from None

    @contextmanager
    def refusals(self) -> Iterator[None]:
        """Errors of whoever looks at the entries, with the place of the current one."""
        try:
            yield
        except _LocatedError:
            raise
        except AuditError as error:
            raise self.refused(f"{self.place}: {error}") from None

    def refused(self, problem: str) -> AuditError:
        """The error that says what is wrong with this source."""
        return _LocatedError(f"{self.name}: {problem}")

    @property
    def place(self) -> str:
        """The current entry: `entry 3` of an export, `line 3` of a log."""
        return f"{self._part}{'entry' if self.chain is None else 'line'} {self._count}"

    def notes(self) -> list[str]:
        """Notes on how the source was read, for readers of the answer."""
        if not self._naive:
            return self.file_notes()
        times = "1 time" if self._naive == 1 else f"{self._naive} times"
        were = "was" if self._naive == 1 else "were"
        return [*self.file_notes(), f"{times} without an offset {were} read as UTC"]

    def file_notes(self) -> list[str]:
        """The earlier files that an answer does not hold."""
        notes = [*map(_signed_note, self.files.parts)]
        if self.files.gap:
            notes.append(f"{self.files.gap}, so its entries are not in this answer")
        return [note for note in notes if note]

    def _entries(self, file: BinaryIO) -> Iterator[Entry]:
        start = _start(file)
        if start.endswith(b"["):
            return self._export(file.read, 1 + start.count(b"\n"))
        if start.endswith(b"{"):
            return self._log(file, start + file.readline(LONGEST_LINE))
        if not start.strip(_WHITE):
            raise AuditError(f"is empty; {EXPECTED}")
        if start.endswith(_BYTE_ORDER_MARKS):
            raise AuditError("starts with a byte order mark or is binary; expected plain UTF-8")
        raise AuditError(f"starts with {quoted(start[-1:].decode('latin-1'))}; {EXPECTED}")

    def _export(self, read: Callable[[int], bytes], first_line: int) -> Iterator[Entry]:
        self._witness.check(Head())
        for entry in read_export(read, first_line):
            self._count += 1
            self._check(entry)
            if self._count == 1:
                self.files = Files(missing=Succession.of(entry))
            yield entry

    def _check(self, entry: Entry) -> None:
        """See that an entry of an export has what a line of a log always has."""
        for name, kind, expected in _REQUIRED:
            if not isinstance(entry.get(name), kind):
                problem = "has no" if name not in entry else "has no usable"
                raise AuditError(f"{self.place}: {problem} {name}; expected {expected}")
        if entry["event_type"] in (RECON_SUMMARY, RECON_DIFF):
            try:
                utc_time(entry["timestamp"])
            except AuditError as error:
                raise AuditError(f"{self.place}: {error}") from None
            self._naive += is_naive(entry["timestamp"])

    def _log(self, file: BinaryIO, line: bytes) -> Iterator[Entry]:
        if b'"hash"' not in line and (line.rstrip(_WHITE) == b"{" or line.rstrip().endswith(b"}")):
            raise AuditError(f"is a JSON object without a hash; {EXPECTED}")
        yield from self._earlier(line)
        self._count, self._part = 0, ""
        chain = self._next_chain(self.name)
        witnessed = self._witness.checkpoint is not None
        while line or self._may_go_on(chain):
            if line and (line.endswith(b"\n") or not self._may_be_finished(file, line)):
                self._count += 1
                entry = chain.take(line)
                if witnessed:
                    self._witness.see(entry)
                yield entry
            line = file.readline(LONGEST_LINE)
        self._witness.check(chain.head)

    def _earlier(self, line: bytes) -> Iterator[Entry]:
        """The entries of the files before this one, which its first line may name."""
        try:
            first = next_entry(line, Head())
        except AuditError:
            return  # no matter what it says: it is refused when its turn comes
        if self._find is None:
            self.files = Files(missing=Succession.of(first))
        else:
            self.files = found_files(first, self._find)
        for part in self.files.parts:
            self._count, self._part = 0, f"earlier file {part.name}: "
            for entry in part.verified(self._next_chain(part.name)):
                self._count += 1
                yield entry

    def _next_chain(self, name: str) -> ChainReader:
        self.chain = ChainReader()
        self.chains.append((name, self.chain))
        return self.chain

    def _may_be_finished(self, file: BinaryIO, line: bytes) -> bool:
        """True if the torn last line is to be read again: a writer may have been in the middle."""
        if len(line) >= LONGEST_LINE or not self._wait():
            return False
        file.seek(-len(line), os.SEEK_CUR)
        return True

    def _may_go_on(self, chain: ChainReader) -> bool:
        """True if more is to be looked for: a writer may have been in the middle of a run."""
        return chain.open_run is not None and self._wait()

    def _wait(self) -> bool:
        """Wait for a writer, once."""
        if self._settled or self._path is None:
            return False
        self._settled = True
        settle(self._path)
        return True


class _LocatedError(AuditError):
    """An error that names its source already."""


_REQUIRED: Final[tuple[tuple[str, type, str], ...]] = (
    ("event_type", str, "text such as RECON_SUMMARY"),
    ("timestamp", str, "a time such as 2026-01-01T12:00:00Z"),
    ("details", dict, "an object"),
)


def _signed_note(part: Part) -> str:
    """The way in which an earlier file was closed, empty where it was left as usual."""
    named = part.named
    if named.closed_by is None:
        return ""
    unread = "" if part.is_read else "; its entries are not read"
    return (
        f"{part.name} was closed by {printable(named.closed_by)} "
        f"({printable(named.reason, 200)}): {printable(named.problem, 200)}{unread}"
    )


@contextmanager
def open_source(
    source: str | Path | None, stdin: BinaryIO | None = None, places: Sequence[Path] = ()
) -> Iterator[EntrySource]:
    """Open what a user named: a path, `-` for `stdin`, or no source at all, which is empty.

    `places` are directories in which earlier files of a log may lie. Raises `AuditError`
    where the file is missing or is no regular file, before a byte is read, so that a pipe
    that nobody writes to cannot hang a gate.
    """
    if source is None:
        yield EntrySource("no audit log", None)
    elif source == STANDARD_INPUT:
        if stdin is None:
            raise AuditError("standard input: there is none; expected an audit log or an export")
        yield EntrySource("standard input", stdin)
    else:
        path = Path(source)
        file, witness = _opened_with_witness(path)
        with file:
            yield EntrySource(path.name or str(source), file, beside(path, places), path, witness)


def _opened_with_witness(path: Path) -> tuple[BinaryIO, Witness]:
    """A log and its checkpoint; again where a writer has begun a new file between the two.

    The checkpoint is read after the log was opened and before its lines are, so that the
    log has all that it names.
    """
    for _ in range(_MOST_ROTATIONS):
        file = _opened(path)
        witness = Witness(read_checkpoint(path))
        if _is_still(path, file):
            return file, witness
        file.close()
    return _opened(path), Witness(None)


def _is_still(path: Path, file: BinaryIO) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except OSError:
        return False


def _opened(path: Path) -> BinaryIO:
    name = printable(path.name or path)
    try:
        file = open(path, "rb", opener=open_without_waiting)  # noqa: SIM115  # the caller closes it
    except FileNotFoundError:
        raise AuditError(f"{name}: there is no such file; expected an audit log") from None
    except IsADirectoryError:
        _refuse_kind(name, "is a directory")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise AuditError(f"{name}: cannot be read: {printable(reason)}") from None
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        _refuse_kind(name, "is not a regular file")
    return file


def _refuse_kind(name: str, what: str) -> NoReturn:
    raise AuditError(f"{name}: {what}; expected the file of an audit log or an export")


def _start(file: BinaryIO) -> bytes:
    """The white space that a file starts with, and its first other byte."""
    start = bytearray()
    while (byte := file.read(1)) and byte in _WHITE and len(start) < _LONGEST_START:
        start += byte
    return bytes(start + byte)
