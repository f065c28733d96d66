"""What a change of derivative fills does to the entry value of what is open, without a replay.

The cash of a derivative account is what its trades were worth plus the entry value of what
is open. Trades count for themselves; what is open depends on the fills before. Where no side
states an average price, this is what tells apart the changes that a position allows.

Whole numbers of 10^-30, each division rounded down: a sieve, as close as the rounding of
PnL that it is compared with. The proof is a replay.
"""

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate
from operator import attrgetter
from typing import Final, NamedTuple

from recon_core.amounts import EXACT
from recon_core.explain.bookings import Bookings, trade_value
from recon_core.explain.changes import Change
from recon_core.ledger.bookings import signed_quantity
from recon_core.ledger.timeline import ordered_fills, tie_key
from recon_core.model import Fill, SideRecord

_PLACES: Final = 30
_TIME: Final = attrgetter("time")

_Key = tuple[str, object, str | None, str | None]
"""Symbol, leg, account and position id: what is averaged together."""


class _Open(NamedTuple):
    """A quantity and what it cost at entry, both with their sign."""

    quantity: int = 0
    cost: int = 0


def _booked(before: _Open, trade: _Open) -> _Open:
    """What is open after a trade: averaged where it grows, in proportion where it shrinks."""
    quantity = before.quantity + trade.quantity
    if not before.quantity or (before.quantity > 0) == (trade.quantity > 0):
        return _Open(quantity, before.cost + trade.cost)
    if not quantity:
        return _Open()
    if (quantity > 0) == (before.quantity > 0):
        return _Open(quantity, before.cost * quantity // before.quantity)
    return _Open(quantity, trade.cost * quantity // trade.quantity)


@dataclass(frozen=True, slots=True)
class _Position:
    """The fills of one position in the order of their booking, and what is open after each."""

    fills: Sequence[Fill]
    trades: Sequence[_Open]
    after: Sequence[_Open]
    places: Mapping[int, int]

    def cost(self, change: Change, trade: Callable[[Fill], _Open], key: _Key) -> int:
        """What is open in the end costs so much more after a change."""
        gone = {self.places[id(fill)] for fill in change.removed if id(fill) in self.places}
        come: dict[int, list[Fill]] = {}
        for fill in change.added:
            if _key(fill) == key:
                come.setdefault(self._place(fill), []).append(fill)
        start = min((*gone, *come), default=len(self.trades))
        state = self.after[start]
        for at in range(start, len(self.trades) + 1):
            for fill in come.get(at, ()):
                state = _booked(state, trade(fill))
            if at < len(self.trades) and at not in gone:
                state = _booked(state, self.trades[at])
        return state.cost - self.after[-1].cost

    def _place(self, fill: Fill) -> int:
        """Where a fill is booked among the others."""
        at, key = bisect_left(self.fills, fill.time, key=_TIME), tie_key(fill)
        while at < len(self.fills) and self.fills[at].time == fill.time:
            if tie_key(self.fills[at]) > key:
                break
            at += 1
        return at


@dataclass(frozen=True)
class OpenBases:
    """The open derivative positions of one side's rows."""

    bookings: Bookings
    positions: Mapping[_Key, _Position]

    def moved(self, change: Change) -> dict[str, Decimal]:
        """What a change does to the entry value of what is open, by balance."""
        total: dict[str, int] = {}
        for key in dict.fromkeys(map(_key, (*change.removed, *change.added))):
            symbol, _, account, _ = key
            if self.bookings.derivative(symbol):
                position = self.positions.get(key, _NOTHING)
                settlement = self.bookings.instruments[symbol].settlement
                name = self.bookings.cash(settlement, account)
                more = position.cost(change, self._trade, key)
                total[name] = total.get(name, 0) + more
        return {name: Decimal(amount).scaleb(-_PLACES, EXACT) for name, amount in total.items()}

    def _trade(self, fill: Fill) -> _Open:
        return _trade(self.bookings, fill)


_NOTHING: Final = _Position((), (), (_Open(),), {})


def open_bases(bookings: Bookings, record: SideRecord) -> OpenBases | None:
    """The open positions of rows; `None` where more than fills has moved them."""
    opening = () if record.opening is None else record.opening.positions
    moved = [row.symbol for row in record.movements or () if row.symbol and row.quantity]
    if any(map(bookings.derivative, [*moved, *(row.symbol for row in opening)])):
        return None
    fills: dict[_Key, list[Fill]] = {}
    for fill in ordered_fills(record.fills or ()):
        if bookings.derivative(fill.symbol):
            fills.setdefault(_key(fill), []).append(fill)
    return OpenBases(bookings, {key: _position(bookings, rows) for key, rows in fills.items()})


def _position(bookings: Bookings, fills: Sequence[Fill]) -> _Position:
    trades = [_trade(bookings, fill) for fill in fills]
    after = tuple(accumulate(trades, _booked, initial=_Open()))
    return _Position(fills, trades, after, {id(fill): at for at, fill in enumerate(fills)})


def _trade(bookings: Bookings, fill: Fill) -> _Open:
    quantity = signed_quantity(fill)
    worth = trade_value(bookings.instruments[fill.symbol], quantity, fill.price)
    return _Open(_whole(quantity), -_whole(worth))


def _whole(amount: Decimal) -> int:
    return int(amount.scaleb(_PLACES, EXACT))


def _key(fill: Fill) -> _Key:
    return fill.symbol, fill.leg, fill.account, fill.position_id

