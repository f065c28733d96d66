"""A unified account of Bybit on this machine: a linear contract and a pair in one wallet.

Answers are as the exchange states them: newest rows first, pages with a cursor, times within seven
days, a ledger that without an end has one day, and errors of status 200.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.servers.binance import DAY, Account, Reply

END_POINTS = {
    "/v5/market/time": "time",
    "/v5/market/instruments-info": "exchangeInfo",
    "/v5/user/query-api": "user",
    "/v5/account/info": "info",
    "/v5/account/wallet-balance": "account",
    "/v5/position/list": "positionRisk",
    "/v5/execution/list": "myTrades",
    "/v5/order/realtime": "openOrders",
    "/v5/order/history": "allOrders",
    "/v5/account/transaction-log": "ledger",
    "/v5/asset/deposit/query-record": "deposits",
    "/v5/asset/withdraw/query-record": "withdrawals",
}
OPEN = ("New", "PartiallyFilled")
PAGES = {"myTrades": (50, 100), "income": (50, 100), "allOrders": (20, 50), "ledger": (20, 50)}
"""Rows of a page: without a limit, and at most."""


@dataclass
class UnifiedAccount(Account):
    """The state of the account; rows are Bybit's own."""

    longest: int = 7 * DAY
    positions: list[dict[str, Any]] = field(default_factory=list)
    income: list[dict[str, Any]] = field(default_factory=list)
    ledger: list[dict[str, Any]] = field(default_factory=list)

    def name_of(self, path: str, given: dict[str, str]) -> str | None:
        """Return the end point of a request, by the names of Binance where it has them."""
        name = END_POINTS.get(path)
        return "income" if given.get("execType") == "Funding" else name

    def listed(self, body: Any) -> Any:
        """The rows of an answer; those of a balance are its currencies."""
        return body["result"]["rows" if "rows" in body["result"] else "list"]

    def relisted(self, body: Any, rows: Any) -> Any:
        """An answer with other rows."""
        name = "rows" if "rows" in body["result"] else "list"
        return {**body, "result": {**body["result"], name: rows}}

    def late(self) -> Reply:
        """The answer to a request of another time."""
        return self.refused(10002, "invalid request, please check your server timestamp")

    def refused(self, code: int, text: str) -> Reply:
        """An error, which has the status of an answer."""
        return Reply({"retCode": code, "retMsg": text, "result": {}, "time": self.now()})

    def found(self, name: str, given: dict[str, str]) -> Any:
        """Answer as the exchange does."""
        category = given.get("category", "")
        if name == "positionRisk" and not {"symbol", "settleCoin"} & set(given):
            return self.refused(10001, "params error: symbol or settleCoin is required")
        listed = self._of(self.positions, given)
        opened = [row for row in self._of(self.orders, given) if row["orderStatus"] in OPEN]
        symbols = _markets(category) if self.symbols and "status" not in given else []
        states: dict[str, Callable[[], Any]] = {
            "time": lambda: self._answer({"timeSecond": str(self.now() // 1000)}),
            "exchangeInfo": lambda: self._list(symbols, category),
            "user": lambda: self._answer({"uta": 1, "unified": 0}),
            "info": lambda: self._answer({"unifiedMarginStatus": 6}),
            "account": lambda: self._list([{"accountType": "UNIFIED", "coin": self.balances}]),
            "positionRisk": lambda: self._list(listed, category),
            "openOrders": lambda: self._list(opened, category),
        }
        return states[name]() if name in states else self._history(name, given, category)

    def _history(self, name: str, given: dict[str, str], category: str) -> Any:
        rows, moment = {
            "myTrades": (self.trades, "execTime"),
            "income": (self.income, "execTime"),
            "allOrders": (self.orders, "createdTime"),
            "ledger": (self.ledger, "transactionTime"),
            "deposits": (self.deposits, "successAt"),
            "withdrawals": (self.withdrawals, "createTime"),
        }[name]
        days = 1 if name == "ledger" else 7
        begun = int(given.get("startTime", self.now() - days * DAY))
        ended = int(given.get("endTime", begun + days * DAY))
        longest = 30 * DAY if name in ("deposits", "withdrawals") else self.longest
        if ended - begun > longest:
            return self.refused(10001, "The time range between startTime and endTime is too long")
        usual, most = PAGES.get(name, (50, 50))
        size = min(int(given.get("limit", usual)), most, self.page)
        kept = [row for row in self._of(rows, given) if begun <= int(row[moment]) <= ended]
        kept.sort(key=lambda row: int(row[moment]), reverse=True)
        cursor = "next" if len(kept) > size else ""
        key = "rows" if name in ("deposits", "withdrawals") else "list"
        return self._answer(
            {"category": category, key: _plain(kept[:size]), "nextPageCursor": cursor}
        )

    def _of(self, rows: list[dict[str, Any]], given: dict[str, str]) -> list[dict[str, Any]]:
        symbol, category = given.get("symbol"), given.get("category")
        return [
            row
            for row in rows
            if symbol in (None, row.get("symbol")) and row.get("category", category) == category
        ]

    def _list(self, rows: list[dict[str, Any]], category: str = "") -> Any:
        return self._answer({"category": category, "list": _plain(rows), "nextPageCursor": ""})

    def _answer(self, result: dict[str, Any]) -> Any:
        return {"retCode": 0, "retMsg": "OK", "result": result, "time": self.now()}


def _markets(category: str) -> list[dict[str, Any]]:
    """Return BTCUSDT and ETHUSDT of a category."""
    market = MARKETS.get(category, {})
    return [market, market | {"symbol": "ETHUSDT", "baseCoin": "ETH"}]


def _plain(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows as they are answered: the category is that of the request."""
    return [{name: value for name, value in row.items() if name != "category"} for row in rows]


MARKETS = {
    "linear": {
        "symbol": "BTCUSDT",
        "contractType": "LinearPerpetual",
        "status": "Trading",
        "baseCoin": "BTC",
        "quoteCoin": "USDT",
        "settleCoin": "USDT",
        "launchTime": "1585526400000",
        "deliveryTime": "0",
        "priceFilter": {"minPrice": "0.10", "maxPrice": "1999999.80", "tickSize": "0.10"},
        "lotSizeFilter": {"maxOrderQty": "1190", "minOrderQty": "0.001", "qtyStep": "0.001"},
        "leverageFilter": {"minLeverage": "1", "maxLeverage": "100.00"},
    },
    "spot": {
        "symbol": "BTCUSDT",
        "baseCoin": "BTC",
        "quoteCoin": "USDT",
        "status": "Trading",
        "marginTrading": "utaOnly",
        "priceFilter": {"tickSize": "0.01"},
        "lotSizeFilter": {
            "basePrecision": "0.000001",
            "quotePrecision": "0.00000001",
            "minOrderQty": "0.000048",
            "maxOrderQty": "71",
        },
    },
}
