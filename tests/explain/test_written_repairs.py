"""Repairs that can be written and applied, and those that are not proposed, with the reason."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from recon_core.engine.reconciliation import Reconciliation
from recon_core.explain import apply_entries, entries_of, explain
from recon_core.explain.problem.precision import StatedDecimals
from recon_core.explain.repair.repair_file import read_repair, write_repair
from recon_core.model import (
    CashBalance,
    Currency,
    Instrument,
    InstrumentKind,
    Leg,
    Opening,
    Position,
)
from recon_core.model.explanation import ExplanationVerdict
from recon_core.policy.model import Policy
from recon_core.values.errors import ReconError
from tests.core.builders import at, fill, reconciled, recorded, side

PERP = Instrument("ETH-PERP", InstrumentKind.LINEAR, "ETH", "USDT", "USDT")
HELD = Position("ETH-PERP", Decimal(5), average_price=Decimal("2650.5"))
CASH = (CashBalance("USDT", Decimal(1000)),)
SOLD = fill("f1", "SELL", "5", "2700", "2.7 USDT", symbol="ETH-PERP", time=at(-600))


def test_an_opening_position_is_put_back_with_its_price(tmp_path: Path) -> None:
    """Without a price the fill that closes it could not be booked."""
    truth = side(opening=Opening(at(-7200), (HELD,), CASH), fills=(SOLD,))
    ledger = replace(truth, opening=Opening(at(-7200), (), CASH), fills=(replace(SOLD),))
    before = reconciled(ledger, truth, instruments={PERP.symbol: PERP})
    (one,) = explain(before)
    assert one.verdict is ExplanationVerdict.UNIQUE
    assert [str(cause.cause_kind) for cause in one.causes] == ["opening_balance"]
    (entry,) = entries_of(before, one)
    assert entry.row["average_price"] == "2650.5"
    path = tmp_path / "repair.json"
    write_repair(path, [entry])
    repaired = apply_entries(before.recorded, read_repair(path))
    assert repaired.internal is not None
    assert repaired.internal.opening == truth.opening
    assert Reconciliation(repaired, Policy()).diffs == []
    assert apply_entries(repaired, [entry]) == repaired


def test_a_repair_that_cannot_be_booked_is_not_proposed() -> None:
    """A ledger that nets its legs has no row that states a leg: the text says so."""
    legs = tuple(
        Position("ETH-PERP", Decimal(quantity), average_price=Decimal(2700), leg=leg)
        for quantity, leg in ((3, Leg.LONG), (-1, Leg.SHORT))
    )
    net = Position("ETH-PERP", Decimal(2), average_price=Decimal(2700))
    ledger = side(opening=Opening(at(-7200), (net,), CASH), fills=())
    before = reconciled(ledger, side(legs, CASH), instruments={PERP.symbol: PERP})
    (one,) = explain(before)
    assert one.verdict is ExplanationVerdict.UNIQUE
    assert [str(cause.cause_kind) for cause in one.causes] == ["netted_legs"]
    assert not one.repair
    assert "no entry is proposed: no booking repairs it" in one.text
    with pytest.raises(ReconError, match="no booking repairs it"):
        entries_of(before, one)


@pytest.mark.parametrize(
    ("amount", "declared", "stated", "expected"),
    [
        ("0.00000289", 8, "0.00000578", False),
        ("0.000001445", 8, "0.00000289", True),
        ("0.000001445", 8, "0.000000001", False),
        ("0.000001445", None, "0.00000289", True),
        ("0.000001445", None, None, False),
        ("0.0000014450", 9, "0.00000289", False),
        ("12", 0, "1", False),
    ],
)
def test_an_amount_finer_than_its_currency(
    amount: str, declared: int | None, stated: str | None, *, expected: bool
) -> None:
    """The declared decimals, or as many as an amount of either side has."""
    currencies = {} if declared is None else {"BTC": Currency("BTC", declared)}
    rows = () if stated is None else (fill("f1", "BUY", "1", "100", f"{stated} BTC"),)
    known = recorded(side(fills=rows), side(), currencies=currencies)
    assert StatedDecimals(known).is_too_fine(Decimal(amount), "BTC") is expected


def test_half_a_fee_that_is_too_fine_is_no_proof() -> None:
    """Cash of 0.000001445 BTC, and a fee of twice that: BTC has 8 decimals."""
    rows = tuple(
        fill(f"f{number}", "BUY", "0.02", "40000", f"{fee} BTC", time=at(60 * number - 3600))
        for number, fee in enumerate(("0.00002000", "0.00000289", "0.00002000"))
    )
    opening = Opening(at(-7200), (), (CashBalance("EUR", Decimal(9000)),))
    ledger = side(opening=opening, fills=rows)
    spot = Instrument("BTC/EUR", InstrumentKind.SPOT, "BTC", "EUR", "EUR")
    stated = side({"BTC/EUR": "0.059958555"}, {"EUR": "6600", "BTC": "0.059958555"})
    currencies = {"BTC": Currency("BTC", 8), "EUR": Currency("EUR", 2)}
    found = explain(reconciled(ledger, stated, instruments={"BTC/EUR": spot},
                               currencies=currencies))  # fmt: skip
    assert all(one.verdict is not ExplanationVerdict.UNIQUE for one in found)
    assert not any(one.repair for one in found)
