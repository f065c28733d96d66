"""Proof by reconciliation: a repair is put into a copy of the session, which is reconciled.

An explanation counts only if every diff that it claims disappears and none appears.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from functools import cached_property

from recon_core.engine.reconciliation import Reconciliation
from recon_core.explain.effects.dimensions import Dimensions, deltas
from recon_core.explain.effects.patches import Patch
from recon_core.explain.proving.known import Known, untouched
from recon_core.judging.rows import row_findings
from recon_core.model import LedgerSide, RecordedSession, SideRecord
from recon_core.model.comparison import Comparison, ItemKind
from recon_core.model.matched_rows import EqualRows, MatchedFills
from recon_core.policy.aliases import Aliases
from recon_core.policy.model import Policy
from recon_core.values.amounts import ZERO
from recon_core.values.errors import ReconError


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a repaired copy: diffs that vanished, diffs that appeared, deltas that remain.

    `remaining` are the deltas beyond float dust; `rest` are all of them, dust included.
    """

    vanished: tuple[str, ...]
    appeared: tuple[str, ...]
    remaining: Mapping[str, Decimal]
    rest: Mapping[str, Decimal]

    @property
    def proven(self) -> bool:
        """True if every delta of positions and cash vanished and no diff appeared."""
        return not self.appeared and not self.remaining


@dataclass
class Prover:
    """The reconciler of repaired copies of one session; what a repair leaves alone is reused.

    `kept` are diffs of rows that were found before the repair and that it does not touch.
    """

    reconciliation: Reconciliation
    dimensions: Dimensions
    kept: Mapping[str, Comparison] = field(default_factory=dict)

    @property
    def recorded(self) -> RecordedSession:
        """The session as it was reconciled, its sides replayed."""
        return self.reconciliation.recorded

    @property
    def max_skew(self) -> timedelta:
        """The largest difference allowed between the times of both sides."""
        return self.reconciliation.policy.max_skew

    @cached_property
    def before(self) -> frozenset[str]:
        """The identities of the session's own diffs."""
        return frozenset(self._open)

    @cached_property
    def _open(self) -> dict[str, Comparison]:
        found = open_diffs(self.reconciliation, self.dimensions)
        return {**self.kept, **{comparison.identity: comparison for comparison in found}}

    @cached_property
    def _policy(self) -> Policy:
        # The names are mapped already; an alias of a name that both sides have is refused.
        return replace(self.reconciliation.policy, aliases=Aliases())

    def outcome(
        self, sides: Mapping[LedgerSide, SideRecord], patch: Patch | None = None
    ) -> Outcome | None:
        """Reconcile the session with repaired sides; `None` if it cannot be replayed.

        `patch` is the whole change of rows of the one repaired side, if it is known.
        """
        repaired = self.repaired(sides, patch)
        if repaired is None:
            return None
        left = deltas(self.dimensions, repaired.recorded)
        return Outcome(
            tuple(sorted(self.before - repaired.before)),
            tuple(sorted(repaired.before - self.before)),
            self.dimensions.real(left),
            left,
        )

    def repaired(
        self, sides: Mapping[LedgerSide, SideRecord], patch: Patch | None = None
    ) -> "Prover | None":
        """Return the prover of the session with repaired sides, `None` if it cannot be replayed."""
        recorded = self.recorded
        copy = replace(
            recorded,
            internal=_as_stated(sides.get(LedgerSide.INTERNAL, recorded.internal)),
            external=_as_stated(sides.get(LedgerSide.EXTERNAL, recorded.external)),
        )
        known = Known(self.reconciliation, copy, patch)
        ids = known.touched(plain=self.dimensions.plain)
        matching = None if ids is None else known.matching(ids)
        try:
            again = Reconciliation(copy, self._policy, replays=known.replays(), matching=matching)
        except ReconError:
            return None
        return Prover(again, self.dimensions, {} if ids is None else untouched(self._open, ids))


def _as_stated(record: SideRecord | None) -> SideRecord | None:
    """Return the side with the sections that it did not state left to the replay."""
    if record is None or not record.derived:
        return record
    return replace(
        record,
        positions=None if "positions" in record.derived else record.positions,
        cash=None if "cash" in record.derived else record.cash,
        derived=frozenset(),
    )


def open_diffs(reconciliation: Reconciliation, dimensions: Dimensions) -> Iterable[Comparison]:
    """Yield the comparisons that differ, except session checks and float dust."""
    for comparison in reconciliation.comparisons:
        if comparison.item_kind is ItemKind.SESSION or not _may_differ(comparison):
            continue
        diff = reconciliation.judge_alone(comparison).diff
        if diff is not None and not _is_dust(comparison, diff.delta, dimensions):
            yield comparison


def _may_differ(comparison: Comparison) -> bool:
    matched = comparison.matched
    if matched is None:
        return True
    if isinstance(matched, MatchedFills) and _are_one(matched):
        return False
    return not isinstance(matched, EqualRows) and bool(row_findings(matched))


def _are_one(matched: MatchedFills) -> bool:
    """True if both sides have the very same row: equal rows are read once."""
    ours, theirs = matched.internal, matched.external
    return len(ours) == len(theirs) == 1 and ours[0] is theirs[0]


def _is_dust(comparison: Comparison, delta: Decimal | None, dimensions: Dimensions) -> bool:
    return (
        comparison.in_floats
        and (ZERO if delta is None else delta).copy_abs() <= dimensions.dust != ZERO
    )


def can_differ(reconciliation: Reconciliation) -> bool:
    """True if a session has two sides of its own, and anything to compare."""
    recorded = reconciliation.recorded
    if recorded.mirrored or recorded.internal is None or recorded.external is None:
        return False
    return any(one.item_kind is not ItemKind.SESSION for one in reconciliation.comparisons)
