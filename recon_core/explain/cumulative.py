"""Orders whose quantities were read as increments, or as running sums."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import accumulate
from operator import attrgetter
from typing import Final

from recon_core.amounts import EXACT, ZERO, exact_sum
from recon_core.explain.edits import Edit, of_all
from recon_core.explain.ground import Ground
from recon_core.explanation import CauseKind
from recon_core.model import Fill, OrderSide

_QUANTITY: Final = attrgetter("quantity")
_TRADED: Final = attrgetter("symbol", "leg", "account")


def cumulative(ground: Ground, *, needed: bool = False) -> Iterator[Edit]:
    """Orders of several fills whose quantities were read as increments, or as running sums.

    Those `needed` that give their position what it needs.
    """
    orders: dict[tuple[str | None, str, str], list[Fill]] = {}
    for fill in ground.fills:
        order = fill.client_order_id or fill.exchange_order_id
        if order:
            orders.setdefault((fill.account, fill.symbol, order), []).append(fill)
    several = [fills for fills in orders.values() if len(fills) > 1]
    found = []
    for fills in several:
        changed = _running(fills) if ground.rows_right else _increments(fills)
        if changed is not None:
            found.append((fills, changed))
            if not needed or _may_be_needed(ground, fills, changed):
                yield _cumulative(fills, changed)
    if len(found) > 1:
        fills = [fill for each, _ in found for fill in each]
        quantities = [quantity for _, changed in found for quantity in changed]
        if not needed or _may_be_needed(ground, fills, quantities):
            yield _cumulative(fills, quantities)


def _may_be_needed(ground: Ground, fills: Sequence[Fill], changed: Sequence[Decimal]) -> bool:
    """Whether other quantities of fills give their position what it needs."""
    if len(set(map(_TRADED, fills))) > 1:
        return True
    name = ground.bookings.position(fills[0])
    if name not in ground.space.compared:
        return True
    moved = exact_sum(
        EXACT.subtract(quantity, fill.quantity)
        if fill.side is OrderSide.BUY
        else EXACT.subtract(fill.quantity, quantity)
        for fill, quantity in zip(fills, changed, strict=True)
    )
    off = EXACT.subtract(ground.need.get(name, ZERO), moved).copy_abs()
    return off <= ground.allowed(name)


def _cumulative(fills: Sequence[Fill], quantities: Sequence[Decimal]) -> Edit:
    changed = [
        replace(fill, quantity=quantity) for fill, quantity in zip(fills, quantities, strict=True)
    ]
    edit = of_all(CauseKind.CUMULATIVE_QUANTITY, fills, changed, "")
    return replace(edit, rows=tuple(fills))


def _running(fills: Sequence[Fill]) -> list[Decimal]:
    return list(accumulate(map(_QUANTITY, fills), EXACT.add))


def _increments(fills: Sequence[Fill]) -> list[Decimal] | None:
    """The increments of running sums, `None` where the quantities are no running sums."""
    before, changed = ZERO, []
    for fill in fills:
        if fill.quantity <= before:
            return None
        changed.append(EXACT.subtract(fill.quantity, before))
        before = fill.quantity
    return changed
