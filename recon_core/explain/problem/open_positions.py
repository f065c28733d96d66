"""Open positions of derivatives: their entry values, and the cash less these values.

The cash of a derivatives account depends on open positions: profit is posted when a position is
closed. So cash is compared less the entry value of open positions, where that is known; a patch
of rows moves it by the positions that it closes or opens. A BUY of 2 at 100 and a SELL of 1 at
110 post +10, and 1 at 100 remains open.
"""

from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate, pairwise
from operator import attrgetter
from typing import Final, NamedTuple

from recon_core.explain.budget import TRADES_OF_AN_OPERATION, Budget
from recon_core.explain.problem.dimensions import add_to
from recon_core.explain.problem.patches import Patch
from recon_core.explain.problem.postings import Postings, to_decimal, trade_value
from recon_core.ledger import PositionLedger
from recon_core.ledger.bookings import is_derivative, signed_quantity
from recon_core.ledger.timeline import ordered_fills, tie_key
from recon_core.model import Fill, Position, SideRecord
from recon_core.values.amounts import EXACT, decimal_places, round_to_places, unit_at

_PLACES: Final = 30
"""Decimals of the whole numbers: as many as an amount in a session may have."""

_SHARES: Final = 10**60
"""Units of a share: what is cut off a share of a cost of 10^30 is below the unit of 10^-30."""

_MOST_KEPT: Final = 64
"""Quantities in addition whose values at the end are kept: almost all patches have the same one."""

_TIME: Final = attrgetter("time")

_TRADE: Final = attrgetter("symbol", "leg", "account", "position_id", "side", "quantity", "price")

_Key = tuple[str, object, str | None, str | None]
"""Symbol, leg, account and position id: fills with one key share an average price."""


class _Open(NamedTuple):
    """A quantity and its cost at entry, both signed, in units of 10^-30."""

    quantity: int = 0
    cost: int = 0


def _after_trade(before: _Open, trade: _Open) -> _Open:
    """Return the open position after a trade.

    Its cost grows with the trade and shrinks in proportion; after a turn it is of the trade.
    """
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
    """A patch of the fills of one position: places of removed fills, added trades by place.

    `cost_cache` keeps the effect of this patch alone on the entry value at the end.
    """

    key: _Key
    removed: frozenset[int]
    added: Mapping[int, Sequence[_Open]]
    cost_cache: list[int] = field(default_factory=list, compare=False)


@dataclass(frozen=True, slots=True)
class BalancePatch:
    """A patch in one balance: its open positions, and its own posting in units of 10^-30."""

    moved: tuple[_Moved, ...]
    posted: int


@dataclass(frozen=True, slots=True)
class _Position:
    """The fills of one position in the order of posting, and the open position before each.

    `after` has one entry more than `fills`. `to_end` keeps how the entry value at the end follows
    from the cost at any place, by the quantity that is open in addition.
    """

    fills: Sequence[Fill] = ()
    trades: Sequence[_Open] = ()
    after: Sequence[_Open] = (_Open(),)
    places: Mapping[int, int] = field(default_factory=dict)
    to_end: dict[int, Sequence[tuple[int, int]]] = field(default_factory=dict)
    meter: Budget = field(default_factory=Budget.unlimited, compare=False)

    def place(self, fill: Fill) -> int:
        """Return the place at which a fill is posted among the others."""
        at, key = bisect_left(self.fills, fill.time, key=_TIME), tie_key(fill)
        while at < len(self.fills) and self.fills[at].time == fill.time:
            if tie_key(self.fills[at]) > key:
                break
            at += 1
        return at

    def cost(self, moved: Collection[_Moved]) -> int:
        """Return the change of the entry value at the end by patches, in units of 10^-30."""
        removed = frozenset[int]().union(*(one.removed for one in moved))
        added: dict[int, list[_Open]] = {}
        for one in moved:
            for at, trades in one.added.items():
                added.setdefault(at, []).extend(trades)
        places = sorted(removed | added.keys())
        state = self.after[places[0]]
        for place, following in pairwise((*places, places[-1] + 1)):
            for trade in added.get(place, ()):
                state = _after_trade(state, trade)
            if place < len(self.trades) and place not in removed:
                state = _after_trade(state, self.trades[place])
            state = self._between(state, place + 1, following)
        return self._end(state, places[-1] + 1) - self.after[-1].cost

    def _between(self, state: _Open, start: int, end: int) -> _Open:
        """Return the open position after the trades from `start` to `end`, by `_after_trade`."""
        quantity, cost = state
        self.meter.charge((end - start) // TRADES_OF_AN_OPERATION)
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
        """Return the entry value at the end, if `state` is open before the trade at `start`.

        Patches with the same required position leave the same quantities open: what follows from
        the cost at any place is computed once for all of them.
        """
        quantity, cost = state
        if start >= len(self.trades):
            return cost
        share, more = self._to_end(quantity - self.after[start].quantity)[start]
        return cost * share // _SHARES + more

    def _to_end(self, offset: int) -> Sequence[tuple[int, int]]:
        """Return by place how the entry value follows from the cost there, with so much more open.

        As a share of that cost, in units of `1 / _SHARES`, and an amount. A trade that adds leaves
        the share as it is, one that reduces makes it smaller, and after a turn it is 0.
        """
        known = self.to_end.get(offset)
        if known is not None:
            return known
        self.meter.charge(len(self.trades) // TRADES_OF_AN_OPERATION)
        share, more = _SHARES, 0
        found = [(share, more)]
        steps = zip(reversed(self.trades), reversed(self.after[:-1]), strict=True)
        for (traded, value), before in steps:
            quantity = before.quantity + offset
            new = quantity + traded
            if not quantity or (quantity > 0) == (traded > 0):
                more += value * share // _SHARES
            elif new and (new > 0) == (quantity > 0):
                share = share * new // quantity
            else:
                more += value * new // traded * share // _SHARES
                share = 0
            found.append((share, more))
        found.reverse()
        if len(self.to_end) == _MOST_KEPT:
            self.to_end.clear()
        self.to_end[offset] = found
        return found


_NOTHING: Final = _Position()


@dataclass(frozen=True)
class OpenBases:
    """The open derivative positions of one side's rows."""

    postings: Postings
    positions: Mapping[_Key, _Position]

    def balance_patch(self, patch: Patch, name: str) -> BalancePatch:
        """Return a patch as it concerns one balance and the positions settled in it."""
        posted = patch.vector(self.postings).get(name)
        keys = dict.fromkeys(map(_key, (*patch.removed, *patch.added)))
        moved = (self._moved(patch, key) for key in keys if self._balance(key) == name)
        whole = 0 if posted is None else _whole(posted)
        return BalancePatch(tuple(one for one in moved if one.removed or one.added), whole)

    def amount(self, patches: Iterable[BalancePatch]) -> Decimal:
        """Return the change of a balance by patches of different rows together, at 30 decimals."""
        total, by_key = 0, dict[_Key, list[_Moved]]()
        for patch in patches:
            total += patch.posted
            for moved in patch.moved:
                by_key.setdefault(moved.key, []).append(moved)
        total += sum(self._cost(key, moved) for key, moved in by_key.items())
        return Decimal(total).scaleb(-_PLACES, EXACT)

    def _cost(self, key: _Key, moved: Sequence[_Moved]) -> int:
        """Return the change of the entry value by patches of one position together."""
        position = self.positions.get(key, _NOTHING)
        if len(moved) > 1:
            return position.cost(moved)
        (alone,) = moved
        if not alone.cost_cache:
            alone.cost_cache.append(position.cost(moved))
        return alone.cost_cache[0]

    def _balance(self, key: _Key) -> str | None:
        symbol, _, account, _ = key
        if not self.postings.derivative(symbol):
            return None
        return self.postings.cash(self.postings.instruments[symbol].settlement, account)

    def _moved(self, patch: Patch, key: _Key) -> _Moved:
        position = self.positions.get(key, _NOTHING)
        places = position.places
        removed, added = _traded(patch)
        removed_places = {places[id(fill)] for fill in removed if id(fill) in places}
        added_trades: dict[int, list[_Open]] = {}
        for fill in added:
            if _key(fill) == key:
                added_trades.setdefault(position.place(fill), []).append(
                    _trade(self.postings, fill)
                )
        return _Moved(key, frozenset(removed_places), added_trades)


def _traded(patch: Patch) -> tuple[Sequence[Fill], Sequence[Fill]]:
    """Return the removed and the added fills, without pairs that are the same trade."""
    if len(patch.removed) != len(patch.added):
        return patch.removed, patch.added
    pairs = [
        (old, new)
        for old, new in zip(patch.removed, patch.added, strict=True)
        if _TRADE(old) != _TRADE(new)
    ]
    return [old for old, _ in pairs], [new for _, new in pairs]


def open_bases(postings: Postings, record: SideRecord) -> OpenBases | None:
    """Return the open positions of rows, `None` where only a replay shows what they realise.

    That is so if an opening or a movement holds derivatives, if a future settles daily, or if the
    source averages entries arithmetically.
    """
    opening = () if record.opening is None else record.opening.positions
    moved = [row.symbol for row in record.movement_rows if row.symbol and row.quantity]
    if any(map(postings.derivative, [*moved, *(row.symbol for row in opening)])):
        return None
    if any(one.settles_daily or one.arithmetic_average for one in postings.instruments.values()):
        return None
    fills: dict[_Key, list[Fill]] = {}
    for fill in ordered_fills(record.fill_rows):
        if postings.derivative(fill.symbol):
            fills.setdefault(_key(fill), []).append(fill)
    return OpenBases(postings, {key: _position(postings, rows) for key, rows in fills.items()})


def _position(postings: Postings, fills: Sequence[Fill]) -> _Position:
    trades = [_trade(postings, fill) for fill in fills]
    after = tuple(accumulate(trades, _after_trade, initial=_Open()))
    places = {id(fill): at for at, fill in enumerate(fills)}
    return _Position(fills, trades, after, places, meter=postings.meter)


def _trade(postings: Postings, fill: Fill) -> _Open:
    quantity = signed_quantity(fill)
    worth = trade_value(postings.instruments[fill.symbol], quantity, fill.price)
    return _Open(_whole(quantity), -_whole(worth))


def _whole(amount: Decimal) -> int:
    return int(amount.scaleb(_PLACES, EXACT))


def _key(fill: Fill) -> _Key:
    return fill.symbol, fill.leg, fill.account, fill.position_id


@dataclass(frozen=True, slots=True)
class OpenValue:
    """Entry value of open derivatives by balance, in its currency.

    `unknown`: balances with a position that has no average price. `tolerance`: the uncertainty
    by rounded average prices.
    """

    value: Mapping[str, Decimal]
    unknown: frozenset[str]
    tolerance: Mapping[str, Decimal]


def open_value(
    postings: Postings, positions: Iterable[Position], average_prices: Mapping[str, Decimal | None]
) -> OpenValue:
    """Return the entry value of derivative positions; `average_prices` are prices by dimension.

    The cash of a derivative account is the sum of its trade values plus this value.
    """
    value: dict[str, Decimal] = {}
    tolerance: dict[str, Decimal] = {}
    unknown = set()
    for row in positions:
        instrument = postings.instruments.get(row.symbol)
        if instrument is None or not is_derivative(instrument) or not row.quantity:
            continue
        name = postings.cash(instrument.settlement, row.account)
        average = average_prices.get(postings.dimensions.position(row.symbol, row.leg, row.account))
        if average is None or average <= 0:
            unknown.add(name)
            continue
        entry = trade_value(instrument, row.quantity, average)
        add_to(value, name, entry.copy_negate())
        add_to(tolerance, name, _doubt(entry, average))
    return OpenValue(value, frozenset(unknown), tolerance)


def _doubt(entry: Decimal, average: Decimal) -> Decimal:
    """Return the uncertainty of an entry value: one unit in the last digit of the average price."""
    unit = unit_at(decimal_places(average))
    share = Fraction(entry.copy_abs()) * Fraction(unit) / Fraction(average)
    return round_to_places(to_decimal(share), 30)


def average_prices_of(
    postings: Postings, ledger: PositionLedger, positions: Iterable[Position]
) -> dict[str, Decimal | None]:
    """Return the average price of every open derivative position of a ledger, by dimension."""
    return {
        postings.dimensions.position(row.symbol, row.leg, row.account): ledger.average_price(
            row.symbol, account=row.account, leg=row.leg
        )
        for row in positions
        if postings.derivative(row.symbol) and row.quantity
    }
