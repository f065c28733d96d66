"""Parquet tables, read with pyarrow where the extra `parquet` is installed.

`parquet_table` gives the cells as a session file would have them: decimals, integers
and times as text, floats at their shortest decimal text where the side computes in
floats. `parquet_rows` gives every cell as the text that CSV would have. The size is
judged before a value is read.
"""

import hashlib
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from recon_core.amounts import NumberText, shortest_amount
from recon_core.errors import ReconError, SessionError
from recon_core.model import InputFile
from recon_core.printable import printable, quoted
from recon_core.sessions.files import MAX_FILE_BYTES, read_bytes

_MOST_VALUES: Final = 100_000_000
# What pandas calls an index without a name; `to_csv` leaves its header empty.
_UNNAMED_INDEX: Final = "__index_level_0__"

Rows = list[dict[str, Any]]


def parquet_table(data: bytes, name: str, *, floats: bool) -> tuple[Rows, frozenset[str]]:
    """The rows of a Parquet file without its nulls, and the names of all its columns.

    Columns of binary floats are refused unless `floats` says that the side computes in
    them. `name` is the file in messages. Raises `SessionError`.
    """
    table, types = _opened(data, name)
    try:
        columns = [_cells(column, types, floats=floats) for column in _columns(table)]
    except ReconError as error:
        raise SessionError(f"{name}: {error}") from None
    rows = [
        {
            column: value
            for column, value in zip(table.column_names, row, strict=True)
            if value is not None
        }
        for row in zip(*columns, strict=True)
    ]
    return rows, frozenset(table.column_names)


def parquet_rows(path: Path) -> tuple[list[dict[str, str]], InputFile]:
    """The rows of a Parquet file as text, and its evidence; raises `SessionError`.

    An absent value is an empty text. A binary float is never an amount: its text says
    that it is one, so that whoever needs an amount refuses it by name.
    """
    content = read_bytes(path)
    name = printable(path.name)
    table, _ = _opened(content, name)
    names = ["" if column == _UNNAMED_INDEX else column for column in table.column_names]
    try:
        texts = [list(map(_text, _values(field.name, cells))) for field, cells in _columns(table)]
    except SessionError as error:
        raise SessionError(f"{name}: {error}") from None
    rows = [dict(zip(names, row, strict=True)) for row in zip(*texts, strict=True)]
    return rows, InputFile(name, hashlib.sha256(content).hexdigest())


def _opened(data: bytes, name: str) -> tuple[Any, Any]:
    """The table, its times in microseconds, and pyarrow's questions about types."""
    try:
        import pyarrow as pa  # noqa: PLC0415  # an extra
        from pyarrow.parquet import ParquetFile  # noqa: PLC0415  # the same
    except ImportError:
        raise SessionError(
            f"{name}: reading Parquet needs pyarrow; install pytest-recon[parquet], "
            "or write the table as CSV"
        ) from None
    try:
        file = ParquetFile(pa.BufferReader(data))
        _refuse_huge(file.metadata)
        table = file.read(use_threads=False)
        _refuse_twice(table.column_names)
        # Python has microseconds; digits beyond are cut, as everywhere.
        columns = [_plain(column, pa) for column in table.columns]
        return pa.table(columns, names=table.column_names), pa.types
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        reason = printable(" ".join(str(error).split()), 150)
        raise SessionError(f"{name}: is not Parquet: {reason}") from None
    except SessionError as error:
        raise SessionError(f"{name}: {error}") from None


def _refuse_huge(metadata: Any) -> None:
    groups = range(metadata.num_row_groups)
    size = sum(metadata.row_group(group).total_byte_size for group in groups)
    if size > MAX_FILE_BYTES or metadata.num_rows * metadata.num_columns > _MOST_VALUES:
        raise SessionError(
            f"holds {metadata.num_rows} rows of {metadata.num_columns} columns in {size} bytes; "
            f"expected at most {_MOST_VALUES} values and {MAX_FILE_BYTES} bytes"
        )


def _refuse_twice(names: list[str]) -> None:
    if len(set(names)) != len(names):
        raise SessionError("a column stands twice")


def _plain(column: Any, pa: Any) -> Any:
    kind = column.type
    if pa.types.is_dictionary(kind):
        return column.cast(kind.value_type)
    if pa.types.is_timestamp(kind) and kind.unit == "ns":
        return column.cast(pa.timestamp("us", kind.tz), safe=False)
    return column


def _columns(table: Any) -> list[tuple[Any, Any]]:
    return list(zip(table.schema, table.columns, strict=True))


def _cells(column: tuple[Any, Any], types: Any, *, floats: bool) -> list[Any]:
    field, values = column
    convert = _converter(field.type, types, floats=floats)
    if convert is None:
        raise SessionError(f"column {quoted(field.name)}: {_unfit(field.type, types)}")
    return [None if value is None else convert(value) for value in _values(field.name, values)]


def _values(name: str, column: Any) -> list[Any]:
    """The values of a column; a time that Python cannot hold, or of no known zone, is refused."""
    try:
        values: list[Any] = column.to_pylist()
    except (ArithmeticError, LookupError, ValueError) as error:
        # pyarrow's own words speak of modules and of C.
        kind = printable(column.type, 60)
        text = f"column {quoted(name)}: holds a value of type {kind} that cannot be taken over"
        raise SessionError(f"{text}: {type(error).__name__}") from None
    return values


def _converter(kind: Any, types: Any, *, floats: bool) -> Callable[[Any], Any] | None:
    known: dict[str, Callable[[Any], Any]] = {
        "is_string": str,
        "is_large_string": str,
        "is_boolean": bool,
        "is_integer": _integer,
        "is_decimal": _decimal,
        "is_timestamp": _time,
        "is_date": _date,
        "is_null": str,
    }
    if floats:
        known["is_floating"] = _float
    return next((convert for name, convert in known.items() if getattr(types, name)(kind)), None)


def _unfit(kind: Any, types: Any) -> str:
    if types.is_floating(kind):
        return 'holds binary floats; expected text or decimals, or a side with "numbers": "float"'
    return f"has type {printable(kind, 60)}; expected text, numbers or times"


def _integer(value: int) -> NumberText:
    return NumberText(str(value))


def _decimal(value: Decimal) -> str:
    return format(value, "f")


def _float(value: float) -> NumberText | None:
    # pandas writes what is missing in a column of floats as NaN.
    return None if value != value else NumberText(format(shortest_amount(value), "f"))  # noqa: PLR0124


def _time(value: datetime) -> str:
    return (value if value.tzinfo is None else value.astimezone(UTC)).isoformat()


def _date(value: date) -> str:
    return value.isoformat()


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, float):
        return "" if value != value else f"float {value!r}"  # noqa: PLR0124  # NaN is absent
    return value.isoformat() if isinstance(value, datetime) else str(value)
