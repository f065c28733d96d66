"""Steps of `recon check` without its options: judge, write reports, decide."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from recon_core import __version__
from recon_core.audit.trail import AuditTrail
from recon_core.cli.checked_session import CheckedSession, Terms
from recon_core.cli.workers import Workers, judged
from recon_core.model.summary import count_severities
from recon_core.reports.session_text import SessionReport
from recon_core.reports.waivers import waiver_lines
from recon_core.reports.wording import Tally
from recon_core.reports.writing import NamedReport

if TYPE_CHECKING:
    from recon_core.audit.past_runs import PastRun
    from recon_core.reports.run_report import Mutation, RunReport


@dataclass
class Check:
    """The sessions of one command under one policy, and their results.

    `problems` are reasons other than diffs not to trust the run, safe to print; `trail` is
    its addition to the audit log, `named_reports` are what it writes at its end. `mutation` are
    the faults that were put into copies of the sessions.
    """

    terms: Terms
    named_reports: Sequence[NamedReport] = ()
    sessions: list[CheckedSession] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    trail: AuditTrail | None = None
    mutation: "Mutation | None" = None

    def judge(
        self,
        anchors: Sequence[Path],
        workers: Workers,
        watch: Callable[[CheckedSession], None] = lambda _: None,
    ) -> None:
        """Judge every session by `workers`; `watch` is called with each when it is judged.

        The results are in the order of `anchors`, in whatever order they are made.
        """
        found: dict[int, CheckedSession] = {}
        for place, session in judged(anchors, workers):
            found[place] = session
            watch(session)
        self.sessions = list(_in_order(found))
        self.problems += [each.problem for each in self.sessions if each.problem is not None]
        if not any(session.compared for session in self.sessions):
            self.problems.append("nothing was compared: no session has data on both sides")

    def write_audit_log(self, path: Path, rotate_at: int | None = None) -> None:
        """Append all sessions or none; a failure is a problem of the run."""
        self.trail, problems = AuditTrail(path, "--audit-log", rotate_at), tuple(self.problems)
        verdict = self.tally().verdict
        problem = self.trail.write(
            (replace(session.summary, problems=problems, verdict=verdict), session.diffs)
            for session in self.sessions
        )
        if problem is not None:
            self.problems.append(problem)

    def report(self, policy: str, notes: Sequence[str]) -> "RunReport":
        """Return the report of the run as it is by now, with its policy and its terms."""
        from recon_core.reports.run_report import AuditHead  # noqa: PLC0415  # only for reports
        from recon_core.reports.session_result import run_report  # noqa: PLC0415  # as that

        head = None if self.trail is None else self.trail.head
        return run_report(
            self.tally(),
            [session.result for session in self.sessions if session.result is not None],
            version=__version__,
            invocation_id=self.terms.invocation_id,
            policy=policy,
            problems=self.problems,
            notes=notes,
            audit=None if head is None else AuditHead(head.count, head.hash),
            trend=() if self.trail is None else self.trail.recent(),
            mutation=self.mutation,
        )

    def reports(self) -> Sequence[SessionReport]:
        """Return the data that the terminal shows of each session."""
        return [session.report for session in self.sessions]

    def past_run(self) -> "PastRun":
        """The sessions with their diffs, to be compared with a command of the past."""
        from recon_core.audit.past_runs import PastRun, PastSession  # noqa: PLC0415  # only where asked for

        run = PastRun(self.terms.invocation_id, None)
        for session in self.sessions:
            diffs = {diff.identity: diff for diff in session.diffs}
            summary = session.summary
            run.add(PastSession(summary.session_id, summary.run_id, diffs=diffs))
        return run

    def waiver_lines(self) -> list[str]:
        """The files of waivers and what became of their entries, a line a state."""
        return list(
            waiver_lines(self.terms.waivers, (each.summary.waivers for each in self.sessions))
        )

    def tally(self) -> Tally:
        """The figures and the verdict of the whole run."""
        diffs = [diff for session in self.sessions for diff in session.diffs]
        comparisons = sum(session.comparisons for session in self.sessions)
        return Tally(
            sessions=len(self.sessions),
            promised=comparisons,
            ran=comparisons,
            counts=count_severities(diffs),
            blocked=any(session.blocks for session in self.sessions),
            incomplete=bool(self.problems),
            problems=len(self.problems),
        )


def _in_order(found: Mapping[int, CheckedSession]) -> Iterator[CheckedSession]:
    """Yield the sessions in their order; the time of none is before that of an earlier one.

    Times that are earlier than those before them are what a log shows of a clock that was set.
    """
    latest = ""
    for place in sorted(found):
        latest = max(latest, found[place].summary.timestamp)
        yield found[place].timed(latest)
