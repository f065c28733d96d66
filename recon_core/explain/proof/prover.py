"""Proof by reconciliation: a repair is put into a copy of the session, which is reconciled.

An explanation counts only if every diff that it claims disappears and none appears.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from functools import cached_property
from itertools import chain

from recon_core.compare.rows.matcher import Matching, match
from recon_core.engine.reconciliation import Reconciliation
from recon_core.explain.problem.dimensions import Dimensions, deltas
from recon_core.explain.problem.patches import Patch
from recon_core.explain.problem.precision import StatedDecimals
from recon_core.judging.rows import row_findings
from recon_core.ledger.amended import amended
from recon_core.ledger.replay import SideReplay
from recon_core.model import Fill, LedgerSide, RecordedSession, SideRecord
from recon_core.model.comparison import Comparison, ItemKind
from recon_core.model.fill_table import RowTable
from recon_core.model.matched_rows import EqualRows, MatchedFills, MatchedMovements
from recon_core.policy.aliases import Aliases
from recon_core.policy.model import Policy
from recon_core.values.amounts import ZERO
from recon_core.values.errors import ReconError


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a repaired copy: resolved diffs, new diffs, and the remaining deltas.

    `remaining` are the deltas beyond float dust; `all_remaining` are all of them, dust included.
    """

    resolved: tuple[str, ...]
    new: tuple[str, ...]
    remaining: Mapping[str, Decimal]
    all_remaining: Mapping[str, Decimal]

    @property
    def proven(self) -> bool:
        """True if no delta of positions and cash remains, and no diff is new."""
        return not self.new and not self.remaining


@dataclass
class Prover:
    """The reconciler of repaired copies of one session; results that a repair leaves are reused.

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
    def decimals(self) -> StatedDecimals:
        """The decimals that the session's currencies have."""
        return StatedDecimals(self.recorded)

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

    @cached_property
    def _unlike(self) -> frozenset[str]:
        """The ids of fills that the sides list otherwise, if both have some.

        With another row they may be one trade in another number of rows.
        """
        found = chain(
            (one.matched for one in self._open.values()),
            (one.matched for one in self.reconciliation.comparisons if _is_of_group(one)),
        )
        unlike = [matched for matched in found if isinstance(matched, MatchedFills)]
        ours = {fill.fill_id for matched in unlike for fill in matched.internal}
        theirs = {fill.fill_id for matched in unlike for fill in matched.external}
        return frozenset(ours | theirs) if ours and theirs else frozenset()

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
        ids = known.changed_ids(plain=self.dimensions.plain)
        ids = None if ids is None else ids | self._unlike
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
    """Yield the comparisons that differ.

    Session checks, float dust, and figures that a side never lists are no diffs to explain.
    """
    for comparison in reconciliation.comparisons:
        if comparison.item_kind is ItemKind.SESSION or not _may_be_diff(comparison):
            continue
        if dimensions.is_unlisted(comparison.identity):
            continue
        diff = reconciliation.judge_alone(comparison).diff
        if diff is not None and not _is_dust(comparison, diff.delta, dimensions):
            yield comparison


def _is_of_group(comparison: Comparison) -> bool:
    matched = comparison.matched
    return isinstance(matched, MatchedFills) and matched.group is not None


def _may_be_diff(comparison: Comparison) -> bool:
    matched = comparison.matched
    if matched is None:
        return True
    if isinstance(matched, EqualRows | MatchedMovements):
        return False  # equal, or equal in their sums
    if _is_of_group(comparison):
        return False
    return bool(row_findings(matched))


def _is_dust(comparison: Comparison, delta: Decimal | None, dimensions: Dimensions) -> bool:
    return (
        comparison.in_floats
        and (ZERO if delta is None else delta).copy_abs() <= dimensions.dust != ZERO
    )


def has_two_sides(reconciliation: Reconciliation) -> bool:
    """True if a session has two sides of its own, and anything to compare."""
    recorded = reconciliation.recorded
    if recorded.mirrored or recorded.internal is None or recorded.external is None:
        return False
    return any(one.item_kind is not ItemKind.SESSION for one in reconciliation.comparisons)


def with_tables(reconciliation: Reconciliation) -> Reconciliation:
    """Return a reconciliation, its verdicts included, with the fills of both sides as tables.

    A search asks the same of all fills again and again, as of which ids are listed twice. A table
    looks at all of them once, and a patched one at none.
    """
    recorded = reconciliation.recorded
    internal = _with_table(recorded.internal, None)
    again = copy(reconciliation)
    again.recorded = replace(
        recorded, internal=internal, external=_with_table(recorded.external, internal)
    )
    return again


def _with_table(record: SideRecord | None, other: SideRecord | None) -> SideRecord | None:
    """Return a side with a table of its fills, the other side's where the rows are the same."""
    if record is None or record.fills is None:
        return record
    if other is not None and other.fills is not None and _rows(other.fills) is record.fills:
        return replace(record, fills=other.fills)
    return replace(record, fills=record.table)


def _rows(fills: Sequence[Fill]) -> Sequence[Fill]:
    return fills.rows if isinstance(fills, RowTable) else fills


@dataclass(frozen=True, slots=True)
class Known:
    """A repaired `copy` of a session, and the results of the reconciliation that hold for it.

    `patch` is the whole change of rows of the only repaired side, `None` if it is unknown.
    """

    reconciliation: Reconciliation
    copy: RecordedSession
    patch: Patch | None

    def replays(self) -> dict[LedgerSide, SideReplay]:
        """Return the replays of the sides that have the same rows, or a few other fills."""
        found = {}
        for side, replayed in self.reconciliation.replays.items():
            again = replayed if self._has_same_rows(side) else self._amended(side, replayed)
            if again is not None:
                found[side] = again
        return found

    def _amended(self, side: LedgerSide, replayed: SideReplay) -> SideReplay | None:
        patch = self._of_fills(side)
        return None if patch is None else amended(self.copy, replayed, patch.removed, patch.added)

    def changed_ids(self, *, plain: bool) -> frozenset[str] | None:
        """Return the ids of the fills that a repair changes, `None` if any comparison may change.

        An order is compared with all of its fills, so a session with orders is matched as a whole;
        a session of several accounts is, too.
        """
        records = self.copy.internal, self.copy.external
        if not plain or any(record is None or record.orders is not None for record in records):
            return None
        changed: set[str] = set()
        for side in LedgerSide:
            if not self._has_same_rows(side):
                patch = self._of_fills(side)
                if patch is None:
                    return None
                changed |= {fill.fill_id for fill in (*patch.removed, *patch.added)}
        return frozenset(changed)

    def matching(self, ids: Collection[str]) -> Matching:
        """Return the comparisons of the fills with these ids."""
        internal, external = _with_ids(self.copy.internal, ids), _with_ids(self.copy.external, ids)
        return match(replace(self.copy, internal=internal, external=external))

    def _has_same_rows(self, side: LedgerSide) -> bool:
        before, after = self.reconciliation.recorded.side(side), self.copy.side(side)
        if before is None or after is None:
            return before is after
        return after.fills is before.fills and _has_same_other_rows(before, after)

    def _of_fills(self, side: LedgerSide) -> Patch | None:
        """Return the patch of a side if it changes only fills, of one account, else `None`."""
        patch, before, after = (
            self.patch, self.reconciliation.recorded.side(side), self.copy.side(side)
        )  # fmt: skip
        if patch is None or before is None or after is None or not before.fills:
            return None
        count = len(before.fills) - len(patch.removed) + len(patch.added)
        is_known = count == len(after.fill_rows) and _has_same_other_rows(before, after)
        account = before.fills[0].account
        is_known = is_known and all(fill.account == account for fill in patch.added)
        return patch if is_known else None


def _has_same_other_rows(before: SideRecord, after: SideRecord) -> bool:
    """True if the movements and the opening are the very same."""
    return after.movements is before.movements and after.opening is before.opening


def _with_ids(record: SideRecord | None, ids: Collection[str]) -> SideRecord | None:
    if record is None or record.fills is None:
        return record
    return replace(record, fills=tuple(record.table.having(fill_id=ids)))


def untouched(found: Mapping[str, Comparison], ids: Collection[str]) -> dict[str, Comparison]:
    """Return the comparisons of fills that have none of these ids."""
    return {
        identity: comparison
        for identity, comparison in found.items()
        if comparison.item_kind is ItemKind.FILL and not _is_of(comparison, ids)
    }


def _is_of(comparison: Comparison, ids: Collection[str]) -> bool:
    matched = comparison.matched
    rows: tuple[Fill, ...] = ()
    if isinstance(matched, MatchedFills):
        rows = (*matched.internal, *matched.external)
    return any(fill.fill_id in ids for fill in rows)
