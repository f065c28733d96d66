"""The sessions of a run in the terminal: the causes of each, the worst first, and what to run next.

A few sessions with differences are blocks, one for each cause. More are one table of the worst,
one row a session. Sessions without a difference are one line.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Final

from tabulate import tabulate

from recon_core.model.comparison import ReconDiff
from recon_core.model.escalation import REHEARSALS, escalation_text
from recon_core.model.summary import ReconSummary, count_severities
from recon_core.reports.finding_text import (
    finding_rows,
    is_quiet,
    is_unreadable,
    next_commands,
    one_line,
)
from recon_core.reports.findings import Finding, findings_of
from recon_core.reports.layout import (
    BOLD,
    DIM,
    GOOD,
    Row,
    Screen,
    cut_at_a_space,
    lines_of,
    tellable,
)
from recon_core.reports.side_names import SideNames
from recon_core.reports.wording import (
    BLOCKED,
    CLEAR,
    MOST_IN_BLOCKS,
    Tally,
    counted,
    counts_text,
    ran_of,
)
from recon_core.sessions.directory_search import NATIVE_SUFFIX
from recon_core.values.severity import Severity

MOST_IN_TABLE: Final = 20
"""Sessions that a table lists; more are counted. With pytest's own lines it stays on 60 lines."""
_COLUMNS: Final = ("", "session", "diffs", "cause, or the largest difference")
_GAP: Final = 2
"""Columns between two columns of a table; tabulate keeps as many beside a heading."""
_NARROW: Final = 60
"""Columns below which a table has no room for a cause beside the other columns."""
_MOST_NAMES: Final = 3
"""Sessions that a line names; more are counted."""
_MOST_NOTES: Final = 10
"""Notes that are listed; more are counted."""


@dataclass(frozen=True, slots=True)
class SessionReport:
    """One session: its path in node ids, its summary and all its diffs, in any order.

    The ids and the notes of the summary are safe to print; it says how many comparisons
    there are and how many ran. `mode` and `sources` are the session's own; `file` is the path
    that a command takes, seen from the working directory. `shown` are the identities of
    differences that the reader has seen already, with their causes.
    """

    path: str
    summary: ReconSummary
    diffs: Sequence[ReconDiff]
    mode: str = ""
    sources: Mapping[str, str] = field(default_factory=dict)
    file: str = ""
    shown: frozenset[str] = frozenset()

    @property
    def names(self) -> SideNames:
        """The names of its sides."""
        return SideNames.of_sources(self.sources)

    @property
    def differs(self) -> bool:
        """True if it has a difference that is worth a look: above INFO, or softened by a hook."""
        return not all(map(is_quiet, self.diffs))

    @property
    def is_partial(self) -> bool:
        """True if not every comparison ran."""
        return (self.summary.ran or 0) < (self.summary.comparisons or 0)


@dataclass(frozen=True, slots=True)
class Detail:
    """Amount of detail in which sessions are shown.

    `top_n` are the differences of a session that are listed, `verbose` shows all figures of
    every difference, `run_ids` the ids that an audit log answers to. `options` are added to the
    commands that are proposed: what the run was given, a second command has to be given too.
    """

    top_n: int = 10
    verbose: bool = False
    run_ids: bool = False
    options: tuple[str, ...] = ()


def session_lines(reports: Sequence[SessionReport], detail: Detail, screen: Screen) -> list[str]:
    """Return the lines on all sessions of a run, a blank line between two blocks."""
    listed = [each for each in reports if each.differs or (detail.verbose and each.diffs)]
    listed.sort(key=_urgency)
    labels = dict(zip((each.path for each in reports), _labels(reports), strict=True))
    lines: list[str] = []
    if detail.verbose or len(listed) <= MOST_IN_BLOCKS:
        for report in listed:
            lines += [*lines_of(_block(report, detail), screen), ""]
    else:
        lines = [*_table(listed, labels, screen), *lines_of(_below_table(listed, detail), screen)]
    paths = {each.path for each in listed}
    others = [each for each in reports if each.path not in paths]
    return lines + lines_of([*_other_rows(others), *_note_rows(reports, labels)], screen)


def _urgency(report: SessionReport) -> tuple[int, int, str]:
    """Return the place of a session: by its worst difference, then by how many there are."""
    worst = max((diff.severity.rank for diff in report.diffs), default=-1)
    return -worst, -len(report.diffs), report.path


def _labels(reports: Sequence[SessionReport]) -> list[str]:
    """Return the session ids, in place of an id that several sessions have their paths."""
    count = Counter(each.summary.session_id for each in reports)
    return [
        each.path.removesuffix(NATIVE_SUFFIX) if count[each.summary.session_id] > 1
        else each.summary.session_id
        for each in reports
    ]  # fmt: skip


def _block(report: SessionReport, detail: Detail) -> Iterator[Row]:
    """Yield the rows of one session: its figures, its causes, and what to do next."""
    findings = findings_of(report.diffs)
    new = [one for one in findings if not report.shown.issuperset(_identities(one))]
    run = f", run {report.summary.run_id}" if detail.run_ids else ""
    ran = f", {_ran(report)}" if report.is_partial else ""
    seen = ", shown above" if len(new) < len(findings) else ""
    title = f"{report.summary.session_id} ({report.path})"
    yield Row(f"{title}{ran}{seen}{run}", f"{counts_text(report.diffs)}  ", _worst(report))
    for finding in new:
        yield from finding_rows(
            finding, report.names, detail.top_n, verbose=detail.verbose, indent=2
        )
    yield from _next_rows(report, findings, detail)


def _identities(finding: Finding) -> frozenset[str]:
    return frozenset(diff.identity for diff in finding.diffs)


def _next_rows(report: SessionReport, findings: Sequence[Finding], detail: Detail) -> Iterator[Row]:
    action = action_of(findings, report.mode)
    if action:
        yield Row(action, "Action: ", indent=2)
    for command in next_commands(findings, report.file, detail.options):
        yield Row(command, "Next: ", indent=2, is_whole=True)


def action_of(findings: Sequence[Finding], mode: str) -> str:
    """Return what to do at once about a session; empty where nothing is at stake.

    A file that cannot be read has to be mended. The escalation of the runbook is for sessions
    that may be live.
    """
    if any(map(is_unreadable, findings)):
        return "fix the file; nothing of it was compared"
    counts = count_severities(diff for one in findings for diff in one.diffs)
    if mode in REHEARSALS or not any(one.rank > Severity.WAIVED.rank for one in counts):
        return ""
    return escalation_text(counts)


def _ran(report: SessionReport) -> str:
    return ran_of(report.summary.ran or 0, report.summary.comparisons or 0)


def _table(listed: Sequence[SessionReport], labels: Mapping[str, str], screen: Screen) -> list[str]:
    """Return the worst sessions, one row each, the last column cut to what is left."""
    worst = listed[:MOST_IN_TABLE]
    if screen.width < _NARROW:
        return lines_of(map(_narrow_row, worst, (labels[each.path] for each in worst)), screen)
    names = tellable([labels[each.path] for each in worst], screen.width // 4)
    severities = [str(_worst(each)) for each in worst]
    counts = [str(len(each.diffs)) for each in worst]
    taken = sum(
        max(len(header) + _GAP, *map(len, column)) + _GAP
        for header, column in zip(_COLUMNS, (severities, names, counts), strict=False)
    )
    rows = [
        (screen.paint(severity, severity), name, count, _cause(report, screen.width - taken))
        for severity, name, count, report in zip(severities, names, counts, worst, strict=True)
    ]
    table = tabulate(rows, _COLUMNS, tablefmt="plain", disable_numparse=True)
    return [line.rstrip() for line in table.splitlines()]


def _narrow_row(report: SessionReport, name: str) -> Row:
    severity = _worst(report)
    return Row(f"{name}: {_worst_line(report)}", f"{severity}  ", severity)


def _worst_line(report: SessionReport) -> str:
    """Return the worst cause of a session, without the name of its file: the row has it."""
    line = one_line(findings_of(report.diffs)[0])
    return line.replace(f"{PurePath(report.path).name}: ", "", 1)


def _cause(report: SessionReport, room: int) -> str:
    """Return the worst cause of a session, and how many more there are."""
    findings = findings_of(report.diffs)
    more = f" (+{len(findings) - 1} more)" if len(findings) > 1 else ""
    return f"{cut_at_a_space(_worst_line(report), room - len(more))}{more}"


def _worst(report: SessionReport) -> Severity:
    return max((diff.severity for diff in report.diffs), key=lambda severity: severity.rank)


def _below_table(listed: Sequence[SessionReport], detail: Detail) -> Iterator[Row]:
    """Yield how many sessions the table leaves out, and what to do next."""
    left_out = listed[MOST_IN_TABLE:]
    if left_out:
        counts = counts_text(diff for each in left_out for diff in each.diffs)
        names = _named([each.path for each in left_out])
        sessions = counted(len(left_out), "more session")
        yield Row(f"{counts}, in {names}", f"{sessions}: ", BOLD)
    actions = dict.fromkeys(action_of(findings_of(each.diffs), each.mode) for each in listed)
    for action in filter(None, actions):
        yield Row(action, "Action: ")
    commands = (
        command
        for each in listed
        for command in next_commands(findings_of(each.diffs), each.file, detail.options)
    )
    first = next(commands, "")
    if first:
        yield Row(first, "Next: ", is_whole=True)
    yield Row("-v shows every session with all of its figures")


def _other_rows(others: Sequence[SessionReport]) -> Iterator[Row]:
    """Yield a row for all sessions that match, and one for each other kind of session."""
    partial = [each for each in others if each.is_partial]
    whole = [each for each in others if not each.is_partial]
    within = [each for each in whole if each.diffs]
    matching = len(whole) - len(within)
    if matching:
        yield Row(f"{counted(matching, 'session')} {'matches' if matching == 1 else 'match'}")
    if within:
        counts = counts_text(diff for each in within for diff in each.diffs)
        differ = "differs" if len(within) == 1 else "differ"
        names = _named([each.path for each in within])
        is_waived = any(diff.waiver is not None for each in within for diff in each.diffs)
        how = "within the tolerance or waived" if is_waived else "within the tolerance"
        yield Row(f"{counted(len(within), 'session')} {differ} {how}: {counts}, in {names}")
    if partial:
        ran = sum(each.summary.ran or 0 for each in partial)
        promised = sum(each.summary.comparisons or 0 for each in partial)
        names = _named([each.path for each in partial])
        yield Row(
            f"{ran_of(ran, promised)}, in {names}",
            f"{counted(len(partial), 'session')} not complete: ",
            BOLD,
        )


def _note_rows(reports: Sequence[SessionReport], labels: Mapping[str, str]) -> Iterator[Row]:
    """Yield each note once, with the sessions that it is of."""
    sessions: dict[str, list[str]] = {}
    for report in reports:
        for note in report.summary.notes:
            sessions.setdefault(SideNames().said(note), []).append(labels[report.path])
    for note, concerned in list(sessions.items())[:_MOST_NOTES]:
        yield Row(f"{_named(concerned)}: {note}", "note  ", DIM)
    more = len(sessions) - _MOST_NOTES
    if more > 0:
        yield Row(f"{counted(more, 'more note')}; the JSON has all", "note  ", DIM)


def _named(names: Sequence[str]) -> str:
    """Return the first names, and how many more there are."""
    more = len(names) - _MOST_NAMES
    shown = ", ".join(names[:_MOST_NAMES])
    return f"{shown} and {more} more" if more > 0 else shown


def verdict_line(tally: Tally, screen: Screen) -> str:
    """Return the last line of a run, in bold and in the colour of its verdict."""
    styles = {CLEAR: GOOD, BLOCKED: Severity.FAIL}
    return screen.paint(tally.line(), styles.get(tally.verdict, Severity.WARN))
