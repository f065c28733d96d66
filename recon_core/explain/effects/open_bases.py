"""What changed fills do to the entry value of what is open in derivatives, without a replay.

The cash of a derivative account is what its trades were worth plus the entry value of what
is open. Trades count for themselves; what is open depends on the fills before. Where no side
states an average price, this is what tells apart the changes that a position allows.

Whole numbers of 10^-30, each division rounded down: a sieve, as close as the rounding of
PnL that it is compared with. The proof is a replay.
"""

from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import accumulate, pairwise
from operator import attrgetter
from typing import Final, NamedTuple

from recon_core.amounts import EXACT
from recon_core.explain.effects.bookings import Bookings, trade_value
from recon_core.explain.effects.changes import Change
from recon_core.ledger.bookings import signed_quantity
from recon_core.ledger.timeline import ordered_fills, tie_key
from recon_core.model import Fill, SideRecord

_PLACES: Final = 30
_TIME: Final = attrgetter("time")
_TRADE: Final = attrgetter("symbol", "leg", "account", "position_id", "side", "quantity", "price")

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
class _Moved:
    """What a change does to the fills of one position: places that go, trades that come.

    `costs` keeps what it does alone to what is open in the end.
    """

    key: _Key
    gone: frozenset[int]
    come: Mapping[int, Sequence[_Open]]
    costs: list[int] = field(default_factory=list, compare=False)


@dataclass(frozen=True, slots=True)
class Settled:
    """A change as it concerns what is open, and what it books of a balance for itself."""

    moved: tuple[_Moved, ...]
    booked: int


@dataclass(frozen=True, slots=True)
class _Position:
    """The fills of one position in the order of their booking, and what is open after each.

    Where a position turns, only its quantity tells what follows: `ends` keeps that.
    """

    fills: Sequence[Fill] = ()
    trades: Sequence[_Open] = ()
    after: Sequence[_Open] = (_Open(),)
    places: Mapping[int, int] = field(default_factory=dict)
    ends: dict[tuple[int, int], int] = field(default_factory=dict)

    def place(self, fill: Fill) -> int:
        """Where a fill is booked among the others."""
        at, key = bisect_left(self.fills, fill.time, key=_TIME), tie_key(fill)
        while at < len(self.fills) and self.fills[at].time == fill.time:
            if tie_key(self.fills[at]) > key:
                break
            at += 1
        return at

    def cost(self, moved: Collection[_Moved]) -> int:
        """What is open in the end costs so much more after changes."""
        gone = frozenset[int]().union(*(one.gone for one in moved))
        come: dict[int, list[_Open]] = {}
        for one in moved:
            for at, trades in one.come.items():
                come.setdefault(at, []).extend(trades)
        places = sorted(gone | come.keys())
        state = self.after[places[0]]
        for place, following in pairwise((*places, places[-1] + 1)):
            for trade in come.get(place, ()):
                state = _booked(state, trade)
            if place < len(self.trades) and place not in gone:
                state = _booked(state, self.trades[place])
            state = self._between(state, place + 1, following)
        return self._end(state, places[-1] + 1) - self.after[-1].cost

    def _between(self, state: _Open, start: int, end: int) -> _Open:
        """What is open after the trades from one up to another: `_booked` for each of them."""
        quantity, cost = state
        for traded, value in self.trades[start:end]:
            new = quantity + traded
            if not quantity or (quantity > 0) == (traded > 0):
                cost += value
            elif not new:
                cost = 0
            elif (new > 0) == (quantity > 0):
                cost = cost * new // quantity
            else:
                cost = value * new // traded
            quantity = new
        return _Open(quantity, cost)

    def _end(self, state: _Open, start: int) -> int:
        """What is open after all trades from one on costs."""
        quantity, cost = state
        turns = []
        for at in range(start, len(self.trades)):
            traded, value = self.trades[at]
            new = quantity + traded
            if not quantity or (quantity > 0) == (traded > 0):
                cost += value
            elif new and (new > 0) == (quantity > 0):
                cost = cost * new // quantity
            else:
                cost = value * new // traded
                known = self.ends.get((at, new))
                if known is not None:
                    cost = known
                    break
                turns.append((at, new))
            quantity = new
        self.ends.update(dict.fromkeys(turns, cost))
        return cost


_NOTHING: Final = _Position()


@dataclass(frozen=True)
class OpenBases:
    """The open derivative positions of one side's rows."""

    bookings: Bookings
    positions: Mapping[_Key, _Position]

    def settled(self, change: Change, name: str) -> Settled:
        """A change as it concerns one balance, and what is open in it."""
        booked = change.vector(self.bookings).get(name)
        keys = dict.fromkeys(map(_key, (*change.removed, *change.added)))
        moved = (self._moved(change, key) for key in keys if self._balance(key) == name)
        whole = 0 if booked is None else _whole(booked)
        return Settled(tuple(one for one in moved if one.gone or one.come), whole)

    def amount(self, changes: Iterable[Settled]) -> Decimal:
        """What changes of different rows move of the balance together, at 30 decimals."""
        total, by_key = 0, dict[_Key, list[_Moved]]()
        for change in changes:
            total += change.booked
            for moved in change.moved:
                by_key.setdefault(moved.key, []).append(moved)
        total += sum(self._cost(key, moved) for key, moved in by_key.items())
        return Decimal(total).scaleb(-_PLACES, EXACT)

    def _cost(self, key: _Key, moved: Sequence[_Moved]) -> int:
        """What changes of one position do together to what is open in the end."""
        position = self.positions.get(key, _NOTHING)
        if len(moved) > 1:
            return position.cost(moved)
        (alone,) = moved
        if not alone.costs:
            alone.costs.append(position.cost(moved))
        return alone.costs[0]

    def _balance(self, key: _Key) -> str | None:
        symbol, _, account, _ = key
        if not self.bookings.derivative(symbol):
            return None
        return self.bookings.cash(self.bookings.instruments[symbol].settlement, account)

    def _moved(self, change: Change, key: _Key) -> _Moved:
        position = self.positions.get(key, _NOTHING)
        places = position.places
        removed, added = _traded(change)
        gone = {places[id(fill)] for fill in removed if id(fill) in places}
        come: dict[int, list[_Open]] = {}
        for fill in added:
            if _key(fill) == key:
                come.setdefault(position.place(fill), []).append(_trade(self.bookings, fill))
        return _Moved(key, frozenset(gone), come)


def _traded(change: Change) -> tuple[Sequence[Fill], Sequence[Fill]]:
    """The fills that go and come, without those of which only the fee is another."""
    if len(change.removed) != len(change.added):
        return change.removed, change.added
    pairs = [
        (old, new)
        for old, new in zip(change.removed, change.added, strict=True)
        if _TRADE(old) != _TRADE(new)
    ]
    return [old for old, _ in pairs], [new for _, new in pairs]


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
