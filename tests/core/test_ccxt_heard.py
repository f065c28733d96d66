"""What a bot heard of an exchange: its trades, and orders of which no trade was heard."""

from typing import Any

import pytest

from recon_core.recorders.ccxt import Heard


def trade(name: str, of: str | None = None, **more: Any) -> dict[str, Any]:
    """A trade of 1 at 2, of an order."""
    row = {"id": name, "symbol": "BTC/USDT", "order": of, "side": "buy", "amount": 1, "price": 2}
    return row | {"timestamp": 5} | more


def order(name: str, filled: int | None, **more: Any) -> dict[str, Any]:
    """An order that filled something at 3 on average."""
    row = {"id": name, "symbol": "BTC/USDT", "side": "buy", "filled": filled, "average": 3}
    return row | {"timestamp": 7} | more


@pytest.mark.parametrize(
    ("trades", "orders", "expected"),
    [
        ([trade("t1", "o1")], [order("o1", 1)], [("t1", 1, 2, 5)]),
        ([], [order("o1", 4)], [("order o1", 4, 3, 7)]),
        ([trade("t1", "o1")], [order("o2", 4)], [("t1", 1, 2, 5), ("order o2", 4, 3, 7)]),
        ([], [order("o1", 0), order("o2", None)], []),
        ([], [order("o1", 1, trades=[trade("t1", timestamp=None)])], [("t1", 1, 2, 7)]),
        ([trade("t1", "o1")], [order("o1", 1, symbol="ETH/USDT")],
         [("t1", 1, 2, 5), ("order o1", 1, 3, 7)]),
        ([], [order("o1", 1), order("o1", 2)], [("order o1", 2, 3, 7)]),
    ],
)  # fmt: skip
def test_an_order_without_a_trade_is_one(
    trades: list[Any], orders: list[Any], expected: list[tuple[object, ...]]
) -> None:
    """At its average price, where it filled anything; what is heard again replaces the former."""
    heard = Heard()
    heard.trades(trades)
    heard.orders(orders)
    names = ("id", "amount", "price", "timestamp")
    assert [tuple(row[name] for name in names) for row in heard.rows()] == expected
