"""A movement that both sides list with different amounts: which fault its amount shows."""

from collections import Counter
from dataclasses import replace
from decimal import Decimal

import pytest

from recon_core.explain import explain
from recon_core.explain.causes.movement import (
    FAMILY,
    _difference,
    _may_be_others,
    _movement_kind,
    _size,
    _wrong_text,
    has_copy,
    surplus_movement,
)
from recon_core.explain.problem.hypotheses import Hypothesis
from recon_core.explain.problem.patches import Patch
from recon_core.model import Movement, MovementKind, SideRecord
from recon_core.model.explanation import CauseKind, ExplanationVerdict
from tests.core.builders import at, fill
from tests.explain.charges import kinds
from tests.explain.problems import problem_requiring
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


DIFFERENCES = {
    "equal": ("4", "4", ""), "nothing is stated": ("None", "4", ""), "nor here": ("4", "None", ""),
    "the other sign": ("4", "-4", "4 against -4, the other sign"),
    "twice": ("8", "4", "8 against 4"), "half": ("4", "8", "4 against 8"),
    "three times": ("12", "4", "12 against 4, 3 times what it should be"),
    "a third": ("4", "12", "4 against 12, 1/3 times what it should be"),
    "minus three times": ("-12", "4", "-12 against 4"), "nothing": ("0", "4", "0 against 4"),
    "of nothing": ("4", "0", "4 against 0"),
}  # fmt: skip
"""Two amounts, and what is said of them."""


@pytest.mark.parametrize("name", DIFFERENCES)
def test_two_amounts_in_words(name: str) -> None:
    """Their ratio where it is a whole number above 2, or its inverse."""
    wrong, right, words = DIFFERENCES[name]
    amounts = (None if text == "None" else Decimal(text) for text in (wrong, right))
    assert _difference(*amounts) == words


def paid(amount: str, kind: str = "funding", seconds: float = -700, name: str = "m") -> Movement:
    """A movement of an amount in EUR, or of a quantity alone."""
    if amount.startswith("q"):
        return moved(name, kind, "", seconds, symbol="BTC/EUR", quantity=Decimal(amount[1:]))
    return moved(name, kind, f"{amount} EUR", seconds)


@pytest.mark.parametrize(
    ("wrong", "right", "kind"),
    [
        ("0", "4", "missing_movement"), ("8", "4", "duplicate_movement"),
        ("4", "8", "wrong_movement"), ("4", "0", "wrong_movement"), ("0", "0", "wrong_movement"),
        ("q4", "q8", "wrong_movement"), ("q4", "8", "wrong_movement"),
        ("4", "q8", "wrong_movement"),
    ],
)  # fmt: skip
def test_the_kind_of_a_wrong_movement(wrong: str, right: str, kind: str) -> None:
    """Nothing for something is missing, twice is a duplicate."""
    assert str(_movement_kind(paid(wrong), paid(right))) == kind


@pytest.mark.parametrize(
    ("amounts", "kind", "expected"),
    [
        (["5"], "funding", False), (["5", "10"], "funding", True), (["5", "10"], "deposit", False),
        (["5", "5"], "deposit", False), (["5", "5", "5"], "deposit", True),
        (["5", "-5", "5.0"], "deposit", True), (["5", "-10.00"], "funding", True),
        (["5", "15"], "funding", False),
    ],
)  # fmt: skip
def test_the_other_sign_of_one_movement_or_others(
    amounts: list[str], kind: str, *, expected: bool
) -> None:
    """Three of one size may be copies; of payments that recur, one of twice the size is enough."""
    rows = [paid(one, kind, number - 700, f"m{number}") for number, one in enumerate(amounts)]
    sizes = Counter(_size(row, 1) for row in rows)
    assert _may_be_others(rows[0], sizes) is expected


@pytest.mark.parametrize(("seconds", "expected"), [(0, True), (5, True), (-5, True), (6, False)])
def test_a_movement_that_is_stated_twice(seconds: int, *, expected: bool) -> None:
    """Within seconds, under any id; it is no copy of itself."""
    one, again = paid("5"), paid("5", seconds=-700 + seconds, name="n")
    assert has_copy(one, [one, again]) is expected
    assert not has_copy(one, [one])
    assert not has_copy(one, [one, paid("6", name="n")])


@pytest.mark.parametrize(
    ("kind", "is_repeated", "cause", "may_accrue"),
    [
        ("dividend", False, "foreign_activity", True),
        ("interest", False, "foreign_activity", True),
        ("deposit", False, "foreign_activity", False),
        ("dividend", True, "duplicate_movement", False),
    ],
)  # fmt: skip
def test_a_movement_too_many(kind: str, *, is_repeated: bool, cause: str, may_accrue: bool) -> None:
    """One that is paid later may have accrued, unless it is listed twice."""
    found = surplus_movement(paid("5", kind), is_repeated=is_repeated)
    assert (str(found.cause_kind), bool(found.detail)) == (cause, may_accrue)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (["5 6"], "a wrong amount or sign"), (["5 5"], "under another kind or name"),
        (["5 5", "5 6"], "a wrong amount or sign"), (["q5 q6"], "a wrong amount or sign"),
    ],
)  # fmt: skip
def test_a_wrong_movement_in_words(changes: list[str], words: str) -> None:
    """Any wrong amount is named first."""
    pairs = [tuple(map(paid, one.split())) for one in changes]
    patch = Patch(removed_movements=tuple(one for one, _ in pairs),
                  added_movements=tuple(other for _, other in pairs))  # fmt: skip
    one = Hypothesis(CauseKind.WRONG_MOVEMENT, patch, patch.removed_movements)
    assert words in _wrong_text("the ledger", one, one.rows)


SLIPS: dict[str, tuple[str, str, list[str]]] = {
    "ten times": ("4371.77", "-3934.593", ["437.177 FITTED"]),
    "a tenth": ("4.377", "39.393", ["43.770 FITTED"]),
    "a digit": ("4.377", "-1", ["3.377 CHANCE"]),
    "to the other sign": ("4.377", "-48.147", []),
    "no slip": ("4.377", "7", []),
}
"""The amount of a movement, what the balance requires, and the amount that it should have."""


@pytest.mark.parametrize("name", SLIPS)
def test_a_slip_of_one_movement(name: str) -> None:
    """Of its own sign, in the balance that it moves."""
    amount, required, expected = SLIPS[name]
    rows = (paid(amount), moved("b", "fee", "9 BNB", -600), paid("q7", "split", name="s"))
    problem = problem_requiring(FILLS, {"EUR": required})
    problem = replace(problem, record=replace(problem.record, movements=rows))
    found = [f"{row.amount} {one.strength.name}" for one in FAMILY.fitted(problem, 1)
             for row in one.patch.added_movements]  # fmt: skip
    assert found == expected
    assert not list(
        FAMILY.fitted(replace(problem, required={**problem.required, "x": Decimal(1)}), 1)
    )
