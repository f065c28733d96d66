"""Results of a session that hold for its repaired copy, so that they are not computed again.

A repair that replaces one of 10,000 spot fills requires no second replay: the old fill is booked
backwards, the new one forwards, and only the fills with these ids are matched again.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from recon_core.compare.rows.matcher import Matching, match
from recon_core.engine.reconciliation import Reconciliation
from recon_core.explain.effects.patches import Patch
from recon_core.ledger.amended import amended
from recon_core.ledger.replay import SideReplay
from recon_core.model import Fill, LedgerSide, RecordedSession, SideRecord
from recon_core.model.comparison import Comparison, ItemKind
from recon_core.model.matched_rows import MatchedFills


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
            again = replayed if self._has_its_rows(side) else self._amended(side, replayed)
            if again is not None:
                found[side] = again
        return found

    def _amended(self, side: LedgerSide, replayed: SideReplay) -> SideReplay | None:
        patch = self._of_fills(side)
        return None if patch is None else amended(self.copy, replayed, patch.removed, patch.added)

    def touched(self, *, plain: bool) -> frozenset[str] | None:
        """Return the ids of the fills that a repair changes, `None` if any comparison may change.

        An order is compared with all of its fills, so a session with orders is matched as a whole;
        a session of several accounts is, too.
        """
        records = self.copy.internal, self.copy.external
        if not plain or any(record is None or record.orders is not None for record in records):
            return None
        touched: set[str] = set()
        for side in LedgerSide:
            if not self._has_its_rows(side):
                patch = self._of_fills(side)
                if patch is None:
                    return None
                touched |= {fill.fill_id for fill in (*patch.removed, *patch.added)}
        return frozenset(touched)

    def matching(self, ids: Collection[str]) -> Matching:
        """Return the comparisons of the fills with these ids."""
        internal, external = _with_ids(self.copy.internal, ids), _with_ids(self.copy.external, ids)
        return match(replace(self.copy, internal=internal, external=external))

    def _has_its_rows(self, side: LedgerSide) -> bool:
        before, after = self.reconciliation.recorded.side(side), self.copy.side(side)
        if before is None or after is None:
            return before is after
        return after.fills is before.fills and _same_besides(before, after)

    def _of_fills(self, side: LedgerSide) -> Patch | None:
        """Return the patch of a side if it changes only fills, of one account, else `None`."""
        patch, before, after = (
            self.patch, self.reconciliation.recorded.side(side), self.copy.side(side)
        )  # fmt: skip
        if patch is None or before is None or after is None or not before.fills:
            return None
        count = len(before.fills) - len(patch.removed) + len(patch.added)
        is_known = count == len(after.fills or ()) and _same_besides(before, after)
        account = before.fills[0].account
        is_known = is_known and all(fill.account == account for fill in patch.added)
        return patch if is_known else None


def _same_besides(before: SideRecord, after: SideRecord) -> bool:
    """True if the movements and the opening are the very same."""
    return after.movements is before.movements and after.opening is before.opening


def _with_ids(record: SideRecord | None, ids: Collection[str]) -> SideRecord | None:
    if record is None or record.fills is None:
        return record
    return replace(record, fills=tuple(fill for fill in record.fills if fill.fill_id in ids))


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
