"""Tables beside a session file: CSV, JSON Lines and Parquet.

Rows are read in parts, so that a table costs what is made of it, and the first refused row
ends the reading.
"""

import csv
import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from recon_core.model import InputFile
from recon_core.sessions.files import FileContent, LinedFile, inside, read_bytes, read_lined_file
from recon_core.sessions.json_text import parse_json
from recon_core.values.errors import SessionError
from recon_core.values.fields import problem_text
from recon_core.values.limits import (
    JSON_OBJECTS,
    JSON_VALUES,
    LINE_BYTES,
    TABLE_COLUMNS,
    TABLE_ROWS,
    TABLE_VALUES,
    TEXT_LENGTH,
    limit_error,
    refuse_above,
)
from recon_core.values.printable import printable

AT_ONCE: Final = 1000
"""Rows of a part: `recon_core.sessions.fast_rows` reads as many at once."""


@dataclass(frozen=True)
class Table:
    """The rows of a table, and the file under its path as seen from the session.

    A row is an object of text and JSON numbers without its absent values. `read` begins
    to read the rows and may be called again; `header` is what the table names before any
    row, if it does.
    """

    read: Callable[[], Iterator[Any]]
    header: frozenset[str] | None
    evidence: InputFile

    @cached_property
    def columns(self) -> frozenset[str]:
        """The names that the table knows, those that are empty in every row included."""
        if self.header is not None:
            return self.header
        return frozenset(name for row in self.read() if isinstance(row, dict) for name in row)


def read_table(directory: Path, relative: str, *, floats: bool = False) -> Table:
    """Open the table at `relative`, which must stay in `directory`; raises `SessionError`.

    Reading its rows raises it, too. Binary floats of a Parquet column are refused unless
    `floats` says that the side computes in them.
    """
    path = inside(directory, relative)
    name = printable(Path(relative).as_posix(), 200)
    if relative.endswith(".parquet"):
        from recon_core.sessions.parquet import parquet_table  # noqa: PLC0415  # needs pyarrow

        data = read_bytes(path)
        read, columns = parquet_table(data, printable(path.name), floats=floats)
        return Table(read, columns, InputFile(name, hashlib.sha256(data).hexdigest()))
    content = read_lined_file(path)
    evidence = InputFile(name, content.evidence.sha256)
    if path.name.endswith(".csv"):
        header, _ = _csv_table(content)
        return Table(lambda: _csv_cells(content), frozenset(header), evidence)
    rows = _json_lines(content)
    return Table(lambda: iter(rows), None, evidence)


def checked_parts(rows: Iterable[Any], row_list: Any, prefix: str = "") -> Iterator[list[Any]]:
    """Check rows as the type `row_list` has them, `AT_ONCE` at a time.

    Raises `SessionError` for the first that is refused; `prefix` begins its message.
    """
    adapter: TypeAdapter[list[Any]] = TypeAdapter(row_list)
    remaining, count = iter(rows), 0
    while part := list(islice(remaining, AT_ONCE)):
        try:
            checked = adapter.validate_python(part)
        except ValidationError as error:
            raise SessionError(f"{prefix}{problem_text(error, count)}") from None
        yield checked
        count += len(part)


def _csv_cells(content: LinedFile) -> Iterator[dict[str, str]]:
    """The rows of a CSV file as objects; an empty cell is an absent value."""
    header, rows = _csv_table(content)
    for row in rows:
        yield {name: cell for name, cell in zip(header, row, strict=True) if cell}


def csv_rows(content: LinedFile | FileContent) -> list[dict[str, str]]:
    """Return the rows of a CSV file as mappings of its header to texts.

    Raises `SessionError` for a row that is not as wide as the header, and where the last row
    may have been cut.
    """
    header, rows = _csv_table(content)
    return [dict(zip(header, row, strict=True)) for row in rows]


def _json_lines(content: LinedFile) -> list[Any]:
    if not content.name.endswith(".jsonl"):
        raise SessionError(
            f"{content.name}: is not a table that can be read; expected .csv, .jsonl or .parquet"
        )
    require_last_line(content)
    _refuse_long_lines(content)
    refuse_above(JSON_OBJECTS, content.data.count(b"{"), f"{content.name}: ")
    refuse_above(JSON_VALUES, content.data.count(b","), f"{content.name}: ")
    lines = content.data.split(b"\n")
    return [
        parse_json(line.decode("utf-8"), f"{content.name} line {number}")
        for number, line in enumerate(lines, 1)
        if line.strip()
    ]


def require_last_line(content: LinedFile | FileContent) -> None:
    """Refuse a table whose last line has no end: it was cut, or could have been.

    Where a value is cut, what is left often reads like one: 0.12 of 0.125. An empty
    text has no lines, and so no rows that could be lost.
    """
    data = content.data
    if data and not data.endswith((b"\n", b"\r")):
        raise SessionError(
            f"{content.name}: ends in the middle, its last line has no line break; expected a "
            "complete table, whose last line ends with one"
        )


def _refuse_long_lines(content: LinedFile | FileContent) -> None:
    """Refuse a long line: it is in memory whole, and more than once while it is split."""
    most, start, data = LINE_BYTES.most, 0, content.data
    while len(data) - start > most:
        # The last end of a line that is within reach of this one.
        end = max(data.rfind(mark, start, start + most + 1) for mark in (b"\n", b"\r"))
        if end < 0:
            raise limit_error(LINE_BYTES, most + 1, f"{content.name}: a line ", at_least=True)
        start = end + 1


def _csv_table(content: LinedFile | FileContent) -> tuple[list[str], Iterator[list[str]]]:
    """The header, and the rows that are as wide; raises `SessionError` for any other."""
    require_last_line(content)
    _refuse_long_lines(content)
    lines = _csv_lines(content)
    header = next(lines, None)
    if header is None:
        raise SessionError(f"{content.name}: is empty; expected a header line")
    refuse_above(TABLE_COLUMNS, len(header), f"{content.name}: ")
    if len(set(header)) != len(header):
        raise SessionError(f"{content.name}: duplicate column in the header")
    return header, _as_wide(lines, len(header), content.name)


def _as_wide(lines: Iterable[list[str]], width: int, name: str) -> Iterator[list[str]]:
    most = min(TABLE_ROWS.most, TABLE_VALUES.most // max(width, 1))
    for number, row in enumerate(lines, 2):
        if len(row) != width:
            if not row:
                continue
            raise SessionError(f"{name}: row {number} has {len(row)} cells; expected {width}")
        if number > most + 1:
            refuse_above(TABLE_ROWS, number - 1, f"{name}: ", at_least=True)
            refuse_above(TABLE_VALUES, (number - 1) * width, f"{name}: ", at_least=True)
        yield row


def _csv_lines(content: LinedFile | FileContent) -> Iterator[list[str]]:
    """The lines of a CSV file as cells, the empty ones too."""
    reader = csv.reader(content.lines(), strict=True)
    while True:
        # The limit is that of the process, and not ours between two parts.
        former = csv.field_size_limit(TEXT_LENGTH.most)
        try:
            part = list(islice(reader, AT_ONCE))
        except csv.Error as error:
            raise _no_csv(error, content.name, reader.line_num) from None
        finally:
            csv.field_size_limit(former)
        if not part:
            return
        yield from part


def _no_csv(error: csv.Error, name: str, line: int) -> SessionError:
    if "field limit" not in str(error):
        return SessionError(f"{name}: is not CSV: {printable(error)}")
    found, subject = TEXT_LENGTH.most + 1, f"{name}: a cell in line {line} "
    return limit_error(TEXT_LENGTH, found, subject, at_least=True)
