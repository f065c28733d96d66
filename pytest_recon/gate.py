"""The gate: what every session promised, what ran, and the decision.

It knows nothing of how items ran; it is told promises and results, in the one
process that decides, and its decision does not depend on pytest's own.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from recon_core.reports.wording import Tally
from recon_core.severity import Severity

MATCH = "match"


@dataclass(frozen=True, slots=True)
class SessionPromise:
    """What a session announced before its items ran; plain data, to cross processes."""

    path: str
    anchor: bytes
    session_id: str
    strategy_id: str
    comparisons: int
    mirrored: bool = False
    notes: tuple[str, ...] = ()
    folded: Mapping[str, int] = field(default_factory=dict)
    evidence: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The promise for another process."""
        return {**asdict(self), "notes": list(self.notes)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "SessionPromise":
        """The promise that another process sent."""
        return cls(**{**data, "notes": tuple(data["notes"])})


@dataclass(frozen=True, slots=True)
class ItemResult:
    """What became of one comparison: its verdict, and whether its item failed.

    `more` are properties that not every item has, of one that stands for many equal rows
    or that has an explanation.
    """

    node_id: str
    kind: str
    key: str
    verdict: str
    failed: bool
    seconds: float
    text: str
    drift: str
    diff: Mapping[str, Any] | None = None
    more: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Gate:
    """Counts promises and results; `problems` are reasons to block besides them."""

    active: bool
    asked_for: bool = False
    fails_on_warn: bool = False
    problems: list[str] = field(default_factory=list)
    _promises: dict[str, SessionPromise] = field(default_factory=dict)
    _results: dict[str, dict[str, ItemResult]] = field(default_factory=dict)

    def promise(self, promise: SessionPromise) -> None:
        """Take a session's promise; a later one, with more hooks known, replaces it."""
        self._promises[promise.path] = promise

    def report(self, path: str, result: ItemResult) -> None:
        """Take the result of one item; of a rerun item the last one counts."""
        self._results.setdefault(path, {})[result.node_id] = result

    @property
    def sessions(self) -> list[SessionPromise]:
        """All promises, sorted by path."""
        return [self._promises[path] for path in sorted(self._promises)]

    def results(self, path: str) -> list[ItemResult]:
        """What ran of one session, sorted by node id."""
        return sorted(self._results.get(path, {}).values(), key=lambda result: result.node_id)

    @property
    def completed(self) -> list[SessionPromise]:
        """The promises of sessions of which every comparison ran."""
        return [promise for promise in self.sessions if not self._is_short(promise)]

    def _is_short(self, promise: SessionPromise) -> bool:
        return len(self._results.get(promise.path, ())) < promise.comparisons

    def problems_of(self, promise: SessionPromise) -> tuple[str, ...]:
        """What keeps a session from being clear besides its diffs."""
        failed = [
            f"{result.kind}::{result.key} failed without a diff that blocks"
            for result in self.results(promise.path)
            if result.failed and result.verdict in (MATCH, Severity.INFO)
        ]
        return (*failed, *self.problems)

    @property
    def promised(self) -> int:
        """How many comparisons all sessions have."""
        return sum(promise.comparisons for promise in self._promises.values())

    @property
    def reported(self) -> int:
        """How many of them ran, each counted once."""
        return sum(len(results) for results in self._results.values())

    def counts(self) -> dict[Severity, int]:
        """Diffs by severity over all sessions, the worst first."""
        verdicts = [result.verdict for result in self._all_results() if result.verdict != MATCH]
        return {
            severity: verdicts.count(severity)
            for severity in reversed(Severity)
            if severity in verdicts
        }

    def _all_results(self) -> Iterable[ItemResult]:
        return (result for results in self._results.values() for result in results.values())

    @property
    def blocked(self) -> bool:
        """Whether a diff blocks, or an item failed for another reason."""
        lowest = Severity.WARN if self.fails_on_warn else Severity.FAIL
        return any(
            result.failed
            or (result.verdict != MATCH and Severity(result.verdict).rank >= lowest.rank)
            for result in self._all_results()
        )

    @property
    def incomplete(self) -> bool:
        """Whether something promised did not run, or nothing was promised at all."""
        short = any(map(self._is_short, self._promises.values()))
        return short or not self._promises or bool(self.problems)

    @property
    def concerned(self) -> bool:
        """Whether this run is about reconciliation at all."""
        return self.active or bool(self._promises)

    @property
    def red(self) -> bool:
        """Whether the gate demands a status other than 0."""
        return self.active and (self.blocked or self.incomplete)

    def line(self) -> str:
        """The last line of a run: `RECON: CLEAR (3 sessions, 48 comparisons)`."""
        tally = Tally(
            sessions=len(self._promises),
            promised=self.promised,
            ran=self.reported,
            counts=self.counts(),
            blocked=self.blocked,
            incomplete=self.incomplete,
            problems=len(self.problems),
        )
        return tally.line()
