"""The files of a log, as they are met while it is read."""

from collections.abc import Callable
from dataclasses import dataclass

from recon_core.audit.chain import ChainReader, Head
from recon_core.audit.entry_source import EntrySource
from recon_core.audit.fields import Entry
from recon_core.audit.succession import Part, Succession
from recon_core.values.errors import AuditError

Take = Callable[[int, Entry, ChainReader], object]
"""Takes an entry: the number of its file from 0 on, the entry, the chain of the file there."""


@dataclass(frozen=True, slots=True)
class FileOutline:
    """One file: its place among all files from 1 on, the hash of its first entry, its head.

    `part` is what the file after it says of it, `None` of the newest; `first_hash` is `None`
    of a file whose entries are not read.
    """

    place: int
    part: Part | None
    first_hash: str | None
    head: Head

    @property
    def is_whole(self) -> bool:
        """True if it has the entries that the file after it names."""
        return self.part is None or self.head == self.part.named.head

    @property
    def is_signed_off(self) -> bool:
        """True if somebody signed that it may lack entries."""
        return self.part is not None and (
            not self.is_whole or self.part.named.closed_by is not None
        )


@dataclass(frozen=True, slots=True)
class Outline:
    """All files, the oldest first; `missing` is the one before them that is not there."""

    files: list[FileOutline]
    missing: Succession | None
    notes: list[str]


def outlined(reading: EntrySource, take: Take | None = None) -> Outline:
    """Read a log to its end, verified; raises `AuditError` for what is no whole log."""
    firsts: dict[int, str] = {}
    for entry in reading:
        if reading.chain is None:
            break
        index = len(reading.chains) - (0 if reading.files.hidden else 1)
        firsts.setdefault(index, entry["hash"])
        if take is not None:
            take(index, entry, reading.chain)
    if reading.chain is None:
        raise AuditError("an export has no hashes and cannot be loaded; expected the log")
    found, missing = reading.files, reading.files.missing
    parts: list[Part | None] = [*([found.hidden] if found.hidden else []), *found.parts, None]
    heads = [Head()] * bool(found.hidden) + [chain.head for _, chain in reading.chains]
    place = missing.number if missing is not None else 0
    files = []
    for index, (part, head) in enumerate(zip(parts, heads, strict=True)):
        place = place + 1 if part is None else part.named.number
        files.append(FileOutline(place, part, firsts.get(index), head))
    return Outline(files, missing, reading.file_notes())
