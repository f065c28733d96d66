"""Orders whose quantities were taken for increments, or for running sums.

An order is filled by 1, 2 and 2. A venue that reports running sums lists 1, 3, 5: booked as
increments these are 9 instead of 5, so the right quantities move the position by -4. This
effect is summed first; fills are changed only for the hypotheses that fit.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from itertools import accumulate, groupby
from operator import attrgetter
from typing import Final

from recon_core.explain.causes.family import CauseFamily, Rival
from recon_core.explain.causes.removed_rows import patch_of_removed
from recon_core.explain.causes.stale import is_span
from recon_core.explain.problem.dimensions import minus, state_part
from recon_core.explain.problem.hypotheses import Hypothesis, Strength, of_all
from recon_core.explain.problem.pairs import Pair, shown_by_pairs
from recon_core.explain.problem.patches import Patch, in_sequence
from recon_core.explain.problem.postings import order_name, reported
from recon_core.explain.problem.problem import FaultIn, Problem
from recon_core.explain.problem.rows import are_rising, in_time_order
from recon_core.explain.problem.wording import sentence_of
from recon_core.ledger.bookings import signed_quantity
from recon_core.model import Fill, OrderSide
from recon_core.model.explanation import CauseKind
from recon_core.model.fill_table import table_of
from recon_core.values.amounts import EXACT, ZERO, exact_sum

_PAIR: Final = 2
"""Fewest fills, or orders: the quantity of a single fill is its own running sum."""

_MOST: Final = 8
"""Rows of one cause whose orders are asked: a cause of more rows is of no single order."""

_QUANTITY: Final = attrgetter("quantity")

_TERMS: Final = attrgetter("order_id", "side", "price")
"""Fields that executions of one order share where a source names no orders."""

_ANY: Final = Decimal("-Infinity"), Decimal("Infinity")
"""The span of an amount that nothing compares."""

_Orders = Sequence[Sequence[Fill]]

_Names = Sequence[str | None]


@dataclass(frozen=True, slots=True)
class Misread:
    """Orders whose quantities may all be misread.

    `moved` is the signed quantity by which the other quantities move the position `name`; `name` is
    `None` for several positions.
    """

    orders: _Orders
    fault_in: FaultIn
    name: str | None
    moved: Decimal

    def hypothesis(self) -> Hypothesis:
        """Return the hypothesis with the other quantities; its rows are all fills of the orders."""
        fills = [fill for each in self.orders for fill in each]
        other = _OTHER[self.fault_in]
        quantities = [quantity for each in self.orders for quantity in other(each)]
        changed = [
            replace(fill, quantity=quantity)
            for fill, quantity in zip(fills, quantities, strict=True)
        ]
        hypothesis = of_all(CauseKind.CUMULATIVE_QUANTITY, fills, changed, "")
        return replace(hypothesis, rows=tuple(fills))


def cumulative(problem: Problem) -> Iterator[Hypothesis]:
    """Yield misread orders, each alone and all together, that fit their position."""
    orders, names, moved = _numbers(problem)
    spans = {name: _required_span(problem, name) for name in set(names)}
    for order, name, amount in zip(orders, names, moved, strict=True):
        least, most = spans[name]
        if least <= amount <= most:
            yield Misread((order,), problem.fault_in, name, amount).hypothesis()
    together = _together(problem, orders, names, moved)
    if together is not None:
        least, most = _required_span(problem, together.name)
        if least <= together.moved <= most:
            yield together.hypothesis()


def misread(problem: Problem) -> Iterator[Misread]:
    """Yield every order that may be misread, then all of them as one."""
    for each in _orders(problem):
        name, moved = _name(problem, each), _moved(each, problem.fault_in)
        yield Misread((each,), problem.fault_in, name, moved)
    together = _together(problem, *_numbers(problem))
    if together is not None:
        yield together


def misread_order(problem: Problem, fills: Sequence[Fill], required: Decimal) -> Hypothesis | None:
    """Return the fills of one order as increments, `None` if that does not fit.

    `required` is the signed quantity by which the order has to move.
    """
    if len(fills) < _PAIR or not are_rising(fills) or _moved(fills, FaultIn.ROWS) != required:
        return None
    misread = Misread((fills,), FaultIn.ROWS, _name(problem, fills), required)
    return replace(misread.hypothesis(), strength=Strength.SHOWN)


def _orders(problem: Problem) -> _Orders:
    """Return the orders that may be misread: wrong quantities rise, as running sums do."""
    orders = problem.rows.of_orders
    if problem.fault_in is not FaultIn.ROWS:
        return orders
    return problem.rows.once(("rising orders",), lambda: list(filter(are_rising, orders)))


def _numbers(problem: Problem) -> tuple[_Orders, _Names, Sequence[Decimal]]:
    """Return the orders that may be misread, their positions, and the effects on these."""
    orders, fault_in = _orders(problem), problem.fault_in
    moved = problem.rows.once(
        ("moved by misread orders", fault_in), lambda: [_moved(each, fault_in) for each in orders]
    )
    if len(problem.places) == 1:
        return orders, [*problem.places] * len(orders), moved
    return orders, [_name(problem, each) for each in orders], moved


def _name(problem: Problem, fills: Sequence[Fill]) -> str | None:
    """Return the position of an order, `None` if its fills move several."""
    if len(problem.places) == 1:
        return next(iter(problem.places))
    names = {problem.postings.position(fill) for fill in fills}
    return names.pop() if len(names) == 1 else None


def _together(
    problem: Problem, orders: _Orders, names: _Names, moved: Iterable[Decimal]
) -> Misread | None:
    """Return all orders as one, `None` for fewer than two."""
    if len(orders) < _PAIR:
        return None
    of_all = set(names)
    name = of_all.pop() if len(of_all) == 1 else None
    return Misread(orders, problem.fault_in, name, exact_sum(moved))


def _required_span(problem: Problem, name: str | None) -> tuple[Decimal, Decimal]:
    """Return the least and the most that orders may move a position, infinite if it is unknown."""
    if name is None or name not in problem.dimensions.compared:
        return _ANY
    required, allowed = problem.required.get(name, ZERO), problem.allowed(name)
    return EXACT.subtract(required, allowed), EXACT.add(required, allowed)


def _moved(fills: Sequence[Fill], fault_in: FaultIn) -> Decimal:
    """Return the signed quantity that the other quantities of an order move.

    These are increments of running sums if the rows are wrong, and running sums if they are right:
    each but the first fill then has the sum of the earlier fills as well.
    """
    positive = OrderSide.BUY if fault_in is FaultIn.STATEMENT else OrderSide.SELL
    moved, quantities = ZERO, map(_QUANTITY, fills)
    sums = accumulate(quantities, EXACT.add) if fault_in is FaultIn.STATEMENT else quantities
    for before, fill in zip(sums, fills[1:], strict=False):
        moved = (EXACT.add if fill.side is positive else EXACT.subtract)(moved, before)
    return moved


def _running(fills: Sequence[Fill]) -> list[Decimal]:
    return list(accumulate(map(_QUANTITY, fills), EXACT.add))


def _differences(fills: Sequence[Fill]) -> list[Decimal]:
    """Return the increments of running sums: 1, 2, 2 of 1, 3, 5."""
    quantities = list(map(_QUANTITY, fills))
    return list(map(EXACT.subtract, quantities, [ZERO, *quantities]))


_OTHER: Final = {FaultIn.ROWS: _differences, FaultIn.STATEMENT: _running}


def cumulative_of_pairs(
    pairs: Sequence[Pair], fills: Sequence[Fill]
) -> Iterator[tuple[Hypothesis, list[Pair]]]:
    """Yield a hypothesis per order whose quantities are running sums, with its differing pairs.

    Example: the right quantities are 1, 2 and 2, the wrong ones 1, 3 and 5.
    """
    right_of = {id(wrong): right for wrong, right in pairs}
    unequal = (wrong for wrong, right in pairs if wrong.quantity != right.quantity)
    names = {wrong.order_id for wrong in unequal} - {""}
    orders: dict[str, list[Fill]] = {}
    found = table_of(fills).having(order_id=names) if names else ()
    for fill in in_time_order(found):
        orders.setdefault(fill.order_id, []).append(fill)
    for of_order in orders.values():
        if _is_running(of_order, right_of):
            done = [(fill, right_of[id(fill)]) for fill in of_order if id(fill) in right_of]
            hypothesis = shown_by_pairs(CauseKind.CUMULATIVE_QUANTITY, done)
            yield replace(hypothesis, rows=tuple(of_order)), done


def _is_running(fills: Sequence[Fill], right_of: dict[int, Fill]) -> bool:
    total = ZERO
    for fill in fills:
        total = EXACT.add(total, right_of.get(id(fill), fill).quantity)
        if fill.quantity != total:
            return False
    return True


def _rivals(
    problem: Problem, hypotheses: Sequence[Hypothesis], _max_skew: timedelta
) -> Iterator[Rival]:
    """Yield the order whose quantities are running sums, if a fill of it is said to be wrong.

    Executions of 5, 5 and 5 at one price, booked as 5, 10 and 15, are too much by the last one.
    Where the exchange reports 15, they are running sums whatever else is wrong in them.
    """
    of_rows = problem.fault_in is FaultIn.ROWS
    for at, one in enumerate(hypotheses):
        if one.cause_kind is CauseKind.CUMULATIVE_QUANTITY or not (of_rows or is_span(one)):
            continue
        asked = one.patch.removed[:_MOST]
        orders = {fill.order_id or fill.fill_id: _order_of(problem, fill) for fill in asked}
        for order in orders.values():
            if len(order) < _PAIR or not are_rising(order):
                continue
            other = _misread_as_one(problem, order)
            if of_rows and (_runs_up(problem, order) or _move_the_same(problem, one, other)):
                yield Rival({at: ()}, replace(other, side=problem.side), "the fills of that order")
            elif is_span(one):
                yield from _within_span(problem, at, one, order)


def _runs_up(problem: Problem, order: Sequence[Fill]) -> bool:
    """True if the last quantity of an order is what the exchange reports as filled."""
    report = problem.orders.get(order_name(order[0]))
    return report is not None and reported(report).copy_abs() == order[-1].quantity


def _misread_as_one(problem: Problem, order: Sequence[Fill]) -> Hypothesis:
    moved = _moved(order, FaultIn.ROWS)
    return Misread((order,), FaultIn.ROWS, _name(problem, order), moved).hypothesis()


def _within_span(
    problem: Problem, at: int, one: Hypothesis, order: Sequence[Fill]
) -> Iterator[Rival]:
    """Yield an order whose quantities are running sums, beside fewer rows that a side lacks.

    Bought and sold at one price, fills that are read three times cancel in every balance.
    """
    rows = one.patch.rows_removed if len(one.patch.rows_removed) <= _MOST else ()
    for row in rows:
        unseen = tuple(each for each in rows if each.time >= row.time)
        seen = [fill for fill in order if fill.time < row.time]
        if len(unseen) == len(rows) or len(seen) < _PAIR:
            continue
        other = _misread_as_one(problem, seen)
        both = in_sequence((other.patch, patch_of_removed(unseen)))
        if _move_the_same(problem, one, replace(other, patch=both)):
            misread = replace(other, side=problem.owner)
            yield Rival({at: unseen}, misread, "the fills of that order")
            return


def _order_of(problem: Problem, fill: Fill) -> Sequence[Fill]:
    """Return the fills of an order; where no order is named, those in a row at one price."""
    if fill.order_id:
        return problem.rows.order_of(fill)
    fills = problem.by_symbol.get(problem.postings.position(fill), ())
    runs = (list(run) for _, run in groupby(fills, key=_TERMS))
    return next((run for run in runs if any(one is fill for one in run)), [fill])


def _move_the_same(problem: Problem, one: Hypothesis, other: Hypothesis) -> bool:
    """True if two hypotheses move the same quantity, seen or not, and the same cash.

    The price of a contract is in no cash while its position is open.
    """
    if _traded(one.patch) != _traded(other.patch):
        return False
    if any(problem.postings.derivative(fill.symbol) for fill in one.patch.removed):
        after = [problem.replayed_after(each.patch) for each in (one, other)]
        effects = [each.exact for each in after if each is not None]
    else:
        effects = [each.patch.vector(problem.postings) for each in (one, other)]
    if len(effects) < _PAIR:
        return False
    return not problem.dimensions.real(state_part(minus(*effects)))


def _traded(patch: Patch) -> Decimal:
    added, removed = (
        exact_sum(map(signed_quantity, rows)) for rows in (patch.added, patch.removed)
    )
    return EXACT.subtract(added, removed)


FAMILY: Final = CauseFamily(
    sentences={
        CauseKind.CUMULATIVE_QUANTITY: sentence_of(
            "{subject} has read cumulative quantities as increments in {rows}"
        ),
    },
    of_orders=cumulative,
    rivals=_rivals,
)
