"""Tables of a SQLite file, read without a trace: read-only, immutable, bounded.

An immutable file is opened without locks, so that nothing (`-wal`, `-shm`, `-journal`)
appears beside it; changes that such a file still holds are a reason to refuse it.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

from recon_core.values.errors import SessionError
from recon_core.values.limits import (
    FILE_BYTES,
    SQLITE_STEPS,
    TABLE_COLUMNS,
    TABLE_ROWS,
    TABLE_VALUES,
    TEXT_LENGTH,
    limit_error,
    refuse_above,
)
from recon_core.values.printable import printable

_MILLION: Final = 1_000_000
"""Instructions of SQLite for one step of `SQLITE_STEPS`."""
_ERRORS: Final = (sqlite3.Error, UnicodeDecodeError)
"""Errors of a damaged file.

`sqlite3` raises the second instead of its own where the malformed name is not UTF-8.
"""

_PATTERN_LENGTH: Final = 100
"""Of LIKE and GLOB, whose cost grows with a power of it; no table of a bot has one."""


def read_tables(
    path: Path, names: Iterable[str], optional: Iterable[str] = ()
) -> dict[str, list[dict[str, Any]]]:
    """All rows of the named tables, in the order of their `id`; raises `SessionError`.

    A table that is `optional` and not there has no rows. `names` are trusted.
    """
    _refuse_unmerged(path)
    optional = tuple(optional)
    try:
        with _opened(path) as connection:
            return {
                name: _rows(connection, name, optional=name in optional)
                for name in (*names, *optional)
            }
    except _ERRORS as error:
        raise _refusal(error) from None


def _refusal(error: Exception) -> SessionError:
    code = getattr(error, "sqlite_errorcode", None)
    if code == sqlite3.SQLITE_INTERRUPT:
        return limit_error(SQLITE_STEPS, SQLITE_STEPS.most + 1, "reading ", at_least=True)
    if code == sqlite3.SQLITE_TOOBIG:
        return limit_error(TEXT_LENGTH, TEXT_LENGTH.most + 1, "a value ", at_least=True)
    return SessionError(f"is no readable SQLite file: {printable(error, 100)}")


def has_column(path: Path, table: str, column: str) -> bool:
    """True if a SQLite file has a table with that column; False for any other file."""
    try:
        with _opened(path) as connection:
            columns = connection.execute(f"pragma table_info({table})").fetchall()
    except _ERRORS:
        return False
    return column in {row["name"] for row in columns}


def _refuse_unmerged(path: Path) -> None:
    """Refuse a file whose last rows are in another file: they would be missing here, silently."""
    for suffix in ("-wal", "-journal"):
        beside = path.with_name(path.name + suffix)
        if beside.exists() and beside.stat().st_size:
            raise SessionError(
                f"has changes in {printable(beside.name)} that are not merged; expected the file "
                "of a bot that was stopped, or a copy made with sqlite3's .backup"
            )


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    uri = f"{path.resolve().as_uri()}?mode=ro&immutable=1"
    with closing(sqlite3.connect(uri, uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, TEXT_LENGTH.most)
        connection.setlimit(sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH, _PATTERN_LENGTH)
        connection.execute("pragma trusted_schema = off")
        # What a CHECK of the file's own computes is nobody's business here.
        connection.execute("pragma ignore_check_constraints = on")
        left = iter(range(SQLITE_STEPS.most))
        connection.set_progress_handler(lambda: next(left, None) is None, _MILLION)
        yield connection


def _rows(
    connection: sqlite3.Connection, table: str, *, optional: bool = False
) -> list[dict[str, Any]]:
    """All rows of a table that is a table; views could compute anything."""
    found = connection.execute(
        "select type, sql from sqlite_master where name = ?", (table,)
    ).fetchone()
    if found is None and optional:
        return []
    is_table = found is not None and found["type"] == "table"
    if not is_table or "virtual" in str(found["sql"]).lower().split("(")[0]:
        raise SessionError(f"has no table {table}; expected the file of a freqtrade bot")
    _refuse_computed(connection, table)
    problem = connection.execute(f"pragma quick_check({table})").fetchone()[0]
    if problem != "ok":
        raise SessionError(f"is damaged: {printable(problem, 100)}")
    cursor = connection.execute(f"select * from {table} order by id")  # noqa: S608  # our own word
    return list(_bounded(cursor, table))


def _refuse_computed(connection: sqlite3.Connection, table: str) -> None:
    """Refuse columns that are computed when they are read, and those that are hidden."""
    columns = connection.execute(f"pragma table_xinfo({table})").fetchall()
    refuse_above(TABLE_COLUMNS, len(columns), f"{table}: ")
    for column in columns:
        if column["hidden"]:
            name = printable(column["name"], 60)
            raise SessionError(f"{table}: {name}: is a computed column; expected a plain one")


def _bounded(cursor: sqlite3.Cursor, table: str) -> Iterator[dict[str, Any]]:
    """The rows while they are as few, and their texts as short, as the limits allow.

    A default of a column is in the file once, and in memory with every row.
    """
    most = min(TABLE_ROWS.most, TABLE_VALUES.most // max(len(cursor.description), 1))
    held = 0
    for count, row in enumerate(cursor, 1):
        if count > most:
            refuse_above(TABLE_ROWS, count, f"{table}: ", at_least=True)
            refuse_above(TABLE_VALUES, count * len(row), f"{table}: ", at_least=True)
        held += sum(len(value) for value in row if isinstance(value, str | bytes))
        refuse_above(FILE_BYTES, held, f"{table}: texts: ", at_least=True)
        yield dict(row)
