"""Trades that the sides list under different ids: named, and never matched."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest

from recon_core.model import Fill

from .builders import at, fill, reconciled, side

F1 = fill("f1", "BUY", "0.10", "42000.00", "4.20 EUR", time=at(0))
F2 = fill("f2", "SELL", "0.05", "43000.00", "2.15 EUR", time=at(5))
X1, X2 = replace(F1, fill_id="x1"), replace(F2, fill_id="x2")

NOTED = [
    ("all ids", [F1, F2], [X1, X2], {"f1": "x1", "f2": "x2"}),
    ("one id", [F1, F2], [F1, X2], {"f2": "x2"}),
    ("other zeros", [F1], [replace(X1, quantity=Decimal("0.1"))], {"f1": "x1"}),
    ("one clock behind", [F1], [replace(X1, time=at(60))], {"f1": "x1"}),
    ("too late", [F1], [replace(X1, time=at(61))], {}),
    ("too early", [replace(F1, time=at(61))], [X1], {}),
    ("another fee", [F1], [replace(X1, fee=Decimal(4))], {"f1": "x1"}),
    ("another quantity", [F1], [replace(X1, quantity=Decimal("0.2"))], {}),
    ("another price", [F1], [replace(X1, price=Decimal(42001))], {}),
    ("another side", [F1], [replace(X1, side="SELL")], {}),
    ("another symbol", [F1], [replace(X1, symbol="ETH/EUR")], {}),
    ("lost beside", [F1], [X1, X2], {"f1": "x1"}),
    (
        "equal trades, in the order of their times",
        [F1, replace(F1, fill_id="f3", time=at(10))],
        [replace(X1, time=at(11)), replace(X1, fill_id="x3", time=at(1))],
        {"f1": "x3", "f3": "x1"},
    ),
    (
        "an equal trade long before",
        [F1],
        [replace(X1, fill_id="x0", time=at(-300)), X1],
        {"f1": "x1"},
    ),
    ("rows of one id", [F1, F1], [X1], {}),
    ("the same ids", [F1, F2], [F1, F2], {}),
    ("one side alone", [F1, F2], [], {}),
]


@pytest.mark.parametrize(
    ("ours", "theirs", "pairs"),
    [row[1:] for row in NOTED],
    ids=[row[0] for row in NOTED],
)
def test_trades_under_other_ids_are_named(
    ours: Sequence[Fill], theirs: Sequence[Fill], pairs: dict[str, str]
) -> None:
    """Each names the other, and the session says how many there are; the verdicts stay."""
    found = reconciled(side(fills=tuple(ours)), side(fills=tuple(theirs)))
    diffs = {diff.key.partition(",")[2]: diff for diff in found.diffs if diff.diff_type == "FILL"}
    differing = {fill.fill_id for fill in ours} ^ {fill.fill_id for fill in theirs}
    assert differing <= diffs.keys()
    named = {
        own: note.partition(" to fill ")[2].partition(" of the ")[0]
        for own, diff in diffs.items()
        for note in diff.notes
        if note.startswith("equal in all but id")
    }
    assert named == {**pairs, **{other: own for own, other in pairs.items()}}
    sums = [note for note in found.notes if "under different ids" in note]
    count = len(pairs)
    said = "1 fill is on both sides" if count == 1 else f"{count} fills are on both sides"
    assert [note.startswith(said) for note in sums] == [True] * bool(count)


def test_a_fee_that_differs_is_said() -> None:
    """What is equal is not more than what was compared."""
    other = replace(X1, fee=Decimal(4))
    diffs = reconciled(side(fills=(F1,)), side(fills=(other,))).diffs
    notes = {diff.key: diff.notes for diff in diffs if diff.diff_type == "FILL"}
    assert notes["BTC/EUR,f1"] == ("equal in all but id and fee to fill x1 of the external side",)
