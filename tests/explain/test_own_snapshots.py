"""Snapshots that follow from rows follow the repaired rows; what was stated otherwise stays."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from recon_core.explain.proof.own_snapshots import with_new_snapshots
from recon_core.model import CashBalance, Position, SideRecord, Snapshot
from tests.core.builders import SPOT, at, fill, recorded
from tests.explain.real_sessions import books
from tests.explain.real_sessions import moved as paid

OLD = [fill("f1", "BUY", "2", "100", time=at(-900)), fill("f2", "BUY", "1", "100", time=at(-300))]
NEW = [fill("f1", "BUY", "5", "100", time=at(-900)), OLD[1]]
"""A position of 2 and then 3 that should be 5 and 6, at 100 EUR each, of 1,000 EUR."""

Amounts = tuple[str | None, str | None]
Rows = tuple[tuple[str, str], ...] | None


def snapshot(held: str | None, cash: str | None, **more: Any) -> Snapshot:
    """A snapshot between the fills; an empty text is a section without a row."""
    positions = () if held == "" else held and (Position("BTC/EUR", Decimal(held), **more),)
    balances = () if cash == "" else cash and (CashBalance("EUR", Decimal(cash), **more),)
    return Snapshot(at(-600), positions, balances)


def record(rows: list[Any], *snapshots: Snapshot, opening: str = "1000") -> SideRecord:
    return books(*rows, opening={"EUR": opening}, snapshots=snapshots or None)


def amounts(given: Snapshot) -> tuple[Rows, Rows]:
    held, cash = given.positions, given.cash
    return (
        None if held is None else tuple((one.symbol, f"{one.quantity:f}") for one in held),
        None if cash is None else tuple((one.currency, f"{one.total:f}") for one in cash),
    )


def moved(before: SideRecord, after: SideRecord) -> list[tuple[Rows, Rows]]:
    session = recorded(before, None, instruments={SPOT.symbol: SPOT})
    return [amounts(one) for one in with_new_snapshots(session, before, after).snapshots or ()]


STATED: dict[str, tuple[Amounts, tuple[Rows, Rows]]] = {
    "as the old rows": (("2", "800"), ((("BTC/EUR", "5"),), (("EUR", "500"),))),
    "as the new rows": (("5", "500"), ((("BTC/EUR", "5"),), (("EUR", "500"),))),
    "nearer to the old": (("3", "700"), ((("BTC/EUR", "6"),), (("EUR", "400"),))),
    "in the middle": (("3.5", "650"), ((("BTC/EUR", "6.5"),), (("EUR", "350"),))),
    "nearer to the new": (("4", "600"), ((("BTC/EUR", "4"),), (("EUR", "600"),))),
    "no positions": ((None, "800"), (None, (("EUR", "500"),))),
    "no cash": (("2", None), ((("BTC/EUR", "5"),), None)),
    "no row of it": (("", "800"), ((("BTC/EUR", "3"),), (("EUR", "500"),))),
}
"""A snapshot's position and cash, and those of the repaired side."""


@pytest.mark.parametrize("name", STATED)
def test_a_snapshot_follows_its_rows(name: str) -> None:
    """By as much as the rows move it, unless it is nearer to what they give now."""
    given, (held, cash) = STATED[name]
    before, after = record(OLD, snapshot(*given)), record(NEW, snapshot(*given))
    coins = ("BTC", "3")  # a balance that it leaves out follows as well
    assert moved(before, after) == [(held, cash and (*cash, coins))]


def test_an_opening_moves_all_snapshots() -> None:
    """Each by the same, and the free part of a balance with its total."""
    told = (
        Snapshot(at(-950), (), (CashBalance("EUR", Decimal(1000), free=Decimal(400)),)),
        snapshot("2", "800"),
    )
    before, after = record(OLD, *told), record(OLD, *told, opening="1007")
    session = recorded(before, None, instruments={SPOT.symbol: SPOT})
    found = with_new_snapshots(session, before, after).snapshots or ()
    assert [one.cash and one.cash[0].total for one in found] == [1007, 807]
    assert [one.cash and one.cash[0].free for one in found] == [407, None]
    assert [one.positions for one in found] == [one.positions for one in told]


def test_the_same_rows_leave_the_side_as_it_is() -> None:
    """The very same object, and so does a side without snapshots."""
    before = record(OLD, snapshot("3", "700"))
    session = recorded(before, None, instruments={SPOT.symbol: SPOT})
    assert with_new_snapshots(session, before, before) is before
    bare = record(NEW)
    assert with_new_snapshots(session, record(OLD), bare) is bare


@pytest.mark.parametrize("account", [None, "main"])
def test_the_only_account_is_named_or_not(account: str | None) -> None:
    """A snapshot that names it is of the rows that do not, and the other way round."""
    named = [fill("f1", "BUY", "2", "100", time=at(-900), account="main")]
    more = [fill("f1", "BUY", "5", "100", time=at(-900), account="main")]
    told = snapshot("2", "-200", **({"account": account} if account else {}))
    found = moved(record(named, told, opening="0"), record(more, told, opening="0"))
    assert found[0][0] == (("BTC/EUR", "5"),)


def test_a_movement_moves_the_snapshots_after_it() -> None:
    """As a fill does, where fills and opening are the same."""
    early = Snapshot(at(-950), (), (CashBalance("EUR", Decimal(1000)),))
    given = record(OLD, early, snapshot("2", "800"))
    after = replace(given, movements=(paid("m1", "interest", "5 EUR", -700),))
    session = recorded(given, None, instruments={SPOT.symbol: SPOT})
    found = with_new_snapshots(session, given, after).snapshots or ()
    assert [one.cash and one.cash[0].total for one in found] == [1000, 805]
