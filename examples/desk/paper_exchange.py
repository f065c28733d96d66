"""A paper exchange on this machine: it fills market orders, and answers ccxt as Binance does.

One account, one symbol, no signatures checked. `lose_next_answer` makes it fill the next order
and hang up, as a network does.
"""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import ccxt

PRICE = Decimal("42000.00")
FEE = Decimal("0.001")


class PaperExchange:
    """The state of the account; rows are as Binance writes them."""

    def __init__(self, cash: Decimal) -> None:
        self.balances = {"USDT": cash, "BTC": Decimal(0)}
        self.orders: list[dict[str, Any]] = []
        self.trades: list[dict[str, Any]] = []
        self.lose_next_answer = False

    def answer(self, name: str, given: dict[str, str]) -> Any:
        """Answer a request by the last word of its path."""
        if name == "order":
            return self._fill(given)
        balances = [
            {"asset": asset, "free": str(amount), "locked": "0"}
            for asset, amount in self.balances.items()
        ]
        return {
            "time": {"serverTime": _now()},
            "exchangeInfo": {"serverTime": _now(), "symbols": [_MARKET]},
            "account": {"updateTime": _now(), "balances": balances},
            "openOrders": [],
            "allOrders": _between(self.orders, given),
            "myTrades": _between(self.trades, given),
        }.get(name, [])

    def _fill(self, given: dict[str, str]) -> Any:
        """Fill an order at once, for 0.1 % in USDT."""
        quantity, moment, number = Decimal(given["quantity"]), _now(), len(self.orders) + 1
        sign, fee = 1 if given["side"] == "BUY" else -1, quantity * PRICE * FEE
        self.balances["BTC"] += sign * quantity
        self.balances["USDT"] -= sign * quantity * PRICE + fee
        traded: dict[str, Any] = {"price": str(PRICE), "qty": str(quantity), "commission": str(fee)}
        traded |= {"commissionAsset": "USDT", "tradeId": number}
        order = {"symbol": given["symbol"], "orderId": number, "side": given["side"]}
        order |= {"clientOrderId": f"bot{number}", "type": "MARKET", "status": "FILLED"}
        order |= {"price": "0", "origQty": str(quantity), "executedQty": str(quantity)}
        order |= {"cummulativeQuoteQty": str(quantity * PRICE), "timeInForce": "GTC"}
        self.orders.append(order | {"time": moment, "updateTime": moment})
        self.trades.append(
            traded
            | {"symbol": given["symbol"], "id": number, "orderId": number, "time": moment}
            | {"isBuyer": sign > 0, "isMaker": False, "quoteQty": str(quantity * PRICE)}
        )
        return order | {"transactTime": moment, "fills": [traded]}


def _now() -> int:
    return int(time.time() * 1000)


def _between(rows: list[dict[str, Any]], given: dict[str, str]) -> list[dict[str, Any]]:
    begun, ended = int(given.get("startTime", 0)), int(given.get("endTime", _now()))
    return [row for row in rows if begun <= row["time"] <= ended]


_MARKET = {
    "symbol": "BTCUSDT",
    "status": "TRADING",
    "baseAsset": "BTC",
    "baseAssetPrecision": 8,
    "quoteAsset": "USDT",
    "quotePrecision": 8,
    "orderTypes": ["MARKET"],
    "isSpotTradingAllowed": True,
    "permissions": ["SPOT"],
    "filters": [
        {"filterType": "LOT_SIZE", "minQty": "0.00001", "maxQty": "9000", "stepSize": "0.00001"},
        {"filterType": "PRICE_FILTER", "minPrice": "1", "maxPrice": "9e6", "tickSize": "0.01"},
    ],
}


@contextmanager
def serving(exchange: PaperExchange) -> Iterator[str]:
    """Serve an exchange on a free port; yields its address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer(urlsplit(self.path).query)

        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers["Content-Length"])).decode())

        def _answer(self, query: str) -> None:
            name = urlsplit(self.path).path.rpartition("/")[2]
            found = exchange.answer(name, dict(parse_qsl(query)))
            if name == "order" and exchange.lose_next_answer:
                exchange.lose_next_answer, self.close_connection = False, True
                return
            body = json.dumps(found).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Print nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def settings_of(address: str) -> dict[str, Any]:
    """Settings with which ccxt asks that server for Binance, and nobody else."""
    places = ccxt.binance().urls["api"]
    return {
        "urls": {"api": {name: address + urlsplit(url).path for name, url in places.items()}},
        "options": {"fetchMargins": False, "fetchMarkets": {"types": ["spot"]}},
    }
