"""Reading a session file: text → checked file model → `RecordedSession`."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

from pluggy import PluginManager
from pydantic import ValidationError

from recon_core.model import (
    SECTIONS,
    CashBalance,
    Currency,
    Fill,
    InputFile,
    Instrument,
    LedgerSide,
    Movement,
    Numbers,
    Opening,
    Order,
    Position,
    RecordedSession,
    SessionMode,
    SideRecord,
    Snapshot,
)
from recon_core.sessions import native_rows, schema
from recon_core.sessions.directory_search import NATIVE_SUFFIX
from recon_core.sessions.fast_rows import NOT_PLAIN, ReadBefore
from recon_core.sessions.files import (
    FileContent,
    file_head,
    inside,
    read_text_file,
    unforeseen_refused,
)
from recon_core.sessions.json_text import parse_json, refuse_deep, refuse_many
from recon_core.sessions.known_prices import with_known_prices
from recon_core.sessions.tables import checked_parts, read_table
from recon_core.values.errors import ReconError, SessionError
from recon_core.values.fields import FileModel, RowList, problem_text
from recon_core.values.memory import without_collecting
from recon_core.values.printable import printable, quoted
from recon_core.values.suggestions import did_you_mean

_ZIP: Final = b"PK\3\4"
"""First bytes of a zip."""
_LONG: Final = 200_000
"""Characters from which on msgspec, whose import takes 20 ms, is worth it: some 1,000 fills."""
_Row = TypeVar("_Row", bound=FileModel)
_Value = TypeVar("_Value")


def read_native_session(path: Path, manager: PluginManager) -> RecordedSession:
    """Read a `recon.session/1` file; raises `SessionError` with one clear line.

    `manager` reads the foreign recordings that the file takes a side from.
    """
    name = printable(path.name)
    with unforeseen_refused(name):
        file, evidence = _checked(path)
    return _session(path, file, _Reader(path, name, manager, [evidence]))


def ledger_of_session(path: Path, manager: PluginManager) -> SideRecord | None:
    """Read the internal side of a session file alone; raises `SessionError`.

    The external side may be what is yet to be asked for.
    """
    name = printable(path.name)
    with unforeseen_refused(name):
        file, evidence = _checked(path)
    return _Reader(path, name, manager, [evidence]).side(file.internal, LedgerSide.INTERNAL)


def external_source(path: Path) -> tuple[str, Path] | None:
    """Return format and path of a recording that is the external side; raises `SessionError`.

    No file of it is opened.
    """
    name = printable(path.name)
    with unforeseen_refused(name):
        external = _checked(path)[0].external
    if not isinstance(external, schema.ForeignSide):
        return None
    try:
        return external.source.format, inside(path.parent, external.source.path)
    except ReconError as error:
        raise SessionError(f"{name}: external.from: {error}") from None


def _checked(path: Path) -> tuple[schema.SessionFile, InputFile]:
    if file_head(path, len(_ZIP)) == _ZIP:
        name = printable(path.name)
        raise SessionError(f"{name}: is a zip without a backtest result; expected a session file")
    content = read_text_file(path)
    if path.suffix != ".json" and not content.text.lstrip().startswith("{"):
        raise SessionError(f"{content.name}: is no session file{_hint(content.name)}")
    with without_collecting():
        file = _with_plain_fills(content)
        if file is None:
            document = parse_json(content.text, content.name, any_depth=True)
            file = _validated(document, content.name)
        return file, content.evidence


def _with_plain_fills(content: FileContent) -> schema.SessionFile | None:
    """A long session whose fills are plainly right; `None` for any other, and what is wrong."""
    if len(content.text) < _LONG:
        return None
    refuse_many(content.text, content.name)
    from recon_core.sessions.json_fills import without_fills  # noqa: PLC0415  # brings msgspec

    try:
        cut = without_fills(content.text)
        if cut is None:
            return None
        document = parse_json(cut.rest, content.name, any_depth=True)
        cut.put_back(document)
        return _validated(document, content.name)
    except (SessionError, *NOT_PLAIN):
        return None


def _hint(name: str) -> str:
    """Advice on a file that a venue wrote; empty for one that is called as a session is."""
    if name.endswith(NATIVE_SUFFIX):
        return ""
    return (
        "; a statement or a table is taken with from, and "
        f"recon formats {name} says if it is in a shipped format"
    )


def _session(path: Path, file: schema.SessionFile, reader: "_Reader") -> RecordedSession:
    internal = reader.side(file.internal, LedgerSide.INTERNAL)
    mirrored = isinstance(file.external, schema.MirrorSide)
    external = internal if mirrored else reader.side(file.external, LedgerSide.EXTERNAL)
    internal, external = reader.timed(internal, external)
    if not mirrored:
        internal, external = (
            with_known_prices(internal, external),
            with_known_prices(external, internal),
        )
    return RecordedSession(
        session_id=file.session_id,
        anchor=path,
        strategy_id=file.strategy_id,
        mode=None if file.mode is None else SessionMode(file.mode),
        instruments={**reader.instruments, **native_rows.instruments(file.instruments)},
        currencies={**reader.currencies, **native_rows.currencies(file.currencies)},
        internal=internal,
        external=external,
        mirrored=mirrored and internal is not None,
        inputs=tuple(reader.inputs),
    )


def _validated(document: Any, name: str) -> schema.SessionFile:
    # No file model nests as deep as that: what is too deep is refused by one of them.
    if not isinstance(document, dict):
        refuse_deep(document, name)
        raise SessionError(
            f"{name}: is not a session; expected an object with a schema key{_hint(name)}"
        )
    if document.get("schema") != schema.SCHEMA:
        refuse_deep(document, name)
        stated = document.get("schema")
        shown = quoted(stated) if isinstance(stated, str) else "is not text"
        shown = shown if "schema" in document else "is missing"
        hint = "" if "schema" in document else _hint(name)
        raise SessionError(f"{name}: schema: {shown}; expected {schema.SCHEMA!r}{hint}")
    try:
        return schema.SessionFile.model_validate(document, context=ReadBefore())
    except ValidationError as error:
        refuse_deep(document, name)
        raise SessionError(f"{name}: {problem_text(error, model=schema.SessionFile)}") from None


@dataclass(slots=True)
class _Reader:
    """Reads the sides of one session file and collects what was read on the way."""

    path: Path
    name: str
    manager: PluginManager
    inputs: list[InputFile]
    instruments: dict[str, Instrument] = field(default_factory=dict)
    currencies: dict[str, Currency] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    follows: dict[LedgerSide, LedgerSide] = field(default_factory=dict)
    floats: bool = False

    def side(self, table: FileModel | None, side: LedgerSide) -> SideRecord | None:
        if isinstance(table, schema.ForeignSide):
            return self._foreign(table.source, side)
        return self._native(table, side) if isinstance(table, schema.SideTable) else None

    def timed(
        self, internal: SideRecord | None, external: SideRecord | None
    ) -> tuple[SideRecord | None, SideRecord | None]:
        """Return the sides, one without a time of its own at the time of the other.

        A row that is later than the other side keeps the side as late as the row.
        """
        sides = {LedgerSide.INTERNAL: internal, LedgerSide.EXTERNAL: external}
        for side, other in self.follows.items():
            record, model = sides[side], sides[other]
            if record is None or model is None or model is record or other in self.follows:
                raise SessionError(
                    f"{self.name}: {side}.from: as_of: '{other}' is no time of its own; "
                    "expected the other side, and one that states its time"
                )
            sides[side] = replace(record, as_of=max(record.as_of, model.as_of))
        return sides[LedgerSide.INTERNAL], sides[LedgerSide.EXTERNAL]

    def _native(self, table: schema.SideTable, side: LedgerSide) -> SideRecord:
        where = f"{self.name}: {side}"
        self.floats = Numbers(table.numbers) is Numbers.FLOAT
        return SideRecord(
            as_of=table.as_of,
            source=table.source,
            numbers=Numbers(table.numbers),
            complete=table.complete,
            positions=self._positions(table.positions, f"{where}.positions"),
            cash=self._cash(table.cash, f"{where}.cash"),
            orders=self._large(
                table.orders, Order, schema.OrderRow, native_rows.order, f"{where}.orders"
            ),
            fills=self._large(
                table.fills, Fill, schema.FillRow, native_rows.fill, f"{where}.fills"
            ),
            movements=self._large(
                table.movements,
                Movement,
                schema.MovementRow,
                native_rows.movement,
                f"{where}.movements",
            ),
            opening=self._opening(table.opening, f"{where}.opening"),
            snapshots=self._snapshots(table.snapshots, f"{where}.snapshots"),
            counts={} if table.counts is None else table.counts.model_dump(exclude_none=True),
            keeps=native_rows.kept(table.keeps),
            miscounts=tuple(table.miscounts),
            origins=self._origins(where),
        )

    def _origins(self, where: str) -> dict[str, str]:
        """Return the file of each section of a side that was read from a table."""
        found = {section: self.origins.get(f"{where}.{section}") for section in SECTIONS}
        return {section: origin for section, origin in found.items() if origin is not None}

    def _opening(self, table: schema.OpeningTable | None, where: str) -> Opening | None:
        if table is None:
            return None
        return Opening(
            as_of=table.as_of,
            positions=self._positions(table.positions, f"{where}.positions") or (),
            cash=self._cash(table.cash, f"{where}.cash") or (),
        )

    def _snapshots(self, section: Any, where: str) -> tuple[Snapshot, ...] | None:
        if section is None:
            return None
        tables: list[schema.SnapshotTable] = section
        if isinstance(section, schema.TableReference):
            tables = list(self._table(section, schema.SnapshotTable, _itself, where))
        return tuple(
            Snapshot(
                as_of=table.as_of,
                positions=self._positions(table.positions, f"{where}[{number}].positions"),
                cash=self._cash(table.cash, f"{where}[{number}].cash"),
            )
            for number, table in enumerate(tables)
        )

    def _positions(self, section: Any, where: str) -> tuple[Position, ...] | None:
        if isinstance(section, Mapping):
            return tuple(Position(symbol, quantity) for symbol, quantity in section.items())
        rows = self._rows(section, schema.PositionRow, native_rows.position, where)
        if rows is not None:
            native_rows.refuse_duplicates(map(native_rows.state_key, rows), where)
        return rows

    def _cash(self, section: Any, where: str) -> tuple[CashBalance, ...] | None:
        if isinstance(section, Mapping):
            return tuple(CashBalance(currency, total) for currency, total in section.items())
        rows = self._rows(section, schema.CashRow, native_rows.balance, where)
        if rows is not None:
            native_rows.refuse_duplicates(map(native_rows.state_key, rows), where)
        return rows

    def _large(
        self,
        section: Any,
        value_type: type[_Value],
        row_type: type[_Row],
        convert: Callable[[_Row], _Value],
        where: str,
    ) -> Sequence[_Value] | None:
        """Return rows, those of a large table in columns if all of it is plainly right."""
        if isinstance(section, schema.TableReference) and not self.floats:
            from recon_core.sessions.column_tables import column_table  # noqa: PLC0415  # for tables

            name = printable(section.path, 100)
            plain = partial(
                _plain_rows, row_type=row_type, convert=convert, where=f"{where}: {name}: "
            )
            taken = column_table(self.path.parent, section.path, value_type, plain)
            if taken is not None:
                self.inputs.append(taken[1])
                self.origins[where] = str(inside(self.path.parent, section.path))
                return taken[0]
        return self._rows(section, row_type, convert, where)

    def _rows(
        self, section: Any, row_type: type[_Row], convert: Callable[[_Row], _Value], where: str
    ) -> tuple[_Value, ...] | None:
        if isinstance(section, schema.TableReference):
            return tuple(self._table(section, row_type, convert, where))
        return None if section is None else tuple(_converted(section, row_type, convert))

    def _table(
        self, reference: schema.TableReference, row_type: Any, convert: Any, where: str
    ) -> Iterator[Any]:
        """The values of a table, part by part: the first refused row ends the reading."""
        name = printable(reference.path, 100)
        try:
            with unforeseen_refused(name):
                table = read_table(self.path.parent, reference.path, floats=self.floats)
                self.inputs.append(table.evidence)
                _refuse_other_columns(table.header or (), row_type, name)
                self.origins[where] = str(inside(self.path.parent, reference.path))
                for part in checked_parts(table.read(), _row_list(row_type), f"{name}: "):
                    yield from _converted(part, row_type, convert)
        except ReconError as error:
            raise SessionError(f"{where}: {error}") from None

    def _foreign(self, source: schema.ForeignSource, side: LedgerSide) -> SideRecord:
        from recon_core.sessions.foreign import SideSource, take_side  # noqa: PLC0415  # only here

        directory = self.path.parent
        try:
            taken = take_side(
                SideSource(
                    path=inside(directory, source.path),
                    directory=directory,
                    recording_format=source.format,
                    side=LedgerSide(source.side or side),
                    as_of=source.as_of,
                ),
                self.manager,
            )
        except ReconError as error:
            raise SessionError(f"{self.name}: {side}.from: {error}") from None
        self.inputs += taken.inputs
        self.instruments.update(taken.instruments)
        self.currencies.update(taken.currencies)
        if taken.follows is not None:
            self.follows[side] = taken.follows
        return taken.record


def _plain_rows(
    rows: Iterable[dict[str, Any]], *, row_type: type[_Row], convert: Any, where: str
) -> Iterator[Any]:
    """Yield the values of rows of a table."""
    for part in checked_parts(rows, _row_list(row_type), where):
        yield from _converted(part, row_type, convert)


def _row_list(row_type: Any) -> Any:
    """The type of many rows; plain fills are read without a file model each."""
    return schema.FillRows if row_type is schema.FillRow else RowList[row_type]


def _converted(rows: list[Any], row_type: type[_Row], convert: Callable[[Any], Any]) -> Any:
    """The values of checked rows; fills that were plainly right are no rows any more."""
    return map(convert, rows) if rows and isinstance(rows[0], row_type) else rows


def _itself(table: schema.SnapshotTable) -> schema.SnapshotTable:
    return table


def _refuse_other_columns(header: Iterable[str], row_type: type[FileModel], name: str) -> None:
    """Refuse a table with a column that is no field of its rows."""
    columns = [column for column in header if column not in row_type.model_fields]
    if not columns:
        return
    column = min(columns)
    shown = f"{name}: column {quoted(column)} is no field"
    separator = next((mark for mark in ";\t|" if mark in column), None)
    if separator is not None:
        raise SessionError(f"{shown}; expected columns between commas, not {separator!r}")
    raise SessionError(f"{shown}; {did_you_mean(column, row_type.model_fields)}")
