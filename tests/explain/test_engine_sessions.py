"""Sessions that engines wrote themselves, on synthetic prices, each with one fault put into it.

nautilus_trader 1.231.0, vectorbt 1.1.2 and backtrader 1.9.76.123: cash in binary floats, a fixed
fee with a rate, and trades whose worth is in the middle between two satoshi.
"""

import copy
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from recon_core.engine.reconciliation import Reconciliation, reconcile_session
from recon_core.explain import apply_entries, entries_of, explain
from recon_core.model.explanation import Explanation, ExplanationVerdict
from recon_core.policy.model import Policy

DATA = Path(__file__).parents[1] / "data"
SESSIONS: dict[str, Any] = json.loads((DATA / "explain/engines.json").read_text())
UNIQUE, PARTIAL = ExplanationVerdict.UNIQUE, ExplanationVerdict.PARTIAL
Fill = dict[str, str]

FAULTS = {
    "nautilus-hedge__fee_wrong": (
        UNIQUE, "wrong_fee", "T-666867bb41d95256-027", "1.63846752 instead of 1.19596169",
    ),
    # A tie leaves one satoshi, whatever the fault is.
    "nautilus-spot-ties__fee_wrong": (
        PARTIAL, "wrong_fee", "T-ff033deed40fbac1-016", "BTC -0.00000001 remains",
    ),
    "vectorbt-single__fee_wrong": (
        UNIQUE, "wrong_fee", "20", "instead of 9.63851594275883, as others at the rate 0.001",
    ),
    "vectorbt-shared__drop": (
        UNIQUE, "missing_fill", "", "SOL/USD at 194.066985, fee 9.504",
    ),
    "backtrader__drop": (
        UNIQUE, "missing_fill", "", "SELL 0.234 BTC/USD at 92800.00, fee 21.71520000 USD; order 86",
    ),
}  # fmt: skip
"""The verdict, the cause, its row, and words of the text."""


def reconciled(directory: Path, session: Any) -> Reconciliation:
    """A session, read from a file of its own."""
    path = directory / "engine.recon.json"
    path.write_text(json.dumps(session))
    return reconcile_session(path)


@pytest.mark.parametrize("name", FAULTS)
def test_the_one_fault_of_a_session_is_named(name: str, tmp_path: Path) -> None:
    """No other fill and no other fee is named, and no rate of all fees."""
    verdict, kind, row, words = FAULTS[name]
    (one,) = explain(reconciled(tmp_path, SESSIONS[name]))
    assert one.verdict is verdict, one.text
    (cause,) = one.causes
    assert (str(cause.cause_kind), str(cause.side)) == (kind, "internal"), one.text
    assert cause.ids == ((row,) if row else ()), one.text
    assert words in one.text


def repaired(directory: Path, name: str) -> Any:
    """The session without its fault: the fee at its rate, or the fill in its place."""
    session = copy.deepcopy(SESSIONS[name])
    fills: list[Fill] = session["internal"]["fills"]
    kind, row = FAULTS[name][1:3]
    (one,) = explain(reconciled(directory, session))
    if kind == "wrong_fee":
        fill = next(fill for fill in fills if fill["fill_id"] == row)
        fill["fee"] = one.text.split(" instead of ")[1].split(",")[0]
    else:
        (entry,) = one.repair
        fills.append({key: value for key, value in entry.row.items() if key != "copies"})
        fills.sort(key=lambda fill: fill["time"])
    return session


@pytest.mark.parametrize("name", FAULTS)
def test_a_repair_leaves_nothing_but_dust(name: str, tmp_path: Path) -> None:
    """The entries of a unique answer, applied to a copy, do away with what differs."""
    before = reconciled(tmp_path, SESSIONS[name])
    (one,) = explain(before)
    if one.verdict is UNIQUE:
        after = Reconciliation(apply_entries(before.recorded, entries_of(before, one)), Policy())
        assert not explain(after)
    else:
        assert not one.repair


def _without(fills: list[Fill], at: int) -> str:
    del fills[at]
    return "missing_fill"


def _twice(fills: list[Fill], at: int) -> str:
    fills.insert(at + 1, {**fills[at], "fill_id": "again"})
    return "duplicate_fill"


def _turned(fills: list[Fill], at: int) -> str:
    fills[at]["side"] = "SELL" if fills[at]["side"] == "BUY" else "BUY"
    return "side_flipped"


def _charged(factor: str, kind: str) -> Callable[[list[Fill], int], str]:
    def change(fills: list[Fill], at: int) -> str:
        fee = Decimal(fills[at]["fee"])
        places = Decimal((0, (1,), fee.as_tuple().exponent))
        fills[at]["fee"] = f"{(fee * Decimal(factor)).quantize(places):f}"
        return kind

    return change


CHANGES: dict[str, Callable[[list[Fill], int], str]] = {
    "a fill is lost": _without,
    "a fill is there twice": _twice,
    "a BUY is a SELL": _turned,
    "no fee": _charged("0", "missing_fee"),
    "the fee twice": _charged("2", "duplicate_fee"),
    "a rebate": _charged("-1", "fee_sign"),
    "another fee": _charged("1.37", "wrong_fee"),
}


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("change", CHANGES)
def test_any_single_fault_of_these_sessions_is_named(
    name: str, change: str, tmp_path: Path
) -> None:
    """Dust, ties and fixed fees hide no fault: unique, or among those that are left open."""
    session = repaired(tmp_path, name)
    fills: list[Fill] = session["internal"]["fills"]
    kind = CHANGES[change](fills, len(fills) // 3)
    found = explain(reconciled(tmp_path, session))
    assert kind in {str(cause.cause_kind) for one in found for cause in one.causes}, found
    assert all(_is_only(kind, one) for one in found if one.verdict in {UNIQUE, PARTIAL}), found


def _is_only(kind: str, one: Explanation) -> bool:
    return [str(cause.cause_kind) for cause in one.causes] == [kind]


@pytest.mark.large
def test_a_rate_of_all_fees_with_a_fixed_part(tmp_path: Path) -> None:
    """The fixed part is in proportion to the rate, and both are told."""
    session = repaired(tmp_path, "vectorbt-shared__drop")
    for fill in session["internal"]["fills"]:
        fill["fee"] = f"{Decimal(fill['fee']) * Decimal('0.75'):f}"
    (one,) = explain(reconciled(tmp_path, session))
    assert (one.verdict, [str(cause.cause_kind) for cause in one.causes]) == (UNIQUE, ["fee_rate"])
    assert "1.125 USD and the rate 0.00075 instead of 1.5 USD and the rate 0.001" in one.text


@pytest.mark.parametrize("name", ["inverse", "spot_multi", "sandbox_paper"])
def test_a_healthy_run_is_clear(name: str) -> None:
    """A replay averages and rounds as the engine does, so nothing differs."""
    reconciliation = reconcile_session(DATA / "engines" / name)
    assert {judgement.verdict for judgement in reconciliation.judgements} == {"match"}
    assert explain(reconciliation) == ()
