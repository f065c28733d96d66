"""Faults of one order (design, "Orders and fills").

Each side's order is looked at by itself, against the other side's, and against the fills
that name it. Pure functions of the rows: they find cases and say them in words, and know no
severity.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from operator import attrgetter

from recon_core.compare.rows.order_fill_rules import (
    Sides,
    StatedSide,
    all_of,
    fill_sum,
    fill_sums,
    overfilled,
    stated_sides,
    stray_fills,
)
from recon_core.compare.rows.row_differences import differing
from recon_core.model import Order, OrderState
from recon_core.model.matched_rows import Gap, MatchedOrder, RowCase, RowFinding
from recon_core.values.amounts import ZERO, format_amount

_CORE = attrgetter("quantity", "filled_quantity", "price", "state", "side", "symbol", "time")
_OPTIONAL = attrgetter("client_order_id", "exchange_order_id")
_ENDED = frozenset(
    {OrderState.CANCELLED, OrderState.REJECTED, OrderState.EXPIRED, OrderState.FAILED}
)
_OPEN = frozenset({OrderState.CREATED, OrderState.SUBMITTED, OrderState.ACKNOWLEDGED})
_PARTIAL = frozenset({OrderState.FILLED, OrderState.PARTIALLY_FILLED})

# Not the type: it is free text, and every system has words of its own.
_PAYLOAD = ("symbol", "side", "quantity", "price", "client_order_id", "exchange_order_id")


def plainly_equal(matched: MatchedOrder) -> bool:
    """True if an order is a match beyond doubt; quick, as most orders of a session are."""
    rows = matched.internal if matched.external is None else matched.external
    others = rows if matched.internal is None else matched.internal
    if not rows or not others or len(rows) > 1 or len(others) > 1:
        return False
    order, other = rows[0], others[0]
    if order != other and (_CORE(order) != _CORE(other) or _OPTIONAL(order) != _OPTIONAL(other)):
        return False
    return _consistent(order) and all(
        fills is None or (fill_sum(fills) == order.filled_quantity and all_of(order, fills))
        for fills in (matched.internal_fills, matched.external_fills)
    )


def _consistent(order: Order) -> bool:
    """True if the state of an order agrees with its quantities."""
    filled, whole, state = order.filled_quantity, order.quantity, order.state
    if state is OrderState.FILLED:
        return filled == whole
    if state is OrderState.PARTIALLY_FILLED:
        return ZERO < filled < whole
    return not filled or (filled < whole and state is not OrderState.REJECTED)


def order_findings(matched: MatchedOrder) -> list[RowFinding]:
    """Everything that is wrong with one order; nothing for a match."""
    if plainly_equal(matched):
        return []
    sides = stated_sides(matched)
    rows = [*(matched.internal or ()), *(matched.external or ())]
    return [
        *_one_sided(matched),
        *_duplicates(sides),
        *_differences(rows, in_floats=bool(matched.float_sides)),
        *_states(rows),
        *_contradictions(sides),
        *overfilled(sides),
        *fill_sums(sides),
        *stray_fills(sides),
        *_times(rows),
    ]


def _one_sided(matched: MatchedOrder) -> Iterator[RowFinding]:
    # A side that reports no orders at all misses none.
    if matched.internal == ():
        yield RowFinding(RowCase.ORDER_MISSING, "missing, internal does not list it")
    if matched.external == ():
        yield RowFinding(RowCase.ORDER_ORPHANED, "orphaned, external does not list it")


def _duplicates(sides: Sides) -> Iterator[RowFinding]:
    for side in sides:
        if len(side.rows) > 1:
            text = f"stated {len(side.rows)} times by {side.name}"
            yield RowFinding(RowCase.ORDER_DUPLICATE, text)


def _differences(rows: Sequence[Order], *, in_floats: bool) -> Iterator[RowFinding]:
    """Yield the fields that both sides state and do not agree on."""
    names = [name for name in _PAYLOAD if _disagree(rows, name)]
    if names:
        yield differing(RowCase.ORDER_PAYLOAD, names, rows, in_floats=in_floats)
    if _disagree(rows, "filled_quantity"):
        yield differing(RowCase.ORDER_FILLED, ["filled_quantity"], rows, in_floats=in_floats)


def _disagree(rows: Sequence[Order], name: str) -> bool:
    return len({getattr(row, name) for row in rows} - {None}) > 1


def _times(rows: Sequence[Order]) -> Iterator[RowFinding]:
    if _disagree(rows, "time"):
        yield RowFinding(RowCase.ORDER_TIME, "time differs")


def _states(rows: Sequence[Order]) -> Iterator[RowFinding]:
    states = {row.state for row in rows}
    if states == _PARTIAL:
        text = "partial, PARTIALLY_FILLED for one side and FILLED for the other"
        yield RowFinding(RowCase.ORDER_PARTIAL, text)
    elif len(states) > 1:
        yield RowFinding(RowCase.ORDER_STATE, "state differs")


def _contradictions(sides: Sides) -> Iterator[RowFinding]:
    """States that the quantities contradict, those of the other side included."""
    rows = [row for side in sides for row in side.rows]
    filled = max([row.filled_quantity for row in rows], default=ZERO)
    done = any(row.state is OrderState.FILLED for row in rows)
    for side in sides:
        filled = max(filled, fill_sum(side.fills or ()))
    for side in sides:
        for row in dict.fromkeys(side.rows):
            yield from _contradicted(side, row, filled, done=done)


def _contradicted(
    side: StatedSide, row: Order, most: Decimal, *, done: bool
) -> Iterator[RowFinding]:
    own, whole = row.filled_quantity, row.quantity
    says = f"{side.name} says {row.state}"
    if row.state in _ENDED and (
        done or ZERO < whole <= most or (row.state is OrderState.REJECTED and most)
    ):
        text = f"{says}, and it was filled"
        yield RowFinding(RowCase.ORDER_CANCELLED_FILLED, text)
    if row.state is OrderState.FILLED and own < whole:
        text = f"{says} with {_of(own, whole)} filled"
        gaps = (Gap(own, whole),) if side.in_floats else ()
        yield RowFinding(RowCase.ORDER_PARTIAL, text, gaps)
    wrongly_open = row.state in _OPEN and ZERO < whole <= own
    wrongly_partial = row.state is OrderState.PARTIALLY_FILLED and not ZERO < own < whole
    if wrongly_open or wrongly_partial:
        text = f"{says} with {_of(own, whole)} filled"
        yield RowFinding(RowCase.ORDER_STATE, text)


def _of(part: Decimal, whole: Decimal) -> str:
    return f"{format_amount(part)} of {format_amount(whole)}"
