"""The report of a whole run: what every report format is made of, and its JSON.

Plain values only: text, whole numbers, lists. Amounts are exact decimals as text, times are in
UTC with `Z`. A format is a function of this value alone, so any of them can be made later from
the JSON.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

SCHEMA: Final = "recon.report/1"

_CLOSED: Final = {"extra": "forbid"}


@dataclass(frozen=True, slots=True)
class Steps:
    """A side's cash waterfall: `steps` by category lead to `closing`; `stated` is its own total."""

    __pydantic_config__ = _CLOSED
    side: Literal["internal", "external"]
    currency: str
    opened: bool
    steps: Mapping[str, str]
    closing: str
    stated: str | None


@dataclass(frozen=True, slots=True)
class Point:
    """Both sides at one time."""

    __pydantic_config__ = _CLOSED
    time: str
    internal: str
    external: str


@dataclass(frozen=True, slots=True)
class Course:
    """Both sides in time: at common snapshots or after postings.

    `tolerance` is the largest delta at the end that does not fail, `first` the place in `points`
    of the first divergence; `left_out` counts times between the points that are not listed.
    """

    __pydantic_config__ = _CLOSED
    source: Literal["snapshots", "postings"]
    points: tuple[Point, ...]
    tolerance: str
    first: int | None
    left_out: int


@dataclass(frozen=True, slots=True)
class RowPlace:
    """Place of a row of one side: a file as seen from where the run was started, and its line."""

    __pydantic_config__ = _CLOSED
    side: Literal["internal", "external"]
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class ReportedWaiver:
    """A waiver that names a difference, and what became of it: `used` is the one that covers it.

    `severity` is that of the difference without waivers, `finding` the digest of the difference;
    `expires` is its last day in UTC, `days_left` counts from the day of the run.
    """

    __pydantic_config__ = _CLOSED
    id: str
    owner: str
    reason: str
    expires: str
    days_left: int
    state: Literal["exceeded", "changed", "expired", "unused", "used"]
    severity: Literal["INFO", "WARN", "FAIL", "CRITICAL"]
    finding: str
    text: str


@dataclass(frozen=True, slots=True)
class ReportedDiff:
    """A difference in full, its description in the names that the session gives its sides.

    `explanation` is the place of what explains it in
    the session's `explanations`, `None` where nothing does. `waivers` are those that name it.
    """

    __pydantic_config__ = _CLOSED
    diff_id: str
    description: str
    internal: str | None
    external: str | None
    delta: str | None
    unit: str
    tolerance: str
    notes: tuple[str, ...]
    softened_by: str | None
    explanation: int | None
    waivers: tuple[ReportedWaiver, ...]
    waterfalls: tuple[Steps, ...]
    timeline: Course | None
    places: tuple[RowPlace, ...]


@dataclass(frozen=True, slots=True)
class ComparisonResult:
    """A comparison that ran: `verdict` is `match` or a severity, `blocks` says if it is red.

    `drift` is a fraction, empty where it has no meaning; `more` holds properties that not every
    comparison has. `text` is its finding as the terminal has it, empty where nothing differs.
    """

    __pydantic_config__ = _CLOSED
    kind: str
    key: str
    verdict: Literal["match", "INFO", "WAIVED", "WARN", "FAIL", "CRITICAL"]
    blocks: bool
    seconds: float
    drift: str
    more: Mapping[str, str]
    text: str
    finding: ReportedDiff | None


@dataclass(frozen=True, slots=True)
class Explained:
    """An explanation of differences: `verdict` says how far it is proven.

    `sentence` is it in one line, `facts` are names and values in the order of the terminal,
    `causes` the kinds of the faults, `side` the side at fault where all are on one.
    """

    __pydantic_config__ = _CLOSED
    verdict: str
    side: str | None
    causes: tuple[str, ...]
    sentence: str
    facts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class FillMark:
    """Fills of one stretch of time: `matched` on both sides, or only with one, or unequal."""

    __pydantic_config__ = _CLOSED
    time: str
    matched: int
    unequal: int
    only_internal: int
    only_external: int


@dataclass(frozen=True, slots=True)
class SessionResult:
    """One session: its figures, its comparisons that ran, and what explains them.

    `path` is its path in node ids, `file` the same as a person opens it; `promised` counts its
    comparisons and `ran` those with a verdict. `internal` and `external` are the names of its
    sides; `action` says what to do at once, `next` are the commands that say more.
    """

    __pydantic_config__ = _CLOSED
    path: str
    file: str
    session_id: str
    strategy_id: str
    run_id: str
    mode: str
    internal: str
    external: str
    promised: int
    ran: int
    counts: Mapping[str, int]
    max_severity: str
    action: str
    next: tuple[str, ...]
    notes: tuple[str, ...]
    mirrored: bool
    evidence: Mapping[str, Any]
    explanations: tuple[Explained, ...]
    fills: tuple[FillMark, ...]
    comparisons: tuple[ComparisonResult, ...]


@dataclass(frozen=True, slots=True)
class LetThrough:
    """The reason why a fault passes: a key of the policy with its value, a waiver or a hook.

    With the `key` `severity` there is no line: such a verdict never blocks. `source` is the file
    that says so, `built-in` or the plugin, `severity` the verdict on the
    difference, empty where nothing differs any more.
    """

    __pydantic_config__ = _CLOSED
    source: str
    key: str
    value: str
    severity: str


@dataclass(frozen=True, slots=True)
class MutantResult:
    """A session with one fault of a size, and the gate's answer.

    `place` is that of the size on its scale. `unchanged`: nothing that the gate compares is another
    one. `severity` is the worst verdict on what the fault changed, of a fault that passes; empty
    where nothing differs any more.
    """

    __pydantic_config__ = _CLOSED
    place: int
    size: str
    result: Literal["caught", "passed", "unchanged"]
    severity: str
    let_through: tuple[LetThrough, ...]


@dataclass(frozen=True, slots=True)
class FaultResult:
    """One fault on one side of a session: `words` say it, with `{}` in the place of a size.

    `at` is the row or the asset, empty where it is the whole side. `mutants` have the usual sizes;
    `passes` has the largest size that passes and `caught` the next one, which is caught, each
    `None` where there is none. `explained` says if the proven cause of the largest fault that is
    caught is the fault, `None` where none was searched for.
    """

    __pydantic_config__ = _CLOSED
    cause: str
    variant: str
    words: str
    side: Literal["internal", "external"]
    at: str
    mutants: tuple[MutantResult, ...]
    passes: MutantResult | None
    caught: MutantResult | None
    explained: bool | None

    @property
    def passed(self) -> tuple[MutantResult, ...]:
        """The mutants that pass, of those up to the edge the largest."""
        above = -1 if self.passes is None else self.passes.place
        found = tuple(one for one in self.mutants if one.result == "passed" and one.place > above)
        return found if self.passes is None else (self.passes, *found)

    def count(self, result: str) -> int:
        """The number of mutants of usual sizes with a result."""
        return sum(one.result == result for one in self.mutants)


@dataclass(frozen=True, slots=True)
class MutatedSession:
    """A session with faults put into copies of it; `refusal` says why none were put in."""

    __pydantic_config__ = _CLOSED
    path: str
    session_id: str
    internal: str
    external: str
    refusal: str
    faults: tuple[FaultResult, ...]


@dataclass(frozen=True, slots=True)
class Mutation:
    """Faults put into copies of all sessions of a run: what the gate would have caught.

    Counts are of mutants of usual sizes; `percent` is the share that is caught of those that change
    anything, rounded down to a tenth, empty where none does.
    """

    __pydantic_config__ = _CLOSED
    seed: int
    caught: int
    passed: int
    unchanged: int
    percent: str
    sessions: tuple[MutatedSession, ...]


@dataclass(frozen=True, slots=True)
class AuditHead:
    """The head of the audit log after the run: kept elsewhere, it shows a log that was cut."""

    __pydantic_config__ = _CLOSED
    entries: int
    head: str


@dataclass(frozen=True, slots=True)
class TrendRun:
    """A former run of the audit log: its time and its diffs by severity."""

    __pydantic_config__ = _CLOSED
    time: str
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class RunReport:
    """A whole run: its verdict, the reasons for it, and every session.

    `line` is the last line of the terminal, `problems` are the reasons other than differences
    not to trust the run, `notes` its terms. `gate` says that these problems made it red.
    `mutation` is there where faults were put into copies of the sessions (`recon mutate`).
    """

    __pydantic_config__ = _CLOSED
    schema: Literal["recon.report/1"]
    version: str
    written: str
    verdict: Literal["CLEAR", "BLOCKED", "INCOMPLETE"]
    line: str
    gate: bool
    invocation_id: str
    policy: str
    problems: tuple[str, ...]
    notes: tuple[str, ...]
    audit: AuditHead | None
    trend: tuple[TrendRun, ...]
    sessions: tuple[SessionResult, ...]
    mutation: Mutation | None = None
