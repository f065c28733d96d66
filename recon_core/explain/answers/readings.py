"""Two readings of one cause: another cause that may well leave the same figures."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import compress
from operator import attrgetter
from typing import Final

from recon_core.explain.answers.lost_fills import few_lots, has_usual_quantity, may_be_undone
from recon_core.explain.causes import precedence
from recon_core.explain.causes.copies import Copies
from recon_core.explain.causes.precedence import is_quantity
from recon_core.explain.problem.dimensions import (
    Vector,
    currency_of,
    is_cash,
    is_position,
    minus,
    negated,
)
from recon_core.explain.problem.figures import MODES, last_digit, power_of_ten, slip
from recon_core.explain.problem.hypotheses import Strength
from recon_core.explain.problem.market import Market, market_of, prices_between
from recon_core.explain.problem.problem import FaultIn, Problem
from recon_core.explain.proof.attempt import Answer, Part
from recon_core.explain.proof.snapshot_evidence import is_unstated, remaining_after
from recon_core.ledger.bookings import is_derivative, notional, signed_quantity
from recon_core.model import Fill, LedgerSide
from recon_core.model.explanation import CauseKind
from recon_core.values.amounts import EXACT, ZERO, exact_sum, round_by

_FEWEST_ALIKE: Final = 2
"""Prices of fills alike from which on one of them may have an amount by coincidence."""

_TICKS_EACH: Final = 4
"""Ticks in the range of a market for each price of fills alike: in fewer, one in four has one."""

_PRICE: Final = attrgetter("price")

_QUANTITY: Final = attrgetter("quantity")


def has_two_readings(answer: Answer, part: Part) -> bool:
    """True if another cause than one part of an answer may well leave the same figures."""
    problem, hypothesis = answer.problem, part.hypothesis
    return (
        precedence.is_one_figure(hypothesis, part.effect)
        or precedence.may_be_a_multiplier(problem, hypothesis, part.effect)
        or _may_be_other_sign(problem, part)
        or _may_be_a_movement(problem, part)
        or _is_one_of_two(answer, part)
        or may_be_undone(answer, part)
        or _may_be_rounded(answer.problem, part)
        or _is_of_any_at_its_price(problem, part)
        or _is_of_few_prices(problem, part)
        or _is_one_of_a_size(problem, part)
        or _is_typed(problem, part)
        or _may_be_a_lost_fee(problem, part)
        or _blames_one_of_two_openings(problem, part)
        or _may_be_in_a_fee(problem, part)
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


def _is_one_of_a_size(problem: Problem, part: Part) -> bool:
    """True if a fill is off by a factor of ten, and another one of its market has its size.

    Of SELLs and BUYs of 191,000 all may be of 191, and what they move cancels but for one.
    """
    patch = part.hypothesis.patch
    if part.hypothesis.strength is Strength.SHOWN or not is_quantity(part.hypothesis):
        return False
    (old,), (new,) = patch.removed, patch.added
    is_power = power_of_ten(old.quantity, new.quantity) is not None
    return is_power and has_usual_quantity(problem, old, old.quantity)


def _only_removed(part: Part) -> Fill | None:
    """Return the only fill that a cause removes, `None` if rows show it, or if it adds any."""
    hypothesis = part.hypothesis
    if hypothesis.strength is Strength.SHOWN or hypothesis.patch.rows_added:
        return None
    removed = hypothesis.patch.removed
    return removed[0] if len(removed) == 1 else None


def _is_typed(problem: Problem, part: Part) -> bool:
    """True if a removed fill moves nothing but one position, which may be typed wrongly.

    It has no fee, where others have one. 11.2 and 10.2 differ by a fill of 1.0, and by one digit.
    """
    fill, moved = _only_removed(part), [*part.effect]
    if fill is None or fill.fee or len(moved) != 1 or not is_position(moved[0]):
        return False
    stated = (
        problem.dimensions.stated(problem.statement_of(side)).get(moved[0], ZERO).copy_abs()
        for side in LedgerSide
    )
    return bool(problem.rows.fees) and slip(*stated) is not None


def _may_be_a_lost_fee(problem: Problem, part: Part) -> bool:
    """True if a side charged more than its own rows have, and one of these has no fee at all.

    Its list may have lost that fee, whatever else is wrong in the row.
    """
    patch = part.hypothesis.patch
    is_of_charged = is_of_fees(part) and all(fill.fee for fill in patch.removed)
    if not problem.is_of_own_statement or not is_of_charged:
        return False
    charged, listed = (exact_sum(row.fee for row in rows) for rows in (patch.added, patch.removed))
    return charged > listed and not all(fill.fee for fill in problem.fills)


def is_of_fees(part: Part) -> bool:
    """True if a cause changes the fees of fills and nothing else."""
    patch = part.hypothesis.patch
    fills = [fill for fill in patch.removed if fill.symbol]
    return len(fills) == len(patch.added) > 0 and all(
        (old.quantity, old.price, old.side) == (new.quantity, new.price, new.side)
        for old, new in zip(fills, patch.added, strict=True)
    )


def _blames_one_of_two_openings(problem: Problem, part: Part) -> bool:
    """True if a side's opening is said to be wrong, and the other side gives the same."""
    if part.hypothesis.patch.old_opening is None:
        return False
    openings = [record.opening for record in problem.recorded.own_records().values()]
    states = [problem.postings.opening(one) for one in openings if one is not None]
    return len(states) > 1 and not any(minus(*states).values())


def _may_be_in_a_fee(problem: Problem, part: Part) -> bool:
    """True if an opening is off by no more than a fee which no other fee shows to be right.

    A single fill of 116 USD has a fee of 9.00011 BTC, and the opening is said to lack 9 BTC.
    """
    if part.hypothesis.strength is Strength.SHOWN or part.hypothesis.patch.old_opening is None:
        return False
    return any(
        not _is_at_usual_rate(problem, fill)
        for name, amount in part.effect.items()
        if is_cash(name) and amount
        for fill in problem.fills
        if fill.fee_currency == currency_of(name) and fill.fee.copy_abs() >= amount.copy_abs()
    )


def _is_at_usual_rate(problem: Problem, fill: Fill) -> bool:
    """True if other fees of a fill's market show the rate that its fee is at, to a unit."""
    model = problem.schedules.model(fill)
    if model is None or len(problem.schedules.sample(fill)) == 1:
        return False
    return model.is_near(problem.postings, fill)


def _may_be_other_sign(problem: Problem, part: Part) -> bool:
    """True if an exchanged side leaves the position with the other sign, and moves no cash.

    The side that states that position may have the other sign, too.
    """
    if part.hypothesis.cause_kind is not CauseKind.SIDE_FLIPPED or len(part.effect) != 1:
        return False
    ((name, amount),) = part.effect.items()
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
    return _ticks_of(market) < len(prices) * _TICKS_EACH


def _has_copies(fills: Sequence[Fill]) -> bool:
    """True if any of the fills may be a copy of another one."""
    return any(map(Copies(fills).near, fills))


def _is_one_of_two(answer: Answer, part: Part) -> bool:
    """True if a fill that no row states and another size of a stated fill have the same effect.

    They have it at one price, if the snapshots allow both, the fee ignored: instead of a missing
    fill, a stated fill of its side may be too small, or one of the other side too large or wrong.
    One without a fee may be of any size, and its fee missing. Instead of a larger fill, another one
    may be missing, whose fee is known or is what another fee is too large by: of twice the quantity
    its own. A fill that costs with its fee what another price does may be of that price, and a
    stated fill of another size, whose fee is right. One that undoes the only fill of its market has
    no price beside it: that fill may be false, and another row wrong. One of twice the quantity of
    a fill of the other side moves the position as that fill does, turned round. And of few lots
    that cost no fee, all cash is at a price on a tick.
    """
    patch = part.hypothesis.patch
    if part.hypothesis.strength < Strength.FITTED or len(patch.added) != 1:
        return False
    (fill,) = patch.added
    if is_quantity(part.hypothesis):
        old = patch.removed[0]
        is_larger = fill.quantity > old.quantity
        is_twice = fill.quantity == EXACT.add(old.quantity, old.quantity)
        return is_larger and (fill.fee != old.fee or is_twice or _is_doubled(answer.problem, fill))
    if not is_unstated(part.hypothesis):
        return False
    problem = answer.problem
    left = remaining_after(
        problem, (other.hypothesis for other in answer.parts if other is not part)
    )
    known = problem.by_symbol.get(problem.postings.position(fill), ())
    if [one.quantity for one in known] == [fill.quantity]:
        return True
    if not problem.divergence and (
        any(
            one.side is not fill.side and EXACT.add(one.quantity, one.quantity) == fill.quantity
            for one in known
        )
        or (not fill.fee and fill.quantity <= few_lots((fill, *known)))
    ):
        return True
    same = [*compress(known, map(fill.price.__eq__, map(_PRICE, known)))]
    if fill.fee:
        same += _of_its_cost(problem, fill, problem.postings.fill(fill), known)
    return any(
        (other.side is fill.side or other.quantity >= fill.quantity or not other.fee)
        and left.may_begin(other.time)
        for other in same
    )


def _ticks_of(market: Market) -> Decimal:
    """Return the ticks between the lowest and the highest price of a market."""
    low, high = min(map(_PRICE, market.fills)), max(map(_PRICE, market.fills))
    return EXACT.subtract(high, low).scaleb(market.tick_places, EXACT)


def _may_be_rounded(problem: Problem, part: Part) -> bool:
    """True if one position alone is wrong in a statement, and it may be the right one rounded.

    The statement has whole numbers only: 0 where the rows give 0.077.
    """
    if problem.fault_in is not FaultIn.STATEMENT or len(part.effect) != 1:
        return False
    stated = problem.dimensions.stated(problem.statement_of(problem.owner))
    ((name, off),) = part.effect.items()
    given = stated.get(name, ZERO)
    right = EXACT.subtract(given, off)
    return (
        is_position(name)
        and all(last_digit(amount) >= 0 for each, amount in stated.items() if is_position(each))
        and any(round_by(right, 0, mode) == given != right for mode in MODES)
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
    by_side = {fill.side: posted, fill.side.other: negated(posted)}
    low, high = prices_between(paid.copy_negate(), worth, most)
    for one in (each for each in known if low <= each.price <= high):
        off = EXACT.subtract(EXACT.multiply(worth, one.price), paid).copy_abs()
        if not off or (off < most and _may_post(problem, one, fill.quantity, by_side[one.side])):
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
