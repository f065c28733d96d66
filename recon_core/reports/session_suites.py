"""JUnit suites of reconciled sessions: one suite per session, one case per comparison.

Where the gate is not clear for another reason than the comparisons, a case named `gate`
says why: one in the suite of each session that did not run completely, one for the problems
of the run. Most consumers read failing cases and nothing else.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from recon_core.model.summary import ReconSummary
from recon_core.reports.junit import CaseReport, SuiteReport, junit_text
from recon_core.reports.wording import INCOMPLETE, ran_of
from recon_core.values.errors import ReconError
from recon_core.values.files import write_atomically
from recon_core.values.printable import printable
from recon_core.values.severity import Severity

GATE: Final = "gate"
"""The name of a case that is of no comparison; no comparison has it with this class name."""

RUN_SUITE: Final = "recon"
"""The suite of what concerns no single session."""


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
    path: str, summary: ReconSummary, *, fails: bool = True
) -> tuple[CaseReport, ...]:
    """The case of a session of which something did not run, none where all of it did."""
    ran, promised = summary.ran or 0, summary.comparisons or 0
    return gate_case(path, [ran_of(ran, promised)] if ran < promised else [], fails=fails)


def session_suite(
    path: str,
    summary: ReconSummary,
    cases: Sequence[CaseReport],
    more: Mapping[str, str] | None = None,
    *,
    fails: bool = True,
) -> SuiteReport:
    """The suite of one session; `path` is its path in node ids.

    `more` are properties that every suite of a run carries, such as the head of its
    audit log; `fails` is that of `gate_case`.
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
    return SuiteReport(path, properties, [*cases, *shortage_case(path, summary, fails=fails)])


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
    to show, `failed` whether it blocks: a WARN that does not, and what is waived, is reported
    as skipped. `more` are properties that not every item has: `folded_properties`,
    `explanation_properties`, `waiver_properties`.
    """
    skipped = not failed and verdict in (Severity.WARN, Severity.WAIVED)
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


def write_suites(
    path: Path, suites: Sequence[SuiteReport], problems: Sequence[str], *, fails: bool = True
) -> None:
    """Write the report whole or not at all; raises `ReconError` where that fails.

    `problems` are those of the run, which concern no single session; `fails` is that of
    `gate_case`.
    """
    of_run = gate_case(RUN_SUITE, problems, fails=fails)
    suites = [*suites, *([SuiteReport(RUN_SUITE, {}, of_run)] if of_run else [])]
    try:
        text = junit_text(suites)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, text)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        shown = printable(path)
        raise ReconError(f"{shown}: was not written: {printable(reason)}") from None
