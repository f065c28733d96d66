"""`--recon-junit`: one `<testsuite>` per session, parsed back before it counts."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from pytest_recon.gate import Gate, ItemResult, SessionPromise
from recon_core.model.summary import ReconSummary
from recon_core.reports.junit import CaseReport, SuiteReport
from recon_core.reports.session_suites import session_case, session_suite, write_suites
from recon_core.values.errors import ReconError


def write_junit(
    path: Path,
    gate: Gate,
    sessions: Sequence[tuple[SessionPromise, ReconSummary]],
    head: Mapping[str, str],
) -> None:
    """Write the report whole or not at all; a report that is not written is a problem.

    `head` are the properties of the audit log, which every suite carries.
    """
    suites = [_suite(gate, promise, summary, head) for promise, summary in sessions]
    try:
        write_suites(path, suites, gate.problems, fails=gate.fails_reports)
    except ReconError as error:
        gate.add_problem(f"--recon-junit={error}")


def _suite(
    gate: Gate, promise: SessionPromise, summary: ReconSummary, head: Mapping[str, str]
) -> SuiteReport:
    cases = [_case(promise, result) for result in gate.results(promise.path)]
    return session_suite(promise.path, summary, cases, head, fails=gate.fails_reports)


def _case(promise: SessionPromise, result: ItemResult) -> CaseReport:
    return session_case(
        promise.path,
        promise.session_id,
        kind=result.kind,
        key=result.key,
        verdict=result.verdict,
        drift=result.drift,
        failed=result.failed,
        seconds=result.seconds,
        text=result.text,
        more=result.more,
    )
