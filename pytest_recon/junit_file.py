"""`--recon-junit`: one `<testsuite>` per session, parsed back before it counts."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from pytest_recon.gate import ItemResult, SessionPromise
from recon_core.errors import ReconError
from recon_core.reports.junit import CaseReport, SuiteReport
from recon_core.reports.session_suites import session_case, session_suite, write_suites
from recon_core.summary import ReconSummary

Suite = tuple[SessionPromise, ReconSummary, list[ItemResult]]


def write_junit(path: Path, suites: Sequence[Suite], head: Mapping[str, str]) -> str | None:
    """Write the report whole or not at all; returns what went wrong, if anything did.

    `head` are the properties of the audit log, which every suite carries.
    """
    try:
        write_suites(path, [_suite(*suite, head) for suite in suites])
    except ReconError as error:
        return f"--recon-junit={error}"
    return None


def _suite(
    promise: SessionPromise,
    summary: ReconSummary,
    results: Sequence[ItemResult],
    head: Mapping[str, str],
) -> SuiteReport:
    cases = [_case(promise, result) for result in results]
    return session_suite(promise.path, summary, cases, head)


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
