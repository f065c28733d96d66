"""Tables beside a session file: CSV, JSON Lines and Parquet, and JSON and XML for mappings.

Rows are read in parts, so that a table costs what is made of it, and the first refused row
ends the reading. Each has the number that an editor shows: its line, or its place in a list.
"""

import csv
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import accumulate, islice
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from recon_core.model import InputFile
from recon_core.sessions.files import (
    FileContent,
    LinedFile,
    MissingListError,
    inside,
    read_bytes,
    read_lined_file,
    read_text_file,
)
from recon_core.sessions.json_places import elements, line_counter, place_of
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
from recon_core.values.printable import printable, quoted

AT_ONCE: Final = 1000
"""Rows of a part: `recon_core.sessions.fast_rows` reads as many at once."""
_OPEN_END: Final = ', or file.last_line = "open" in the mapping'
_LINE_END: Final = re.compile(r"\r\n?|\n")
_MOST_BEFORE_HEADER: Final = 30
"""Lines that a statement may have before its header: names, dates and notices."""


Row = tuple[int, Any]


@dataclass(frozen=True, slots=True)
class FileForm:
    """Way in which a table is written; the default is that of tables beside a session file.

    `kind` is the type of the file where its name does not say it, `at` the place of the rows
    in a JSON document or an XML file. With `finds_header` the header of a CSV file is the
    first line with all of `columns`, and lines whose first cell is in `skip` are none of the
    table; with `open_end` its last line may lack an end.
    """

    kind: str | None = None
    separator: str = ","
    byte_order_mark: bool = False
    open_end: bool = False
    finds_header: bool = False
    skip: frozenset[str] = frozenset()
    columns: frozenset[str] = frozenset()
    at: str | None = None


_PLAIN: Final = FileForm()
KINDS: Final = {
    ".csv": "csv",
    ".tsv": "csv",
    ".jsonl": "jsonl",
    ".json": "json",
    ".xml": "xml",
    ".parquet": "parquet",
}
"""The type of a table by the end of its name; a mapping may say another."""
_BESIDE: Final = (".csv", ".jsonl", ".parquet")


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of a table, and the file under its path as seen from the session.

    A row is an object of text and JSON numbers without its absent values. `numbered` begins
    to read the rows, each with its number, and may be called again; `header` is what the
    table names before any row, if it does. `lines` is the line of a row by its number, `None`
    for a file without lines.
    """

    numbered: Callable[[], Iterator[Row]]
    header: frozenset[str] | None
    evidence: InputFile
    file: Path
    lines: Callable[[], Callable[[int], int] | None]

    def read(self) -> Iterator[Any]:
        """Begin to read the rows."""
        return (row for _, row in self.numbered())


def read_table(
    directory: Path, relative: str, *, floats: bool = False, form: FileForm | None = None
) -> Table:
    """Open the table at `relative`, which must stay in `directory`; raises `SessionError`.

    Reading its rows raises it, too. Binary floats of a Parquet column are refused unless
    `floats` says that the side computes in them. Without a `form` it is CSV, JSON Lines or
    Parquet by its name.
    """
    path = inside(directory, relative)
    name = printable(Path(relative).as_posix(), 200)
    kind = _kind(path, form)
    if kind == "parquet":
        from recon_core.sessions.parquet import parquet_table  # noqa: PLC0415  # needs pyarrow

        data = read_bytes(path)
        read, columns = parquet_table(data, printable(path.name), floats=floats)
        evidence = InputFile(name, hashlib.sha256(data).hexdigest())
        return Table(lambda: enumerate(read(), 1), columns, evidence, path, lambda: None)
    if kind == "json":
        return _document(path, name, form or _PLAIN)
    content = read_lined_file(path, marked=form is not None and form.byte_order_mark)
    evidence = InputFile(name, content.evidence.sha256)
    numbered, header = _lined_rows(kind, content, form or _PLAIN)
    return Table(numbered, header, evidence, path, lambda: _itself)


def _itself(number: int) -> int:
    """The line of a row that is numbered by its line."""
    return number


def _kind(path: Path, form: FileForm | None) -> str:
    if form is not None and form.kind is not None:
        return form.kind
    ends = KINDS if form is not None else _BESIDE
    kind = KINDS.get(path.suffix) if path.suffix in ends else None
    if kind is None:
        read_bytes(path)  # what cannot be read is named as such
        known = ", ".join(ends)
        shown = printable(path.name)
        raise SessionError(f"{shown}: is not a table that can be read; expected one of {known}")
    return kind


def _lined_rows(
    kind: str, content: LinedFile, form: FileForm
) -> tuple[Callable[[], Iterator[Row]], frozenset[str] | None]:
    if kind == "xml":
        from recon_core.sessions.xml_rows import xml_rows  # noqa: PLC0415  # an extra

        refuse_long_lines(content.data, content.name, (b"<", b">"))
        elements = xml_rows(content, form.at)
        return lambda: iter(elements), None
    if kind == "csv":
        header, _ = _csv_table(content, form)
        return lambda: _csv_cells(content, form), frozenset(header)
    rows = _json_lines(content, form)
    return lambda: iter(rows), None


def _document(path: Path, name: str, form: FileForm) -> Table:
    """The list of rows at a place of a JSON document."""
    content = read_text_file(path, marked=form.byte_order_mark)
    rows = _rows_at(parse_json(content.text, content.name), form.at, content.name)
    refuse_above(TABLE_ROWS, len(rows), f"{content.name}: ")
    evidence = InputFile(name, content.evidence.sha256)
    lines = partial(_lines_at, path, form)
    return Table(lambda: enumerate(rows, 1), None, evidence, path, lines)


def _lines_at(path: Path, form: FileForm) -> Callable[[int], int]:
    """Read a document again for the lines of its rows."""
    text = read_text_file(path, marked=form.byte_order_mark).text
    line_of = line_counter(text)
    start = place_of(text, *(form.at or "").split("/")[1:])
    assert start is not None  # noqa: S101  # its rows were read
    lines = [line_of(place) for place, _ in elements(text, start)]
    return lambda number: lines[number - 1]


def _rows_at(document: Any, at: str | None, name: str) -> list[Any]:
    value, passed = document, ""
    for part in (at or "").split("/")[1:]:
        if not isinstance(value, dict) or part not in value:
            keys = ", ".join(printable(key, 40) for key in list(value)[:20])
            there = f"there are {keys}" if isinstance(value, dict) and value else "no object"
            raise MissingListError(f"{name}: at {quoted(at)}: has no {quoted(part)}; {there}")
        value, passed = value[part], f"{passed}/{part}"
    if not isinstance(value, list):
        where = f"{quoted(passed)}: " if passed else ""
        raise SessionError(f"{name}: {where}is no list of rows; expected one, or its place in at")
    return value


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


def _csv_cells(content: LinedFile, form: FileForm) -> Iterator[Row]:
    """The rows of a CSV file as objects; an empty cell is an absent value."""
    header, rows = _csv_table(content, form)
    for number, row in rows:
        yield number, {name: cell for name, cell in zip(header, row, strict=True) if cell}


def csv_rows(content: LinedFile | FileContent) -> list[dict[str, str]]:
    """Return the rows of a CSV file as mappings of its header to texts.

    Raises `SessionError` for a row that is not as wide as the header, and where the last row
    may have been cut.
    """
    header, rows = _csv_table(content, _PLAIN)
    return [dict(zip(header, row, strict=True)) for _, row in rows]


def _json_lines(content: LinedFile, form: FileForm) -> list[Row]:
    if not form.open_end:
        require_last_line(content, "" if form is _PLAIN else _OPEN_END)
    refuse_long_lines(content.data, content.name)
    refuse_above(JSON_OBJECTS, content.data.count(b"{"), f"{content.name}: ")
    refuse_above(JSON_VALUES, content.data.count(b","), f"{content.name}: ")
    lines = content.data.split(b"\n")
    return [
        (number, parse_json(line.decode("utf-8"), f"{content.name} line {number}"))
        for number, line in enumerate(lines, 1)
        if line.strip()
    ]


def require_last_line(content: LinedFile | FileContent, remedy: str = "") -> None:
    """Refuse a table whose last line has no end: it was cut, or could have been.

    Where a value is cut, what is left often reads like one: 0.12 of 0.125. An empty
    text has no lines, and so no rows that could be lost. `remedy` ends the message.
    """
    data = content.data
    if data and not data.endswith((b"\n", b"\r")):
        raise SessionError(
            f"{content.name}: ends in the middle, its last line has no line break; expected a "
            f"complete table, whose last line ends with one{remedy}"
        )


def refuse_long_lines(data: bytes, name: str, marks: tuple[bytes, ...] = (b"\n", b"\r")) -> None:
    """Refuse a long line: it is in memory whole, and more than once while it is split.

    `marks` end a line; those of XML are the ends of its tags.
    """
    most, start = LINE_BYTES.most, 0
    while len(data) - start > most:
        # The last end of a line that is within reach of this one.
        end = max(data.rfind(mark, start, start + most + 1) for mark in marks)
        if end < 0:
            raise limit_error(LINE_BYTES, most + 1, f"{name}: a line ", at_least=True)
        start = end + 1


def _csv_table(
    content: LinedFile | FileContent, form: FileForm
) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """The header, and the rows that are as wide; raises `SessionError` for any other."""
    if not form.open_end:
        require_last_line(content, "" if form is _PLAIN else _OPEN_END)
    refuse_long_lines(content.data, content.name)
    lines = _csv_lines(content, form.separator)
    if form.skip:
        lines = (line for line in lines if not line[1] or line[1][0] not in form.skip)
    header = _header(lines, content.name, form)
    refuse_above(TABLE_COLUMNS, len(header), f"{content.name}: ")
    if len(set(header)) != len(header):
        raise SessionError(f"{content.name}: duplicate column in the header")
    return header, _as_wide(lines, len(header), content.name)


def _header(lines: Iterator[tuple[int, list[str]]], name: str, form: FileForm) -> list[str]:
    first = next(lines, None)
    if first is None:
        raise SessionError(f"{name}: is empty; expected a header line")
    if not form.finds_header or form.columns <= set(first[1]):
        return first[1]
    for _, line in islice(lines, _MOST_BEFORE_HEADER):
        if form.columns <= set(line):
            return line
    wanted = ", ".join(printable(column, 60) for column in sorted(form.columns))
    raise SessionError(
        f"{name}: none of the first {_MOST_BEFORE_HEADER} lines is the header; expected {wanted}"
    )


def _as_wide(
    lines: Iterable[tuple[int, list[str]]], width: int, name: str
) -> Iterator[tuple[int, list[str]]]:
    most = min(TABLE_ROWS.most, TABLE_VALUES.most // max(width, 1))
    for count, (number, row) in enumerate(lines, 1):
        if len(row) != width:
            if not row:
                continue
            raise SessionError(f"{name}: row {number} has {len(row)} cells; expected {width}")
        if count > most:
            refuse_above(TABLE_ROWS, count, f"{name}: ", at_least=True)
            refuse_above(TABLE_VALUES, count * width, f"{name}: ", at_least=True)
        yield number, row


def _csv_lines(content: LinedFile | FileContent, separator: str) -> Iterator[tuple[int, list[str]]]:
    """The lines of a CSV file as cells, the empty ones too, each with its first line's number."""
    reader = csv.reader(content.lines(), strict=True, delimiter=separator)
    while True:
        # The limit is that of the process, and not ours between two parts.
        former = csv.field_size_limit(TEXT_LENGTH.most)
        try:
            before = reader.line_num
            part = list(islice(reader, AT_ONCE))
        except csv.Error as error:
            raise _no_csv(error, content.name, reader.line_num) from None
        finally:
            csv.field_size_limit(former)
        if not part:
            return
        yield from zip(_numbers(part, before, reader.line_num), part, strict=True)


def _numbers(rows: list[list[str]], before: int, last: int) -> Iterable[int]:
    """The lines that rows begin in, of the lines after `before` up to `last`."""
    if last - before == len(rows):
        return range(before + 1, last + 1)
    # Some cells hold line ends.
    taken = (1 + sum(len(_LINE_END.findall(cell)) for cell in row) for row in rows)
    return islice(accumulate(taken, initial=before + 1), len(rows))


def _no_csv(error: csv.Error, name: str, line: int) -> SessionError:
    if "field limit" not in str(error):
        return SessionError(f"{name}: is not CSV: {printable(error)}")
    found, subject = TEXT_LENGTH.most + 1, f"{name}: a cell in line {line} "
    return limit_error(TEXT_LENGTH, found, subject, at_least=True)
