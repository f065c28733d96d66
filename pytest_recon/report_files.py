"""The reports that `--recon-report` names, from what the gate heard."""

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from pytest_recon.gate import ItemResult
from pytest_recon.run import ReconRun
from recon_core import __version__
from recon_core.audit.trail import AuditTrail
from recon_core.model.comparison import ReconDiff
from recon_core.reports.run_report import AuditHead, FillMark, RunReport, SessionResult
from recon_core.reports.session_result import Outcome, run_report, session_result
from recon_core.reports.session_text import SessionReport
from recon_core.reports.wording import opened_path
from recon_core.reports.writing import write_reports

Sessions = Mapping[str, SessionReport]


def write_named(
    run: ReconRun, invocation_id: str, sessions: Sessions, trail: AuditTrail | None
) -> str:
    """Write every report; returns the text for standard output. What fails is a problem."""
    gate, results = run.gate, tuple(_results(run, sessions))
    trend = () if trail is None else trail.recent()
    head = None if trail is None else trail.head

    def made() -> RunReport:
        return run_report(
            gate.tally(),
            results,
            version=__version__,
            invocation_id=invocation_id,
            policy=run.policy_name,
            problems=gate.problems,
            notes=[],
            audit=None if head is None else AuditHead(head.count, head.hash),
            gate=gate.fails_reports,
            trend=trend,
        )

    add: Callable[[str], None] = gate.add_problem
    return write_reports(run.settings.reports, made, lambda: gate.problems, add)


def _results(run: ReconRun, sessions: Sessions) -> Iterator[SessionResult]:
    directory = run.config.invocation_params.dir
    for promise in run.gate.sessions:
        report = sessions[promise.path]
        outcomes = [_outcome(result) for result in run.gate.results(promise.path)]
        marks = tuple(FillMark(**mark) for mark in promise.fills) if report.diffs else ()
        anchor = Path(os.fsdecode(promise.anchor))
        yield session_result(report, opened_path(anchor, directory), outcomes, marks)


def _outcome(result: ItemResult) -> Outcome:
    return Outcome(
        kind=result.kind,
        key=result.key,
        verdict=result.verdict,
        blocks=result.failed,
        seconds=result.seconds,
        drift=result.drift,
        more=result.more,
        text=result.text,
        diff=None if result.diff is None else ReconDiff.from_dict(result.diff),
    )
