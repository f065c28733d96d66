"""nautilus_trader recordings: exact where nothing is wrong, and each known fault is seen."""

import csv
import hashlib
import io
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from recon_core.engine import Reconciliation, reconcile_session
from recon_core.model import CashBalance, Currency, Position
from recon_core.policy import Policy
from recon_core.sessions import read_session

from .builders import AS_OF_TEXT, checks, document, verdicts, write_session

DATA = Path(__file__).parents[1] / "data" / "nautilus"
VARIANTS: list[dict[str, Any]] = json.loads((DATA / "faults.json").read_text())["variants"]
ALL_MATCH = dict.fromkeys(("as-of", "complete", "coverage", "readable"), "match")

FIGURES = {
    "spot_btcusdt_cash": {
        "cash::BTC": "1.00000000",
        "cash::USDT": "98679.83742698",
        "position::BTCUSDT.BINANCE": "0.000000",
    },
    "spot_btcusdt_quotes_partial": {
        "cash::BTC": "10.75000000",
        "cash::USDT": "469863.64430441",
        "position::BTCUSDT.BINANCE": "0.750000",
    },
    "multi_spot_cash": {
        "cash::ADA": "48500.000000",
        "cash::BTC": "3.13753739",
        "cash::ETH": "21.23456000",
        "cash::USDT": "189055.12023720",
        "position::ADABTC.BINANCE": "-1500",
        "position::BTCUSDT.BINANCE": "0.100000",
        "position::ETHUSDT.BINANCE": "1.23456",
    },
}


def amount(value: Position | CashBalance | None) -> Decimal:
    assert value is not None
    return value.quantity if isinstance(value, Position) else value.total


def copy_of(name: str, directory: Path) -> Path:
    return Path(shutil.copytree(DATA / name, directory / name))


@pytest.mark.parametrize("name", FIGURES)
def test_a_recording_is_clear_to_the_last_digit(name: str) -> None:
    """Replaying the engine's fills gives the engine's own figures exactly."""
    reconciliation = reconcile_session(DATA / name)
    assert verdicts(reconciliation) == dict.fromkeys(FIGURES[name], "match")
    assert checks(reconciliation) == ALL_MATCH
    for comparison in reconciliation.comparisons:
        if comparison.check is None and comparison.identity in FIGURES[name]:
            expected = Decimal(FIGURES[name][comparison.identity])
            assert amount(comparison.internal) == amount(comparison.external) == expected


def test_a_recording_is_named_by_its_meta_file() -> None:
    """Anchor, identity and evidence of a recording of several files."""
    recorded = read_session(DATA / "spot_btcusdt_quotes_partial")
    assert recorded.anchor == DATA / "spot_btcusdt_quotes_partial" / "meta.json"
    assert (recorded.session_id, recorded.strategy_id, recorded.recording_format) == (
        "spot_btcusdt_quotes_partial",
        "EMACross-000",
        "nautilus",
    )
    assert recorded == read_session(recorded.anchor)
    assert {file.name: file.sha256 for file in recorded.inputs} == {
        name: hashlib.sha256((recorded.anchor.parent / name).read_bytes()).hexdigest()
        for name in (
            "meta.json",
            "account_BINANCE.csv",
            "fills.csv",
            "positions.csv",
            "instruments.json",
        )
    }


@pytest.mark.parametrize(("change", "clear"), [(0, True), (None, False), (1, False), (-1, False)])
def test_rounding_per_fill_decides_whether_the_cash_is_exact(
    change: int | None,
    clear: bool,  # noqa: FBT001
) -> None:
    """Three pairs, four currencies: only half-even at the declared precision is exact."""
    recorded = read_session(DATA / "multi_spot_cash")
    currencies = (
        {}
        if change is None
        else {
            code: Currency(code, currency.precision + change)
            for code, currency in recorded.currencies.items()
        }
    )
    found = verdicts(Reconciliation(replace(recorded, currencies=currencies), Policy()))
    assert (set(found.values()) == {"match"}) == clear


def faulty_fills(variant: dict[str, Any]) -> bytes:
    """The fills report with the variant's fault, checked against the recorded file's hash."""
    text = (DATA / variant["base"] / "fills.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(io.StringIO(text)))
    FAULTS[variant["fault"]](rows, variant.get("row", 0))
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    content = file.getvalue().encode()
    assert hashlib.sha256(content).hexdigest() == variant["fills_sha256"]
    return content


def flip_side(rows: list[dict[str, str]], at: int) -> None:
    rows[at]["order_side"] = {"BUY": "SELL", "SELL": "BUY"}[rows[at]["order_side"]]


def drop_all_fees(rows: list[dict[str, str]], _at: int) -> None:
    for row in rows:
        row["commission"] = "0 USDT"


def round_quantities(rows: list[dict[str, str]], _at: int) -> None:
    for row in rows:
        rounded = Decimal(row["last_qty"]).quantize(Decimal("0.0001"))
        if rounded != Decimal(row["last_qty"]):
            row["last_qty"] = str(rounded)


FAULTS: dict[str, Callable[[list[dict[str, str]], int], Any]] = {
    "drop_fill": lambda rows, at: rows.pop(at),
    "duplicate_fill": lambda rows, at: rows.insert(at, dict(rows[at])),
    "drop_fee": lambda rows, at: rows[at].update(commission="0 USDT"),
    "drop_all_fees": drop_all_fees,
    "round_qty_4dp": round_quantities,
    "flip_sign": flip_side,
}


@pytest.mark.parametrize(
    "variant", [one for one in VARIANTS if "fills_sha256" in one], ids=lambda one: one["id"]
)
def test_a_fault_in_the_recording_is_seen(variant: dict[str, Any], tmp_path: Path) -> None:
    """The faulty fills report beside the engine's other reports gives the known verdicts."""
    directory = copy_of(variant["base"], tmp_path)
    (directory / "fills.csv").write_bytes(faulty_fills(variant))
    assert verdicts(reconcile_session(directory)) == variant["expected_verdicts"]


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda one: one["id"])
def test_a_fault_is_seen_in_a_session_file(variant: dict[str, Any], tmp_path: Path) -> None:
    """The same states, written as a native session, give the same verdicts."""
    sides = {
        name: {"as_of": AS_OF_TEXT, **state} for name, state in variant["derived_pair"].items()
    }
    reconciliation = reconcile_session(write_session(tmp_path, document(**sides)))
    assert verdicts(reconciliation) == variant["expected_verdicts"]


def test_a_duplicate_fill_is_booked_twice_and_named(tmp_path: Path) -> None:
    """The diffs that a doubled fill causes say that it stands twice."""
    variant = next(one for one in VARIANTS if one["id"].endswith("_cash/duplicate_fill"))
    directory = copy_of(variant["base"], tmp_path)
    (directory / "fills.csv").write_bytes(faulty_fills(variant))
    note = (
        "internal states fill T-a3c249d4dc295481-18800 of BTCUSDT.BINANCE 2 times; each is booked"
    )
    assert [diff.notes for diff in reconcile_session(directory).diffs] == [(note,)] * 3
