"""JUnit suites of reconciled sessions: one suite per session, one case per comparison."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from recon_core.atomic import write_atomically
from recon_core.errors import ReconError
from recon_core.printable import printable
from recon_core.reports.junit import CaseReport, SuiteReport, junit_text
from recon_core.severity import Severity
from recon_core.summary import ReconSummary


def session_suite(
    path: str,
    summary: ReconSummary,
    cases: Sequence[CaseReport],
    more: Mapping[str, str] | None = None,
) -> SuiteReport:
    """The suite of one session; `path` is its path in node ids.

    `more` are properties that every suite of a run carries, such as the head of its
    audit log.
    """
    properties = {
        "recon.session_id": summary.session_id,
        "recon.strategy_id": summary.strategy_id,
        "recon.run_id": summary.run_id,
        "recon.max_severity": summary.max_severity,
        "recon.comparisons": str(summary.comparisons),
        "recon.ran": str(summary.ran),
        **(more or {}),
    }
    for severity in reversed(Severity):
        properties[f"recon.count.{severity}"] = str(summary.counts_by_severity.get(severity, 0))
    return SuiteReport(path, properties, cases)


def session_case(
    path: str,
    session_id: str,
    *,
    kind: str,
    key: str,
    verdict: str,
    drift: str,
    failed: bool,
    seconds: float,
    text: str,
    more: Mapping[str, str],
) -> CaseReport:
    """The case of one comparison.

    `verdict` is `match` or a severity, `text` the diff in full where there is something
    to show, `failed` whether it blocks: a WARN that does not is reported as skipped. `more` are
    properties that not every item has: `folded_properties`, `explanation_properties`.
    """
    skipped = not failed and verdict == Severity.WARN
    return CaseReport(
        class_name=f"{path}::{kind}",
        name=key,
        seconds=seconds,
        outcome="failed" if failed else "skipped" if skipped else "passed",
        message="" if verdict == "match" else text.partition("\n")[0],
        text=text,
        properties={
            "recon.session_id": session_id,
            "recon.kind": kind,
            "recon.key": key,
            "recon.severity": verdict,
            "recon.drift": drift,
            **more,
        },
    )


def write_suites(path: Path, suites: Sequence[SuiteReport]) -> None:
    """Write the report whole or not at all; raises `ReconError` where that fails."""
    try:
        text = junit_text(suites)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, text)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        shown = printable(path)
        raise ReconError(f"{shown}: was not written: {printable(reason)}") from None
