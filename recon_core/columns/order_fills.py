"""Orders against the fills that name them, in columns.

An order is a match beyond doubt where both sides list it alike, no other order shares an id with
it, and the fills of each side that name it have its symbol and side and sum to what it has filled.
A fill is plainly of an order where it has the client's id and no other id of the exchange, or the
id of the exchange alone. Any other fill that names an order is odd, and what it may name is left
to the rows:

1. Orders that differ, or share an id, are left out (`matching`).
2. The fills of each side are joined with the other orders. Where they do not sum up, an order is
   left out, too, and so is one that shares an id with an odd fill or with what was left out.
3. Rows are made of the orders that were left out, of the fills that are plainly of them, and of odd
   fills. None of these fills has an id of another order, so that rows find for them what they find
   among all.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from recon_core.columns.database import ColumnsError
from recon_core.columns.table_columns import MOST_DIGITS, MOST_NUMBERS, TableColumns, listed

_Value = TypeVar("_Value")
IDS: Final = ("client_order_id", "exchange_order_id")


def sharing_an_id(columns: TableColumns, *, plain: bool) -> set[str]:
    """Return the ids of the exchange that several orders of a table have."""
    if not columns.has("exchange_order_id"):
        return set()
    account = "" if plain else ", coalesce(account, '')"
    query = (
        f"SELECT DISTINCT exchange_order_id FROM (SELECT exchange_order_id FROM "
        f"{columns.selected('exchange_order_id', 'account')} WHERE exchange_order_id IS NOT NULL "
        f"GROUP BY exchange_order_id{account} HAVING count(*) > 1) LIMIT {MOST_NUMBERS + 1}"
    )
    return {name for (name,) in _few(columns.answer(query))}


def with_ids(columns: TableColumns, ids: Iterable[str]) -> set[int]:
    """Return the numbers of the orders that have one of some ids, of the client or the exchange."""
    names = listed(_few(sorted(ids)))
    if not names:
        return set()
    either = " OR ".join(f"{columns.text(name)} IN ({names})" for name in IDS if columns.has(name))
    query = f"SELECT {columns.number} FROM {columns.source} WHERE {either}"
    return {number for (number,) in columns.answer(query)}


def partners(
    ours: TableColumns, theirs: TableColumns, numbers: Sequence[int], *, plain: bool
) -> set[int]:
    """Return the numbers of their orders that have the keys of some orders of ours."""
    if not numbers:
        return set()
    key = [*ours.kind.key, *([] if plain else ["account"])]
    of_key = " AND ".join(f"coalesce(a.{name}, '') = coalesce(b.{name}, '')" for name in key)
    mine = ours.selected(*key, where=f"{ours.number} IN ({listed(_few(numbers))})")
    # Without pushdown of filters an inner join of a filtered table compares each row with each.
    query = f"SELECT b.number FROM {theirs.selected(*key)} b SEMI JOIN {mine} a ON {of_key}"
    with ours.unchanged():
        return {number for (number,) in theirs.answer(query)}


@dataclass(frozen=True, slots=True)
class OrderFills:
    """The fills of one side, and the orders of `orders` without those of some numbers."""

    orders: TableColumns
    fills: TableColumns
    left_out: Sequence[int]
    plain: bool

    def unnamed(self) -> frozenset[str]:
        """Return the symbols of the fills that name no order."""
        rows = self.fills.selected("symbol", *IDS)
        nothing = " AND ".join(f"{name} IS NULL" for name in IDS)
        query = f"SELECT DISTINCT symbol FROM {rows} WHERE {nothing}"
        return frozenset(symbol for (symbol,) in self.fills.answer(query))

    def doubtful(self, unnamed: Iterable[str]) -> tuple[set[int], set[int]]:
        """Return the orders that their fills do not sum up to, and all fills that are odd.

        Fills prove nothing of a symbol in `unnamed`. Raises `ColumnsError` where they are many.
        """
        names = listed(sorted(unnamed))
        is_known = f"o.symbol NOT IN ({names})" if names else "true"
        query = (
            f"SELECT o.number, g.odd FROM {self._orders()} o FULL JOIN ("
            "SELECT of_order, sum(quantity) FILTER (NOT is_odd) AS filled, "
            "bool_and(fits) FILTER (NOT is_odd) AS fits, list(fill) FILTER (is_odd) AS odd "
            f"FROM ({self._named()}) GROUP BY of_order) g ON o.number = g.of_order "
            "WHERE g.odd IS NOT NULL OR (o.number IS NOT NULL AND "
            f"{is_known} AND NOT (coalesce(g.fits, true) AND {self._sums_up()})) "
            f"LIMIT {MOST_NUMBERS + 1}"
        )
        found = _few(self._answer(query))
        orders = {number for number, _ in found if number is not None}
        return orders, set(_few([fill for _, odd in found for fill in odd or ()]))

    def of(self, orders: Sequence[int]) -> set[int]:
        """Return the fills that are plainly of some orders."""
        if not orders:
            return set()
        chosen = f"of_order IN ({listed(_few(orders))})"
        query = f"SELECT fill FROM ({self._named()}) WHERE {chosen} AND NOT is_odd"
        return {fill for (fill,) in self._answer(query)}

    def _answer(self, query: str) -> list[tuple[Any, ...]]:
        with self.orders.unchanged():
            return self.fills.answer(query)

    def _orders(self) -> str:
        numbers = listed(_few(self.left_out))
        where = f"{self.orders.number} NOT IN ({numbers})" if numbers else ""
        names = ("symbol", "side", "filled_quantity", "account", *IDS)
        return self.orders.selected(*names, where=where)

    def _named(self) -> str:
        """The fills that name an order: `of_order` is the order, and `is_odd` not plainly it."""
        fills = self.fills.selected("symbol", "side", "quantity", "account", *IDS)
        account = "" if self.plain else " AND coalesce(o.account, '') = coalesce(f.account, '')"
        client, exchange = (f"o.{name} = f.{name}" for name in IDS)
        selected = (
            "SELECT f.number AS fill, o.number AS of_order, f.quantity, "
            "(f.symbol = o.symbol AND f.side = o.side) AS fits, "
        )
        joined = f"FROM {fills} f LEFT JOIN {self._orders()} o ON"
        return (
            f"{selected} (o.number IS NULL OR NOT coalesce(f.exchange_order_id IS NULL OR "
            f"{exchange}, false)) AS is_odd {joined} {client}{account} "
            "WHERE f.client_order_id IS NOT NULL UNION ALL "
            f"{selected} o.number IS NULL AS is_odd {joined} {exchange}{account} "
            "WHERE f.client_order_id IS NULL AND f.exchange_order_id IS NOT NULL"
        )

    def _sums_up(self) -> str:
        """The condition that fills sum to what an order has filled, in digits that hold both."""
        filled, quantity = self.orders.amount("filled_quantity"), self.fills.amount("quantity")
        kind = f"DECIMAL({MOST_DIGITS}, {max(filled.places, quantity.places)})"
        return f"o.filled_quantity::{kind} = coalesce(g.filled::{kind}, 0::{kind})"


def _few(values: Sequence[_Value]) -> Sequence[_Value]:
    """Return values that a query may name; raises `ColumnsError` where they are many."""
    if len(values) > MOST_NUMBERS:
        raise ColumnsError("too many orders or fills differ")
    return values
