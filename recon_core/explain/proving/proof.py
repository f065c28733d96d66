"""The proof: a repair is put into a copy of the session, and the copy is reconciled again.

An explanation counts only if every diff that it claims disappears and none appears.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from functools import cached_property

from recon_core.amounts import ZERO
from recon_core.comparison import Comparison, ItemKind
from recon_core.errors import ReconError
from recon_core.explain.effects.changes import Change
from recon_core.explain.effects.space import Space, deltas
from recon_core.explain.proving.known import Known, untouched
from recon_core.matched import EqualRows, MatchedFills
from recon_core.matching.row_judging import row_findings
from recon_core.model import LedgerSide, RecordedSession, SideRecord
from recon_core.policy.aliases import Aliases
from recon_core.policy.model import Policy
from recon_core.reconciliation import Reconciliation


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a repaired copy shows: the diffs that went, those that came, the deltas left.

    `rest` are the deltas that are left, float dust included.
    """

    vanished: tuple[str, ...]
    appeared: tuple[str, ...]
    remaining: Mapping[str, Decimal]
    rest: Mapping[str, Decimal]

    @property
    def proven(self) -> bool:
        """Whether every delta of positions and cash went, and no diff came."""
        return not self.appeared and not self.remaining


@dataclass
class Prover:
    """Reconciles repaired copies of one session, anew where a repair changes something.

    `kept` are diffs of rows that were found before the repair and that it does not touch.
    """

    reconciliation: Reconciliation
    space: Space
    kept: Mapping[str, Comparison] = field(default_factory=dict)

    @property
    def recorded(self) -> RecordedSession:
        """The session as it was reconciled, its sides replayed."""
        return self.reconciliation.recorded

    @property
    def max_skew(self) -> timedelta:
        """How far apart the times of both sides may be."""
        return self.reconciliation.policy.max_skew

    @cached_property
    def before(self) -> frozenset[str]:
        """The diffs of the session itself, by identity."""
        return frozenset(self._open)

    @cached_property
    def _open(self) -> dict[str, Comparison]:
        found = open_diffs(self.reconciliation, self.space)
        return {**self.kept, **{comparison.identity: comparison for comparison in found}}

    @cached_property
    def _policy(self) -> Policy:
        # The names are mapped already, and one that both sides have by now is refused.
        return replace(self.reconciliation.policy, aliases=Aliases())

    def outcome(
        self, sides: Mapping[LedgerSide, SideRecord], change: Change | None = None
    ) -> Outcome | None:
        """The session with repaired sides, reconciled; `None` where it cannot be replayed.

        `change` is all that was done to the rows of the one side, where it is known.
        """
        repaired = self.repaired(sides, change)
        if repaired is None:
            return None
        left = deltas(self.space, repaired.recorded)
        return Outcome(
            tuple(sorted(self.before - repaired.before)),
            tuple(sorted(repaired.before - self.before)),
            self.space.real(left),
            left,
        )

    def repaired(
        self, sides: Mapping[LedgerSide, SideRecord], change: Change | None = None
    ) -> "Prover | None":
        """The session with repaired sides; `None` where it cannot be replayed."""
        recorded = self.recorded
        copy = replace(
            recorded,
            internal=_as_stated(sides.get(LedgerSide.INTERNAL, recorded.internal)),
            external=_as_stated(sides.get(LedgerSide.EXTERNAL, recorded.external)),
        )
        known = Known(self.reconciliation, copy, change)
        ids = known.touched(plain=self.space.plain)
        matching = None if ids is None else known.matching(ids)
        try:
            again = Reconciliation(copy, self._policy, replays=known.replays(), matching=matching)
        except ReconError:
            return None
        return Prover(again, self.space, {} if ids is None else untouched(self._open, ids))


def _as_stated(record: SideRecord | None) -> SideRecord | None:
    """The side with what it did not state itself left to the replay."""
    if record is None or not record.derived:
        return record
    return replace(
        record,
        positions=None if "positions" in record.derived else record.positions,
        cash=None if "cash" in record.derived else record.cash,
        derived=frozenset(),
    )


def open_diffs(reconciliation: Reconciliation, space: Space) -> Iterable[Comparison]:
    """What differs, session checks and float dust aside."""
    for comparison in reconciliation.comparisons:
        if comparison.item_kind is ItemKind.SESSION or not _may_differ(comparison):
            continue
        diff = reconciliation.judge_alone(comparison).diff
        if diff is not None and not _is_dust(comparison, diff.delta, space):
            yield comparison


def _may_differ(comparison: Comparison) -> bool:
    matched = comparison.matched
    if matched is None:
        return True
    if isinstance(matched, MatchedFills) and _are_one(matched):
        return False
    return not isinstance(matched, EqualRows) and bool(row_findings(matched))


def _are_one(matched: MatchedFills) -> bool:
    """Whether both sides have the very same row: equal ones are read once."""
    ours, theirs = matched.internal, matched.external
    return len(ours) == len(theirs) == 1 and ours[0] is theirs[0]


def _is_dust(comparison: Comparison, delta: Decimal | None, space: Space) -> bool:
    return (
        comparison.in_floats and (ZERO if delta is None else delta).copy_abs() <= space.dust != ZERO
    )


def can_differ(reconciliation: Reconciliation) -> bool:
    """Whether a session has two sides of its own, and anything that was compared."""
    recorded = reconciliation.recorded
    if recorded.mirrored or recorded.internal is None or recorded.external is None:
        return False
    return any(one.item_kind is not ItemKind.SESSION for one in reconciliation.comparisons)
