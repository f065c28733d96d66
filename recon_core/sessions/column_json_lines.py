"""JSON Lines tables in columns: their texts are written anew as a Parquet file, once.

A file is taken where its lines are plain: each begins with `{` and ends with `}`, and no text has
an escape. pyarrow parses them with the same rigour as rows are read: repeated keys, other fields,
values in values, `NaN` and what is no JSON are errors, and rows say which.

Amounts may be JSON numbers. They are put between quotation marks first, so that each is read from
its text: `"price": 42000.50` becomes `"price": "42000.50"`. No escapes means that a quotation mark
in the file is never part of a text, so that nothing else looks like that.
"""

import codecs
import hashlib
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

from recon_core.columns.database import ColumnsError
from recon_core.columns.table_columns import RowKind, TableColumns, surveyed
from recon_core.sessions.column_names import require_rows
from recon_core.sessions.tables import refuse_long_lines
from recon_core.sessions.text_columns import new_file, remove, text_columns
from recon_core.values.limits import (
    JSON_OBJECTS,
    JSON_VALUES,
    MIB,
    TEXT_LENGTH,
    refuse_above,
)

_AT_ONCE: Final = 16 * MIB
"""Bytes of a file that are parsed together: some 80,000 rows."""
_NOT_PLAIN: Final = bytes(set(range(32)) - {ord("\n")}) + b"\\"
_VALUE: Final = re.compile(rb'("[^"]*"|-?[0-9.]+)(?=\s*[,}])')
_ONE_TEXT: Final = rb'"[^"]*+"'
_ONE_NUMBER: Final = rb"-?[0-9.]++"
_LEG_OF_NULL: Final = re.compile(rb'"leg"\s*:\s*null')


def json_lines_columns(path: Path, name: str, kind: RowKind) -> tuple[TableColumns, str]:
    """Return the columns of a table and the SHA-256 of its file.

    Raises `ColumnsError` where rows are read instead, or `SessionError` for what these refuse.
    """
    before = path.stat()
    require_rows(kind, kind.required, _line_count(path))
    lines, table = _Lines(path, kind), new_file()
    try:
        names = lines.write(table)
        require_rows(kind, names, lines.count)
    except BaseException:
        remove(table)
        raise
    after = path.stat()
    columns = surveyed(text_columns(table, name, names, kind), TEXT_LENGTH.most)
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise ColumnsError("the file changes while it is read")
    if columns.count != lines.count:
        raise ColumnsError("a line is no row")
    return columns, lines.digest.hexdigest()


def _line_count(path: Path) -> int:
    with path.open("rb") as file:
        return sum(block.count(b"\n") for block in iter(partial(file.read, _AT_ONCE), b""))


@dataclass(slots=True)
class _Lines:
    """The lines of a file, and what is known of them when all were read."""

    path: Path
    kind: RowKind
    count: int = 0
    digest: Any = field(default_factory=hashlib.sha256)

    def write(self, table: Path) -> set[str]:
        """Write the texts as Parquet, in their order, and return the fields that have values."""
        import pyarrow as pa  # noqa: PLC0415  # an extra, which the caller has
        from pyarrow import parquet  # noqa: PLC0415  # as above

        columns = sorted(self.kind.names)
        schema = pa.schema([(name, pa.string()) for name in columns])
        # Of fields with few values each is written once, and as its number in the rows.
        words = [*{**dict.fromkeys(self.kind.words), **self.kind.choices}]
        names: set[str] = set()
        with parquet.ParquetWriter(table, schema, use_dictionary=words) as writer:
            for part in self._parts():
                rows = _parsed(part, schema, self.kind)
                writer.write_table(rows)
                names |= {one for one in columns if rows.column(one).null_count < rows.num_rows}
        return names

    def _parts(self) -> Iterator[bytes]:
        """Yield whole lines; raises `ColumnsError` where they are not plain."""
        decoder, rest = codecs.getincrementaldecoder("utf-8")(), b""
        objects = values = 0
        with self.path.open("rb") as file:
            while block := file.read(_AT_ONCE):
                self.digest.update(block)
                try:
                    decoder.decode(block)
                except UnicodeDecodeError:
                    raise ColumnsError("the file is not UTF-8") from None
                end = block.rfind(b"\n") + 1
                part, rest = rest + block[:end], block[end:] if end else rest + block
                if not part.endswith(b"\n"):
                    raise ColumnsError("a line is too long")
                objects, values = objects + part.count(b"{"), values + part.count(b",")
                self.count += _plain_lines(part, self.path.name)
                yield part
        refuse_above(JSON_OBJECTS, objects)
        refuse_above(JSON_VALUES, values)
        if rest:
            raise ColumnsError("the last line has no end")


def _plain_lines(part: bytes, name: str) -> int:
    """Return the number of lines; raises `ColumnsError` where one is not plain."""
    count = part.count(b"\n")
    begun, ended = (b"\n" + part).count(b"\n{"), part.count(b"}\n")
    if not begun == ended == count or len(part.translate(None, _NOT_PLAIN)) != len(part):
        raise ColumnsError("a line is not plain")
    if _LEG_OF_NULL.search(part):  # which rows refuse
        raise ColumnsError("a leg is null")
    refuse_long_lines(part, name)
    return count


@cache
def _number(amounts: Sequence[str]) -> re.Pattern[bytes]:
    """The expression for an amount that is written as a number."""
    return re.compile(rb'("(?:%s)"\s*:\s*)(-?[0-9.]+)' % "|".join(amounts).encode())


def _parsed(part: bytes, schema: Any, kind: RowKind) -> Any:
    """The rows of some lines as an Arrow table of texts."""
    import pyarrow as pa  # noqa: PLC0415  # as above
    from pyarrow import json  # noqa: PLC0415  # as above

    first = part[: part.index(b"\n") + 1]
    number = _number(kind.amounts)
    if number.search(first):
        part = _with_texts(part, first, number)
    try:
        return json.read_json(
            io.BytesIO(part),
            read_options=json.ReadOptions(use_threads=False, block_size=len(part) + 1),
            parse_options=json.ParseOptions(
                explicit_schema=schema, unexpected_field_behavior="error"
            ),
        )
    except pa.ArrowInvalid as error:
        raise ColumnsError(str(error)) from None


def _with_texts(part: bytes, first: bytes, number: re.Pattern[bytes]) -> bytes:
    """Put the amounts of some lines between quotation marks.

    Where all lines have the fields of the first in its order, which one expression shows, the text
    between two values is the same in each, and is replaced as a whole. Else each number is.
    """
    between, values = _VALUE.split(first)[::2], _VALUE.findall(first)
    marks = [
        b'"' if number.search(before + value) else b""
        for before, value in zip(between, values, strict=False)
    ]
    forms = [_ONE_TEXT if value.startswith(b'"') else _ONE_NUMBER for value in values]
    pairs = zip(map(re.escape, between), [*forms, b""], strict=True)
    if not re.fullmatch(rb"(?>%s)*+" % b"".join(map(b"".join, pairs)), part):
        return number.sub(rb'\1"\2"', part)
    for former, before, after in zip(between, [b"", *marks], [*marks, b""], strict=True):
        if before or after:
            part = part.replace(former, before + former + after)
    return part
