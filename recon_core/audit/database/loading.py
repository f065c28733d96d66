"""Loading a log into a database, in batches that are whole or not there.

The log is read and verified to its end first. Then it is read again, and its lines are added
behind those that the database has, the oldest file first. The row of a file says how many lines
it has and the hash of the last; a writer locks that row for each batch, so that any number of
writers may load the same log, and the next one continues where one was killed.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Row, select, update

from recon_core.audit.chain import LONGEST_LINE, ChainReader, Head, entries_text
from recon_core.audit.database.connection import Database
from recon_core.audit.database.outline import FileOutline, Outline, outlined
from recon_core.audit.database.registry import registered
from recon_core.audit.database.rows import Rows, rows_of
from recon_core.audit.database.stored_log import files_of
from recon_core.audit.database.tables import DERIVED, ENTRIES, FILES, LOGS, create_tables
from recon_core.audit.entry_source import EntrySource, open_source
from recon_core.audit.fields import Entry
from recon_core.values.errors import AuditError
from recon_core.values.printable import printable

_BATCH: Final = 2_000
"""Entries of a transaction: few enough to be lost, many enough to be worth a commit."""
_LONGEST_BATCH: Final = 20 * _BATCH
"""Entries of a batch that waits for the end of a run, so that no reader sees half of one."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """The result of a load: `added` entries, and what the log has in the database now."""

    log: str
    added: int
    entries: int
    files: int
    head: str
    notes: Sequence[str]


def load_log(
    database: Database, path: Path, places: Sequence[Path] = (), name: str | None = None
) -> Loaded:
    """Load a log under `name`, by default that of its file or the one that it has there.

    Raises `AuditError` where the log is damaged, or the database has another history of it.
    """
    with open_source(path, places=places) as reading, reading.refusals():
        outline = outlined(reading)
    with database.connected(writes=True) as connection:
        create_tables(connection)
        rows = registered(connection, outline, name, path.name)
        loader = _Loader(connection, rows)
        with open_source(path, places=places) as reading, reading.refusals():
            found = loader.take_all(reading)
            _refuse_shorter(found, rows)
        for file, row in zip(found.files, rows, strict=False):
            _keep_damage(connection, file, row)
        return _loaded(connection, rows[-1].log_id, loader.added, outline.notes)


def _loaded(connection: Connection, log_id: int, added: int, notes: Sequence[str]) -> Loaded:
    name = connection.execute(select(LOGS.c.name).where(LOGS.c.log_id == log_id)).scalar_one()
    files = files_of(connection, log_id)
    total = sum(row.entries for row in files)
    return Loaded(name, added, total, len(files), files[-1].head, notes)


@dataclass(slots=True)
class _Loader:
    """Adds the entries of a log to the files that are registered for it, in their order.

    `_known` is the head of each file in the database, as far as it was looked at.
    """

    connection: Connection
    rows: Sequence[Row[Any]]
    added: int = 0
    _known: list[Head] = field(default_factory=list)
    _pending: list[tuple[Entry, bytes]] = field(default_factory=list)
    _index: int = 0

    def __post_init__(self) -> None:
        self._known = [Head(row.entries, row.head) for row in self.rows]

    def take_all(self, reading: EntrySource) -> Outline:
        """Take every entry; the files as they are now."""
        outline = outlined(reading, self._take)
        self._flush()
        return outline

    def _take(self, index: int, entry: Entry, chain: ChainReader) -> None:
        if index != self._index:
            self._flush()
            self._index = index
        if index >= len(self.rows) or entry["sequence"] < self._known[index].count:
            return  # a file that was begun after the log was registered: the next load takes it
        if entry["sequence"] == self._known[index].count:
            _refuse_other(entry, self._known[index])
            return
        self._pending.append((entry, chain.line))
        is_between_runs = chain.open_run is None
        if len(self._pending) >= (_BATCH if is_between_runs else _LONGEST_BATCH):
            self._flush()

    def _flush(self) -> None:
        """Write the pending entries that no other writer has written meanwhile."""
        if not self._pending:
            return
        file_id = self.rows[self._index].file_id
        with self.connection.begin():
            query = select(FILES.c.entries, FILES.c.head).where(FILES.c.file_id == file_id)
            known = Head(*self.connection.execute(query.with_for_update()).one())
            new = _after(self._pending, known)
            if new:
                known = Head(new[-1][0]["sequence"], new[-1][0]["hash"])
                self._insert(file_id, new)
                change = update(FILES).where(FILES.c.file_id == file_id)
                self.connection.execute(change.values(entries=known.count, head=known.hash))
        self._known[self._index] = known
        self.added += len(new)
        self._pending = []

    def _insert(self, file_id: int, entries: Sequence[tuple[Entry, bytes]]) -> None:
        rows: Rows = defaultdict(list)
        for entry, line in entries:
            for table, made in rows_of(file_id, entry, line).items():
                rows[table] += made
        for table in (ENTRIES, *DERIVED):
            if rows[table]:
                self.connection.execute(table.insert(), rows[table])


def _after(entries: Sequence[tuple[Entry, bytes]], known: Head) -> list[tuple[Entry, bytes]]:
    for entry, _ in entries:
        if entry["sequence"] == known.count:
            _refuse_other(entry, known)
    return [each for each in entries if each[0]["sequence"] > known.count]


def _refuse_other(entry: Entry, known: Head) -> None:
    if entry["hash"] != known.hash:
        raise AuditError(
            f"the database has another history of this log: its entry {known.count:,} has the hash "
            f"{known.hash}, and the file's {entry['hash']}"
        )


def _refuse_shorter(outline: Outline, rows: Sequence[Row[Any]]) -> None:
    """Raise `AuditError` where a file has fewer entries than the database, and nobody signed."""
    for file, row in zip(outline.files, rows, strict=False):
        if file.head.count < row.entries and not file.is_signed_off:
            raise AuditError(
                f"has {entries_text(file.head.count)}, and the database {row.entries:,}: it was "
                "cut, or an older copy was put in its place"
            )


def _keep_damage(connection: Connection, file: FileOutline, row: Row[Any]) -> None:
    """Keep what makes an earlier file damaged, so that its reader finds the same problem."""
    if file.part is None or file.is_whole:
        return
    with connection.begin():
        where = FILES.c.file_id == row.file_id
        stored = connection.execute(select(FILES.c.entries).where(where)).scalar_one()
        values: dict[str, object] = {}
        try:
            if stored == file.head.count:
                values["rest"] = _line_after(file, stored)
            if not file.part.is_read:
                values["sha256"], values["bytes"] = file.part.content.digest()
        except OSError as error:
            name = printable(file.part.name)
            raise AuditError(f"{name}: cannot be read: {error.strerror}") from None
        if values:
            connection.execute(update(FILES).where(where).values(**values))


def _line_after(file: FileOutline, count: int) -> bytes | None:
    """Return the line that does not fit behind so many, `None` where there is none."""
    assert file.part is not None  # noqa: S101  # of the caller
    with file.part.content.open() as lines:
        for _ in range(count):
            lines.readline(LONGEST_LINE)
        return lines.readline(LONGEST_LINE) or None
