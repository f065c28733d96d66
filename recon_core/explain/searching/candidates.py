"""Candidates: edits that fit, grouped by what they do and ordered by what speaks for them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from recon_core.explain.effects.changes import Change
from recon_core.explain.effects.space import Vector
from recon_core.explain.faults.edits import Edit, Row, together
from recon_core.explain.faults.fill_edits import twin
from recon_core.explain.grounds.ground import Ground
from recon_core.explanation import CauseKind
from recon_core.model import Movement

Found = tuple[Edit, ...]
"""Edits that together are what is needed."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Edits that fit, with the rows that are interchangeable in each of them.

    `order` says how much speaks for it, the least first: the rank of its weakest edit, and
    whether it is off by more than floats of this size are. `members` are the choices of
    rows, equal but for their time: the PnL of derivatives depends on it.
    """

    order: tuple[int, bool]
    members: tuple[Found, ...]
    rows: tuple[tuple[Row, ...], ...]

    @property
    def edits(self) -> Found:
        """The first choice of rows."""
        return self.members[0]


def candidates(ground: Ground, found: Sequence[Found]) -> list[Candidate]:
    """What was found, interchangeable rows together, the best evidence first."""
    groups: dict[Any, list[Found]] = {}
    for edits in found:
        keyed = sorted(((_key(ground, edit), edit) for edit in edits), key=lambda each: each[0])
        if len(keyed) > 1 and keyed[0][1].change.builds_on(keyed[1][1].change):
            keyed.reverse()
        key = tuple(each for each, _ in keyed)
        groups.setdefault(key, []).append(tuple(edit for _, edit in keyed))
    result = [_candidate(ground, key, members) for key, members in groups.items()]
    return sorted(_misread_as_well(result), key=lambda each: each.order)


def _misread_as_well(found: Sequence[Candidate]) -> list[Candidate]:
    """Misread orders with what speaks for the wrong quantity that is the same repair."""
    orders: dict[object, tuple[int, bool]] = {}
    if any(_has(one, CauseKind.CUMULATIVE_QUANTITY) for one in found):
        wrong = [one for one in found if _has(one, CauseKind.WRONG_QUANTITY)]
        orders = {_repair(one): one.order for one in reversed(wrong)}
    return [
        replace(one, order=min(one.order, orders.get(_repair(one), one.order)))
        if orders and _has(one, CauseKind.CUMULATIVE_QUANTITY)
        else one
        for one in found
    ]


def _has(candidate: Candidate, kind: CauseKind) -> bool:
    return any(edit.cause_kind is kind for edit in candidate.edits)


def _repair(candidate: Candidate) -> tuple[object, ...]:
    change = together(candidate.edits)
    return frozenset(map(id, change.removed)), frozenset(change.added)


def _candidate(ground: Ground, key: tuple[str, ...], members: Sequence[Found]) -> Candidate:
    rank = min(max(edit.rank for edit in edits) for edits in members)
    best = [edits for edits in members if max(edit.rank for edit in edits) == rank]
    rows = [_united([edits[at] for edits in best]) for at in range(len(best[0]))]
    for same in {each for each in key if key.count(each) > 1}:
        places = [at for at, each in enumerate(key) if each == same]
        union = _united([edits[at] for edits in best for at in places])
        rows = [union if at in places else some for at, some in enumerate(rows)]
    members = best if _depends_on_time(ground, best[0]) else best[:1]
    return Candidate((rank, not _is_close(ground, best[0])), tuple(members), tuple(rows))


def _depends_on_time(ground: Ground, edits: Found) -> bool:
    return any(_depends_on_others(ground, edit.change) for edit in edits)


def _united(edits: Sequence[Edit]) -> tuple[Row, ...]:
    """All rows of edits, each once."""
    return tuple({id(row): row for edit in edits for row in edit.rows}.values())


def _is_close(ground: Ground, edits: Found) -> bool:
    """Whether edits give the need to far less than what floats may be off."""
    if not ground.space.dust:
        return True
    return ground.is_close(together(edits).vector(ground.bookings))


def _key(ground: Ground, edit: Edit) -> str:
    """What an edit does, whichever of several equal rows it does it to.

    An edit without a free number is known by its kind and what it books, where that does
    not depend on the fills before; any other by the content of its rows.
    """
    change = edit.change
    if edit.rank <= 1 and not _depends_on_others(ground, change):
        return f"{edit.cause_kind} {edit.detail} {_text(change.vector(ground.bookings))}"
    moved = [
        [_movement_key(row) for row in rows]
        for rows in (change.removed_movements, change.added_movements)
    ]
    fills = [[twin(row) for row in rows] for rows in (change.removed, change.added)]
    return f"{edit.cause_kind} {fills} {moved} {edit.detail if change.opening else ''}"


def _text(vector: Vector) -> str:
    return str(sorted((name, str(amount.normalize())) for name, amount in vector.items() if amount))


def _depends_on_others(ground: Ground, change: Change) -> bool:
    """Whether a change moves the position of a derivative: its PnL is that of later fills too."""
    if len(change.removed) == len(change.added):
        pairs = zip(change.removed, change.added, strict=True)
        fills = [old for old, new in pairs if _trade(old) != _trade(new)]
    else:
        fills = [*change.removed, *change.added]
    return any(ground.bookings.derivative(fill.symbol) for fill in fills)


def _trade(fill: Any) -> tuple[Any, ...]:
    return fill.symbol, fill.side, fill.quantity, fill.price


def _movement_key(movement: Movement) -> tuple[Any, ...]:
    return (
        str(movement.movement_kind),
        movement.currency,
        movement.amount,
        movement.symbol,
        movement.quantity,
        movement.account,
    )
