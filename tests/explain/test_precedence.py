"""Rules between causes: what is a rounding besides others, an orphan, a name of two legs."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from recon_core.explain.answers.pending_movements import with_pending
from recon_core.explain.causes import precedence
from recon_core.explain.causes.fills import first_of, with_orphan_fills
from recon_core.explain.problem.hypotheses import Facts, Hypothesis, Strength
from recon_core.explain.problem.patches import Patch
from recon_core.explain.problem.stated_figures import StateHypothesis
from recon_core.explain.search.candidates import Candidate, _with_misread_strength
from recon_core.explain.search.matched_rows import matched_movements
from recon_core.model import CashBalance, Fill, LedgerSide, Movement
from recon_core.model.explanation import (
    Cause,
    CauseKind,
    Effect,
    Explanation,
    ExplanationVerdict,
)
from tests.core.builders import at, fill, order, side
from tests.explain.problems import problem_requiring, prover_of
from tests.explain.real_sessions import linear, moved, session

Kinds = CauseKind


def cause(kind: CauseKind, *ids: str) -> Cause:
    return Cause(kind, LedgerSide.INTERNAL, ids, Effect(), "")


@pytest.mark.parametrize(
    ("causes", "expected"),
    [
        ([], False),
        ([cause(Kinds.ROUNDING)], False),
        ([cause(Kinds.UNIT)], False),
        ([cause(Kinds.ROUNDING), cause(Kinds.UNIT)], True),
        ([cause(Kinds.ROUNDING), cause(Kinds.ROUNDING)], False),
        ([cause(Kinds.ROUNDING, "f1"), cause(Kinds.UNIT)], False),
        ([cause(Kinds.ROUNDING, "f1"), cause(Kinds.ROUNDING)], True),
    ],
)
def test_a_rounded_state_besides_others(causes: list[Cause], *, expected: bool) -> None:
    """Of figures and of no row: of rows it is shown by them."""
    assert precedence.has_extra_rounding(causes) is expected


def fitted(kind: CauseKind, strength: Strength = Strength.EXACT, **facts: Any) -> Hypothesis:
    return Hypothesis(kind, Patch(), (), strength, facts=Facts(**facts))


ONE_FIGURE: list[tuple[Hypothesis, dict[str, str], bool]] = [
    (fitted(Kinds.WRONG_QUANTITY), {"position::A": "1"}, True),
    (fitted(Kinds.WRONG_QUANTITY), {"position::A": "1", "cash::EUR": "2"}, False),
    (fitted(Kinds.WRONG_QUANTITY, Strength.SHOWN), {"position::A": "1"}, False),
    (fitted(Kinds.WRONG_PRICE), {"position::A": "1"}, False),
    (fitted(Kinds.SIGN_CONVENTION), {"position::A": "1"}, True),
    (fitted(Kinds.SIGN_CONVENTION), {"position::A": "1", "position::B": "2"}, False),
    (fitted(Kinds.SIGN_CONVENTION, Strength.SHOWN), {"position::A": "1"}, False),
]


@pytest.mark.parametrize(("given", "effect", "expected"), ONE_FIGURE)
def test_a_quantity_that_one_figure_shows(
    given: Hypothesis, effect: dict[str, str], *, expected: bool
) -> None:
    """A fitted one that moved no cash, and the sign of all fills in one figure."""
    amounts = {name: Decimal(text) for name, text in effect.items()}
    assert precedence.is_one_figure(given, amounts) is expected


def test_what_kinds_of_causes_are() -> None:
    """Each question about several hypotheses is about any of them, or counts them."""
    price, quantity = fitted(Kinds.WRONG_PRICE), fitted(Kinds.WRONG_QUANTITY)
    order, lost = fitted(Kinds.CUMULATIVE_QUANTITY), fitted(Kinds.MISSING_FILL)
    every = [price, quantity, order, lost]
    assert precedence.figure_count(every) == 2
    assert [precedence.may_be_of_a_pair(one) for one in every] == [False, True, True, True]
    assert precedence.is_misread_order(every)
    assert not precedence.is_misread_order([price, quantity])
    assert precedence.has_wrong_quantity(every)
    assert not precedence.has_wrong_quantity([price, order])


def named(kind: CauseKind, *names: str) -> StateHypothesis:
    amounts = dict.fromkeys(names, Decimal(1))
    return StateHypothesis(kind, LedgerSide.INTERNAL, amounts, "")


def test_legs_of_one_name_get_no_other_name() -> None:
    """Only names are left out, and only where their legs are netted."""
    netted = named(Kinds.NETTED_LEGS, "A,leg=LONG", "A,leg=SHORT")
    given = [
        named(Kinds.ALIAS, "A,leg=LONG", "B"), netted, named(Kinds.ALIAS, "B", "C"),
        named(Kinds.UNIT, "A,leg=LONG"),
    ]  # fmt: skip
    assert precedence.without_names_of_legs(given) == given[1:]
    assert precedence.without_names_of_legs(given[2:]) == given[2:]
    assert precedence.without_names_of_legs([given[0], given[3]]) == [given[0], given[3]]


COPY = fill("f1", "BUY", "2", "100", time=at(0), client_order_id="o")
AGAIN = replace(COPY)
OTHER = fill("g1", "BUY", "3", "100", time=at(0), client_order_id="p")


def twice(row: Fill, **more: Any) -> Hypothesis:
    patch = more.pop("patch", Patch((row,)))
    return Hypothesis(Kinds.DUPLICATE_FILL, patch, (row,), Strength.SHOWN, **more)


def orphans(given: list[Hypothesis], fills: list[Fill]) -> list[tuple[str, Strength]]:
    found = with_orphan_fills(given, fills, Strength.FITTED)
    return [(str(one.cause_kind), one.strength) for one in found]


KEPT = ("duplicate_fill", Strength.SHOWN)
ORPHAN = ("orphan_fill", Strength.FITTED)
PARTS = twice(AGAIN, facts=Facts(in_parts=True))
CHANGED = twice(AGAIN, patch=Patch((AGAIN,), (OTHER,)))
ALONE = Hypothesis(Kinds.MISSING_FILL, Patch(added=(OTHER,)), (OTHER,), Strength.SHOWN)
REMOVED: list[tuple[str, list[Hypothesis], list[Fill], list[tuple[str, Strength]]]] = [
    ("one of two copies", [twice(AGAIN)], [COPY, AGAIN], [KEPT]),
    ("both copies", [twice(COPY), twice(AGAIN)], [COPY, AGAIN], [ORPHAN, KEPT]),
    ("two of three", [twice(COPY), twice(AGAIN)], [COPY, AGAIN, replace(COPY)], [KEPT, KEPT]),
    ("both of two fills", [twice(COPY), twice(OTHER)], [COPY, OTHER], [ORPHAN, ORPHAN]),
    ("both, one changed", [twice(COPY), CHANGED], [COPY, AGAIN],
     [KEPT, KEPT]),
    ("both, one in parts", [twice(COPY), PARTS], [COPY, AGAIN], [KEPT, KEPT]),
    ("both, and another cause", [ALONE, twice(COPY), twice(AGAIN)], [COPY, AGAIN],
     [("missing_fill", Strength.SHOWN), ORPHAN, KEPT]),
    ("both, and a copy in another order",
     [twice(COPY), twice(AGAIN)], [COPY, AGAIN, replace(COPY, fill_id="x", client_order_id="q")],
     [KEPT, KEPT]),
    ("both, and a later copy in another order", [twice(COPY), twice(AGAIN)],
     [COPY, AGAIN, replace(COPY, fill_id="x", client_order_id="q", time=at(60))], [ORPHAN, KEPT]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("given", "fills", "expected"), [one[1:] for one in REMOVED], ids=[one[0] for one in REMOVED]
)
def test_a_removal_that_leaves_no_copy(
    given: list[Hypothesis], fills: list[Fill], expected: list[tuple[str, Strength]]
) -> None:
    """The first of all copies is a fill that the other side does not know, the others repeat it."""
    assert orphans(given, fills) == expected


def test_the_first_of_two_removals() -> None:
    """An orphan if both remove all copies of a fill; another fill, or a third copy, is kept."""
    for fills, second, kind in (
        ([COPY, AGAIN], AGAIN, Kinds.ORPHAN_FILL),
        ([COPY, AGAIN, replace(COPY)], AGAIN, Kinds.DUPLICATE_FILL),
        ([COPY, AGAIN, OTHER], OTHER, Kinds.DUPLICATE_FILL),
    ):
        problem = problem_requiring(fills, {"EUR": "1"})
        assert first_of(problem, twice(COPY), twice(second)).cause_kind is kind
    right = problem_requiring([COPY, AGAIN], {"EUR": "1"}, rows_right=True)
    assert first_of(right, twice(COPY), twice(AGAIN)).cause_kind is Kinds.DUPLICATE_FILL


@pytest.mark.parametrize("plain", [True, False])
def test_movements_of_two_accounts(*, plain: bool) -> None:
    """Are one movement only where accounts are left out."""
    paid = moved("m1", "interest", "5 EUR", account="a")
    found = matched_movements([paid], [replace(paid, account="b")], plain=plain).rows
    alone: tuple[Movement, ...] = () if plain else (paid,)
    assert (found.differing, found.surplus) == ((), alone)
    other = matched_movements([paid], [replace(paid, amount=Decimal(6))], plain=plain).rows
    assert [(one.amount, two.amount) for one, two in other.differing] == [(5, 6)]


@pytest.mark.parametrize(("derived", "is_booked"), [((), True), (("cash",), False)])
def test_what_is_pending_is_posted(derived: tuple[str, ...], *, is_booked: bool) -> None:
    """To the cash that a side states; where its rows give it, they do so without it."""
    pending = (moved("m1", "funding", "5 EUR"), moved("m2", "fee", "-2 EUR"))
    given = side((), {"EUR": "100"}, pending=pending)
    prover = prover_of(session(given, side((), {"EUR": "103"})).recorded)
    assert prover.recorded.internal is not None
    record = replace(prover.recorded.internal, derived=frozenset(derived))
    prover = prover_of(replace(prover.recorded, internal=record))
    repaired, found = with_pending(prover)
    assert found == (list(pending) if is_booked else [])
    cash = repaired.recorded.internal and repaired.recorded.internal.cash
    assert cash == (CashBalance("EUR", Decimal(103 if is_booked else 100)),)


BOUGHT = {"position": {"A": Decimal(1)}, "cash": {"EUR": Decimal(-5)}}
SOLD = {"position": {"A": Decimal(-1)}, "cash": {"EUR": Decimal(5)}}
PAID = {"cash": {"EUR": Decimal(5)}}
OPPOSITES: dict[str, tuple[list[tuple[str, dict[str, Any]]], bool]] = {
    "none": ([], False),
    "one": ([("internal", BOUGHT)], False),
    "a fault and its opposite": ([("internal", BOUGHT), ("internal", SOLD)], True),
    "not at once": ([("internal", PAID), ("internal", BOUGHT), ("internal", SOLD)], True),
    "the same twice": ([("internal", BOUGHT), ("internal", BOUGHT)], False),
    "of two sides": ([("internal", BOUGHT), ("external", SOLD)], False),
    "in a part": ([("internal", BOUGHT), ("internal", PAID)], False),
    "that move nothing": ([("internal", {}), ("internal", {})], False),
}
"""Sides and effects of causes, and true if two of them cancel."""


@pytest.mark.parametrize("name", OPPOSITES)
def test_causes_that_cancel(name: str) -> None:
    """Two of one side, in every amount."""
    given, expected = OPPOSITES[name]
    causes = [
        replace(cause(Kinds.ORPHAN_FILL), side=LedgerSide(of_side), effect=Effect(**effect))
        for of_side, effect in given
    ]
    assert precedence.has_opposites(causes) is expected


@pytest.mark.parametrize(
    ("rows", "strengths"),
    [
        ((COPY, COPY), ["CHANCE", "SHOWN"]), ((COPY, OTHER), ["SHOWN", "SHOWN"]),
        ((COPY, replace(COPY, fill_id="f2")), ["SHOWN", "SHOWN"]),
        ((moved("m1", "fee", "5 EUR"), moved("m1", "fee", "5 EUR")), ["CHANCE", "SHOWN"]),
    ],
)  # fmt: skip
def test_one_row_that_is_added_twice(
    rows: tuple[Fill | Movement, ...], strengths: list[str]
) -> None:
    """Is a chance; two rows, or the changes of one, are not."""
    fills = [row for row in rows if isinstance(row, Fill)]
    patches = [Patch(added=(row,)) for row in fills] or [
        Patch(added_movements=(row,)) for row in rows if isinstance(row, Movement)
    ]
    added = tuple(twice(COPY, patch=patch) for patch in patches)
    found = precedence.with_doubt_of_pair(added)
    assert [one.strength.name for one in found] == strengths
    turned = tuple(twice(COPY, patch=Patch((row,), (row,))) for row in (COPY, COPY))
    assert precedence.with_doubt_of_pair(turned) == turned


PERP = linear("PERP", "EUR")
CONTRACT = replace(COPY, symbol="PERP", time=at(-900))
MULTIPLIED: dict[str, tuple[CauseKind, str, Fill, dict[str, Any], bool, bool]] = {
    "cash alone": (Kinds.UNIT, "cash::EUR", CONTRACT, {}, False, True),
    "a position": (Kinds.UNIT, "position::PERP", CONTRACT, {}, False, False),
    "of coins": (Kinds.UNIT, "cash::EUR", COPY, {}, False, False),
    "another fault": (Kinds.ROUNDING, "cash::EUR", CONTRACT, {}, False, False),
    "beside fills": (Kinds.UNIT, "cash::EUR", CONTRACT, {"fills": ()}, False, False),
    "beside fills, of a statement": (Kinds.UNIT, "cash::EUR", CONTRACT, {"fills": ()}, True, True),
    "beside orders": (Kinds.UNIT, "cash::EUR", CONTRACT, {"orders": True}, False, False),
}
"""A kind of cause, what it moves, a fill of it, what the exchange lists; true if rows are right."""


@pytest.mark.parametrize("name", MULTIPLIED)
def test_a_unit_that_may_be_a_multiplier(name: str) -> None:
    """Of contracts that moved cash alone; fills or orders of the exchange would deny it."""
    kind, moves, row, lists, rows_right, expected = MULTIPLIED[name]
    problem = problem_requiring([CONTRACT], {"EUR": "1"}, PERP, rows_right=True)
    outer = problem.recorded.external
    assert outer is not None
    known = replace(problem.recorded, external=replace(outer, fills=lists.get("fills")))
    orders = {"order::o": order("o", "2", "2")} if "orders" in lists else {}
    problem = replace(problem, recorded=known, orders=orders, rows_right=rows_right)
    one = Hypothesis(kind, Patch((row,)), (row,))
    assert precedence.may_be_a_multiplier(problem, one, {moves: Decimal(1)}) is expected


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        ([], False), ([Kinds.UNIT], True), ([Kinds.UNIT, Kinds.SPLIT], True),
        ([Kinds.UNIT, Kinds.ROUNDING], False), ([Kinds.ROUNDING], False),
    ],
)  # fmt: skip
def test_figures_that_a_wrong_row_may_cause(kinds: list[CauseKind], *, expected: bool) -> None:
    """All of them; nothing that is found is no such figure."""
    found = [Explanation(ExplanationVerdict.UNIQUE, causes=(cause(kind),)) for kind in kinds]
    assert precedence.may_be_rows(found) is expected


def test_only_a_misread_order_is_as_sure_as_a_wrong_quantity_of_its_repair() -> None:
    """Any other cause with that repair keeps its own strength."""
    row = fill("f", "BUY", "3", "100")
    patch = Patch((row,), (replace(row, quantity=Decimal(2)),))
    orders = {Kinds.WRONG_QUANTITY: 1, Kinds.CUMULATIVE_QUANTITY: 2, Kinds.UNIT: 3}
    given = [
        Candidate((order, False), ((Hypothesis(kind, patch, (row,)),),), ((row,),))
        for kind, order in orders.items()
    ]
    assert [one.order for one in _with_misread_strength(given)] == [
        (1, False),
        (1, False),
        (3, False),
    ]
    assert _with_misread_strength(given[1:]) == given[1:]
