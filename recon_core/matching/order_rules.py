"""What can be wrong with one order (design, "Orders and fills").

Each side's order is looked at by itself, against the other side's, and against the
fills that name it. Pure functions of the rows: they find cases and say them in words,
and know no severity.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from operator import attrgetter

from recon_core.amounts import ZERO, exact_sum, format_amount
from recon_core.matched import MatchedOrder, RowCase, RowFinding
from recon_core.matching.sum_hints import sum_hint
from recon_core.model import Fill, Order, OrderState

_CORE = attrgetter("quantity", "filled_quantity", "price", "state", "side", "symbol", "time")
_TOLD = attrgetter("client_order_id", "exchange_order_id")
_SYMBOL, _SIDE = attrgetter("symbol"), attrgetter("side")
_ENDED = frozenset(
    {OrderState.CANCELLED, OrderState.REJECTED, OrderState.EXPIRED, OrderState.FAILED}
)
_OPEN = frozenset({OrderState.CREATED, OrderState.SUBMITTED, OrderState.ACKNOWLEDGED})
_PARTIAL = frozenset({OrderState.FILLED, OrderState.PARTIALLY_FILLED})

# Not the type: it is free text, and every system has words of its own.
_PAYLOAD = ("symbol", "side", "quantity", "price", "client_order_id", "exchange_order_id")

_MOST_SHOWN = 3

_Stated = tuple[tuple[str, tuple[Order, ...], tuple[Fill, ...] | None], ...]


def plainly_equal(matched: MatchedOrder) -> bool:
    """Whether an order is a match beyond doubt; quick, most orders of a session are."""
    rows = matched.internal if matched.external is None else matched.external
    others = rows if matched.internal is None else matched.internal
    if not rows or not others or len(rows) > 1 or len(others) > 1:
        return False
    order, other = rows[0], others[0]
    if order != other and (_CORE(order) != _CORE(other) or _TOLD(order) != _TOLD(other)):
        return False
    return _consistent(order) and all(
        fills is None or (_sum(fills) == order.filled_quantity and not _strays([order], fills))
        for fills in (matched.internal_fills, matched.external_fills)
    )


def _consistent(order: Order) -> bool:
    """Whether the state of an order and its quantities go together."""
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
    sides: _Stated = (
        ("internal", matched.internal or (), matched.internal_fills),
        ("external", matched.external or (), matched.external_fills),
    )
    rows = [*(matched.internal or ()), *(matched.external or ())]
    return [
        *_one_sided(matched),
        *_duplicates(sides),
        *_differences(rows),
        *_states(rows),
        *_contradictions(sides),
        *_overfilled(sides),
        *_fill_sums(sides),
        *_stray_fills(sides),
        *_times(rows),
    ]


def _one_sided(matched: MatchedOrder) -> Iterator[RowFinding]:
    # A side that reports no orders at all misses none.
    if matched.internal == ():
        yield RowFinding(RowCase.ORDER_MISSING, "missing, internal does not list it")
    if matched.external == ():
        yield RowFinding(RowCase.ORDER_ORPHANED, "orphaned, external does not list it")


def _duplicates(sides: _Stated) -> Iterator[RowFinding]:
    for side, rows, _ in sides:
        if len(rows) > 1:
            text = f"stated {len(rows)} times by {side}"
            yield RowFinding(RowCase.ORDER_DUPLICATE, text)


def _differences(rows: Sequence[Order]) -> Iterator[RowFinding]:
    """Fields that both sides tell and do not agree on."""
    names = [name for name in _PAYLOAD if _disagree(rows, name)]
    if names:
        text = f"{' and '.join(names)} {'differ' if names[1:] else 'differs'}"
        yield RowFinding(RowCase.ORDER_PAYLOAD, text)
    if _disagree(rows, "filled_quantity"):
        yield RowFinding(RowCase.ORDER_FILLED, "filled_quantity differs")


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


def _contradictions(sides: _Stated) -> Iterator[RowFinding]:
    """States that the quantities contradict, those of the other side included."""
    rows = [row for _, stated, _ in sides for row in stated]
    filled = max([row.filled_quantity for row in rows], default=ZERO)
    done = any(row.state is OrderState.FILLED for row in rows)
    for _, _, fills in sides:
        filled = max(filled, _sum(fills or ()))
    for side, stated, _ in sides:
        for row in dict.fromkeys(stated):
            yield from _contradicted(side, row, filled, done=done)


def _contradicted(side: str, row: Order, most: Decimal, *, done: bool) -> Iterator[RowFinding]:
    own, whole = row.filled_quantity, row.quantity
    says = f"{side} says {row.state}"
    if row.state in _ENDED and (
        done or ZERO < whole <= most or (row.state is OrderState.REJECTED and most)
    ):
        text = f"{says}, and it was filled"
        yield RowFinding(RowCase.ORDER_CANCELLED_FILLED, text)
    if row.state is OrderState.FILLED and own < whole:
        text = f"{says} with {_of(own, whole)} filled"
        yield RowFinding(RowCase.ORDER_PARTIAL, text)
    wrongly_open = row.state in _OPEN and ZERO < whole <= own
    wrongly_partial = row.state is OrderState.PARTIALLY_FILLED and not ZERO < own < whole
    if wrongly_open or wrongly_partial:
        text = f"{says} with {_of(own, whole)} filled"
        yield RowFinding(RowCase.ORDER_STATE, text)


def _of(part: Decimal, whole: Decimal) -> str:
    return f"{format_amount(part)} of {format_amount(whole)}"


def _overfilled(sides: _Stated) -> Iterator[RowFinding]:
    """More filled than ordered, by its own word or by the sum of its fills."""
    ordered = max([row.quantity for _, rows, _ in sides for row in rows], default=None)
    for side, rows, fills in sides:
        stated = max(
            [row.filled_quantity for row in rows if row.filled_quantity > row.quantity],
            default=ZERO,
        )
        if stated:
            text = f"overfilled, {side} says {format_amount(stated)} filled"
            yield RowFinding(RowCase.ORDER_OVERFILLED, text)
        summed = _sum(fills or ())
        if ordered is not None and summed > ordered and summed != stated:
            text = f"overfilled, {side}'s fills of it are {format_amount(summed)}"
            yield RowFinding(RowCase.ORDER_OVERFILLED, text)


def _fill_sums(sides: _Stated) -> Iterator[RowFinding]:
    """The fills of a side against its own order, else against the other side's.

    Where both sides give the order, their filled quantities are compared, too: so
    each side's order is held against both sides' fills.
    """
    for index, (side, rows, fills) in enumerate(sides):
        of, held = (side, rows) if rows else sides[1 - index][:2]
        if fills is None or not held:
            continue
        summed = _sum(fills)
        filled = sorted({row.filled_quantity for row in held} - {summed})
        if filled:
            other = sides[1 - index][2]
            text = (
                f"{of} says {_few(filled)} filled, "
                f"{side}'s {_counted(fills)} of it sum to {format_amount(summed)}"
                f"{sum_hint(fills, other, filled)}"
            )
            yield RowFinding(RowCase.ORDER_FILLS, text)


def _stray_fills(sides: _Stated) -> Iterator[RowFinding]:
    """Fills that name an order of another symbol or order side; the quantities may agree."""
    for index, (side, rows, fills) in enumerate(sides):
        held = rows or sides[1 - index][1]
        for name in _strays(held, fills or ()) if held else ():
            text = f"{name} of {side}'s {_counted(fills or ())} of it is not that of the order"
            yield RowFinding(RowCase.ORDER_FILLS, text)


def _strays(orders: Sequence[Order], fills: Sequence[Fill]) -> list[str]:
    """The fields in which a fill is of none of the orders."""
    return [
        name
        for name, told in (("symbol", _SYMBOL), ("side", _SIDE))
        if not {*map(told, fills)} <= {*map(told, orders)}
    ]


def _few(amounts: Sequence[Decimal]) -> str:
    more = f" and {len(amounts) - _MOST_SHOWN} more" if len(amounts) > _MOST_SHOWN else ""
    return " and ".join(map(format_amount, amounts[:_MOST_SHOWN])) + more


def _counted(fills: Sequence[Fill]) -> str:
    return "1 fill" if len(fills) == 1 else f"{len(fills)} fills"


def _sum(fills: Sequence[Fill]) -> Decimal:
    return fills[0].quantity if len(fills) == 1 else exact_sum([fill.quantity for fill in fills])
