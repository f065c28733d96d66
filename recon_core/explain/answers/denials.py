"""Denials: rows, reports and prices of a session that say otherwise than an answer."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal
from heapq import nlargest, nsmallest
from operator import attrgetter
from typing import Final

from recon_core.compare.keys import encode_key
from recon_core.explain.answers.lost_fills import has_usual_quantity, may_be_undone
from recon_core.explain.answers.readings import is_of_fees
from recon_core.explain.causes.copies import copies_of
from recon_core.explain.causes.fee_amount import lost_fees
from recon_core.explain.causes.movement import is_same_movement
from recon_core.explain.causes.removed_rows import is_removal, patch_of_removed
from recon_core.explain.causes.stale import is_span, reported_in_full
from recon_core.explain.problem.chances import at_next_ticks
from recon_core.explain.problem.dimensions import (
    ORDER,
    add_to,
    is_cash,
    is_position,
    without_account,
)
from recon_core.explain.problem.hypotheses import NEAR_COPY, PLACE, Row, fill_content, unstated_fill
from recon_core.explain.problem.market import market_of
from recon_core.explain.problem.patches import Patch, total_of
from recon_core.explain.problem.postings import order_name, reported
from recon_core.explain.problem.problem import FaultIn, Problem
from recon_core.explain.proof.attempt import Answer, Part
from recon_core.explain.proof.prover import Prover
from recon_core.explain.repair.entries import has_near_price, is_near
from recon_core.ledger.bookings import signed_quantity
from recon_core.model import Fill, LedgerSide, Leg, Movement, Order, SideRecord
from recon_core.model.explanation import CauseKind
from recon_core.values.amounts import EXACT, exact_sum

_PRICE: Final = attrgetter("price")

_TIME: Final = attrgetter("time")


def refused(prover: Prover, answer: Answer) -> list[str]:
    """Return the balances that would decide about a price that nothing shows, else none."""
    return [
        name
        for part in answer.parts
        for name in (*_of_far_price(prover, part), *_of_no_cash(answer.problem, part))
    ]


def is_denied(prover: Prover, answer: Answer) -> bool:
    """True if a fee is too fine, or an order or a list of the other side says otherwise."""
    problem = answer.problem
    is_too_fine = prover.decimals.is_too_fine
    return (
        any(is_too_fine(one.fee, one.fee_currency) for one in answer.patch.added)
        or any(
            _is_part_of_its_order(problem, part)
            or _is_of_another_account(problem, part)
            or _is_of_far_prices(problem, part)
            for part in answer.parts
        )
        or _is_reported(answer)
        or _may_be_merged(answer)
        or _are_charged_rightly(answer)
        or _are_before_its_list(answer)
        or _leaves_an_order(prover, answer)
        or any(
            _is_at_any_price(answer, part)
            or _may_be_listed(problem, part)
            or _is_of_its_own_rate(problem, part)
            or _may_be_another_execution(answer, part)
            for part in answer.parts
        )
    )


def _of_no_cash(problem: Problem, part: Part) -> list[str]:
    """Return the balances that a removed fill moves, if a missing one may have its quantity.

    None if cash or rows are compared, which would show the price of the missing fill.
    """
    removed = part.hypothesis.patch.removed
    if len(removed) != 1 or not is_removal(problem, part.hypothesis):
        return []
    is_seen = any(map(is_cash, problem.dimensions.compared))
    is_seen = is_seen or problem.statement_of(problem.owner.other).fills is not None
    if is_seen or not has_usual_quantity(problem, removed[0], removed[0].quantity):
        return []
    return [*filter(is_cash, part.effect)] or [""]


def _of_far_price(prover: Prover, part: Part) -> list[str]:
    """Return the balances of a price that no repair would book, if none of them is compared.

    The other side lists 7.809 where all others are at 78: its row may be the wrong one.
    """
    patch = part.hypothesis.patch
    if len(patch.removed) != 1 or [one.price for one in patch.added] in (
        [], [patch.removed[0].price],
    ):  # fmt: skip
        return []
    if has_near_price(prover.recorded, patch.added[0]):
        return []
    moved = [*filter(is_cash, part.effect)]
    return [] if any(map(prover.dimensions.shows, moved)) else moved or [""]


def _is_reported(answer: Answer) -> bool:
    """True if a false fill is of an order of which the exchange reports as much as is booked.

    The exchange then contradicts itself: its reports are newer than its state and its rows.
    """
    problem = answer.problem
    removed = [row for row in _false_rows(answer) if isinstance(row, Fill)]
    if not removed:
        return False
    orders = set(map(order_name, removed))
    return not orders.isdisjoint(reported_in_full(problem)) or any(
        not fill.order_id and _is_an_order(fill, order)
        for order in problem.statement_of(LedgerSide.EXTERNAL).order_rows
        for fill in removed
    )


def _false_rows(answer: Answer) -> Iterator[Row]:
    """Yield the rows that an answer says to be false."""
    for part in answer.parts:
        if is_removal(answer.problem, part.hypothesis):
            yield from part.hypothesis.patch.rows_removed


def _is_an_order(fill: Fill, order: Order) -> bool:
    """True if a fill that names no order is all that an order has filled, at the time of it."""
    return (
        (fill.symbol, fill.side, fill.quantity) == (order.symbol, order.side, order.filled_quantity)
        and fill.account in {None, order.account}
        and abs(fill.time - order.time) <= NEAR_COPY
    )


def _is_at_any_price(answer: Answer, part: Part) -> bool:
    """True if a missing fill has the price of its order's others, and no balance shows its own.

    220 more of a contract that stays open cost the same flat fee at 99.02 and at 99.03. An order's
    average price would show it, and a fee at a rate does.
    """
    problem, patch = answer.problem, part.hypothesis.patch
    fill = unstated_fill(patch)
    if patch.removed or fill is None:
        return False
    order = problem.orders.get(order_name(fill))
    market = market_of(problem, problem.postings.position(fill))
    if order is None or order.average_fill_price is not None or market is None:
        return False
    if not problem.postings.derivative(fill.symbol):
        return False
    other, model = next(at_next_ticks(market, fill)), market.models[fill.side]
    if model is not None and fill.fee:
        fees = (
            [model.fee(problem.postings, one, rate) for one in (fill, other)]
            for rate in model.rates
        )
        if any(own == fill.fee != beside for own, beside in fees):
            return False
    patches = (answer.patch, answer.patch.joined(Patch((fill,), (other,))))
    state, another = (problem.state_of(one.applied(problem.record)) for one in patches)
    return state == another


def _may_be_another_execution(answer: Answer, part: Part) -> bool:
    """True if a copy by its time and order alone costs nothing, and a lost fill may undo it.

    A report of its order would say how much is filled.
    """
    problem, removed = answer.problem, part.hypothesis.patch.removed
    if part.hypothesis.cause_kind is not CauseKind.DUPLICATE_FILL:
        return False
    is_stated = any(fill.fee or order_name(fill) in problem.orders for fill in removed)
    copies = None if is_stated else copies_of(problem.table, removed)
    return copies is not None and all(map(copies.near, removed)) and may_be_undone(answer, part)


def _is_of_its_own_rate(problem: Problem, part: Part) -> bool:
    """True if a fill of another size is charged at the rate of its own row, and of no other one.

    5.18 for 254 are 0.10 for 5, which costs with 5 at 391.11 what 5 at 391.06 and 0.35 do. Rows of
    the other side would show both.
    """
    patch = part.hypothesis.patch
    if len(patch.removed) != 1 or len(patch.added) != 1 or problem.statement_of(
        problem.owner.other
    ).fills is not None:  # fmt: skip
        return False
    (old,), (new,) = patch.removed, patch.added
    if old.quantity == new.quantity or old.fee == new.fee or not new.fee:
        return False
    return len(problem.schedules.sample(old)) == 1


def _may_be_listed(problem: Problem, part: Part) -> bool:
    """True if a row that is said to be false is one that the exchange lists, or would list.

    Its balance may be behind its list of movements. Or its lists begin later, and it states no
    figure that the row moves: not those of fills, where it gives what was before them.
    """
    patch, outer = part.hypothesis.patch, problem.statement_of(LedgerSide.EXTERNAL)
    if not patch.rows_removed or not is_removal(problem, part.hypothesis):
        return False
    is_unseen = not any(_states(outer, name) for name in part.effect)
    begin_later = patch.rows_removed if outer.opening is None else patch.removed_movements
    if is_unseen and begin_later and _is_before(min(begin_later, key=_TIME), outer):
        return True
    removed = patch.removed_movements
    contents = {row.content for row in removed}
    ours, theirs = (
        [row for row in rows if row.content in contents]
        for rows in (problem.rows.movements if removed else (), outer.movement_rows)
    )
    return any(_count(row, ours) - _count(row, removed) < _count(row, theirs) for row in removed)


def _are_before_its_list(answer: Answer) -> bool:
    """True if false rows are older than all that the exchange lists, and move nothing in sum.

    Its list begins later: bought and sold again before, they leave no trace in what it states. An
    opening of its own would say from when on it lists.
    """
    problem = answer.problem
    outer = problem.statement_of(LedgerSide.EXTERNAL)
    if outer.opening is not None:
        return False
    removed = sorted(_false_rows(answer), key=_TIME)
    del removed[bisect_left(removed, 1, key=lambda row: int(not _is_before(row, outer))) :]
    if not removed:
        return False
    moved = patch_of_removed(removed).vector(problem.postings)
    return not any(amount and _states(outer, name) for name, amount in moved.items())


def _states(side: SideRecord, name: str) -> bool:
    """True if a side states figures of the kind of a dimension, and they are not replayed."""
    section = "positions" if is_position(name) else "cash"
    return getattr(side, section) is not None and section not in side.derived


def _count(movement: Movement, rows: Iterable[Movement]) -> int:
    return sum(is_same_movement(movement, row) for row in rows)


def _is_before(row: Row, side: SideRecord) -> bool:
    """True if a row is older than every row that a side lists, of which there are some."""
    if not side.movement_rows and side.table.latest() is None:
        return False
    is_first = all(one.time > row.time for one in side.movement_rows)
    return is_first and side.table.latest(row.time) is None


def _leaves_an_order(prover: Prover, answer: Answer) -> bool:
    """True if an order of a position that an answer moves still differs: its fault moves it, too.

    348 that an order lacks and a fill of 348 of another one that is missing on the exchange move
    a position by as much as a fill of 348 that is turned round. Its fills would show it. And an
    order of SELLs that keeps a BUY is as wrong as before, whatever it has filled in sum.
    """
    problem = answer.problem
    exchange = problem.statement_of(LedgerSide.EXTERNAL)
    if exchange.fills is not None:
        return False
    position = prover.dimensions.position
    moved = {name for part in answer.parts for name in part.effect}
    differs = set(map(without_account, prover.before.difference(answer.outcome.resolved)))
    left = {
        order_name(order): reported(order)
        for order in exchange.order_rows
        if f"{ORDER}{encode_key(order.order_id)}" in differs
        and position(order.symbol, Leg.NET, order.account) in moved
    }
    sides = {order_name(order): order.side for order in exchange.order_rows}
    for fill in answer.patch.applied(problem.record).fill_rows if left else ():
        name = order_name(fill)
        if name in left:
            if fill.side is not sides[name]:
                return True
            add_to(left, name, signed_quantity(fill).copy_negate())
    return any(left.values())


def _is_of_far_prices(problem: Problem, part: Part) -> bool:
    """True if a row that a side is said to lack has a price far from all others of its market.

    SPY at 60.24 among 476 is a fill of another symbol, whatever the side lacks.
    """
    if not is_span(part.hypothesis) or part.hypothesis.patch.added:
        return False
    unseen: dict[str, list[Decimal]] = {}
    for fill in part.hypothesis.patch.removed:
        unseen.setdefault(problem.postings.position(fill), []).append(fill.price)
    for name, prices in unseen.items():
        known = list(map(_PRICE, problem.by_symbol.get(name, ())))
        lowest, highest = nsmallest(2, known), nlargest(2, known)
        for price in prices if len(known) > 1 else ():
            low, high = lowest[price == lowest[0]], highest[price == highest[0]]
            if not is_near(price, low, high):
                return True
    return False


def _may_be_merged(answer: Answer) -> bool:
    """True if a fill is listed with another quantity and price, and false fills are beside it.

    The exchange may list all of them as one row. So it may if a fill is missing, and false ones of
    its side have its quantity in sum.
    """
    position = answer.problem.postings.position
    resized: set[tuple[str, str]] = set()
    priced: set[tuple[str, str]] = set()
    false: set[str] = set()
    missing: list[Fill] = []
    orphans: list[Fill] = []
    for part in answer.parts:
        patch = part.hypothesis.patch
        if not patch.added:
            false.update(map(position, patch.removed))
        if not patch.removed:
            missing += patch.added
        elif not patch.added and part.hypothesis.cause_kind is CauseKind.ORPHAN_FILL:
            orphans += patch.removed
        for old, new in zip(patch.removed, patch.added, strict=False):
            row = (position(old), old.fill_id)
            resized |= {row} if old.quantity != new.quantity else set()
            priced |= {row} if old.price != new.price else set()
    is_split = any(
        exact_sum(parts) == one.quantity
        for one in missing
        if len(parts := [row.quantity for row in orphans if PLACE(row) == PLACE(one)]) > 1
    )
    return is_split or any(name in false for name, _ in resized & priced)


def _are_charged_rightly(answer: Answer) -> bool:
    """True if wrong fees are at the rate of their fills, and the right ones are not.

    Those of the exchange's list, or wrong fees that cancel: no balance shows that the list of the
    other side is right, and the rates say that it is not.
    """
    problem, parts = answer.problem, answer.parts
    if not all(map(is_of_fees, parts)):
        return False
    is_of_exchange = answer.side is LedgerSide.EXTERNAL and problem.fault_in is FaultIn.ROWS
    if not is_of_exchange and (
        len(parts) == 1 or any(total_of(part.effect for part in parts).values())
    ):
        return False
    return all(
        model is not None
        and model.is_near(problem.postings, old)
        and not model.is_near(problem.postings, new)
        for part in parts
        for old, new in zip(part.hypothesis.patch.removed, part.hypothesis.patch.added, strict=True)
        for model in [problem.schedules.model(old)]
    )


def _is_of_another_account(problem: Problem, part: Part) -> bool:
    """True if the other side lists a false fill, with its id and figures, in another account."""
    patch = part.hypothesis.patch
    if part.hypothesis.cause_kind is not CauseKind.ORPHAN_FILL or len(patch.removed) != 1:
        return False
    (fill,) = patch.removed
    return any(
        fill_content(replace(one, account=fill.account)) == fill_content(fill)
        for one in problem.statement_of(problem.owner.other).table.having(fill_id=(fill.fill_id,))
        if one.account != fill.account
    )


def _is_part_of_its_order(problem: Problem, part: Part) -> bool:
    """True if a report shows that an order has more, and one fill or another one may be of it.

    What an order of several fills lacks may be shared by them in any way.

    A fill of 0.1 at 50, and 0.2 filled: the fill is of 0.2, or another one of 0.1 is missing. Only
    a fee at the rate on 0.2 shows which. Nor does that fee if some fill lacks one as large. The
    executions of that order would decide.
    """
    patch = part.hypothesis.patch
    other = problem.statement_of(problem.owner.other)
    if len(patch.added) != 1 or patch.rows_removed[1:] or other.fills is not None:
        return False
    (fill,) = patch.added
    name = order_name(fill)
    if name not in problem.orders:
        return False
    if patch.removed:
        old = patch.removed[0]
        is_larger = fill.quantity > old.quantity and not part.hypothesis.facts.is_slip
        is_of_several = len(problem.rows.order_of(fill)) > 1
        model = problem.schedules.model(old)
        is_at_rate = (
            model is not None and any(model.rates) and model.is_near(problem.postings, fill)
        )
        is_shown = fill.fee == old.fee != 0 and is_at_rate
        return is_larger and old.price == fill.price and (is_of_several or not is_shown)
    alike = [
        known
        for known in problem.by_symbol.get(problem.postings.position(fill), ())
        if order_name(known) == name and known.side is fill.side and known.price == fill.price
    ]
    if any(_may_be_one(problem, known, fill) for known in alike):
        return True
    return bool(alike) and fill.fee in lost_fees(problem)


def _may_be_one(problem: Problem, fill: Fill, other: Fill) -> bool:
    """True if two fills have the fee of one of both quantities, to one unit, or none is known."""
    model = problem.schedules.model(fill)
    if model is None or fill.fee_currency != other.fee_currency:
        return not (fill.fee and other.fee) or fill.fee_currency == other.fee_currency
    both = replace(fill, quantity=EXACT.add(fill.quantity, other.quantity))
    both = replace(both, fee=EXACT.add(fill.fee, other.fee))
    return model.off(problem.postings, both) <= problem.postings.resolution(model.currency)
