"""A result of LEAN as a session: its order events on one side, its own statements on the other."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

from recon_core.model import (
    CashBalance,
    Fill,
    InputFile,
    Opening,
    Position,
    RecordedSession,
    SessionMode,
    SideRecord,
    View,
)
from recon_core.model.records import RowLocator
from recon_core.sessions.files import FileContent, exists, read_text_file
from recon_core.sessions.formats import rows
from recon_core.sessions.formats.lean_rows import (
    FillEvent,
    LeanOrder,
    event_ids,
    fields,
    names_of,
    read_event,
    read_order,
    signed,
    time_of,
)
from recon_core.sessions.formats.lean_totals import Totals
from recon_core.sessions.json_places import (
    after_space,
    elements,
    line_counter,
    members,
    place_of,
)
from recon_core.sessions.json_text import parse_json
from recon_core.sessions.unjudged_paths import listed as names
from recon_core.values.amounts import EXACT, ZERO
from recon_core.values.errors import ReconError, SessionError
from recon_core.values.printable import printable, quoted


def read_result(path: Path, events: Path) -> RecordedSession:
    """Read a result and the order events beside it; raises `SessionError`."""
    content = read_text_file(path)
    document = parse_json(content.text, content.name, constants=True)
    beside = read_text_file(events) if exists(events) else None
    listed = None if beside is None else _event_rows(beside)
    locator = partial(located_rows, path, events)
    try:
        return _Result(fields(document, "the result"), listed, events.name, locator).session(
            path, tuple(file.evidence for file in (content, beside) if file is not None)
        )
    except ReconError as error:
        raise SessionError(f"{content.name}: {error}") from None


def located_rows(path: Path, events: Path, section: str) -> Iterator[tuple[str, Path, int]]:
    """Yield the rows of a result and of the order events beside it, as `RowLocator` says."""
    file = events if section == "fills" else path
    text = read_text_file(file).text
    line_of = line_counter(text)
    if section == "fills":
        for place, row in elements(text, after_space(text, 0)):
            yield event_ids(fields(row, "row"))[1], file, line_of(place)
    at = place_of(text, section) if section in ("cash", "orders") else None
    for name, place in () if at is None else members(text, at):
        yield name, file, line_of(place)


def _event_rows(beside: FileContent) -> list[Any]:
    listed = parse_json(beside.text, beside.name, constants=True)
    if not isinstance(listed, list):
        raise SessionError(f"{beside.name}: is no list; expected a list of order events")
    return rows.each(listed, beside.name, read_event)


class _Result:
    """A result: its orders, its fills, and the names of their symbols."""

    def __init__(
        self,
        document: rows.Row,
        beside: list[Any] | None,
        events_name: str,
        locator: RowLocator,
    ) -> None:
        self._document = document
        self._locator = locator
        self._events_name = printable(events_name)
        self._orders = _orders(document)
        self._names = names_of(order.symbol for order in self._orders)
        self._events = self._filling(beside)
        symbols = {order.symbol.symbol_id: order.symbol for order in self._orders}
        self._instruments = {
            name: instrument
            for one, name in self._names.items()
            if (instrument := symbols[one].instrument(name)) is not None
        }
        self._totals = Totals(document, self._orders, self._events or [])

    def session(self, path: Path, inputs: tuple[InputFile, ...]) -> RecordedSession:
        """The session; both sides have the latest time of the result."""
        as_of = self._as_of()
        cash = self._cash()
        return RecordedSession(
            session_id=path.stem,
            anchor=path,
            strategy_id=rows.optional_text(self._totals.configuration, "name") or "",
            mode=None if self._is_live() else SessionMode.SIM,
            instruments=self._instruments,
            internal=self._internal(as_of, cash),
            external=SideRecord(
                as_of=as_of,
                source="LEAN result",
                positions=self._positions(),
                cash=cash,
                orders=tuple(self._order(order) for order in self._orders),
                keeps=self._keeps(cash or ()),
                locator=self._locator,
            ),
            inputs=inputs,
            notes=tuple(self._notes(cash)),
        )

    def _filling(self, beside: list[FillEvent | None] | None) -> list[FillEvent] | None:
        """The events that filled something; `None` where nothing lists those of filled orders."""
        read = beside
        if read is None and isinstance(self._document.get("orderEvents"), list):
            read = rows.each(self._document["orderEvents"], "orderEvents", read_event)
        if read is None and any(order.events for order in self._orders):
            listed = [row for order in self._orders for row in order.events]
            read = rows.each(listed, "events", read_event)
        if read is None:
            return None if any(order.filled != ZERO for order in self._orders) else []
        return [event for event in read if event is not None]

    def _is_live(self) -> bool:
        """True if the account had a life before: it states holdings, and no start equity."""
        return self._totals.start is None and "holdings" in self._document

    def _internal(self, as_of: datetime, cash: tuple[CashBalance, ...] | None) -> SideRecord | None:
        if self._events is None:
            return None
        fills = tuple(self._fill(event) for event in self._events)
        opening, positions = None, None
        if cash is not None and self._totals.start is not None:
            start = CashBalance(self._totals.currency, self._totals.start)
            opening = Opening(None, cash=(start,))
        elif not self._is_live():
            positions = _summed((fill.symbol, signed(fill)) for fill in fills)
        return SideRecord(
            as_of=as_of,
            source="LEAN order events",
            positions=positions,
            fills=fills,
            opening=opening,
            miscounts=tuple(self._totals.miscounts()),
            locator=self._locator,
        )

    def _fill(self, event: FillEvent) -> Fill:
        return event.named(self._names.get(event.symbol_id, event.fill.symbol))

    def _order(self, order: LeanOrder) -> Any:
        return order.as_order(self._names[order.symbol.symbol_id], self._filled(order))

    def _filled(self, order: LeanOrder) -> Decimal:
        """The filled quantity of an order, signed; the result itself knows it of a whole one."""
        return self._totals.filled_by_events(order) if order.filled is None else order.filled

    def _positions(self) -> tuple[Position, ...]:
        holdings = self._document.get("holdings")
        if holdings is None:
            names = self._names
            return _summed(
                (names[order.symbol.symbol_id], self._filled(order)) for order in self._orders
            )
        held = rows.table(holdings, "holdings")
        return tuple(rows.each_of(held, "holdings", lambda key: self._holding(key, held[key])))

    def _holding(self, key: str, value: Any) -> Position:
        """A holding, with long names or those of one letter; what is 0 is left out of it."""
        row = fields(value, quoted(key))
        symbol = fields(row["symbol"], "symbol") if isinstance(row.get("symbol"), dict) else {}
        symbol_id = rows.optional_text(symbol, "id") or key
        ticker = rows.optional_text(symbol, "value") or key.partition(" ")[0]
        return Position(
            symbol=self._names.get(symbol_id, ticker),
            quantity=_first(row, "q", "quantity") or ZERO,
            average_price=_first(row, "a", "averagePrice"),
            mark_price=_first(row, "p", "marketPrice"),
        )

    def _cash(self) -> tuple[CashBalance, ...] | None:
        """The balances that the result states, or what equity and holdings leave of cash."""
        if self._document.get("cash") is not None:
            stated = rows.table(self._document["cash"], "cash")
            return tuple(
                CashBalance(code, rows.number(fields(stated[code], quoted(code)), "amount"))
                for code in stated
            )
        if self._events is None or self._totals.obstacle():
            return None
        return (CashBalance(self._totals.currency, self._totals.cash_left()),)

    def _keeps(self, cash: tuple[CashBalance, ...]) -> dict[str, View]:
        """LEAN lists what it holds; currencies and coins are balances too where it states cash."""
        listed = {balance.currency for balance in cash}
        held = [one for one in self._instruments.values() if one.instrument_kind.delivers]
        return {one.base: View.BOTH if one.base in listed else View.POSITION for one in held}

    def _as_of(self) -> datetime:
        times = [order.time for order in self._orders]
        times += [event.fill.time for event in self._events or ()]
        ended = time_of(self._totals.configuration, "endDate")
        times += [] if ended is None else [ended]
        if not times:
            raise SessionError("has no order, no order event and no endDate, so no time")
        return max(times)

    def _notes(self, cash: tuple[CashBalance, ...] | None) -> Iterator[str]:
        if self._events is None:
            yield f"fills are not reported: {self._events_name} is not beside the result"
        elif cash is None and not self._is_live():
            yield f"cash is not compared: {self._totals.obstacle()}"
        taken = [printable(one.order_id, 20) for one in self._orders if one.filled is None]
        if taken and self._events is not None:
            yield f"executed quantities of orders {names(taken)} are those of their events"


def _orders(document: rows.Row) -> list[LeanOrder]:
    """The orders, listed or by their numbers."""
    listed = document.get("orders")
    if isinstance(listed, dict):
        listed = list(listed.values())
    if not isinstance(listed, list):
        raise SessionError("orders: is missing or no object; expected the orders of a result")
    return rows.each(listed, "orders", read_order)


def _summed(amounts: Iterable[tuple[str, Decimal]]) -> tuple[Position, ...]:
    sums: dict[str, Decimal] = {}
    for symbol, amount in amounts:
        sums[symbol] = EXACT.add(sums.get(symbol, ZERO), amount)
    return tuple(Position(symbol, amount) for symbol, amount in sums.items())


def _first(row: rows.Row, *names: str) -> Decimal | None:
    return next((found for name in names if (found := rows.optional_number(row, name))), None)
