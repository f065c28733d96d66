"""Tests of a simulator: the ledger that books its fills must agree with its state."""

from decimal import Decimal

import pytest
from simulator import Simulator

from pytest_recon import ReconDriftWarning, assert_reconciles
from recon_core import ExternalSnapshot, OrderSide, PositionLedger, ReconciliationEngine

CASH = {"EUR": Decimal("10000.00")}


@pytest.fixture
def simulator() -> Simulator:
    """Return a simulator that charges 0.1 %."""
    return Simulator(CASH, fee_rate=Decimal("0.001"))


def trade(simulator: Simulator, ledger: PositionLedger) -> None:
    """Buy, sell a part, and let the ledger book what the simulator reports."""
    orders = [
        (OrderSide.BUY, Decimal("0.10"), Decimal("42000.00")),
        (OrderSide.SELL, Decimal("0.04"), Decimal("42500.00")),
    ]
    for side, quantity, price in orders:
        ledger.apply_fill(simulator.market_order("BTC/EUR", side, quantity, price))


def test_ledger_and_simulator_agree(simulator: Simulator) -> None:
    ledger = PositionLedger(initial_cash=CASH)
    trade(simulator, ledger)
    assert_reconciles(ledger, {"positions": simulator.positions, "cash": simulator.cash})


def test_a_fee_that_the_simulator_forgets_is_found(simulator: Simulator) -> None:
    ledger = PositionLedger(initial_cash=CASH)
    trade(simulator, ledger)
    simulator.cash["EUR"] += Decimal("4.20")
    with pytest.raises(AssertionError, match=r"cash EUR: FAIL.*delta -4\.20"):
        assert_reconciles(ledger, {"positions": simulator.positions, "cash": simulator.cash})


def test_a_small_drift_warns(simulator: Simulator) -> None:
    ledger = PositionLedger(initial_cash=CASH)
    trade(simulator, ledger)
    simulator.positions["BTC/EUR"] = Decimal("0.0597")
    with pytest.warns(ReconDriftWarning, match=r"position BTC/EUR: WARN"):
        assert_reconciles(ledger, {"positions": simulator.positions, "cash": simulator.cash})


def test_the_engine_lists_the_diffs(
    simulator: Simulator, recon_engine: ReconciliationEngine
) -> None:
    recon_engine.position_ledger = PositionLedger(initial_cash=CASH)
    trade(simulator, recon_engine.position_ledger)
    snapshot = ExternalSnapshot(positions=simulator.positions, cash={"EUR": Decimal("7500.00")})

    diffs = recon_engine.reconcile(snapshot)

    assert [(diff.diff_type, diff.key, str(diff.severity)) for diff in diffs] == [
        ("CASH", "EUR", "FAIL"),  # BTC is compared as the position that both list
    ]
    summary = recon_engine.create_summary(diffs, session_id="simulator", strategy_id="example")
    assert summary.max_severity == "FAIL"
    assert summary.escalation[0] == "stop trading"
