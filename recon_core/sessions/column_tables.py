"""Large tables of fills beside a session file, taken in columns instead of row by row.

A table is taken where all of it is plainly right. Any other is left to the rows, which say what is
wrong with it: a limit, a type, a value. So a table is refused with the same words either way.
"""

import stat
from pathlib import Path
from typing import Final

from recon_core.columns.column_fills import ColumnFills, Convert, Rows
from recon_core.columns.database import ColumnsError
from recon_core.model import InputFile
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


def column_fills(
    directory: Path, relative: str, convert: Convert
) -> tuple[ColumnFills, InputFile] | None:
    """Return the fills of a table in columns and its evidence, `None` where rows are read.

    `convert` makes fills of rows as the file has them.
    """
    try:
        path = inside(directory, relative)
        reader = _READERS.get(path.suffix)
        if reader is None or not _is_readable(path):
            return None
        name = printable(Path(relative).as_posix(), 200)
        columns, digest = reader(path, name)
    except (ColumnsError, ReconError, OSError, MemoryError):
        return None
    return ColumnFills(columns, Rows(columns, convert)), InputFile(name, digest)


def _is_readable(path: Path) -> bool:
    """True if there is a regular file of a size that is read at all."""
    status = path.stat()
    return stat.S_ISREG(status.st_mode) and status.st_size <= FILE_BYTES.most
