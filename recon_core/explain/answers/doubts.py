"""Doubts that keep a proven answer from being unique: amounts that no side states, or chance."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from heapq import nlargest, nsmallest
from itertools import compress
from operator import attrgetter
from typing import Final

from recon_core.explain.causes import precedence
from recon_core.explain.causes.copies import Copies
from recon_core.explain.causes.precedence import is_quantity
from recon_core.explain.causes.removed_rows import is_removal
from recon_core.explain.causes.stale import is_span, reported_in_full
from recon_core.explain.causes.strengths import is_far_larger, may_be_unique
from recon_core.explain.problem.chances import is_little, is_much, is_of_few_ticks
from recon_core.explain.problem.dimensions import Vector, is_cash, is_position, minus, negated
from recon_core.explain.problem.figures import power_of_ten, slip
from recon_core.explain.problem.hypotheses import Strength, fill_content
from recon_core.explain.problem.market import market_of
from recon_core.explain.problem.patches import total_of
from recon_core.explain.problem.postings import order_name
from recon_core.explain.problem.precision import is_too_fine
from recon_core.explain.problem.problem import Problem
from recon_core.explain.problem.problems import problem_of
from recon_core.explain.proof.attempt import Answer, Part
from recon_core.explain.proof.prover import Prover
from recon_core.explain.proof.snapshot_evidence import is_unstated, remaining_after
from recon_core.explain.repair.entries import has_near_price, is_near
from recon_core.explain.search.row_comparison import RowComparison, other_rows
from recon_core.ledger.bookings import is_derivative, notional, signed_quantity
from recon_core.model import Fill, LedgerSide
from recon_core.model.explanation import CauseKind
from recon_core.model.fill_table import table_of
from recon_core.values.amounts import EXACT, ZERO, decimal_places, exact_sum, unit_at

_FEWEST_ALIKE: Final = 2
"""Prices of fills alike from which on one of them may have an amount by coincidence."""

_TICKS_EACH: Final = 4
"""Ticks in the range of a market for each price of fills alike: in fewer, one in four has one."""

_PRICE: Final = attrgetter("price")

_QUANTITY: Final = attrgetter("quantity")


def unseen_amounts(prover: Prover, answer: Answer) -> list[str]:
    """Return the dimensions in which an answer posts amounts and nothing is compared.

    An empty name is a doubt that no comparison would remove.
    """
    if _is_denied(prover, answer):
        return [""]
    refused = [
        name
        for part in answer.parts
        for name in (*_of_far_price(prover, part), *_of_no_cash(answer.problem, part))
    ]
    if refused:
        return refused
    if all(
        part.hypothesis.strength is Strength.SHOWN
        and not precedence.is_unread_span(answer.problem, part.hypothesis)
        for part in answer.parts
    ):
        return []
    dimensions = prover.dimensions
    unseen = [
        name
        for part in answer.parts
        for name, amount in part.effect.items()
        if amount and not dimensions.shows(name)
    ]
    return [*unseen, ""] if _is_doubtful(prover, answer) else unseen


def _is_denied(prover: Prover, answer: Answer) -> bool:
    """True if a fee is too fine, or an order or a list of the other side says otherwise."""
    problem = answer.problem
    return (
        any(is_too_fine(prover.recorded, one.fee, one.fee_currency) for one in answer.patch.added)
        or any(
            _is_part_of_its_order(problem, part)
            or _is_of_another_account(problem, part)
            or _is_of_far_prices(problem, part)
            for part in answer.parts
        )
        or _is_reported(answer)
        or _may_be_merged(answer)
    )


def _is_doubtful(prover: Prover, answer: Answer) -> bool:
    """True if an answer may be a coincidence, or one of two readings of the same figures."""
    return (
        not may_be_unique(answer.strength)
        or _below_digits(prover, answer)
        or any(_has_two_readings(answer, part) for part in answer.parts)
        or _is_net_zero(answer)
        or _pulls_apart(answer)
        or _is_little_cash(answer)
        or _leaves_copies(answer)
        or _leaves_rows(prover, answer)
    )


def _has_two_readings(answer: Answer, part: Part) -> bool:
    """True if another cause than one part of an answer may well leave the same figures."""
    problem, hypothesis = answer.problem, part.hypothesis
    return (
        precedence.is_one_figure(hypothesis, part.effect)
        or precedence.may_be_a_multiplier(problem, hypothesis, part.effect)
        or _may_be_other_sign(problem, part)
        or _may_be_a_movement(problem, part)
        or _is_one_of_two(answer, part)
        or _is_of_any_at_its_price(problem, part)
        or _is_of_few_prices(problem, part)
        or _is_missing_otherwise(problem, part)
        or _is_typed(problem, part)
        or _may_be_a_lost_fee(problem, part)
        or _blames_one_of_two_openings(problem, part)
    )


def _is_of_any_at_its_price(problem: Problem, part: Part) -> bool:
    """True if a mistyped quantity may be that of another fill at its price, typed otherwise.

    302 instead of 297 is 266 for 261, and 36 for 31. A price is another one only if it costs more.
    """
    patch = part.hypothesis.patch
    if part.hypothesis.strength is Strength.SHOWN or not is_quantity(part.hypothesis):
        return False
    (old,), (new,) = patch.removed, patch.added
    less = EXACT.subtract(old.quantity, new.quantity)
    if old.price != new.price or power_of_ten(old.quantity, new.quantity) is not None:
        return False
    known = problem.by_symbol.get(problem.postings.position(old), ())
    smaller, larger = sorted((old, new), key=_QUANTITY)
    posted = minus(problem.postings.fill(larger), problem.postings.fill(smaller))
    costs = replace(old, quantity=less.copy_abs(), fee=ZERO)
    return any(
        one.side is old.side and one.quantity > less and one.quantity != old.quantity
        for one in _of_its_cost(problem, costs, posted, known)
    )


def _is_missing_otherwise(problem: Problem, part: Part) -> bool:
    """True if a removed fill may be true, and a fill of its other side is missing instead.

    That fill has the same quantity, as others of the market have it.
    """
    fill = _only_removed(part)
    if fill is None or part.hypothesis.patch.removed_movements:
        return False
    is_usual = _has_usual_quantity(problem, fill)
    return (is_usual or bool(fill.fee)) and _may_be_turned_round(problem, fill)


def _only_removed(part: Part) -> Fill | None:
    """Return the only fill that a cause removes, `None` if rows show it, or if it adds any."""
    hypothesis = part.hypothesis
    if hypothesis.strength is Strength.SHOWN or hypothesis.patch.rows_added:
        return None
    removed = hypothesis.patch.removed
    return removed[0] if len(removed) == 1 else None


def _has_usual_quantity(problem: Problem, fill: Fill) -> bool:
    """True if another fill of the market has the quantity of a fill."""
    others = problem.by_symbol.get(problem.postings.position(fill), ())
    return any(one.quantity == fill.quantity for one in others if one is not fill)


def _of_no_cash(problem: Problem, part: Part) -> list[str]:
    """Return the balances that a removed fill moves, if a missing one may have its quantity.

    None if cash or rows are compared, which would show the price of the missing fill.
    """
    removed = part.hypothesis.patch.removed
    if len(removed) != 1 or not is_removal(problem, part.hypothesis):
        return []
    is_seen = any(map(is_cash, problem.dimensions.compared))
    is_seen = is_seen or problem.statement_of(problem.owner.other).fills is not None
    if is_seen or not _has_usual_quantity(problem, removed[0]):
        return []
    return [name for name, amount in part.effect.items() if amount and is_cash(name)] or [""]


def _may_be_turned_round(problem: Problem, fill: Fill) -> bool:
    """True if a missing fill of the other side may have the price of a fill, and no fee shows it.

    A fee below the dust of floats is not seen.
    """
    market = market_of(problem, problem.postings.position(fill))
    is_free = fill.fee.copy_abs() <= problem.dimensions.dust
    return is_free and (market is None or is_of_few_ticks(market, fill))


def _is_typed(problem: Problem, part: Part) -> bool:
    """True if a removed fill moves nothing but one position, which may be typed wrongly.

    It has no fee, where others have one. 11.2 and 10.2 differ by a fill of 1.0, and by one digit.
    """
    fill, moved = _only_removed(part), [name for name, amount in part.effect.items() if amount]
    if fill is None or fill.fee or len(moved) != 1 or not is_position(moved[0]):
        return False
    stated = (
        problem.dimensions.stated(problem.statement_of(side)).get(moved[0], ZERO).copy_abs()
        for side in LedgerSide
    )
    return bool(problem.rows.fees) and slip(*stated) is not None


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
    moved = [name for name, amount in part.effect.items() if amount and not is_position(name)]
    return [] if any(map(prover.dimensions.shows, moved)) else moved or [""]


def _is_reported(answer: Answer) -> bool:
    """True if a false fill is of an order of which the exchange reports as much as is booked.

    The exchange then contradicts itself: its reports are newer than its state and its rows.
    """
    problem = answer.problem
    orders = {
        order_name(fill)
        for part in answer.parts
        if is_removal(problem, part.hypothesis)
        for fill in part.hypothesis.patch.removed
    }
    return bool(orders) and not orders.isdisjoint(reported_in_full(problem))


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

    The exchange may list all of them as one row.
    """
    position = answer.problem.postings.position
    changed: dict[CauseKind, set[tuple[str, str]]] = {}
    false: set[str] = set()
    for part in answer.parts:
        patch, kind = part.hypothesis.patch, part.hypothesis.cause_kind
        if patch.added:
            rows = {(position(fill), fill.fill_id) for fill in patch.removed}
            changed[kind] = rows | changed.get(kind, set())
        else:
            false.update(map(position, patch.removed))
    priced = changed.get(CauseKind.WRONG_PRICE, set())
    both = priced & changed.get(CauseKind.WRONG_QUANTITY, set())
    return any(name in false for name, _ in both)


def _is_of_another_account(problem: Problem, part: Part) -> bool:
    """True if the other side lists a false fill, with its id and figures, in another account."""
    patch = part.hypothesis.patch
    if part.hypothesis.cause_kind is not CauseKind.ORPHAN_FILL or len(patch.removed) != 1:
        return False
    (fill,) = patch.removed
    return any(
        fill_content(replace(one, account=fill.account)) == fill_content(fill)
        for one in table_of(problem.statement_of(problem.owner.other).fills).having(
            fill_id=(fill.fill_id,)
        )
        if one.account != fill.account
    )


def is_absurd(answer: Answer) -> bool:
    """True if an answer is of causes that cancel, and no rows show them."""
    effects = [part.effect for part in answer.parts]
    return answer.strength > Strength.SHOWN and is_far_larger(effects, total_of(effects))


def has_unread_spans(answers: Sequence[Answer]) -> bool:
    """True if any answer is missing rows from a time on that only a state shows."""
    return any(
        precedence.is_unread_span(answer.problem, part.hypothesis)
        for answer in answers
        for part in answer.parts
    )


def _is_little_cash(answer: Answer) -> bool:
    """True if one row is the cause of so little cash that one of many rows nearly always fits.

    Beside a movement, which leaves a residual, the row is the cause of that alone.
    A quantity that was fitted to a position has no other witness than the cash.
    """
    parts = answer.parts
    if len(parts) > 1:
        parts = tuple(part for part in parts if not _moves_without_a_fill(part))
    if len(parts) != 1:
        return False
    (part,) = parts
    is_moved = any(amount for name, amount in part.effect.items() if is_position(name))
    is_fitted = is_quantity(part.hypothesis) and part.hypothesis.strength > Strength.SHOWN
    is_witnessed = is_moved and not is_fitted
    if is_witnessed or _has_the_only_rebate(answer.problem, part):
        return False
    return is_little(answer.problem, part.effect, of_fees=_is_of_fees(part))


def _has_the_only_rebate(problem: Problem, part: Part) -> bool:
    """True if a fee is turned that is the only one below zero, which its row shows by itself."""
    removed = part.hypothesis.patch.removed
    if part.hypothesis.cause_kind is not CauseKind.FEE_SIGN or not removed or removed[-1].fee > 0:
        return False
    return sum(fee < 0 for fee in problem.rows.fees) == 1


def _is_of_fees(part: Part) -> bool:
    """True if a cause changes the fees of fills and nothing else."""
    patch = part.hypothesis.patch
    fills = [fill for fill in patch.removed if fill.symbol]
    return len(fills) == len(patch.added) > 0 and all(
        (old.quantity, old.price, old.side) == (new.quantity, new.price, new.side)
        for old, new in zip(fills, patch.added, strict=True)
    )


def _may_be_a_lost_fee(problem: Problem, part: Part) -> bool:
    """True if a side charged more than its own rows have, and one of these has no fee at all.

    Its list may have lost that fee, whatever else is wrong in the row.
    """
    patch = part.hypothesis.patch
    is_of_charged = _is_of_fees(part) and all(fill.fee for fill in patch.removed)
    if not problem.is_of_own_statement or not is_of_charged:
        return False
    charged, listed = (exact_sum(row.fee for row in rows) for rows in (patch.added, patch.removed))
    return charged > listed and not all(fill.fee for fill in problem.fills)


def _blames_one_of_two_openings(problem: Problem, part: Part) -> bool:
    """True if a side's opening is said to be wrong, and the other side gives the same."""
    if part.hypothesis.patch.old_opening is None:
        return False
    openings = [record.opening for record in problem.recorded.own_records().values()]
    states = [problem.postings.opening(one) for one in openings if one is not None]
    return len(states) > 1 and not any(minus(*states).values())


def _may_be_other_sign(problem: Problem, part: Part) -> bool:
    """True if an exchanged side leaves the position with the other sign, and moves no cash.

    The side that states that position may have the other sign, too.
    """
    effect = {name: amount for name, amount in part.effect.items() if amount}
    if part.hypothesis.cause_kind is not CauseKind.SIDE_FLIPPED or len(effect) != 1:
        return False
    ((name, amount),) = effect.items()
    if not is_position(name) or part.hypothesis.strength is Strength.SHOWN:
        return False
    position = exact_sum(map(signed_quantity, problem.by_symbol.get(name, ())))
    return EXACT.add(position, position) == amount


def _may_be_a_movement(problem: Problem, part: Part) -> bool:
    """True if an opening that no snapshot shows has the amount of a movement, which may be wrong.

    An opening of 10,000 and a deposit of 10,000: either may be of 1,000.
    """
    patch = part.hypothesis.patch
    if part.hypothesis.strength is Strength.SHOWN or patch.old_opening is None:
        return False
    stated = {(row.currency, row.total) for row in patch.old_opening.cash}
    return any((row.currency, row.amount) in stated for row in problem.rows.movements)


def _moves_without_a_fill(part: Part) -> bool:
    patch = part.hypothesis.patch
    return bool(patch.added_movements or patch.removed_movements)


def _is_of_few_prices(problem: Problem, part: Part) -> bool:
    """True if a removed fill is one of many alike in a market of few prices, beside a copy.

    Of 30 prices from 8.20 to 8.49 the fills of 2 contracts have 10: a copy of another fill and a
    price that is a little wrong give the cash of one of them once in three cases.
    """
    fill = _only_removed(part)
    if fill is None:
        return False
    market = market_of(problem, problem.postings.position(fill))
    if market is None or not _has_copies([one for one in market.fills if one is not fill]):
        return False
    prices = {
        one.price for one in market.fills if one.side is fill.side and one.quantity == fill.quantity
    }
    if len(prices) < _FEWEST_ALIKE:
        return False
    low, high = min(map(_PRICE, market.fills)), max(map(_PRICE, market.fills))
    ticks = EXACT.subtract(high, low).scaleb(market.tick_places, EXACT)
    return ticks < len(prices) * _TICKS_EACH


def _has_copies(fills: Sequence[Fill]) -> bool:
    """True if any of the fills may be a copy of another one."""
    return any(map(Copies(fills).near, fills))


def _below_digits(prover: Prover, answer: Answer) -> bool:
    """True if an answer moves only cash, by at most half a unit of a stated balance."""
    total = total_of(part.effect for part in answer.parts)
    moved = {name: amount.copy_abs() for name, amount in total.items() if amount}
    units: dict[str, Decimal] = {}
    for record in prover.recorded.own_records().values():
        for row in () if "cash" in record.derived else record.cash_rows:
            name = prover.dimensions.cash(row.currency, row.account)
            units[name] = max(units.get(name, ZERO), unit_at(decimal_places(row.total)))
    return bool(moved) and all(
        EXACT.add(amount, amount) <= units.get(name, ZERO) for name, amount in moved.items()
    )


def _is_one_of_two(answer: Answer, part: Part) -> bool:
    """True if a fill that no row states and another size of a stated fill have the same effect.

    They have it at one price, if the snapshots allow both, the fee ignored: instead of a missing
    fill, a stated fill of its side may be too small, or one of the other side too large or wrong.
    One without a fee may be of any size, and its fee missing. Instead of a larger fill, another one
    may be missing, whose fee is known or is what another fee is too large by: of twice the quantity
    its own. A fill that costs with its fee what another price does may be of that price, and a
    stated fill of another size, whose fee is right. One that undoes the only fill of its market has
    no price beside it: that fill may be false, and another row wrong.
    """
    patch = part.hypothesis.patch
    if part.hypothesis.strength < Strength.FITTED or len(patch.added) != 1:
        return False
    (fill,) = patch.added
    if is_quantity(part.hypothesis):
        old = patch.removed[0]
        is_larger = fill.quantity > old.quantity
        is_twice = fill.quantity == EXACT.add(old.quantity, old.quantity)
        if is_larger and (fill.fee != old.fee or is_twice or _is_doubled(answer.problem, fill)):
            return True
        return not old.fee and _may_be_turned_round(answer.problem, fill)
    if not is_unstated(part.hypothesis):
        return False
    problem = answer.problem
    left = remaining_after(
        problem, (other.hypothesis for other in answer.parts if other is not part)
    )
    known = problem.by_symbol.get(problem.postings.position(fill), ())
    if [one.quantity for one in known] == [fill.quantity]:
        return True
    same = [*compress(known, map(fill.price.__eq__, map(_PRICE, known)))]
    posted = problem.postings.fill(fill) if fill.fee else {}
    same += _of_its_cost(problem, fill, posted, known) if fill.fee else ()
    return any(
        (other.side is fill.side or other.quantity >= fill.quantity or not other.fee)
        and left.may_begin(other.time)
        for other in same
    )


def _of_its_cost(
    problem: Problem, fill: Fill, posted: Vector, known: Sequence[Fill]
) -> Iterator[Fill]:
    """Yield the fills that, larger or smaller by the quantity of a fill, post what it posts.

    1 at 389.06 and a fee of 0.01 cost 389.07, and 50 at 1.1485 in cents what 50 at 1.1487 do. No
    cash shows the price of a derivative's fill, which has to be the same.
    """
    instrument = problem.postings.instruments.get(fill.symbol)
    if instrument is None or is_derivative(instrument) or fill.charged_in != instrument.quote:
        yield from compress(known, map(fill.price.__eq__, map(_PRICE, known)))
        return
    worth = notional(instrument, None, signed_quantity(fill), Decimal(1))
    paid = EXACT.add(notional(instrument, None, signed_quantity(fill), fill.price), fill.fee)
    unit = problem.postings.resolution(instrument.quote)
    most = EXACT.add(unit, unit)  # each fill is rounded twice, before and after
    for one in known:
        off = EXACT.subtract(EXACT.multiply(worth, one.price), paid).copy_abs()
        near = posted if one.side is fill.side else negated(posted)
        if not off or (off < most and _may_post(problem, one, fill.quantity, near)):
            yield one


def _may_post(problem: Problem, one: Fill, quantity: Decimal, posted: Vector) -> bool:
    """True if a fill that is larger or smaller by a quantity posts as much more or less."""
    now = problem.postings.fill(one)
    larger = replace(one, quantity=EXACT.add(one.quantity, quantity))
    if not any(minus(minus(problem.postings.fill(larger), now), posted).values()):
        return True
    smaller = replace(one, quantity=EXACT.subtract(one.quantity, quantity))
    less = minus(now, problem.postings.fill(smaller)) if smaller.quantity > 0 else now
    return not any(minus(less, posted).values())


def _is_doubled(problem: Problem, fill: Fill) -> bool:
    """True if another fill has twice the fee of a fill, where fees follow no quantity.

    A missing fill, and a fee that was booked twice, then cost what a larger fill does.
    """
    twice = EXACT.add(fill.fee, fill.fee)
    return any(other.fee == twice for other in problem.fills if other.fee)


def _is_part_of_its_order(problem: Problem, part: Part) -> bool:
    """True if a report shows that an order has more, and one fill or another one may be of it.

    What an order of several fills lacks may be shared by them in any way.

    A fill of 0.1 at 50, and 0.2 filled: the fill is of 0.2, or another one of 0.1 is missing. The
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
        is_recharged = fill.fee != old.fee or not fill.fee
        return is_larger and old.price == fill.price and (is_recharged or is_of_several)
    return any(
        known.side is fill.side and known.price == fill.price and _may_be_one(problem, known, fill)
        for known in problem.by_symbol.get(problem.postings.position(fill), ())
        if order_name(known) == name
    )


def _may_be_one(problem: Problem, fill: Fill, other: Fill) -> bool:
    """True if two fills have the fee of one of both quantities, to one unit, or none is known."""
    model = problem.schedules.model(fill)
    if model is None or fill.fee_currency != other.fee_currency:
        return not (fill.fee and other.fee) or fill.fee_currency == other.fee_currency
    both = replace(fill, quantity=EXACT.add(fill.quantity, other.quantity))
    both = replace(both, fee=EXACT.add(fill.fee, other.fee))
    return model.off(problem.postings, both) <= problem.postings.resolution(model.currency)


def _leaves_copies(answer: Answer) -> bool:
    """True if rows have a fill twice by its id, and an answer from figures alone leaves both.

    That is a fault which the rows show by themselves, and it is hidden in another one.
    """
    problem = answer.problem
    if problem.statement_of(problem.owner.other).fills is not None:
        return False
    ids = {fill_id for _, _, fill_id in problem.table.copies()}
    removed = {fill.fill_id for part in answer.parts for fill in part.hypothesis.patch.removed}
    copies = Copies(problem.table.having(fill_id=ids - removed)) if ids - removed else None
    return copies is not None and any(map(copies.is_duplicate, copies.fills))


def _leaves_rows(prover: Prover, answer: Answer) -> bool:
    """True if both sides list fills, and other rows differ after a repair that none of them shows.

    The rows that are left may cancel in every figure, and belong to the fault all the same.
    """
    recorded = prover.recorded
    if not all(record.fills for record in recorded.own_records().values()):
        return False
    is_internal = answer.side is LedgerSide.INTERNAL
    inner = answer.repaired if is_internal else recorded.internal
    outer = recorded.external if is_internal else answer.repaired
    repaired = replace(recorded, internal=inner, external=outer)
    own = LedgerSide.INTERNAL
    problem = problem_of(repaired, prover.dimensions, own, own, rows_right=False)
    right = other_rows(repaired.external)
    if problem is None or right is None or repaired.shares("fills"):
        return False
    return bool(RowComparison(problem, right, prover.max_skew).hypotheses())


def _pulls_apart(answer: Answer) -> bool:
    """True if causes move one position in opposite directions, and a single fill may leave as much.

    A snapshot between them shows each by itself.
    """
    if answer.problem.divergence:
        return False
    total = total_of(part.effect for part in answer.parts)
    signs: dict[str, set[bool]] = {}
    for part in answer.parts:
        for name, amount in part.effect.items():
            if amount and is_position(name):
                signs.setdefault(name, set()).add(amount > 0)
    return any(len(each) > 1 and total[name] for name, each in signs.items())


def _is_net_zero(answer: Answer) -> bool:
    """True if causes that move positions cancel there, and little cash is evidence of them."""
    total = total_of(part.effect for part in answer.parts)
    moved = [name for part in answer.parts for name, amount in part.effect.items()
             if amount and is_position(name)]  # fmt: skip
    is_net_zero = len(answer.parts) > 1 and bool(moved) and not any(total[name] for name in moved)
    return is_net_zero and not is_much(answer.problem, total)
