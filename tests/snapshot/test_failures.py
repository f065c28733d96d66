"""Ways in which an exchange fails: each is CRITICAL by its name, or the answer is right.

One table for all kinds of exchanges. Texts are filled in with the family's symbol, the largest page
and the words of its errors.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from recon_core.engine.reconciliation import Reconciliation, reconcile_session
from recon_core.snapshot.recording import Recording
from tests.core.builders import message
from tests.servers.binance import Account, Reply
from tests.snapshot.accounts import BEGUN, account, all_verdicts, order, recorded, session_of, trade
from tests.snapshot.families import COIN, FAMILIES, SPOT, UNIFIED, Family

pytest.importorskip("ccxt", reason="needs the extra exchange: make exchange")

Change = Callable[[Family, Account], None]


def answers(name: str, *replies: Reply | str, first: int = 1, stays: bool = True) -> Change:
    """Make an end point give other answers from a request on; the last one stays, or none.

    A text names one of the errors of the family.
    """

    def put(family: Family, given: Account) -> None:
        named = [family.replies[each][0] if isinstance(each, str) else each for each in replies]

        def fault(asked: str, number: int, _given: dict[str, str]) -> Reply | None:
            place = number - first
            if asked != name or place < 0 or (place >= len(named) and not stays):
                return None
            return named[min(place, len(named) - 1)]

        given.faults.append(fault)

    return put


def once(name: str, *replies: Reply | str, first: int = 1) -> Change:
    """Make an end point give other answers, one each, and then its own."""
    return answers(name, *replies, first=first, stays=False)


def changed(name: str, change: Callable[[Family, Any], Any], first: int = 1) -> Change:
    """Change the rows of each answer of an end point, from a request on."""

    def put(family: Family, given: Account) -> None:
        def fault(asked: str, number: int, more: dict[str, str]) -> Reply | None:
            if asked != name or number < first:
                return None
            body = given.found(name, more)
            if isinstance(body, Reply):
                return body
            return Reply(given.relisted(body, change(family, given.listed(body))))

        given.faults.append(fault)

    return put


def without(field: str) -> Callable[[Family, Any], Any]:
    """Leave a field out of the last row of a list."""

    def change(family: Family, rows: Any) -> Any:
        copies = [dict(row) for row in rows]
        for row in copies[-1:]:
            row.pop(family.fields[field])
        return copies

    return change


def with_field(field: str, value: Any) -> Callable[[Family, Any], Any]:
    """Give a field of each row another value."""
    return lambda family, rows: [{**row, family.fields[field]: value} for row in rows]


def with_state(**changes: Any) -> Change:
    """Make the account another one."""

    def put(_family: Family, given: Account) -> None:
        for name, value in changes.items():
            setattr(given, name, value)

    return put


def _unknown_total(family: Family, given: Account) -> None:
    given.balances[-1].pop(family.fields["total"])


def _jump(_family: Family, given: Account) -> None:
    def fault(asked: str, _number: int, _given: dict[str, str]) -> Reply | None:
        if asked == "allOrders":
            given.clock = 5000
        return None

    given.faults.append(fault)


def _late(_family: Family, given: Account) -> None:
    given.faults.append(lambda asked, *_: given.late() if asked == "account" else None)


def _crowded(family: Family, given: Account) -> None:
    """Let one millisecond have one trade more than a page."""
    given.page = family.most
    given.trades.extend(
        family.trade(100 + number, time=BEGUN, order=100) for number in range(family.most + 1)
    )


def _newest_page(family: Family, given: Account) -> None:
    """Answer with the newest page of many trades, whatever the end that is asked for."""
    many = [
        family.trade(number, time=BEGUN + number, order=number)
        for number in range(family.most * 3 // 2)
    ]

    def fault(asked: str, _number: int, more: dict[str, str]) -> Reply | None:
        if asked != "myTrades":
            return None
        begun, name = int(more["startTime"]), family.fields["time"]
        rows = [row for row in many if int(row[name]) >= begun][-family.most :]
        return Reply(given.relisted(given.found("myTrades", more), rows))

    given.faults.append(fault)


SLOW = Reply([], delay=0.4)
HALF = Reply(text='[{"symbol": "BTCUSDT", "id": 1')
TRADES = "my trades of {symbol}: page "


@dataclass(frozen=True)
class Case:
    """A failure, what is said of it, and the kinds of exchanges that it can happen at."""

    change: Change
    text: str
    families: tuple[Family, ...] = (SPOT, COIN, UNIFIED)


CRITICAL: dict[str, Case] = {
    "a page times out": Case(answers("myTrades", SLOW, first=3), TRADES + "3: RequestTimeout"),
    "the limit of requests never ends": Case(answers("myTrades", "busy"), "{busy}"),
    "the exchange bans the address": Case(answers("allOrders", "banned"), "{banned}"),
    "it asks to wait for an hour": Case(
        answers("account", Reply({}, 429, (("Retry-After", "3600"),))), "balance: page 1: "
    ),
    "the JSON ends in the middle": Case(
        answers("myTrades", HALF, first=2), "the answer is no whole JSON"
    ),
    "the connection ends in the middle": Case(
        answers("myTrades", Reply([], cut=True), first=2), TRADES + "2: NetworkError"
    ),
    "nothing is in the answer": Case(answers("allOrders", Reply(text="")), "no whole JSON"),
    "a page of HTML with status 200": Case(
        answers("openOrders", Reply(text="<html>maintenance</html>")),
        "open orders of {symbol}: page 1: BadResponse",
    ),
    "an object where a list should be": Case(answers("myTrades", "no list"), "{no list}"),
    "an error with status 200": Case(answers("myTrades", "broken"), TRADES + "1: {broken}"),
    "status 500": Case(
        answers("account", Reply(text="<html>500</html>", status=500)),
        "balance: page 1: ExchangeNotAvailable",
    ),
    "a gateway without a back end": Case(
        answers("openOrders", Reply(text="<html>502</html>", status=502)),
        "open orders of {symbol}: page 1: ExchangeNotAvailable",
    ),
    "positions time out": Case(
        answers("positionRisk", SLOW),
        "positions of {symbol}: page 1: RequestTimeout",
        (COIN, UNIFIED),
    ),
    "funding times out": Case(
        answers("income", SLOW), "funding history of {symbol}: page 1: Request", (COIN, UNIFIED)
    ),
    "the ledger is refused": Case(
        answers("ledger", "forbidden"), "ledger: page 1: {forbidden}", (UNIFIED,)
    ),
    "the key is refused": Case(answers("account", "refused"), "balance: page 1: {refused}"),
    "the key may not read transfers": Case(
        answers("withdrawals", "forbidden"), "withdrawals: page 1: {forbidden}", (SPOT, UNIFIED)
    ),
    "a clock that the exchange does not accept": Case(_late, "balance: page 1: InvalidNonce"),
    "the exchange does not state its time": Case(answers("time", Reply({})), "time: page 1:"),
    "the clock jumps during the snapshot": Case(_jump, "a clock moved by"),
    "the markets cannot be read": Case(answers("exchangeInfo", Reply({}, 503)), "markets: "),
    "no market is listed": Case(with_state(symbols=()), "markets: the exchange lists no market"),
    "a trade without its price": Case(
        changed("myTrades", without("price")), "does not state price"
    ),
    "trades without their times": Case(
        changed("myTrades", with_field("time", None)), "a row has no time"
    ),
    "one trade without its time": Case(changed("myTrades", without("time")), TRADES + "1:"),
    "a trade without its id": Case(changed("myTrades", without("id")), TRADES + "1:"),
    "a trade without its fee": Case(
        changed("myTrades", without("fee")), "does not state its fee, others of the page do"
    ),
    "a trade of another symbol": Case(
        changed(
            "myTrades",
            lambda family, rows: with_field("symbol", family.other)(family, rows),
        ),
        "a row is of another symbol than {symbol}",
    ),
    "a trade that is no object": Case(
        changed("myTrades", lambda _, rows: [*rows, 7]), TRADES + "1:"
    ),
    "an amount that is no number": Case(
        changed("myTrades", with_field("amount", "1,5")), TRADES + "1:"
    ),
    "an order without its state": Case(
        changed("allOrders", without("status")), "does not state status"
    ),
    "an order of an unknown side": Case(
        changed("allOrders", without("side")), "does not state side"
    ),
    "one id twice on a page": Case(
        changed("myTrades", lambda _, rows: [*rows, *rows[:1]]), "of another row"
    ),
    "a trade that changes between pages": Case(
        changed("myTrades", with_field("amount", "2"), first=2), "is not what it was a page before"
    ),
    "a balance without currencies": Case(
        with_state(balances=[]), "balance: the answer lists no currency"
    ),
    "a balance without its total": Case(
        _unknown_total, "balance: the answer does not state all", (SPOT, UNIFIED)
    ),
    "trades that the orders had and the history lacks": Case(
        changed(
            "myTrades",
            lambda family, rows: [row for row in rows if str(row[family.fields["id"]]) != "4"],
        ),
        "my trades of {symbol}: order 4 filled 1, its trades give 0",
    ),
    "more trades of one millisecond than a page holds": Case(
        _crowded, "cut: {most} rows are of one millisecond"
    ),
    "pages of one row, whatever is asked for": Case(
        with_state(page=1), "cut: pages of 1 rows end within one millisecond"
    ),
    "pages of one row, newest first": Case(
        with_state(page=1, newest_first=True), "cut: pages of 1 rows end within one millisecond"
    ),
    "the end of a window is not heeded, newest first": Case(
        _newest_page, "cut: the exchange does not heed the time"
    ),
}


def cases(table: dict[str, Case]) -> list[Any]:
    """The cases of a table, each at every kind of exchange that it can happen at."""
    return [
        pytest.param(case, family, id=f"{name}-{kind}")
        for name, case in table.items()
        for kind, family in FAMILIES.items()
        if family in case.families
    ]


def failed(case: Case, family: Family, directory: Path) -> tuple[Recording, Reconciliation]:
    """Record an account of a family while the case happens, and judge its ledger against it."""
    given = family.account()
    case.change(family, given)
    recording, _ = family.recorded(given, timeout=200)
    return recording, reconcile_session(
        session_of(directory, recording, ledger=dict(family.ledger))
    )


@pytest.mark.parametrize(("case", "family"), cases(CRITICAL))
def test_what_an_exchange_does_not_answer_is_critical(
    case: Case, family: Family, tmp_path: Path
) -> None:
    """The fault is in the manifest and in the gate, and its section is not judged."""
    recording, reconciliation = failed(case, family, tmp_path)
    words = {name: text for name, (_, text) in family.replies.items()}
    text = case.text.format(symbol=family.symbols[0], most=family.most, **words)
    assert any(text in fault for fault in recording.faults), recording.faults
    assert all_verdicts(reconciliation)["session::complete"] == "CRITICAL"
    assert text in message(reconciliation, "complete")
    sections = {one.query.section for one in recording.asked if one.status == "failed"}
    record = reconciliation.recorded.external
    assert record is not None
    assert all(record.rows(section) is None for section in sections if section)


RIGHT: dict[str, Case] = {
    name: Case(change, "")
    for name, change in {
        "nothing fails": with_state(),
        "one request times out": once("myTrades", SLOW, first=2),
        "the limit of requests is met twice": once("myTrades", "busy", "busy", first=2),
        "the exchange is away for a moment": once("account", Reply({}, 503)),
        "the connection ends once": once("allOrders", Reply([], cut=True)),
        "the JSON is cut once": once("myTrades", HALF, first=2),
        "the clocks are a minute apart": with_state(clock=60_000),
        "our clock is ahead": with_state(clock=-60_000),
        "pages of two rows, newest first": with_state(page=2, newest_first=True),
        "a whole page": with_state(page=1000, newest_first=True),
        "amounts as JSON numbers": changed(
            "myTrades",
            lambda family, rows: with_field("amount", 1.0)(
                family, with_field("price", 2)(family, rows)
            ),
        ),
        "another precision from a page on": changed(
            "myTrades",
            lambda family, rows: with_field("amount", "1.00000")(
                family, with_field("price", "2.0")(family, rows)
            ),
            first=2,
        ),
    }.items()
}


@pytest.mark.parametrize(("case", "family"), cases(RIGHT))
def test_an_account_is_whole_behind_what_can_be_mended(
    case: Case, family: Family, tmp_path: Path
) -> None:
    """Every row arrives once, and the gate is clear."""
    recording, reconciliation = failed(case, family, tmp_path)
    assert recording.faults == []
    assert set(all_verdicts(reconciliation).values()) == {"match"}
    record = reconciliation.recorded.external
    assert record is not None
    assert [fill.fill_id for fill in record.fills or ()] == [str(n) for n in range(7)]


def test_the_exchange_is_waited_for_as_long_as_it_asks() -> None:
    """Twice the seconds of Retry-After; an outage without any is waited for by ourselves."""
    given = account(1)
    once("myTrades", "busy", "busy")(SPOT, given)
    once("account", Reply({}, 503))(SPOT, given)
    assert recorded(given)[1] == [1.0, 7.0, 7.0]


def test_trades_of_one_millisecond_within_a_page_are_whole() -> None:
    """An order that swept the book has them, and no healthy account is blocked for it."""
    rows = [trade(number, time=BEGUN, orderId=0, qty="0.5") for number in range(14)]
    given = account(trades=rows, orders=[order(0, executedQty="7", origQty="7")], page=1000)
    recording, _ = recorded(given)
    assert recording.faults == []
    listed = json.dumps([asked.rows for asked in recording.asked if asked.query.section == "fills"])
    assert listed.count('"id": "') == 14
