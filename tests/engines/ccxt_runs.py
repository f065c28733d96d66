"""A bot on the real ccxt, and an exchange on this machine that fills its orders.

The exchange is Binance's spot wallet: market orders are filled at once, in two parts, limit orders
when the price is there. A fee of 0.1 % is in what was received.
"""

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from recon_core.recorders import record_ccxt
from tests.engines.prices import walk
from tests.servers.binance import Account, serving, settings_of

ccxt: Any = pytest.importorskip("ccxt", reason="needs ccxt: make test-engines")

SYMBOL = "BTC/USDT"
RATE = Decimal("0.001")


@dataclass
class Paper(Account):
    """An account that trades: what it has is the sum of its trades."""

    price: Decimal = Decimal(100)
    names_fills: bool = True
    numbers: Any = field(default_factory=lambda: count(1))
    held: dict[str, Decimal] = field(
        default_factory=lambda: {"BTC": Decimal(5), "USDT": Decimal(10_000)}
    )

    def __post_init__(self) -> None:
        self._show()

    def _show(self) -> None:
        self.balances = [
            {"asset": name, "free": f"{amount:f}", "locked": "0"}
            for name, amount in self.held.items()
        ]

    def name_of(self, path: str, given: dict[str, str]) -> str | None:
        """The one end point more."""
        return "order" if path == "/api/v3/order" else super().name_of(path, given)

    def found(self, name: str, given: dict[str, str]) -> Any:
        """Take an order, or tell of one."""
        if name != "order":
            return super().found(name, {"endTime": str(self.now()), **given})
        if "side" in given:
            return self.take(given)
        return next(row for row in self.orders if str(row["orderId"]) == given["orderId"])

    def take(self, given: dict[str, str]) -> dict[str, Any]:
        """A new order: a market order is filled at once, and booked a moment later."""
        now = self.now()
        row = {
            "symbol": given["symbol"],
            "orderId": next(self.numbers),
            "clientOrderId": given.get("newClientOrderId", ""),
            "price": given.get("price", "0"),
            "origQty": given["quantity"],
            "executedQty": "0",
            "cummulativeQuoteQty": "0",
            "status": "NEW",
            "timeInForce": "GTC",
            "type": given["type"],
            "side": given["side"],
            "isWorking": True,
            "time": now,
            "updateTime": now,
            "transactTime": now + 1,
        }
        self.orders.append(row)
        fills = self.fill(row, self.price) if given["type"] == "MARKET" else []
        return row | {"fills": fills if self.names_fills else []}

    def fill(self, row: dict[str, Any], price: Decimal) -> list[dict[str, Any]]:
        """Fill an order in two parts, at two prices."""
        quantity = Decimal(row["origQty"])
        first = (quantity / 3).quantize(Decimal("0.00001"))
        made = [
            self._trade(row, first, price),
            self._trade(row, quantity - first, price + Decimal("0.01")),
        ]
        cost = sum(Decimal(trade["quoteQty"]) for trade in made)
        row |= {"status": "FILLED", "executedQty": row["origQty"], "updateTime": self.now()}
        row["cummulativeQuoteQty"] = f"{cost:f}"
        self._show()
        names = ("price", "qty", "commission", "commissionAsset")
        return [{name: one[name] for name in names} | {"tradeId": one["id"]} for one in made]

    def _trade(self, row: dict[str, Any], quantity: Decimal, price: Decimal) -> dict[str, Any]:
        is_buy, cost = row["side"] == "BUY", quantity * price
        fee, asset = (quantity * RATE, "BTC") if is_buy else (cost * RATE, "USDT")
        self.held["BTC"] += quantity if is_buy else -quantity
        self.held["USDT"] += -cost if is_buy else cost
        self.held[asset] -= fee
        trade = {
            "symbol": row["symbol"],
            "id": next(self.numbers),
            "orderId": row["orderId"],
            "price": f"{price:f}",
            "qty": f"{quantity:f}",
            "quoteQty": f"{cost:f}",
            "commission": f"{fee:f}",
            "commissionAsset": asset,
            "time": self.now() if row["type"] == "LIMIT" else row["time"],
            "isBuyer": is_buy,
            "isMaker": False,
        }
        self.trades.append(trade)
        return trade


def exchange_of(address: str) -> Any:
    """The bot's exchange, as it would make it."""
    made = ccxt.binance({"apiKey": "key", "secret": "secret", **settings_of(address)})
    made.has = {**made.has, "fetchCurrencies": False}  # that server has no such end point
    return made


@contextmanager
def paper(**options: Any) -> Any:
    """A paper account, and an exchange of ccxt that trades on it."""
    account = Paper(**options)
    with serving(account) as address:
        exchange = exchange_of(address)
        try:
            yield account, exchange
        finally:
            exchange.session.close()


def trade(exchange: Any, account: Paper, orders: int = 25) -> None:
    """A bot: market orders along a walk; it goes by what the calls return."""
    for number, bar in enumerate(walk(1, 100.0, orders)):
        account.price = Decimal(str(bar.close))
        side = "sell" if number % 3 == 2 else "buy"
        exchange.create_order(SYMBOL, "market", side, round(0.05 + 0.01 * number, 5))
        time.sleep(0.002)


def market_orders(directory: Path) -> None:
    """A healthy bot."""
    with paper() as (account, exchange), record_ccxt(exchange, directory, [SYMBOL]):
        trade(exchange, account)
