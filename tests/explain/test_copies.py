"""Copies of an execution in the rows of one side: which rows may be one fill."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recon_core.explain.causes.copies import Copies, Originals, repeats, stated_in_parts
from recon_core.explain.problem.hypotheses import fill_content
from recon_core.explain.problem.rows import Rows
from recon_core.model import Fill
from tests.core.builders import at, fill
from tests.explain.real_sessions import books


def row(
    name: str, seconds: float = 0, quantity: str = "2", order_side: str = "BUY", **more: Any
) -> Fill:
    """A fill of the order `o`, if it names no other."""
    given = {"client_order_id": "o", "time": at(seconds), **more}
    return fill(name, order_side, quantity, "100", **given)


FIRST = row("f1")
TWICE: list[tuple[str, Fill, bool, bool, bool]] = [
    ("its id", row("f1", 900, client_order_id="p"), True, False, True),
    ("its id, another quantity", row("f1", 900, "3", client_order_id="p"), False, False, True),
    ("its id, the other side", row("f1", 900, "2", "SELL", client_order_id="p"),
     False, False, True),
    ("its id, another account", row("f1", 900, account="sub", client_order_id="p"),
     False, False, False),
    ("another id, later", row("f2", 900), False, False, False),
    ("another id, of five seconds later", row("f2", 5), False, True, True),
    ("another id, of six seconds later", row("f2", 6), False, False, False),
    ("another order, five seconds later", row("f2", 5, client_order_id="p"), False, False, False),
    ("another order, at its time", row("f2", client_order_id="p"), False, True, True),
    ("no order, at its time", row("f2", client_order_id=None), False, True, True),
    ("another quantity, at its time", row("f2", 0, "3"), False, False, False),
    ("another fee, at its time", row("f2", fee="0.1 EUR"), False, False, False),
]  # fmt: skip
"""Another fill; if they are twice there, near each other, and if one may repeat the other."""


@pytest.mark.parametrize(
    ("other", "twice", "near", "repeated"),
    [one[1:] for one in TWICE],
    ids=[one[0] for one in TWICE],
)
def test_two_rows_of_one_execution(other: Fill, *, twice: bool, near: bool, repeated: bool) -> None:
    """By id, by time, or by order and a few seconds."""
    copies = Copies(sorted([FIRST, other], key=lambda one: one.time))
    for one in (FIRST, other):
        assert (copies.is_duplicate(one), copies.near(one)) == (twice, near)
    assert (repeats(FIRST, other), repeats(other, FIRST)) == (repeated, repeated)

    assert Originals.of([FIRST]).has_one_of(other) is repeated


@given(st.lists(st.sampled_from([FIRST, *(one[1] for one in TWICE)]), max_size=5))
def test_originals_are_those_that_are_repeated(some: list[Fill]) -> None:
    """As if each of them were compared with the fill."""
    originals = Originals.of(some)
    for _, one, *_ in TWICE:
        equal = [each for each in some if fill_content(each) == fill_content(one)]
        assert originals.has_one_of(one) == any(repeats(one, each) for each in some)
        assert originals.has_equal_one_of(one) == any(repeats(one, each) for each in equal)


def test_a_row_alone_is_no_copy() -> None:
    """Nor are rows without an order copies of one order."""
    rows = [row("f1"), row("f2", 3, client_order_id=None), row("f3", 6, client_order_id=None)]
    copies = Copies(rows)
    assert not any(
        copies.is_duplicate(one) or copies.near(one) or copies.parts(one) for one in rows
    )


PARTS: list[tuple[str, list[Fill], bool]] = [
    ("in two parts", [row("7"), row("7-C", 1, "0.5"), row("7-O", 2, "1.5")], True),
    ("five seconds later", [row("7"), row("7-C", 5, "0.5"), row("7-O", 5, "1.5")], True),
    ("in three parts", [row("7"), row("7.a", 1, "1"), row("7.b", 1, "0.5"), row("7.c", 1, "0.5")],
     True),
    ("later than five seconds", [row("7"), row("7-C", 6, "0.5"), row("7-O", 2, "1.5")], False),
    ("one part", [row("7"), row("7-C", 1)], False),
    ("less than whole", [row("7"), row("7-C", 1, "0.5"), row("7-O", 2, "1.4")], False),
    ("of two sides", [row("7"), row("7-C", 1, "0.5", "SELL"), row("7-O", 2, "1.5")], False),
    ("of another account",
     [row("7"), row("7-C", 1, "0.5", account="a"), row("7-O", 2, "1.5", account="a")], False),
    ("of another symbol",
     [row("7"), row("7-C", 1, "0.5", symbol="A/B"), row("7-O", 2, "1.5", symbol="A/B")], False),
    ("another stem", [row("7"), row("8-C", 1, "0.5"), row("8-O", 2, "1.5")], False),
    ("no stem", [row("7"), row("-C", 1, "0.5"), row("-O", 2, "1.5")], False),
    ("no whole", [row("7-C", 1, "0.5"), row("7-O", 2, "1.5")], False),
    ("no parts", [row("7"), row("8", 1, "0.5"), row("9", 2, "1.5")], False),
    ("a longer stem", [row("7-A"), row("7-A-C", 1, "0.5"), row("7-A-O", 2, "1.5")], True),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "expected"), [one[1:] for one in PARTS], ids=[one[0] for one in PARTS]
)
def test_an_execution_whole_and_in_parts(rows: list[Fill], *, expected: bool) -> None:
    """The ids show the relation, and quantities, sides, prices and times prove it."""
    found = stated_in_parts(rows)
    if not expected:
        assert found == {}
        return
    whole, *parts = rows
    named = " and ".join(one.fill_id for one in parts)
    assert found[id(whole)] == f"it is {named} together" == Copies(rows).parts(whole)
    assert {found[id(one)] for one in parts} == {f"it is a part of {whole.fill_id}"}


GROUPS: list[tuple[str, list[Fill], list[list[str]]]] = [
    ("one order", [row("a"), row("b")], [["a", "b"]]),
    ("two orders", [row("a"), row("b"), row("c", client_order_id="p")], [["a", "b"]]),
    ("no order", [row("a", client_order_id=None), row("b", client_order_id=None)], []),
    ("one id in two symbols", [row("a"), row("b", symbol="A/B")], []),
    ("one id in two accounts", [row("a"), row("b", account="sub")], []),
    ("two symbols", [row("a"), row("b", symbol="A/B"), row("c"), row("d", symbol="A/B")],
     [["a", "c"], ["b", "d"]]),
    ("two symbols without orders",
     [row("a", client_order_id=None), row("b", symbol="A/B", client_order_id=None),
      row("c", client_order_id=None)], []),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "expected"), [one[1:] for one in GROUPS], ids=[one[0] for one in GROUPS]
)
def test_the_fills_of_an_order(rows: list[Fill], expected: list[list[str]]) -> None:
    """Of one account and symbol; an order with a single fill is left out."""
    found = Rows(books(*rows), lambda key: f"{key[1]} {key[0]}")
    assert [[one.fill_id for one in some] for some in found.of_orders] == expected
    places = {name: [rows[at_] for at_ in some] for name, some in found.places.items()}
    assert found.by_position == places
    assert sum(map(len, places.values())) == len(rows)
    assert all(
        name == f"{one.symbol} {one.account}" for name, some in places.items() for one in some
    )


SIDES: list[tuple[str, list[str]]] = [
    ("aB aB", ["BUY", "BUY"]), ("aB aS", ["SELL", "BUY"]), ("aB", [""]), ("aB bB", ["", ""]),
    ("aB aB aS", ["BUY SELL", "BUY SELL", "BUY"]), ("aS aS aS", ["SELL", "SELL", "SELL"]),
]  # fmt: skip
"""Fills written `aB`, an order and a side; the sides of the other fills of each one's order."""


@pytest.mark.parametrize(("text", "expected"), SIDES)
def test_the_sides_of_the_other_fills_of_an_order(text: str, expected: list[str]) -> None:
    """A fill itself is none of them."""
    rows = [
        fill(f"f{at_}", "BUY" if word[1] == "B" else "SELL", "1", "100", time=at(at_ - 900),
             client_order_id=word[0])
        for at_, word in enumerate(text.split())
    ]  # fmt: skip
    found = Rows(books(*rows), lambda key: key[1])
    assert [" ".join(sorted(found.sides_of_others(row))) for row in found.fills] == expected
