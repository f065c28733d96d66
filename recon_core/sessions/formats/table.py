"""Tables in general as one side: CSV, JSON Lines and Parquet, by a mapping in TOML.

The mapping says which column of which table is which field of a session file; the
fields are then checked like those of a session file. Tables lie in the session's
directory, their paths are relative to the mapping.
"""

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from recon_core.model import CashBalance, InputFile, Numbers, Opening, Position, SideRecord
from recon_core.sessions import native_rows
from recon_core.sessions.files import read_bytes
from recon_core.sessions.foreign import SideSource, TakenSide
from recon_core.sessions.formats.limits import limits_note
from recon_core.sessions.formats.table_cells import Words, kept, mapped_row
from recon_core.sessions.formats.table_schema import ROW_TYPES, MappingFile, TableMapping
from recon_core.sessions.tables import Table, checked_parts, read_table
from recon_core.values.amounts import NumberText
from recon_core.values.errors import SessionError
from recon_core.values.fields import RowList, problem_text
from recon_core.values.limits import TOML_BYTES
from recon_core.values.printable import printable, quoted
from recon_core.values.times import parse_time
from recon_core.values.toml_text import TomlError, parse_toml

FORMAT: Final = "table"
CANNOT_KNOW: Final = (
    "columns and tables that the mapping leaves out",
    "rows that the tables have lost",
    "movements",
)
"""Facts that tables of this format do not state."""

_CONVERTERS: Final[dict[str, Any]] = {
    "fills": native_rows.fill,
    "orders": native_rows.order,
    "positions": native_rows.position,
    "cash": native_rows.balance,
}


def read_side(source: SideSource) -> TakenSide:
    """Read the side that the mapping at a path describes; raises `SessionError`."""
    content = read_bytes(source.path, TOML_BYTES)
    root = source.directory.resolve()
    name = printable(source.path.resolve().relative_to(root).as_posix())
    try:
        mapping = _mapping(content)
        reader = _Reader(mapping, Words.of(mapping), root, source.path.resolve().parent)
        record = reader.record(source.as_of)
    except SessionError as error:
        raise SessionError(f"{name}: {error}") from None
    return TakenSide(
        record=record,
        inputs=(
            InputFile(name, hashlib.sha256(content).hexdigest()),
            *(table.evidence for table in reader.tables.values()),
        ),
        instruments=native_rows.instruments(mapping.instruments),
        currencies=native_rows.currencies(mapping.currencies),
    )


def _mapping(content: bytes) -> MappingFile:
    try:
        document = parse_toml(content, NumberText)
        mapping = MappingFile.model_validate(_amounts_as_text(document))
    except TomlError as error:
        raise SessionError(str(error)) from None
    except ValidationError as error:
        raise SessionError(problem_text(error)) from None
    if not any(_sections(mapping)):
        raise SessionError(f"maps nothing; expected one of {', '.join(ROW_TYPES)}")
    return mapping


def _amounts_as_text(value: Any) -> Any:
    """Integers as the text that amounts are read from; floats came as text."""
    if isinstance(value, dict):
        return {name: _amounts_as_text(inner) for name, inner in value.items()}
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return NumberText(str(value)) if is_number else value


def _sections(mapping: MappingFile) -> Iterator[str]:
    return (name for name in ROW_TYPES if getattr(mapping, name) is not None)


@dataclass(slots=True)
class _Reader:
    """Reads the tables of one mapping and remembers their times and their hashes."""

    mapping: MappingFile
    words: Words
    root: Path
    place: Path
    tables: dict[str, Table] = field(default_factory=dict)
    times: list[datetime] = field(default_factory=list)

    def record(self, as_of: datetime | None) -> SideRecord:
        sections: dict[str, Any] = {
            name: tuple(self._section(name)) for name in _sections(self.mapping)
        }
        return SideRecord(
            as_of=as_of or self.mapping.as_of or self._latest(),
            source=self.mapping.source,
            numbers=Numbers(self.mapping.numbers),
            opening=self._opening(),
            keeps=native_rows.kept(self.mapping.keeps),
            notes=(limits_note(FORMAT, CANNOT_KNOW),),
            **sections,
        )

    def _opening(self) -> Opening | None:
        given = self.mapping.opening
        if given is None:
            return None
        positions = tuple(Position(name, amount) for name, amount in given.positions.items())
        cash = tuple(CashBalance(name, amount) for name, amount in given.cash.items())
        return Opening(given.as_of, positions, cash)

    def _latest(self) -> datetime:
        if not self.times:
            raise SessionError("as_of: is missing, and no table states a time")
        return max(self.times)

    def _section(self, name: str) -> Iterator[Any]:
        seen: set[tuple[Any, ...]] = set()
        for number, table in enumerate(getattr(self.mapping, name)):
            where = f"{name}[{number}]" if len(getattr(self.mapping, name)) > 1 else name
            rows = self._rows(name, table, where)
            for value in map(_CONVERTERS[name], rows):
                if name in ("positions", "cash"):
                    _refuse_duplicate(value, seen, where)
                yield value

    def _rows(self, section: str, table: TableMapping, where: str) -> Iterator[Any]:
        self._require_fields(section, table, where)
        row_type: Any = ROW_TYPES[section]
        try:
            fields = self._fields(section, self._table(table.path), table)
            for part in checked_parts(fields, RowList[row_type]):
                yield from part
        except SessionError as error:
            raise SessionError(f"{where}: {printable(table.path, 100)}: {error}") from None

    def _require_fields(self, section: str, table: TableMapping, where: str) -> None:
        known = {*ROW_TYPES[section].model_fields, "time"}
        for name in (*table.columns, *table.constants):
            if name not in known:
                expected = ", ".join(sorted(known))
                raise SessionError(f"{where}: {quoted(name)} is no field; expected {expected}")
        both = sorted(table.columns.keys() & table.constants.keys())
        if both:
            raise SessionError(f"{where}: {quoted(both[0])} has a column and a constant")

    def _table(self, path: str) -> Table:
        located = str(self.place.relative_to(self.root) / path)
        if located not in self.tables:
            self.tables[located] = read_table(self.root, located, floats=self.words.floats)
        return self.tables[located]

    def _fields(self, section: str, read: Table, table: TableMapping) -> Iterator[dict[str, Any]]:
        for count, row in self._wanted(read, table):
            try:
                fields = mapped_row(row, table, self.words, has_side=section in ("fills", "orders"))
            except SessionError as error:
                raise SessionError(f"row {count}: {error}") from None
            if "time" in fields:
                self.times.append(parse_time(fields["time"]))
            if section in ("positions", "cash"):
                fields.pop("time", None)
            if section == "fills":
                fields.setdefault("fill_id", f"row {count}")
            yield fields

    def _wanted(self, read: Table, table: TableMapping) -> Iterable[tuple[int, Any]]:
        rows = iter(enumerate(read.read(), 1))
        first = next(rows, None)
        if first is None:
            return ()
        _require_columns(read, table)
        wanted = (pair for pair in chain([first], rows) if kept(pair[1], table))
        return deque(wanted, 1) if table.rows == "last" else wanted


def _require_columns(read: Table, table: TableMapping) -> None:
    """A column that the table has not is a mistake in the mapping, not an absent value."""
    named = {column for columns in table.columns.values() for column in columns} | {*table.where}
    missing = sorted(named - read.columns)
    if missing:
        known = ", ".join(printable(name, 40) for name in sorted(read.columns)[:20])
        raise SessionError(f"has no column {quoted(missing[0])}; there are {known}")


def _refuse_duplicate(value: Any, seen: set[tuple[Any, ...]], where: str) -> None:
    name = getattr(value, "symbol", None) or getattr(value, "currency", "")
    key = (name, value.account, getattr(value, "leg", None))
    if key in seen:
        raise SessionError(f"{where}: duplicate {printable(name, 60)}; expected each key once")
    seen.add(key)
