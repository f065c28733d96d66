"""Actions on the diffs of a session (design, "Escalation").

The matrix counts the diffs at the highest severity.
"""

from collections.abc import Mapping
from typing import Final

from recon_core.model.records import SessionMode
from recon_core.values.severity import Severity

MANY_INFO: Final = 50
"""INFO diffs; more of them ask for a trend analysis (the runbook's figure)."""
FEW_INFO: Final = 10
"""INFO diffs; fewer of them ask for no action (the runbook's figure)."""
FEW_WARN: Final = 5
"""WARN diffs; more of them ask for an incident report (the runbook's figure)."""

REHEARSALS: Final = frozenset({SessionMode.SIM, SessionMode.PAPER})
"""Modes in which no money is at stake: reports for people ask nobody to stop trading."""


def escalation_actions(counts: Mapping[Severity, int]) -> tuple[str, ...]:
    """The actions for diffs counted by severity, the most urgent first; empty without diffs."""
    found = [severity for severity in Severity if counts.get(severity)]
    if not found:
        return ()
    worst = found[-1]
    actions = _ACTIONS[worst](counts[worst])
    if counts.get(Severity.INFO, 0) > MANY_INFO:
        actions = (*actions, "trend analysis", "tolerance review")
    return actions


def escalation_text(counts: Mapping[Severity, int]) -> str:
    """The actions on one line; `none` where there is nothing to do."""
    return "; ".join(escalation_actions(counts)) or "none"


def _info(count: int) -> tuple[str, ...]:
    return ("none", "monitoring") if count < FEW_INFO else ("monitoring",)


def _warn(count: int) -> tuple[str, ...]:
    if count <= FEW_WARN:
        return ("log review", "incident on recurrence")
    return ("pause trading (optional)", "incident report")


def _fail(_count: int) -> tuple[str, ...]:
    return ("stop trading", "immediate incident response")


def _critical(_count: int) -> tuple[str, ...]:
    return ("kill switch", "incident response")


_ACTIONS: Final = {
    Severity.INFO: _info,
    Severity.WARN: _warn,
    Severity.FAIL: _fail,
    Severity.CRITICAL: _critical,
}
