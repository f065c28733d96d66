"""One run of a trail, the events that a mode receives, and the totals of all runs asked for."""

from collections import Counter
from collections.abc import Container
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from recon_core.audit.fields import Entry
from recon_core.values.printable import printable

_MOST_REASONS: Final = 3
"""Reasons that are listed; further doubted runs are only counted."""


@dataclass(slots=True, eq=False)
class Run:
    """One run that is asked for, as far as it was read.

    `index` is its place among them, in the log's order; `recorded` and `counted` are diffs
    by severity, all of them. `doubt` says why it cannot be called clear.
    """

    run_id: str
    index: int
    session_id: str | None
    strategy_id: str | None
    time: datetime
    summaries: int = 0
    recorded: Counter[str] = field(default_factory=Counter)
    counted: Counter[str] = field(default_factory=Counter)
    doubt: str = ""

    def recorded_of(self, severities: Container[object]) -> int:
        """Return the number of diffs of some severities that the log holds."""
        return sum(count for name, count in self.recorded.items() if name in severities)

    def counted_of(self, severities: Container[object]) -> int:
        """Return the number of diffs of some severities that its summary counts."""
        return sum(count for name, count in self.counted.items() if name in severities)

    def findings(self, severities: Container[object]) -> int:
        """Return the number of its diffs: a log of the top N holds fewer than were counted."""
        return max(self.recorded_of(severities), self.counted_of(severities))


class Sink:
    """Receiver of the runs that are asked for; a mode overrides the events that it uses."""

    def summary(self, run: Run, entry: Entry) -> None:
        """A summary of `run`."""

    def diff(self, run: Run, entry: Entry) -> None:
        """A diff of `run`, of a severity that is asked for."""

    def passed_over(self, run: Run, entry: Entry) -> None:
        """A diff of `run`, of another severity."""

    def bracket(self, run: Run, entry: Entry) -> None:
        """The opening or the committing entry of `run`."""

    def finished(self, run: Run) -> None:
        """Nothing more is expected of `run`."""

    def any_summary(self, entry: Entry) -> None:
        """A summary of any run, also one that is not asked for."""


@dataclass(slots=True)
class Tally:
    """Totals of the runs that are asked for.

    `seen` counts the summaries of all runs; `doubts` are the first of the reasons why
    `doubted` runs cannot be called clear.
    """

    seen: int = 0
    runs: int = 0
    findings: int = 0
    runs_with_findings: int = 0
    repeated: int = 0
    doubted: int = 0
    doubts: list[str] = field(default_factory=list)
    any_run: bool = False
    run_id_known: bool = False

    def add(self, run: Run, passing: Container[object]) -> None:
        """Count a finished run."""
        findings = run.findings(passing)
        self.runs += 1
        self.findings += findings
        self.runs_with_findings += findings > 0
        self.repeated += run.summaries > 1
        if run.doubt:
            self.doubt(f"run {printable(run.run_id)} {run.doubt}")

    def doubt(self, reason: str) -> None:
        """Note why a run, of which perhaps no more is known, cannot be called clear."""
        self.doubted += 1
        if len(self.doubts) < _MOST_REASONS:
            self.doubts.append(reason)
