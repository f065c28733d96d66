"""Aggregation: one trade, or the movements of one period, as several rows here and as one there.

A side lists three executions of an order (40 at 50.00, 35 at 50.02, 25 at 50.04, fees 0.40, 0.35
and 0.25), the other side the order as one row of 100 at 50.017 with a fee of 1.00. Their sums are
equal: quantity 100, value 5001.70, fee 1.00. So the rows are one trade, and nothing is missing.
Only equal sums count; each row is in one group at most, and no group reaches over accounts,
symbols, sides of a trade or kinds of movement.

Fills belong together by the ids of their order. Where the sides have no kind of order id in
common, the fills of one minute do.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import chain, pairwise
from operator import attrgetter
from typing import Final

from recon_core.compare.groups import without_equal
from recon_core.model import Fill, InstrumentKind, Leg, Movement, Order, RecordedSession
from recon_core.model.matched_rows import FillGroup, MovementGroup
from recon_core.model.order_table import order_table_of
from recon_core.values.amounts import EXACT, ZERO, decimal_places, exact_sum, shortest_places

_TIME: Final = attrgetter("time")
_QUANTITY: Final = attrgetter("quantity")

_Fills = list[Fill]
_Both = tuple[_Fills, _Fills]
_ROW_ORDER: Final = attrgetter("time", "fill_id")
_MOVEMENT_ORDER: Final = attrgetter("time", "movement_id")

MovementKey = tuple[str, str | None, str | None, str | None]
"""Kind, currency, symbol and account of movements; `None` where they have none."""


@dataclass(frozen=True, slots=True)
class Trades:
    """The trades of one session, each of one or several fills; `plain` ignores the accounts."""

    recorded: RecordedSession
    plain: bool

    def groups(self, ours: Sequence[Fill], theirs: Sequence[Fill]) -> list[FillGroup]:
        """Return the groups of fills with equal sums, of rows that the sides do not list alike."""
        if not ours or not theirs:
            return []
        found = list(self._accepted(self.by_order(ours, theirs), ours, theirs))
        taken = {id(row) for group in found for row in group.rows}
        left = [[row for row in rows if id(row) not in taken] for rows in (ours, theirs)]
        minutes = _by_key(left[0], left[1], _Minutes(plain=self.plain))
        unnamed = [both for both in minutes if _have_no_common_ids(*both)]
        return [*found, *self._accepted(unnamed, ours, theirs)]

    def by_order(
        self, ours: Sequence[Fill], theirs: Sequence[Fill]
    ) -> list[tuple[list[Fill], list[Fill]]]:
        """Return the fills of both sides by order, symbol and side, where both sides have some."""
        orders = OrderKeys((*ours, *theirs, *self._orders(*ours, *theirs)), plain=self.plain)
        return _by_key(ours, theirs, orders)

    def _orders(self, *fills: Fill) -> list[Order]:
        """Return orders among which are all that fills name, directly or by another order."""
        sides = (self.recorded.internal, self.recorded.external)
        tables = [order_table_of(side.orders) for side in sides if side is not None]
        known, ids, found = set[str](), _order_ids(fills), list[Sequence[Order]]()
        while not ids <= known and found != tables:  # tables in memory have returned all rows
            known |= ids
            found = [table.naming(known) for table in tables]
            ids = _order_ids(chain.from_iterable(found))
        return list(chain.from_iterable(found))

    def _accepted(
        self, groups: Iterable[_Both], ours: Sequence[Fill], theirs: Sequence[Fill]
    ) -> Iterator[FillGroup]:
        """Yield the groups with equal sums; a fill that both sides name has both its rows in one.

        The value of an inverse contract is quantity by price, not quantity times price.
        """
        common = self._ids(ours) & self._ids(theirs)
        for mine, others in groups:
            if self._ids(mine) & common == self._ids(others) & common:
                instrument = self.recorded.instruments.get(mine[0].symbol)
                kind = None if instrument is None else instrument.instrument_kind
                group = _group(mine, others, is_inverse=kind is InstrumentKind.INVERSE)
                if group is not None:
                    yield group

    def _ids(self, rows: Iterable[Fill]) -> set[Hashable]:
        return {(None if self.plain else row.account, row.symbol, row.fill_id) for row in rows}


def _order_ids(rows: Iterable[Fill | Order]) -> set[str]:
    each = ((row.client_order_id, row.exchange_order_id) for row in rows)
    return {name for names in each for name in names if name}


class OrderKeys:
    """The order of each fill: rows that share a client's or an exchange's id are of one order."""

    def __init__(self, rows: Iterable[Fill | Order], *, plain: bool) -> None:
        self._plain = plain
        self._parents: dict[Hashable, Hashable] = {}
        for row in rows:
            names = self.names(row)
            for name in names[1:]:
                self._parents[self._root(names[0])] = self._root(name)

    def names(self, row: Fill | Order) -> list[Hashable]:
        """Return the keys that a row names its order by: ids are unique within a symbol."""
        where = (None if self._plain else row.account, row.symbol)
        named = ("client", row.client_order_id), ("exchange", row.exchange_order_id)
        return [(*where, kind, order_id) for kind, order_id in named if order_id]

    def of(self, row: Fill) -> Hashable | None:
        """Return the order of a fill, `None` if it names none."""
        names = self.names(row)
        return self._root(names[0]) if names else None

    def _root(self, name: Hashable) -> Hashable:
        path = []
        while (parent := self._parents.get(name, name)) != name:
            path.append(name)
            name = parent
        for each in path:
            self._parents[each] = name
        return name


class _Minutes:
    """The minute of each fill, in UTC."""

    def __init__(self, *, plain: bool) -> None:
        self._plain = plain

    def of(self, row: Fill) -> Hashable | None:
        """Return the account and the minute of a fill."""
        return None if self._plain else row.account, row.time.replace(second=0, microsecond=0)


def _by_key(
    ours: Sequence[Fill], theirs: Sequence[Fill], keys: OrderKeys | _Minutes
) -> list[_Both]:
    """Return the fills of both sides by key, symbol and side, where both sides have some."""
    found: dict[Hashable, _Both] = {}
    for at, rows in enumerate((ours, theirs)):
        for row in sorted(rows, key=_ROW_ORDER):
            key = keys.of(row)
            if key is not None:
                found.setdefault((key, row.symbol, row.side), ([], []))[at].append(row)
    return [both for both in found.values() if all(both)]


def _have_no_common_ids(ours: Sequence[Fill], theirs: Sequence[Fill]) -> bool:
    """True if no kind of order id is stated on both sides: their orders cannot be compared."""
    return not any(
        any(getattr(row, name) for row in ours) and any(getattr(row, name) for row in theirs)
        for name in ("client_order_id", "exchange_order_id")
    )


def _group(ours: _Fills, theirs: _Fills, *, is_inverse: bool) -> FillGroup | None:
    """Return the group of fills if their sums are equal and their numbers are not."""
    legs = {row.leg for row in (*ours, *theirs)} - {Leg.NET}
    if len(ours) == len(theirs) or len(legs) > 1:
        return None
    if _quantity(ours) != _quantity(theirs) or _fees(ours) != _fees(theirs):
        return None
    fine, coarse = (ours, theirs) if len(ours) > len(theirs) else (theirs, ours)
    values = [_value(rows, is_inverse=is_inverse) for rows in (fine, coarse)]
    if None in values:
        return None
    if values[0] == values[1]:
        return FillGroup(tuple(ours), tuple(theirs))
    if _is_rounded_average(fine, coarse, is_inverse=is_inverse):
        return FillGroup(tuple(ours), tuple(theirs), rounded=True)
    return None


def _quantity(fills: Iterable[Fill]) -> Decimal:
    return exact_sum(map(_QUANTITY, fills))


def _fees(fills: Iterable[Fill]) -> dict[str | None, Decimal]:
    fees: dict[str | None, Decimal] = {}
    for row in fills:
        if row.fee:
            fees[row.fee_currency] = EXACT.add(fees.get(row.fee_currency, ZERO), row.fee)
    return {currency: fee for currency, fee in fees.items() if fee}


def _value(fills: Iterable[Fill], *, is_inverse: bool) -> Fraction | None:
    """Return the sum of quantity times price, by price if `is_inverse`; `None` at a price of 0."""
    if not is_inverse:
        return Fraction(exact_sum(EXACT.multiply(row.quantity, row.price) for row in fills))
    if not all(row.price for row in fills):
        return None
    return sum((Fraction(row.quantity) / Fraction(row.price) for row in fills), Fraction(0))


def _is_rounded_average(fine: _Fills, coarse: _Fills, *, is_inverse: bool) -> bool:
    """True if the price of a single row is the average of the others, rounded to its digits.

    Its digits must be so many that another price of any fill, by one unit of its last digit, would
    show: 33.3333 is the average of 33, 33 and 34, and of no other whole prices.
    """
    if len(coarse) > 1:
        return False
    quantity, price = Fraction(coarse[0].quantity), coarse[0].price
    unit = Fraction(1, 10 ** decimal_places(price))
    finest = Fraction(1, 10 ** max(shortest_places(row.price) for row in fine))
    if unit * quantity >= finest * Fraction(min(map(_QUANTITY, fine))):
        return False
    value = _value(fine, is_inverse=is_inverse)
    if not value:
        return False
    average = quantity / value if is_inverse else value / quantity
    return abs(Fraction(price) - average) * 2 <= unit


def unlisted_movements(
    ours: Sequence[Movement], theirs: Sequence[Movement], *, plain: bool
) -> tuple[list[Movement], list[Movement]]:
    """Return the movements of each side that the other one does not list.

    Movements are the same if id and amounts are, or time and amounts.
    """
    left = without_equal(ours, theirs, lambda row: (row.movement_id, _content(row, plain=plain)))
    return without_equal(*left, lambda row: (row.time, _content(row, plain=plain)))


def _content(row: Movement, *, plain: bool) -> Hashable:
    kind, *amounts, account = row.content
    return (kind, *amounts, None if plain else account)


def movement_groups(
    ours: Sequence[Movement], theirs: Sequence[Movement], *, plain: bool
) -> dict[MovementKey, list[MovementGroup]]:
    """Return the groups of movements with equal sums, of rows that the sides do not list alike.

    A period ends with the single row, begins with it, or is its day in UTC: the way in which
    more sums are equal counts.
    """
    periods = movement_periods(ours, theirs, plain=plain)
    found = {key: [one for one in each if are_equal(one)] for key, each in periods.items()}
    return {key: groups for key, groups in found.items() if groups}


def movement_periods(
    ours: Sequence[Movement], theirs: Sequence[Movement], *, plain: bool
) -> dict[MovementKey, list[MovementGroup]]:
    """Return the periods of which one side lists a single row, and the other one or more.

    The sums may differ: periods are chosen in the way in which more of them are equal.
    """
    if not ours or not theirs:
        return {}
    kinds: dict[MovementKey, tuple[list[Movement], list[Movement]]] = {}
    for at, rows in enumerate((ours, theirs)):
        for row in sorted(rows, key=_MOVEMENT_ORDER):
            kinds.setdefault(movement_key(row, plain=plain), ([], []))[at].append(row)
    return {key: _of_one_kind(*both) for key, both in kinds.items() if all(both)}


def movement_key(row: Movement, *, plain: bool) -> MovementKey:
    """Return what the movements of one group have in common."""
    return str(row.movement_kind), row.currency, row.symbol, None if plain else row.account


def _of_one_kind(ours: list[Movement], theirs: list[Movement]) -> list[MovementGroup]:
    if len(ours) == len(theirs):
        return []
    is_finer = len(ours) > len(theirs)
    fine, coarse = (ours, theirs) if is_finer else (theirs, ours)
    ways = (
        [
            MovementGroup(tuple(rows), (row,)) if is_finer else MovementGroup((row,), tuple(rows))
            for row, rows in way
            if rows
        ]
        for way in (_up_to(fine, coarse), _from(fine, coarse), _on_the_day(fine, coarse))
    )
    return max(ways, key=lambda way: sum(map(are_equal, way)))


_Periods = Iterable[tuple[Movement, list[Movement]]]


def _up_to(fine: list[Movement], coarse: list[Movement]) -> _Periods:
    """Return each single row with the rows after the one before it, up to its own time."""
    times = list(map(_TIME, fine))
    return _between(fine, coarse, [0, *(bisect_right(times, row.time) for row in coarse)])


def _from(fine: list[Movement], coarse: list[Movement]) -> _Periods:
    """Return each single row with the rows from its own time on, before the next one's."""
    times = list(map(_TIME, fine))
    return _between(fine, coarse, [*(bisect_left(times, row.time) for row in coarse), len(fine)])


def _between(fine: list[Movement], coarse: list[Movement], edges: list[int]) -> _Periods:
    """Return each single row with the rows from its edge to the next one."""
    parts = (fine[start:end] for start, end in pairwise(edges))
    return zip(coarse, parts, strict=True)


def _on_the_day(fine: list[Movement], coarse: list[Movement]) -> _Periods:
    """Return each single row with the rows of its day, if it is the only one of that day."""
    days: dict[date, list[Movement]] = {}
    for row in fine:
        days.setdefault(row.time.date(), []).append(row)
    single: dict[date, list[Movement]] = {}
    for row in coarse:
        single.setdefault(row.time.date(), []).append(row)
    return [(rows[0], days.get(day, [])) for day, rows in single.items() if len(rows) == 1]


def are_equal(group: MovementGroup) -> bool:
    """True if one side lists several rows of a period, with the sums of the other's single row."""
    rows = group.rows
    return len(rows) > 2 and all(  # noqa: PLR2004  # a row of each side is no group
        len({getattr(row, name) is None for row in rows}) == 1
        and exact_sum(getattr(row, name) or ZERO for row in group.internal)
        == exact_sum(getattr(row, name) or ZERO for row in group.external)
        for name in ("amount", "quantity")
    )
