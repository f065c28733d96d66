"""The files of one log: the first entry of each names the file before it.

    audit.jsonl.1   entries 1 to 400                                        head H1
    audit.jsonl.2   RECON_LOG_CONTINUED {audit.jsonl.1, 400, H1}, …         head H2
    audit.jsonl     RECON_LOG_CONTINUED {audit.jsonl.2, 250, H2}, …

Each file is a chain of its own. A file that was closed by somebody although it was damaged
is named by its size and SHA-256 instead of its head, and its entries are not read.
"""

import hashlib
import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Final, NoReturn, Protocol

from recon_core.audit.chain import (
    LONGEST_LINE,
    ChainReader,
    Head,
    entries_text,
    next_entry,
    read_lines,
)
from recon_core.audit.entries import (
    LOG_CLOSED,
    LOG_CONTINUED,
    RECON_DIFF,
    RECON_SUMMARY,
    RUN_OPENED,
    SUCCESSIONS,
    LedgerEntry,
)
from recon_core.audit.fields import Entry, count_field, optional_text, text_field, utc_time
from recon_core.sessions.files import open_without_waiting
from recon_core.values.errors import AuditError
from recon_core.values.printable import printable, quoted

_CHUNK: Final = 1 << 20
"""Bytes that are read at once."""


@dataclass(frozen=True, slots=True)
class Succession:
    """The file before another one, as the first entry of that one names it.

    `number` counts the files before this one. `latest` is the latest time of a run in all
    of them, `None` where it is not known. `closed_by` signed the file before off, `problem`
    says why; it has a `head` where its chain was whole.
    """

    file: str
    number: int
    head: Head | None
    latest: datetime | None = None
    size: int | None = None
    sha256: str | None = None
    closed_by: str | None = None
    reason: str | None = None
    problem: str | None = None

    @classmethod
    def of(cls, entry: Mapping[str, Any] | None) -> "Succession | None":
        """Read an entry, `None` for one of another kind; raises `AuditError`."""
        if entry is None or entry["event_type"] not in SUCCESSIONS:
            return None
        details = entry["details"]
        count, digest = count_field(details, "entries"), optional_text(details, "head")
        latest, number = optional_text(details, "latest"), count_field(details, "number")
        is_closed = entry["event_type"] == LOG_CLOSED
        if not number or ((digest is None or count is None) and not is_closed):
            raise AuditError(f"{entry['event_type']}: does not name the file before it")
        return cls(
            _file_name(details),
            number,
            None if digest is None or count is None else Head(count, digest),
            None if latest is None else utc_time(latest),
            count_field(details, "bytes"),
            optional_text(details, "sha256"),
            text_field(details, "closed_by") if is_closed else None,
            optional_text(details, "reason"),
            optional_text(details, "problem"),
        )

    def details(self) -> dict[str, object]:
        """The details of the entry that says it."""
        head = self.head
        return {
            "file": self.file,
            "number": self.number,
            "entries": None if head is None else head.count,
            "head": None if head is None else head.hash,
            "latest": self.latest,
        } | (
            {}
            if self.closed_by is None
            else {
                "bytes": self.size,
                "sha256": self.sha256,
                "closed_by": self.closed_by,
                "reason": self.reason,
                "problem": self.problem,
            }
        )

    def __str__(self) -> str:
        """The file before, as messages name it."""
        if self.head is None:
            return f"{printable(self.file)} ({self.size or 0:,} bytes)"
        return f"{printable(self.file)} ({entries_text(self.head.count)}, head {self.head.hash})"


def _file_name(details: Mapping[str, Any]) -> str:
    name = text_field(details, "file")
    # A name in the same directory: a log leads nobody elsewhere.
    if not name or name in (".", "..") or any(mark in name for mark in "/\\\0"):
        raise AuditError(f"file: {quoted(name)}; expected the name of a file")
    return name


class Content(Protocol):
    """The bytes of one file of a log, wherever they are kept."""

    def open(self) -> BinaryIO:
        """Open it at its first line; raises `OSError` or `AuditError`."""

    def digest(self) -> tuple[str | None, int | None]:
        """Return its SHA-256 and its size; raises `OSError`."""


Finder = Callable[[Succession], Content | None]
"""Finds an earlier file by what the next file says of it; `None` where it is missing."""


@dataclass(frozen=True, slots=True)
class FileContent:
    """A file of a log on the disk."""

    path: Path

    def open(self) -> BinaryIO:
        """Open it; a pipe in its place is refused, not waited for."""
        return open(self.path, "rb", opener=open_without_waiting)

    def digest(self) -> tuple[str, int]:
        """Read all of it."""
        with self.open() as file:
            return digest_of(file)


@dataclass(frozen=True, slots=True)
class Part:
    """An earlier file of a log, and what the next file says of it.

    `signed` are the problems that somebody signed off in a later file.
    """

    content: Content
    named: Succession
    signed: frozenset[str | None] = frozenset()

    @property
    def name(self) -> str:
        """The name of the file, safe to print."""
        return printable(self.named.file)

    @property
    def is_read(self) -> bool:
        """True if its chain was whole when it was left."""
        return self.named.head is not None

    def verified(self, chain: ChainReader) -> Iterator[Entry]:
        """Its entries; none of a damaged file, which must be the one that was closed."""
        try:
            if self.is_read:
                yield from self._entries(chain)
            else:
                self._check_closed()
        except AuditError as error:
            if str(error) not in self.signed:
                raise

    def _entries(self, chain: ChainReader) -> Iterator[Entry]:
        with _located(self.name), self.content.open() as file:
            while line := file.readline(LONGEST_LINE):
                yield chain.take(line)
        if chain.head != self.named.head:
            raise AuditError(
                f"earlier file {self.name}: has {entries_text(chain.head.count)}, head "
                f"{chain.head.hash}; the file after it continues {self.named}"
            )

    def _check_closed(self) -> None:
        with _located(self.name):
            if self.content.digest() != (self.named.sha256, self.named.size):
                raise AuditError("was changed after it was closed: its SHA-256 is another one")


@contextmanager
def _located(name: str) -> Iterator[None]:
    """Errors of an earlier file, under its name."""
    try:
        yield
    except OSError as error:
        raise AuditError(f"earlier file {name}: cannot be read: {error.strerror}") from None
    except AuditError as error:
        raise AuditError(f"earlier file {name}: {error}") from None


@dataclass(frozen=True, slots=True)
class Files:
    """The earlier files of a log, the oldest first; `missing` is where the row breaks off.

    `hidden` is a file before them that has no readable first line, which somebody signed off.
    """

    parts: Sequence[Part] = ()
    missing: Succession | None = None
    signed_off: bool = False
    hidden: Part | None = None

    @property
    def gap(self) -> str:
        """The text that names the missing file, empty where none is missing."""
        return "" if self.missing is None else missing_text(self.missing)

    def verify(self) -> None:
        """Read all of them; raises `AuditError` where one was changed."""
        for part in self.parts:
            deque(part.verified(ChainReader()), maxlen=0)


def missing_text(missing: Succession) -> str:
    """`earlier file audit.jsonl.1 (400 entries, head …) is not there`."""
    return f"earlier file {missing} is not there"


def earlier_files(path: Path, first: Entry | None, places: Sequence[Path] = ()) -> Files:
    """Find the files before the log at `path`, whose first entry is `first`.

    They are looked for beside it, then in `places`. Raises `AuditError` for a row of
    files that is out of order.
    """
    return found_files(first, beside(path, places))


def beside(path: Path, places: Sequence[Path] = ()) -> Finder:
    """Return a finder that looks beside the log at `path`, then in `places`."""

    def find(named: Succession) -> Content | None:
        found = _found(named.file, [path.parent, *places])
        return None if found is None else FileContent(found)

    return find


def found_files(first: Entry | None, find: Finder) -> Files:
    """Find the files before the one whose first entry is `first`; raises `AuditError`."""
    found: list[Part] = []
    named, signed = Succession.of(first), frozenset[str | None]()
    while named is not None:
        content = find(named)
        signed |= {named.problem}
        if content is None:
            return Files(found[::-1], named, signed_off=missing_text(named) in signed)
        part = Part(content, named, signed)
        try:
            named = _before(part)
        except AuditError as error:
            if str(error) not in signed:
                raise
            return Files(found[::-1], hidden=part)
        found.append(part)
    return Files(found[::-1])


def _before(part: Part) -> Succession | None:
    """Read the first entry of an earlier file, `None` where damage hides it."""
    try:
        with _located(part.name), part.content.open() as file:
            line = file.readline(LONGEST_LINE)
            succession = Succession.of(next_entry(line, Head()) if line else None)
    except AuditError:
        if part.is_read:
            raise
        return None
    number = 1 if succession is None else succession.number + 1
    if part.is_read and number != part.named.number:
        _out_of_order(part, number)
    return succession


def _out_of_order(part: Part, number: int) -> NoReturn:
    raise AuditError(
        f"earlier file {part.name}: is file {number} of a log; expected file {part.named.number}"
    )


def _found(name: str, places: Sequence[Path]) -> Path | None:
    return next((place / name for place in places if (place / name).is_file()), None)


def first_entry(path: Path) -> Entry | None:
    """The first entry of a log, `None` where it has none; raises `AuditError`."""
    try:
        with open(path, "rb", opener=open_without_waiting) as file:
            return first_entry_of(file.fileno())
    except OSError as error:
        raise AuditError(f"cannot be read: {error.strerror}") from None


def first_entry_of(handle: int) -> Entry | None:
    """The first entry of an open log, `None` where it has none; raises `AuditError`."""
    line = next(read_lines(handle), b"")
    return next_entry(line, Head()) if line else None


def digest_of(file: Any) -> tuple[str, int]:
    """The SHA-256 and the size of an open file."""
    digest, size = hashlib.sha256(), 0
    file.seek(0)
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
        size += len(chunk)
    return digest.hexdigest(), size


def succession_entry(succession: Succession) -> LedgerEntry:
    """The first entry of a file that continues another one."""
    kind = LOG_CONTINUED if succession.closed_by is None else LOG_CLOSED
    return LedgerEntry(kind, succession.details())


def earlier_numbers(path: Path) -> list[int]:
    """The numbers of the earlier files beside a log, `audit.jsonl.1` and so on, sorted."""
    start = f"{path.name}."
    names = [each.name for each in path.parent.iterdir() if each.name.startswith(start)]
    numbers = [name.removeprefix(start) for name in names]
    return sorted(int(number) for number in numbers if _NUMBER.fullmatch(number))


def latest_time(entry: Entry, before: datetime | None) -> datetime | None:
    """The later of a time and that of a run's entry; what is no time is passed over."""
    if entry["event_type"] not in _TIMED:
        return before
    try:
        time = utc_time(entry["timestamp"])
    except AuditError:
        return before
    return time if before is None else max(before, time)


_TIMED: Final = frozenset({RECON_SUMMARY, RECON_DIFF, RUN_OPENED})
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)
