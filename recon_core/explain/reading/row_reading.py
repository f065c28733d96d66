"""What the rows of both sides show: every difference between them is a fault of one side.

Read off, not searched: any number of faults. Where it is not known which side is wrong,
each is held against the other, and the proof decides.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from operator import attrgetter
from typing import Final

from recon_core.explain.effects.changes import Change
from recon_core.explain.faults.edits import Edit, Row, together
from recon_core.explain.faults.fill_edits import FillEdits
from recon_core.explain.faults.spans import behind_detail
from recon_core.explain.grounds.ground import Ground
from recon_core.explain.grounds.prints import Prints
from recon_core.explain.reading.matched_rows import as_own, matched_fills, matched_movements
from recon_core.explain.reading.movement_kinds import movement_edit
from recon_core.explain.reading.opening_reading import opening_differences
from recon_core.explain.reading.pair_habits import habits
from recon_core.explain.reading.pair_kinds import Pair, cumulative_edits, edits_of_row
from recon_core.explain.reading.unknown_twice import with_orphans
from recon_core.explanation import CauseKind
from recon_core.ledger.replay import with_named_account
from recon_core.model import Fill, Movement, MovementKind, SideRecord

_MOST_OF_A_KIND: Final = 8
_BOOKED_AHEAD: Final = {MovementKind.DIVIDEND, MovementKind.INTEREST}
_SPANS: Final = {CauseKind.STALE_SIDE, CauseKind.AS_OF_SHIFT}


@dataclass
class RowReading:
    """Holds the rows of the ground's side against those of the other, which are right."""

    ground: Ground
    right: SideRecord
    max_skew: timedelta

    def edits(self) -> list[Edit]:
        """The edits that make the side's rows those of the other side."""
        fills = list(self._fill_edits())
        found = [
            *self._in_span(fills, list(self._movement_edits())),
            *opening_differences(self.ground, self.right),
        ]
        return list(_folded(found))

    def _in_span(self, fills: list[Edit], moved: list[Edit]) -> list[Edit]:
        """The edits of both, what came after a side's last time being one with its fills."""
        spans = [edit for edit in fills if edit.cause_kind in _SPANS and edit.change.added
                 and not edit.change.removed]  # fmt: skip
        if len(spans) != 1:
            return [*fills, *moved]
        since = min(fill.time for fill in spans[0].change.added)
        own: tuple[Row, ...] = (*self.ground.fills, *(self.ground.record.movements or ()))
        if own:  # nothing is there from its own last time on
            since = min(since, max(row.time for row in own) + timedelta(microseconds=1))
        late = [edit for edit in moved if _only_added(edit) and
                edit.change.added_movements[0].time >= since]  # fmt: skip
        rows = tuple(row for edit in (spans[0], *late) for row in edit.rows)
        whole = replace(spans[0], change=together((spans[0], *late)), rows=rows)
        rest = [edit for edit in fills if edit is not spans[0]]
        joined = set(map(id, late))
        return [*rest, whole, *(edit for edit in moved if id(edit) not in joined)]

    @property
    def _plain(self) -> bool:
        return self.ground.space.plain

    def _own(self, rows: Sequence[Fill]) -> Sequence[Fill]:
        account = self.ground.record.only_account()
        if not self._plain or all(row.account == account for row in rows):
            return rows
        return [as_own(row, account, plain=self._plain) for row in rows]

    def _fill_edits(self) -> Iterator[Edit]:
        if self.ground.record.fills is None or self.right.fills is None:
            return
        fills = self.ground.fills
        matched = matched_fills(fills, self._own(self.right.fills), plain=self._plain)
        yield from self._differing(matched.differing, fills)
        yield from self._surplus(matched.surplus)
        yield from self._lacking(matched.lacking)

    def _differing(self, pairs: Sequence[Pair], fills: Sequence[Fill]) -> Iterator[Edit]:
        """The edits that make wrong fills right: one for all where they have one fault."""
        left = list(pairs)
        for edit, done in cumulative_edits(left, fills):
            yield edit
            taken = {id(wrong) for wrong, _ in done}
            left = [pair for pair in left if id(pair[0]) not in taken]
        shared, rows = habits(left, fills)
        yield from shared
        for row in rows:
            yield from edits_of_row(row.given, row.at, row.right)

    def _surplus(self, surplus: Sequence[Fill]) -> Iterator[Edit]:
        left = list(surplus)
        for edit in _whole_groups(left, self.ground.fills, self.right.fills or ()):
            whole = {id(row) for row in edit.rows}
            left = [fill for fill in left if id(fill) not in whole]
            yield edit
        edits = FillEdits(self.ground, Prints(self.ground))
        gone = [replace(edits.edit(fill, "remove"), rank=0) for fill in left]
        yield from with_orphans(gone, self.ground.fills, 0)

    def _lacking(self, lacking: Sequence[Fill]) -> Iterator[Edit]:
        if not lacking:
            return
        span = self._span(lacking)
        if span is not None:
            yield span
            return
        for fill in lacking:
            yield Edit(CauseKind.MISSING_FILL, Change(added=(fill,)), (fill,), 0)

    def _span(self, lacking: Sequence[Fill]) -> Edit | None:
        """All fills from a time on are lacking: the side is behind."""
        first = min(fill.time for fill in lacking)
        seen = [fill.time for fill in self.ground.fills]
        last = max(seen) if seen else None
        side = self.ground.recorded.side(self.ground.side)
        behind = side is not None and side.as_of < first
        if (last is not None and last >= first) or (len(lacking) < 2 and not behind):  # noqa: PLR2004
            return None
        rows = tuple(sorted(lacking, key=lambda fill: fill.time))
        kind, detail = behind_detail(self.ground, rows[0].time, last, self.max_skew)
        return Edit(kind, Change(added=rows), rows, 0, detail)

    def _movement_edits(self) -> Iterator[Edit]:
        mine, right = self.ground.record.movements, self.right.movements
        if (mine is None and right is None) or self.right.fills is None:
            return
        account = self.ground.record.only_account()
        others = [as_own(row, account, plain=self._plain) for row in right or ()]
        matched = matched_movements(mine or (), others, plain=self._plain)
        for wrong, other in matched.differing:
            if _payload(wrong) != _payload(other):
                yield movement_edit(wrong, other)
        payloads = Counter(map(_payload, mine or ()))
        for row in matched.surplus:
            twice = payloads[_payload(row)] > 1
            kind = CauseKind.DUPLICATE_MOVEMENT if twice else CauseKind.FOREIGN_ACTIVITY
            accrued = not twice and row.movement_kind in _BOOKED_AHEAD
            detail = "it may have accrued, and is not paid yet" if accrued else ""
            yield Edit(kind, Change(removed_movements=(row,)), (row,), 0, detail)
        for row in matched.lacking:
            split = row.movement_kind is MovementKind.SPLIT
            kind = CauseKind.SPLIT if split else CauseKind.MISSING_MOVEMENT
            yield Edit(kind, Change(added_movements=(row,)), (row,), 0)


def _only_added(edit: Edit) -> bool:
    return bool(edit.change.added_movements) and not edit.change.removed_movements


def _payload(row: Movement) -> tuple[object, ...]:
    return (row.movement_kind, row.currency, row.amount, row.symbol, row.quantity, row.account)


def _whole_groups(
    surplus: Sequence[Fill], fills: Sequence[Fill], right: Sequence[Fill]
) -> Iterator[Edit]:
    """All fills of an account, a position or a symbol that the other side knows nothing of."""
    left = {id(fill) for fill in surplus}
    for words, name in (("account", "account"), ("position", "position_id"), ("symbol", "symbol")):
        key_of = attrgetter(name)
        keys = set(map(key_of, surplus)) - {None}
        keys -= set(map(key_of, right)) if keys else keys
        groups: dict[str, list[Fill]] = {}
        for fill in fills if keys else ():
            key = key_of(fill)
            if key in keys:
                groups.setdefault(key, []).append(fill)
        for key, rows in groups.items():
            if len(rows) > 1 and all(id(fill) in left for fill in rows):
                left -= {id(fill) for fill in rows}
                detail = f"all {len(rows)} fills of {words} {key}"
                change = Change(removed=tuple(rows))
                yield Edit(CauseKind.FOREIGN_ACTIVITY, change, tuple(rows), 0, detail)


def _folded(edits: Sequence[Edit]) -> Iterator[Edit]:
    """Edits of one kind as one where they are many."""
    kinds = Counter(edit.cause_kind for edit in edits)
    many: dict[CauseKind, list[Edit]] = {}
    for edit in edits:
        if kinds[edit.cause_kind] > _MOST_OF_A_KIND:
            many.setdefault(edit.cause_kind, []).append(edit)
        else:
            yield edit
    for kind, each in many.items():
        change = Change(
            tuple(row for edit in each for row in edit.change.removed),
            tuple(row for edit in each for row in edit.change.added),
            tuple(row for edit in each for row in edit.change.removed_movements),
            tuple(row for edit in each for row in edit.change.added_movements),
        )
        rows: tuple[Row, ...] = tuple(row for edit in each for row in edit.rows)
        yield Edit(kind, change, rows, 0, f"{len(each)} of them")


def other_rows(record: SideRecord | None) -> SideRecord | None:
    """The rows that a side is held against, `None` where it has none."""
    if record is None or record.fills is None:
        return None
    return with_named_account(record)
