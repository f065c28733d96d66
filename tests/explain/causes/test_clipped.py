"""A side that states 0 for a negative amount, and a side that states whole lots."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

import pytest

from recon_core.explain import explain
from recon_core.explain.causes.clipped import FAMILY
from recon_core.explain.problem.figures import tick_of
from recon_core.explain.problem.stated_figures import States
from recon_core.model import LedgerSide, OrderSide, Position, SideRecord
from tests.core.builders import fill
from tests.explain.problems import prover_of
from tests.explain.real_sessions import books, session, silent

SHORT = fill("short", "SELL", "8", "41.5", "0.332 EUR")
OTHER = "LTC/EUR"


def clipped(record: SideRecord) -> SideRecord:
    """The side with 0 for its short position."""
    positions = record.positions or ()
    stated = (Position(row.symbol, max(row.quantity, Decimal(0))) for row in positions)
    return replace(record, positions=tuple(stated))


def stated(others: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """The verdict, the side and the kind of each answer where the exchange states 0 for a short.

    `others`: the quantities that both sides hold in other symbols.
    """
    rows = [SHORT, *(fill(symbol, "BUY", quantity, "3", symbol=symbol)
                     for symbol, quantity in others.items())]  # fmt: skip
    ledger = books(*rows)
    known = silent(ledger)
    exchange = books(*rows, positions=known.positions, cash=known.cash)
    found = explain(session(ledger, clipped(exchange)))
    return [(str(one.verdict), str(one.side), str(one.causes[0].cause_kind)) for one in found]


@pytest.mark.parametrize("other", ["5", "3.5", "24", "100.24", "7.9999"])
def test_a_position_as_small_shows_that_nothing_is_rounded_off(other: str) -> None:
    """Lots of at most 5 round off less than 8: the figure of 0 hides a short position."""
    assert stated({OTHER: other}) == [("unique", "external", "clipped_balance")]


@pytest.mark.parametrize("others", [{}, {OTHER: "10"}, {OTHER: "40"}, {OTHER: "150"}])
def test_a_short_position_may_be_less_than_a_lot(others: Mapping[str, str]) -> None:
    """Whole lots of 10, 20 or 50 leave 0 of 8 as well: both are named."""
    assert stated(others) == [
        ("ambiguous", "external", "clipped_balance"),
        ("ambiguous", "external", "rounding"),
    ]


@pytest.mark.parametrize(
    ("prices", "tick"),
    [
        ((), "0"), (("0",), "0"), (("41811.5",), "0.5"), (("100.5", "102"), "0.5"),
        (("100.25", "99.75"), "0.25"), (("99", "101"), "1"), (("100", "200"), "100"),
        (("1.02", "1.04", "1.1"), "0.02"), (("1.02", "1.03"), "0.01"), (("0.30", "0.7"), "0.1"),
    ],
)  # fmt: skip
def test_the_tick_of_prices(prices: tuple[str, ...], tick: str) -> None:
    """The largest that venues have, of which every price is a multiple."""
    assert tick_of(map(Decimal, prices)) == Decimal(tick)


@pytest.mark.parametrize(
    ("mine", "theirs", "expected"),
    [("0", "-8", ["clipped_balance"]), ("0", "8", []), ("3", "-8", []), ("-3", "-8", [])],
)
def test_only_a_negative_amount_is_clipped(mine: str, theirs: str, expected: list[str]) -> None:
    """And only 0 is stated for it."""
    ledger = books(replace(SHORT, side=OrderSide("SELL" if theirs[0] == "-" else "BUY")))
    exchange = replace(silent(ledger), positions=(Position(SHORT.symbol, Decimal(mine)),))
    prover = prover_of(session(ledger, exchange).recorded)
    name = f"position::{SHORT.symbol}"
    inner, outer = prover.recorded.internal, prover.recorded.external
    assert inner is not None
    assert outer is not None
    states = States(
        prover.dimensions, prover.recorded, LedgerSide.EXTERNAL, outer, inner,
        {name: Decimal(mine)}, {name: Decimal(theirs)}, (name,), prover.reconciliation.replays,
    )  # fmt: skip
    assert [str(one.cause_kind) for one in FAMILY.in_states(states)] == expected
