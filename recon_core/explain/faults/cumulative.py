"""Orders whose quantities were read as increments, or as running sums.

What reading them right would move is worked out in numbers first; fills are changed only
where it is asked for.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import accumulate
from operator import attrgetter
from typing import Final

from recon_core.amounts import EXACT, ZERO, exact_sum
from recon_core.explain.faults.edits import Edit, of_all
from recon_core.explain.grounds.ground import Ground
from recon_core.explanation import CauseKind
from recon_core.model import Fill, OrderSide

_PAIR: Final = 2
_QUANTITY: Final = attrgetter("quantity")
_Orders = Sequence[Sequence[Fill]]
_Names = Sequence[str | None]


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
    orders, names, moved = _numbers(ground)
    (name,) = set(names) if len(set(names)) == 1 else (None,)
    if name is not None and _is_exact(ground, name):
        need = ground.need.get(name, ZERO)
        needed = [at for at, amount in enumerate(moved) if amount == need]
    else:
        each = enumerate(zip(names, moved, strict=True))
        needed = [at for at, (one, amount) in each if _may_be_needed(ground, one, amount)]
    for at in needed:
        yield Misread((orders[at],), ground.rows_right, names[at], moved[at]).edit()
    together = _together(ground, orders, names, moved)
    if together is not None and _may_be_needed(ground, together.name, together.moved):
        yield together.edit()


def misread(ground: Ground) -> Iterator[Misread]:
    """Every order of several fills that may have been misread, and all of them together."""
    right = ground.rows_right
    for each in ground.rows.of_orders:
        if right or _is_rising(each):
            yield Misread((each,), right, _name(ground, each), _moved(each, rows_right=right))
    together = _together(ground, *_numbers(ground))
    if together is not None:
        yield together


def misread_order(ground: Ground, fills: Sequence[Fill], need: Decimal) -> Edit | None:
    """The fills of one order as increments, where that moves what the order needs."""
    if len(fills) < _PAIR or not _is_rising(fills) or _moved(fills, rows_right=False) != need:
        return None
    return replace(
        Misread((fills,), rows_right=False, name=_name(ground, fills), moved=need).edit(), rank=0
    )


def _numbers(ground: Ground) -> tuple[_Orders, _Names, Sequence[Decimal]]:
    """The orders, their positions, and what reading them right moves in those."""
    right = ground.rows_right
    orders = [each for each in ground.rows.of_orders if right or _is_rising(each)]
    moved = [_moved(each, rows_right=right) for each in orders]
    if len(ground.places) == 1:
        return orders, [*ground.places] * len(orders), moved
    return orders, [_name(ground, each) for each in orders], moved


def _name(ground: Ground, fills: Sequence[Fill]) -> str | None:
    """The position of an order, `None` where it has several."""
    if len(ground.places) == 1:
        return next(iter(ground.places))
    names = {ground.bookings.position(fill) for fill in fills}
    return names.pop() if len(names) == 1 else None


def _together(
    ground: Ground, orders: _Orders, names: _Names, moved: Iterable[Decimal]
) -> Misread | None:
    """All orders as one, `None` where there is but one."""
    if len(orders) < _PAIR:
        return None
    of_all = set(names)
    name = of_all.pop() if len(of_all) == 1 else None
    return Misread(orders, ground.rows_right, name, exact_sum(moved))


def _is_exact(ground: Ground, name: str) -> bool:
    """Whether a position is compared to the last digit."""
    return name in ground.space.compared and not ground.allowed(name)


def _may_be_needed(ground: Ground, name: str | None, moved: Decimal) -> bool:
    if name is None or name not in ground.space.compared:
        return True
    off = EXACT.subtract(ground.need.get(name, ZERO), moved).copy_abs()
    return off <= ground.allowed(name)


def _moved(fills: Sequence[Fill], *, rows_right: bool) -> Decimal:
    """What running sums in place of quantities, or increments in their place, move."""
    if len(fills) == _PAIR:
        before, last = fills[0].quantity, fills[1]
        return before if (last.side is OrderSide.BUY) is rows_right else before.copy_negate()
    before, moved = fills[0].quantity, ZERO
    for fill in fills[1:]:
        more = (fill.side is OrderSide.BUY) is rows_right
        moved = (EXACT.add if more else EXACT.subtract)(moved, before)
        before = EXACT.add(before, fill.quantity) if rows_right else fill.quantity
    return moved


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
