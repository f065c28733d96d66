"""Tables of text in columns: their texts are written anew as a Parquet file, once."""

import os
import tempfile
import weakref
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from recon_core.columns.database import directory
from recon_core.columns.parquet_table import ParquetTable
from recon_core.columns.table_columns import RowKind, TableColumns
from recon_core.columns.texts import amount_of_text, time_of_text


def new_file() -> Path:
    """Return an empty file for the texts of a table, which `text_columns` or `remove` ends."""
    handle, path = tempfile.mkstemp(".parquet", dir=directory())
    os.close(handle)
    return Path(path)


def remove(path: Path) -> None:
    """Remove a file of texts."""
    with suppress(OSError):
        path.unlink()


def text_columns(path: Path, name: str, names: Collection[str], kind: RowKind) -> TableColumns:
    """Return columns of a file of texts, which is removed with them; raises `ColumnsError`."""
    try:
        return _columns(path, name, names, kind)
    except BaseException:
        remove(path)
        raise


def _columns(path: Path, name: str, names: Collection[str], kind: RowKind) -> TableColumns:
    table = ParquetTable(path)
    columns = TableColumns(
        kind=kind,
        name=name,
        path=path,
        source=table.source,
        number=table.number,
        texts={one: table.column(one) for one in kind.texts if one in names},
        amounts={
            one: amount_of_text(table.column(one), table.source)
            for one in kind.amounts
            if one in names
        },
        time=time_of_text(table.column("time")),
        raw_time=table.column("time"),
    )
    weakref.finalize(columns, remove, path)
    return columns
