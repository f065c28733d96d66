"""Where a fault stands: in the rows, in what was booked from them, or at the exchange.

A session of two sides is made of a base session and a fault, with what is true of it.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from recon_core.model import CashBalance, LedgerSide, RecordedSession, SideRecord
from recon_core.model.explanation import CauseKind, Effect
from recon_core.values.amounts import EXACT, ZERO
from tests.trials.bases import Base, Evidence
from tests.trials.books import State, are_accounts_plain, difference, state_of
from tests.trials.fault import Fault

_ABSENT = {CauseKind.MISSING_FILL, CauseKind.MISSING_MOVEMENT, CauseKind.SPLIT}
_BOGUS = {CauseKind.ORPHAN_FILL, CauseKind.FOREIGN_ACTIVITY}
"""Faults whose rows stand nowhere: those that were never booked, those that are no rows."""

_MUTUAL = {CauseKind.ALIAS, CauseKind.CONVERSION, CauseKind.MULTIPLIER}
"""Faults of what both sides share: a name, a conversion of one, the size of a contract."""


class Placement(StrEnum):
    """Where a fault stands.

    ROW: rows of the internal side are wrong, its state follows from them. BOOKED: the rows
    of the internal side are right, what it states was booked otherwise. BLIND: the same,
    and the internal side gives no rows; those of the exchange are the evidence. EXCHANGE:
    what the exchange states is wrong. LIST: the exchange's rows are wrong, and what it states is
    right. END: the exchange's lists end early, with what it states; the last fault is that end, and
    one before it is in the rows of the internal side.
    """

    ROW = "row"
    BOOKED = "booked"
    BLIND = "blind"
    EXCHANGE = "exchange"
    LIST = "list"
    END = "end"

    @property
    def side(self) -> LedgerSide:
        """The side that is wrong."""
        return LedgerSide.EXTERNAL if self in _OF_EXCHANGE else LedgerSide.INTERNAL

    @property
    def is_of_rows(self) -> bool:
        """True if the rows of a side are wrong."""
        return self in (Placement.ROW, Placement.LIST)


_OF_EXCHANGE = {Placement.EXCHANGE, Placement.LIST, Placement.END}

DRAWN = (Placement.ROW, Placement.BOOKED, Placement.BLIND, Placement.EXCHANGE)
"""Where trials of recordings have their faults."""


@dataclass(frozen=True, slots=True)
class Truth:
    """What one cause of an answer must say.

    `ids`: one of them must be named, and none outside of `all_ids`; where `ids` is empty
    none must. `also` are other kinds that are the same. `sides` are the sides that may be
    named, `None` where neither side's books tell which. `effect` is `None` where only the
    sum of several effects is known.
    """

    cause_kind: CauseKind
    variant: str
    sides: frozenset[LedgerSide | None]
    ids: frozenset[str]
    all_ids: frozenset[str]
    also: frozenset[CauseKind]
    effect: Effect | None


@dataclass(frozen=True, slots=True)
class Placed:
    """A session with its faults, and what is true of it."""

    recorded: RecordedSession
    truths: tuple[Truth, ...]
    effect: Effect
    side: LedgerSide


def placed(base: Base, faults: tuple[Fault, ...], placement: Placement) -> Placed:
    """Put faults into a session, the last of which has the book or the state of all.

    Raises `ReplayError` where the faulty book cannot be booked.
    """
    last = faults[-1]
    added = {one.symbol: one for fault in faults for one in fault.instruments}
    session = replace(base.recorded, instruments={**base.recorded.instruments, **added})
    faulty = last.state or state_of(session, _book(last))
    recorded = replace(session, **_sides(base, faults, faulty, placement))
    plain = are_accounts_plain(recorded)
    if placement is Placement.END and len(faults) > 1:
        return _both_wrong(base, faults, recorded, faulty)
    effect = difference(faulty, base.right, plain=plain)
    sides: set[LedgerSide | None] = {placement.side}
    if base.evidence is not Evidence.STATES and placement is Placement.ROW:
        sides.add(None)  # each side agrees with its own rows
    alone = len(faults) == 1 and placement is not Placement.LIST
    keys = frozenset((*effect.position, *effect.cash))
    truths = tuple(
        _truth(base, fault, sides, placement, effect if alone else None, keys) for fault in faults
    )
    return Placed(recorded, truths, effect, placement.side)


def _both_wrong(
    base: Base, faults: tuple[Fault, ...], recorded: RecordedSession, early: State
) -> Placed:
    """A fault in the ledger's rows beside an exchange whose lists end early."""
    own, end = faults
    booked = state_of(recorded, _book(own))
    effect = difference(booked, early, plain=are_accounts_plain(recorded))
    keys = frozenset((*effect.position, *effect.cash))
    truths = (
        _truth(base, own, {LedgerSide.INTERNAL, None}, Placement.ROW, None, keys),
        _truth(base, end, {LedgerSide.EXTERNAL}, Placement.END, None, keys),
    )
    return Placed(recorded, truths, effect, LedgerSide.INTERNAL)


def _book(fault: Fault) -> SideRecord:
    assert fault.book is not None
    return fault.book


def _truth(
    base: Base,
    fault: Fault,
    sides: set[LedgerSide | None],
    placement: Placement,
    effect: Effect | None,
    keys: frozenset[str],
) -> Truth:
    # Where no row is concerned, the positions and balances may be named instead.
    named = frozenset() if fault.ids else keys
    is_row = placement.is_of_rows
    is_unlisted = base.evidence is Evidence.STATES or (
        base.evidence is Evidence.STATEMENT and fault.cause_kind is CauseKind.MISSING_FILL
    )
    is_gone = placement is Placement.ROW and is_unlisted and fault.cause_kind in _ABSENT
    is_nameless = is_gone or (not is_row and fault.cause_kind in _BOGUS)
    # Two names or sizes of one thing: only rows of the same side say which of them is the other.
    is_mutual = fault.cause_kind in _MUTUAL and placement is not Placement.BOOKED
    return Truth(
        fault.cause_kind,
        fault.variant,
        frozenset({*LedgerSide, None}) if is_mutual else frozenset(sides),
        frozenset() if is_nameless else fault.ids,
        fault.ids | fault.more_ids | fault.twin_ids | named,
        fault.also,
        effect,
    )


def _sides(
    base: Base, faults: tuple[Fault, ...], faulty: State, placement: Placement
) -> dict[str, SideRecord]:
    last, right = faults[-1], base.book
    internal, external = right, base.external
    if placement is Placement.ROW:
        internal = _book(last)
    elif placement is Placement.BOOKED:
        internal = replace(right, positions=faulty.positions, cash=faulty.cash)
    elif placement is Placement.BLIND:
        internal = SideRecord(
            right.as_of,
            right.source,
            right.numbers,
            positions=faulty.positions,
            cash=faulty.cash,
        )
    elif placement is Placement.LIST:
        external = _with_list(external, _book(last))
    elif placement is Placement.END:
        internal = _book(faults[0]) if len(faults) > 1 else right
        external = _ended(external, _book(last), faulty)
    else:
        external = replace(external, positions=faulty.positions, cash=faulty.cash)
    if last.parts is not None:
        is_there = placement is Placement.EXCHANGE
        cash = _with_parts(external.cash or (), last.parts, is_without_locked=is_there)
        external = replace(external, cash=cash)
    times = [fault.as_of for fault in faults if fault.as_of is not None]
    if times and placement is Placement.EXCHANGE:
        external = replace(external, as_of=min(times))
    elif times:
        internal = replace(internal, as_of=min(times))
    return {"internal": internal, "external": external}


def _with_list(external: SideRecord, book: SideRecord) -> SideRecord:
    return replace(external, opening=book.opening, fills=book.fills, movements=book.movements)


def _ended(external: SideRecord, early: SideRecord, state: State) -> SideRecord:
    """The exchange without its last rows, and of the state before them, at the same time."""
    times = [row.time for row in early.fills or ()] + [row.time for row in early.movements or ()]
    ended = replace(
        _with_list(external, early), positions=state.positions, cash=state.cash, orders=None
    )
    snapshots = tuple(one for one in ended.snapshots or () if one.as_of <= max(times))
    return replace(ended, snapshots=snapshots or None)


def _with_parts(
    cash: tuple[CashBalance, ...], parts: CashBalance, *, is_without_locked: bool
) -> tuple[CashBalance, ...]:
    """What the exchange says is free and locked of its own total."""
    key, locked = (parts.account, parts.currency), parts.locked or ZERO
    return tuple(
        replace(
            row,
            free=row.total if is_without_locked else EXACT.subtract(row.total, locked),
            locked=locked,
        )
        if (row.account, row.currency) == key
        else row
        for row in cash
    )
