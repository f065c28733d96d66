"""What holds for every session that is refused, and hostile changes to a good file."""

import json
import unicodedata
from pathlib import Path
from typing import Any

from pluggy import PluginManager

from recon_core.engine.reconciliation import Reconciliation, reconcile_session
from recon_core.reports.reconciliation_report import reconciliation_report

from .builders import AS_OF_TEXT, document

SECRET = "hunter2"  # noqa: S105  # what no message may show
CANARY = "canary-of-the-environment"
GOOD = json.dumps(document())


def refusal(path: Path, manager: PluginManager | None = None) -> str:
    """The message of a session that was refused, after checking what holds for all of them."""
    reconciliation = reconcile_session(path, None, manager)
    (judgement,) = reconciliation.judgements
    assert (judgement.comparison.identity, judgement.verdict) == ("session::readable", "CRITICAL")
    assert judgement.diff is not None
    assert judgement.diff.description == judgement.message
    assert_safe(judgement.message)
    assert len(judgement.message) < 1000
    assert_nothing_leaks(reconciliation)
    return judgement.message


def assert_safe(message: str) -> None:
    """One line that any encoder takes, without a character that a terminal would obey."""
    assert message.splitlines() == [message]
    message.encode("utf-8")
    hostile = {unicodedata.category(character) for character in message}
    assert not hostile & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    assert not message.lstrip().startswith("::")
    assert "##[" not in message
    assert "##vso[" not in message
    assert "_form" not in message  # words of the code, not of the file


def assert_nothing_leaks(reconciliation: Reconciliation) -> None:
    """Neither a value of an unknown key nor anything of the environment is in the report."""
    report = json.dumps(reconciliation_report(reconciliation), ensure_ascii=False)
    assert SECRET not in report
    assert CANARY not in report


def swap(old: str, new: str) -> str:
    """The good file's text with its first `old` replaced."""
    assert old in GOOD
    return GOOD.replace(old, new, 1)


def amount(text: str) -> str:
    """The good file with another amount, as it would stand in JSON."""
    return swap('"5000.00"', text)


def internal(**sections: Any) -> dict[str, Any]:
    return document(internal={"as_of": AS_OF_TEXT, **sections})


def fill(**changes: Any) -> dict[str, Any]:
    row = {"fill_id": "f1", "symbol": "BTC/EUR", "side": "BUY", "quantity": "1", "price": "2"}
    row |= {"time": AS_OF_TEXT, **changes}
    return internal(fills=[{name: value for name, value in row.items() if value is not None}])


def order(**changes: Any) -> dict[str, Any]:
    row = {"client_order_id": "c", "symbol": "B", "side": "BUY", "quantity": "1"}
    row |= {"filled_quantity": "0", "state": "FILLED", "time": AS_OF_TEXT, **changes}
    return internal(orders=[{name: value for name, value in row.items() if value is not None}])
