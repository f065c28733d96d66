"""Accounts as people have them: clear as they are, blocked with one fault in them.

Each session is one kind of account: its ledger, and the statement that such a venue gives.
"""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from recon_core.engine.reconciliation import Reconciliation, reconcile_session
from recon_core.values.severity import Severity
from tests.matrices import sample

FILE = Path(__file__).parents[1] / "data/accounts/healthy.json"
ACCOUNTS: dict[str, dict[str, Any]] = json.loads(FILE.read_text())
CALM = {None, Severity.INFO}


def reconciled(directory: Path, document: dict[str, Any]) -> Reconciliation:
    """One account, read from a file of its own."""
    path = directory / "account.recon.json"
    path.write_text(json.dumps(document))
    return reconcile_session(path)


def blocked(reconciliation: Reconciliation) -> list[str]:
    """What blocks the deployment."""
    worst = (Severity.FAIL, Severity.CRITICAL)
    return [diff.identity for diff in reconciliation.diffs if diff.severity in worst]


def test_there_are_many_kinds() -> None:
    """At least fifteen."""
    assert len(ACCOUNTS) >= 15


@pytest.mark.parametrize("name", ACCOUNTS)
def test_a_healthy_account_is_clear(name: str, tmp_path: Path) -> None:
    """Nothing is to be looked at, but for a divided account, which is said."""
    reconciliation = reconciled(tmp_path, ACCOUNTS[name])
    found = {diff.identity: diff.severity for diff in reconciliation.diffs}
    allowed = {"session::accounts": Severity.WARN} if name == "divided_account" else {}
    assert found == allowed


def _without(rows: list[Any], at: int) -> list[Any]:
    return [*rows[:at], *rows[at + 1 :]]


def _changed(document: dict[str, Any], section: str, rows: Any) -> dict[str, Any]:
    return {**document, "internal": {**document["internal"], section: rows}}


def _row_faults(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the ledger with each of its rows dropped, doubled or turned, and each fee missing."""
    internal = document["internal"]
    for section in ("fills", "movements"):
        rows = internal.get(section) or []
        for at, row in enumerate(rows):
            name = row.get("fill_id") or row.get("movement_id")
            yield f"drop {name}", _changed(document, section, _without(rows, at))
            yield f"double {name}", _changed(document, section, [*rows, row])
            turned = [*rows[:at], _turned(row), *rows[at + 1 :]]
            yield f"turn {name}", _changed(document, section, turned)
            if Decimal(row.get("fee") or 0):
                free = [*rows[:at], {**row, "fee": "0"}, *rows[at + 1 :]]
                yield f"lose the fee of {name}", _changed(document, section, free)


def _turned(row: dict[str, Any]) -> dict[str, Any]:
    if "side" in row:
        return {**row, "side": "SELL" if row["side"] == "BUY" else "BUY"}
    signed = {name: str(-Decimal(row[name])) for name in ("amount", "quantity") if name in row}
    return {**row, **signed}


ROW_FAULTS = [
    pytest.param(document, id=f"{name}: {fault}")
    for name, account in ACCOUNTS.items()
    for fault, document in _row_faults(account)
]


@pytest.mark.parametrize("document", sample(ROW_FAULTS, every=2))
def test_one_wrong_row_blocks(document: dict[str, Any], tmp_path: Path) -> None:
    """A dropped, doubled or turned row and a missing fee of the ledger are found."""
    assert blocked(reconciled(tmp_path, document))


def _without_one(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the account with each position and each balance of the venue dropped."""
    for section in ("positions", "cash"):
        rows = document["external"].get(section) or []
        for at, key in enumerate(rows):
            if isinstance(rows, dict):
                name, amount = key, Decimal(rows[key])
                left: Any = {other: rows[other] for other in rows if other != key}
            else:
                name, amount = at, Decimal(key.get("quantity") or key["total"])
                left = _without(rows, at)
            if amount:
                external = {**document["external"], section: left}
                yield f"{section} {name}", {**document, "external": external}


DROPPED = [
    pytest.param(document, id=f"{name}: {fault}")
    for name, account in ACCOUNTS.items()
    for fault, document in _without_one(account)
]


@pytest.mark.parametrize("document", DROPPED)
def test_a_holding_that_the_venue_does_not_list_blocks(
    document: dict[str, Any], tmp_path: Path
) -> None:
    """Nothing that is held is left uncompared, whichever view shows it."""
    assert blocked(reconciled(tmp_path, document))
