"""Patches: rows removed from a side and rows added to it, the form of every fault and repair."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Generic, TypeVar

from recon_core.explain.problem.dimensions import Dimensions, Vector, add_to, minus, plus
from recon_core.explain.problem.postings import Postings
from recon_core.model import CashBalance, Fill, Movement, Opening, Position, SideRecord
from recon_core.model.fill_table import FillTable, rows_without
from recon_core.values.amounts import EXACT

_Row = TypeVar("_Row")


@dataclass(frozen=True, slots=True)
class Patch:
    """Rows to remove and rows to add; `opening`, if given, replaces `old_opening`.

    Rows are removed by identity, not equality: two equal fills are two rows.
    """

    removed: tuple[Fill, ...] = ()
    added: tuple[Fill, ...] = ()
    removed_movements: tuple[Movement, ...] = ()
    added_movements: tuple[Movement, ...] = ()
    opening: Opening | None = None
    old_opening: Opening | None = None

    def applied(self, record: SideRecord) -> SideRecord:
        """Return the side with the patched rows and its stated amounts unchanged."""
        return replace(
            record,
            fills=_replaced(record.fills, self.removed, self.added),
            movements=_replaced(record.movements, self.removed_movements, self.added_movements),
            opening=record.opening if self.opening is None else self.opening,
        )

    def vector(self, postings: Postings) -> dict[str, Decimal]:
        """Return the effect of the patch, the sum of its rows posted separately."""
        total = minus(postings.fills(self.added), postings.fills(self.removed))
        for movement in self.added_movements:
            total = plus(total, postings.movement(movement))
        for movement in self.removed_movements:
            total = minus(total, postings.movement(movement))
        if self.opening is not None and self.old_opening is not None:
            total = plus(total, postings.opening(self.opening))
            total = minus(total, postings.opening(self.old_opening))
        return total

    def joined(self, other: "Patch") -> "Patch":
        """Return both patches as one; the other may remove rows that this one adds."""
        return in_sequence((self, other))

    @property
    def rows_removed(self) -> tuple[Fill | Movement, ...]:
        """The fills and movements that are removed."""
        return (*self.removed, *self.removed_movements)

    @property
    def rows_added(self) -> tuple[Fill | Movement, ...]:
        """The fills and movements that are added."""
        return (*self.added, *self.added_movements)

    def has_common_row(self, other: "Patch") -> bool:
        """True if both patches remove the same row, so that only one can hold."""
        mine = {id(row) for row in (*self.removed, *self.removed_movements)}
        return not mine.isdisjoint(id(row) for row in (*other.removed, *other.removed_movements))

    def builds_on(self, first: "Patch") -> bool:
        """True if the patch removes a row that another patch adds."""
        added = {id(row) for row in (*first.added, *first.added_movements)}
        return not added.isdisjoint(id(row) for row in (*self.removed, *self.removed_movements))


def _merged_opening(opening: Opening | None, other: Patch) -> Opening | None:
    """Return a patched opening with the rows that a further patch exchanges."""
    if opening is None or other.opening is None or other.old_opening is None:
        return other.opening or opening
    old, new = other.old_opening, other.opening
    return replace(
        opening,
        positions=_replaced_rows(opening.positions, old.positions, new.positions),
        cash=_replaced_rows(opening.cash, old.cash, new.cash),
    )


def _replaced_rows(
    rows: tuple[_Row, ...], old: tuple[_Row, ...], new: tuple[_Row, ...]
) -> tuple[_Row, ...]:
    kept = tuple(row for row in rows if row in new or row not in old)
    return (*kept, *(row for row in new if row not in old))


def in_sequence(patches: Iterable[Patch]) -> Patch:
    """Return patches, applied one after the other, as one patch."""
    fills, movements, opening, old_opening = _Exchange[Fill](), _Exchange[Movement](), None, None
    for patch in patches:
        fills.exchange(patch.removed, patch.added)
        movements.exchange(patch.removed_movements, patch.added_movements)
        opening = _merged_opening(opening, patch)
        old_opening = patch.old_opening if old_opening is None else old_opening
    return Patch(
        tuple(fills.removed),
        tuple(fills.added),
        tuple(movements.removed),
        tuple(movements.added),
        opening,
        old_opening,
    )


@dataclass
class _Exchange(Generic[_Row]):
    """Rows that are removed and rows that are added, compared by identity."""

    removed: list[_Row] = field(default_factory=list)
    added: list[_Row] = field(default_factory=list)
    _added_ids: set[int] = field(default_factory=set)

    def exchange(self, removed: Sequence[_Row], added: Sequence[_Row]) -> None:
        """Remove rows, added rows among them, and add others."""
        removed_ids = {id(row) for row in removed}
        self.removed += (row for row in removed if id(row) not in self._added_ids)
        if not self._added_ids.isdisjoint(removed_ids):
            self.added = [row for row in self.added if id(row) not in removed_ids]
        self.added += added
        self._added_ids.update(map(id, added))


def _replaced(rows: Sequence[_Row] | None, removed: Sequence[_Row], added: tuple[_Row, ...]) -> Any:
    if not (removed or added):
        return rows  # the same object, by which a proof sees that nothing changed
    if isinstance(rows, FillTable):
        return rows.patched(removed, added)
    if rows is None:
        return added or None
    kept = rows_without(rows, removed) if removed else rows
    return (*kept, *added)


def shifted(
    record: SideRecord, dimensions: Dimensions, amounts: Vector, names: "Names"
) -> SideRecord:
    """Return the side with amounts added to its stated positions and balances.

    A moved position loses its average price; the free part of a balance moves with its total.
    Dimensions without a row are added from `names`.
    """
    left = {name: amount for name, amount in amounts.items() if amount}
    positions, cash = record.positions, record.cash
    if positions is not None:
        moved = [moved_position(row, left.pop(_of(dimensions, row), None)) for row in positions]
        more = [names.positions[name] for name in left if name in names.positions]
        fresh = (moved_position(row, left.pop(_of(dimensions, row))) for row in more)
        positions = (*moved, *fresh)
    if cash is not None:
        moved_cash = [moved_balance(row, left.pop(_of(dimensions, row), None)) for row in cash]
        more_cash = [names.cash[name] for name in left if name in names.cash]
        fresh_cash = (moved_balance(row, left.pop(_of(dimensions, row))) for row in more_cash)
        cash = (*moved_cash, *fresh_cash)
    return replace(record, positions=positions, cash=cash)


def _of(dimensions: Dimensions, row: Position | CashBalance) -> str:
    if isinstance(row, Position):
        return dimensions.position(row.symbol, row.leg, row.account)
    return dimensions.cash(row.currency, row.account)


def moved_position(row: Position, amount: Decimal | None) -> Position:
    """Return a position with an amount added to it, and without its average price then."""
    if not amount:
        return row
    return replace(row, quantity=EXACT.add(row.quantity, amount), average_price=None)


def moved_balance(row: CashBalance, amount: Decimal | None) -> CashBalance:
    """Return a balance with an amount added to its total and to what is free of it."""
    if not amount:
        return row
    free = None if row.free is None else EXACT.add(row.free, amount)
    return replace(row, total=EXACT.add(row.total, amount), free=free)


@dataclass(frozen=True, slots=True)
class Names:
    """An empty row of every position and balance, by dimension."""

    positions: dict[str, Position]
    cash: dict[str, CashBalance]


def names_of(dimensions: Dimensions, records: Iterable[SideRecord]) -> Names:
    """Return an empty row for every dimension that any side has."""
    names = Names({}, {})
    for record in records:
        for row in record.position_rows:
            empty = Position(row.symbol, Decimal(0), account=row.account, leg=row.leg)
            names.positions.setdefault(_of(dimensions, row), empty)
        for balance in record.cash_rows:
            none = CashBalance(balance.currency, Decimal(0), account=balance.account)
            names.cash.setdefault(_of(dimensions, balance), none)
    return names


def total_of(vectors: Iterable[Vector]) -> dict[str, Decimal]:
    """Return the sum of several vectors."""
    total: dict[str, Decimal] = {}
    for vector in vectors:
        for name, amount in vector.items():
            add_to(total, name, amount)
    return total
