"""Terms of a run of `recon check`, and the results of one of its sessions, as values.

Both can be handed to another process, and are imported without the engine: a process that
lets others judge has no use for it. Results hold no rows: a run of many sessions keeps what
came of them and not their contents.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from recon_core.engine.evidence import commit_of
from recon_core.model.comparison import ReconDiff
from recon_core.model.explanation import Effort
from recon_core.model.summary import ReconSummary
from recon_core.policy.model import Policy
from recon_core.policy.names import Names
from recon_core.policy.settings import DEFAULT_MAX_ITEMS
from recon_core.policy.waivers import Waivers
from recon_core.reports.session_text import SessionReport
from recon_core.values.limits import changed_limits
from recon_core.values.severity import Severity

if TYPE_CHECKING:
    from recon_core.judging.confirming import Seen
    from recon_core.reports.run_report import SessionResult


@dataclass(frozen=True, slots=True)
class Terms:
    """Everything but its file that decides the results of a session, for any process.

    `directory` is the one that the run was started in, `lowest` the lowest severity that
    blocks. `limits` and `commit` are those of the process that makes the terms. `for_reports`
    and `for_json` ask for what only reports and `--format json` show. `seen` is what earlier
    looks at the account found, `None` where there is one look only.
    """

    policy: Policy
    directory: Path
    top_n: int
    lowest: Severity
    max_items: int = DEFAULT_MAX_ITEMS
    effort: Effort = Effort.FAST
    waivers: Waivers | None = None
    for_reports: bool = False
    for_json: bool = False
    invocation_id: str = field(default_factory=lambda: str(uuid4()))
    limits: Mapping[str, int] = field(default_factory=changed_limits)
    commit: str | None = field(default_factory=lambda: commit_of(Path.cwd()))
    seen: "Seen | None" = None

    def blocks(self, diff: ReconDiff | None) -> bool:
        """True if a diff makes the run red."""
        return diff is not None and diff.severity.rank >= self.lowest.rank


@dataclass(frozen=True, slots=True)
class CheckedSession:
    """The results of one session.

    `comparisons` is their number, `compared` says that something other than the session as a
    whole is among them, `blocks` that a difference makes the run red. `problem` is a reason
    other than differences not to trust the run. `result` and `json` are there where the terms
    ask for them.
    """

    report: SessionReport
    comparisons: int
    compared: bool
    blocks: bool
    policy_names: Names | None
    problem: str | None
    result: "SessionResult | None"
    json: Mapping[str, Any] | None

    @property
    def summary(self) -> ReconSummary:
        """The summary that reports and the audit log have."""
        return self.report.summary

    @property
    def diffs(self) -> Sequence[ReconDiff]:
        """The differences, in the order of the comparisons."""
        return self.report.diffs

    @property
    def versions(self) -> Mapping[str, str]:
        """The versions of what judged the session."""
        versions: Mapping[str, str] = self.summary.evidence["versions"]  # type: ignore[assignment]  # made by `evidence`
        return versions

    def timed(self, timestamp: str) -> "CheckedSession":
        """Return the same results with another wall clock time."""
        summary = replace(self.summary, timestamp=timestamp)
        return replace(self, report=replace(self.report, summary=summary))
