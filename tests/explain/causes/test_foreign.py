"""Positions that are the sum of several accounts: what one account states, and what it holds."""

from collections.abc import Mapping
from decimal import Decimal

import pytest

from recon_core.explain.search.states import state_hypotheses
from recon_core.model import LedgerSide, Position
from recon_core.model.explanation import CauseKind
from tests.core.builders import recorded, side
from tests.explain.problems import prover_of

Held = Mapping[str, str]

SUMS: dict[str, tuple[Held, Held, Held]] = {
    "of two accounts": ({"a": "5"}, {"a": "2", "b": "3"}, {"a": "-3", "b": "3"}),
    "in one of their rows": (
        {"a": "5", "b": "0"}, {"a": "2", "b": "3"}, {"a": "-3", "b": "3"},
    ),
    "of three accounts": (
        {"b": "5"}, {"a": "2", "b": "4", "c": "-1"}, {"a": "2", "b": "-1", "c": "-1"},
    ),
    "in a third account": (
        {"c": "5"}, {"a": "2", "b": "2", "c": "1"}, {"a": "2", "b": "2", "c": "-4"},
    ),
    "beside an empty one": ({"a": "5"}, {"a": "2", "b": "3", "c": "0"}, {"a": "-3", "b": "3"}),
    "another sum": ({"a": "6"}, {"a": "2", "b": "3"}, {}),
    "in two rows": ({"a": "5", "b": "5"}, {"a": "2", "b": "3"}, {}),
    "of one account": ({"a": "5"}, {"b": "5"}, {}),
    "of one account and an empty one": ({"a": "5"}, {"b": "5", "c": "0"}, {}),
    "of nothing": ({"a": "0"}, {"a": "2", "b": "-2"}, {}),
}  # fmt: skip
"""Quantities by account: what a side states, what the other one does, what is to be added."""


def rows(held: Held, symbol: str = "X") -> tuple[Position, ...]:
    """One position a row, each of an account."""
    return tuple(Position(symbol, Decimal(text), account=name) for name, text in held.items())


@pytest.mark.parametrize("name", SUMS)
def test_a_position_of_several_accounts(name: str) -> None:
    """One stated quantity that is the sum of several others; rows of 0 are none."""
    stated, other, added = SUMS[name]
    prover = prover_of(recorded(side(rows(stated)), side(rows(other))))
    found = [
        one.correction
        for one in state_hypotheses(prover.dimensions, prover.recorded, {})
        if one.cause_kind is CauseKind.FOREIGN_ACTIVITY and one.side is LedgerSide.INTERNAL
    ]
    expected = {f"position::X,account={each}": Decimal(text) for each, text in added.items()}
    assert found == ([expected] if added else [])


def test_a_side_that_keeps_accounts_apart_sums_none_up() -> None:
    """A fill of another account moves 1.5 from one to the other, and leaves a sum by chance."""
    stated = (*rows({"a": "0", "b": "3"}), *rows({"a": "-1", "b": "2"}, "Y"))
    other = (*rows({"a": "1.5", "b": "1.5"}), *rows({"a": "-1", "b": "2"}, "Y"))
    prover = prover_of(recorded(side(stated), side(other)))
    found = state_hypotheses(prover.dimensions, prover.recorded, {})
    assert not [one for one in found if one.cause_kind is CauseKind.FOREIGN_ACTIVITY]


def test_the_accounts_are_named_once() -> None:
    """Of several positions, in alphabetical order."""
    stated = (*rows({"b": "5"}), *rows({"b": "3"}, "Y"))
    other = (*rows({"b": "2", "a": "3"}), *rows({"c": "2", "a": "1"}, "Y"))
    prover = prover_of(recorded(side(stated), side(other)))
    (found,) = (
        one.detail
        for one in state_hypotheses(prover.dimensions, prover.recorded, {})
        if one.cause_kind is CauseKind.FOREIGN_ACTIVITY and one.side is LedgerSide.INTERNAL
    )
    assert found == "its positions are the sum of the accounts a, b, c"
