"""Figures that a side never lists, as it states the same quantity elsewhere.

A broker shows a trade of EUR.USD in its balances of EUR and USD, and in no position; of shares it
states the position, and no balance. What is not listed contradicts nothing. Figures are named like
dimensions, without leg and account: `position::EUR.USD`, `cash::ACME`.
"""

from collections.abc import Iterator
from decimal import Decimal
from operator import attrgetter
from typing import Final

from recon_core.compare.keys import encode_key
from recon_core.ledger.bookings import is_derivative
from recon_core.model import LedgerSide, RecordedSession, SideRecord
from recon_core.values.amounts import EXACT

_SYMBOL: Final = attrgetter("symbol")


def unlisted_figures(recorded: RecordedSession) -> dict[LedgerSide, tuple[str, ...]]:
    """Return the figures of spot pairs that a side lists fills of, and never these figures."""
    money = {one.quote for one in recorded.instruments.values()}
    return {
        side: found
        for side, record in recorded.own_records().items()
        if (found := tuple(sorted(_unlisted(recorded, record, recorded.side(side.other), money))))
    }


def _unlisted(
    recorded: RecordedSession, record: SideRecord, other: SideRecord | None, money: set[str]
) -> Iterator[str]:
    """Yield the figures of one side, none if it may list them under another name."""
    if record.positions is None or record.cash is None or record.derived or other is None:
        return
    listed = {row.symbol: row.quantity for row in record.positions}
    stated = {row.currency: row.total for row in record.cash}
    if not (stated.keys() <= {row.currency for row in other.cash_rows}):
        return
    found: list[tuple[str, str]] = []
    for symbol in record.table.distinct("symbol"):
        instrument = recorded.instruments.get(symbol)
        if instrument is None or is_derivative(instrument):
            continue
        if symbol not in listed and stated.get(instrument.base) and instrument.quote in stated:
            found.append((symbol, f"position::{encode_key(symbol)}"))
        if listed.get(symbol) and instrument.base not in {*stated, *money}:
            found.append((symbol, f"cash::{encode_key(instrument.base)}"))
    if found and listed.keys() <= _symbols(other):
        traded = _traded(record)
        yield from (name for symbol, name in found if traded[symbol])


def _symbols(record: SideRecord) -> set[str]:
    """Return the symbols that a side holds or trades."""
    return {*map(_SYMBOL, record.position_rows), *record.table.distinct("symbol")}


def _traded(record: SideRecord) -> dict[str, Decimal]:
    """Return the quantity of each symbol that the opening and the fills of a side give."""
    found = record.table.quantities()
    for row in () if record.opening is None else record.opening.positions:
        if row.symbol in found:
            found[row.symbol] = EXACT.add(found[row.symbol], row.quantity)
    return found
