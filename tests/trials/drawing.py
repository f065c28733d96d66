"""Drawing trials: a seed gives a session with one or two faults, always the same."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from recon_core.model import Fill, Movement
from recon_core.model.explanation import CauseKind, Effect
from recon_core.values.errors import ReconError
from tests.trials.bases import DRAWN as DRAWN_EVIDENCE
from tests.trials.bases import NAMES, RECORDED, Base, Evidence, base_session
from tests.trials.books import (
    State,
    are_accounts_plain,
    difference,
    negative,
    state_of,
    total,
)
from tests.trials.coincidences import dust_of, is_of_one_row
from tests.trials.fault import Dice, Fault
from tests.trials.faults import INJECTORS
from tests.trials.placing import DRAWN as DRAWN_PLACEMENTS
from tests.trials.placing import Placed, Placement, placed
from tests.trials.telling import why_not
from tests.trials.twins import with_twins

_TRIES = 400
_RECORDED_SHARE = 0.6
_DUSTY = ("bt_spot_ema", "bt_futures_ema_funding", "backtrader", "vectorbt", "dry_spot_dca")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What trials are drawn of; `None` is anything."""

    cause_kind: CauseKind | None = None
    evidence: Evidence | None = None
    placement: Placement | None = None
    name: str | None = None
    faults: int = 1
    is_dusty: bool = False


@dataclass(frozen=True)
class Trial:
    """A session with faults."""

    seed: int
    base: Base
    placement: Placement
    faults: tuple[Fault, ...]
    placed: Placed

    @cached_property
    def why_not(self) -> str:
        """Why the data cannot tell the faults; empty where they can."""
        return why_not(self.base, self.faults, self.placement, self.placed.effect)

    @property
    def kinds(self) -> str:
        """The kinds of the faults."""
        return " + ".join(sorted(fault.cause_kind for fault in self.faults))

    @property
    def setting(self) -> str:
        """Evidence and placement."""
        return f"{self.base.evidence}/{self.placement}"


def drawn(seed: int, wanted: Wanted = Wanted()) -> Trial | None:
    """The trial of a seed; `None` where nothing of the wanted kind is possible."""
    dice = random.Random(f"trial {seed}")  # noqa: S311  # rows, no secrets
    kind = wanted.cause_kind or dice.choice(list(CauseKind))
    for _ in range(_TRIES):
        trial = _attempt(seed, kind, wanted, dice)
        if trial is not None:
            return trial
    return None


def _attempt(seed: int, kind: CauseKind, wanted: Wanted, dice: Dice) -> Trial | None:
    base = base_session(*_base(wanted, dice), is_dusty=wanted.is_dusty)
    placement = wanted.placement or dice.choice(DRAWN_PLACEMENTS)
    return trial_of(seed, base, placement, faults_of(base, kind, wanted.faults, dice))


def trial_of(
    seed: int, base: Base, placement: Placement, faults: tuple[Fault, ...]
) -> Trial | None:
    """The trial of faults of a base session, `None` where they cannot be there or do not show."""
    if not faults or _is_later(base, faults[-1]) or not _is_possible(base, faults, placement):
        return None
    try:
        faults = tuple(with_twins(base, fault, placement) for fault in faults)
        found = placed(base, faults, placement)
    except ReconError:  # what the fault made of the rows cannot be booked
        return None
    if not _shows(found, faults) or not _shows_both(base, faults, found):
        return None
    return Trial(seed, base, placement, faults, found)


def _base(wanted: Wanted, dice: Dice) -> tuple[str, Evidence]:
    names = _DUSTY if wanted.is_dusty else RECORDED if dice.random() < _RECORDED_SHARE else NAMES
    return wanted.name or dice.choice(names), wanted.evidence or dice.choice(DRAWN_EVIDENCE)


def faults_of(
    base: Base, kind: CauseKind, count: int, dice: Dice, others: Sequence[CauseKind] = ()
) -> tuple[Fault, ...]:
    """One fault, or a second one, of any kind or of `others`, in the book of the first."""
    first = dice.choice(INJECTORS[kind])(base, base.book, dice)
    if first is None or count == 1:
        return () if first is None else (first,)
    if first.book is None or first.instruments:
        return ()
    inject, before = dice.choice(INJECTORS[dice.choice(others or list(CauseKind))]), dice.getstate()
    second, after = inject(base, first.book, dice), dice.getstate()
    if second is None or first.touched & second.touched:
        return ()
    dice.setstate(before)
    alone = inject(base, base.book, dice)
    dice.setstate(after)
    if alone is not None and _left(base, alone) == _left(base, second):
        return ()  # the second undoes the first
    return () if first.as_of or second.as_of else (first, second)


def _left(base: Base, fault: Fault) -> State | None:
    """The state that a fault leaves, `None` where its book cannot be booked."""
    if fault.state is not None or fault.book is None:
        return fault.state
    try:
        return state_of(base.recorded, fault.book)
    except ReconError:
        return None


def _is_later(base: Base, fault: Fault) -> bool:
    """Whether a row is later than the time of both states: no state can have it."""
    book = fault.book
    rows: tuple[Fill | Movement, ...] = ()
    if book is not None:
        rows = (*(book.fills or ()), *(book.movements or ()))
    known = {id(row) for row in (*base.fills, *(base.book.movements or ()))}
    return any(row.time > base.book.as_of for row in rows if id(row) not in known)


def _is_possible(base: Base, faults: tuple[Fault, ...], placement: Placement) -> bool:
    """Whether a fault of this kind can stand there."""
    has_rows = base.evidence is Evidence.ROWS
    if placement in (Placement.LIST, Placement.END):
        return has_rows and not any(one.state or one.moves_nothing for one in faults)
    return _is_possible_of_state(faults, placement, has_rows=has_rows)


def _is_possible_of_state(
    faults: tuple[Fault, ...], placement: Placement, *, has_rows: bool
) -> bool:
    if any(fault.state is not None for fault in faults) and placement is Placement.ROW:
        return False
    if any(fault.is_of_rows for fault in faults) and placement is not Placement.ROW:
        return False
    if any(fault.moves_nothing for fault in faults):
        return has_rows and placement is Placement.ROW and len(faults) == 1
    if placement is Placement.BLIND:
        return has_rows
    if placement is Placement.EXCHANGE and not has_rows:
        stated = {CauseKind.STALE_SIDE, CauseKind.AS_OF_SHIFT}
        return all(fault.state is not None or fault.cause_kind in stated for fault in faults)
    return True


def _shows_both(base: Base, faults: tuple[Fault, ...], found: Placed) -> bool:
    """Whether each of two faults changes something of its own, and both no less than two.

    A session that one fault makes as well is a session of one fault.
    """
    if len(faults) == 1:
        return True
    book, plain = faults[0].book, are_accounts_plain(found.recorded)
    if book is None:
        return False
    first = difference(state_of(base.recorded, book), base.right, plain=plain)
    second = total((found.effect, negative(first)))
    return (
        _is_more_than_dust(base, first)
        and _is_more_than_dust(base, second)
        and not _is_one_opening(faults, first, second)
        and not is_of_one_row(base, found.effect)
    )


def _is_one_opening(faults: tuple[Fault, ...], first: Effect, second: Effect) -> bool:
    """Whether two faults make one opening balance wrong."""
    kinds = {fault.cause_kind for fault in faults}
    shared = first.cash.keys() & second.cash.keys() or first.position.keys() & second.position
    return kinds == {CauseKind.OPENING_BALANCE} and bool(shared)


def _is_more_than_dust(base: Base, effect: Effect) -> bool:
    """Whether anything moves by more than binary floats may be off."""
    dust = dust_of(base)
    amounts = (*effect.position.values(), *effect.cash.values())
    return any(amount.copy_abs() > dust for amount in amounts)


def _shows(found: Placed, faults: tuple[Fault, ...]) -> bool:
    """Whether the fault changes anything that is compared."""
    return bool(found.effect) or any(fault.moves_nothing for fault in faults)
