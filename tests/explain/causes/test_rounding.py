"""Rounded figures: of fills, of pairs of rows, and of what a side states."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

import pytest

from recon_core.explain.causes.rounding import (
    FAMILY,
    _doubt,
    _effect,
    _is_witnessed,
    _quantities_of_pairs,
    rounded_figure,
)
from recon_core.explain.problem.fill_group import FillGroup
from recon_core.explain.problem.hypotheses import Strength
from recon_core.explain.problem.pairs import PairRow
from recon_core.explain.problem.stated_figures import StateHypothesis, States
from recon_core.model import Fill, Instrument, InstrumentKind, LedgerSide, Movement
from recon_core.model.explanation import CauseKind
from recon_core.values.amounts import decimal_places
from tests.core.builders import SPOT, at, fill, recorded, side
from tests.explain.problems import problem_requiring, prover_of
from tests.explain.real_sessions import books, linear, moved

PERP = linear("PERP", "EUR")
COIN = Instrument("COIN", InstrumentKind.INVERSE, "BTC", "USD", "BTC", Decimal(100))
EFFECTS: dict[str, tuple[str, str, Mapping[str, str] | None]] = {
    "bought": ("BTC/EUR", "BUY 1.26", {"position": "0.04", "EUR": "-4", "BTC": "0.04"}),
    "sold": ("BTC/EUR", "SELL 1.26", {"position": "-0.04", "EUR": "4", "BTC": "-0.04"}),
    "cut off": ("BTC/EUR", "BUY 1.24", {"position": "-0.04", "EUR": "4", "BTC": "-0.04"}),
    "as it is": ("BTC/EUR", "BUY 1.3", {}),
    "a contract": ("PERP", "BUY 1.26", {"position": "0.04", "EUR": "-4"}),
    "an inverse contract": ("COIN", "BUY 1.26", None),
    "an inverse contract as it is": ("COIN", "BUY 1.3", {}),
    "an unknown contract": ("X", "BUY 1.26", None),
}
"""Symbol, side and quantity of a fill at 100, and what rounding it to one decimal moves."""


def _row(symbol: str, traded: str) -> Fill:
    order_side, quantity = traded.split()
    return replace(fill("f", order_side, quantity, "100", time=at(-900)), symbol=symbol)


@pytest.mark.parametrize("name", EFFECTS)
def test_the_effect_of_rounded_quantities(name: str) -> None:
    """The rounded trade less the trade; none is known of contracts without an exact value."""
    symbol, traded, expected = EFFECTS[name]
    problem = problem_requiring([_row("BTC/EUR", "BUY 1")], {"EUR": "1"}, PERP, COIN)
    found = _effect(problem, [_row(symbol, traded)], 1)
    if found is None or expected is None:
        assert found is expected
        return
    short = {each.removeprefix("cash::").partition("::")[0]: one for each, one in found.items()}
    assert short == {each: Decimal(text) for each, text in expected.items()}


@pytest.mark.parametrize(("required", "places"), [("0.04", [1]), ("-0.26", [0]), ("0.05", [])])
def test_rounded_quantities_of_an_inverse_contract(required: str, places: Sequence[int]) -> None:
    """Their cash has no exact value: where the position fits, only the proof decides."""
    rows = [_row("COIN", "BUY 1.26")]
    problem = problem_requiring(rows, {"COIN": required, "BTC": "1"}, COIN, rows_right=True)
    found = [one.detail for one in FAMILY.of_all(FillGroup(problem, rows))]
    assert found == [f"quantities to {each} decimals" for each in places]


@pytest.mark.parametrize(
    ("posted", "right", "places"),
    [
        ("1.3 2.1 3.2", "1.26 2.14 3.16", [0, 1, 2]), ("1.3 2.1 3.2", "1.26 2.14 0", [0, 1]),
        ("1.3 2.1 3.2", "1.9 2.9 3.9", []), ("1.3 2.1 3.2", "1.26 2.1 3.2", []),
    ],
)  # fmt: skip
def test_rounded_quantities_of_pairs(posted: str, right: str, places: Sequence[int]) -> None:
    """Most of those that are wrong, of rows that have a quantity."""
    rows = [fill(f"f{at_}", "BUY", one, "100") for at_, one in enumerate(posted.split())]
    pairs = [PairRow(row, row, replace(row, quantity=Decimal(true)))
             for row, true in zip(rows, right.split(), strict=True)]  # fmt: skip
    found = _quantities_of_pairs(pairs, rows)
    assert (found is None) is (not places)
    if found is not None:
        assert [rows.index(one.given) for one in found.rows] == places


@pytest.mark.parametrize(
    ("fee", "right_fee", "expected"),
    [("0.1", "0.1", True), ("0.1", "0.123", True), ("0.1", "0.12", False), ("0.1", "0.2", False)],
)
def test_a_rounded_price_and_its_fee(fee: str, right_fee: str, *, expected: bool) -> None:
    """A fee that differs is rounded too: one that follows the price shows a trade at it."""
    wrong = fill("f", "BUY", "1", "100.1", f"{fee} EUR")
    right = fill("f", "BUY", "1", "100.123", f"{right_fee} EUR")
    assert (rounded_figure("price", wrong, right) is not None) is expected


def _bought(*quantities: str) -> list[Fill]:
    return [fill(f"f{at_}", "BUY", one, "100", time=at(at_ - 900))
            for at_, one in enumerate(quantities)]  # fmt: skip


PAID = (moved("m1", "interest", "5.1234 EUR", -500),)
BARE = side({}, {"EUR": "1"})


def _states(
    mine: str, right: str, rows: Sequence[Fill] = (), movements: tuple[Movement, ...] = ()
) -> States:
    """A side that states a position and these movements, and one with the rows of its position."""
    wrong = side({SPOT.symbol: mine}, {"EUR": "1"}, movements=movements or None)
    stated = side({SPOT.symbol: right}, {"EUR": "1"})
    other = books(*rows, positions=stated.positions, cash=stated.cash) if rows else stated
    prover = prover_of(recorded(wrong, other, instruments={SPOT.symbol: SPOT}))
    name = f"position::{SPOT.symbol}"
    return States(
        prover.dimensions, prover.recorded, LedgerSide.INTERNAL, wrong, other,
        {name: Decimal(mine)}, {name: Decimal(right)}, (name,), prover.reconciliation.replays,
    )  # fmt: skip


EXACT_ROWS = _bought("1.1234", "2.1234", "3.1234")
WITNESSED: dict[str, tuple[str, str, Sequence[Fill], tuple[Movement, ...], bool]] = {
    "six digits without rows": ("1234.56", "1234.56123", (), (), True),
    "five digits without rows": ("123.45", "123.45123", (), (), False),
    "two digits lost without rows": ("1234.56", "1234.5612", (), (), False),
    "six digits, and movements": ("1234.56", "1234.56123", (), PAID, False),
    "of rows with these digits": ("6.4", "6.3702", EXACT_ROWS, (), True),
    "of rows with these digits, and movements": ("6.4", "6.3702", EXACT_ROWS, PAID, True),
    "of a single row with them": ("6.1", "6.1234", _bought("6.1234"), (), False),
    "of rows that give another figure": ("7.4", "7.3702", EXACT_ROWS, (), False),
    "of rows with as many digits as are shown": (
        "3.37", "3.37021", _bought("1.12", "1.13", "1.12021"), (), False,
    ),
}  # fmt: skip
"""A rounded position beside the exact one, the rows of this, the movements of the other side, and
true if something shows that it is rounded."""


@pytest.mark.parametrize("name", WITNESSED)
def test_a_single_rounded_figure_has_a_witness(name: str) -> None:
    """Enough digits of its own, or several rows that have the lost digits and give the figure."""
    mine, right, rows, movements, expected = WITNESSED[name]
    states = _states(mine, right, rows, movements)
    assert _is_witnessed(states, decimal_places(Decimal(mine))) is expected


DOUBTS: dict[str, tuple[str, str, bool, str]] = {
    "three digits": ("A=3.14", "", False, ""),
    "two digits": ("A=3.1", "", False, "A"),
    "two digits beside cash": ("A=3.1", "EUR=7", False, ""),
    "a digit beside cash": ("A=3", "EUR=7", False, "A"),
    "a digit, and a digit of cash": ("A=3", "EUR=4", True, "EUR, A"),
    "two digits, and a digit of cash": ("A=3.1", "EUR=4", True, ""),
    "nothing": ("A=0", "", False, "A"),
    "two digits of four": ("A=1 B=0 C=0 D=1", "", False, "A, B, C"),
}  # fmt: skip
"""Rounded positions, the cash of both sides, true if it is rounded too, and what is doubted."""


@pytest.mark.parametrize("name", DOUBTS)
@pytest.mark.parametrize("strengths", ["EXACT", "EXACT CHANCE", "CHANCE"])
def test_few_digits_are_in_doubt(name: str, strengths: str) -> None:
    """Three together, two of positions where cash agrees; all if any has no witness."""
    held, paid, is_cash_rounded, doubted = DOUBTS[name]
    positions = dict(one.split("=") for one in held.split())
    cash = dict(one.split("=") for one in paid.split())
    outer = side({each: f"{text}01" for each, text in positions.items()}, cash or None)
    prover = prover_of(recorded(side(positions, cash or None), outer))
    names = [*map("position::{}".format, positions), *["cash::EUR"] * is_cash_rounded]
    correction = dict.fromkeys(names, Decimal("0.01"))
    chosen = [
        StateHypothesis(CauseKind.ROUNDING, LedgerSide.INTERNAL, correction, "",
                        strength=Strength[strength])
        for strength in strengths.split()
    ]  # fmt: skip
    found = _doubt(prover.dimensions, prover.recorded, chosen)
    if "CHANCE" in strengths:
        assert found.startswith("the digits that ")
    elif doubted:
        assert found == f"the digits that {doubted} of the internal side lacks"
    else:
        assert not found
    others = [replace(one, cause_kind=CauseKind.UNIT) for one in chosen]
    assert not _doubt(prover.dimensions, prover.recorded, others)
