"""The findings of a run as rows, for formats that list them: the worst first.

A row is a difference, a comparison that failed for another reason, a session that did not run
completely, or a problem of the run. All texts are safe to print.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from recon_core.reports.run_report import (
    ComparisonResult,
    Explained,
    ReportedWaiver,
    RunReport,
    SessionResult,
)
from recon_core.reports.wording import ran_of
from recon_core.values.printable import printable
from recon_core.values.severity import Severity

NO_CAUSE: Final = "No cause found"
"""Sentence of an explanation that has nothing to say."""
GATE: Final = "gate"
"""Kind of a row that is of no comparison."""


@dataclass(frozen=True, slots=True)
class Row:
    """One finding and its place; `file` is empty where it is of the whole run.

    `severity` is that of the difference, FAIL where something else is red. `cause` is what
    explains it in a sentence, empty where nothing does. `waiver` says why it is waived, or why a
    waiver that names it does not cover it.
    """

    severity: Severity
    blocks: bool
    kind: str
    key: str
    message: str
    waiver: str = ""
    cause: str = ""
    file: str = ""
    line: int = 1
    session: SessionResult | None = None
    comparison: ComparisonResult | None = None
    explained: Explained | None = None

    @property
    def title(self) -> str:
        """`FAIL position BTC/EUR`."""
        return f"{self.severity} {self.kind} {self.key}".strip()

    @property
    def stated(self) -> str:
        """The message with its waiver, on one line."""
        return f"{self.message}; {self.waiver}" if self.waiver else self.message

    @property
    def text(self) -> str:
        """The message with its waiver and its cause, on one line."""
        return f"{self.stated}; {self.cause}" if self.cause else self.stated

    @property
    def fingerprint(self) -> str:
        """SHA-256 of what stays when amounts change: session, comparison, kinds of the cause."""
        causes = () if self.explained is None else self.explained.causes
        path = "" if self.session is None else self.session.path
        parts = (path, self.kind, self.key, *causes)
        return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def rows(run: RunReport) -> list[Row]:
    """Return every finding of a run, the worst first, problems of the run before all others."""
    found = [row for session in run.sessions for row in _of_session(run, session)]
    found.sort(key=lambda row: (not row.blocks, -row.severity.rank))
    severity = Severity.FAIL if run.gate else Severity.WARN
    problems = [
        Row(severity, run.gate, GATE, "", f"INCOMPLETE: {printable(problem, 2000)}")
        for problem in run.problems
    ]
    return [*problems, *found]


def by_cause(found: Iterable[Row]) -> list[list[Row]]:
    """Return the rows that something explains, those of one explanation together, in order."""
    groups: dict[int, list[Row]] = {}
    for row in found:
        if row.explained is not None:
            groups.setdefault(id(row.explained), []).append(row)
    return list(groups.values())


def _of_session(run: RunReport, session: SessionResult) -> Iterator[Row]:
    file = printable(session.file, 500)
    if session.ran < session.promised:
        severity = Severity.FAIL if run.gate else Severity.WARN
        message = f"INCOMPLETE: {ran_of(session.ran, session.promised)}"
        yield Row(severity, run.gate, GATE, "", message, file=file, session=session)
    for comparison in session.comparisons:
        if comparison.verdict != "match" or comparison.blocks:
            yield _of_comparison(session, comparison, file)


def _of_comparison(session: SessionResult, comparison: ComparisonResult, file: str) -> Row:
    finding = comparison.finding
    verdict = comparison.verdict
    row = Row(
        severity=Severity.FAIL if verdict == "match" else Severity(verdict),
        blocks=comparison.blocks,
        kind=printable(comparison.kind),
        key=printable(comparison.key, 300),
        message=printable(comparison.text.partition("\n")[0], 2000),
        file=file,
        session=session,
        comparison=comparison,
    )
    if finding is None:
        return row
    explained = None
    if finding.explanation is not None and finding.explanation < len(session.explanations):
        explained = session.explanations[finding.explanation]
    place = _place(comparison, explained)
    has_cause = explained is not None and explained.sentence != NO_CAUSE
    return replace(
        row,
        message=printable(finding.description, 2000),
        waiver=_waiver(finding.waivers),
        cause=printable(explained.sentence, 2000) if explained is not None and has_cause else "",
        file=file if place is None else printable(place[0], 500),
        line=1 if place is None else place[1],
        explained=explained,
    )


def _waiver(uses: Sequence[ReportedWaiver]) -> str:
    """Return the reason of the waiver that covers a finding, else why those that name it do not.

    The message of a finding that is covered names waiver, last day and owner already.
    """
    covering = next((use for use in uses if use.state == "used"), None)
    said = [f"waived because: {covering.reason}"] if covering else [use.text for use in uses]
    return printable("; ".join(said), 1000)


def _place(comparison: ComparisonResult, explained: Explained | None) -> tuple[str, int] | None:
    """Return the row of the side at fault, else of the ledger, else of the exchange."""
    places = () if comparison.finding is None else comparison.finding.places
    sides = [None if explained is None else explained.side, "internal", "external"]
    ordered = [place for side in sides for place in places if place.side == side]
    return (ordered[0].file, max(ordered[0].line, 1)) if ordered else None
