"""The engine for a run by hand, its summary and its report (design, "The runbook")."""

import decimal
import json
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from subprocess import CalledProcessError
from types import SimpleNamespace
from typing import Any

import pytest

import recon_core
from recon_core.engine.evidence import commit_of
from recon_core.engine.ledgers import ReconciliationEngine
from recon_core.ledger import OrderLedger, PositionLedger
from recon_core.model import CashBalance, Leg, Order, OrderSide, OrderState, Position
from recon_core.model.snapshot import ExternalSnapshot
from recon_core.values.errors import ReconError

from .builders import AS_OF, fill, order


def ledgers() -> tuple[PositionLedger, OrderLedger]:
    position_ledger = PositionLedger(initial_cash={"EUR": Decimal("10000.00")})
    position_ledger.apply_fill(fill("f1", "BUY", "0.1", "50000", "5.00 EUR"))
    order = Order(
        symbol="BTC/EUR",
        side=OrderSide.BUY,
        quantity=Decimal("0.1"),
        filled_quantity=Decimal("0.1"),
        state=OrderState.FILLED,
        time=AS_OF,
        client_order_id="o1",
    )
    return position_ledger, OrderLedger([order])


def snapshot(positions: Mapping[str, str], cash: Mapping[str, str]) -> ExternalSnapshot:
    return ExternalSnapshot(
        positions={name: Decimal(text) for name, text in positions.items()},
        cash={name: Decimal(text) for name, text in cash.items()},
        as_of=AS_OF,
    )


def test_the_runbooks_manual_run_works_as_printed() -> None:
    """Engine, reconcile without a snapshot, summary, JSON: nothing differs from a mirror."""
    position_ledger, order_ledger = ledgers()
    recon_engine = recon_core.ReconciliationEngine(position_ledger, order_ledger)
    diffs = recon_engine.reconcile()
    summary = recon_engine.create_summary(
        diffs=diffs,
        session_id="manual_check_01",
        strategy_id="debug",
        top_n=10,
    )
    document = json.loads(summary.to_json())
    assert diffs == []
    assert document["session_id"] == "manual_check_01"
    assert document["mirrored"] is True
    assert "mirrors the internal one" in document["notes"][0]


def test_a_snapshot_is_compared_with_the_ledgers() -> None:
    """A fee that the ledger missed: the position agrees, the cash does not."""
    position_ledger, order_ledger = ledgers()
    engine = ReconciliationEngine(position_ledger, order_ledger)
    external = snapshot({"BTC/EUR": "0.1"}, {"EUR": "4990.00", "BTC": "0.1"})
    diffs = engine.reconcile(external)
    assert [(diff.diff_type, diff.key, str(diff.severity)) for diff in diffs] == [
        ("CASH", "EUR", "FAIL")
    ]
    assert diffs[0].timestamp == AS_OF
    summary = engine.create_summary(diffs, "s")
    assert (summary.mirrored, summary.notes, summary.has_fail) == (False, (), True)
    assert summary.comparisons == 7
    assert ReconciliationEngine().create_summary(diffs, "s").comparisons is None
    assert engine.reconcile(external) == diffs


def test_rows_of_a_snapshot_say_more_than_a_mapping() -> None:
    """Legs and locked cash can be given from Python too; a side's only account is its default."""
    engine = ReconciliationEngine(PositionLedger({"EUR": Decimal(5)}))
    rows = (Position("ETHUSDT", Decimal("-0.1"), account="sub1", leg=Leg.SHORT),)
    cash = (CashBalance("EUR", Decimal(5), Decimal(3), Decimal(2), "sub1"),)
    diffs = engine.reconcile(ExternalSnapshot(rows, cash, AS_OF))
    assert [(diff.identity, diff.internal, diff.external) for diff in diffs] == [
        ("position::ETHUSDT,leg=SHORT", 0, Decimal("-0.1"))
    ]


def test_a_snapshot_without_positions_shows_them_as_balances() -> None:
    """A wallet has no positions: what it holds of an asset is its balance."""
    external = replace(snapshot({}, {"EUR": "4995", "BTC": "0.1"}), positions=None)
    assert ReconciliationEngine(*ledgers()).reconcile(external) == []
    external = replace(snapshot({}, {"EUR": "4995", "BTC": "0.2"}), positions=None)
    diffs = ReconciliationEngine(*ledgers()).reconcile(external)
    assert [diff.identity for diff in diffs] == ["cash::BTC"]


def test_a_snapshot_that_does_not_report_cash_is_no_empty_one() -> None:
    """`None` is not reported, hence a coverage FAIL."""
    external = replace(snapshot({"BTC/EUR": "0.1"}, {}), cash=None)
    diffs = ReconciliationEngine(*ledgers()).reconcile(external)
    assert [(diff.identity, str(diff.severity)) for diff in diffs] == [
        ("session::coverage", "FAIL")
    ]


@pytest.mark.parametrize("refused", [0.1, "0.1", Decimal("NaN"), True, Decimal("1e140")])
def test_a_snapshot_takes_exact_amounts_only(refused: Any) -> None:
    """A float, a text or NaN from Python is refused by the name of what it is for."""
    engine = ReconciliationEngine(*ledgers())
    with pytest.raises(ReconError, match="position BTC/EUR: "):
        engine.reconcile(ExternalSnapshot(positions={"BTC/EUR": refused}))
    with pytest.raises(ReconError, match="cash EUR: "):
        engine.reconcile(ExternalSnapshot(cash={"EUR": refused}))
    with pytest.raises(ReconError, match="ETH/EUR"):
        engine.reconcile(ExternalSnapshot(positions=(Position("ETH/EUR", refused),)))


def test_verdicts_do_not_depend_on_the_decimal_context() -> None:
    """A strategy that computes with one digit gets the same report, byte for byte."""
    external = snapshot({"BTC/EUR": "0.0995"}, {"EUR": "4994.123456789", "BTC": "0.1"})

    def report() -> str:
        engine = ReconciliationEngine(*ledgers())
        diffs = engine.reconcile(external)
        return json.dumps([diff.to_dict() for diff in diffs])

    expected = report()
    hostile = decimal.Context(prec=1, rounding=decimal.ROUND_UP, traps=[decimal.Inexact])
    with decimal.localcontext(hostile):
        assert report() == expected


def test_the_report_holds_every_comparison(tmp_path: Path) -> None:
    """`export_reconciliation_report` gives plain data and writes the same to a file."""
    engine = ReconciliationEngine(*ledgers())
    engine.reconcile(snapshot({"BTC/EUR": "0.1"}, {"EUR": "4995.00"}))
    path = tmp_path / "report.json"
    path.write_text("an older report")
    report: Any = engine.export_reconciliation_report(path)
    assert {f"{row['kind']}::{row['key']}": row["verdict"] for row in report["comparisons"]} == {
        "cash::EUR": "match",
        "position::BTC/EUR": "match",
        "session::as-of": "match",
        "session::complete": "match",
        "session::coverage": "match",
        "session::readable": "match",
    }
    assert json.loads(path.read_text(encoding="utf-8")) == json.loads(json.dumps(report))
    assert [file.name for file in tmp_path.iterdir()] == ["report.json"]


@pytest.mark.parametrize(
    ("said", "commit"),
    [
        (b"0a1b2c\n", "0a1b2c"),
        (b"\n", None),
        (CalledProcessError(1, "git"), None),
        (OSError("git"), None),
    ],
)
def test_the_commit_is_what_git_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: bytes | Exception, commit: str | None
) -> None:
    """None where git fails, or says nothing."""

    def run(_command: object, **_: object) -> SimpleNamespace:
        if isinstance(said, Exception):
            raise said
        return SimpleNamespace(stdout=said)

    monkeypatch.setattr(shutil, "which", lambda _: "git")
    monkeypatch.setattr(subprocess, "run", run)
    assert commit_of(tmp_path) == commit


def test_open_orders_can_still_be_filled() -> None:
    """In the order in which they were first seen, each in its latest state."""
    states = {"o1": "FILLED", "o2": "ACKNOWLEDGED", "o3": "PARTIALLY_FILLED", "o4": "CANCELLED"}
    ledger = OrderLedger(order(name, "10", "1", state) for name, state in states.items())
    assert [one.client_order_id for one in ledger.open_orders] == ["o2", "o3"]
    ledger.apply_order(order("o2", "10", "10"))
    assert [one.client_order_id for one in ledger.open_orders] == ["o3"]


def test_a_report_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    """A path that cannot be written is an error, and leaves nothing behind."""
    engine = ReconciliationEngine(*ledgers())
    with pytest.raises(ReconError, match="nothing was reconciled yet"):
        engine.export_reconciliation_report()
    engine.reconcile()
    (tmp_path / "taken").mkdir()
    for path in (tmp_path / "taken", tmp_path / "nowhere" / "report.json"):
        with pytest.raises(ReconError, match=r"cannot be written: "):
            engine.export_reconciliation_report(path)
    assert [entry.name for entry in tmp_path.rglob("*")] == ["taken"]


def test_orders_and_fills_of_a_snapshot_are_compared() -> None:
    """With those of the ledgers; a ledger without any has none, instead of saying nothing."""
    engine = ReconciliationEngine(PositionLedger(Decimal(1000)))
    bought = fill("f1", "BUY", "1", "100", client_order_id="o1")
    stated = {
        "positions": {"BTC/EUR": Decimal(1)},
        "cash": {"EUR": Decimal(900), "BTC": Decimal(1)},
    }
    rows = {"fills": (bought,), "orders": (order("o1", "1", "1"),)}
    missed = engine.reconcile(ExternalSnapshot(**stated, **rows))
    assert {
        diff.diff_details["cases"] for diff in missed if diff.diff_type in ("FILL", "ORDER")
    } == {
        "fill_missing",
        "order_missing, order_fills",
    }
    engine.position_ledger.apply_fill(replace(bought))
    engine.order_ledger.apply_order(order("o1", "1", "1"))
    assert engine.reconcile(ExternalSnapshot(**stated, **rows)) == []
    assert engine.reconcile(ExternalSnapshot(**stated)) == []
