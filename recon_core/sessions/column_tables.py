"""Large tables of fills beside a session file, taken in columns instead of row by row.

A table is taken where all of it is plainly right. Any other is left to the rows, which say what is
wrong with it: a limit, a type, a value. So a table is refused with the same words either way.
"""

import hashlib
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from recon_core.columns.column_fills import ColumnFills, Convert, Rows
from recon_core.columns.database import ColumnsError, asked, is_installed, text
from recon_core.columns.fill_columns import (
    AMOUNTS,
    TEXTS,
    Amount,
    FillColumns,
    quoted_name,
    surveyed,
)
from recon_core.columns.texts import amount_of_text, time_of_text
from recon_core.model import InputFile
from recon_core.sessions.files import inside
from recon_core.sessions.parquet import opened, refusals, rows_at_once
from recon_core.values.errors import ReconError
from recon_core.values.limits import (
    COLUMN_ROWS,
    FILE_BYTES,
    PARQUET_BYTES,
    TEXT_LENGTH,
    refuse_above,
)
from recon_core.values.printable import printable

_PATTERN: Final = frozenset("*?[]{}")
"""Characters with which DuckDB reads a path as a pattern of several files."""
_REQUIRED: Final = frozenset({"fill_id", "symbol", "side", "quantity", "price", "time"})
_KNOWN: Final = frozenset({*TEXTS, *AMOUNTS, "time"})
_UTC: Final = frozenset({"UTC", "Etc/UTC", "+00:00"})
_UNITS: Final = frozenset({"s", "ms", "us"})


def column_fills(
    directory: Path, relative: str, convert: Convert
) -> tuple[ColumnFills, InputFile] | None:
    """Return the fills of a table in columns and its evidence, `None` where rows are read.

    `convert` makes fills of rows as the file has them.
    """
    try:
        path = inside(directory, relative)
        if not _is_parquet(path):
            return None
        name = printable(Path(relative).as_posix(), 200)
        with refusals(name):
            found = _taken(path, name)
        if found is None:
            return None
        evidence = InputFile(name, _sha256(path))
        columns = surveyed(found.columns, TEXT_LENGTH.most)
        refuse_above(PARQUET_BYTES, found.bytes_of_texts())
    except (ColumnsError, ReconError, OSError):
        return None
    return ColumnFills(columns, Rows(columns, convert)), evidence


def _is_parquet(path: Path) -> bool:
    """True if there is a regular Parquet file of a size that is read at all."""
    if path.suffix != ".parquet" or not _PATTERN.isdisjoint(str(path)):
        return False
    status = path.stat()
    return stat.S_ISREG(status.st_mode) and status.st_size <= FILE_BYTES.most


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass(frozen=True, slots=True)
class _Taken:
    """The columns of a Parquet file, and the number of parts in which its rows would be read."""

    columns: FillColumns
    parts: int

    def bytes_of_texts(self) -> int:
        """The most that the texts are which rows would hold: a word is held once in each part."""
        words = (
            sum(len((getattr(group, name) or "").encode()) for group in self.columns.groups)
            for name in ("symbol", "fee_currency", "account", "leg")
        )
        return self.columns.bytes_of_ids + self.parts * (sum(words) + len("BUYSELL"))


def _taken(path: Path, name: str) -> _Taken | None:
    file = opened(path)
    fields, metadata = list(file.schema_arrow), file.metadata
    names = {field.name for field in fields}
    is_large = metadata.num_rows >= COLUMN_ROWS.most
    if not (is_large and names >= _REQUIRED and names <= _KNOWN and is_installed()):
        return None
    source = f"read_parquet({text(str(path))}, hive_partitioning = false, file_row_number = true)"
    types = {row[0]: row[1] for row in asked(f"DESCRIBE SELECT * FROM {source}").fetchall()}
    reader = _Fields(source, types)
    columns = FillColumns(
        name=name,
        path=path,
        source=source,
        number="file_row_number",
        texts={field.name: reader.text(field) for field in fields if field.name in TEXTS},
        amounts={field.name: reader.amount(field) for field in fields if field.name in AMOUNTS},
        time=reader.time(fields),
        raw_time=reader.raw_time(fields),
    )
    return _Taken(columns, -(-metadata.num_rows // rows_at_once(path)) + metadata.num_row_groups)


@dataclass(frozen=True, slots=True)
class _Fields:
    """Columns of a Parquet file as SQL, where pyarrow and DuckDB see the same type in them."""

    source: str
    types: dict[str, str]

    def text(self, field: Any) -> str:
        """A column of text; raises `ColumnsError`."""
        if not (_is_text(field.type) and self.types[field.name] == "VARCHAR"):
            raise ColumnsError(f"{field.name} is no text")
        return quoted_name(field.name)

    def amount(self, field: Any) -> Amount:
        """A column of amounts: decimals, integers or text; raises `ColumnsError`."""
        import pyarrow as pa  # noqa: PLC0415  # an extra, which the caller has

        sql, kind = quoted_name(field.name), field.type
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
            return amount_of_text(sql, self.source, lambda query: asked(query).fetchall())
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
            return 'epoch_us("time")'
        raise ColumnsError("time is not in UTC")

    def raw_time(self, fields: list[Any]) -> str | None:
        """The time as text, where it is written as one."""
        return '"time"' if any(f.name == "time" and _is_text(f.type) for f in fields) else None


_MOST: Final = 30
"""Decimals of an amount."""


def _is_text(kind: Any) -> bool:
    import pyarrow as pa  # noqa: PLC0415  # as above

    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))
