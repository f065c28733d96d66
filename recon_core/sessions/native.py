"""Reading a session file: text → checked file model → `RecordedSession`."""

import gc
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from pluggy import PluginManager
from pydantic import TypeAdapter, ValidationError

from recon_core.amounts import ZERO
from recon_core.boundary import FileModel, problem_text
from recon_core.errors import SessionError
from recon_core.model import (
    CashBalance,
    Currency,
    Fill,
    InputFile,
    Instrument,
    InstrumentKind,
    LedgerSide,
    Leg,
    Movement,
    MovementKind,
    Numbers,
    Opening,
    Order,
    OrderSide,
    OrderState,
    Position,
    RecordedSession,
    SessionMode,
    SideRecord,
    Snapshot,
)
from recon_core.printable import printable, quoted
from recon_core.sessions import schema
from recon_core.sessions.files import FileContent, inside, read_text_file
from recon_core.sessions.json_text import parse_json, refuse_deep
from recon_core.sessions.tables import table_rows

_Row = TypeVar("_Row", bound=FileModel)
_Value = TypeVar("_Value")


def read_native_session(path: Path, manager: PluginManager) -> RecordedSession:
    """Read a `recon.session/1` file; raises `SessionError` with one clear line.

    `manager` reads the foreign recordings that the file takes a side from.
    """
    content = read_text_file(path)
    with _without_collecting():
        document = parse_json(content.text, content.name, any_depth=True)
        file = _validated(document, content.name)
    return _session(path, content, file, manager)


@contextmanager
def _without_collecting() -> Iterator[None]:
    """Spare the collector the rows of a large file: none of them is garbage, nor in a cycle."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _session(
    path: Path, content: FileContent, file: schema.SessionFile, manager: PluginManager
) -> RecordedSession:
    reader = _Reader(path, content.name, manager, [content.evidence])
    internal = reader.side(file.internal, LedgerSide.INTERNAL)
    mirrored = isinstance(file.external, schema.MirrorSide)
    external = internal if mirrored else reader.side(file.external, LedgerSide.EXTERNAL)
    return RecordedSession(
        session_id=file.session_id,
        anchor=path,
        strategy_id=file.strategy_id,
        mode=None if file.mode is None else SessionMode(file.mode),
        instruments={**reader.instruments, **_instruments(file.instruments)},
        currencies={**reader.currencies, **_currencies(file.currencies)},
        internal=internal,
        external=external,
        mirrored=mirrored and internal is not None,
        inputs=tuple(reader.inputs),
    )


def _validated(document: Any, name: str) -> schema.SessionFile:
    # No file model nests as deep as that: what is too deep is refused by one of them.
    if not isinstance(document, dict):
        refuse_deep(document, name)
        raise SessionError(f"{name}: is not a session; expected an object with a schema key")
    if document.get("schema") != schema.SCHEMA:
        refuse_deep(document, name)
        stated = document.get("schema")
        shown = quoted(stated) if isinstance(stated, str) else "no text"
        raise SessionError(f"{name}: schema: {shown}; expected {schema.SCHEMA!r}")
    try:
        return schema.SessionFile.model_validate(document)
    except ValidationError as error:
        refuse_deep(document, name)
        raise SessionError(f"{name}: {problem_text(error)}") from None


@dataclass(slots=True)
class _Reader:
    """Reads the sides of one session file and collects what was read on the way."""

    path: Path
    name: str
    manager: PluginManager
    inputs: list[InputFile]
    instruments: dict[str, Instrument] = field(default_factory=dict)
    currencies: dict[str, Currency] = field(default_factory=dict)

    def side(self, table: FileModel | None, side: LedgerSide) -> SideRecord | None:
        if isinstance(table, schema.ForeignSide):
            return self._foreign(table.source, side)
        return self._native(table, side) if isinstance(table, schema.SideTable) else None

    def _native(self, table: schema.SideTable, side: LedgerSide) -> SideRecord:
        where = f"{self.name}: {side}"
        return SideRecord(
            as_of=table.as_of,
            source=table.source,
            numbers=Numbers(table.numbers),
            complete=table.complete,
            positions=self._positions(table.positions, f"{where}.positions"),
            cash=self._cash(table.cash, f"{where}.cash"),
            orders=self._rows(table.orders, schema.OrderRow, _order, f"{where}.orders"),
            fills=self._rows(table.fills, schema.FillRow, _fill, f"{where}.fills"),
            movements=self._rows(
                table.movements, schema.MovementRow, _movement, f"{where}.movements"
            ),
            opening=self._opening(table.opening, f"{where}.opening"),
            snapshots=self._snapshots(table.snapshots, f"{where}.snapshots"),
            counts={} if table.counts is None else table.counts.model_dump(exclude_none=True),
        )

    def _opening(self, table: schema.OpeningTable | None, where: str) -> Opening | None:
        if table is None:
            return None
        return Opening(
            as_of=table.as_of,
            positions=self._positions(table.positions, f"{where}.positions") or (),
            cash=self._cash(table.cash, f"{where}.cash") or (),
        )

    def _snapshots(
        self, tables: list[schema.SnapshotTable] | None, where: str
    ) -> tuple[Snapshot, ...] | None:
        if tables is None:
            return None
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
        rows = self._rows(section, schema.PositionRow, _position, where)
        if rows is not None:
            _refuse_twice(((row.account, row.symbol, row.leg) for row in rows), where)
        return rows

    def _cash(self, section: Any, where: str) -> tuple[CashBalance, ...] | None:
        if isinstance(section, Mapping):
            return tuple(CashBalance(currency, total) for currency, total in section.items())
        rows = self._rows(section, schema.CashRow, _balance, where)
        if rows is not None:
            _refuse_twice(((row.account, row.currency) for row in rows), where)
        return rows

    def _rows(
        self, section: Any, row_type: type[_Row], convert: Callable[[_Row], _Value], where: str
    ) -> tuple[_Value, ...] | None:
        if isinstance(section, schema.TableReference):
            section = self._table(section, row_type, where)
        if section is None:
            return None
        # Fills that were plainly right are no rows any more.
        return tuple(convert(row) if isinstance(row, row_type) else row for row in section)

    def _table(self, reference: schema.TableReference, row_type: Any, where: str) -> Any:
        try:
            content = read_text_file(inside(self.path.parent, reference.path))
            self.inputs.append(content.evidence)
            rows = schema.FillRows if row_type is schema.FillRow else list[row_type]
            return TypeAdapter(rows).validate_python(table_rows(content))
        except SessionError as error:
            raise SessionError(f"{where}: {error}") from None
        except ValidationError as error:
            table = printable(reference.path, 100)
            raise SessionError(f"{where}: {table}: {problem_text(error)}") from None

    def _foreign(self, source: schema.ForeignSource, side: LedgerSide) -> SideRecord:
        where = f"{self.name}: {side}.from"
        try:
            path = inside(self.path.parent, source.path)
            foreign = self.manager.hook.recon_read_session(path=path)
        except SessionError as error:
            raise SessionError(f"{where}: {error}") from None
        if not isinstance(foreign, RecordedSession) or foreign.recording_format != source.format:
            raise SessionError(
                f"{where}: {quoted(source.path, 100)} is no recording of format "
                f"{quoted(source.format)}"
            )
        self.inputs += foreign.inputs
        self.instruments.update(foreign.instruments)
        self.currencies.update(foreign.currencies)
        record = foreign.side(LedgerSide(source.side or side))
        if record is None:
            raise SessionError(f"{where}: the recording has no {source.side or side} side")
        return record


def _position(row: schema.PositionRow) -> Position:
    return Position(row.symbol, row.quantity, row.average_price, row.account, Leg(row.leg))


def _balance(row: schema.CashRow) -> CashBalance:
    return CashBalance(row.currency, row.total, row.free, row.locked, row.account)


def _fill(row: schema.FillRow) -> Fill:
    return Fill(
        fill_id=row.fill_id,
        symbol=row.symbol,
        side=OrderSide(row.side),
        quantity=row.quantity,
        price=row.price,
        time=row.time,
        fee=ZERO if row.fee is None else row.fee,
        fee_currency=row.fee_currency,
        client_order_id=row.client_order_id,
        exchange_order_id=row.exchange_order_id,
        account=row.account,
        leg=Leg(row.leg),
        position_id=row.position_id,
    )


def _order(row: schema.OrderRow) -> Order:
    return Order(
        symbol=row.symbol,
        side=OrderSide(row.side),
        quantity=row.quantity,
        filled_quantity=row.filled_quantity,
        state=OrderState(row.state),
        time=row.time,
        client_order_id=row.client_order_id,
        exchange_order_id=row.exchange_order_id,
        order_type=row.type,
        price=row.price,
        account=row.account,
    )


def _movement(row: schema.MovementRow) -> Movement:
    return Movement(
        movement_id=row.movement_id,
        movement_kind=MovementKind(row.kind),
        time=row.time,
        currency=row.currency,
        amount=row.amount,
        symbol=row.symbol,
        quantity=row.quantity,
        account=row.account,
    )


def _instruments(tables: Mapping[str, schema.InstrumentTable]) -> dict[str, Instrument]:
    return {
        symbol: Instrument(
            symbol=symbol,
            instrument_kind=InstrumentKind(table.kind),
            base=table.base,
            quote=table.quote,
            settlement=table.settlement or (table.base if table.kind == "inverse" else table.quote),
            multiplier=Decimal(1) if table.multiplier is None else table.multiplier,
            quantity_increment=table.quantity_increment,
        )
        for symbol, table in tables.items()
    }


def _currencies(tables: Mapping[str, schema.CurrencyTable]) -> dict[str, Currency]:
    return {code: Currency(code, table.precision) for code, table in tables.items()}


def _refuse_twice(keys: Iterable[tuple[Any, ...]], where: str) -> None:
    """The same position or balance twice on one side is a format error."""
    seen: set[tuple[Any, ...]] = set()
    for key in keys:
        if key in seen:
            shown = ", ".join(printable(part, 60) for part in key if part is not None)
            raise SessionError(f"{where}: {shown} stands twice; expected each key once")
        seen.add(key)
