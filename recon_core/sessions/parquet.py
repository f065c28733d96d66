"""Parquet tables as rows of text, exactly as CSV would give them.

pyarrow is loaded when a Parquet file is read, and only then: it comes with the extra
`parquet`.
"""

import hashlib
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from recon_core.errors import SessionError
from recon_core.model import InputFile
from recon_core.printable import printable
from recon_core.sessions.files import read_bytes

# What pandas calls an index without a name; `to_csv` leaves its header empty.
_UNNAMED_INDEX: Final = "__index_level_0__"


def parquet_rows(path: Path) -> tuple[list[dict[str, str]], InputFile]:
    """The rows of a Parquet file as text, and its evidence; raises `SessionError`.

    An absent value is an empty text. A binary float is never an amount: its text says
    that it is one, so that whoever needs an amount refuses it by name.
    """
    content = read_bytes(path)
    name = printable(path.name)
    columns = [_texts(column) for column in _columns(content, name)]
    rows = [dict(cells) for cells in zip(*columns, strict=True)]
    return rows, InputFile(name, hashlib.sha256(content).hexdigest())


def _columns(content: bytes, name: str) -> list[tuple[str, Any]]:
    try:
        import pyarrow as pa  # noqa: PLC0415  # an extra: most users read no Parquet
        from pyarrow import parquet  # noqa: PLC0415
    except ImportError:
        raise SessionError(
            f"{name}: reading Parquet needs pyarrow; install pytest-recon[parquet], "
            "or write the table as CSV"
        ) from None
    try:
        table = parquet.read_table(pa.BufferReader(content))
    except (pa.ArrowException, OSError, ValueError) as error:
        raise SessionError(f"{name}: is not Parquet: {printable(error, 100)}") from None
    names = ["" if column == _UNNAMED_INDEX else column for column in table.column_names]
    if len(set(names)) != len(names):
        raise SessionError(f"{name}: a column stands twice")
    columns = [_to_microseconds(column, pa) for column in table.columns]
    return list(zip(names, columns, strict=True))


def _to_microseconds(column: Any, pa: Any) -> Any:
    """Times as Python knows them; digits beyond the microsecond are cut, as everywhere."""
    if not pa.types.is_timestamp(column.type) or column.type.unit != "ns":
        return column
    return column.cast(pa.timestamp("us", column.type.tz), safe=False)


def _texts(column: tuple[str, Any]) -> list[tuple[str, str]]:
    name, values = column
    return [(name, _text(value)) for value in values.to_pylist()]


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
