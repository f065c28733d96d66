"""From edits that fit to an explanation that is proven, or to none."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import Enum

from recon_core.amounts import ZERO
from recon_core.errors import ReconError
from recon_core.explain.budget import OF_A_RECONCILIATION, OF_A_REPLAY, Budget
from recon_core.explain.effects.bookings import order_name
from recon_core.explain.effects.changes import Change, names_of, shifted, total_of
from recon_core.explain.effects.space import Vector, minus, negated, state_part
from recon_core.explain.faults.edits import Edit, Row, together
from recon_core.explain.grounds.ground import Ground
from recon_core.explain.proving.proof import Outcome, Prover
from recon_core.explain.proving.restating import restated
from recon_core.explain.reading.unknown_twice import with_orphans
from recon_core.explanation import CauseKind
from recon_core.model import LedgerSide, SideRecord


class OwnState(Enum):
    """Whether a side whose own books contradict its rows states what is right, or its rows."""

    RIGHT = "right"
    OF_ITS_ROWS = "of its rows"


@dataclass(frozen=True, slots=True)
class Part:
    """One edit of an answer: the rows that are interchangeable in it, what it books wrongly."""

    edit: Edit
    rows: tuple[Row, ...]
    needed: int
    effect: Vector


@dataclass(frozen=True, slots=True)
class Answer:
    """Edits that were proven together; `complete`: no more of their rank are left untried.

    `decides` is what would tell whether they are so, where it is known.
    """

    parts: tuple[Part, ...]
    side: LedgerSide
    ground: Ground
    outcome: Outcome
    change: Change
    repaired: SideRecord
    complete: bool = True
    decides: str = ""

    @property
    def rank(self) -> int:
        """What speaks for the answer, from 0 (the rows show it) on."""
        return max(part.edit.rank for part in self.parts)

    @property
    def of_figures(self) -> bool:
        """Whether all that it says is that a quantity or a price of some rows is another."""
        return all(
            len(part.edit.change.removed) == len(part.edit.change.added) > 0 for part in self.parts
        ) and all(
            (old.quantity, old.price) != (new.quantity, new.price)
            for part in self.parts
            for old, new in zip(part.edit.change.removed, part.edit.change.added, strict=True)
        )

    @property
    def rounded(self) -> bool:
        """Whether all that it says is that figures were rounded: the side that lacks digits."""
        return all(part.edit.cause_kind is CauseKind.ROUNDING for part in self.parts)


def attempt(
    prover: Prover,
    ground: Ground,
    edits: Sequence[Edit],
    rows: Sequence[tuple[Row, ...]],
    budget: Budget,
    *,
    read: bool = False,
    nearly: Vector | None = None,
    own: OwnState | None = None,
) -> Answer | None:
    """The answer that edits give together, `None` where a reconciliation does not bear it out.

    What was `read` off rows may leave a part of the deltas; what was searched for may leave
    what is in `nearly` by dimension, nothing where it is not given. `own`: the side's
    own books ask for the edits, which may then leave every diff smaller and none away.
    """
    if not (read or ground.rows_right):
        edits = with_orphans(edits, ground.fills, 1)
    change = together(edits)
    try:
        booked = _effects(ground, edits, budget)
    except ReconError:
        return None
    left = ground.space.real(state_part(minus(ground.exact, total_of(booked))))
    if not read and not _within(left, nearly or {}):
        return None
    effects = booked if ground.rows_right else [negated(effect) for effect in booked]
    known = change if _has_own_rows(prover, ground) else None
    repaired = _repaired(prover, ground, change, total_of(effects))
    for record in repaired[-1:] if own is OwnState.RIGHT else repaired:
        budget.spend(len(ground.fills) * OF_A_RECONCILIATION)
        outcome = prover.outcome({ground.side: record}, known)
        if outcome is None:
            continue
        is_near = not outcome.appeared and _within(outcome.remaining, nearly or {})
        is_part = not outcome.appeared and (own is not None or bool(outcome.vanished))
        if is_near or (read and is_part):
            parts = tuple(
                Part(edit, tuple(equal), _needed(edits, rows, equal), state_part(effect))
                for edit, equal, effect in zip(edits, rows, effects, strict=True)
            )
            return Answer(parts, ground.side, ground, outcome, change, record)
    return None


def _has_own_rows(prover: Prover, ground: Ground) -> bool:
    """Whether the rows of the ground are those of the session itself, accounts named or not."""
    record = prover.recorded.side(ground.owner)
    return record is not None and record.fills is ground.record.fills


def _within(amounts: Vector, nearly: Vector) -> bool:
    """Whether amounts are no larger than they may be: nothing, where no limit is given."""
    return all(amount.copy_abs() <= nearly.get(name, ZERO) for name, amount in amounts.items())


def _needed(edits: Sequence[Edit], rows: Sequence[tuple[Row, ...]], equal: tuple[Row, ...]) -> int:
    """How many of interchangeable rows have the fault."""
    if any(len(edit.rows) > 1 for edit in edits):
        return len(equal)
    return sum(each is equal for each in rows)


def _effects(ground: Ground, edits: Sequence[Edit], budget: Budget) -> list[dict[str, Decimal]]:
    """What each edit books: of derivatives by replay, one edit after the other."""
    if not any(_touches_derivative(ground, edit.change) for edit in edits):
        return [state_part(edit.change.vector(ground.bookings)) for edit in edits]
    effects, record = [], ground.record
    before = ground.replayed
    for edit in edits:
        budget.spend(len(ground.fills) * OF_A_REPLAY)
        record = edit.change.applied(record)
        after = ground.state_of(record)
        effects.append(minus(after, before))
        before = after
    return effects


def _touches_derivative(ground: Ground, change: Change) -> bool:
    rows = (*change.removed, *change.added)
    return any(ground.bookings.derivative(fill.symbol) for fill in rows)


def _repaired(prover: Prover, ground: Ground, change: Change, effect: Vector) -> list[SideRecord]:
    """The faulty side put right: by its rows, by what it states, or by both."""
    recorded, space = prover.recorded, prover.space
    names = names_of(space, list(recorded.own_records().values()))
    correction = {
        name: amount.copy_negate() for name, amount in state_part(effect).items() if amount
    }
    if ground.rows_right:
        side = recorded.side(ground.side)
        if side is None:
            return []
        if ground.side is ground.owner:  # what it replays from its own rows is right
            return [_shifted_where_stated(side, prover, correction)]
        return [shifted(_stating(side), space, correction, names)]
    changed = _without_orders(ground, change.applied(ground.record), change)
    changed = restated(recorded, ground.record, changed)
    if {"positions", "cash"} <= changed.derived:
        return [changed]
    return [_shifted_where_stated(changed, prover, correction), changed]


def _without_orders(ground: Ground, record: SideRecord, change: Change) -> SideRecord:
    """Without the side's own orders of changed fills, where they say what the fills said.

    Where the other side gives orders too, they are compared and stay.
    """
    others = ground.recorded.own_records().values()
    if not record.orders or all(other.orders is not None for other in others):
        return record
    names = {order_name(fill) for fill in (*change.removed, *change.added)} - ground.need.keys()
    kept = tuple(order for order in record.orders if order_name(order) not in names)
    return replace(record, orders=kept)


def _stating(record: SideRecord) -> SideRecord:
    """A side whose replayed sections count as what it states."""
    return replace(record, derived=frozenset()) if record.derived else record


def _shifted_where_stated(record: SideRecord, prover: Prover, correction: Vector) -> SideRecord:
    names = names_of(prover.space, list(prover.recorded.own_records().values()))
    moved = shifted(record, prover.space, correction, names)
    return replace(
        record,
        positions=record.positions if "positions" in record.derived else moved.positions,
        cash=record.cash if "cash" in record.derived else moved.cash,
    )
