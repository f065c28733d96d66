"""CSV tables in columns: their texts are written anew as a Parquet file, once.

A CSV file is taken where its lines are plain: no quotation marks, no carriage returns, no empty
lines, and as many cells in each as in the header. A comma is then a comma, for DuckDB as for rows.
"""

import codecs
import glob
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from recon_core.columns.database import ColumnsError, answer, text
from recon_core.columns.table_columns import RowKind, TableColumns, surveyed
from recon_core.sessions.column_names import require_rows
from recon_core.sessions.text_columns import new_file, remove, text_columns
from recon_core.values.limits import (
    LINE_BYTES,
    MIB,
    TABLE_ROWS,
    TABLE_VALUES,
    TEXT_LENGTH,
    refuse_above,
)

_AT_ONCE: Final = 4 * MIB
"""Bytes of a file that are looked at together."""
_NOT_PLAIN: Final = (b'"', b"\r", b"\0", b"\n\n")


def csv_columns(path: Path, name: str, kind: RowKind) -> tuple[TableColumns, str]:
    """Return the columns of a table and the SHA-256 of its file.

    Raises `ColumnsError` where rows are read instead, or `SessionError` for what these refuse.
    """
    before = path.stat()
    lines = _Lines.of(path)
    names = lines.header.split(",")
    require_rows(kind, names, lines.count - 1)
    refuse_above(TABLE_ROWS, lines.count - 1)
    refuse_above(TABLE_VALUES, (lines.count - 1) * len(names))
    table = _as_parquet(path, names)
    after = path.stat()
    columns = surveyed(text_columns(table, name, names, kind), TEXT_LENGTH.most)
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise ColumnsError("the file changes while it is read")
    if columns.count != lines.count - 1:
        raise ColumnsError("a line is no row")
    return columns, lines.digest


@dataclass(frozen=True, slots=True)
class _Lines:
    """The lines of a plain file: its header, their number, and the SHA-256 of the file."""

    header: str
    count: int
    digest: str

    @classmethod
    def of(cls, path: Path) -> "_Lines":
        """Look through a file; raises `ColumnsError` where it is not plain UTF-8 in whole lines."""
        digest, count, end = hashlib.sha256(), 0, b"\n"
        decoder = codecs.getincrementaldecoder("utf-8")()
        with path.open("rb") as file:
            header = file.readline(LINE_BYTES.most)
            file.seek(0)
            while part := file.read(_AT_ONCE):
                if any(mark in end + part for mark in _NOT_PLAIN):
                    raise ColumnsError("a line is not plain")
                digest.update(part)
                count += part.count(b"\n")
                end = part[-1:]
                try:
                    decoder.decode(part)
                except UnicodeDecodeError:
                    raise ColumnsError("the file is not UTF-8") from None
        if end != b"\n" or not header.endswith(b"\n") or header.startswith(codecs.BOM_UTF8):
            raise ColumnsError("the file does not begin or end plainly")
        return cls(header[:-1].decode("utf-8"), count, digest.hexdigest())


def _as_parquet(path: Path, names: list[str]) -> Path:
    """Write the texts of a plain file as Parquet, in their order; raises `ColumnsError`."""
    table = new_file()
    columns = ", ".join(f"{text(name)}: 'VARCHAR'" for name in names)
    source = (
        f"read_csv({text(glob.escape(str(path)))}, columns = {{{columns}}}, header = true, "
        "auto_detect = false, delim = ',', quote = '', escape = '', comment = '', "
        "new_line = '\\n', nullstr = '', strict_mode = true, null_padding = false, "
        "ignore_errors = false, "
        f"max_line_size = {LINE_BYTES.most})"
    )
    try:
        answer(f"COPY (SELECT * FROM {source}) TO {text(str(table))} (FORMAT parquet)")
    except ColumnsError:
        remove(table)
        raise
    return table
