"""The faults that were put into recordings of real engines: each is found, with its rows.

The exceptions stand in `NOT_TOLD`, with the reason why the data do not tell them.
"""

import csv
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from recon_core.engine.reconciliation import Reconciliation, reconcile_session
from recon_core.explain import explain
from recon_core.model import CashBalance, LedgerSide, Position
from recon_core.model.explanation import Explanation, ExplanationVerdict
from recon_core.policy.model import Policy
from recon_core.sessions import read_session
from tests.core import test_freqtrade, test_nautilus

BOUGHT_TWICE = "dry_run_buy_ADA/USDT_6f035015-9e18-4cc2-ae66-08b4752c953a"
KINDS = {
    "drop_fill": "missing_fill",
    "duplicate_fill": "duplicate_fill",
    "drop_fee": "missing_fee",
    "drop_all_fees": "missing_fee",
    "flip_sign": "side_flipped",
    "round_qty_4dp": "rounding",
}
NOT_TOLD = {
    "nautilus_trader__spot_btcusdt_quotes_partial/round_qty_4dp": (
        "orders of several fills: the report tells what an order filled, not each fill of it"
    ),
    "freqtrade__dry_spot_dca/round_qty_2dp": (
        "quantities below half a cent became 0: the fills are gone and their orders with them"
    ),
}
ROWS = [one for one in test_nautilus.VARIANTS if "fills_sha256" in one]
CONTROLS = [one for one in test_nautilus.VARIANTS if one["fault"] == "control"]


def answer(reconciliation: Reconciliation) -> Explanation:
    """The one explanation of a session."""
    (explanation,) = explain(reconciliation)
    return explanation


def fill_of(variant: Mapping[str, Any]) -> dict[str, str]:
    """The row of the recording that the fault was put into."""
    path = test_nautilus.DATA / variant["base"] / "fills.csv"
    with path.open(newline="") as lines:
        rows: list[dict[str, str]] = list(csv.DictReader(lines))
    number: int = variant["row"]
    return rows[number]


@pytest.mark.parametrize("variant", ROWS, ids=lambda one: one["id"])
def test_a_fault_of_the_rows_is_found(variant: dict[str, Any], tmp_path: Path) -> None:
    """Kind, side and ids as they were injected, proven, and everything is accounted for."""
    directory = test_nautilus.copy_of(variant["base"], tmp_path)
    (directory / "fills.csv").write_bytes(test_nautilus.faulty_fills(variant))
    reconciliation = reconcile_session(directory)
    found = answer(reconciliation)
    if variant["id"] in NOT_TOLD:
        assert found.verdict is not ExplanationVerdict.UNIQUE
        return
    assert found.verdict is ExplanationVerdict.UNIQUE, found.text
    (cause,) = found.causes
    assert (cause.cause_kind, cause.side) == (KINDS[variant["fault"]], LedgerSide.INTERNAL)
    assert set(found.explains) == {diff.identity for diff in reconciliation.diffs}
    if "row" in variant:
        told = fill_of(variant)
        if variant["fault"] == "drop_fill":  # it has no id any more: its order lacks it
            assert told["client_order_id"] in cause.text
            assert f"{told['order_side']} {told['last_qty']}" in cause.text
        else:
            assert told["trade_id"] in cause.ids
    else:
        assert len(cause.ids) >= 200 or variant["base"] != "spot_btcusdt_cash"


@pytest.mark.parametrize(
    "variant",
    [one for one in test_nautilus.VARIANTS if one["fault"] == "stale_snapshot"],
    ids=lambda one: one["id"],
)
def test_a_stale_snapshot_is_found(variant: dict[str, Any]) -> None:
    """The exchange's state is of an earlier time: the fills from then on are not in it."""
    recorded = read_session(test_nautilus.DATA / variant["base"] / "meta.json")
    assert recorded.internal is not None
    assert recorded.external is not None
    fills = recorded.internal.fills or ()
    earlier = variant["derived_pair"]["external"]
    external = replace(
        recorded.external,
        as_of=min(fill.time for fill in fills),
        positions=tuple(Position(k, Decimal(v)) for k, v in earlier["positions"].items()),
        cash=tuple(CashBalance(k, Decimal(v)) for k, v in earlier["cash"].items()),
    )
    found = answer(Reconciliation(replace(recorded, external=external), Policy()))
    assert found.verdict is ExplanationVerdict.UNIQUE, found.text
    (cause,) = found.causes
    assert (cause.cause_kind, cause.side) == ("stale_side", LedgerSide.EXTERNAL)
    seen = [fill for fill in fills if fill.fill_id not in cause.ids]
    unseen = [fill for fill in fills if fill.fill_id in cause.ids]
    assert seen
    assert unseen
    assert max(fill.time for fill in seen) < min(fill.time for fill in unseen)


@pytest.mark.parametrize("variant", CONTROLS, ids=lambda one: one["id"])
def test_a_control_needs_no_explanation(variant: dict[str, Any]) -> None:
    """Nothing was injected, nothing differs, nothing is explained."""
    assert explain(reconcile_session(test_nautilus.DATA / variant["base"])) == ()


FREQTRADE: dict[str, Callable[[Explanation], bool]] = {
    "drop_fill": lambda found: "BUY 0.0483 ETH/USDT at 3449.36" in found.causes[0].text,
    "duplicate_fill": lambda found: (
        set(found.causes[0].ids) == {BOUGHT_TWICE, f"{BOUGHT_TWICE}_dup"}
    ),
    "drop_fee": lambda found: len(found.causes[0].ids) == 3,
    "flip_sign": lambda found: len(found.causes[0].ids) == 1,
}


@pytest.mark.large
@pytest.mark.parametrize("variant", test_freqtrade.VARIANTS, ids=lambda one: one["fault"])
def test_a_fault_of_a_bot_is_found(variant: dict[str, Any], tmp_path: Path) -> None:
    """Binary floats, and a wallet that deducts the entry fee of what is open only later."""
    found = explain(reconcile_session(test_freqtrade.faulty(variant, tmp_path)))
    if variant["fault"] == "control":
        assert found == ()
        return
    if variant["id"] in NOT_TOLD:
        assert all(one.verdict is not ExplanationVerdict.UNIQUE for one in found)
        return
    (explanation,) = found
    assert explanation.verdict is ExplanationVerdict.UNIQUE, explanation.text
    assert explanation.side is LedgerSide.INTERNAL
    assert explanation.causes[0].cause_kind == KINDS[variant["fault"]]
    assert FREQTRADE[variant["fault"]](explanation)
    assert "-0.22232146 USDT is booked only later" in explanation.text


def test_an_explanation_is_plain_data() -> None:
    """The keys that `recon explain` promises; amounts are text."""
    recorded = read_session(test_nautilus.DATA / "spot_btcusdt_cash" / "meta.json")
    assert recorded.internal is not None
    fills = (recorded.internal.fills or ())[1:]
    internal = replace(recorded.internal, fills=fills)
    found = answer(Reconciliation(replace(recorded, internal=internal), Policy()))
    data = json.loads(json.dumps(found.to_dict()))
    assert {"verdict", "side", "causes", "residual", "explains"} <= data.keys()
    (cause,) = data["causes"]
    assert cause.keys() == {"kind", "side", "ids", "effect", "text"}
    assert Decimal(cause["effect"]["position"]["BTCUSDT.BINANCE"]) == -Decimal("0.123457")
    assert data["residual"] == {"position": {}, "cash": {}}


def test_the_answer_does_not_depend_on_the_order_of_rows() -> None:
    """The same session with its fills in another order is explained in the same words."""
    recorded = read_session(test_nautilus.DATA / "spot_btcusdt_quotes_partial" / "meta.json")
    assert recorded.internal is not None
    fills = recorded.internal.fills or ()
    texts = set()
    for rows in (fills[1:], fills[:0:-1]):
        internal = replace(recorded.internal, fills=rows)
        texts.add(answer(Reconciliation(replace(recorded, internal=internal), Policy())).text)
    assert len(texts) == 1


def test_times_are_kept(tmp_path: Path) -> None:
    """Explaining changes nothing: the session is what it was, and so are its verdicts."""
    variant = next(one for one in ROWS if one["fault"] == "drop_fill")
    directory = test_nautilus.copy_of(variant["base"], tmp_path)
    (directory / "fills.csv").write_bytes(test_nautilus.faulty_fills(variant))
    reconciliation = reconcile_session(directory)
    before = [judgement.verdict for judgement in reconciliation.judgements]
    recorded = reconciliation.recorded
    explain(reconciliation)
    assert reconciliation.recorded is recorded
    assert [judgement.verdict for judgement in reconciliation.judgements] == before
    assert isinstance(recorded.internal and recorded.internal.as_of, datetime)
