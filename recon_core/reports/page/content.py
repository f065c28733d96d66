"""The content of the page: what is shown of a run, in which order, and how much of it."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from recon_core.reports.mutation_tables import MutationTable, mutation_tables
from recon_core.reports.page.charts import (
    FillLanes,
    StepChart,
    TrendChart,
    WaterfallChart,
    fill_lanes,
    step_chart,
    trend_chart,
    waterfall_chart,
)
from recon_core.reports.report_rows import GATE, Row, by_cause, rows
from recon_core.reports.run_report import Explained, RunReport, SessionResult
from recon_core.values.severity import Severity

MOST_IN_MAP: Final = 200
"""Sessions of the heat map; of more only those with findings are in it."""
MOST_FINDINGS: Final = 500
"""Findings of the table: a browser lays out no more rows at once without a pause."""
MOST_SESSIONS: Final = 40
"""Sessions that are shown in full."""
MOST_CHARTS: Final = 6
"""Findings of a session with charts."""
MOST_IN_ALL: Final = 40
"""Findings of the page with charts: each is about 2 KB, and the page is to stay below 100 KB."""
MOST_ACTIONS: Final = 3
"""Actions of the banner: there is one for each severity."""
MOST_INPUTS: Final = 60
"""Files of the evidence."""
_KINDS: Final = ("position", "cash", "holding", "order", "fill", "movement", "ledger", "session")


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of the heat map: the worst severity of a kind, and how many there are."""

    severity: str
    count: int


@dataclass(frozen=True, slots=True)
class MapRow:
    """A session of the heat map; `cells` are in the order of the kinds."""

    anchor: str
    session: SessionResult
    detailed: bool
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True, slots=True)
class Charts:
    """The charts of one finding."""

    row: Row
    course: StepChart | None
    waterfall: WaterfallChart | None


@dataclass(frozen=True, slots=True)
class CauseBlock:
    """An explanation with the findings that it explains, the worst first."""

    explained: Explained
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class SessionBlock:
    """A session in full; it is open where it blocks."""

    anchor: str
    session: SessionResult
    blocks: bool
    severity: str
    causes: tuple[CauseBlock, ...]
    rows: tuple[Row, ...]
    charts: tuple[Charts, ...]
    more_charts: int
    lanes: FillLanes | None


@dataclass(frozen=True, slots=True)
class Page:
    """Everything that the template shows.

    `first` is the cause to chase first, `worst` a finding shown in place of it.
    `severities` are those of the map, the worst first; `waivers` says that some finding has one.
    `mutated` are the faults that were put into copies of the sessions.
    """

    run: RunReport
    actions: tuple[str, ...]
    first: CauseBlock | None
    worst: Row | None
    kinds: tuple[str, ...]
    map_rows: tuple[MapRow, ...]
    severities: tuple[str, ...]
    unmapped: int
    findings: tuple[Row, ...]
    more_findings: int
    waivers: bool
    sessions: tuple[SessionBlock, ...]
    more_sessions: int
    trend: TrendChart | None
    inputs: tuple[tuple[str, str, str], ...]
    more_inputs: int
    policies: tuple[str, ...]
    commits: tuple[str, ...]
    mutated: tuple[MutationTable, ...]


def page(run: RunReport) -> Page:
    """Return the content of the page of a run."""
    found = rows(run)
    by_session: dict[int, list[Row]] = {}
    for row in found:
        by_session.setdefault(id(row.session), []).append(row)
    first = {id(row.session): row.session for row in found if row.session is not None}
    differing = list(first.values())  # the one with the worst finding first
    detailed = differing[:MOST_SESSIONS]
    in_full = set(map(id, detailed))
    kinds = _kinds(found)
    matching = [one for one in run.sessions if id(one) not in first]
    shown = [*differing, *matching] if len(run.sessions) <= MOST_IN_MAP else differing[:MOST_IN_MAP]
    inputs, cause = _inputs(run), _first(found)
    return Page(
        run=run,
        actions=_actions(differing),
        first=cause,
        worst=_worst(found, cause),
        kinds=kinds,
        map_rows=tuple(
            MapRow(anchor(one), one, id(one) in in_full, _cells(by_session.get(id(one), ()), kinds))
            for one in shown
        ),
        severities=tuple(
            one for one in reversed(Severity) if any(row.severity is one for row in found)
        ),
        unmapped=len(run.sessions) - len(shown),
        findings=tuple(found[:MOST_FINDINGS]),
        more_findings=max(len(found) - MOST_FINDINGS, 0),
        waivers=any(row.waiver for row in found),
        sessions=tuple(_blocks(detailed, by_session)),
        more_sessions=len(differing) - len(detailed),
        trend=trend_chart(run.trend),
        inputs=tuple(inputs[:MOST_INPUTS]),
        more_inputs=max(len(inputs) - MOST_INPUTS, 0),
        policies=_evidence(run, "policy_sha256"),
        commits=_evidence(run, "commit"),
        mutated=() if run.mutation is None else tuple(mutation_tables(run.mutation)),
    )


def anchor(session: SessionResult, kind: str = "", key: str = "") -> str:
    """Return an id of the page that stays the same from run to run."""
    whole = "\0".join((session.path, kind, key)).encode("utf-8", "surrogatepass")
    return f"r{hashlib.sha256(whole).hexdigest()[:10]}"


def _kinds(found: Iterable[Row]) -> tuple[str, ...]:
    """Return the kinds with findings; those that a report of later makes have a column too."""
    named = {row.kind for row in found if row.session is not None and row.kind != GATE}
    return (*(kind for kind in _KINDS if kind in named), *sorted(named - set(_KINDS)))


def _cells(found: Sequence[Row], kinds: Sequence[str]) -> tuple[Cell | None, ...]:
    of_kind: Mapping[str, list[Row]] = {
        kind: [row for row in found if row.kind == kind] for kind in kinds
    }
    return tuple(
        Cell(max(each, key=lambda row: row.severity.rank).severity, len(each)) if each else None
        for each in of_kind.values()
    )


def _actions(differing: Iterable[SessionResult]) -> tuple[str, ...]:
    """Return what to do at once, each action once, that of the worst session first."""
    asking = [one for one in differing if one.action and one.max_severity != "match"]
    asking.sort(key=lambda one: -Severity(one.max_severity).rank)
    return tuple(dict.fromkeys(one.action for one in asking))[:MOST_ACTIONS]


def _first(found: Sequence[Row]) -> CauseBlock | None:
    """Return the worst proven cause, else the worst one that is possible; none that is waived."""
    open_ones = [row for row in found if row.severity is not Severity.WAIVED]
    groups = [group for group in _causes(open_ones) if group.explained.causes]
    proven = [group for group in groups if group.explained.verdict == "unique"]
    return next(iter(proven or groups), None)


def _worst(found: Sequence[Row], first: CauseBlock | None) -> Row | None:
    """Return the worst finding of a session where no cause is known, or where it is CRITICAL."""
    hidden = (Severity.WAIVED, Severity.INFO)
    rows_of = (row for row in found if row.session is not None and row.severity not in hidden)
    worst = next(rows_of, None)
    if worst is None or first is None:
        return worst
    is_known = first.rows[0].severity.rank >= worst.severity.rank
    return worst if worst.severity is Severity.CRITICAL and not is_known else None


def _causes(found: Sequence[Row]) -> list[CauseBlock]:
    shown = [row for row in found if row.blocks or row.severity is not Severity.INFO]
    return [
        CauseBlock(group[0].explained, tuple(group))
        for group in by_cause(shown)
        if group[0].explained is not None
    ]


def _blocks(
    sessions: Iterable[SessionResult], by_session: Mapping[int, list[Row]]
) -> Iterable[SessionBlock]:
    remaining = MOST_IN_ALL
    for session in sessions:
        found = by_session[id(session)]
        drawn = [charts for charts in map(_charts, found) if charts is not None]
        shown = drawn[: min(MOST_CHARTS, remaining)]
        remaining -= len(shown)
        yield SessionBlock(
            anchor(session),
            session,
            any(row.blocks for row in found),
            found[0].severity,
            tuple(_causes(found)),
            tuple(row for row in found if row.explained is None),
            tuple(shown),
            len(drawn) - len(shown),
            fill_lanes(session.fills),
        )


def _charts(row: Row) -> Charts | None:
    finding = None if row.comparison is None else row.comparison.finding
    if finding is None or not (finding.timeline or finding.waterfalls):
        return None
    course = finding.timeline
    drawn = None if course is None or not course.points else step_chart(course, finding.unit)
    steps = [one for one in finding.waterfalls if one.steps]
    states = {"internal": finding.internal, "external": finding.external}
    known = {side: state for side, state in states.items() if state is not None}
    return Charts(row, drawn, waterfall_chart(steps, known) if steps and known else None)


def _inputs(run: RunReport) -> list[tuple[str, str, str]]:
    """Return the files that were read: session, name, SHA-256."""
    return [
        (session.session_id, str(name), str(digest))
        for session in run.sessions
        for name, digest in _table(session.evidence.get("inputs")).items()
    ]


def _table(value: object) -> Mapping[object, object]:
    return value if isinstance(value, dict) else {}


def _evidence(run: RunReport, name: str) -> tuple[str, ...]:
    """Return the values that the sessions have of a part of their evidence, each once."""
    found = (session.evidence.get(name) for session in run.sessions)
    return tuple(dict.fromkeys(str(value) for value in found if value is not None))
