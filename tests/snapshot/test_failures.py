"""Ways in which an exchange fails: each is CRITICAL by its name, or the answer is right."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.core.builders import message
from tests.servers.binance import Account, Fault, Reply
from tests.snapshot.accounts import BEGUN, account, all_verdicts, gate, order, recorded, trade

pytest.importorskip("ccxt", reason="needs the extra exchange: make exchange")

Change = Callable[[Account], None]
HOUR = 3_600_000


def fails(name: str, *replies: Reply, first: int = 1) -> Change:
    """Make an end point give other answers from a request on; the last one stays."""

    def fault(asked: str, number: int, _given: dict[str, str]) -> Reply | None:
        if asked != name or number < first:
            return None
        return replies[min(number - first, len(replies) - 1)]

    return lambda given: given.faults.append(fault)


def once(name: str, *replies: Reply, first: int = 1) -> Change:
    """Make an end point give other answers, one each, and then its own."""

    def fault(asked: str, number: int, _given: dict[str, str]) -> Reply | None:
        within = asked == name and first <= number < first + len(replies)
        return replies[number - first] if within else None

    return lambda given: given.faults.append(fault)


def changed(name: str, change: Callable[[Any], Any], first: int = 1) -> Change:
    """Change the body of each answer of an end point, from a request on."""

    def put(given: Account) -> None:
        def fault(asked: str, number: int, more: dict[str, str]) -> Reply | None:
            if asked != name or number < first:
                return None
            found = given.found(name, more)
            return found if isinstance(found, Reply) else Reply(change(found))

        given.faults.append(fault)

    return put


def with_rows(**changes: Any) -> Change:
    """Give the account other rows."""

    def put(given: Account) -> None:
        for name, value in changes.items():
            setattr(given, name, value)

    return put


def without(field: str, at: int = -1) -> Callable[[Any], Any]:
    """Leave a field out of one row of a list."""

    def change(rows: Any) -> Any:
        if not rows:
            return rows
        copies = [dict(row) for row in rows]
        copies[at].pop(field)
        return copies

    return change


SLOW = Reply([], delay=0.4)
BUSY = Reply({"code": -1003, "msg": "Too many requests."}, 429, (("Retry-After", "7"),))
ONE_MOMENT = {"time": BEGUN, "updateTime": BEGUN}
CRITICAL: dict[str, tuple[Change, str]] = {
    "a page times out": (
        fails("myTrades", SLOW, first=3),
        "my trades of BTC/USDT: page 3: RequestTimeout",
    ),
    "the limit of requests never ends": (fails("myTrades", BUSY), "429 Too Many Requests"),
    "the exchange bans the address": (
        fails("allOrders", Reply({"code": -1003, "msg": "banned"}, 418)),
        "orders of BTC/USDT: page 1: DDoSProtection",
    ),
    "it asks to wait for an hour": (
        fails("account", Reply({}, 429, (("Retry-After", "3600"),))),
        "balance: page 1: DDoSProtection",
    ),
    "the JSON ends in the middle": (
        fails("myTrades", Reply(text='[{"symbol": "BTCUSDT", "id": 1'), first=2),
        "the answer is no whole JSON",
    ),
    "the connection ends in the middle": (
        fails("myTrades", Reply([], cut=True), first=2),
        "my trades of BTC/USDT: page 2: NetworkError",
    ),
    "nothing is in the answer": (fails("allOrders", Reply(text="")), "no whole JSON"),
    "a page of HTML with status 200": (
        fails("openOrders", Reply(text="<html>maintenance</html>")),
        "open orders of BTC/USDT: page 1: BadResponse",
    ),
    "an object where a list should be": (
        fails("myTrades", Reply({})),
        "my trades of BTC/USDT: page 1: the answer has no list of rows",
    ),
    "an error with status 200": (
        fails("myTrades", Reply({"code": -1000, "msg": "An unknown error."})),
        "my trades of BTC/USDT: page 1: OperationFailed",
    ),
    "status 500": (fails("account", Reply({}, 500)), "balance: page 1: ExchangeNotAvailable"),
    "a gateway without a back end": (
        fails("openOrders", Reply(text="<html>502</html>", status=502)),
        "open orders of BTC/USDT: page 1: ExchangeNotAvailable",
    ),
    "the key is refused": (
        fails("account", Reply({"code": -2015, "msg": "Invalid API-key, IP, or permissions"}, 401)),
        "balance: page 1: AuthenticationError",
    ),
    "the key may not read transfers": (
        fails("withdrawals", Reply({"code": -1002, "msg": "You are not authorized"}, 401)),
        "withdrawals: page 1: AuthenticationError",
    ),
    "a clock that the exchange does not accept": (
        fails("account", Reply({"code": -1021, "msg": "Timestamp outside of recvWindow."}, 400)),
        "balance: page 1: InvalidNonce",
    ),
    "the exchange does not state its time": (
        fails("time", Reply({})),
        "time: page 1:",
    ),
    "the clock jumps during the snapshot": (
        lambda given: given.faults.append(_jump(given)),
        "a clock moved by",
    ),
    "the markets cannot be read": (fails("exchangeInfo", Reply({}, 503)), "markets: "),
    "no market is listed": (with_rows(symbols=()), "markets: the exchange lists no market"),
    "a trade without its price": (
        changed("myTrades", without("price")),
        "row 3 does not state price",
    ),
    "trades without their times": (
        changed("myTrades", lambda rows: [{**row, "time": None} for row in rows]),
        "a row has no time",
    ),
    "one trade without its time": (
        changed("myTrades", without("time")),
        "my trades of BTC/USDT: page 1:",
    ),
    "a trade without its id": (
        changed("myTrades", without("id")),
        "my trades of BTC/USDT: page 1:",
    ),
    "a trade without its fee": (
        changed("myTrades", without("commission")),
        "does not state its fee, others of the page do",
    ),
    "a trade of another symbol": (
        changed("myTrades", lambda rows: [{**row, "symbol": "ETHUSDT"} for row in rows]),
        "a row is of another symbol than BTC/USDT",
    ),
    "a trade that is no object": (
        changed("myTrades", lambda rows: [*rows, 7]),
        "my trades of BTC/USDT: page 1:",
    ),
    "an amount that is no number": (
        changed("myTrades", lambda rows: [{**row, "qty": "1,5"} for row in rows]),
        "my trades of BTC/USDT: page 1:",
    ),
    "an order without its state": (
        changed("allOrders", without("status")),
        "does not state status",
    ),
    "an order of an unknown side": (changed("allOrders", without("side")), "does not state side"),
    "one id twice on a page": (
        changed("myTrades", lambda rows: [*rows, *rows[:1]]),
        "has the id '0' of another row",
    ),
    "a trade that changes between pages": (
        changed("myTrades", lambda rows: [{**row, "qty": "2"} for row in rows], first=2),
        "is not what it was a page before",
    ),
    "a balance without currencies": (
        changed("account", lambda _: {"updateTime": 1}),
        "balance: the answer lists no currency",
    ),
    "a balance without its free part": (
        changed("account", lambda body: {"balances": without("free")(body["balances"])}),
        "balance: the answer does not state all of BNB",
    ),
    "trades that the orders had and the history lacks": (
        changed("myTrades", lambda rows: [row for row in rows if row["id"] != 4]),
        "my trades of BTC/USDT: order 4 filled 1, its trades give 0",
    ),
    "more trades of one millisecond than a page holds": (
        lambda given: given.trades.extend(
            trade(100 + number, time=BEGUN, orderId=100) for number in range(1001)
        ),
        "cut: 1000 rows are of one millisecond",
    ),
    "pages of one row, whatever is asked for": (
        with_rows(page=1),
        "cut: pages of 1 rows end within one millisecond",
    ),
    "pages of one row, newest first": (
        with_rows(page=1, newest_first=True),
        "cut: pages of 1 rows end within one millisecond",
    ),
    "the end of a window is not heeded, newest first": (
        lambda given: given.faults.append(_newest_page()),
        "cut: the exchange does not heed the time",
    ),
}


def _jump(given: Account) -> Fault:
    def fault(asked: str, _number: int, _given: dict[str, str]) -> Reply | None:
        if asked == "allOrders":
            given.clock = 5000
        return None

    return fault


def _newest_page() -> Fault:
    """Answer with the newest 1,000 of 1,500 trades, whatever the end that is asked for."""
    many = [trade(number, time=BEGUN + number, orderId=number) for number in range(1500)]

    def fault(asked: str, _number: int, more: dict[str, str]) -> Reply | None:
        if asked != "myTrades":
            return None
        begun = int(more["startTime"])
        return Reply([row for row in many if row["time"] >= begun][-1000:])

    return fault


@pytest.mark.parametrize("name", CRITICAL)
def test_what_an_exchange_does_not_answer_is_critical(name: str, tmp_path: Path) -> None:
    """The fault is in the manifest and in the gate, and its section is not judged."""
    change, text = CRITICAL[name]
    given = account(**{"page": 1000} if "page holds" in name else {})
    change(given)
    recording, _ = recorded(given, timeout=200)
    assert any(text in fault for fault in recording.faults), recording.faults
    reconciliation = gate(tmp_path, recording)
    assert all_verdicts(reconciliation)["session::complete"] == "CRITICAL"
    assert text in message(reconciliation, "complete")
    sections = {one.query.section for one in recording.asked if one.status == "failed"}
    record = reconciliation.recorded.external
    assert record is not None
    assert all(record.rows(section) is None for section in sections if section)


RIGHT: dict[str, Change] = {
    "nothing fails": lambda _: None,
    "one request times out": once("myTrades", SLOW, first=2),
    "the limit of requests is met twice": once("myTrades", BUSY, BUSY, first=2),
    "the exchange is away for a moment": once("account", Reply({}, 503)),
    "the connection ends once": once("allOrders", Reply([], cut=True)),
    "the JSON is cut once": once("myTrades", Reply(text='[{"symbol"'), first=2),
    "the clocks are a minute apart": with_rows(clock=60_000),
    "our clock is ahead": with_rows(clock=-60_000),
    "pages of two rows, newest first": with_rows(page=2, newest_first=True),
    "a whole page": with_rows(page=1000, newest_first=True),
    "amounts as JSON numbers": changed(
        "myTrades", lambda rows: [{**row, "qty": 1.0, "price": 2} for row in rows]
    ),
}


@pytest.mark.parametrize("name", RIGHT)
def test_an_account_is_whole_behind_what_can_be_mended(name: str, tmp_path: Path) -> None:
    """Every row arrives once, and the gate is clear."""
    given = account()
    RIGHT[name](given)
    recording, _ = recorded(given, timeout=200)
    assert recording.faults == []
    reconciliation = gate(tmp_path, recording)
    assert set(all_verdicts(reconciliation).values()) == {"match"}
    record = reconciliation.recorded.external
    assert record is not None
    assert [fill.fill_id for fill in record.fills or ()] == [str(n) for n in range(7)]


def test_the_exchange_is_waited_for_as_long_as_it_asks() -> None:
    """Twice the seconds of Retry-After; an outage without any is waited for by ourselves."""
    given = account(1)
    once("myTrades", BUSY, BUSY)(given)
    once("account", Reply({}, 503))(given)
    assert recorded(given)[1] == [1.0, 7.0, 7.0]


def test_trades_of_one_millisecond_within_a_page_are_whole() -> None:
    """An order that swept the book has them, and no healthy account is blocked for it."""
    rows = [trade(number, time=BEGUN, orderId=0, qty="0.5") for number in range(14)]
    given = account(trades=rows, orders=[order(0, executedQty="7", origQty="7")], page=1000)
    recording, _ = recorded(given)
    assert recording.faults == []
    listed = json.dumps([asked.rows for asked in recording.asked if asked.query.section == "fills"])
    assert listed.count('"id": "') == 14
