"""Rows as they rarely are: a side without any, fills that cancel, prices and fees of nothing."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from recon_core.engine.reconciliation import Reconciliation
from recon_core.explain import explain
from recon_core.model import CashBalance, Currency, Fill, Opening, OrderSide, SideRecord
from recon_core.model.explanation import Explanation
from recon_core.policy.model import Policy
from tests.core.builders import SPOT, at, order, recorded
from tests.explain.charges import LEDGERS, rows_of
from tests.explain.charges import session as charged_session
from tests.explain.real_sessions import books, moved, session
from tests.explain.spot_ledgers import ROWS, exchange, ledger_of, states, trade

PAID = moved("m1", "interest", "5 EUR", -650)


def told(internal: SideRecord, external: SideRecord) -> list[tuple[str, list[str], str | None]]:
    """The verdict of each explanation, the kinds of its causes, and its side."""
    return [
        (str(one.verdict), [str(cause.cause_kind) for cause in one.causes], one.side)
        for one in explain(session(internal, external))
    ]


EMPTY: list[tuple[str, SideRecord, SideRecord, str, str]] = [
    ("a ledger without fills", books(), books(*ROWS), "as_of_shift", "internal"),
    ("a movement of the ledger alone", books(*ROWS, PAID), books(*ROWS, movements=None),
     "foreign_activity", "internal"),
    ("a movement of the exchange alone", books(*ROWS, movements=None), books(*ROWS, PAID),
     "missing_movement", "internal"),
]  # fmt: skip


def test_an_exchange_that_lists_nothing_may_be_behind() -> None:
    """All fills are foreign, or the exchange knows none yet: an empty list ends early, too."""
    found = explain(session(books(*ROWS), books()))
    assert [(str(one.verdict), str(one.side), [str(c.cause_kind) for c in one.causes])
            for one in found] == [
        ("ambiguous", "internal", ["foreign_activity"]),
        ("ambiguous", "external", ["as_of_shift"]),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("internal", "external", "kind", "at_side"), [row[1:] for row in EMPTY],
    ids=[row[0] for row in EMPTY],
)  # fmt: skip
def test_a_side_without_rows_of_a_kind(
    internal: SideRecord, external: SideRecord, kind: str, at_side: str
) -> None:
    """All that the other side lists is what differs."""
    assert told(internal, external) == [("unique", [kind], at_side)]


PRECISE = {"EUR": Currency("EUR", 4), "BTC": Currency("BTC", 8)}
CANCELLING = [trade("x1", "BUY", "1.5", "100.12", -850), trade("x2", "SELL", "1.5", "100", -450)]


@pytest.mark.parametrize(("price", "verdict"), [("101.34", "ambiguous"), ("4987.66", "unique")])
def test_two_fills_that_cancel(price: str, verdict: str) -> None:
    """Where they move no position, only much cash is evidence of them."""
    right = bare([*ROWS, trade("y", "BUY", "1", "100.33", -410)])
    first, second = bare(CANCELLING)
    wrong = [*right, first, replace(second, price=Decimal(price))]
    given = recorded(
        ledger_of(wrong), exchange(right), instruments={SPOT.symbol: SPOT}, currencies=PRECISE
    )
    (one,) = explain(Reconciliation(given, Policy()))
    assert str(one.verdict) == verdict, one.text
    assert sorted(cause.ids for cause in one.causes) == [("x1",), ("x2",)]


LAST = trade("z", "BUY", "4", "97.0001", -100)
REPORTS = [
    order(row.order_id, str(row.quantity), str(row.quantity), side=row.side, time=row.time)
    for row in ROWS
]
CANCELLED = order("o-z", "4", "0", "CANCELLED", time=LAST.time)


BEHIND = [("ambiguous", ["orphan_fill"], "internal"), ("ambiguous", ["stale_side"], "external")]
ORPHAN = [("unique", ["orphan_fill"], "internal")]
PARTLY = order("o-z", "9", "0", "ACKNOWLEDGED", time=LAST.time)


@pytest.mark.parametrize(
    ("shown", "answers"),
    [
        ({}, BEHIND),
        ({"orders": tuple(REPORTS)}, BEHIND),
        ({"orders": (*REPORTS, replace(PARTLY, time=at(-200)))}, BEHIND),
        ({"orders": (*REPORTS, PARTLY)}, ORPHAN),
        ({"orders": (*REPORTS, replace(CANCELLED, time=at(-200)))}, ORPHAN),
        ({"snapshots": states(ROWS, (-200,))}, BEHIND),
        ({"snapshots": states(ROWS, (-200, -50))}, ORPHAN),
    ],
    ids=["nothing", "reports until then", "an open order", "an order of that time",
         "a closed order", "snapshots until then", "a later snapshot"],
)  # fmt: skip
def test_the_last_fill_may_be_unseen(
    shown: dict[str, Any], answers: list[tuple[str, list[str], str]]
) -> None:
    """Unless the exchange shows something later, or that the order of the fill was closed."""
    assert told(ledger_of([*ROWS, LAST]), replace(exchange(ROWS), **shown)) == answers


def charged(currency: str) -> list[Fill]:
    """The rows, with small fees of one currency, each another one."""
    return [
        replace(row, fee=Decimal(at_ + 1).scaleb(-4) + Decimal("0.00003"), fee_currency=currency)
        for at_, row in enumerate(ROWS)
    ]


@pytest.mark.parametrize(("wrong", "right"), [("EUR", "BTC"), ("BTC", "EUR")])
def test_every_fee_in_the_wrong_currency(wrong: str, right: str) -> None:
    """The sum of all fees is missing from one balance, and too much in the other."""
    found = explain(session(ledger_of(charged(wrong)), exchange(charged(right))))
    causes = [cause for one in found for cause in one.causes]
    assert [str(cause.cause_kind) for cause in causes] == ["fee_currency"]
    assert f"(every fee in {right})" in causes[0].text


def bare(rows: Sequence[Fill], currency: str | None = None) -> list[Fill]:
    return [replace(row, fee=Decimal(0), fee_currency=currency) for row in rows]


@pytest.mark.parametrize("currency", [None, "EUR"])
def test_fees_that_were_never_booked(currency: str | None) -> None:
    """At the rate of all; a fill without a fee names its currency, or none."""
    found = explain(session(ledger_of(bare(ROWS, currency)), exchange(ROWS)))
    (cause,) = (cause for one in found for cause in one.causes)
    assert str(cause.cause_kind) == "missing_fee"
    assert "(at the rate 0.001)" in cause.text


def missing(found: Sequence[Explanation]) -> list[str]:
    return [str(cause.cause_kind) for one in found for cause in one.causes]


def test_fees_that_nobody_charged_are_not_missing() -> None:
    """Rows with fees are at fault where the exchange charged none: nothing is missing from them."""
    right = [replace(row, price=row.price + Decimal("0.3337")) for row in bare(ROWS)]
    wrong = [replace(row, fee=own.fee, fee_currency="EUR")
             for row, own in zip(right, ROWS, strict=True)]  # fmt: skip
    assert "missing_fee" not in missing(explain(session(ledger_of(wrong), exchange(right))))


def part(name: str, quantity: str, price: str, seconds: float, side: str = "BUY") -> Fill:
    return replace(trade(name, side, quantity, price, seconds), client_order_id="o-p")


@pytest.mark.parametrize("order_side", [OrderSide.BUY, OrderSide.SELL])
def test_the_missing_part_of_an_order(order_side: OrderSide) -> None:
    """Its average price gives the price of the part, at the rate of the others."""
    parts = [part("p1", "2", "100", -350, order_side), part("p2", "3", "104", -340, order_side)]
    more: dict[str, Any] = {"average_fill_price": Decimal("102.4"), "side": order_side}
    report = order("o-p", "5", "5", time=at(-300), **more)
    state = replace(exchange([*ROWS, *parts]), orders=(report,))
    (one,) = explain(session(ledger_of([*ROWS, parts[0]]), state))
    assert (str(one.verdict), missing([one])) == ("unique", ["missing_fill"]), one.text
    (entry,) = one.repair
    assert {name: entry.row[name] for name in ("quantity", "price", "fee", "side")} == {
        "quantity": "3", "price": "104", "fee": "0.312", "side": str(order_side),
    }  # fmt: skip


@pytest.mark.parametrize("seconds", [-949, -950, -951])
def test_a_row_between_two_openings(seconds: int) -> None:
    """Until the later of them, it may be what differs; nothing is said of the opening then."""
    rows = [replace(ROWS[0], time=at(seconds)), *ROWS[1:]]
    state = exchange(rows)
    opening = Opening(at(-950), (), (CashBalance("EUR", Decimal(1000000)),))
    wrong = ledger_of(rows, opening="1000123.45")
    found = missing(explain(session(wrong, replace(state, opening=opening))))
    assert ("opening_balance" in found) is (seconds > -950)


@pytest.mark.parametrize(("name", "rate"), [("inverse", "0.0005"), ("linear", "0.0005")])
def test_the_rate_of_contracts(name: str, rate: str) -> None:
    """Of the value in the currency of settlement: quantity by price for an inverse one."""
    rows = rows_of(*LEDGERS[name])
    found = explain(charged_session(rows, bare(rows, rows[0].fee_currency), orders=False))
    (cause,) = (cause for one in found for cause in one.causes)
    assert str(cause.cause_kind) == "missing_fee"
    assert f"(at the rate {rate})" in cause.text


def test_rows_under_another_name() -> None:
    """Fills of the same ids, under symbols of one side each, are of one instrument."""
    renamed = [replace(row, symbol="XBT/EUR") for row in ROWS]
    given = session(books(*renamed[:-1]), books(*ROWS), replace(SPOT, symbol="XBT/EUR"))
    (one,) = explain(given)
    assert str(one.verdict) == "unique"
    assert missing([one]) == ["alias", "missing_fill"], one.text
    assert "XBT/EUR is BTC/EUR" in one.text


@pytest.mark.parametrize(("seconds", "kinds"), [(-101, ["stale_side"]), (-100, [])])
def test_a_state_ends_between_two_times(seconds: int, kinds: list[str]) -> None:
    """Of fills of one time a state has seen all or none: it does not end between them."""
    last = [
        trade("y1", "BUY", "2", "100.37", seconds),
        trade("y2", "BUY", "3", "103.11", -100),
        trade("y3", "SELL", "1.7", "102.93", -99),
    ]
    found = explain(session(ledger_of([*ROWS, *last]), exchange([*ROWS, last[0]])))
    assert [kind for kind in missing(found) if kind == "stale_side"] == kinds
