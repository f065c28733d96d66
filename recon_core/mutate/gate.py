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
from recon_core.model.explanation import CauseKind, ExplanationVerdict
from recon_core.model.policy_line import PolicyLine
from recon_core.policy.model import Policy
from recon_core.policy.waivers import Waivers
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
    """The verdicts of the gate on a session with a fault, beside those of the session itself.

    `is_known`: the verdict on rows that the session itself has too is that of `before`.
    """

    reconciliation: Reconciliation
    before: "Answer | None"
    lowest: Severity
    search: Explain | None
    is_known: bool

    @cached_property
    def _found(self) -> tuple[bool, dict[str, Judgement]]:
        """True if a run would be red, and the judgements that are no match up to the reason.

        Figures are judged before rows: of a thousand rows that differ none is the first to block.
        """
        comparisons = self.reconciliation.comparisons
        figures = [one for one in comparisons if one.matched is None]
        found: dict[str, Judgement] = {}
        for comparison in (*figures, *self.matched.values()):
            judgement = self._judged(comparison)
            if judgement is not None and judgement.diff is not None:
                found[comparison.identity] = judgement
                if judgement.diff.severity.rank >= self.lowest.rank:
                    return True, found
        return False, found

    def _judged(self, comparison: Comparison) -> Judgement | None:
        """Judge a comparison, where the verdict is not known already."""
        if self.before is None or comparison.matched is None or not self.is_known:
            return self.reconciliation.judge(comparison)
        identity = comparison.identity
        if self.before.matched.get(identity) != comparison:
            return self.reconciliation.judge(comparison)
        return self.before.judgements.get(identity)

    @cached_property
    def matched(self) -> dict[str, Comparison]:
        """The comparisons of rows, whose verdicts depend on nothing but the rows and the policy."""
        found = self.reconciliation.comparisons
        return {one.identity: one for one in found if one.matched is not None}

    @property
    def blocks(self) -> bool:
        """True if a run would be red."""
        return self._found[0]

    @property
    def judgements(self) -> dict[str, Judgement]:
        """The judgements that are no match, all of them where a run would be green."""
        return self._found[1]

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

    def names(self, kinds: frozenset[CauseKind]) -> bool:
        """True if the proven explanation names one of these causes, and no other one."""
        explanations = () if self.search is None else self.search(self.reconciliation)
        unique = (one for one in explanations if one.verdict is ExplanationVerdict.UNIQUE)
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
    """The gate under one policy: what it answers to any session. It notifies no plugin.

    `explain` is the search of a usual run, which a waiver of one cause asks for; `search` is the
    one that says if a fault would be explained, `None` where nobody asks.
    """

    policy: Policy
    manager: PluginManager
    lowest: Severity
    max_items: int
    waivers: Waivers | None = None
    explain: Explain | None = None
    search: Explain | None = None

    def answer(self, recorded: RecordedSession, before: Answer | None = None) -> Answer:
        """Judge a session that was read, and compare the verdicts with those `before`."""
        reconciliation = reconcile_read(
            recorded.anchor,
            lambda _: recorded,
            self.policy,
            self.manager,
            max_items=self.max_items,
            explain=self.explain if self._waives_causes else None,
            waivers=self.waivers,
        )
        return Answer(reconciliation, before, self.lowest, self.search, not self._waives_causes)

    @property
    def _waives_causes(self) -> bool:
        """True if a waiver covers one cause alone, so that verdicts depend on explanations."""
        return self.waivers is not None and any(one.cause for one in self.waivers.entries)
