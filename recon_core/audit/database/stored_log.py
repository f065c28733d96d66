"""A log in a database as a source of entries: the bytes of its files, in their order.

What reads them is the reader of a file (`recon_core.audit.entry_source`), so that the chain is
verified and every answer is the same.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

from sqlalchemy import Connection, Row, select

from recon_core.audit.database import DatabaseLog
from recon_core.audit.database.connection import Database
from recon_core.audit.database.tables import ENTRIES, FILES, LOGS, require_tables
from recon_core.audit.entry_source import EntrySource
from recon_core.audit.succession import Content, Succession
from recon_core.values.errors import AuditError
from recon_core.values.printable import printable, quoted

_PAGE: Final = 2_000
"""Lines that are asked for at once: some megabytes."""
_MOST_NAMES: Final = 10
"""Logs that an error lists."""


@dataclass(frozen=True, slots=True)
class StoredContent:
    """One file of a log; of its lines no more than `most`."""

    database: Database
    connection: Connection
    row: Row[Any]
    most: int

    def open(self) -> BinaryIO:
        """Open it as a stream of its bytes."""
        return io.BufferedReader(_LineStream(self._lines()))

    def digest(self) -> tuple[str | None, int | None]:
        """Return what the file had when it was loaded, if it was damaged and signed off then."""
        return self.row.sha256, self.row.bytes

    def _lines(self) -> Iterator[bytes]:
        last, most = 0, min(self.most, self.row.entries)
        while last < most:
            page = self._page(last, most)
            for sequence, line in page:
                yield line.encode() + b"\n"
                last = sequence
            if not page:
                raise AuditError(f"the database has lost lines of it: {last} of {most} are there")
        if self.row.rest is not None and most == self.row.entries:
            yield bytes(self.row.rest)

    def _page(self, after: int, most: int) -> list[Any]:
        columns = ENTRIES.c
        query = (
            select(columns.sequence, columns.line)
            .where(columns.file_id == self.row.file_id)
            .where(columns.sequence > after, columns.sequence <= most)
            .order_by(columns.sequence)
            .limit(_PAGE)
        )
        with self.database.refusals():
            return list(self.connection.execute(query))


class _LineStream(io.RawIOBase):
    """Lines, read as the bytes of a file."""

    def __init__(self, lines: Iterator[bytes]) -> None:
        self._lines, self._left = lines, b""

    def readable(self) -> bool:
        """True: nothing else can be done with it."""
        return True

    def readinto(self, buffer: Any, /) -> int:
        """Take what fits of the next line."""
        taken = self._left or next(self._lines, b"")
        size = min(len(buffer), len(taken))
        buffer[:size], self._left = taken[:size], taken[size:]
        return size


@contextmanager
def open_stored(named: DatabaseLog) -> Iterator[EntrySource]:
    """Open a log of a database; raises `AuditError` where it is not there."""
    database = Database.at(named.url)
    with database.connected() as connection:
        require_tables(connection)
        log = log_named(connection, named.log)
        files = {row.place: row for row in files_of(connection, log.log_id)}

        def find(succession: Succession) -> Content | None:
            row = files.get(succession.number)
            if row is None:
                return None
            most = row.entries if succession.head is None else succession.head.count
            return StoredContent(database, connection, row, most)

        begun = [place for place, row in files.items() if row.entries]
        if not begun:
            raise AuditError(f"{printable(log.name)}: the database has no entries of it yet")
        newest = files[max(begun)]
        content = StoredContent(database, connection, newest, newest.entries)
        with content.open() as file:
            yield EntrySource(log.name, file, find)


def log_named(connection: Connection, name: str | None) -> Row[Any]:
    """Return the log of a name, or the only one; raises `AuditError`."""
    rows = list(connection.execute(select(LOGS).order_by(LOGS.c.name)))
    names = ", ".join(printable(row.name, 60) for row in rows[:_MOST_NAMES])
    names += f" and {len(rows) - _MOST_NAMES} more" if len(rows) > _MOST_NAMES else ""
    if not rows:
        raise AuditError("the database has no audit log; recon audit load fills it")
    if name is None and len(rows) > 1:
        raise AuditError(f"the database has {len(rows)} logs; expected --log and one of {names}")
    found = rows if name is None else [row for row in rows if row.name == name]
    if not found:
        raise AuditError(f"the database has no log {quoted(name)}; expected one of {names}")
    return found[0]


def files_of(connection: Connection, log_id: int) -> list[Row[Any]]:
    """Return the files of a log, the oldest first."""
    query = select(FILES).where(FILES.c.log_id == log_id).order_by(FILES.c.place)
    return list(connection.execute(query))
