"""Orders whose quantities were read as increments, or as running sums.

What reading them right would move is worked out in numbers first; fills are changed only
where it is asked for.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import accumulate
from operator import attrgetter
from typing import Final

from recon_core.amounts import EXACT, ZERO, exact_sum
from recon_core.explain.edits import Edit, of_all
from recon_core.explain.ground import Ground
from recon_core.explanation import CauseKind
from recon_core.model import Fill, OrderSide

_PAIR: Final = 2
_QUANTITY: Final = attrgetter("quantity")
_Orders = Sequence[Sequence[Fill]]


@dataclass(frozen=True, slots=True)
class Misread:
    """Orders whose quantities may have been misread.

    `moved` is what reading them right moves in the position of that `name`, `None` where
    they are of several positions.
    """

    orders: _Orders
    rows_right: bool
    name: str | None
    moved: Decimal

    def edit(self) -> Edit:
        """The fills with their other quantities."""
        fills = [fill for each in self.orders for fill in each]
        other = _running if self.rows_right else _increments
        quantities = [quantity for each in self.orders for quantity in other(each)]
        changed = [
            replace(fill, quantity=quantity)
            for fill, quantity in zip(fills, quantities, strict=True)
        ]
        edit = of_all(CauseKind.CUMULATIVE_QUANTITY, fills, changed, "")
        return replace(edit, rows=tuple(fills))


def cumulative(ground: Ground) -> Iterator[Edit]:
    """Misread orders of several fills that give their position what it needs."""
    return (one.edit() for one in misread(ground, needed=True))


def misread(ground: Ground, *, needed: bool = False) -> Iterator[Misread]:
    """Every order of several fills that may have been misread, and all of them together.

    Those `needed` that give their position what it needs.
    """
    right = ground.rows_right
    orders = [each for each in ground.of_orders if right or _is_rising(each)]
    moved = [_moved(each, rows_right=right) for each in orders]
    names = _names(ground, orders)
    for each, name, amount in zip(orders, names, moved, strict=True):
        if not needed or _is_needed(ground, name, amount):
            yield Misread((each,), right, name, amount)
    if len(orders) > 1:
        all_names = set(names)
        name = all_names.pop() if len(all_names) == 1 else None
        total = exact_sum(moved)
        if not needed or _is_needed(ground, name, total):
            yield Misread(orders, right, name, total)


def _names(ground: Ground, orders: _Orders) -> list[str | None]:
    """The position of each order, `None` of one that has several."""
    if len(ground.places) == 1:
        return [*ground.places] * len(orders)
    found = ({ground.bookings.position(fill) for fill in each} for each in orders)
    return [names.pop() if len(names) == 1 else None for names in found]


def _is_needed(ground: Ground, name: str | None, moved: Decimal) -> bool:
    if name is None or name not in ground.space.compared:
        return True
    need = ground.need.get(name, ZERO)
    return moved == need or EXACT.subtract(need, moved).copy_abs() <= ground.allowed(name)


def _moved(fills: Sequence[Fill], *, rows_right: bool) -> Decimal:
    """What running sums in place of quantities, or increments in their place, move."""
    before, moved = fills[0].quantity, []
    for fill in fills[1:]:
        moved.append(before if (fill.side is OrderSide.BUY) is rows_right else before.copy_negate())
        before = EXACT.add(before, fill.quantity) if rows_right else fill.quantity
    return moved[0] if len(moved) == 1 else exact_sum(moved)


def _is_rising(fills: Sequence[Fill]) -> bool:
    """Whether quantities may be running sums."""
    if len(fills) == _PAIR:
        first, second = fills
        return ZERO < first.quantity < second.quantity
    before = ZERO
    for fill in fills:
        if fill.quantity <= before:
            return False
        before = fill.quantity
    return True


def _running(fills: Sequence[Fill]) -> list[Decimal]:
    return list(accumulate(map(_QUANTITY, fills), EXACT.add))


def _increments(fills: Sequence[Fill]) -> list[Decimal]:
    """The increments of running sums."""
    quantities = list(map(_QUANTITY, fills))
    return list(map(EXACT.subtract, quantities, [ZERO, *quantities]))
