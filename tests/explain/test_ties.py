"""Trades worth half a unit: a balance that is some units off hides no fault and makes none."""

from dataclasses import replace
from decimal import Decimal
from math import isqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recon_core.engine.reconciliation import Reconciliation
from recon_core.explain import entries_of, explain
from recon_core.explain.problem.problem import FaultIn
from recon_core.explain.problem.ties import tied_amounts
from recon_core.model import CashBalance, Currency, Fill, Instrument, InstrumentKind, Opening
from recon_core.model.explanation import ExplanationVerdict
from recon_core.values.amounts import round_to_places
from recon_core.values.errors import ReconError
from tests.core.builders import at, fill, reconciled, side
from tests.explain.charges import changed, kinds
from tests.explain.problems import problems_of, prover_of

SPOT = Instrument("ETH/BTC", InstrumentKind.SPOT, "ETH", "BTC", "BTC")
CURRENCIES = {"BTC": Currency("BTC", 8), "ETH": Currency("ETH", 4)}
UNIT = Decimal("1e-8")
TIE, PLAIN = ("0.1445", "0.03509"), ("0.1446", "0.03509")
"""Quantity and price of a BUY worth 0.005070505 BTC, between two amounts, and of another."""


def rows_of(count: int, ties: int) -> list[Fill]:
    """Fills of which the first so many are ties, each with a fee of 0.1 %."""
    found = []
    for number in range(count):
        quantity, price = TIE if number < ties else PLAIN
        quantity = f"{Decimal(quantity) * (1 + 2 * (number % 3))}"
        fee = round_to_places(Decimal("0.001") * Decimal(quantity) * Decimal(price), 8)
        found.append(
            fill(f"f{number}", "BUY", quantity, price, f"{fee} BTC", time=at(60 * number - 7200),
                 symbol=SPOT.symbol, client_order_id=f"o{number}")
        )  # fmt: skip
    return found


def session(right: list[Fill], wrong: list[Fill], units: int) -> Reconciliation:
    """A ledger of wrong rows, and an exchange whose BTC is some units off the right ones."""
    opening = Opening(at(-9000), (), (CashBalance("BTC", Decimal(9)),))
    paid = [round_to_places(row.quantity * row.price, 8) + row.fee for row in right]
    held = sum(row.quantity for row in right)
    cash = 9 - sum(paid) + units * UNIT
    exchange = side({SPOT.symbol: f"{held}"}, {"BTC": f"{cash}", "ETH": f"{held}"})
    ledger = side(None, None, opening=opening, fills=tuple(wrong))
    return reconciled(ledger, exchange, instruments={SPOT.symbol: SPOT}, currencies=CURRENCIES)


@given(st.integers(0, 30), st.integers(0, 30))
def test_ties_leave_a_unit_each_and_less_of_many(ties: int, others: int) -> None:
    """Errors to both sides cancel: of many ties no more than four standard deviations are left."""
    right = rows_of(ties + others, ties)
    if not right:
        return
    prover = prover_of(session(right, right[1:], 0).recorded)
    for problem in problems_of(prover):
        count = ties - 1 if ties and problem.fault_in is FaultIn.ROWS else ties and ties - 1
        units = min(count, 2 + 2 * isqrt(count))
        assert tied_amounts(problem).get("cash::BTC", 0) == units * UNIT


def test_ties_of_a_balance_that_agrees_leave_nothing() -> None:
    """Only a balance with a required effect is undecided."""
    right = rows_of(9, 9)
    (problem, *_) = problems_of(prover_of(session(right, right[1:], 0).recorded))
    assert tied_amounts(problem)
    held = {name: amount for name, amount in problem.required.items() if name != "cash::BTC"}
    assert not tied_amounts(replace(problem, required=held))


@pytest.mark.parametrize(("ties", "units"), [(9, 1), (9, -1), (9, 2), (1, 1), (0, 1), (2, 9)])
def test_a_wrong_fee_is_named_beside_a_tie(ties: int, units: int) -> None:
    """What remains is within the ties, and is said; beyond them nothing is named."""
    right = rows_of(12, ties)
    wrong = changed(right, 7, fee=right[7].fee * 4)
    reconciliation = session(right, wrong, units)
    (one,) = explain(reconciliation)
    if abs(units) > ties:
        assert one.verdict is not ExplanationVerdict.PARTIAL
        assert one.verdict is not ExplanationVerdict.UNIQUE
        return
    assert kinds([one]) == [("partial", ["wrong_fee"])], one.text
    assert one.causes[0].ids == ("f7",)
    assert f"BTC {-units * UNIT:+f} remains" in one.text, one.text
    assert "half a unit" in one.decides
    with pytest.raises(ReconError):
        entries_of(reconciliation, one)


@given(st.integers(1, 12))
def test_products_of_floats_leave_no_tie(ties: int) -> None:
    """An instrument that says that its source multiplies floats is replayed in the same way."""
    right = rows_of(12, ties)
    for is_float in (False, True):
        given_ = session(right, right[1:], 0)
        spot = replace(SPOT, float_notional=is_float)
        recorded = replace(given_.recorded, instruments={SPOT.symbol: spot})
        problems = problems_of(prover_of(recorded))
        assert any(map(tied_amounts, problems)) is (ties > 1 and not is_float)
