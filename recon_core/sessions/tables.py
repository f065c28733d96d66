"""Tables that stand beside a session file: CSV, JSON Lines and Parquet."""

import csv
import hashlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recon_core.errors import SessionError
from recon_core.model import InputFile
from recon_core.printable import printable
from recon_core.sessions.files import FileContent, inside, read_bytes, read_text_file
from recon_core.sessions.json_text import parse_json


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of a table, and the file under its path as seen from the session.

    A row is an object of text and JSON numbers without its absent values; `columns`
    are the names that the table knows, those that are empty in every row included.
    """

    rows: list[Any]
    columns: frozenset[str]
    evidence: InputFile


def read_table(directory: Path, relative: str, *, floats: bool = False) -> Table:
    """Read the table at `relative`, which must stay in `directory`; raises `SessionError`.

    Binary floats of a Parquet column are refused unless `floats` says that the side
    computes in them.
    """
    path = inside(directory, relative)
    name = printable(Path(relative).as_posix(), 200)
    if relative.endswith(".parquet"):
        from recon_core.sessions.parquet import parquet_table  # noqa: PLC0415  # needs pyarrow

        data = read_bytes(path)
        rows, columns = parquet_table(data, printable(path.name), floats=floats)
        return Table(rows, columns, InputFile(name, hashlib.sha256(data).hexdigest()))
    content = read_text_file(path)
    rows = table_rows(content)
    known = csv_header(content) if relative.endswith(".csv") else _keys(rows)
    return Table(rows, frozenset(known), InputFile(name, content.evidence.sha256))


def _keys(rows: list[Any]) -> set[str]:
    return {name for row in rows if isinstance(row, dict) for name in row}


def csv_header(content: FileContent) -> list[str]:
    """The names in the first line of a CSV file, which was read before."""
    return next(csv.reader(io.StringIO(content.text, newline="")), [])


def table_rows(content: FileContent) -> list[Any]:
    """The rows of a table as objects of text; raises `SessionError`.

    An empty CSV cell is an absent value.
    """
    if content.name.endswith(".csv"):
        return [
            {name: cell for name, cell in row.items() if cell != ""} for row in csv_rows(content)
        ]
    if content.name.endswith(".jsonl"):
        require_last_line(content)
        lines = content.text.split("\n")
        return [
            parse_json(line, f"{content.name} line {number}")
            for number, line in enumerate(lines, 1)
            if line.strip()
        ]
    raise SessionError(
        f"{content.name}: is not a table that can be read; expected .csv, .jsonl or .parquet"
    )


def require_last_line(content: FileContent) -> None:
    """Refuse a table whose last line has no end: it was cut, or could have been.

    Where a value is cut, what is left often reads like one: 0.12 of 0.125. An empty
    text has no lines, and so no rows that could be lost.
    """
    if content.text and not content.text.endswith(("\n", "\r")):
        raise SessionError(
            f"{content.name}: ends in the middle, its last line has no line break; expected a "
            "complete table, whose last line ends with one"
        )


def csv_rows(content: FileContent) -> list[dict[str, str]]:
    """The rows of a CSV file with a header; every row must be as wide as the header.

    Raises `SessionError`, also where the last row may have been cut.
    """
    require_last_line(content)
    try:
        rows = list(csv.reader(io.StringIO(content.text, newline=""), strict=True))
    except csv.Error as error:
        raise SessionError(f"{content.name}: is not CSV: {printable(error)}") from None
    if not rows:
        raise SessionError(f"{content.name}: is empty; expected a header line")
    header = rows[0]
    if len(set(header)) != len(header):
        raise SessionError(f"{content.name}: a column stands twice in the header")
    for number, row in enumerate(rows[1:], 2):
        if row and len(row) != len(header):
            raise SessionError(
                f"{content.name}: row {number} has {len(row)} cells; expected {len(header)}"
            )
    return [dict(zip(header, row, strict=True)) for row in rows[1:] if row]
