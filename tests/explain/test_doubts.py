"""Doubts of answers: fills that may be one by their fees, amounts below the stated digits."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast

import pytest

from recon_core.explain.answers.denials import _is_part_of_its_order, _may_be_one
from recon_core.explain.answers.doubts import _below_digits
from recon_core.explain.answers.fault_sequences import _are_newest
from recon_core.explain.answers.readings import _blames_one_of_two_openings
from recon_core.explain.answers.residuals import _weakest
from recon_core.explain.answers.verdicts import _amounts
from recon_core.explain.budget import Budget
from recon_core.explain.problem.hypotheses import Facts, Hypothesis, Strength
from recon_core.explain.problem.patches import Patch
from recon_core.explain.problem.postings import order_name
from recon_core.explain.problem.problem import Problem
from recon_core.explain.proof.attempt import Part, attempt
from recon_core.model import Currency, Fill
from recon_core.model.explanation import CauseKind
from tests.core.builders import SPOT, at, fill, order, recorded, side
from tests.explain.problems import problem_requiring, problems_of, prover_of
from tests.explain.real_sessions import books, moved
from tests.explain.spot_ledgers import exchange, ledger_of


def problem_of(fees: list[str]) -> Problem:
    """A ledger with a fill of 100 EUR for each fee."""
    rows = [
        fill(f"f{number}", "BUY", "1", "100", fee, time=at(number - 900))
        for number, fee in enumerate(fees)
    ]
    known = recorded(
        ledger_of(rows), exchange(rows[1:]), instruments={SPOT.symbol: SPOT},
        currencies={"EUR": Currency("EUR", 2)},
    )  # fmt: skip
    return problems_of(prover_of(known))[0]


AT_A_RATE = ["0.1 EUR"] * 4
AT_NONE = ["0.1 EUR", "0.1 BNB", "0.3 EUR", "0.3 BNB"]


@pytest.mark.parametrize(
    ("fees", "one", "other", "expected"),
    [
        (AT_A_RATE, "0.1 EUR", "0.1 EUR", True),
        (AT_A_RATE, "0.1 EUR", "0.11 EUR", True),
        (AT_A_RATE, "0.1 EUR", "0.12 EUR", False),
        (AT_A_RATE, "0.1 EUR", "0.08 EUR", False),
        (AT_A_RATE, "0.2 EUR", "0 EUR", True),
        (AT_A_RATE, "0.1 EUR", "0.1 BNB", False),
        (AT_A_RATE, "0.1 EUR", "0 BNB", True),
        (AT_A_RATE, "0 EUR", "0.1 BNB", True),
        (AT_NONE, "0.1 EUR", "7 EUR", True),
        (AT_NONE, "0.1 EUR", "0.1 BNB", False),
        (AT_NONE, "0 EUR", "0.1 BNB", True),
        (AT_NONE, "0.1 EUR", "0 BNB", True),
    ],
)
def test_two_fills_that_may_be_one(
    fees: list[str], one: str, other: str, *, expected: bool
) -> None:
    """Their fees are that of both, to a unit; fees in two currencies are of two fills."""
    problem = problem_of(fees)
    known = next(row for row in problem.fills if row.fee == Decimal("0.1"))
    first, second = (charged(known, text) for text in (one, other))
    assert _may_be_one(problem, first, second) is expected


def charged(row: Fill, text: str) -> Fill:
    """The fill with another fee."""
    amount, _, currency = text.partition(" ")
    return replace(row, fee=Decimal(amount), fee_currency=currency)


@pytest.mark.parametrize(
    ("effects", "expected"),
    [
        ([{"cash::EUR": "0.005"}], True), ([{"cash::EUR": "-0.005"}], True),
        ([{"cash::EUR": "0.0051"}], False), ([{"cash::BTC": "0.05"}], True),
        ([{"cash::BTC": "0.051"}], False), ([{"cash::EUR": "0.005", "cash::USD": "0.001"}], False),
        ([{"cash::EUR": "0.005", "position::X": "0.001"}], False), ([{}], False),
        ([{"cash::EUR": "3"}, {"cash::EUR": "-3"}], False),
        ([{"cash::EUR": "3"}, {"cash::EUR": "-2.996"}], True), ([{"cash::GBP": "0.005"}], False),
        ([{"cash::EUR": "0.005", "cash::USD": "0"}], True),
    ],
)  # fmt: skip
def test_amounts_below_the_stated_digits(
    effects: list[Mapping[str, str]], *, expected: bool
) -> None:
    """Cash of at most half a unit, of the side that states fewer digits itself."""
    first = side({"X": "1"}, {"EUR": "5.10", "BTC": "1.25"})
    second = side({"X": "1"}, {"EUR": "5.125", "BTC": "1.2"})
    replayed = replace(side({}, {"GBP": "1"}), derived=frozenset({"cash"}))
    parts = [
        SimpleNamespace(effect={name: Decimal(text) for name, text in each.items()})
        for each in effects
    ]
    answer: Any = SimpleNamespace(parts=parts)
    assert _below_digits(prover_of(recorded(first, second)), answer) is expected
    only = prover_of(recorded(replayed, side({}, {})))
    assert not _below_digits(only, answer)


MORE: dict[str, tuple[dict[str, str], dict[str, str] | None, bool]] = {
    "a larger quantity, and its fee": ({"quantity": "2", "fee": "0.2"}, {}, True),
    "a larger quantity alone": ({"quantity": "2"}, {}, True),
    "a larger quantity, whose fee it has": ({"quantity": "2"}, {"fee": "0.2"}, False),
    "a larger quantity without a fee": ({"quantity": "2", "fee": "0"}, {"fee": "0"}, True),
    "a smaller quantity": ({"quantity": "0.5", "fee": "0.05"}, {}, False),
    "the same quantity": ({"fee": "0.2"}, {}, False),
    "at another price": ({"quantity": "2", "fee": "0.2", "price": "101"}, {}, False),
    "another fill beside one": ({"fill_id": "g"}, None, True),
    "another fill at another price": ({"fill_id": "g", "price": "101"}, None, False),
    "another fill of another fee": ({"fill_id": "g", "fee": "0.3"}, None, False),
}
"""The fill that is right, the fill that it replaces, `None` for no fill, and the doubt."""


@pytest.mark.parametrize("name", MORE)
@pytest.mark.parametrize("has_report", [True, False])
def test_an_order_that_has_filled_more(name: str, *, has_report: bool) -> None:
    """By a larger fill with its fee, or another one beside it: a report says how much alone."""
    problem = problem_of(AT_A_RATE)
    row = replace(problem.fills[0], client_order_id="o")
    known = recorded(ledger_of([row]), exchange([]), instruments={SPOT.symbol: SPOT},
                     currencies={"EUR": Currency("EUR", 2)})  # fmt: skip
    problem = problems_of(prover_of(known))[0]
    new, old, expected = MORE[name]
    given = row if old is None else changed(row, old)
    added = changed(given, new)
    patch = Patch((), (added,)) if old is None else Patch((given,), (added,))
    orders = {order_name(row): order("o", "2", "2")} if has_report else {}
    part: Any = SimpleNamespace(hypothesis=Hypothesis(CauseKind.WRONG_QUANTITY, patch, (given,)))
    found = _is_part_of_its_order(replace(problem, orders=orders), part)
    assert found is (expected and has_report)
    slip = replace(part.hypothesis, facts=Facts(is_slip=True))
    doubt = _is_part_of_its_order(
        replace(problem, orders=orders), cast("Any", SimpleNamespace(hypothesis=slip))
    )
    assert doubt is (found and old is None)


def changed(row: Fill, fields: Mapping[str, str]) -> Fill:
    """The fill with other figures."""
    figures = {name: text if name == "fill_id" else Decimal(text) for name, text in fields.items()}
    return replace(row, **cast("Any", figures))


@pytest.mark.parametrize(
    ("ids", "expected"),
    [({"m2"}, True), ({"m1", "m2", "f1"}, True), ({"m1"}, False), (set(), False)],
)
def test_the_newest_rows_of_a_ledger(ids: set[str], *, expected: bool) -> None:
    """They are later than all that the exchange shows, and not of its last moment."""
    paid = [
        moved(name, "deposit", "5 EUR", seconds) for name, seconds in (("m1", -600), ("m2", -300))
    ]
    ledger = books(fill("f1", "BUY", "1", "100", time=at(-900)), *paid)
    assert _are_newest(recorded(ledger, side(movements=tuple(paid[:1]))), ids) is expected


@pytest.mark.parametrize(
    ("kind", "strength", "is_one"),
    [
        (CauseKind.WRONG_PRICE, Strength.EXACT, True),
        (CauseKind.WRONG_PRICE, Strength.FITTED, False),
        (CauseKind.WRONG_QUANTITY, Strength.EXACT, False),
    ],
)
def test_causes_of_equal_amounts_are_one(
    kind: CauseKind, strength: Strength, *, is_one: bool
) -> None:
    """In whichever row, unless a number was fitted to it or its quantity is wrong."""
    effect = {"cash::EUR": Decimal(1)}
    keys = set()
    for price in (Decimal(100), Decimal(200)):
        row = fill("f", "BUY", "1", str(price))
        patch = Patch((row,), (replace(row, price=price - 1),))
        keys.add(_amounts(Part(Hypothesis(kind, patch, (row,), strength), (row,), 1, effect)))
    assert (len(keys) == 1) is is_one


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ({"EUR": "5", "BTC": "2"}, True),
        ({"EUR": "5", "BTC": "3"}, False),
        ({"EUR": "6", "BTC": "3"}, False),
        ({"EUR": "5"}, False),
        (None, False),
    ],
)
def test_an_opening_that_both_sides_give(
    other: Mapping[str, str] | None, *, expected: bool
) -> None:
    """Every balance of it is the same; an opening of one side alone is not confirmed."""
    rows = (fill("f1", "BUY", "1", "100", time=at(-900)),)
    ledger = books(*rows, opening={"EUR": "5", "BTC": "2"})
    outer = side({}, {}) if other is None else books(opening=other)
    known = recorded(ledger, outer, instruments={SPOT.symbol: SPOT})
    part: Any = SimpleNamespace(
        hypothesis=SimpleNamespace(patch=SimpleNamespace(old_opening=ledger.opening))
    )
    problem = problems_of(prover_of(known))[0]
    assert _blames_one_of_two_openings(problem, part) is expected
    part.hypothesis.patch.old_opening = None
    assert not _blames_one_of_two_openings(problem, part)


def test_a_pair_is_as_weak_as_its_weaker_cause() -> None:
    """In either order."""
    row = fill("f", "BUY", "1", "100")
    pair = [
        Hypothesis(CauseKind.WRONG_FEE, Patch((row,)), (row,), strength)
        for strength in (Strength.SHOWN, Strength.WEAK)
    ]
    assert _weakest(tuple(pair)) is _weakest(tuple(pair[::-1])) is Strength.WEAK


@pytest.mark.parametrize(
    ("fee", "options", "is_answer"),
    [
        ("1", {"read": True}, False),
        ("1", {"read": True, "is_own": True}, True),
        ("5", {"read": True}, True),
        ("5", {}, True),
        ("1", {}, False),
    ],
)
def test_a_cause_of_rows_has_to_resolve_a_difference(
    fee: str, options: dict[str, bool], *, is_answer: bool
) -> None:
    """A fee of 6 that was 1 leaves 5 of EUR; what a side's own books require may leave it."""
    row = fill("f1", "BUY", "1", "100", "6 EUR", time=at(-900))
    problem = problem_requiring([row], {"EUR": "5"})
    patch = Patch((row,), (replace(row, fee=Decimal(6) - Decimal(fee)),))
    one = Hypothesis(CauseKind.WRONG_FEE, patch, (row,))
    prover, budget = prover_of(problem.recorded), Budget(10**6)
    found = attempt(prover, problem, [one], [(row,)], budget, **cast("Any", options))
    assert (found is not None) is is_answer
