"""The gate: promises of the sessions, results of their items, and the decision.

It knows nothing of how items ran; it receives promises and results, in the one process that
decides, and its decision does not depend on pytest's own.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from recon_core.reports.wording import Tally, counted, ran_of
from recon_core.values.printable import printable
from recon_core.values.severity import Severity

MATCH = "match"
ATTRIBUTE = "recon"
"""The attribute of a report of ours, with what the controlling process reads of it."""
Noted = dict[str, dict[str, dict[str, None]]]
"""By session and comparison, the verdicts that something is said of, in order."""

_NO_SESSION = "the gate is on and no recorded session was collected"


@dataclass(frozen=True, slots=True)
class SessionPromise:
    """Announcement of a session before its items ran; plain data, to cross processes.

    `fills` are the marks of its fills in time, where a report is asked for. `names` are those
    that the policy could have named, `None` where nothing could be read.
    """

    path: str
    anchor: bytes
    session_id: str
    strategy_id: str
    comparisons: int
    mirrored: bool = False
    notes: tuple[str, ...] = ()
    folded: Mapping[str, int] = field(default_factory=dict)
    evidence: Mapping[str, Any] = field(default_factory=dict)
    fills: tuple[Mapping[str, Any], ...] = ()
    mode: str = ""
    sources: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, Any] | None = None

    def to_dict(self) -> dict[str, Any]:
        """The promise for another process; every value of it is plain data already."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "SessionPromise":
        """The promise that another process sent."""
        return cls(**{**data, "notes": tuple(data["notes"]), "fills": tuple(data["fills"])})


@dataclass(frozen=True, slots=True)
class ItemResult:
    """Result of one comparison: its verdict, and True if its item failed.

    `more` are properties that not every item has: of one that represents many equal rows,
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

    @property
    def rank(self) -> tuple[int, bool]:
        """The place among several results of one item, the worst highest."""
        return -1 if self.verdict == MATCH else Severity(self.verdict).rank, self.failed

    def agrees(self, other: "ItemResult") -> bool:
        """True if both found the same; how it is explained depends on the time there was."""
        return self.verdict == other.verdict and _found(self.diff) == _found(other.diff)


def _found(diff: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in (diff or {}).items() if name != "explanation"}


@dataclass(slots=True)
class Gate:
    """Counts promises and results, and knows what else keeps a run from being clear."""

    active: bool
    asked_for: bool = False
    fails_on_warn: bool = False
    is_reading: bool = False
    _problems: list[str] = field(default_factory=list)
    _expected: dict[str, Mapping[str, str]] = field(default_factory=dict)
    _awaited: set[str] = field(default_factory=set)
    _promises: dict[str, SessionPromise] = field(default_factory=dict)
    _results: dict[str, dict[str, ItemResult]] = field(default_factory=dict)
    _disputed: Noted = field(default_factory=dict)
    _spared: Noted = field(default_factory=dict)

    def expect(self, path: str, inputs: Mapping[str, str]) -> None:
        """Take a session that another process will promise, with the SHA-256 of known inputs."""
        self._expected[path] = inputs
        if path not in self._promises:
            self._awaited.add(path)

    def promise(self, promise: SessionPromise) -> None:
        """Take a session's promise; a later one, with more hooks known, replaces it.

        All promises of one session, in whichever process it was read, are of the same files
        under the same policy: what was judged would not be what was promised.
        """
        read = set(promise.evidence.get("inputs", {}).values())
        for name, digest in self._expected.get(promise.path, {}).items():
            if digest not in read:
                self.add_problem(_changed(promise.path, name))
        known = self._promises.get(promise.path)
        if known is not None:
            for problem in _changes(known, promise):
                self.add_problem(problem)
        self._promises[promise.path] = promise
        self._awaited.discard(promise.path)

    def report(self, path: str, result: ItemResult) -> None:
        """Take the result of one item; of several results of one item the worst counts."""
        results = self._results.setdefault(path, {})
        known = results.setdefault(result.node_id, result)
        identity = f"{result.kind}::{result.key}"
        if self._blocks(result) and not result.failed:
            # A verdict that blocks fails its item; something changed the report.
            _note(self._spared, path, identity, result.verdict)
        if known is result:
            return
        if not result.agrees(known):
            _note(self._disputed, path, identity, known.verdict, result.verdict)
        worst = max(result, known, key=lambda one: one.rank)
        results[result.node_id] = replace(worst, failed=result.failed or known.failed)

    def add_problem(self, problem: str) -> None:
        """Take a reason to block that no promise or result shows, safe to print; each once."""
        if problem not in self._problems:
            self._problems.append(problem)

    @property
    def problems(self) -> list[str]:
        """The reasons not to trust the run, other than its diffs and the items that did not run."""
        disputed = "had several results that differ"
        spared = "must fail and did not"
        return [
            *self._problems,
            *self._unread(),
            *(_of_items(path, disputed, items) for path, items in self._disputed.items()),
            *(_of_items(path, spared, items) for path, items in self._spared.items()),
            *([_NO_SESSION] if self.asked_for and not self._promises else []),
        ]

    def _unread(self) -> Iterable[str]:
        """Yield a problem where no process promised what it was to read."""
        if self._awaited:
            more = f" and {len(self._awaited) - 1} more" if len(self._awaited) > 1 else ""
            yield f"no worker reported {min(self._awaited)}{more}"

    @property
    def sessions(self) -> list[SessionPromise]:
        """All promises, sorted by path."""
        return [self._promises[path] for path in sorted(self._promises)]

    def results(self, path: str) -> list[ItemResult]:
        """The results of one session, sorted by node id, failed where their verdict blocks."""
        return list(map(self._settled, _sorted(self._results.get(path, {}).values())))

    def diffs(self, path: str) -> list[Mapping[str, Any]]:
        """The diffs of one session, sorted by node id."""
        results = self._results.get(path, {})
        diffs = {node_id: one.diff for node_id, one in results.items() if one.diff is not None}
        return [diffs[node_id] for node_id in sorted(diffs)]

    def ran(self, path: str) -> int:
        """The number of comparisons of one session that ran."""
        return len(self._results.get(path, ()))

    def _settled(self, result: ItemResult) -> ItemResult:
        """The result, failed where its verdict blocks."""
        return replace(result, failed=True) if self._blocks(result) else result

    @property
    def completed(self) -> list[SessionPromise]:
        """The promises of sessions of which every comparison ran."""
        return [promise for promise in self.sessions if not self.shortage(promise)]

    def shortage(self, promise: SessionPromise) -> str:
        """`1 of 7 comparisons ran`; empty where all of a session did."""
        ran = self.ran(promise.path)
        return ran_of(ran, promise.comparisons) if ran < promise.comparisons else ""

    def problems_of(self, promise: SessionPromise) -> tuple[str, ...]:
        """Return the reasons, other than its diffs, that keep a session from being clear."""
        spoilt = filter(_fails_without_blocking, self._results.get(promise.path, {}).values())
        failed = [
            f"{result.kind}::{result.key} failed without a diff that blocks"
            for result in _sorted(spoilt)
        ]
        return (*failed, *self.problems)

    @property
    def promised(self) -> int:
        """The number of comparisons of all sessions."""
        return sum(promise.comparisons for promise in self._promises.values())

    @property
    def reported(self) -> int:
        """The number of comparisons that ran, each counted once."""
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

    def _blocks(self, result: ItemResult) -> bool:
        lowest = Severity.WARN if self.fails_on_warn else Severity.FAIL
        return result.verdict != MATCH and Severity(result.verdict).rank >= lowest.rank

    @property
    def blocked(self) -> bool:
        """True if a diff blocks, or an item failed for another reason."""
        return any(result.failed or self._blocks(result) for result in self._all_results())

    @property
    def incomplete(self) -> bool:
        """True if something promised did not run, or nothing was promised at all."""
        short = any(map(self.shortage, self._promises.values()))
        return short or not self._promises or bool(self.problems)

    @property
    def concerned(self) -> bool:
        """True if this run is about reconciliation at all."""
        return self.active or bool(self._promises)

    @property
    def red(self) -> bool:
        """True if the gate demands a status other than 0."""
        return self.active and (self.blocked or self.incomplete)

    @property
    def fails_reports(self) -> bool:
        """True if what is wrong with the run fails its reports, and is not only shown there."""
        return self.active or self.blocked

    def line(self) -> str:
        """The last line of a run: `RECON: CLEAR (3 sessions, 48 comparisons)`."""
        return self.tally().line()

    def tally(self) -> Tally:
        """The figures and the verdict of the whole run."""
        return Tally(
            sessions=len(self._promises),
            # Interrupted while it reads its sessions, it does not know of all yet.
            promised=0 if self.is_reading else self.promised,
            ran=self.reported,
            counts=self.counts(),
            blocked=self.blocked,
            incomplete=self.incomplete,
            problems=len(self.problems),
        )


def _sorted(results: Iterable[ItemResult]) -> list[ItemResult]:
    return sorted(results, key=lambda result: result.node_id)


def _fails_without_blocking(result: ItemResult) -> bool:
    return result.failed and result.verdict in (MATCH, Severity.INFO)


def _note(noted: Noted, path: str, identity: str, *verdicts: str) -> None:
    noted.setdefault(path, {}).setdefault(identity, {}).update(dict.fromkeys(verdicts))


def _of_items(path: str, problem: str, items: Mapping[str, Iterable[str]]) -> str:
    """One line for all items of a session that have one problem, with the first as example."""
    identity, verdicts = next(iter(items.items()))
    shown = f"{identity} ({', '.join(verdicts)})"
    return f"{path}: {counted(len(items), 'comparison')} {problem}: {shown}"


def _changed(path: str, name: str) -> str:
    return f"{path}: {printable(name)} changed while the run read it"


def _changes(known: SessionPromise, later: SessionPromise) -> Iterable[str]:
    """Yield the files and the policy that two promises of one session do not share.

    Content counts: one file has two names where a link leads to it.
    """
    before, after = known.evidence.get("inputs", {}), later.evidence.get("inputs", {})
    if sorted(before.values()) != sorted(after.values()):
        for name in sorted(dict(before.items() ^ after.items())):
            yield _changed(known.path, name)
    if known.evidence.get("policy_sha256") != later.evidence.get("policy_sha256"):
        yield f"{known.path}: the policy changed while the run read it"
    if known.evidence.get("waivers") != later.evidence.get("waivers"):
        yield f"{known.path}: the waivers changed while the run read it"
