"""DuckDB, where the extra `columns` is installed: one database in memory for each process.

It reads files where they are and keeps nothing between two queries. Beyond `MEMORY` it puts
parts of a query into a directory of its own, which it removes at its end.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from multiprocessing.util import Finalize
from typing import Any, Final

from recon_core.values.limits import MIB

_AT_ONCE: Final = 10_000
"""Rows of an answer that are in memory at a time, some MiB."""
MEMORY: Final = 1_200 * MIB
"""Bytes that one query may hold: matching 10,000,000 fills a side stays below 2 GiB with it."""
_DISTRUSTFUL: Final = (
    "compressed_materialization",
    "filter_pushdown",
    "join_filter_pushdown",
    "late_materialization",
    "partial_aggregate_pushdown",
    "row_group_pruner",
    "statistics_propagation",
)
"""Shortcuts that believe the least and largest values that a file states of itself."""


class ColumnsError(Exception):
    """A table that columns do not take, such as one with digits that do not fit; rows do."""


@cache
def database() -> Any:
    """The database of the process; raises `ColumnsError` where DuckDB is not installed."""
    try:
        import duckdb  # noqa: PLC0415  # an extra, and slow to import
    except ImportError:
        raise ColumnsError("DuckDB is not installed") from None
    if find_spec("pyarrow") is None:  # of the same extra: DuckDB hands texts over in it
        raise ColumnsError("pyarrow is not installed")
    settings: dict[str, Any] = {
        "memory_limit": f"{MEMORY}B",
        "temp_directory": directory(),
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
    }
    try:
        connection = duckdb.connect(":memory:", config=settings)
        known = {name for (name,) in connection.execute("FROM duckdb_optimizers()").fetchall()}
        disabled = ",".join(name for name in _DISTRUSTFUL if name in known)
        connection.execute(f"SET GLOBAL disabled_optimizers = {text(disabled)}")
    except duckdb.Error as error:
        raise ColumnsError(str(error)) from None
    return connection


@cache
def directory() -> str:
    """The directory for temporary files of the process, which it removes at its end."""
    path = tempfile.mkdtemp(prefix="recon-columns-")
    # Processes of multiprocessing end without atexit, and with this.
    Finalize(None, shutil.rmtree, (path, True), exitpriority=0)
    return path


def answer(query: str) -> list[tuple[Any, ...]]:
    """Return all rows of an answer; raises `ColumnsError`.

    An amount with more digits than a sum can hold is such an error, and never rounded.
    """
    return [row for part in parts(query) for row in part]


def parts(query: str) -> Iterator[list[tuple[Any, ...]]]:
    """Yield the rows of an answer in parts; raises as `answer` does."""
    with _refusing() as cursor:
        found = cursor.execute(query)
        while part := found.fetchmany(_AT_ONCE):
            yield part


def arrow_parts(query: str) -> Iterator[Any]:
    """Yield the columns of an answer in parts, as Arrow has them; raises as `answer` does."""
    with _refusing() as cursor:
        yield from cursor.sql(query).to_arrow_reader(_AT_ONCE)


@contextmanager
def _refusing() -> Iterator[Any]:
    """A cursor, and its errors as `ColumnsError`; some arise when the first rows are asked for."""
    connection = database()
    import duckdb  # noqa: PLC0415  # as above

    try:
        cursor = connection.cursor()
        cursor.execute("SET enable_progress_bar = false")  # it would be printed into a report
        yield cursor
    except (duckdb.Error, OSError) as error:
        raise ColumnsError(str(error)) from None


def text(value: str) -> str:
    """Return text as SQL writes it."""
    return f"'{value.replace(chr(39), chr(39) * 2)}'"
