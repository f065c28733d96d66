"""Replay of a side: opening, fills and movements give positions and cash.

Source of the rules: rules, "What a replay books", and design, "Ledger
comparisons". A replay is a pure function of what a side states.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from operator import attrgetter

from recon_core.ledger.bookings import Roundings
from recon_core.ledger.holdings import are_summed
from recon_core.ledger.position_ledger import PositionLedger, undeclared
from recon_core.ledger.quantities import quantities
from recon_core.ledger.timeline import in_steps, ordered_fills
from recon_core.ledger.waterfall import Flows
from recon_core.model import (
    CashBalance,
    Fill,
    LedgerSide,
    Leg,
    Movement,
    MovementKind,
    Position,
    RecordedSession,
    SideRecord,
)
from recon_core.model.fill_table import (
    PositionSums,
    SumRule,
    are_the_same,
    table_of,
)
from recon_core.model.movement_table import MovementTable, movement_table_of
from recon_core.model.row_table import rows_in_account
from recon_core.values.errors import ReplayError
from recon_core.values.printable import printable

_time = attrgetter("time")


@dataclass(frozen=True, slots=True)
class SideReplay:
    """Result of a side's opening, fills and movements.

    `positions` and `cash` are `None` where they could not be replayed; `problem` says why
    where a row was refused, `notes` where an instrument is not declared; `doubtful` are the
    symbols that have no position for that reason.
    """

    positions: tuple[Position, ...] | None = None
    cash: tuple[CashBalance, ...] | None = None
    flows: Flows | None = None
    problem: str = ""
    notes: tuple[str, ...] = ()
    doubtful: frozenset[str] = frozenset()


def replay_sides(
    recorded: RecordedSession, known: Mapping[LedgerSide, SideReplay] | None = None
) -> dict[LedgerSide, SideReplay]:
    """The replay of every side that speaks for itself and gives an opening and fills.

    A side whose replay is `known` is not replayed again.
    """
    replays: dict[LedgerSide, SideReplay] = {}
    for side, record in recorded.own_records().items():
        if known and side in known:
            replays[side] = known[side]
        elif record.opening is not None and record.fills is not None:
            unknown = _undeclared(recorded, record)
            other = recorded.internal if replays else None
            if unknown:
                replays[side] = _positions_only(recorded, record, side, unknown)
            elif other is not None and _state_the_same(record, other):
                (replays[side],) = replays.values()
            else:
                replays[side] = _replayed(recorded, record)
    return replays


def _state_the_same(one: SideRecord, other: SideRecord) -> bool:
    """True if two sides state the same, digit by digit: then one replay serves both.

    Fills count as the same where they were read once for both sides.
    """
    one, other = with_named_account(one), with_named_account(other)
    if not are_the_same(one.fill_rows, other.fill_rows):
        return False
    if repr(one.opening) != repr(other.opening) or not _move_the_same(one, other):
        return False
    return _marks(one) == _marks(other)


def _marks(record: SideRecord) -> dict[str, Decimal]:
    """Return the mark prices that a side states, by symbol."""
    rows = record.position_rows
    return {row.symbol: row.mark_price for row in rows if row.mark_price is not None}


def _move_the_same(one: SideRecord, other: SideRecord) -> bool:
    """True if two sides have the same movements, in the digits that they are written with.

    Tables in columns are not looked through.
    """
    movements = one.movement_rows, other.movement_rows
    if any(isinstance(each, MovementTable) for each in movements):
        return movements[0] is movements[1]
    moves = ([(row, str(row.amount), str(row.quantity)) for row in rows] for rows in movements)
    return next(moves) == next(moves)


def _replayed(recorded: RecordedSession, record: SideRecord) -> SideReplay:
    try:
        ledger = replay(recorded, record)
        return SideReplay(ledger.positions, ledger.cash, ledger.flows)
    except ReplayError as error:
        return SideReplay(problem=str(error))


def _undeclared(recorded: RecordedSession, record: SideRecord) -> list[str]:
    symbols = record.table.distinct("symbol")
    return sorted(symbols - recorded.instruments.keys())


def _positions_only(
    recorded: RecordedSession, record: SideRecord, side: LedgerSide, unknown: list[str]
) -> SideReplay:
    found = quantities(with_named_account(record), recorded.instruments)
    named = printable(unknown[0], 100)
    more = f" and {len(unknown) - 1} more" if len(unknown) > 1 else ""
    reason = f"instrument {named}{more} is not declared"
    notes = [f"{side}: cash was not replayed from its fills: {reason}"]
    if found.doubtful:
        doubtful = ", ".join(printable(symbol, 60) for symbol in sorted(found.doubtful)[:5])
        notes.append(
            f"{side}: positions of {doubtful} were not replayed: whether a fee in the base "
            "currency reduces them is not known without the instrument"
        )
    return SideReplay(found.positions(), notes=tuple(notes), doubtful=frozenset(found.doubtful))


def with_derived_sections(
    recorded: RecordedSession, replays: Mapping[LedgerSide, SideReplay]
) -> RecordedSession:
    """The session with positions and cash taken from the replay where a side has none.

    Raises `ReplayError` naming the side where its rows cannot be replayed.
    """
    internal = _derived(recorded, LedgerSide.INTERNAL, replays)
    is_copy = recorded.external is recorded.internal
    external = internal if is_copy else _derived(recorded, LedgerSide.EXTERNAL, replays)
    return replace(recorded, internal=internal, external=external)


def _derived(
    recorded: RecordedSession, side: LedgerSide, replays: Mapping[LedgerSide, SideReplay]
) -> SideRecord | None:
    record, replayed = recorded.side(side), replays.get(side)
    if record is None or replayed is None:
        return record
    missing = frozenset(name for name in ("positions", "cash") if record.rows(name) is None)
    if not missing:
        return record
    if replayed.problem:
        raise ReplayError(f"{side} side: {replayed.problem}")
    if replayed.cash is None:
        symbol = _undeclared(recorded, record)[0]
        raise ReplayError(f"{side} side: {undeclared(symbol, recorded.instruments)}")
    return replace(
        record,
        positions=replayed.positions if "positions" in missing else record.positions,
        cash=replayed.cash if "cash" in missing else record.cash,
        derived=missing,
    )


def replay(recorded: RecordedSession, record: SideRecord) -> PositionLedger:
    """The ledger that a side's opening, fills and movements give.

    Raises `ReplayError` where one of them cannot be booked. The order is that of
    `recon_core.ledger.timeline`. Rows without an account belong to the side's only one.
    """
    record = with_named_account(record)
    sums = _sums(recorded, record)
    if sums is not None:
        return _posted(recorded, record, sums)
    streamed = _streamed(recorded, record)
    if streamed is not None:
        return streamed
    try:
        return _replayed_by(recorded, record, PositionLedger.apply_together)
    except ReplayError:
        # Once more, one by one: the error is about the first that cannot be booked.
        return _replayed_by(recorded, record, PositionLedger.apply_fills)


def _sums(recorded: RecordedSession, record: SideRecord) -> PositionSums | None:
    """Return the sums of a side's fills, `None` where these are posted one by one.

    Sums are enough where every fill is paid for on the spot, and no movement falls between fills
    that it would have to find a position of.
    """
    table, instruments = record.table, recorded.instruments
    symbols = table.distinct("symbol")
    if not all(are_summed(instruments.get(symbol)) for symbol in symbols):
        return None
    if table.distinct("leg") - {Leg.NET} or _moves_quantities(record):
        return None
    roundings = Roundings(recorded.currencies)
    rules = {
        symbol: SumRule(roundings.places(one.quote), roundings.places(one.base))
        for symbol, one in instruments.items()
        if symbol in symbols
    }
    return table.sums(rules, roundings.places, ordered_fills)


def _moves_quantities(record: SideRecord) -> bool:
    """True if a movement falls between fills, which it may have to find a position of."""
    return any(movement_table_of(record.movements).distinct("symbol"))


def _posted(recorded: RecordedSession, record: SideRecord, sums: PositionSums) -> PositionLedger:
    ledger = opened_ledger(recorded, record)
    ledger.apply_sums(sums)
    _apply_cash(ledger, recorded, record)
    return ledger


def _apply_cash(ledger: PositionLedger, recorded: RecordedSession, record: SideRecord) -> None:
    """Book movements of cash, which no fill depends on."""
    sums = movement_table_of(record.movements).sums(Roundings(recorded.currencies).places)
    if sums is not None:
        ledger.apply_movement_sums(sums)
        return
    for movement in sorted(record.movement_rows, key=_time):
        ledger.apply_movement(movement)


def _streamed(recorded: RecordedSession, record: SideRecord) -> PositionLedger | None:
    """Return the ledger of a table whose rows are made in parts, and not kept.

    `None` where the rows are in memory, where a movement falls between fills that it would have
    to find a position of, and where a fill cannot be booked: all rows show which is the first.
    """
    if _moves_quantities(record):
        return None
    parts = record.table.by_position(ordered_fills)
    if parts is None:
        return None
    ledger = opened_ledger(recorded, record)
    try:
        ledger.post_by_position(parts)
    except ReplayError:
        return None
    _apply_cash(ledger, recorded, record)
    return ledger


def _replayed_by(
    recorded: RecordedSession,
    record: SideRecord,
    apply: Callable[[PositionLedger, Sequence[Fill]], None],
) -> PositionLedger:
    ledger = opened_ledger(recorded, record)
    if isinstance(record.movements, MovementTable) and not _moves_quantities(record):
        apply(ledger, ordered_fills(record.fill_rows))
        _apply_cash(ledger, recorded, record)
        return ledger
    for step in in_steps(record.fill_rows, record.movement_rows):
        if isinstance(step, Movement):
            ledger.apply_movement(step)
        else:
            apply(ledger, step)
    return ledger


def opened_ledger(recorded: RecordedSession, record: SideRecord) -> PositionLedger:
    """The ledger of a side before its first fill.

    A mark price is that of the side's own position, else of the other side's.
    """
    sides = (*recorded.own_records().values(), record)
    return PositionLedger(
        instruments=recorded.instruments,
        currencies=recorded.currencies,
        opening=record.opening,
        marks={symbol: mark for side in sides for symbol, mark in _marks(side).items()},
        settled_in=frozenset(
            movement_table_of(record.movements).currencies_of(MovementKind.SETTLEMENT)
        ),
    )


def with_named_account(record: SideRecord) -> SideRecord:
    """The opening, fills and movements of a side, all in its only account if it has one.

    What a side does not state stays absent.
    """
    only = record.only_account()
    if only is None or None not in record.accounts:
        return record
    opening, fills, movements = record.opening, record.fills, record.movements
    return replace(
        record,
        opening=None
        if opening is None
        else replace(
            opening,
            positions=rows_in_account(opening.positions, only),
            cash=rows_in_account(opening.cash, only),
        ),
        fills=None if fills is None else table_of(fills).in_account(only),
        movements=None if movements is None else movement_table_of(movements).in_account(only),
    )


def flows_of(recorded: RecordedSession, side: LedgerSide) -> Flows | None:
    """Return the postings of a side by category, also where it states no opening.

    `None` where it has neither fills nor movements, or they cannot be posted.
    """
    record = recorded.side(side)
    if record is None or not (record.fills or record.movements):
        return None
    try:
        return replay(recorded, record).flows
    except ReplayError:
        return None
