"""A log in a database beside its file: the same entries, and tables that say what they say."""

import json
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import Connection, Row, Table, select

from recon_core.audit.chain import Head, entries_text
from recon_core.audit.database import DatabaseLog
from recon_core.audit.database.connection import Database
from recon_core.audit.database.outline import Outline, outlined
from recon_core.audit.database.rows import Rows, rows_of
from recon_core.audit.database.stored_log import files_of, log_named, open_stored
from recon_core.audit.database.tables import DERIVED, ENTRIES, require_tables
from recon_core.audit.entry_source import EntrySource
from recon_core.audit.fields import Entry
from recon_core.values.errors import AuditError
from recon_core.values.printable import printable

_PAGE: Final = 2_000
"""Entries whose rows are compared at once."""


class StoredHeads:
    """The heads of the files of a log in a database, and whether a file's entries match them."""

    def __init__(self, outline: Outline) -> None:
        self._heads = {file.first_hash: file.head for file in outline.files if file.first_hash}
        self._current: str | None = None
        self._counts: dict[str, Head] = {}
        self._unlike: str = ""

    def watched(self, reading: EntrySource) -> Iterator[Entry]:
        """Hand on the entries of the file's log, each compared with the database."""
        for entry in reading:
            if reading.chain is not None:
                self._see(entry)
            yield entry

    def _see(self, entry: Entry) -> None:
        if entry["sequence"] == 1:
            self._current = entry["hash"]
        first = self._current
        if first is None:
            return
        self._counts[first] = Head(entry["sequence"], entry["hash"])
        known = self._heads.get(first)
        if known is not None and known.count == entry["sequence"] and known.hash != entry["hash"]:
            self._unlike = self._unlike or f"entry {known.count:,} is another one there"

    def problem(self) -> str:
        """Return the first difference between file and database, empty where there is none."""
        if self._unlike:
            return self._unlike
        for first, head in self._counts.items():
            known = self._heads.get(first, Head())
            if known.count < head.count:
                lacking = entries_text(head.count - known.count)
                return f"it lacks the last {lacking} of a file; recon audit load adds them"
            if known.count > head.count:
                return f"it has {entries_text(known.count - head.count)} that the file has lost"
        unknown = self._heads.keys() - self._counts.keys()
        return f"it has {len(unknown)} files of the log that are not there" if unknown else ""


def stored_heads(named: DatabaseLog) -> StoredHeads:
    """Verify a log in a database and all its tables; raises `AuditError` for any difference."""
    with open_stored(named) as reading, reading.refusals():
        outline = outlined(reading)
    database = Database.at(named.url)
    with database.connected() as connection:
        require_tables(connection)
        log = log_named(connection, named.log)
        for file in files_of(connection, log.log_id):
            if place := _differing(connection, file):
                raise AuditError(
                    f"{printable(log.name)}: in the database {place} is not what its line says; "
                    "the table was changed"
                )
    return StoredHeads(outline)


def _differing(connection: Connection, file: Row[Any]) -> str:
    """Return the first row that its line does not make, empty where there is none."""
    for start in range(0, file.entries, _PAGE):
        stored = {table: _stored(connection, table, file, start) for table in (ENTRIES, *DERIVED)}
        made: Rows = defaultdict(list)
        for row in stored[ENTRIES]:
            line = row["line"].encode()
            for table, rows in rows_of(file.file_id, json.loads(line), line).items():
                made[table] += rows
        for table, rows in stored.items():
            if rows != made[table]:
                return f"a row of {table.name} of entries {start + 1:,} to {start + _PAGE:,}"
    return ""


def _stored(
    connection: Connection, table: Table, file: Row[Any], start: int
) -> list[dict[str, Any]]:
    columns = table.c
    query = (
        select(table)
        .where(columns.file_id == file.file_id)
        .where(columns.sequence > start, columns.sequence <= start + _PAGE)
        .order_by(*table.primary_key.columns)
    )
    return [dict(row._mapping) for row in connection.execute(query)]  # noqa: SLF001  # its public name
