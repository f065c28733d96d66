"""One side by a mapping: its sections, their tables, and the rows that none of them takes.

Every table is read once and its rows are counted by the sections that take them, so that a
row which no section takes is named.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache, partial
from itertools import islice
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from recon_core.model import (
    CashBalance,
    Fill,
    Instrument,
    InstrumentKind,
    LedgerSide,
    Numbers,
    Opening,
    Position,
    SideRecord,
    Snapshot,
)
from recon_core.model.records import WHOLE_FILE, RowLocator
from recon_core.sessions import native_rows, schema
from recon_core.sessions.files import MissingListError
from recon_core.sessions.formats.table_cells import Words
from recon_core.sessions.formats.table_fields import RowReader, fee_movement
from recon_core.sessions.formats.table_rows import (
    arranged,
    words_of,
)
from recon_core.sessions.formats.table_schema import (
    OTHER_SIDES,
    ROW_TYPES,
    MappingFile,
    TableMapping,
)
from recon_core.sessions.formats.table_source import Sources, mapped_tables
from recon_core.sessions.formats.table_states import (
    Key,
    States,
    added,
    refuse_duplicate,
    running,
    state_key,
    without_only_account,
)
from recon_core.sessions.schema import ROW_NAMES
from recon_core.values.amounts import parse_amount
from recon_core.values.errors import SessionError
from recon_core.values.fields import RowList, problem_text
from recon_core.values.printable import printable
from recon_core.values.times import parse_time

_AT_ONCE: Final = 1000
"""Rows that are checked together: the first refused row ends the reading soon."""
_STATES: Final = frozenset({"positions", "cash"})
_EVENTS: Final = ("fills", "orders", "movements")
"""Sections whose rows have a time of day; a state may be that of a whole day."""
_IDS: Final = {"fills": "fill_id", "movements": "movement_id"}
_CONVERTERS: Final[dict[str, Callable[[Any], Any]]] = {
    "fills": native_rows.fill,
    "orders": native_rows.order,
    "positions": native_rows.position,
    "cash": native_rows.balance,
    "movements": native_rows.movement,
}


@cache
def _checker(section: str) -> TypeAdapter[list[Any]]:
    """Return what checks the rows of a section; fills that are plainly right become `Fill`."""
    row_type: Any = ROW_TYPES[section]
    return TypeAdapter(schema.FillRows if section == "fills" else RowList[row_type])


def _located_rows(
    mapping: MappingFile, root: Path, place: Path, given: str | None, section: str
) -> Iterator[tuple[str, Path, int]]:
    return MappedSide.of(mapping, root, place, given).located(section)


@dataclass(slots=True)
class MappedSide:
    """Reads the sections of one mapping and remembers their times, pairs, fees and values."""

    mapping: MappingFile
    words: Words
    sources: Sources
    latest: datetime | None = None
    pairs: dict[str, Instrument] = field(default_factory=dict)
    fees: list[dict[str, Any]] = field(default_factory=list)
    fee_signs: Counter[bool] = field(default_factory=Counter)
    values: dict[str, Decimal] = field(default_factory=dict)

    @classmethod
    def of(
        cls, mapping: MappingFile, root: Path, place: Path, given: str | None = None
    ) -> "MappedSide":
        """Return the reader of a mapping whose paths begin in `place`, inside `root`.

        `given` is the path of every table without one, for shipped formats.
        """
        words = Words.of(mapping)
        return cls(mapping, words, Sources(mapping, words, root, place, given))

    def record(
        self, as_of: datetime | None, notes: Iterable[str]
    ) -> tuple[SideRecord, LedgerSide | None]:
        """Return the side, and the side whose time is its own, if the mapping says so."""
        sections: dict[str, Any] = {}
        for name in ROW_TYPES:
            tables = self._present(name, getattr(self.mapping, name))
            if tables:
                sections[name] = tuple(self._section(name, tables))
        if not sections and self.mapping.snapshots is None:
            raise SessionError(self._no_list())
        if self.fees:
            fees = self._converted("movements", list(enumerate(self.fees, 1)), "fees")
            sections["movements"] = (*(sections.get("movements") or ()), *fees)
        stated = as_of or self.mapping.as_of
        follows = LedgerSide(str(stated)) if stated in OTHER_SIDES else None
        opening, snapshots = self._opening(), self._snapshots()
        # Rows that no section takes are said before the time that they do not give.
        found = tuple(self._notes(has_events=any(map(sections.get, _EVENTS))))
        record = SideRecord(
            as_of=stated if isinstance(stated, datetime) else self._latest(follows),
            source=self.mapping.source,
            numbers=Numbers(self.mapping.numbers),
            opening=opening,
            snapshots=snapshots,
            keeps=native_rows.kept(self.mapping.keeps),
            values=self.values,
            notes=(*notes, *found),
            **sections,
        )
        is_named = self.mapping.accounts == "named"
        return record if is_named else without_only_account(record), follows

    @property
    def locator(self) -> RowLocator:
        """Finder of the rows of the side; it keeps the mapping, and no row."""
        place = self.sources
        return partial(_located_rows, self.mapping, place.root, place.place, place.given)

    def located(self, section: str) -> Iterator[tuple[str, Path, int]]:
        """Yield the rows of a section, as `RowLocator` says, and fees that are movements."""
        sections = dict.fromkeys((section, *(ROW_TYPES if section == "movements" else ())))
        for name in sections:
            for where, table in self._present(name, getattr(self.mapping, name)).items():
                source = self.sources.open(table, where).table
                line_of = source.lines()
                if line_of is None:
                    yield WHOLE_FILE, source.file, 1
                    continue
                for number, row in self._fields(name, table, where):
                    rows = [*([row] if name == section else []), *self.fees]
                    self.fees.clear()
                    names = (one[key] for one in rows for key in ROW_NAMES[section] if key in one)
                    yield from ((each, source.file, line_of(number)) for each in names)

    def _no_list(self) -> str:
        """`ibkr.xml: none of the lists that the mapping names is there; expected Trades/Trade`."""
        given = self.sources.given
        named = "" if given is None else f"{printable(given, 100)}: "
        places = dict.fromkeys(one.at for one in mapped_tables(self.mapping) if one.at is not None)
        listed = printable(" or ".join(places), 200)
        return f"{named}none of the lists that the mapping names is there; expected {listed}"

    def _latest(self, follows: LedgerSide | None) -> datetime:
        if self.latest is None and follows is None:
            raise SessionError(
                "as_of: is missing, and no row of a table states a time; "
                "expected as_of beside the path of the source, or in the mapping"
            )
        return self.latest or datetime.min.replace(tzinfo=UTC)

    # Sections

    def _present(self, name: str, tables: Sequence[TableMapping] | None) -> dict[str, TableMapping]:
        """Return the tables of a section by their place in it, without lists that may miss."""
        found = {}
        for number, table in enumerate(tables or ()):
            where = name if tables is None or len(tables) == 1 else f"{name}[{number}]"
            try:
                self.sources.open(table, where)
            except SessionError as error:
                if isinstance(error, MissingListError) and table.missing == "allowed":
                    continue
                raise SessionError(f"{where}: {error}") from None  # which names the file
            found[where] = table
        return found

    def _section(self, name: str, tables: Mapping[str, TableMapping]) -> Iterator[Any]:
        seen: set[tuple[Any, ...]] = set()
        for where, table in tables.items():
            values = self._values(name, table, where)
            for value in added(values) if table.add else values:
                if name in _STATES:
                    refuse_duplicate(value, seen, where)
                yield value

    def _values(self, name: str, table: TableMapping, where: str) -> Iterator[Any]:
        for part in self._parts(name, table, where):
            yield from self._converted(name, part, self._where(where, table))

    def _where(self, where: str, table: TableMapping) -> str:
        return f"{where}: {printable(self.sources.path(table, where), 100)}"

    def _converted(self, name: str, part: list[tuple[int, Any]], where: str) -> Iterator[Any]:
        """Return the values of some rows; raises `SessionError` with the number of the row."""
        try:
            checked = _checker(name).validate_python([row for _, row in part])
        except ValidationError as error:
            raise SessionError(f"{where}: {_row_problem(error, part)}") from None
        if checked and isinstance(checked[0], Fill):
            return iter(checked)
        return map(_CONVERTERS[name], checked)

    def _parts(
        self, section: str, table: TableMapping, where: str
    ) -> Iterator[list[tuple[int, Any]]]:
        try:
            rows = self._fields(section, table, where)
            while part := list(islice(rows, _AT_ONCE)):
                yield part
        except SessionError as error:
            raise SessionError(f"{self._where(where, table)}: {error}") from None

    def _fields(
        self, section: str, table: TableMapping, where: str
    ) -> Iterator[tuple[int, dict[str, Any]]]:
        reader = RowReader.of(section, table, self.words, self.mapping.quotes or ())
        source = self.sources.open(table, where)
        rows = source.rows(table, self.words, counts=section not in _STATES)
        for number, row in arranged(rows, table, self.words):
            try:
                fields, fees = reader.fields(row)
                self._add_fees(section, fields, fees, number)
            except SessionError as error:
                raise SessionError(f"row {number}: {error}") from None
            self._note_time(fields)
            if section in _STATES:
                fields.pop("time", None)
            if "value" in fields:
                self.values[fields["fill_id"]] = parse_amount(fields.pop("value")).copy_abs()
            self._note_pair(fields)
            yield number, fields

    def _add_fees(
        self, section: str, fields: dict[str, Any], fees: Sequence[Any], number: int
    ) -> None:
        """Give a row its id and its fees: the first fee of a fill is its own."""
        identity = _IDS.get(section)
        if identity is not None:
            fields.setdefault(identity, f"row {number}")
        further = list(fees)
        if section == "fills" and further:
            first = further.pop(0)
            fields |= {"fee": first.amount, "fee_currency": first.currency}
        for fee in further:
            self.fees.append(fee_movement(fields, fee, fields[identity or ""]))
        if "fee" in fields and parse_amount(fields["fee"]):
            self.fee_signs[fields["fee"].startswith("-")] += 1

    def _note_time(self, fields: dict[str, Any]) -> None:
        if "time" in fields:
            time = parse_time(fields["time"])
            self.latest = time if self.latest is None else max(time, self.latest)

    def _note_pair(self, fields: dict[str, Any]) -> None:
        """Make the instrument of a symbol that spells two currencies."""
        symbol, pairs = fields.get("symbol"), self.mapping.pairs
        if pairs is None or symbol is None or symbol in self.pairs:
            return
        base, separator, quote = symbol.partition(pairs.separator)
        if base and separator and quote:
            kind = InstrumentKind(pairs.kind)
            self.pairs[symbol] = Instrument(symbol, kind, base, quote, quote)

    # States

    def _opening(self) -> Opening | None:
        given = self.mapping.opening
        if given is None:
            return None
        positions = self._state("positions", given.positions, "opening.positions")
        cash = self._state("cash", given.cash, "opening.cash")
        return Opening(given.as_of, positions, cash)

    def _state(self, name: str, given: Any, where: str) -> tuple[Any, ...]:
        if isinstance(given, dict):
            make: Any = Position if name == "positions" else CashBalance
            return tuple(make(word, amount) for word, amount in given.items())
        latest, seen, found = self.latest, set[tuple[Any, ...]](), list[Any]()
        for number, table in enumerate(given):
            place = f"{where}[{number}]"
            values = self._values(name, table, place)
            for value in added(values) if table.add else values:
                refuse_duplicate(value, seen, place)
                found.append(value)
        self.latest = latest  # an opening says nothing of the time of the side
        return tuple(found)

    def _snapshots(self) -> tuple[Snapshot, ...] | None:
        given = self.mapping.snapshots
        if given is None:
            return None
        states: States = {}
        reported = [name for name in ("positions", "cash") if getattr(given, name) is not None]
        for name in reported:
            for number, table in enumerate(getattr(given, name)):
                where = f"snapshots.{name}[{number}]"
                for time, key, value in _oldest_first(self._timed(name, table, where)):
                    states.setdefault(time, {}).setdefault(name, []).append((key, value))
        return tuple(running(states, reported))

    def _timed(
        self, name: str, table: TableMapping, where: str
    ) -> Iterator[tuple[datetime, Key, Any]]:
        """Return positions or balances, each with its time and the key that it runs under."""
        if "time" not in table.columns:
            raise SessionError(f"{where}: columns.time: is missing; expected the time of a state")
        source = self.sources.open(table, where)
        reader = RowReader.of(name, table, self.words)
        rows = source.rows(table, self.words, counts=False)
        for number, row in arranged(rows, table, self.words):
            shown = f"{self._where(where, table)}: row {number}"
            try:
                fields, _ = reader.fields(row)
            except SessionError as error:
                raise SessionError(f"{shown}: {error}") from None
            if "time" not in fields:
                raise SessionError(f"{shown}: time: is missing")
            self._note_time(fields)
            time = fields.pop("time")
            values = self._converted(name, [(number, fields)], self._where(where, table))
            value, words = next(iter(values)), words_of(row, table.per or (), self.words)
            yield parse_time(time), (where, *words) if table.add else state_key(value), value

    # Notes

    def _notes(self, *, has_events: bool) -> Iterator[str]:
        if self.fee_signs[True] and not self.fee_signs[False]:
            yield (
                "every fee is negative, which is a rebate; where the source writes costs so, "
                "the mapping needs negate = true"
            )
        if has_events and self.words.clock.only_midnights:
            yield (
                "every time is midnight, so the order of rows within a day is that of the tables; "
                "a column of the time of day may be missing from the mapping"
            )
        yield from self.sources.unclaimed()


def _oldest_first(rows: Iterable[tuple[datetime, Key, Any]]) -> list[tuple[datetime, Key, Any]]:
    """Timed rows in the order of their times: a statement may begin with its newest row."""
    listed = list(rows)
    return listed[::-1] if listed and listed[0][0] > listed[-1][0] else listed


def _row_problem(error: ValidationError, part: list[tuple[int, Any]]) -> str:
    """Return the first problem of checked rows, with the number that the row has in its file."""
    text = problem_text(error)
    place, bracket, problem = text.partition("]")
    if not bracket or not place.startswith("[") or not place[1:].isdecimal():
        return text
    return f"row {part[int(place[1:])][0]}: {problem.removeprefix('.').removeprefix(': ')}"
