"""Parquet tables, read with pyarrow where the extra `parquet` is installed.

Every value becomes the text that a session file would have: decimals and integers as
they are, times with their offset, floats at their shortest decimal text where the side
computes in floats. The size is judged before a value is read.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

from recon_core.amounts import NumberText, shortest_amount
from recon_core.errors import ReconError, SessionError
from recon_core.printable import printable, quoted
from recon_core.sessions.files import MAX_FILE_BYTES

_MOST_VALUES: Final = 100_000_000


def parquet_rows(
    data: bytes, name: str, *, floats: bool
) -> tuple[list[dict[str, Any]], frozenset[str]]:
    """The rows of a Parquet file without its nulls, and the names of all its columns.

    `name` is the file in messages. Raises `SessionError`.
    """
    try:
        import pyarrow as pa  # noqa: PLC0415  # an extra
        from pyarrow.parquet import ParquetFile  # noqa: PLC0415  # the same
    except ImportError:
        raise SessionError(
            f"{name}: needs pyarrow; expected it from pip install pytest-recon[parquet], or the "
            "table as .csv or .jsonl"
        ) from None
    try:
        file = ParquetFile(pa.BufferReader(data))
        _refuse_huge(file.metadata)
        columns = _columns(file.read(use_threads=False), pa.types, floats=floats)
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        reason = printable(" ".join(str(error).split()), 150)
        raise SessionError(f"{name}: is no readable Parquet file: {reason}") from None
    except ReconError as error:
        raise SessionError(f"{name}: {error}") from None
    names = list(columns)
    rows = [
        {column: value for column, value in zip(names, row, strict=True) if value is not None}
        for row in zip(*columns.values(), strict=True)
    ]
    return rows, frozenset(names)


def _refuse_huge(metadata: Any) -> None:
    groups = range(metadata.num_row_groups)
    size = sum(metadata.row_group(group).total_byte_size for group in groups)
    if size > MAX_FILE_BYTES or metadata.num_rows * metadata.num_columns > _MOST_VALUES:
        raise SessionError(
            f"holds {metadata.num_rows} rows of {metadata.num_columns} columns in {size} bytes; "
            f"expected at most {_MOST_VALUES} values and {MAX_FILE_BYTES} bytes"
        )


def _columns(table: Any, types: Any, *, floats: bool) -> dict[str, list[Any]]:
    if len(set(table.column_names)) != len(table.column_names):
        raise SessionError("a column stands twice")
    return {
        field.name: _values(field, table.column(index), types, floats=floats)
        for index, field in enumerate(table.schema)
    }


def _values(field: Any, column: Any, types: Any, *, floats: bool) -> list[Any]:
    kind = field.type
    if types.is_dictionary(kind):
        column, kind = column.cast(kind.value_type), kind.value_type
    if types.is_timestamp(kind) and kind.unit == "ns":
        # Python has microseconds; digits beyond are cut, as everywhere.
        column = column.cast(_microseconds(kind.tz), safe=False)
    convert = _converter(kind, types, floats=floats)
    if convert is None:
        raise SessionError(f"column {quoted(field.name)}: {_unfit(kind, types)}")
    return [None if value is None else convert(value) for value in column.to_pylist()]


def _microseconds(zone: str | None) -> Any:
    import pyarrow as pa  # noqa: PLC0415  # the caller has it

    return pa.timestamp("us", zone)


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
