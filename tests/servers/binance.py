"""A spot account of Binance on this machine: its answers, its pages, and its ways to fail.

Signatures are not checked; times are. `faults` change an answer: each is called with the name of
the end point, the number of its request and the decoded parameters, and returns a `Reply` or
`None` where it leaves the answer as it is.
"""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from operator import itemgetter
from typing import Any
from urllib.parse import parse_qsl, urlsplit

DAY = 86_400_000
END_POINTS = {
    "/api/v3/time": "time",
    "/api/v3/exchangeInfo": "exchangeInfo",
    "/api/v3/account": "account",
    "/api/v3/myTrades": "myTrades",
    "/api/v3/allOrders": "allOrders",
    "/api/v3/openOrders": "openOrders",
    "/sapi/v1/capital/deposit/hisrec": "deposits",
    "/sapi/v1/capital/withdraw/history": "withdrawals",
}


@dataclass(frozen=True)
class Reply:
    """An answer: a status, a body, headers, and seconds to wait before it.

    With `cut` the connection ends before the length that was promised.
    """

    body: Any = None
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    delay: float = 0
    text: str | None = None
    cut: bool = False


Fault = Callable[[str, int, dict[str, str]], Reply | None]


@dataclass
class Account:
    """The state of the account; rows are Binance's own."""

    balances: list[dict[str, Any]] = field(default_factory=list)
    trades: list[dict[str, Any]] = field(default_factory=list)
    orders: list[dict[str, Any]] = field(default_factory=list)
    deposits: list[dict[str, Any]] = field(default_factory=list)
    withdrawals: list[dict[str, Any]] = field(default_factory=list)
    symbols: tuple[tuple[str, str], ...] = (("BTC", "USDT"), ("ETH", "USDT"))
    page: int = 1000
    longest: int = DAY
    newest_first: bool = False
    clock: int = 0
    faults: list[Fault] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def now(self) -> int:
        """The time of the exchange in milliseconds."""
        return int(time.time() * 1000) + self.clock

    def name_of(self, path: str, _given: dict[str, str]) -> str | None:
        """Return the name of the end point of a request."""
        return END_POINTS.get(path)

    def listed(self, body: Any) -> Any:
        """The rows of an answer."""
        return body

    def relisted(self, _body: Any, rows: Any) -> Any:
        """An answer with other rows."""
        return rows

    def late(self) -> Reply:
        """The answer to a request of another time."""
        return Reply({"code": -1021, "msg": "Timestamp is outside of the recvWindow."}, 400)

    def answer(self, path: str, given: dict[str, str]) -> Reply:
        """Answer one request."""
        name = self.name_of(path, given)
        if name is None:
            return Reply({"code": -1, "msg": f"no end point {path}"}, 404)
        self.counts[name] += 1
        self.asked.append((name, given))
        for fault in self.faults:
            reply = fault(name, self.counts[name], given)
            if reply is not None:
                return reply
        if "timestamp" in given and not -10_000 <= self.now() - int(given["timestamp"]) <= 10_000:
            return self.late()
        found = self.found(name, given)
        return found if isinstance(found, Reply) else Reply(found)

    def found(self, name: str, given: dict[str, str]) -> Any:
        """The rows or the `Reply` of an end point, as the exchange has it."""
        if name in ("myTrades", "allOrders"):
            if int(given["endTime"]) - int(given["startTime"]) > self.longest:
                return Reply({"code": -1127, "msg": "Too many hours between times."}, 400)
            return self.rows(self.trades if name == "myTrades" else self.orders, given, "time")
        markets = [_market(*each) for each in self.symbols]
        opened = [row for row in self.orders if row["status"] in ("NEW", "PARTIALLY_FILLED")]
        simple: dict[str, Callable[[], Any]] = {
            "time": lambda: {"serverTime": self.now()},
            "exchangeInfo": lambda: {"serverTime": self.now(), "symbols": markets},
            "account": lambda: {"updateTime": 1, "balances": self.balances},
            "openOrders": lambda: [row for row in opened if row["symbol"] == given["symbol"]],
            "deposits": lambda: self.rows(self.deposits, given, "insertTime"),
            "withdrawals": lambda: self.withdrawals,
        }
        return simple[name]()

    def rows(self, rows: list[dict[str, Any]], given: dict[str, str], name: str) -> Any:
        """Return a page of rows between the times that are asked for."""
        begun, ended = int(given["startTime"]), int(given["endTime"])
        limit = min(int(given.get("limit", 500)), self.page)
        symbol = given.get("symbol")
        kept = [row for row in rows if symbol in (None, row.get("symbol"))]
        found = sorted((row for row in kept if begun <= row[name] <= ended), key=itemgetter(name))
        return found[::-1][:limit] if self.newest_first else found[:limit]


def _market(base: str, quote: str) -> dict[str, Any]:
    step = {"filterType": "LOT_SIZE", "minQty": "0.00001", "maxQty": "9000", "stepSize": "0.00001"}
    tick = {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "9e6", "tickSize": "0.01"}
    return {
        "symbol": base + quote,
        "status": "TRADING",
        "baseAsset": base,
        "baseAssetPrecision": 8,
        "quoteAsset": quote,
        "quotePrecision": 8,
        "orderTypes": ["LIMIT", "MARKET"],
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": [tick, step],
        "permissions": ["SPOT"],
    }


@contextmanager
def serving(account: Any) -> Iterator[str]:
    """Serve an account; yields the address of its server."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Headers and body are two packets: the second would wait 40 ms for the first.
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            self._answer(urlsplit(self.path).query)

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            self._answer(self.rfile.read(length).decode())

        def _answer(self, query: str) -> None:
            given = dict(parse_qsl(query))
            if "X-BAPI-TIMESTAMP" in self.headers:
                given["timestamp"] = self.headers["X-BAPI-TIMESTAMP"]
            reply = account.answer(urlsplit(self.path).path, given)
            if reply.delay:
                time.sleep(reply.delay)
            text = json.dumps(reply.body) if reply.text is None else reply.text
            body = text.encode()
            self.send_response(reply.status)
            self.send_header("Content-Type", "application/json")
            for name, value in reply.headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body) + (10 if reply.cut else 0)))
            self.end_headers()
            try:
                self.wfile.write(body)
            except OSError:
                return
            if reply.cut:
                self.close_connection = True

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def settings_of(address: str, exchange: str = "binance") -> dict[str, Any]:
    """Settings with which an exchange of ccxt asks that server, and nothing else."""
    import ccxt

    places = getattr(ccxt, exchange)().urls["api"]
    types = {"binance": ["spot"], "bybit": ["spot", "linear"]}.get(exchange)
    return {
        "urls": {"api": {name: address + urlsplit(url).path for name, url in places.items()}},
        "options": {"fetchMargins": False}
        | ({} if types is None else {"fetchMarkets": {"types": types}}),
        "timeout": 1000,
        "rateLimit": 1,
    }
