"""From a judged session to its part of a run's report."""

import posixpath
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final

from recon_core.model import Fill
from recon_core.model.comparison import Comparison, ReconDiff
from recon_core.model.matched_rows import MatchedFills
from recon_core.reports.explanations import explanation_rows
from recon_core.reports.finding_text import cause_rows, finding_rows, next_commands
from recon_core.reports.findings import Finding, findings_of
from recon_core.reports.layout import Row
from recon_core.reports.run_report import (
    SCHEMA,
    AuditHead,
    ComparisonResult,
    Course,
    Explained,
    FillMark,
    Mutation,
    Point,
    ReportedDiff,
    ReportedWaiver,
    RowPlace,
    RunReport,
    SessionResult,
    Steps,
    TrendRun,
)
from recon_core.reports.session_text import SessionReport, action_of
from recon_core.reports.side_names import SideNames
from recon_core.reports.text import description_text
from recon_core.reports.wording import Tally
from recon_core.values.times import format_time


def run_report(
    tally: Tally,
    sessions: Sequence[SessionResult],
    *,
    version: str,
    invocation_id: str,
    policy: str,
    problems: Sequence[str],
    notes: Sequence[str],
    audit: AuditHead | None,
    gate: bool = True,
    trend: Sequence[TrendRun] = (),
    mutation: Mutation | None = None,
) -> RunReport:
    """Return the report of a run as of now; `gate` as in `RunReport`."""
    return RunReport(
        schema=SCHEMA,
        version=version,
        written=format_time(datetime.now(UTC).replace(microsecond=0)),
        verdict=tally.verdict,  # type: ignore[arg-type]  # one of the three
        line=tally.line(),
        gate=gate,
        invocation_id=invocation_id,
        policy=policy,
        problems=tuple(problems),
        notes=tuple(notes),
        audit=audit,
        trend=tuple(trend),
        sessions=tuple(sessions),
        mutation=mutation,
    )


MOST_MARKS: Final = 120
"""Stretches of time of a lane of fills: one is at least 5 pixels wide on a page."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One comparison as it ran; `blocks` says that it is red, `text` is its finding in full."""

    kind: str
    key: str
    verdict: str
    blocks: bool
    seconds: float
    drift: str
    more: Mapping[str, str]
    text: str
    diff: ReconDiff | None


def session_result(
    report: SessionReport,
    file: str,
    outcomes: Sequence[Outcome],
    marks: Iterable[FillMark] = (),
) -> SessionResult:
    """Return the part of one session; `file` is its path as seen from where the run started."""
    summary, names = report.summary, report.names
    findings = findings_of(each.diff for each in outcomes if each.diff is not None)
    explained = [one for one in findings if one.explanation is not None]
    places = {
        diff.identity: place
        for place, one in enumerate(explained)
        for diff in one.diffs
        if diff.explanation is not None
    }
    ran = len(outcomes)
    return SessionResult(
        path=report.path,
        file=file,
        session_id=summary.session_id,
        strategy_id=summary.strategy_id,
        run_id=summary.run_id,
        mode=report.mode,
        internal=names.internal,
        external=names.external,
        promised=ran if summary.comparisons is None else summary.comparisons,
        ran=ran,
        counts=dict(summary.counts_by_severity),
        max_severity=summary.max_severity if summary.total_diffs else "match",
        action=action_of(findings, report.mode) if findings else "",
        next=tuple(next_commands(findings, report.file)) if findings else (),
        notes=summary.notes,
        mirrored=summary.mirrored,
        evidence=dict(summary.evidence),
        explanations=tuple(_explained(one, names) for one in explained),
        fills=tuple(marks),
        comparisons=tuple(_result(each, places, names, file) for each in outcomes),
    )


def _explained(finding: Finding, names: SideNames) -> Explained:
    explanation = finding.explanation
    assert explanation is not None  # noqa: S101  # the caller has looked
    only_head = replace(finding, diffs=finding.diffs[:1])
    rows = (
        cause_rows(explanation, names, 0)
        if finding.has_cause
        else islice(finding_rows(only_head, names, 0), 1)
    )
    return Explained(
        verdict=str(explanation.verdict),
        side=None if explanation.side is None else str(explanation.side),
        causes=tuple(dict.fromkeys(str(cause.cause_kind) for cause in explanation.causes)),
        sentence=_sentence(rows),
        facts=tuple(
            (row.head.removesuffix(": "), row.text)
            for row in explanation_rows(explanation, names, whole=True)
        ),
    )


def _sentence(rows: Iterable[Row]) -> str:
    """Return the rows of a cause on one line; the causes of several follow their number."""
    first, *others = rows
    listed = "; ".join(row.text for row in others)
    return f"{first.head}{first.text} {listed}".rstrip()


def _result(
    outcome: Outcome, places: Mapping[str, int], names: SideNames, file: str
) -> ComparisonResult:
    diff = outcome.diff
    return ComparisonResult(
        kind=outcome.kind,
        key=outcome.key,
        verdict=outcome.verdict,  # type: ignore[arg-type]  # match or a severity
        blocks=outcome.blocks,
        seconds=round(outcome.seconds, 6),
        drift=outcome.drift,
        more=outcome.more,
        text=outcome.text,
        finding=None if diff is None else _finding(diff, places.get(diff.identity), names, file),
    )


def _finding(diff: ReconDiff, explanation: int | None, names: SideNames, file: str) -> ReportedDiff:
    figures: Mapping[str, Any] = diff.to_dict()
    return ReportedDiff(
        diff_id=diff.diff_id,
        description=description_text(diff, names),
        internal=figures["internal"],
        external=figures["external"],
        delta=figures["delta"],
        unit=diff.unit,
        tolerance=diff.tolerance,
        notes=tuple(map(names.said, diff.notes)),
        softened_by=diff.softened_by,
        explanation=explanation,
        waivers=tuple(ReportedWaiver(**each) for each in figures["waivers"]),
        waterfalls=tuple(Steps(**each) for each in figures["waterfalls"]),
        timeline=_course(figures["timeline"]),
        places=tuple(
            RowPlace(each["side"], _beside(file, each["file"]), each["line"])
            for each in figures["places"]
        ),
    )


def _beside(file: str, name: str) -> str:
    """The path of a file that is named as seen from the directory of another."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(file), name))


def _course(timeline: Mapping[str, Any] | None) -> Course | None:
    if timeline is None:
        return None
    points = tuple(Point(**point) for point in timeline["points"])
    return Course(**{**timeline, "points": points})


def fill_marks(comparisons: Iterable[Comparison]) -> tuple[FillMark, ...]:
    """Return the fills of a session by time, in stretches of equal length, without empty ones."""
    found = [(*_mark(one.matched),) for one in comparisons if isinstance(one.matched, MatchedFills)]
    times = [time for time, _ in found]
    if not times:
        return ()
    first, length = min(times), max(times) - min(times)
    counts: dict[int, dict[str, int]] = {}
    begins: dict[int, datetime] = {}
    for time, lane in sorted(found):
        place = int((time - first) * MOST_MARKS / length) if length else 0
        place = min(place, MOST_MARKS - 1)
        begins.setdefault(place, time)
        counts.setdefault(place, dict.fromkeys(_LANES, 0))[lane] += 1
    return tuple(
        FillMark(time=format_time(begins[place]), **lanes)
        for place, lanes in sorted(counts.items())
    )


_LANES: Final = ("matched", "unequal", "only_internal", "only_external")


def _mark(matched: MatchedFills) -> tuple[datetime, str]:
    ours, theirs = matched.internal, matched.external
    rows: tuple[Fill, ...] = ours or theirs
    time = rows[0].time
    if not theirs:
        return time, "only_internal"
    if not ours:
        return time, "only_external"
    return time, "matched" if ours == theirs else "unequal"
