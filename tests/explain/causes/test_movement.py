"""A movement that both sides list with different amounts: which fault its amount shows."""

from decimal import Decimal

import pytest

from recon_core.explain import explain
from recon_core.model import MovementKind, SideRecord
from recon_core.model.explanation import ExplanationVerdict
from tests.core.builders import at, fill
from tests.explain.charges import kinds
from tests.explain.real_sessions import books, moved, session, silent

FILLS = (
    fill("f1", "BUY", "2", "100", "0.2 EUR", time=at(-900)),
    fill("f2", "SELL", "1", "104", "0.104 EUR", time=at(-600)),
)
OTHERS = (moved("m2", "interest", "0.75 EUR", -500), moved("m3", "fee", "-1.1 EUR", -400))


def with_amount(amount: str) -> SideRecord:
    """A side whose funding of one time has this amount."""
    return books(*FILLS, moved("m1", "funding", f"{amount} EUR", -700), *OTHERS)


AMOUNTS = {
    "half of it": ("-4", "-8", "wrong_movement", "-4 against -8"),
    "a third of it": ("-4", "-12", "wrong_movement", "1/3 times what it should be"),
    "twice": ("-8", "-4", "duplicate_movement", "-8 against -4"),
    "three times": ("-12", "-4", "wrong_movement", "3 times what it should be"),
    "a hundred times": ("-400", "-4", "wrong_movement", "100 times what it should be"),
    "two and a half times": ("-10", "-4", "wrong_movement", "-10 against -4"),
    "the other sign": ("4", "-4", "wrong_movement", "4 against -4, the other sign"),
    "nothing": ("0", "-4", "missing_movement", "0 against -4"),
    "something for nothing": ("-4", "0", "wrong_movement", "-4 against 0"),
}
"""The ledger's amount and the exchange's, the cause, and words of its text."""


@pytest.mark.parametrize("name", AMOUNTS)
def test_the_ratio_of_two_amounts_shows_the_fault(name: str) -> None:
    """Twice is a duplicate; any other amount, and the other sign, is wrong in one row."""
    ledger, exchange, kind, phrase = AMOUNTS[name]
    (one,) = explain(session(with_amount(ledger), with_amount(exchange)))
    assert one.verdict is ExplanationVerdict.UNIQUE, one.text
    (cause,) = one.causes
    assert (str(cause.cause_kind), cause.ids, str(cause.side)) == (kind, ("m1",), "internal")
    assert phrase in one.text
    assert ("times what" in one.text) == ("times what" in phrase), one.text
    assert cause.effect is not None
    off = Decimal(ledger) - Decimal(exchange)
    assert cause.effect.cash == {"EUR": off}, one.text


def test_every_kind_of_movement_is_compared() -> None:
    """The kind that both sides give it does not change the fault."""
    for kind in (MovementKind.FEE, MovementKind.INTEREST, MovementKind.DEPOSIT):
        mine, theirs = (
            books(*FILLS, moved("m1", str(kind), f"{amount} EUR", -700), *OTHERS)
            for amount in ("-8", "-4")
        )
        (one,) = explain(session(mine, theirs))
        assert [str(cause.cause_kind) for cause in one.causes] == ["duplicate_movement"], one.text


STATES = {
    "the other sign": ("43.71", "-43.71", ("unique", ["wrong_movement"]), "other sign"),
    "a hundred times": ("-4371", "-43.71", ("unique", ["wrong_movement"]), "-4371 against -43.71"),
    "a tenth": ("-4.371", "-43.71", ("unique", ["wrong_movement"]), "10^-1 times"),
    "of few units": ("-437", "-4.37", ("ambiguous", ["wrong_movement"]), "-437 against -4.37"),
    "a digit": ("-4.87", "-4.37", ("ambiguous", ["wrong_movement"]), "one digit differs"),
    "another amount": ("-59.12", "-43.71", ("unexplained", []), ""),
}
"""The ledger's amount and the right one, what a balance alone shows of it, and words."""


@pytest.mark.parametrize("name", STATES)
def test_a_balance_shows_a_sign_or_a_slip_of_one_movement(name: str) -> None:
    """Any movement fits any balance with another amount, so only a slip is an answer."""
    ledger, right, answer, phrase = STATES[name]
    (one,) = explain(session(with_amount(ledger), silent(with_amount(right))))
    assert kinds([one]) == [answer], one.text
    assert phrase in one.text
