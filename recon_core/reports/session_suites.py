"""JUnit suites of a run: one suite per session, one case per comparison.

Where the gate is not clear for another reason than the comparisons, a case named `gate`
says why: one in the suite of each session that did not run completely, one for the problems
of the run. Most consumers read failing cases and nothing else.

GitLab shows the content of an outcome and never its message, Jenkins and GitHub's actions show
both: each has the finding, and the message its cause as well.
"""

from collections.abc import Sequence
from typing import Final

from recon_core.reports.junit import CaseReport, SuiteReport
from recon_core.reports.report_rows import Row, rows
from recon_core.reports.run_report import ComparisonResult, RunReport, SessionResult
from recon_core.reports.wording import INCOMPLETE, ran_of
from recon_core.values.printable import printable
from recon_core.values.severity import Severity

GATE: Final = "gate"
"""The name of a case that is of no comparison; no comparison has it with this class name."""

RUN_SUITE: Final = "recon"
"""The suite of what concerns no single session."""

_SKIPPED: Final = ("WARN", "WAIVED")
"""Verdicts that are shown as skipped where they do not block: somebody is to look at them."""
_LONGEST_MESSAGE: Final = 2000
"""Characters of a message: an attribute that a table of failures shows on a line."""


def gate_case(
    class_name: str, problems: Sequence[str], *, fails: bool = True
) -> tuple[CaseReport, ...]:
    """The case of the problems of a session or a run, none where there are none.

    `fails` is false with the gate off: what does not change the status of a run is shown,
    as skipped, and fails no report either.
    """
    if not problems:
        return ()
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return (
        CaseReport(
            class_name=class_name,
            name=GATE,
            seconds=0,
            outcome="error" if fails else "skipped",
            message=f"{INCOMPLETE}: {printable(problems[0], 500)}{more}",
            text="\n".join(printable(problem, 2000) for problem in problems),
            properties={},
        ),
    )


def shortage_case(
    path: str, ran: int, promised: int, *, fails: bool = True
) -> tuple[CaseReport, ...]:
    """The case of a session of which something did not run, none where all of it did."""
    return gate_case(path, [ran_of(ran, promised)] if ran < promised else [], fails=fails)


def run_suites(run: RunReport) -> list[SuiteReport]:
    """Return the suites of a run, that of its own problems last."""
    by_comparison = {id(row.comparison): row for row in rows(run) if row.comparison is not None}
    suites = [_suite(run, session, by_comparison) for session in run.sessions]
    of_run = gate_case(RUN_SUITE, run.problems, fails=run.gate)
    return [*suites, *([SuiteReport(RUN_SUITE, {}, of_run)] if of_run else [])]


def _suite(run: RunReport, session: SessionResult, found: dict[int, Row]) -> SuiteReport:
    head = {} if run.audit is None else {
        "recon.audit_entries": str(run.audit.entries),
        "recon.audit_head": run.audit.head,
    }  # fmt: skip
    properties = {
        "recon.session_id": session.session_id,
        "recon.strategy_id": session.strategy_id,
        "recon.run_id": session.run_id,
        "recon.max_severity": session.max_severity.replace("match", Severity.INFO),
        "recon.comparisons": str(session.promised),
        "recon.ran": str(session.ran),
        **head,
    }
    for severity in reversed(Severity):
        properties[f"recon.count.{severity}"] = str(session.counts.get(severity, 0))
    cases = [_case(session, each, found.get(id(each))) for each in session.comparisons]
    short = shortage_case(session.path, session.ran, session.promised, fails=run.gate)
    return SuiteReport(session.path, properties, [*cases, *short])


def _case(session: SessionResult, comparison: ComparisonResult, row: Row | None) -> CaseReport:
    skipped = not comparison.blocks and comparison.verdict in _SKIPPED
    return CaseReport(
        class_name=f"{session.path}::{comparison.kind}",
        name=comparison.key,
        seconds=comparison.seconds,
        outcome="failed" if comparison.blocks else "skipped" if skipped else "passed",
        message="" if row is None else printable(row.text, _LONGEST_MESSAGE),
        text=comparison.text,
        properties={
            "recon.session_id": session.session_id,
            "recon.kind": comparison.kind,
            "recon.key": comparison.key,
            "recon.severity": comparison.verdict,
            "recon.drift": comparison.drift,
            **comparison.more,
        },
        file=session.file,
        line=None if row is None else row.line,
    )
