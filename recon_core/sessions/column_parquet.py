"""Parquet tables in columns: DuckDB reads them where they are.

A column is taken where pyarrow, by which rows are read, and DuckDB see the same type in it.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from recon_core.columns.database import ColumnsError, answer
from recon_core.columns.parquet_table import ParquetTable
from recon_core.columns.table_columns import Amount, RowKind, TableColumns, surveyed
from recon_core.columns.texts import amount_of_text, time_of_text
from recon_core.sessions.column_names import require_rows
from recon_core.sessions.parquet import opened, refusals, rows_at_once
from recon_core.values.limits import PARQUET_BYTES, TEXT_LENGTH, refuse_above

_UTC: Final = frozenset({"UTC", "Etc/UTC", "+00:00"})
_UNITS: Final = frozenset({"s", "ms", "us"})


def parquet_columns(path: Path, name: str, kind: RowKind) -> tuple[TableColumns, str]:
    """Return the columns of a table and the SHA-256 of its file.

    Raises `ColumnsError` where rows are read instead, or `SessionError` for what these refuse.
    """
    with refusals(name):
        file = opened(path)
        require_rows(kind, file.schema_arrow.names, file.metadata.num_rows)
        parts = -(-file.metadata.num_rows // rows_at_once(path)) + file.metadata.num_row_groups
        columns = _columns(path, name, kind, list(file.schema_arrow))
    with path.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    found = surveyed(columns, TEXT_LENGTH.most)
    refuse_above(PARQUET_BYTES, _bytes_of_texts(found, parts))
    return found, digest


def _bytes_of_texts(columns: TableColumns, parts: int) -> int:
    """The most that the texts are which rows hold: a word is held once in each part."""
    words = [columns.words(name) for name in columns.kind.words]
    words += map(set, columns.kind.choices.values())
    lengths = sum(len(word.encode()) for each in words for word in each)
    return columns.bytes_of_ids + parts * lengths


def _columns(path: Path, name: str, kind: RowKind, fields: list[Any]) -> TableColumns:
    table = ParquetTable(path)
    types = {row[0]: row[1] for row in answer(f"DESCRIBE SELECT * FROM {table.source}")}
    reader = _Fields(table, types)
    return TableColumns(
        kind=kind,
        name=name,
        path=path,
        source=table.source,
        number=table.number,
        texts={one.name: reader.text(one) for one in fields if one.name in kind.texts},
        amounts={one.name: reader.amount(one) for one in fields if one.name in kind.amounts},
        time=reader.time(fields),
        raw_time=reader.raw_time(fields),
    )


@dataclass(frozen=True, slots=True)
class _Fields:
    """Columns of a Parquet file as SQL, where pyarrow and DuckDB see the same type in them."""

    table: ParquetTable
    types: dict[str, str]

    def text(self, field: Any) -> str:
        """A column of text; raises `ColumnsError`."""
        if not (_is_text(field.type) and self.types[field.name] == "VARCHAR"):
            raise ColumnsError(f"{field.name} is no text")
        return self.table.column(field.name)

    def amount(self, field: Any) -> Amount:
        """A column of amounts: decimals, integers or text; raises `ColumnsError`."""
        import pyarrow as pa  # noqa: PLC0415  # an extra, which the caller has

        sql, kind = self.table.column(field.name), field.type
        if pa.types.is_decimal(kind):
            digits, places = kind.precision, kind.scale
            if self.types[field.name] == f"DECIMAL({digits},{places})" and 0 <= places <= _MOST:
                if digits == places:  # without a digit before the point DuckDB writes .5
                    digits += 1
                    sql = f"{sql}::DECIMAL({digits}, {places})"
                return Amount(sql, digits, places, f"{sql}::VARCHAR")
        if pa.types.is_integer(kind) and self.types[field.name].endswith("INT"):
            return Amount(f"{sql}::DECIMAL(20, 0)", 20, 0, f"{sql}::VARCHAR")
        if _is_text(kind) and self.types[field.name] == "VARCHAR":
            return amount_of_text(sql, self.table.source)
        raise ColumnsError(f"{field.name} is no amount")

    def time(self, fields: list[Any]) -> str:
        """The time in microseconds; raises `ColumnsError` where it is not plainly in UTC."""
        import pyarrow as pa  # noqa: PLC0415  # as above

        (field,) = (field for field in fields if field.name == "time")
        if _is_text(field.type):
            return time_of_text(self.text(field))
        kind = field.type
        is_plain = pa.types.is_timestamp(kind) and kind.unit in _UNITS and kind.tz in _UTC
        if is_plain and self.types["time"] == "TIMESTAMP WITH TIME ZONE":
            return f"epoch_us({self.table.column('time')})"
        raise ColumnsError("time is not in UTC")

    def raw_time(self, fields: list[Any]) -> str | None:
        """The time as text, where it is written as one."""
        is_text = any(field.name == "time" and _is_text(field.type) for field in fields)
        return self.table.column("time") if is_text else None


_MOST: Final = 30
"""Decimals of an amount."""


def _is_text(kind: Any) -> bool:
    import pyarrow as pa  # noqa: PLC0415  # as above

    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))
