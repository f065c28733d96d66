"""The summary of one recorded session and run (design, "The runbook")."""

import json
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from recon_core.model.comparison import ReconDiff
from recon_core.model.escalation import escalation_actions
from recon_core.values.severity import Severity
from recon_core.values.times import format_time

DEFAULT_TOP: Final = 10
"""Diffs that a summary lists, the worst first, so that a reader sees the worst on one screen."""


@dataclass(frozen=True, slots=True)
class ReconSummary:
    """Counts, the worst diffs and the evidence of one reconciliation.

    `timestamp` is the wall clock of the run in UTC with `Z`; it, `run_id` and
    `invocation_id`, which the sessions of one command share, are the only fields that
    differ between two runs over the same input. `ran` counts the comparisons that have a
    verdict; fewer than `comparisons` means that the run was narrowed. `problems` are the
    reasons other than diffs that kept the run from being clear; `waivers` are the ids of the
    waivers that name the session, by what became of them (`WaiverState`); `verdict` is that of
    the whole command when the audit log was written, such as `BLOCKED`, and empty without a log.
    """

    run_id: str
    timestamp: str
    session_id: str
    strategy_id: str
    total_diffs: int
    counts_by_severity: Mapping[str, int]
    counts_by_type: Mapping[str, int]
    top_diffs: Sequence[ReconDiff]
    has_critical: bool
    has_fail: bool
    max_severity: str
    comparisons: int | None = None
    ran: int | None = None
    invocation_id: str | None = None
    escalation: tuple[str, ...] = ()
    mirrored: bool = False
    notes: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    evidence: Mapping[str, object] = field(default_factory=dict)
    waivers: Mapping[str, Sequence[str]] = field(default_factory=dict)
    verdict: str = ""

    def to_dict(self) -> dict[str, object]:
        """Plain data under the runbook's keys, and this project's after them."""
        return {
            "run_id": self.run_id,
            "timestamp": self.timestamp,
            "session_id": self.session_id,
            "strategy_id": self.strategy_id,
            "total_diffs": self.total_diffs,
            "counts_by_severity": dict(self.counts_by_severity),
            "counts_by_type": dict(self.counts_by_type),
            "top_diffs": [diff.to_dict() for diff in self.top_diffs],
            "has_critical": self.has_critical,
            "has_fail": self.has_fail,
            "max_severity": self.max_severity,
            "comparisons": self.comparisons,
            "ran": self.ran,
            "invocation_id": self.invocation_id,
            "escalation": list(self.escalation),
            "mirrored": self.mirrored,
            "notes": list(self.notes),
            "problems": list(self.problems),
            "evidence": dict(self.evidence),
            "waivers": {state: list(ids) for state, ids in self.waivers.items()},
            "verdict": self.verdict,
        }

    def to_json(self) -> str:
        """`to_dict` as JSON, ASCII only, keys sorted: equal input gives equal text."""
        return json.dumps(self.to_dict(), indent=2, sort_keys=True)


def sorted_diffs(diffs: Iterable[ReconDiff]) -> list[ReconDiff]:
    """The worst first: by severity, then timestamp, then diff id."""
    return sorted(diffs, key=_urgency)


def _urgency(diff: ReconDiff) -> tuple[int, datetime, str]:
    time = datetime.min.replace(tzinfo=UTC) if diff.timestamp is None else diff.timestamp
    return -diff.severity.rank, time, diff.diff_id


def count_severities(diffs: Iterable[ReconDiff]) -> dict[Severity, int]:
    """Return the number of diffs by severity, the worst first, severities without any left out."""
    counted = Counter(diff.severity for diff in diffs)
    return {severity: counted[severity] for severity in reversed(Severity) if counted[severity]}


def summarise(
    diffs: Sequence[ReconDiff],
    session_id: str,
    strategy_id: str = "",
    *,
    top_n: int = DEFAULT_TOP,
    run_id: str | None = None,
    comparisons: int | None = None,
    ran: int | None = None,
    invocation_id: str | None = None,
    mirrored: bool = False,
    notes: tuple[str, ...] = (),
    problems: tuple[str, ...] = (),
    evidence: Mapping[str, object] | None = None,
    waivers: Mapping[str, Sequence[str]] | None = None,
) -> ReconSummary:
    """Summarise the diffs of one session; without diffs the maximum is INFO.

    `ran` is all `comparisons` where it is not given.
    """
    counts = count_severities(diffs)
    ordered = sorted_diffs(diffs)
    types = Counter(diff.diff_type for diff in diffs)
    return ReconSummary(
        run_id=run_id or str(uuid.uuid4()),
        timestamp=format_time(datetime.now(UTC).replace(microsecond=0)),
        session_id=session_id,
        strategy_id=strategy_id,
        total_diffs=len(diffs),
        counts_by_severity={str(severity): count for severity, count in counts.items()},
        counts_by_type=dict(sorted(types.items())),
        top_diffs=tuple(ordered[:top_n]),
        has_critical=Severity.CRITICAL in counts,
        has_fail=Severity.FAIL in counts,
        max_severity=str(next(iter(counts), Severity.INFO)),
        comparisons=comparisons,
        ran=comparisons if ran is None else ran,
        invocation_id=invocation_id,
        escalation=escalation_actions(counts),
        mirrored=mirrored,
        notes=notes,
        problems=problems,
        evidence={} if evidence is None else evidence,
        waivers={} if waivers is None else waivers,
    )
