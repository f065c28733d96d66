"""Large tables beside a session file, taken in columns instead of row by row.

A table is taken where all of it is plainly right. Any other is left to the rows, which say what is
wrong with it: a limit, a type, a value. So a table is refused with the same words either way.
"""

import stat
from pathlib import Path
from typing import Final

from recon_core.columns.column_fills import ColumnFills
from recon_core.columns.column_movements import ColumnMovements
from recon_core.columns.column_orders import ColumnOrders
from recon_core.columns.column_table import ColumnTable, Convert, Rows
from recon_core.columns.database import ColumnsError
from recon_core.columns.row_kinds import FILLS, MOVEMENTS, ORDERS
from recon_core.columns.table_columns import RowKind
from recon_core.model import Fill, InputFile, Movement, Order
from recon_core.sessions.column_csv import csv_columns
from recon_core.sessions.column_json_lines import json_lines_columns
from recon_core.sessions.column_parquet import parquet_columns
from recon_core.sessions.files import inside
from recon_core.values.errors import ReconError
from recon_core.values.limits import FILE_BYTES
from recon_core.values.printable import printable

_READERS: Final = {
    ".csv": csv_columns,
    ".jsonl": json_lines_columns,
    ".parquet": parquet_columns,
}
_TABLES: Final[dict[type, tuple[RowKind, type[ColumnTable]]]] = {
    Fill: (FILLS, ColumnFills),
    Movement: (MOVEMENTS, ColumnMovements),
    Order: (ORDERS, ColumnOrders),
}


def column_table(
    directory: Path, relative: str, row_type: type, convert: Convert
) -> tuple[ColumnTable, InputFile] | None:
    """Return the rows of a table in columns and its evidence, `None` where rows are read.

    `convert` makes values of `row_type` of rows as the file has them.
    """
    kind, table = _TABLES[row_type]
    try:
        path = inside(directory, relative)
        reader = _READERS.get(path.suffix)
        if reader is None or not _is_readable(path):
            return None
        name = printable(Path(relative).as_posix(), 200)
        columns, digest = reader(path, name, kind)
    except (ColumnsError, ReconError, OSError, MemoryError):
        return None
    return table(columns, Rows(columns, convert)), InputFile(name, digest)


def _is_readable(path: Path) -> bool:
    """True if there is a regular file of a size that is read at all."""
    status = path.stat()
    return stat.S_ISREG(status.st_mode) and status.st_size <= FILE_BYTES.most
