"""One wrong row of a healthy account is explained by the exchange's rows, and never the reverse."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from recon_core.engine.reconciliation import reconcile_session
from recon_core.explain.on_demand import explainer
from recon_core.model.explanation import Effort
from tests.matrices import sample

FILE = Path(__file__).parents[1] / "data/accounts/healthy.json"
ACCOUNTS: dict[str, dict[str, Any]] = json.loads(FILE.read_text())
KINDS = {
    "a lost fill": {"missing_fill"},
    "a doubled fill": {"duplicate_fill"},
    "a turned fill": {"side_flipped"},
    "a lost movement": {"missing_movement", "conversion", "split"},
    "a doubled movement": {"duplicate_movement", "orphan_movement"},
    "a turned movement": {"wrong_movement"},
}


def _rows(account: dict[str, Any], section: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = account["internal"].get(section) or []
    return rows


def _faults(account: dict[str, Any]) -> Iterator[tuple[str, str, list[dict[str, Any]]]]:
    """Yield a fault of each row of the ledger: its name, the section, and the faulty rows."""
    for section, noun in (("fills", "fill"), ("movements", "movement")):
        rows = _rows(account, section)
        for at, row in enumerate(rows):
            yield f"a lost {noun}", section, [*rows[:at], *rows[at + 1 :]]
            yield f"a doubled {noun}", section, [*rows, row]
            turned = [*rows[:at], _turned(row), *rows[at + 1 :]]
            yield f"a turned {noun}", section, turned


def _turned(row: dict[str, Any]) -> dict[str, Any]:
    if "side" in row:
        return {**row, "side": "SELL" if row["side"] == "BUY" else "BUY"}
    signed = (name for name in ("amount", "quantity") if name in row)
    return {**row, **{name: str(-Decimal(row[name])) for name in signed}}


def _cases() -> Iterator[Any]:
    for name, account in ACCOUNTS.items():
        for number, (fault, section, rows) in enumerate(_faults(account)):
            right = {each: _rows(account, each) for each in ("fills", "movements")}
            changed = {
                "internal": {**account["internal"], section: rows},
                "external": {**account["external"], **right},
            }
            yield pytest.param({**account, **changed}, fault, id=f"{name}: {number}, {fault}")


@pytest.mark.parametrize(("document", "fault"), sample(list(_cases()), every=2))
def test_the_exchanges_rows_show_the_fault_of_the_ledger(
    document: dict[str, Any], fault: str, tmp_path: Path
) -> None:
    """One answer of the right kind, whatever a fault of the state would account for as well."""
    path = tmp_path / "account.recon.json"
    path.write_text(json.dumps(document))
    reconciliation = reconcile_session(path, explain=explainer(Effort.FAST))
    if not reconciliation.is_readable:
        # Without the only settlement of a future that settles daily nothing can be booked.
        assert fault == "a lost movement"
        return
    (found,) = reconciliation.explanations
    assert (str(found.verdict), str(found.side)) == ("unique", "internal")
    assert {str(cause.cause_kind) for cause in found.causes} <= KINDS[fault]
