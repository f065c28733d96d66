"""Queries of a snapshot: the call of ccxt, the section of a session that it covers, its rows."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Query:
    """One unified call of ccxt.

    `section` is the part of a session that the rows are, empty where they are kept for readers
    only. `required` are fields that no row may leave unknown. A query `of_symbols` is asked for
    each symbol, one `of_contracts` for contracts only; one that is `paged` takes a time.
    `bounded_like` is the call whose bounds ccxt states in place of its own.
    """

    name: str
    section: str
    required: tuple[str, ...] = ()
    of_symbols: bool = False
    of_contracts: bool = False
    paged: bool = False
    bounded_like: str = ""

    @property
    def method(self) -> str:
        """The method of ccxt."""
        return f"fetch_{self.name}"

    @property
    def capability(self) -> str:
        """The name under which ccxt's `has` and `features` list the call."""
        return "fetch" + "".join(word.capitalize() for word in self.name.split("_"))

    @property
    def features(self) -> str:
        """The name under which ccxt's `features` has the bounds of the call."""
        return self.bounded_like or self.capability

    @property
    def title(self) -> str:
        """The query as people say it: `my trades`."""
        return self.name.replace("_", " ")


_ORDER: Final = ("id", "symbol", "side", "amount", "filled", "status", "timestamp")
_TRADE: Final = ("id", "symbol", "side", "amount", "price", "timestamp")
_MOVED: Final = ("id", "currency", "amount", "timestamp")

BALANCE: Final = Query("balance", "cash")
POSITIONS: Final = Query("positions", "positions", ("symbol",), of_symbols=True, of_contracts=True)
OPEN_ORDERS: Final = Query("open_orders", "orders", _ORDER, of_symbols=True)
MY_TRADES: Final = Query("my_trades", "fills", _TRADE, of_symbols=True, paged=True)
ORDERS: Final = Query("orders", "orders", _ORDER, of_symbols=True, paged=True)
ENDED_ORDERS: Final = Query(
    "canceled_and_closed_orders",
    "orders",
    _ORDER,
    of_symbols=True,
    paged=True,
    bounded_like="fetchClosedOrders",
)
CLOSED_ORDERS: Final = Query("closed_orders", "orders", _ORDER, of_symbols=True, paged=True)
CANCELED_ORDERS: Final = Query("canceled_orders", "orders", _ORDER, of_symbols=True, paged=True)
FUNDING_HISTORY: Final = Query(
    "funding_history",
    "movements",
    ("id", "code", "amount", "timestamp"),
    of_symbols=True,
    of_contracts=True,
    paged=True,
)
DEPOSITS: Final = Query("deposits", "movements", (*_MOVED, "status"), paged=True)
WITHDRAWALS: Final = Query("withdrawals", "movements", (*_MOVED, "status"), paged=True)
LEDGER: Final = Query("ledger", "", _MOVED, paged=True)

ENDS: Final[Mapping[tuple[str, str], str]] = {("bybit", LEDGER.name): "endTime"}
"""Names of the end of time, by exchange and query, where ccxt does not hand on `until`."""
PAID_IS_POSITIVE: Final = frozenset({"bybit"})
"""Exchanges whose funding history states what was paid as positive, with ccxt's code USDT."""


def offered_queries(exchange: Any) -> Iterator[tuple[Query, bool]]:
    """Yield the queries in the order of asking, and if the exchange has each.

    Open orders are asked before all orders: one that is filled between them is in the later
    answer. Orders that ended, or closed and cancelled ones, are asked for where there is no call
    for all.
    """
    choices = ((ORDERS,), (ENDED_ORDERS,), (CLOSED_ORDERS, CANCELED_ORDERS))
    offered = ([query for query in choice if _has(exchange, query)] for choice in choices)
    orders = next(filter(None, offered), [ORDERS])
    history = (MY_TRADES, FUNDING_HISTORY, DEPOSITS, WITHDRAWALS, LEDGER)
    for query in (BALANCE, POSITIONS, OPEN_ORDERS, *orders, *history):
        yield query, _has(exchange, query)


def _has(exchange: Any, query: Query) -> bool:
    return bool(exchange.has.get(query.capability))
