"""Parquet tables, read with pyarrow where the extra `parquet` is installed.

`parquet_table` gives the cells as a session file would have them: decimals, integers
and times as text, floats at their shortest decimal text where the side computes in
floats. `parquet_rows` gives every cell as the text that CSV would have. The size is
judged before a value is read, and again while some rows at once are unpacked.
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any, Final

from recon_core.model import InputFile
from recon_core.sessions.files import read_bytes
from recon_core.values.amounts import NumberText, shortest_amount
from recon_core.values.errors import ReconError, SessionError
from recon_core.values.limits import (
    MIB,
    PARQUET_BYTES,
    PARQUET_COLUMN_BYTES,
    TABLE_COLUMNS,
    TABLE_ROWS,
    TABLE_VALUES,
    TEXT_LENGTH,
    refuse_above,
)
from recon_core.values.printable import printable, quoted

_AT_ONCE: Final = 1024
"""Rows that are unpacked at once."""
_BYTES_AT_ONCE: Final = 64 * MIB
"""The most that the texts of these rows may be: a dictionary is unpacked with every row."""
_MOST_WORDS: Final = 10_000
"""Of a column, that are kept once however many rows have them."""

# What pandas calls an index without a name; `to_csv` leaves its header empty.
_UNNAMED_INDEX: Final = "__index_level_0__"


def parquet_table(
    data: bytes, name: str, *, floats: bool
) -> tuple[Callable[[], Iterator[dict[str, Any]]], frozenset[str]]:
    """The reader of the rows of a Parquet file without its nulls, and the names of all columns.

    Columns of binary floats are refused unless `floats` says that the side computes in
    them. `name` is the file in messages. Raises `SessionError`, while rows are read too.
    """
    with refusals(name):
        file = opened(data)
        types = _types()
        names = file.schema_arrow.names
        converters = [_required(field, types, floats=floats) for field in file.schema_arrow]

    def read() -> Iterator[dict[str, Any]]:
        with refusals(name):
            for columns in _batches(opened(data), rows_at_once(data)):
                cells = map(_cells, converters, columns)
                for row in zip(*cells, strict=True):
                    yield {
                        column: value
                        for column, value in zip(names, row, strict=True)
                        if value is not None
                    }

    return read, frozenset(names)


def parquet_rows(path: Path) -> tuple[list[dict[str, str]], InputFile]:
    """The rows of a Parquet file as text, and its evidence; raises `SessionError`.

    An absent value is an empty text. A binary float is never an amount: its text says that
    it is one, so that a reader of amounts refuses it by name.
    """
    content = read_bytes(path)
    name = printable(path.name)
    with refusals(name):
        file = opened(content)
        names = ["" if one == _UNNAMED_INDEX else one for one in file.schema_arrow.names]
        rows = [
            dict(zip(names, row, strict=True))
            for columns in _batches(file, rows_at_once(content))
            for row in zip(*(map(_text, column) for column in columns), strict=True)
        ]
    return rows, InputFile(name, hashlib.sha256(content).hexdigest())


@contextmanager
def refusals(name: str) -> Iterator[None]:
    """Name the file in what pyarrow and the limits refuse."""
    try:
        import pyarrow as pa  # noqa: PLC0415  # an extra
    except ImportError:
        raise SessionError(
            f"{name}: reading Parquet needs pyarrow; install pytest-recon[parquet], "
            "or write the table as CSV"
        ) from None
    try:
        yield
    except ReconError as error:
        raise SessionError(f"{name}: {error}") from None
    except (pa.ArrowException, OSError, OverflowError) as error:
        reason = printable(" ".join(str(error).split()), 150)
        raise SessionError(f"{name}: is not Parquet: {reason}") from None


def _types() -> Any:
    import pyarrow as pa  # noqa: PLC0415  # as in refusals

    return pa.types


def _source(data: bytes | Path) -> Any:
    """Bytes, or the path of a file that is not in memory, as pyarrow opens them."""
    import pyarrow as pa  # noqa: PLC0415  # as in refusals

    return pa.OSFile(str(data)) if isinstance(data, Path) else pa.BufferReader(data)


def opened(data: bytes | Path) -> Any:
    """The file, judged by what it says of itself before a value is unpacked."""
    import pyarrow as pa  # noqa: PLC0415  # as in refusals
    from pyarrow.parquet import ParquetFile  # noqa: PLC0415  # the same

    file = ParquetFile(_source(data), pre_buffer=False)
    metadata, schema = file.metadata, file.schema_arrow
    refuse_above(TABLE_COLUMNS, metadata.num_columns)
    refuse_above(TABLE_ROWS, metadata.num_rows)
    refuse_above(TABLE_VALUES, metadata.num_rows * metadata.num_columns)
    _refuse_large(metadata)
    for field in schema:
        if pa.types.is_nested(field.type):
            raise SessionError(f"column {quoted(field.name)}: {_unfit(field.type, pa.types)}")
    _refuse_duplicates(schema.names)
    return file


def _refuse_large(metadata: Any) -> None:
    """Refuse a file by the sizes that it states; sizes of texts are counted separately."""
    whole = 0
    for group in map(metadata.row_group, range(metadata.num_row_groups)):
        for column in map(group.column, range(metadata.num_columns)):
            size = column.total_uncompressed_size
            where = f"column {quoted(column.path_in_schema)} "
            refuse_above(PARQUET_COLUMN_BYTES, size, where)
            whole += size
    refuse_above(PARQUET_BYTES, whole)


def rows_at_once(data: bytes | Path) -> int:
    """Rows whose texts are unpacked in bounded memory; raises `SessionError` for a long text.

    Only a text of a dictionary is larger unpacked than in the file: dictionaries are read
    alone, and the longest of each column could be in every row.
    """
    import pyarrow as pa  # noqa: PLC0415  # as in refusals
    import pyarrow.compute as pc  # noqa: PLC0415  # as in refusals
    from pyarrow.parquet import ParquetFile  # noqa: PLC0415  # as in refusals

    schema = ParquetFile(_source(data)).schema_arrow
    names = [field.name for field in schema if _is_text(field.type, pa.types)]
    longest = dict.fromkeys(names, 1)
    file = ParquetFile(_source(data), pre_buffer=False, read_dictionary=names)
    for name in names:
        for group in range(file.num_row_groups):
            batches = file.iter_batches(1, row_groups=[group], columns=[name], use_threads=False)
            for column in (batch.columns[0] for batch in islice(batches, 1)):
                texts = column.dictionary if pa.types.is_dictionary(column.type) else column
                found = pc.max(pc.binary_length(texts)).as_py() or 0
                refuse_above(TEXT_LENGTH, found, f"column {quoted(name)}: a text ")
                longest[name] = max(longest[name], found)
    return max(1, min(_AT_ONCE, _BYTES_AT_ONCE // max(1, sum(longest.values()))))


def _is_text(kind: Any, types: Any) -> bool:
    kind = kind.value_type if types.is_dictionary(kind) else kind
    return bool(types.is_string(kind) or types.is_large_string(kind))


def _refuse_duplicates(names: list[str]) -> None:
    if len(set(names)) != len(names):
        raise SessionError("duplicate column")


def _batches(file: Any, most: int) -> Iterator[list[list[Any]]]:
    """The values by column, some rows at once; raises `SessionError` for texts too long."""
    import pyarrow as pa  # noqa: PLC0415  # as in refusals

    columns = [_Column(field.name, pa) for field in file.schema_arrow]
    for batch in file.iter_batches(batch_size=most, use_threads=False):
        yield [column.values(values) for column, values in zip(columns, batch.columns, strict=True)]
        refuse_above(PARQUET_BYTES, sum(one.held for one in columns), "texts: ", at_least=True)


class _Column:
    """Reads one column batch by batch; `held` is the bytes of its texts so far."""

    def __init__(self, name: str, pa: Any) -> None:
        import pyarrow.compute as pc  # noqa: PLC0415  # as in refusals

        self.name, self.held = name, 0
        self._pa, self._compute = pa, pc
        self._words: dict[str, str] = {}

    def values(self, column: Any) -> list[Any]:
        """The values of a batch, times in microseconds; raises `SessionError`."""
        types, kind = self._pa.types, column.type
        if types.is_dictionary(kind):
            column = column.dictionary_decode()
        if types.is_timestamp(kind) and kind.unit == "ns":
            # Python has microseconds; digits beyond are cut, as everywhere.
            column = column.cast(self._pa.timestamp("us", kind.tz), safe=False)
        if types.is_string(column.type) or types.is_large_string(column.type):
            return self._texts(column)
        return _values(self.name, column)

    def _texts(self, column: Any) -> list[str | None]:
        """Return texts; a text of many rows is kept once."""
        coded = column.dictionary_encode()
        is_repeated = 2 * len(coded.dictionary) <= len(column)
        lengths = self._compute.binary_length(coded.dictionary)
        longest = self._compute.max(lengths).as_py() or 0
        refuse_above(TEXT_LENGTH, longest, f"column {quoted(self.name)}: a text ")
        self.held += self._compute.sum(lengths).as_py() or 0
        if not is_repeated:
            return _values(self.name, column)
        words = _values(self.name, coded.dictionary)
        if len(self._words) < _MOST_WORDS:
            words = [self._words.setdefault(word, word) for word in words]
        return [None if one is None else words[one] for one in coded.indices.to_pylist()]


def _required(field: Any, types: Any, *, floats: bool) -> Callable[[Any], Any]:
    kind = field.type.value_type if types.is_dictionary(field.type) else field.type
    convert = _converter(kind, types, floats=floats)
    if convert is None:
        raise SessionError(f"column {quoted(field.name)}: {_unfit(kind, types)}")
    return convert


def _cells(convert: Callable[[Any], Any], values: list[Any]) -> list[Any]:
    return values if convert is str else [None if one is None else convert(one) for one in values]


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
