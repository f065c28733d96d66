"""Rows that stand several times and that the other side does not know at all.

One of them is the orphan, the others are its repetitions: a repetition has a row that it repeats.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from recon_core.explain.effects.bookings import order_name
from recon_core.explain.faults.edits import NEAR_TWIN, Edit
from recon_core.explain.faults.fill_edits import twin
from recon_core.explanation import CauseKind
from recon_core.model import Fill

_FEWEST: Final = 2


def with_orphans(edits: Sequence[Edit], fills: Sequence[Fill], rank: int) -> list[Edit]:
    """The edits, those as orphans that remove a fill and leave none of `fills` that it repeats.

    `rank` is that of an orphan, if it is no less sure already.
    """
    removals = [edit for edit in edits if _is_repetition(edit)]
    if len(removals) < _FEWEST:
        return list(edits)
    gone = Counter(id(edit.change.removed[0]) for edit in removals)
    ids = {edit.change.removed[0].fill_id for edit in removals}
    twins = {twin(edit.change.removed[0]) for edit in removals}
    left = []
    for fill in fills:
        if gone[id(fill)]:
            gone[id(fill)] -= 1
        elif fill.fill_id in ids or twin(fill) in twins:
            left.append(fill)
    found, orphans = list[Edit](), list[Fill]()
    for edit in edits:
        is_first = _is_repetition(edit) and not _repeats_any(edit.change.removed[0], left, orphans)
        orphans += edit.change.removed if is_first else ()
        found.append(_orphan(edit, rank) if is_first else edit)
    return found


def _orphan(edit: Edit, rank: int) -> Edit:
    return replace(edit, cause_kind=CauseKind.ORPHAN_FILL, rank=max(edit.rank, rank))


def _repeats_any(fill: Fill, left: Sequence[Fill], orphans: Sequence[Fill]) -> bool:
    """Whether a row repeats one that is left, or says what an orphan says."""
    said = twin(fill)
    return any(repeats(fill, row) for row in left) or any(
        twin(row) == said and repeats(fill, row) for row in orphans
    )


def _is_repetition(edit: Edit) -> bool:
    """Whether a fill goes as a repetition of one row; that of several parts is told by them."""
    removed, is_twice = edit.change.removed, edit.cause_kind is CauseKind.DUPLICATE_FILL
    return is_twice and len(removed) == 1 and not (edit.change.added or edit.detail)


def repeats(fill: Fill, other: Fill) -> bool:
    """Whether two rows may be one execution: by id, or by all else and nearly the same time."""
    if (fill.account, fill.symbol, fill.fill_id) == (other.account, other.symbol, other.fill_id):
        return True
    apart = abs(fill.time - other.time)
    is_near = apart <= NEAR_TWIN and order_name(fill) == order_name(other)
    return twin(fill) == twin(other) and (is_near or not apart)
