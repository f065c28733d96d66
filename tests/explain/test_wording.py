"""What explanations say in words: digits that were cut off, and diffs that stay."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

import pytest

from recon_core.explain import entries_of, explain
from recon_core.model import Fill, LedgerSide
from recon_core.model.explanation import (
    Booking,
    Cause,
    CauseKind,
    Effect,
    Explanation,
    ExplanationVerdict,
)
from recon_core.reports.explanations import entry_text, explanation_rows
from recon_core.reports.side_names import SideNames
from recon_core.values.errors import ReconError
from tests.core.builders import at, fill, order, side
from tests.explain.real_sessions import books, session, stated
from tests.explain.spot_ledgers import exchange, trade

EXACT_STATE = {"BTC": "1.23456789", "ETH": "2.34567891", "SOL": "3.45678987"}


@pytest.mark.parametrize(
    ("shown", "words"),
    [
        (("1.2345", "2.3456", "3.4567"), "has cut digits off what it states (to 4 decimals)"),
        (("1.2346", "2.3457", "3.4568"), "has rounded what it states (to 4 decimals)"),
        (("1.2346", "2.3457", "3.4569"), ""),
        (("1.23457", "2.34568", "3.45679"), "has rounded what it states (to 5 decimals)"),
    ],
)
def test_what_happened_to_the_digits(shown: tuple[str, ...], words: str) -> None:
    """To the nearest, or towards 0; nothing where it is neither."""
    found = explain(stated(dict(zip(EXACT_STATE, shown, strict=True)), EXACT_STATE))
    told = [cause.text for one in found for cause in one.causes]
    assert told == ([f"the internal side {words}"] if words else [])


@pytest.mark.parametrize(("digits", "words"), [("0.12", "cut digits off"), ("0.13", "rounded")])
def test_what_happened_to_the_digits_of_fills(digits: str, words: str) -> None:
    """Where the rows of both sides show it; only those that may have been either are equal."""
    rows = [fill(f"f{at_}", "BUY", "0.123", "100.129", time=at(-100 + at_)) for at_ in range(4)]
    price = Decimal(100) + Decimal(digits)
    wrong = [replace(row, price=price) for row in rows]
    found = explain(session(books(*wrong), books(*rows)))
    (text,) = (cause.text for one in found for cause in one.causes)
    assert text.startswith(f"the internal side has {words} ")


def test_the_other_sign_is_said_once() -> None:
    """In no brackets behind it."""
    (one,) = explain(stated({"BTC": "1", "ETH": "-2"}, {"BTC": "-1", "ETH": "2"}))
    assert one.text == "the internal side states amounts with the other sign"


def lost_with_orders(*states: str) -> tuple[Explanation, ...]:
    """A ledger without a fill, and orders in other states than the exchange has them."""
    rows: list[Fill] = [trade("f1", "BUY", "2", "99", -900), trade("f2", "BUY", "3", "101", -800)]
    own = [order(f"x{at_}", "1", "0", "SUBMITTED") for at_ in range(len(states))]
    theirs = tuple(
        replace(one, state=type(one.state)(it)) for one, it in zip(own, states, strict=True)
    )
    return explain(session(books(rows[0], *own), replace(exchange(rows), orders=theirs)))


@pytest.mark.parametrize(
    ("states", "stays"),
    [
        ((), "none appears"),
        (("SUBMITTED",), "none appears"),
        (("CANCELLED",), "none appears; 1 other diff stays"),
        (("CANCELLED", "SUBMITTED", "EXPIRED"), "none appears; 2 other diffs stay"),
    ],
)
def test_diffs_that_stay_are_counted(states: tuple[str, ...], stays: str) -> None:
    """A repair of amounts is none of orders that another fault left open."""
    (one,) = lost_with_orders(*states)
    assert str(one.verdict) == "unique"
    assert one.proof.endswith(stays)


def test_without_a_cause_there_is_nothing_to_repair() -> None:
    """And no candidates that something would decide between."""
    before = session(
        side({"BTC/EUR": "0.123"}, {"EUR": "17"}), side({"BTC/EUR": "7"}, {"EUR": "5"})
    )
    (one,) = explain(before)
    with pytest.raises(ReconError, match=r"^unexplained, as no cause was found; what would help: "):
        entries_of(before, one)


NAMES = SideNames("bot", "broker")
MOVED = {"movement_id": "m1", "kind": "split", "time": "2026-01-01T12:00:00Z"}
FIGURES = {"amount": "0.1", "stated": "1", "corrected": "1.1"}
ENTRIES: list[tuple[str, Mapping[str, str], str]] = [
    (
        "add_movement",
        {**MOVED, "amount": "5", "currency": "EUR"},
        "add movement split m1 (5 EUR, 2026-01-01T12:00:00Z)",
    ),
    (
        "remove_movement",
        {**MOVED, "quantity": "5", "symbol": "ACME"},
        "remove movement split m1 (5 ACME, 2026-01-01T12:00:00Z)",
    ),
    (
        "add_movement",
        {**MOVED, "amount": "-5", "currency": "EUR", "quantity": "2", "symbol": "ACME"},
        "add movement split m1 (-5 EUR and 2 ACME, 2026-01-01T12:00:00Z)",
    ),
    ("adjust_cash", {**FIGURES, "currency": "EUR"}, "adjust cash EUR by 0.1, from 1 to 1.1"),
    (
        "adjust_position",
        {**FIGURES, "symbol": "X", "leg": "LONG", "account": "a"},
        "adjust position X LONG of account a by 0.1, from 1 to 1.1",
    ),
    ("adjust_cash", {"currency": "EUR", "free": "1"}, "adjust cash currency EUR, free 1"),
]


@pytest.mark.parametrize(("action", "row", "words"), ENTRIES)
def test_an_entry_in_words(action: str, row: Mapping[str, str], words: str) -> None:
    """The side by its name, what is done, and with which figures."""
    assert entry_text(Booking(action, LedgerSide.INTERNAL, row, ""), NAMES) == f"bot: {words}"


def shown(explanation: Explanation, head: str) -> list[str]:
    rows = explanation_rows(explanation, NAMES, whole=True)
    return [row.text for row in rows if row.head == head]


@pytest.mark.parametrize(("count", "more"), [(5, []), (7, ["and 2 more bookings; recon repair"])])
def test_many_bookings_are_counted(count: int, more: list[str]) -> None:
    """Five are shown, the rest is in the file that the command writes."""
    one = Booking("adjust_cash", LedgerSide.INTERNAL, {**FIGURES, "currency": "EUR"}, "")
    explanation = Explanation(ExplanationVerdict.UNIQUE, repair=(one,) * count)
    found = shown(explanation, "Repair: ")
    assert len(found) == 5 + len(more)
    assert [text[: len(start)] for text, start in zip(found[5:], more, strict=True)] == more


@pytest.mark.parametrize(
    ("kinds", "step"),
    [
        ("stale_side as_of_shift", "ask broker again"),
        ("rounding", "allow what broker rounds off with a tolerance"),
        ("unit netted_legs", "record broker's figures as the ledger counts them"),
        ("stale_side rounding", "fetch broker's rows again"),
        ("missing_fill", "fetch broker's rows again"),
    ],
)
def test_what_to_do_about_the_exchange(kinds: str, step: str) -> None:
    """Its record is left as it is; what helps depends on what is wrong with it."""
    causes = [
        Cause(CauseKind(kind), LedgerSide.EXTERNAL, (), Effect(), "") for kind in kinds.split()
    ]
    explanation = Explanation(ExplanationVerdict.UNIQUE, LedgerSide.EXTERNAL, tuple(causes))
    (said,) = shown(explanation, "To do: ")
    assert said.startswith(step)
    assert said.endswith("its record is left as it is (--repair-exchange proposes entries for it)")
