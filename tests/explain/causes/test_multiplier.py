"""A contract that a side counts with another multiplier than it is declared with."""

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

import pytest

from recon_core.explain.causes.multiplier import FAMILY
from recon_core.explain.problem.dimensions import minus
from recon_core.explain.problem.stated_figures import States, multipliers_of
from recon_core.model import Fill, LedgerSide, Movement
from tests.core.builders import at, fill, recorded, side
from tests.explain.problems import prover_of
from tests.explain.real_sessions import books, linear, moved

PERP, OTHER = linear("PERP", "EUR", "5"), linear("OTHER", "EUR", "5")


def closed(symbol: str, bought: str, sold: str, number: int = 0) -> list[Fill]:
    """A contract that was bought and sold again, one each."""
    return [
        fill(f"f{number}{side_}", side_, "1", price, time=at(at_ - 900), symbol=symbol)
        for at_, (side_, price) in enumerate((("BUY", bought), ("SELL", sold)))
    ]


def of_states(
    rows: list[Fill | Movement], stated: Mapping[str, str], *, of_exchange: bool = False
) -> States:
    """The cash that a side states, beside a ledger with these rows, or an exchange with them."""
    opening = {"EUR": "1000", "BNB": "7"}
    owner, silent = books(*rows, opening=opening), side({}, {"BNB": "7", **stated})
    sides = (silent, owner) if of_exchange else (owner, silent)
    known = {one.symbol: one for one in (PERP, OTHER)}
    prover = prover_of(recorded(*sides, instruments=known))
    inner, outer = prover.recorded.internal, prover.recorded.external
    assert inner is not None
    assert outer is not None
    mine, theirs = map(prover.dimensions.stated, (inner, outer))
    differing = tuple(sorted(prover.dimensions.real(minus(mine, theirs))))
    return States(prover.dimensions, prover.recorded, LedgerSide.INTERNAL, inner, outer,
                  mine, theirs, differing, prover.reconciliation.replays)  # fmt: skip


ROWS: list[Fill | Movement] = [*closed("PERP", "100", "110")]
BOTH: list[Fill | Movement] = [*ROWS, *closed("OTHER", "100", "103", 1)]
COUNTED: dict[str, tuple[list[Fill | Movement], Mapping[str, str], list[str]]] = {
    "ten times": (ROWS, {"EUR": "1500"}, ["it is 50"]),
    "a fifth: not at all": (ROWS, {"EUR": "1010"}, ["it is 1"]),
    "five times: twice": (ROWS, {"EUR": "1250"}, ["it is 25"]),
    "seven times": (ROWS, {"EUR": "1350"}, []),
    "nearly ten times": (ROWS, {"EUR": "1501"}, []),
    "with another balance": (ROWS, {"EUR": "1500", "BNB": "8"}, []),
    "another balance alone": (ROWS, {"EUR": "1050", "BNB": "8"}, []),
    "equal": (ROWS, {"EUR": "1050"}, []),
    "one of two contracts": (BOTH, {"EUR": "1515"}, ["it is 50"]),
    "the other of two contracts": (BOTH, {"EUR": "1200"}, ["it is 50"]),
    "beside a deposit": (
        [*ROWS, moved("m", "deposit", "40 EUR", -500)], {"EUR": "1540"}, ["it is 50"],
    ),
    "nothing was earned": ([*closed("PERP", "100", "100")], {"EUR": "1500"}, []),
}  # fmt: skip
"""Rows of a ledger that began with 1000 EUR, the exchange's cash, and the right multiplier."""


@pytest.mark.parametrize("name", COUNTED)
def test_the_multiplier_that_accounts_for_the_cash(name: str) -> None:
    """A power of ten of the declared one, or the declared one twice or not at all."""
    rows, stated, expected = COUNTED[name]
    assert [one.detail for one in FAMILY.in_states(of_states(rows, stated))] == expected


def test_no_rows_show_a_multiplier_without_an_opening() -> None:
    """Or where a position differs as well, or nobody lists a fill."""
    states = of_states(ROWS, {"EUR": "1500"})
    assert list(FAMILY.in_states(states))
    assert not list(FAMILY.in_states(of_states([], {"EUR": "1500"})))
    held = of_states(ROWS[:1], {"EUR": "1500"})
    assert any(name.startswith("position::") for name in held.differing)
    assert not list(FAMILY.in_states(held))


def test_the_multipliers_of_positions() -> None:
    """And their inverse, of each position that differs; cash has none."""
    states = of_states(ROWS[:1], {"EUR": "1500", "PERP": "3"})
    assert {*multipliers_of(states)} == {"position::PERP"}
    (factors,) = multipliers_of(states).values()
    assert [str(one) for one in factors] == ["5", "1/5"]
    spaced = linear("KO 260220C", "EUR", "100")
    instruments = {spaced.symbol: spaced}
    named = replace(
        states,
        recorded=replace(states.recorded, instruments=instruments),
        differing=("position::KO%20260220C", "cash::EUR"),
    )
    assert multipliers_of(named) == {"position::KO%20260220C": (100, Fraction(1, 100))}
