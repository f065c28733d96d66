"""The gate's answer to a session with a fault: caught, passed, or nothing that it compares changed.

The verdicts are those of the engine, under the policy, the waivers and the hooks of a usual run.
A session with a balance that is off by 0.99 USDT has one INFO more than without: the fault is
passed, by the line of the policy that made the difference an INFO.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from itertools import chain

from pluggy import PluginManager

from recon_core.engine.reconciliation import Explain, Reconciliation, reconcile_read
from recon_core.model import RecordedSession
from recon_core.model.comparison import Comparison, Judgement, ReconDiff
from recon_core.model.explanation import CauseKind, Explanation, ExplanationVerdict
from recon_core.model.policy_line import PolicyLine
from recon_core.policy.model import Policy
from recon_core.policy.waivers import Waivers
from recon_core.values.errors import ReconError
from recon_core.values.severity import Severity


class Result(StrEnum):
    """Result of a fault: `unchanged` if no verdict and no difference is another one."""

    CAUGHT = "caught"
    PASSED = "passed"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Pass:
    """The reason why a fault passes: a line of the policy, a waiver by its id, or a hook's plugin.

    Where it is none of them, `severity` alone is the reason: of one below the severity that blocks.
    """

    severity: Severity
    line: PolicyLine | None = None
    waiver: str = ""
    hook: str = ""


@dataclass(frozen=True)  # without slots: the verdicts are kept
class Answer:
    """The verdicts of the gate on a session with a fault, beside those of the session itself."""

    reconciliation: Reconciliation
    before: "Answer | None"
    lowest: Severity
    search: Explain | None = None
    waives_causes: bool = False

    @cached_property
    def judgements(self) -> dict[str, Judgement]:
        """The judgements that are no match, by the identity of their comparison."""
        found = map(self._judged, self.reconciliation.comparisons)
        return {one.comparison.identity: one for one in found if one and one.diff is not None}

    def _judged(self, comparison: Comparison) -> Judgement | None:
        """Judge a comparison, but of rows that are those of the session the verdict is known."""
        identity = comparison.identity
        if self.before is None or comparison.matched is None or self.waives_causes:
            return self.reconciliation.judge(comparison)
        if self.before.matched.get(identity) != comparison:
            return self.reconciliation.judge(comparison)
        return self.before.judgements.get(identity)

    @cached_property
    def matched(self) -> dict[str, Comparison]:
        """The comparisons of rows, whose verdicts depend on nothing but the rows and the policy."""
        found = self.reconciliation.comparisons
        return {one.identity: one for one in found if one.matched is not None}

    @cached_property
    def changed(self) -> dict[str, Judgement]:
        """The judgements that the session itself does not have in this way."""
        before = {} if self.before is None else self.before.judgements
        return {
            identity: judgement
            for identity, judgement in self.judgements.items()
            if identity not in before or _figures(before[identity]) != _figures(judgement)
        }

    @property
    def blocks(self) -> bool:
        """True if a run would be red."""
        return any(_diff(one).severity.rank >= self.lowest.rank for one in self.judgements.values())

    @property
    def result(self) -> Result:
        """The result of the fault."""
        if self.blocks:
            return Result.CAUGHT
        gone = self.before is not None and self.before.judgements.keys() - self.judgements.keys()
        return Result.PASSED if self.changed or gone else Result.UNCHANGED

    @property
    def worst(self) -> Severity | None:
        """The highest severity of what the fault changed, `None` where nothing differs more."""
        found = (_diff(one).severity for one in self.changed.values())
        return max(found, key=lambda severity: severity.rank, default=None)

    def passes(self) -> Iterator[Pass]:
        """Yield what lets the fault through, each once."""
        found = (_passes_of(one, self.lowest) for one in self.changed.values())
        yield from dict.fromkeys(chain.from_iterable(found))

    @cached_property
    def explanations(self) -> tuple[Explanation, ...]:
        """Explanations of the differences; empty where none is searched for."""
        if self.search is None or not self.judgements:
            return ()
        try:
            return self.search(self.reconciliation)
        except ReconError:
            return ()

    def names(self, kinds: frozenset[CauseKind]) -> bool:
        """True if the proven explanation names one of these causes, and no other one."""
        unique = (one for one in self.explanations if one.verdict is ExplanationVerdict.UNIQUE)
        found = [cause.cause_kind for one in unique for cause in one.causes]
        return bool(found) and set(found) <= kinds


def _figures(judgement: Judgement) -> tuple[object, ...]:
    diff = _diff(judgement)
    return diff.severity, diff.internal, diff.external, diff.description


def _diff(judgement: Judgement) -> ReconDiff:
    assert judgement.diff is not None  # noqa: S101  # those that are no match
    return judgement.diff


def _passes_of(judgement: Judgement, lowest: Severity) -> list[Pass]:
    """Return all that keeps a difference below what blocks, each of them alone."""
    diff = _diff(judgement)
    mild = (line for line in judgement.lines if line.severity.rank < lowest.rank)
    found = [Pass(diff.severity, line) for line in mild]
    if diff.softened_by is not None:
        found.insert(0, Pass(diff.severity, hook=diff.softened_by))
    if diff.waiver is not None:
        found.insert(0, Pass(diff.severity, waiver=diff.waiver.id))
    return found or [Pass(diff.severity)]


@dataclass(frozen=True)  # without slots: see Answer
class Gate:
    """The gate under one policy: what it answers to any session. It notifies no plugin."""

    policy: Policy
    manager: PluginManager
    lowest: Severity
    max_items: int
    waivers: Waivers | None = None
    search: Explain | None = None

    def answer(self, recorded: RecordedSession, before: Answer | None = None) -> Answer:
        """Judge a session that was read, and compare the verdicts with those `before`."""
        reconciliation = reconcile_read(
            recorded.anchor,
            lambda _: recorded,
            self.policy,
            self.manager,
            max_items=self.max_items,
            explain=self.search if self._waives_causes else None,
            waivers=self.waivers,
        )
        return Answer(reconciliation, before, self.lowest, self.search, self._waives_causes)

    @property
    def _waives_causes(self) -> bool:
        """True if a waiver covers one cause alone, so that verdicts depend on explanations."""
        return self.waivers is not None and any(one.cause for one in self.waivers.entries)
