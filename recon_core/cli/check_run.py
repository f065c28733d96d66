"""Steps of `recon check` without its options: judge, write reports, decide."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from time import perf_counter

from pluggy import PluginManager

from recon_core import __version__
from recon_core.audit.past_runs import PastRun, PastSession
from recon_core.audit.trail import AuditTrail
from recon_core.engine.reconciliation import Reconciliation, reconcile_session
from recon_core.explain.on_demand import explainer
from recon_core.model.comparison import ItemKind, Judgement, ReconDiff
from recon_core.model.explanation import Effort
from recon_core.model.summary import ReconSummary, count_severities
from recon_core.policy.model import Policy
from recon_core.policy.settings import DEFAULT_MAX_ITEMS
from recon_core.policy.waivers import Waivers
from recon_core.reports.explanations import explanation_properties
from recon_core.reports.run_report import AuditHead, Mutation, RunReport, SessionResult
from recon_core.reports.session_result import Outcome, fill_marks, run_report, session_result
from recon_core.reports.session_text import SessionReport
from recon_core.reports.side_names import SideNames, sources_of
from recon_core.reports.text import diff_text
from recon_core.reports.waivers import waiver_lines, waiver_properties
from recon_core.reports.wording import (
    Tally,
    command_path,
    drift_text,
    folded_properties,
    node_path,
    opened_path,
)
from recon_core.reports.writing import NamedReport
from recon_core.values.printable import printable
from recon_core.values.severity import Severity


@dataclass(frozen=True, slots=True)
class CheckedSession:
    """One session, judged; `seconds` says how long each comparison took.

    `path` is its path in node ids, `file` the same as a person opens it.
    """

    path: str
    file: str
    reconciliation: Reconciliation
    summary: ReconSummary
    seconds: Mapping[str, float]

    @property
    def compared(self) -> bool:
        """True if anything but the session as a whole was looked at."""
        kinds = {comparison.item_kind for comparison in self.reconciliation.comparisons}
        return bool(kinds - {ItemKind.SESSION})


@dataclass
class Check:
    """The sessions of one command under one policy, and their results.

    `problems` are reasons other than diffs not to trust the run, safe to print; `trail` is
    its addition to the audit log, `named_reports` are what it writes at its end. `mutation` are
    the faults that were put into copies of the sessions.
    """

    policy: Policy
    manager: PluginManager
    directory: Path
    top_n: int
    lowest: Severity
    max_items: int = DEFAULT_MAX_ITEMS
    effort: Effort = Effort.FAST
    named_reports: Sequence[NamedReport] = ()
    sessions: list[CheckedSession] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    trail: AuditTrail | None = None
    waivers: Waivers | None = None
    mutation: Mutation | None = None
    invocation_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    def judge(self, anchors: Iterable[Path]) -> None:
        """Read and judge every session, and notify the plugins."""
        self.sessions = [self._judged(anchor) for anchor in anchors]
        if not any(session.compared for session in self.sessions):
            self.problems.append("nothing was compared: no session has data on both sides")

    def _judged(self, anchor: Path) -> CheckedSession:
        reconciliation = reconcile_session(
            anchor,
            self.policy,
            self.manager,
            max_items=self.max_items,
            explain=explainer(self.effort),
            waivers=self.waivers,
        )
        seconds = {}
        for comparison in reconciliation.comparisons:
            started = perf_counter()
            reconciliation.judge(comparison)
            seconds[comparison.identity] = perf_counter() - started
        path = node_path(anchor, self.directory)
        self._notify(reconciliation, path)
        summary = reconciliation.summary(top_n=self.top_n, invocation_id=self.invocation_id)
        file = opened_path(anchor, self.directory)
        return CheckedSession(path, file, reconciliation, _safe(summary), seconds)

    def _notify(self, reconciliation: Reconciliation, path: str) -> None:
        try:
            reconciliation.notify()
        except Exception as error:  # noqa: BLE001  # a plugin's: the run is no longer sure
            reason = f"{type(error).__name__}: {printable(error)}"
            self.problems.append(f"recon_reconciled: {path}: {reason}")

    def write_audit_log(self, path: Path, rotate_at: int | None = None) -> None:
        """Append all sessions or none; a failure is a problem of the run."""
        self.trail, problems = AuditTrail(path, "--audit-log", rotate_at), tuple(self.problems)
        verdict = self.tally().verdict
        problem = self.trail.write(
            (
                replace(session.summary, problems=problems, verdict=verdict),
                session.reconciliation.diffs,
            )
            for session in self.sessions
        )
        if problem is not None:
            self.problems.append(problem)

    def report(self, policy: str, notes: Sequence[str]) -> RunReport:
        """Return the report of the run as it is by now, with its policy and its terms."""
        head = None if self.trail is None else self.trail.head
        return run_report(
            self.tally(),
            self._results,
            version=__version__,
            invocation_id=self.invocation_id,
            policy=policy,
            problems=self.problems,
            notes=notes,
            audit=None if head is None else AuditHead(head.count, head.hash),
            trend=() if self.trail is None else self.trail.recent(),
            mutation=self.mutation,
        )

    @cached_property
    def _results(self) -> tuple[SessionResult, ...]:
        return tuple(map(self._result, self.sessions, self.reports()))

    def _result(self, session: CheckedSession, report: SessionReport) -> SessionResult:
        reconciliation = session.reconciliation
        placed = map(reconciliation.placed, reconciliation.judgements)
        return session_result(
            report,
            session.file,
            [self._outcome(session, judgement) for judgement in placed],
            fill_marks(reconciliation.comparisons) if reconciliation.diffs else (),
        )

    def _outcome(self, session: CheckedSession, judgement: Judgement) -> Outcome:
        comparison, diff = judgement.comparison, judgement.diff
        node_id = f"{session.path}::{comparison.identity}"
        of_session = comparison.item_kind is ItemKind.SESSION
        names = SideNames.of_sources(sources_of(session.reconciliation.recorded))
        return Outcome(
            kind=str(comparison.item_kind),
            key=comparison.key,
            verdict=judgement.verdict,
            blocks=self._blocks(diff),
            seconds=session.seconds[comparison.identity],
            drift="" if of_session else drift_text(diff),
            more={
                **folded_properties(comparison),
                **explanation_properties(diff, names),
                **waiver_properties(diff),
            },
            text="" if diff is None else _text(session, diff, node_id, names),
            diff=diff,
        )

    def is_blocked(self, session: CheckedSession) -> bool:
        """True if a session is red."""
        return any(map(self._blocks, session.reconciliation.diffs))

    def _blocks(self, diff: ReconDiff | None) -> bool:
        return diff is not None and diff.severity.rank >= self.lowest.rank

    def reports(self) -> Sequence[SessionReport]:
        """Return the data that the terminal shows of each session."""
        return [
            SessionReport(
                session.path,
                session.summary,
                session.reconciliation.diffs,
                str(session.reconciliation.recorded.mode or ""),
                sources_of(session.reconciliation.recorded),
                command_path(session.reconciliation.recorded.anchor, self.directory),
            )
            for session in self.sessions
        ]

    def past_run(self) -> PastRun:
        """The sessions with their diffs, to be compared with a command of the past."""
        run = PastRun(self.invocation_id, None)
        for session in self.sessions:
            diffs = {diff.identity: diff for diff in session.reconciliation.diffs}
            summary = session.summary
            run.add(PastSession(summary.session_id, summary.run_id, diffs=diffs))
        return run

    def waiver_lines(self) -> list[str]:
        """The files of waivers and what became of their entries, a line a state."""
        return list(waiver_lines(self.waivers, (each.summary.waivers for each in self.sessions)))

    def tally(self) -> Tally:
        """The figures and the verdict of the whole run."""
        diffs = [diff for session in self.sessions for diff in session.reconciliation.diffs]
        comparisons = sum(len(session.reconciliation.comparisons) for session in self.sessions)
        return Tally(
            sessions=len(self.sessions),
            promised=comparisons,
            ran=comparisons,
            counts=count_severities(diffs),
            blocked=any(map(self._blocks, diffs)),
            incomplete=bool(self.problems),
            problems=len(self.problems),
        )


def _text(session: CheckedSession, diff: ReconDiff, node_id: str, names: SideNames) -> str:
    mode = session.reconciliation.recorded.mode
    return diff_text(diff, session.summary.session_id, node_id, mode, names)


def _safe(summary: ReconSummary) -> ReconSummary:
    """The summary with ids that can be printed, as pytest's reports have them."""
    return replace(
        summary,
        session_id=printable(summary.session_id),
        strategy_id=printable(summary.strategy_id),
    )
