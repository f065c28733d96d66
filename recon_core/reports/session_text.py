"""The sessions of a run in the terminal: one table, then the worst diffs of each."""

from collections.abc import Sequence
from dataclasses import dataclass

from tabulate import tabulate

from recon_core.model.comparison import ReconDiff
from recon_core.model.summary import ReconSummary, sorted_diffs
from recon_core.reports.explanations import explanation_sentence, explanations_of
from recon_core.reports.text import worst_lines
from recon_core.values.severity import JUDGED, Severity

_OTHER_COLUMNS = ("session", "ran"), ("maximum", "escalation")


@dataclass(frozen=True, slots=True)
class SessionReport:
    """One session: its path in node ids, its summary and all its diffs, in any order.

    The ids and the notes of the summary are safe to print; it says how many comparisons
    there are and how many ran.
    """

    path: str
    summary: ReconSummary
    diffs: Sequence[ReconDiff]


def summary_lines(
    reports: Sequence[SessionReport], top_n: int, *, name_runs: bool = False
) -> list[str]:
    """The table of all sessions, and per session its notes, its `top_n` worst diffs, and why.

    `name_runs` adds the run id, which an audit log answers to.
    """
    if not reports:
        return []
    shown = JUDGED
    if any(report.summary.counts_by_severity.get(Severity.WAIVED) for report in reports):
        shown = tuple(Severity)
    rows = [_row(report.summary, shown) for report in reports]
    before, after = _OTHER_COLUMNS
    columns = (*before, *map(str, shown), *after)
    table = tabulate(rows, columns, tablefmt="simple", disable_numparse=True)
    lines = [line.rstrip() for line in table.splitlines()]
    return lines + [
        line for report in reports for line in _session_lines(report, top_n, name_run=name_runs)
    ]


def _row(summary: ReconSummary, shown: Sequence[Severity]) -> list[str]:
    counts = summary.counts_by_severity
    found = summary.max_severity if summary.total_diffs else "match"
    return [
        _shown(summary.session_id),
        f"{summary.ran}/{summary.comparisons}",
        *(str(counts.get(severity, 0)) for severity in shown),
        found if summary.ran else "-",
        "; ".join(summary.escalation) or "none",
    ]


def _session_lines(report: SessionReport, top_n: int, *, name_run: bool) -> list[str]:
    summary, diffs = report.summary, sorted_diffs(report.diffs)
    if not diffs and not summary.notes:
        return []
    # A softened diff is never among those that are left out.
    hidden = [diff.description for diff in diffs[top_n:] if diff.softened_by is not None]
    why = [f"why: {explanation_sentence(each)}" for each in explanations_of(diffs[:top_n])]
    lines = [*summary.notes, *worst_lines(diffs, top_n), *hidden, *why]
    title = f"{_shown(summary.session_id)} ({report.path})"
    if name_run:
        title += f", run {summary.run_id}"
    return ["", title, *(f"  {line}" for line in lines)]


def _shown(session_id: str) -> str:
    """An id at the start of a line, where it must not pass for the verdict."""
    return f"'{session_id}'" if session_id.lstrip().startswith("RECON:") else session_id
