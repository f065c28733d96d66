"""What explanations say in words: digits that were cut off, and diffs that stay."""

from dataclasses import replace
from decimal import Decimal

import pytest

from recon_core.explain import entries_of, explain
from recon_core.model import Fill
from recon_core.model.explanation import Explanation
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
