"""Questions about all rows of a side: answered as by looking at each, and by few looks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any, overload

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recon_core.explain.causes import movement as movements
from recon_core.explain.causes.unstated_fills import _is_at_the_rate_of_small_fills
from recon_core.explain.problem.chances import has_few_prices
from recon_core.explain.problem.market import Market, on_tick, ticks_of
from recon_core.explain.problem.precision import StatedDecimals
from recon_core.explain.problem.problem import Problem
from recon_core.explain.problem.rows import Rows
from recon_core.model import Fill, Movement, MovementKind, OrderSide
from recon_core.model.fill_table import RowTable
from recon_core.model.row_table import rows_having
from tests.core.builders import SPOT, at, fill, recorded, side
from tests.explain.problems import problem_requiring

COUNT = 60


@dataclass
class Looks(Sequence[Fill]):
    """Rows that count how many of them were looked at."""

    rows: Sequence[Fill]
    seen: int = 0

    def __len__(self) -> int:
        """The number of rows."""
        return len(self.rows)

    @overload
    def __getitem__(self, place: int) -> Fill: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[Fill]: ...

    def __getitem__(self, place: int | slice) -> Any:
        """Count a row at a place, not the rows of a slice."""
        self.seen += isinstance(place, int)
        return self.rows[place]

    def __iter__(self) -> Iterator[Fill]:
        """Count each row."""
        for row in self.rows:
            self.seen += 1
            yield row


def rows(count: int = COUNT) -> list[Fill]:
    """Fills, each with an id of its own, in orders of two."""
    return [
        fill(f"f{number}", "BUY", "2", f"{100 + number % 7}", fee="0.2 EUR", time=at(number),
             client_order_id=f"o{number // 2}")
        for number in range(count)
    ]  # fmt: skip


def test_an_index_takes_the_place_of_a_look_at_all_rows() -> None:
    """Whoever asks for the fills of each id in turn looks at all of them a few times."""
    looks = Looks(rows())
    table = RowTable(looks)
    for one in looks.rows:
        assert table.having(fill_id=(one.fill_id,)) == [one]
        assert table.having(order_id=(one.order_id,), symbol=(one.symbol,))[0].side == one.side
        assert not table.having(time=(at(-1),))
    # Four questions and an index of two fields, one question of a third; each row once by place.
    assert looks.seen <= 11 * COUNT + 3 * COUNT


def test_what_is_asked_again_is_known() -> None:
    """Values, positions, copies, prices and the latest time are worked out once."""
    looks = Looks(rows())
    table = RowTable(looks)
    first = (
        table.distinct("symbol"), table.positions(), table.copies(), table.latest(),
        table.prices("BTC/EUR", "f3"), table.may_be_parts(),
    )  # fmt: skip
    asked = looks.seen
    again = (
        table.distinct("symbol"), table.positions(), table.copies(), table.latest(),
        table.prices("BTC/EUR", "f3"), table.may_be_parts(),
    )  # fmt: skip
    assert again == first
    assert looks.seen - asked <= 2  # the row of an id


def test_a_patched_table_looks_at_what_changed() -> None:
    """Ids listed twice, accounts and single fills of a repaired side ask none of the others."""
    looks = Looks(rows())
    table = RowTable(looks)
    one = looks.rows[5]
    for row in looks.rows[:7]:  # more questions than are answered by a look at all
        table.having(fill_id=(row.fill_id,))
    _ = table.distinct("account"), table.copies()
    before = looks.seen
    for row in looks.rows[8:40]:
        patched = table.patched([row], [replace(row, fill_id=one.fill_id)])
        assert list(patched.copies()) == [(None, one.symbol, one.fill_id)]
        assert patched.distinct("account") == {None}
        assert len(patched) == COUNT
    assert looks.seen - before < 32 * 8


A, B, C = fill("a", "BUY", "1", "10"), fill("b", "SELL", "2", "10"), fill("c", "BUY", "3", "11")


@pytest.mark.parametrize(
    ("listed", "removed", "added", "left"),
    [
        ((A, B), (A,), (), "b"), ((A, B, A), (A,), (), "b a"), ((A, B, A), (A, A), (), "b"),
        ((A, B, A, A), (A, B), (), "a a"), ((A, B), (A, A), (), "b"), ((A, B), (C,), (), "a b"),
        ((A, B), (A,), (A,), "b a"), ((A,), (A,), (C,), "c"),
    ],
)  # fmt: skip
def test_rows_of_a_table_are_removed_as_often_as_they_are_named(
    listed: tuple[Fill, ...], removed: tuple[Fill, ...], added: tuple[Fill, ...], left: str
) -> None:
    """By identity, the first of them, and no more often than they are listed."""
    found = RowTable(listed).patched(removed, added)
    assert " ".join(one.fill_id for one in found) == left
    assert len(found) == len(list(found))
    by_id = found.having(fill_id={"a", "b", "c"})
    assert [one.fill_id for one in by_id] == left.split()


def test_patches_of_a_patched_table() -> None:
    """An added row may be removed again, and a second patch removes other rows of the table."""
    first = RowTable((A, B, A)).patched((A,), (C,))
    assert [one.fill_id for one in first.patched((C,), ())] == ["b", "a"]
    assert [one.fill_id for one in first.patched((A, B), ())] == ["c"]
    assert [one.fill_id for one in first.patched((B,), (B,))] == ["a", "c", "b"]


DRAWN = st.lists(
    st.builds(
        lambda name, other, hour, price: fill(
            name, "BUY", "1", price, time=at(hour), client_order_id=other
        ),
        st.sampled_from("abcd"),
        st.sampled_from([None, "x", "y"]),
        st.integers(0, 2),
        st.sampled_from(["10", "11"]),
    ),
    max_size=9,
)


@given(DRAWN, st.sets(st.sampled_from(["a", "b", "c", "d", "x", "y", "", "none"])))
def test_rows_with_values_are_those_that_have_them(drawn: list[Fill], some: set[str]) -> None:
    """Whether all rows are looked at, or an index, and in the order of the rows."""
    table = RowTable(tuple(drawn))
    for name in ("fill_id", "order_id"):
        for number in range(6):  # the last ones ask an index
            table.having(**{name: {f"other {number}"}})
            assert table.having(**{name: some}) == rows_having(drawn, {name: some})


@given(DRAWN, DRAWN)
def test_unlike_rows_of_two_tables(mine: list[Fill], others: list[Fill]) -> None:
    """What is left out is equal on both sides and listed once on each; the other way round too."""
    ours, theirs = RowTable(tuple(mine)), RowTable(tuple(others))
    found = ours.unlike(theirs, plain=True)
    swapped = theirs.unlike(ours, plain=True)
    assert found is not None
    assert swapped == (found[1], found[0])
    for listed, other, unlike in ((mine, others, found[0]), (others, mine, found[1])):
        left_out = [one for one in listed if not any(each is one for each in unlike)]
        ids = [one.fill_id for one in (*listed, *other)]
        for one in left_out:
            assert ids.count(one.fill_id) == 2
            assert any(_figures(each) == _figures(one) for each in other)


def _figures(one: Fill) -> tuple[object, ...]:
    return one.fill_id, one.price, one.time


def market(fills: Sequence[Fill]) -> Market:
    """The market of some fills, without a schedule of fees."""
    return Market(fills, SPOT, dict.fromkeys(OrderSide))


def test_the_range_of_prices_is_found_once() -> None:
    """One question for each of many equal fills looks at the prices of all of them once."""
    looks = Looks(rows())
    one, problem = market(looks), problem_requiring(rows(), {"EUR": "1"})
    for row in looks.rows:
        assert has_few_prices(problem, one, row, 1)
    assert looks.seen <= 2 * COUNT


def test_decimals_of_a_currency_are_found_once() -> None:
    """A correction of every fee asks for each of them, and looks at all rows once."""
    looks = Looks(rows())
    decimals = StatedDecimals(recorded(side(fills=looks), side()))
    asked = looks.seen
    assert all(decimals.is_too_fine(Decimal("0.15"), "EUR") for _ in looks.rows)
    assert looks.seen - asked <= 2 * COUNT


def test_two_fills_at_a_rate_decide() -> None:
    """That fills of a size pay a rate is seen at the first two of them."""
    looks, asked = Looks(rows()), fill("x", "BUY", "2", "100", fee="0.2 EUR")
    problem = problem_requiring(looks.rows, {"EUR": "1"})
    assert not _is_at_the_rate_of_small_fills(problem, market(looks), asked)
    assert looks.seen <= 3


@pytest.mark.parametrize(
    ("fees", "quantity", "expected"),
    [
        (["0.2", "0.2"], "2", False), (["0.2", "0.2"], "20", False), (["0.2", "0.2"], "21", True),
        (["0.2"], "2", False), (["0.2", "9"], "2", True), (["0", "0.2"], "2", False),
        (["9", "9"], "2", False), (["-0.2", "-0.2"], "21", False), ([], "2", False),
    ],
)  # fmt: skip
def test_a_rate_of_small_fills(fees: list[str], quantity: str, *, expected: bool) -> None:
    """Fills of 200 EUR at 0.1 %: one of more than ten times that may pay a least fee and no rate.

    So may one whose rate a single fill of several has; without a fee at the rate there is none.
    """
    known = [fill(f"f{at_}", "BUY", "2", "100", fee=f"{fee} EUR") for at_, fee in enumerate(fees)]
    worth = Decimal(quantity) * 100
    asked = fill("x", "BUY", quantity, "100", fee=f"{worth / 1000:f} EUR")
    problem = problem_requiring([asked, *known], {"EUR": "1"})
    assert _is_at_the_rate_of_small_fills(problem, market(known), asked) is expected


@given(
    st.decimals(min_value="1e-12", max_value="1e12", places=12),
    st.decimals(min_value="1e-6", max_value="1e6", places=6),
    st.integers(0, 8),
)
def test_ticks_are_those_of_fractions(amount: Decimal, divisor: Decimal, places: int) -> None:
    """A quotient in whole ticks is the rounded fraction, halves to even."""
    expected = on_tick(Fraction(amount) / Fraction(divisor), places)
    assert Decimal(ticks_of(amount, divisor, places)).scaleb(-places) == expected


@pytest.mark.parametrize(("amount", "expected"), [("5", 0), ("15", 2), ("25", 2), ("26", 3)])
def test_half_a_tick(amount: str, expected: int) -> None:
    """Half a tick is rounded to the even one."""
    assert ticks_of(Decimal(amount), Decimal(10), 0) == expected


def payments(count: int) -> list[Movement]:
    """Funding of different amounts, each an hour after the one before."""
    return [
        Movement(f"m{number}", MovementKind.FUNDING, at(3600 * number), currency="EUR",
                 amount=Decimal(number + 1))
        for number in range(count)
    ]  # fmt: skip


def _of_payments(paid: list[Movement]) -> Problem:
    problem = problem_requiring([fill("a", "BUY", "1", "10")], {"EUR": "1"})
    problem.rows = Rows(replace(problem.record, movements=tuple(paid)), problem.rows.position_of)
    return problem


def test_copies_of_movements_are_found_by_their_content(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice as many payments are compared by twice as many contents, not by four times as many."""
    read, content = [0], Movement.content.fget  # type: ignore[attr-defined]

    def counted(one: Movement) -> object:
        read[0] += 1
        return content(one)

    monkeypatch.setattr(Movement, "content", property(counted))
    problem = _of_payments(payments(COUNT))
    read[0] = 0
    assert list(movements.FAMILY.of_other_rows(problem))
    assert read[0] <= 4 * COUNT
