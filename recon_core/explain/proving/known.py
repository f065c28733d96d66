"""What is known of a repaired session before it is reconciled: all that a repair leaves alone."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from recon_core.comparison import Comparison, ItemKind
from recon_core.explain.effects.changes import Change
from recon_core.ledger.amended import amended
from recon_core.ledger.replay import SideReplay
from recon_core.matched import MatchedFills
from recon_core.matching.matcher import Matching, match
from recon_core.model import Fill, LedgerSide, RecordedSession, SideRecord
from recon_core.reconciliation import Reconciliation


@dataclass(frozen=True, slots=True)
class Known:
    """What a reconciliation tells of a repaired `copy` of its session.

    `change` is all that was done to the rows of the only side that was repaired, `None`
    where that is not known.
    """

    reconciliation: Reconciliation
    copy: RecordedSession
    change: Change | None

    def replays(self) -> dict[LedgerSide, SideReplay]:
        """The replays of the sides that have the same rows, or a few other fills."""
        found = {}
        for side, replayed in self.reconciliation.replays.items():
            again = replayed if self._has_its_rows(side) else self._amended(side, replayed)
            if again is not None:
                found[side] = again
        return found

    def _amended(self, side: LedgerSide, replayed: SideReplay) -> SideReplay | None:
        change = self._of_fills(side)
        return (
            None if change is None else amended(self.copy, replayed, change.removed, change.added)
        )

    def touched(self, *, plain: bool) -> frozenset[str] | None:
        """The ids of the fills that a repair changes; `None` where any comparison may change.

        Orders are compared with all of their fills: a session that has some is matched as a
        whole, as is one of several accounts.
        """
        records = self.copy.internal, self.copy.external
        if not plain or any(record is None or record.orders is not None for record in records):
            return None
        touched: set[str] = set()
        for side in LedgerSide:
            if not self._has_its_rows(side):
                change = self._of_fills(side)
                if change is None:
                    return None
                touched |= {fill.fill_id for fill in (*change.removed, *change.added)}
        return frozenset(touched)

    def matching(self, ids: Collection[str]) -> Matching:
        """The comparisons of the fills with these ids."""
        internal, external = _with_ids(self.copy.internal, ids), _with_ids(self.copy.external, ids)
        return match(replace(self.copy, internal=internal, external=external))

    def _has_its_rows(self, side: LedgerSide) -> bool:
        before, after = self.reconciliation.recorded.side(side), self.copy.side(side)
        if before is None or after is None:
            return before is after
        return after.fills is before.fills and _same_besides(before, after)

    def _of_fills(self, side: LedgerSide) -> Change | None:
        """The change of the side where it is one of fills alone, all of one account."""
        change, before, after = (
            self.change, self.reconciliation.recorded.side(side), self.copy.side(side)
        )  # fmt: skip
        if change is None or before is None or after is None or not before.fills:
            return None
        count = len(before.fills) - len(change.removed) + len(change.added)
        is_known = count == len(after.fills or ()) and _same_besides(before, after)
        account = before.fills[0].account
        is_known = is_known and all(fill.account == account for fill in change.added)
        return change if is_known else None


def _same_besides(before: SideRecord, after: SideRecord) -> bool:
    """Whether all that is booked besides fills is the same."""
    return after.movements is before.movements and after.opening is before.opening


def _with_ids(record: SideRecord | None, ids: Collection[str]) -> SideRecord | None:
    if record is None or record.fills is None:
        return record
    return replace(record, fills=tuple(fill for fill in record.fills if fill.fill_id in ids))


def untouched(found: Mapping[str, Comparison], ids: Collection[str]) -> dict[str, Comparison]:
    """The comparisons of fills that have none of these ids."""
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
