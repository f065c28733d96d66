"""An assertion for tests of a simulator in Python."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pytest_recon.outcomes import warn_of_drift
from recon_core.engine.reconciliation import Reconciliation
from recon_core.explain.on_demand import explainer
from recon_core.ledger import PositionLedger
from recon_core.model import RecordedSession, SideRecord
from recon_core.model.explanation import Effort
from recon_core.model.snapshot import ExternalSnapshot
from recon_core.model.summary import sorted_diffs
from recon_core.policy import Policy
from recon_core.reports.text import diff_text
from recon_core.values.errors import ReconError
from recon_core.values.printable import quoted
from recon_core.values.severity import Severity

State = PositionLedger | ExternalSnapshot | SideRecord | Mapping[str, Any]
"""A state to compare; a mapping has `positions` and `cash`, each symbol → Decimal."""


def assert_reconciles(
    internal: State,
    external: State,
    policy: Policy | None = None,
    *,
    session_id: str = "assertion",
) -> None:
    """Fail where two states differ by a FAIL, warn where they differ by a WARN.

    The text of the failure is that of an item of a recorded session. A section
    that only one state reports is a difference too. States without a time are
    compared as of one time. Raises `AssertionError`, and `ReconError` for states
    that cannot be compared.
    """
    __tracebackhide__ = True
    stated = [getattr(state, "as_of", None) for state in (internal, external)]
    now = next((time for time in stated if time is not None), datetime.now(UTC))
    recorded = RecordedSession(
        session_id=session_id,
        anchor=Path(session_id),
        internal=_record(internal, now),
        external=_record(external, now),
    )
    reconciliation = Reconciliation(recorded, policy or Policy(), explain=explainer(Effort.FAST))
    diffs = sorted_diffs(reconciliation.diffs)
    for diff in diffs:
        if diff.severity is Severity.WARN:
            warn_of_drift(diff.description)
    blocking = [diff_text(diff, session_id) for diff in diffs if diff.severity.blocks]
    if blocking:
        raise AssertionError("\n\n".join(blocking))


def _record(state: State, now: datetime) -> SideRecord:
    if isinstance(state, SideRecord):
        return state
    if isinstance(state, PositionLedger):
        return SideRecord(as_of=now, positions=state.positions, cash=state.cash)
    if isinstance(state, Mapping):
        unknown = sorted(set(state) - {"positions", "cash"})
        if unknown:
            raise ReconError(f"{quoted(unknown[0])}: unknown key; expected positions and cash")
        state = ExternalSnapshot(**state)
    if not isinstance(state, ExternalSnapshot):
        expected = "a PositionLedger, an ExternalSnapshot, a SideRecord or a mapping"
        raise ReconError(f"a state is {type(state).__name__}; expected {expected}")
    return state.record() if state.as_of else replace(state, as_of=now).record()
