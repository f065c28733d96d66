"""A change of a side's rows: the shape of every fault and of every repair of one."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Generic, TypeVar

from recon_core.amounts import EXACT
from recon_core.explain.effects.bookings import Bookings
from recon_core.explain.effects.space import Space, Vector, add_to, minus, plus
from recon_core.model import CashBalance, Fill, Movement, Opening, Position, SideRecord

_Row = TypeVar("_Row")


@dataclass(frozen=True, slots=True)
class Change:
    """Rows that go and rows that come; `opening` replaces the side's own where it is given.

    Rows that go are meant themselves, not their equals: two equal fills are two rows.
    """

    removed: tuple[Fill, ...] = ()
    added: tuple[Fill, ...] = ()
    removed_movements: tuple[Movement, ...] = ()
    added_movements: tuple[Movement, ...] = ()
    opening: Opening | None = None
    old_opening: Opening | None = None

    def applied(self, record: SideRecord) -> SideRecord:
        """The side with the changed rows; what it states stays as it is."""
        return replace(
            record,
            fills=_exchanged(record.fills, self.removed, self.added),
            movements=_exchanged(record.movements, self.removed_movements, self.added_movements),
            opening=record.opening if self.opening is None else self.opening,
        )

    def vector(self, bookings: Bookings) -> dict[str, Decimal]:
        """What the change books, every row for itself."""
        total = minus(bookings.fills(self.added), bookings.fills(self.removed))
        for movement in self.added_movements:
            total = plus(total, bookings.movement(movement))
        for movement in self.removed_movements:
            total = minus(total, bookings.movement(movement))
        if self.opening is not None and self.old_opening is not None:
            total = plus(total, bookings.opening(self.opening))
            total = minus(total, bookings.opening(self.old_opening))
        return total

    def joined(self, other: "Change") -> "Change":
        """One change after the other: what the first brought, the second may take away."""
        return in_sequence((self, other))

    def overlaps(self, other: "Change") -> bool:
        """Whether both change the same row, so that they cannot hold together."""
        mine = {id(row) for row in (*self.removed, *self.removed_movements)}
        return not mine.isdisjoint(id(row) for row in (*other.removed, *other.removed_movements))

    def builds_on(self, first: "Change") -> bool:
        """Whether it takes away a row that another one brought: it comes after that."""
        brought = {id(row) for row in (*first.added, *first.added_movements)}
        return not brought.isdisjoint(id(row) for row in (*self.removed, *self.removed_movements))


def _both_openings(opening: Opening | None, other: Change) -> Opening | None:
    """An opening that was changed, with the rows that another change exchanges."""
    if opening is None or other.opening is None or other.old_opening is None:
        return other.opening or opening
    old, new = other.old_opening, other.opening
    return replace(
        opening,
        positions=_exchanged_rows(opening.positions, old.positions, new.positions),
        cash=_exchanged_rows(opening.cash, old.cash, new.cash),
    )


def _exchanged_rows(
    rows: tuple[_Row, ...], old: tuple[_Row, ...], new: tuple[_Row, ...]
) -> tuple[_Row, ...]:
    kept = tuple(row for row in rows if row in new or row not in old)
    return (*kept, *(row for row in new if row not in old))


def in_sequence(changes: Iterable[Change]) -> Change:
    """One change after the other as one: what one brought, a later one may take away."""
    fills, movements, opening, old_opening = _Exchange[Fill](), _Exchange[Movement](), None, None
    for change in changes:
        fills.exchange(change.removed, change.added)
        movements.exchange(change.removed_movements, change.added_movements)
        opening = _both_openings(opening, change)
        old_opening = change.old_opening if old_opening is None else old_opening
    return Change(
        tuple(fills.gone),
        tuple(fills.come),
        tuple(movements.gone),
        tuple(movements.come),
        opening,
        old_opening,
    )


@dataclass
class _Exchange(Generic[_Row]):
    """Rows that were there and go, rows that come and stay; rows are told by identity."""

    gone: list[_Row] = field(default_factory=list)
    come: list[_Row] = field(default_factory=list)
    _brought: set[int] = field(default_factory=set)

    def exchange(self, removed: Sequence[_Row], added: Sequence[_Row]) -> None:
        """Take rows away, those that came before among them, and bring others."""
        going = {id(row) for row in removed}
        self.gone += (row for row in removed if id(row) not in self._brought)
        if not self._brought.isdisjoint(going):
            self.come = [row for row in self.come if id(row) not in going]
            self._brought -= going
        self.come += added
        self._brought.update(map(id, added))


def _exchanged(
    rows: tuple[_Row, ...] | None, removed: Iterable[_Row], added: tuple[_Row, ...]
) -> tuple[_Row, ...] | None:
    gone = Counter(map(id, removed))
    if rows is None:
        return added or None
    kept = rows if not gone else _without(rows, gone)
    return (*kept, *added)


def _without(rows: tuple[_Row, ...], gone: Counter[int]) -> tuple[_Row, ...]:
    kept = tuple([row for row in rows if id(row) not in gone])
    if len(rows) - len(kept) <= gone.total():
        return kept
    return tuple(row for row in rows if not _taken(gone, id(row)))


def _taken(gone: Counter[int], row: int) -> bool:
    """Whether a row goes; one that stands twice goes as often as it was named."""
    if not gone[row]:
        return False
    gone[row] -= 1
    return True


def shifted(record: SideRecord, space: Space, amounts: Vector, names: "Names") -> SideRecord:
    """The side with amounts added to what it states."""
    left = {name: amount for name, amount in amounts.items() if amount}
    positions, cash = record.positions, record.cash
    if positions is not None:
        moved = [_moved_position(row, left.pop(_of(space, row), None)) for row in positions]
        more = [names.positions[name] for name in left if name in names.positions]
        fresh = (_moved_position(row, left.pop(_of(space, row))) for row in more)
        positions = (*moved, *fresh)
    if cash is not None:
        moved_cash = [_moved_balance(row, left.pop(_of(space, row), None)) for row in cash]
        more_cash = [names.cash[name] for name in left if name in names.cash]
        fresh_cash = (_moved_balance(row, left.pop(_of(space, row))) for row in more_cash)
        cash = (*moved_cash, *fresh_cash)
    return replace(record, positions=positions, cash=cash)


def _of(space: Space, row: Position | CashBalance) -> str:
    if isinstance(row, Position):
        return space.position(row.symbol, row.leg, row.account)
    return space.cash(row.currency, row.account)


def _moved_position(row: Position, amount: Decimal | None) -> Position:
    if not amount:
        return row
    return replace(row, quantity=EXACT.add(row.quantity, amount), average_price=None)


def _moved_balance(row: CashBalance, amount: Decimal | None) -> CashBalance:
    if not amount:
        return row
    free = None if row.free is None else EXACT.add(row.free, amount)
    return replace(row, total=EXACT.add(row.total, amount), free=free)


@dataclass(frozen=True, slots=True)
class Names:
    """An empty row of every position and balance that a dimension may stand for."""

    positions: dict[str, Position]
    cash: dict[str, CashBalance]


def names_of(space: Space, records: Iterable[SideRecord]) -> Names:
    """The rows behind the dimensions, as any side has them."""
    names = Names({}, {})
    for record in records:
        for row in record.positions or ():
            empty = Position(row.symbol, Decimal(0), account=row.account, leg=row.leg)
            names.positions.setdefault(_of(space, row), empty)
        for balance in record.cash or ():
            none = CashBalance(balance.currency, Decimal(0), account=balance.account)
            names.cash.setdefault(_of(space, balance), none)
    return names


def total_of(vectors: Iterable[Vector]) -> dict[str, Decimal]:
    """The sum of several vectors."""
    total: dict[str, Decimal] = {}
    for vector in vectors:
        for name, amount in vector.items():
            add_to(total, name, amount)
    return total
