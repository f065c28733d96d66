"""Sums of fills by position, each amount rounded on its own, as the ledger posts them.

The product of a quantity and a price is rounded half-even to the places of the quote currency
(`recon_core.columns.rounding`).

Quantities and prices with few digits are cast to a `DECIMAL` of one machine word first, which is
several times as quick. The first rows say with how many places; that it holds for all is part of
the query.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, NamedTuple

from recon_core.columns.database import ColumnsError
from recon_core.columns.rounding import Rounded
from recon_core.columns.table_columns import MOST_DIGITS, NARROW, TableColumns, listed
from recon_core.columns.times import microseconds_of
from recon_core.model import Fill
from recon_core.model.fill_table import FillSums, PositionSums, SumRule
from recon_core.values.amounts import EXACT, ZERO, decimal_places, shortest, with_places

_SAMPLE: Final = 2_000
"""Rows whose decimal places are expected of all."""
_MOST_TIED: Final = 10_000
"""Rows at the times at which more than one position begins; of more, all rows are posted."""
_AMOUNTS: Final = ("quantity", "price", "fee")
_KEYS: Final = ("symbol", "fee_currency", "account", "leg")

_Key = tuple[str | None, str, str]
RowsAt = Callable[[Sequence[int]], Sequence[Fill]]
"""Makes rows by their numbers."""
InOrder = Callable[[Iterable[Fill]], list[Fill]]
"""Puts rows in the order in which they are posted."""
Places = Callable[[str], int | None]
"""Decimal places that amounts of a currency are rounded to; `None` keeps them exact."""


def fill_sums(
    columns: TableColumns,
    rules: Mapping[str, SumRule],
    places: Places,
    unnamed: str | None,
    rows_at: RowsAt,
    in_order: InOrder,
) -> PositionSums:
    """Return the sums of the positions of a table, in the order in which they begin.

    `rules` are those of its symbols; rows without an account are in `unnamed`. Raises
    `ColumnsError` where a sum has more digits than columns hold.
    """
    if not columns.count:
        return {}
    positions: dict[_Key, _Position] = {}
    for sums in _Query.of(columns, rules.values(), places).answer():
        account = unnamed if sums.account is None else sums.account
        key = account, sums.symbol, sums.leg
        positions.setdefault(key, _Position(rules[sums.symbol], sums.first)).add(sums, places)
    _put_in_order(positions, columns, rows_at, in_order)
    return {key: position.sums() for key, position in positions.items()}


class _Sums(NamedTuple):
    """Sums of the rows of one symbol, fee currency, account and leg.

    `first` is the time of the first row, `charged` that of the first fee that is not 0; the last
    three are sums by the places that each amount was rounded to.
    """

    symbol: str
    currency: str | None
    account: str | None
    leg: str
    first: int
    charged: int | None
    quantity: Decimal
    worth: Decimal
    fee: Decimal
    paid_by_places: Mapping[int, Decimal]
    received_by_places: Mapping[int, Decimal]
    fee_by_places: Mapping[int, Decimal]


@dataclass(frozen=True, slots=True)
class _Query:
    """The query of all sums, and the places that it rounds to."""

    columns: TableColumns
    paid: Sequence[int]
    received: Sequence[int]
    charged: Sequence[int]

    @classmethod
    def of(cls, columns: TableColumns, rules: Collection[SumRule], places: Places) -> "_Query":
        """Return the query by the rules of all symbols."""
        currencies = columns.words("fee_currency")
        return cls(
            columns,
            _sorted({rule.paid for rule in rules}),
            _sorted({rule.received for rule in rules}),
            _sorted(set(map(places, currencies))),
        )

    def answer(self) -> Iterator[_Sums]:
        """Return the sums, in words if they fit, else in wide numbers."""
        of_quantity, of_price = self._places_of_first_rows()
        try:
            return self._answer(of_quantity, of_price, NARROW)
        except ColumnsError:
            quantity, price = (self.columns.amount(name) for name in ("quantity", "price"))
            return self._answer(quantity.places, price.places, MOST_DIGITS)

    def _places_of_first_rows(self) -> tuple[int, int]:
        selected = self.columns.selected("quantity", "price")
        rows = self.columns.answer(f"SELECT quantity, price FROM {selected} LIMIT {_SAMPLE}")
        of_quantity, of_price = (
            max(decimal_places(shortest(row[place])) for row in rows) for place in (0, 1)
        )
        return of_quantity, of_price

    def _answer(self, of_quantity: int, of_price: int, digits: int) -> Iterator[_Sums]:
        of_worth, fee = of_quantity + of_price, self.columns.amount("fee")
        if of_worth > digits:
            raise ColumnsError("a product does not fit")
        rounded = [
            *(Rounded("worth", digits, of_worth, to) for to in self.paid),
            *(Rounded("moved", digits, of_quantity, to) for to in self.received),
            *(Rounded("fee", fee.digits, fee.places, to) for to in self.charged),
        ]
        rows = self.columns.answer(self._sql(of_quantity, of_price, digits, rounded))
        if not all(row[12] for row in rows):
            raise ColumnsError("an amount has more places than the first ones")
        return (self._sums(row) for row in rows)

    def _sums(self, row: tuple[Any, ...]) -> _Sums:
        quantity, worth, fee, of_quantity, of_worth, of_fee = row[6:12]
        sums = iter(row[13:])
        symbol, currency, account, leg, first, charged = row[:6]
        return _Sums(
            symbol,
            currency,
            account,
            leg,
            first,
            charged,
            with_places(quantity, of_quantity),
            with_places(worth, of_worth),
            with_places(fee, of_fee or 0),
            *({to: with_places(next(sums), to) for to in places} for places in self._roundings),
        )

    @property
    def _roundings(self) -> tuple[Sequence[int], Sequence[int], Sequence[int]]:
        return self.paid, self.received, self.charged

    def _sql(self, of_quantity: int, of_price: int, digits: int, rounded: Iterable[Rounded]) -> str:
        columns = self.columns
        places = {name: f"{name}_places" for name in _AMOUNTS if columns.amount(name).written}
        rows = columns.selected(*_KEYS, "time", "side", *_AMOUNTS, *places.values())
        by_row = "".join(f", {name}" for name in places.values())
        quantity_places, price_places, fee_places = (
            places.get(name, str(columns.amount(name).places)) for name in _AMOUNTS
        )
        quantity = f"quantity::DECIMAL({digits}, {of_quantity})"
        price = f"price::DECIMAL({digits}, {of_price})"
        keys = ", ".join(_KEYS)
        signed = (
            f"SELECT {keys}, time, fee, {price} AS price, "
            f"CASE WHEN side = 'BUY' THEN {quantity} ELSE -{quantity} END AS moved, "
            f"quantity = {quantity} AND price = {price} AS fits{by_row} FROM {rows}"
        )
        charged = "FILTER (fee <> 0)"
        sums = ", ".join(f"sum({one.sql()})" for one in rounded)
        return (
            f"SELECT {keys}, min(time), min(time) {charged}, sum(moved), sum(worth), sum(fee), "
            f"max({quantity_places}), max({quantity_places} + {price_places}), "
            f"max({fee_places}) {charged}, bool_and(fits){sums and f', {sums}'} "
            f"FROM (SELECT *, moved * price AS worth FROM ({signed})) GROUP BY {keys}"
        )


@dataclass(slots=True)
class _Position:
    """The sums of one position while they are added up, and when its fills and fees begin."""

    rule: SumRule
    first: int
    charged: dict[str, int] = field(default_factory=dict)
    total: FillSums = field(default_factory=lambda: FillSums(ZERO, ZERO, ZERO))

    def add(self, sums: _Sums, places: Places) -> None:
        """Add the sums of one fee currency and account."""
        self.first = min(self.first, sums.first)
        total, rule = self.total, self.rule
        total.quantity = EXACT.add(total.quantity, sums.quantity)
        paid = sums.worth if rule.paid is None else sums.paid_by_places[rule.paid]
        total.paid = EXACT.add(total.paid, paid)
        received = (
            sums.quantity if rule.received is None else sums.received_by_places[rule.received]
        )
        total.received = EXACT.add(total.received, received)
        if sums.charged is not None:
            self._charge(sums, sums.charged, places)

    def _charge(self, sums: _Sums, first: int, places: Places) -> None:
        currency = str(sums.currency)
        known = self.charged.get(currency, first)
        self.charged[currency] = min(known, first)
        to = places(currency)
        fee = sums.fee if to is None else sums.fee_by_places[to]
        charged, fees = self.total.charged, self.total.fees
        charged[currency] = EXACT.add(charged.get(currency, ZERO), fee)
        fees[currency] = EXACT.add(fees.get(currency, ZERO), sums.fee)

    def sums(self) -> FillSums:
        """Return the sums, with the fees in the order in which they begin."""
        total = self.total
        for sums in (total.charged, total.fees):
            ordered = {currency: sums[currency] for currency in self.charged}
            sums.clear()
            sums.update(ordered)
        return total


def _put_in_order(
    positions: dict[_Key, _Position], columns: TableColumns, rows_at: RowsAt, in_order: InOrder
) -> None:
    """Sort positions and their fees by when they begin; rows decide those of one time."""
    places: dict[tuple[Any, ...], int] = {}
    tied = set(_repeated(position.first for position in positions.values()))
    tied.update(*(_repeated(one.charged.values()) for one in positions.values()))
    rows = in_order(rows_at(_numbers(columns, tied))) if tied else ()
    for place, fill in enumerate(rows):
        key, time = (fill.account, fill.symbol, str(fill.leg)), microseconds_of(fill.time)
        places.setdefault((key, time), place)
        if fill.fee:
            places.setdefault((key, time, fill.fee_currency), place)
    ordered = sorted(
        positions.items(), key=lambda one: (one[1].first, places.get((one[0], one[1].first), 0))
    )
    positions.clear()
    positions.update(ordered)
    for key, position in ordered:
        position.charged = dict(
            sorted(
                position.charged.items(),
                key=lambda one: (one[1], places.get((key, one[1], one[0]), 0)),
            )
        )


def _repeated(times: Iterable[int]) -> Iterator[int]:
    return (time for time, count in Counter(times).items() if count > 1)


def _numbers(columns: TableColumns, times: Collection[int]) -> list[int]:
    """Return the numbers of the rows at some times."""
    query = (
        f"SELECT number FROM {columns.selected('time')} WHERE time IN ({listed(sorted(times))}) "
        f"ORDER BY number LIMIT {_MOST_TIED + 1}"
    )
    numbers = [number for (number,) in columns.answer(query)]
    if len(numbers) > _MOST_TIED:
        raise ColumnsError("too many rows begin at one time")
    return numbers


def _sorted(places: Iterable[int | None]) -> list[int]:
    return sorted({one for one in places if one is not None})
