"""Patches: rows by identity, one patch after another, and stated amounts that move with them."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest

from recon_core.explain.problem.dimensions import Dimensions
from recon_core.explain.problem.patches import Patch, in_sequence, names_of, shifted
from recon_core.model import CashBalance, Fill, Leg, Opening, Position, SideRecord
from tests.core.builders import at, fill, side
from tests.explain.real_sessions import moved

A, B, C = (fill(name, "BUY", "1", "100") for name in "abc")
A2 = replace(A)
PAID, LATER = moved("m", "interest", "5 EUR", -9), moved("n", "interest", "7 EUR", -8)


def names(rows: Sequence[Fill] | None) -> str | None:
    """Ids of fills, `a'` for the copy of `a`."""
    return None if rows is None else " ".join(
        f"{row.fill_id}'" if row is A2 else row.fill_id for row in rows
    )  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "removed", "added", "left"),
    [
        ((A, B), (A,), (), "b"), ((A, A2, B), (A,), (), "a' b"), ((A, A2, B), (A2,), (C,), "a b c"),
        ((A, B), (), (C,), "a b c"), ((A, B, A), (A,), (), "b a"), ((A, B, A), (A, A), (), "b"),
        ((A, B, A, A), (A, B), (), "a a"), (None, (), (), None), (None, (), (C,), "c"),
        ((), (), (), ""), ((A,), (A,), (), ""),
    ],
)  # fmt: skip
def test_rows_are_removed_by_identity(
    rows: tuple[Fill, ...] | None, removed: tuple[Fill, ...], added: tuple[Fill, ...], left: str
) -> None:
    """A row that is listed several times is removed as often as it is named."""
    found = Patch(removed, added).applied(side({"X": "1"}, fills=rows))
    assert names(found.fills) == left
    assert found.positions == side({"X": "1"}).positions


def test_patches_in_sequence() -> None:
    """What a later one removes of an earlier one's rows is neither removed nor added."""
    first, second = Patch((A,), (B,), (PAID,), ()), Patch((B, A2), (C,), (), (LATER,))
    both = in_sequence((first, second))
    assert (names(both.removed), names(both.added)) == ("a a'", "c")
    assert (both.removed_movements, both.added_movements) == ((PAID,), (LATER,))
    assert first.joined(second) == both
    assert both.rows_removed == (A, A2, PAID)
    assert both.rows_added == (C, LATER)
    apart = in_sequence((Patch((A,)), Patch((), (B,)), Patch((), (C,)), Patch((B,))))
    assert (names(apart.removed), names(apart.added)) == ("a", "c")
    assert (second.builds_on(first), first.builds_on(second)) == (True, False)
    assert Patch((), (), (LATER,)).builds_on(second)
    assert not Patch((A2,)).has_common_row(first)
    assert Patch((A,)).has_common_row(first)
    assert Patch((), (), (PAID,)).has_common_row(first)
    assert not Patch((B,)).has_common_row(first)


def opening(eur: str, position: str = "1") -> Opening:
    """What an account begins with."""
    held = (Position("X", Decimal(position)),) if position else ()
    return Opening(
        at(-99), held, (CashBalance("EUR", Decimal(eur)), CashBalance("BTC", Decimal(1)))
    )


def test_two_changes_of_an_opening() -> None:
    """Each exchanges the rows that it changes; the first opening is the old one."""
    start = opening("5")
    cash = Patch(opening=opening("6"), old_opening=start)
    position = Patch(opening=opening("5", "2"), old_opening=start)
    both = in_sequence((cash, Patch((A,)), position))
    assert both.old_opening == start
    assert both.opening is not None
    assert sorted((row.currency, str(row.total)) for row in both.opening.cash) == [
        ("BTC", "1"), ("EUR", "6"),
    ]  # fmt: skip
    assert [str(row.quantity) for row in both.opening.positions] == ["2"]
    gone = in_sequence((cash, Patch(opening=opening("5", ""), old_opening=start)))
    assert gone.opening is not None
    assert gone.opening.positions == ()
    assert in_sequence((Patch((A,)), cash)).opening == cash.opening
    assert in_sequence((Patch((A,)),)).opening is None
    assert cash.applied(side(opening=start)).opening == cash.opening
    assert Patch((A,)).applied(side(opening=start)).opening == start


def stated() -> SideRecord:
    """Positions with average prices, and balances of which a part is free."""
    return side(
        (Position("X", Decimal(1), average_price=Decimal(7)), Position("Y", Decimal(2))),
        (CashBalance("EUR", Decimal(5), free=Decimal(4)), CashBalance("BTC", Decimal(1))),
    )


def test_amounts_that_are_added_to_a_state() -> None:
    """A moved position loses its average price, the free part of a balance moves with it."""
    dimensions = Dimensions(frozenset(), plain=True)
    other = side({"Z": "9", "X": "3"}, {"USD": "9", "EUR": "3"})
    known = names_of(dimensions, (stated(), other))
    amounts = {
        "position::X": 3, "position::Y": 0, "position::Z": 4, "cash::EUR": -2, "cash::BTC": 0,
        "cash::USD": 1, "cash::GBP": 8, "position::W": 8,
    }  # fmt: skip
    vector = {name: Decimal(amount) for name, amount in amounts.items()}
    found = shifted(stated(), dimensions, vector, known)
    assert found.positions == (
        Position("X", Decimal(4)), Position("Y", Decimal(2)), Position("Z", Decimal(4)),
    )  # fmt: skip
    assert found.cash == (
        CashBalance("EUR", Decimal(3), free=Decimal(2)), CashBalance("BTC", Decimal(1)),
        CashBalance("USD", Decimal(1)),
    )  # fmt: skip
    still = shifted(stated(), dimensions, {"position::Z": Decimal(0)}, known)
    assert (still.positions, still.cash) == (stated().positions, stated().cash)
    bare = shifted(side(), dimensions, vector, known)
    assert (bare.positions, bare.cash) == (None, None)


def test_the_names_of_all_sides() -> None:
    """Each dimension once, empty, with its leg and account."""
    held = (Position("X", Decimal(3), account="a", leg=Leg.LONG), Position("X", Decimal(4)))
    paid = (CashBalance("EUR", Decimal(3), account="a"),)
    known = names_of(Dimensions(frozenset(), plain=False), (side(held, paid), side(held[1:], None)))
    assert known.positions == {
        "position::X,leg=LONG,account=a": Position("X", Decimal(0), account="a", leg=Leg.LONG),
        "position::X": Position("X", Decimal(0)),
    }
    assert known.cash == {"cash::EUR,account=a": CashBalance("EUR", Decimal(0), account="a")}
