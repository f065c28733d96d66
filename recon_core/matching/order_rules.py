"""What can be wrong with one order (design, "Orders and fills").

Each side's order is looked at by itself, against the other side's, and against the
fills that name it. Pure functions of the rows: they find cases and say them in words,
and know no severity.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import pairwise
from operator import attrgetter

from recon_core.amounts import EXACT, ZERO, exact_sum, format_amount
from recon_core.matched import MatchedOrder, RowCase, RowFinding
from recon_core.matching.order_fill_rules import Stated, all_of, foreign_fills
from recon_core.matching.row_texts import told_ids
from recon_core.model import Fill, Order, OrderState

_CORE = attrgetter("quantity", "filled_quantity", "price", "state", "side", "symbol", "time")
_TOLD = attrgetter("client_order_id", "exchange_order_id")
_ENDED = frozenset(
    {OrderState.CANCELLED, OrderState.REJECTED, OrderState.EXPIRED, OrderState.FAILED}
)
_OPEN = frozenset({OrderState.CREATED, OrderState.SUBMITTED, OrderState.ACKNOWLEDGED})
_PARTIAL = frozenset({OrderState.FILLED, OrderState.PARTIALLY_FILLED})

# Not the type: it is free text, and every system has words of its own.
_IDS = ("client_order_id", "exchange_order_id")
_PAYLOAD = ("symbol", "side", "quantity", "price", *_IDS)

_MOST_SHOWN = 3


def plainly_equal(matched: MatchedOrder) -> bool:
    """Whether an order is a match beyond doubt; quick, most orders of a session are."""
    if not (matched.internal and matched.external):
        return False
    if len(matched.internal) > 1 or len(matched.external) > 1:
        return False
    order, other = matched.internal[0], matched.external[0]
    if order != other and (_CORE(order) != _CORE(other) or _TOLD(order) != _TOLD(other)):
        return False
    return _consistent(order) and all(
        fills is None or (_sum(fills) == order.filled_quantity and all_of(order, fills))
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
    sides: Stated = (
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
        *foreign_fills(sides),
        *_times(rows),
    ]


def _one_sided(matched: MatchedOrder) -> Iterator[RowFinding]:
    # A side that reports no orders at all misses none.
    if matched.internal == ():
        yield RowFinding(RowCase.ORDER_MISSING, "missing, internal does not list it")
    if matched.external == ():
        yield RowFinding(RowCase.ORDER_ORPHANED, "orphaned, external does not list it")


def _duplicates(sides: Stated) -> Iterator[RowFinding]:
    for side, rows, _ in sides:
        if len(rows) > 1:
            text = f"stated {len(rows)} times by {side}"
            yield RowFinding(RowCase.ORDER_DUPLICATE, text)


def _differences(rows: Sequence[Order]) -> Iterator[RowFinding]:
    """Fields that both sides tell and do not agree on."""
    names = [name for name in _PAYLOAD if _disagree(rows, name)]
    if names:
        shown = [name + (told_ids(rows, name) if name in _IDS else "") for name in names]
        text = f"{' and '.join(shown)} {'differ' if names[1:] else 'differs'}"
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


def _contradictions(sides: Stated) -> Iterator[RowFinding]:
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


def _overfilled(sides: Stated) -> Iterator[RowFinding]:
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


def _fill_sums(sides: Stated) -> Iterator[RowFinding]:
    """The fills of a side against its own order, else against the other side's.

    Where both sides give the order, their filled quantities are compared, too: so
    each side's order is held against both sides' fills.
    """
    for index, (side, rows, fills) in enumerate(sides):
        of, held = (side, rows) if rows else (sides[1 - index][0], sides[1 - index][1])
        if fills is None or not held:
            continue
        summed = _sum(fills)
        filled = sorted({row.filled_quantity for row in held} - {summed})
        if filled:
            other = sides[1 - index][2]
            text = (
                f"{of} says {_few(filled)} filled, "
                f"{side}'s {_counted(fills)} of it sum to {format_amount(summed)}"
                f"{_hint(fills, other, filled)}"
            )
            yield RowFinding(RowCase.ORDER_FILLS, text)


def _few(amounts: Sequence[Decimal]) -> str:
    more = f" and {len(amounts) - _MOST_SHOWN} more" if len(amounts) > _MOST_SHOWN else ""
    return " and ".join(map(format_amount, amounts[:_MOST_SHOWN])) + more


def _counted(fills: Sequence[Fill]) -> str:
    return "1 fill" if len(fills) == 1 else f"{len(fills)} fills"


def _hint(fills: Sequence[Fill], other: Sequence[Fill] | None, filled: Sequence[Decimal]) -> str:
    """What the sum looks like, in words: doubled fills, or cumulative quantities added up."""
    quantities = _in_time_order(fills)
    if len({fill.fill_id for fill in fills}) < len(fills):
        return " (an id stands more than once among them)"
    if len(quantities) > 1 and _rises(quantities) and quantities[-1] in filled:
        return " (their quantities run up to it: cumulative quantities read as increments)"
    running = _sum_of_running_sums(_in_time_order(other or ()))
    if running is not None and running == exact_sum(quantities):
        return " (the running sums of the other side's: cumulative quantities read as increments)"
    running = _sum_of_running_sums(quantities)
    if running is not None and running in filled:
        return " (it is the sum of their running sum: cumulative quantities read as increments)"
    return ""


def _rises(quantities: Sequence[Decimal]) -> bool:
    return all(one < other for one, other in pairwise(quantities))


def _in_time_order(fills: Sequence[Fill]) -> list[Decimal]:
    return [fill.quantity for fill in sorted(fills, key=attrgetter("time"))]


def _sum_of_running_sums(quantities: Sequence[Decimal]) -> Decimal | None:
    """The sum of the cumulative quantities, `None` where there is no second one."""
    if len(quantities) < 2:  # noqa: PLR2004  # of one, both are the same
        return None
    running = total = ZERO
    for quantity in quantities:
        running = EXACT.add(running, quantity)
        total = EXACT.add(total, running)
    return total


def _sum(fills: Sequence[Fill]) -> Decimal:
    return fills[0].quantity if len(fills) == 1 else exact_sum([fill.quantity for fill in fills])
