"""DuckDB, where the extra `columns` is installed: one database in memory for each process.

It reads files where they are and keeps nothing between two queries. Beyond `MEMORY` it puts
parts of a query into a directory of its own, which it removes at its end.
"""

import shutil
import tempfile
from functools import cache
from multiprocessing.util import Finalize
from typing import Any, Final

from recon_core.values.limits import MIB

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


def asked(query: str) -> Any:
    """Return a cursor with the answer of a query; raises `ColumnsError`.

    An amount with more digits than a sum can hold is such an error, and never rounded.
    """
    import duckdb  # noqa: PLC0415  # as above

    try:
        cursor = database().cursor()
        cursor.execute("SET enable_progress_bar = false")  # it would be printed into a report
        return cursor.execute(query)
    except duckdb.Error as error:
        raise ColumnsError(str(error)) from None


def text(value: str) -> str:
    """Return text as SQL writes it."""
    return f"'{value.replace(chr(39), chr(39) * 2)}'"
