"""Tables of a SQLite file, read without a trace: read-only, immutable, bounded.

An immutable file is opened without locks, so that nothing (`-wal`, `-shm`, `-journal`)
appears beside it; changes that such a file still holds are a reason to refuse it.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

from recon_core.errors import SessionError
from recon_core.printable import printable

_MOST_STEPS: Final = 2000
"""Of a million steps each: no honest file of a bot needs as many, a hostile one never ends."""


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
    except sqlite3.Error as error:
        reason = printable(error, 100)
        raise SessionError(f"is no readable SQLite file: {reason}") from None


def has_column(path: Path, table: str, column: str) -> bool:
    """Whether a SQLite file has a table with that column; any other file has not."""
    try:
        with _opened(path) as connection:
            columns = connection.execute(f"pragma table_info({table})").fetchall()
    except sqlite3.Error:
        return False
    return column in {row["name"] for row in columns}


def _refuse_unmerged(path: Path) -> None:
    """Rows that stand in another file yet would be missing here, silently."""
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
        connection.execute("pragma trusted_schema = off")
        left = iter(range(_MOST_STEPS))
        connection.set_progress_handler(lambda: next(left, None) is None, 1_000_000)
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
    problem = connection.execute(f"pragma quick_check({table})").fetchone()[0]
    if problem != "ok":
        raise SessionError(f"is damaged: {printable(problem, 100)}")
    cursor = connection.execute(f"select * from {table} order by id")  # noqa: S608  # our own word
    return [dict(row) for row in cursor]
