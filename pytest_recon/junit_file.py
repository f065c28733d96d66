"""`--recon-junit`: one `<testsuite>` per session, parsed back before it counts."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from pytest_recon.gate import MATCH, ItemResult, SessionPromise
from recon_core.printable import printable
from recon_core.reports.atomic import write_atomically
from recon_core.reports.junit import CaseReport, SuiteReport, junit_text
from recon_core.summary import ReconSummary

Suite = tuple[SessionPromise, ReconSummary, list[ItemResult]]


def write_junit(path: Path, suites: Sequence[Suite], head: Mapping[str, str]) -> str | None:
    """Write the report whole or not at all; returns what went wrong, if anything did.

    `head` are the properties of the audit log, which every suite carries.
    """
    try:
        text = junit_text([_suite(*suite, head) for suite in suites])
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, text)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        return f"--recon-junit={printable(path)}: was not written: {printable(reason)}"
    return None


def _suite(
    promise: SessionPromise,
    summary: ReconSummary,
    results: Sequence[ItemResult],
    head: Mapping[str, str],
) -> SuiteReport:
    properties = {
        "recon.session_id": promise.session_id,
        "recon.strategy_id": promise.strategy_id,
        "recon.run_id": summary.run_id,
        "recon.max_severity": summary.max_severity,
        "recon.comparisons": str(promise.comparisons),
        "recon.ran": str(len(results)),
        **head,
    }
    for severity in ("CRITICAL", "FAIL", "WARN", "INFO"):
        properties[f"recon.count.{severity}"] = str(summary.counts_by_severity.get(severity, 0))
    return SuiteReport(promise.path, properties, [_case(promise, result) for result in results])


def _case(promise: SessionPromise, result: ItemResult) -> CaseReport:
    # WARN without failing is an xfail: reported as skipped, with its message.
    skipped = not result.failed and result.verdict == "WARN"
    return CaseReport(
        class_name=f"{promise.path}::{result.kind}",
        name=result.key,
        seconds=result.seconds,
        outcome="failed" if result.failed else "skipped" if skipped else "passed",
        message="" if result.verdict == MATCH else result.text.partition("\n")[0],
        text=result.text,
        properties={
            "recon.session_id": promise.session_id,
            "recon.kind": result.kind,
            "recon.key": result.key,
            "recon.severity": result.verdict,
            "recon.drift": result.drift,
        },
    )
