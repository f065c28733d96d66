"""A lost fill in place of a wrong one: it moves as much, at the price that makes up for the fees.

A BUY of 50 at 1.1513 is said to be false. As well it may be right, and a SELL of 50 at 1.1529 is
missing: its gain of 0.08 is what both fees of 0.04 cost.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Final

from recon_core.explain.causes.copies import is_shown_by_rows
from recon_core.explain.causes.precedence import is_quantity
from recon_core.explain.problem.chances import has_few_prices
from recon_core.explain.problem.figures import common_lot, power_of_ten
from recon_core.explain.problem.hypotheses import MISSING_ID
from recon_core.explain.problem.market import Market, market_of, on_tick, paid_in
from recon_core.explain.problem.patches import Patch, in_sequence
from recon_core.explain.problem.problem import Problem
from recon_core.explain.proof.attempt import Answer, Part
from recon_core.ledger.bookings import signed_quantity
from recon_core.model import Fill, InstrumentKind, OrderSide
from recon_core.values.amounts import EXACT, ZERO

_FEW_LOTS: Final = 10
"""Lots up to which a fill may well have any quantity: of ten sizes one is met by chance."""


def may_be_undone(answer: Answer, part: Part) -> bool:
    """True if a fill that is removed, turned or of another size may be right, and another is lost.

    Not where rows show the fault, or snapshots say when it began.
    """
    problem, hypothesis = answer.problem, part.hypothesis
    patch = hypothesis.patch
    if len(patch.removed) != 1 or patch.removed_movements or patch.added[1:]:
        return False
    (old,), new = patch.removed, patch.added[0] if patch.added else None
    if new is not None and not _is_turned_or_resized(part, old, new):
        return False
    if problem.divergence or is_shown_by_rows(problem, hypothesis):
        return False
    others = [one.hypothesis.patch for one in answer.parts if one is not part]
    patches = (
        in_sequence((*others, Patch(added=(lost,)))) for lost in _lost_fills(problem, old, new)
    )
    return _any_leaves_the_same(answer, filter(problem.reached_by, patches))


def _any_leaves_the_same(answer: Answer, patches: Iterator[Patch]) -> bool:
    """True if any patch leaves what an answer leaves; the cash of contracts shows by a replay."""
    problem = answer.problem
    if not any(map(problem.postings.derivative, problem.rows.symbols)):
        return next(patches, None) is not None
    left: Problem | None = None
    for one in patches:
        left = left or problem.replayed_after(answer.patch)
        after = problem.replayed_after(one)
        if left is not None and after is not None and after.required == left.required:
            return True
    return False


def _is_turned_or_resized(part: Part, old: Fill, new: Fill) -> bool:
    """True if a fill has its price, and the other side or another quantity.

    A slip of the decimal point is no chance.
    """
    if (old.symbol, old.price) != (new.symbol, new.price):
        return False
    is_slip = power_of_ten(old.quantity, new.quantity) is not None
    return new.side is not old.side or (is_quantity(part.hypothesis) and not is_slip)


def _lost_fills(problem: Problem, old: Fill, new: Fill | None) -> Iterator[Fill]:
    """Yield the fill that may be lost, with each fee that it may have, at the price that fits it.

    None if hardly any lost fill is of that quantity, or if its price would hardly ever fit. Where
    nothing is paid, one at the price of the other a moment before or after has no trace at all.
    """
    name = problem.postings.position(old)
    known, market = problem.by_symbol.get(name, ()), market_of(problem, name)
    moved = EXACT.subtract(ZERO if new is None else signed_quantity(new), signed_quantity(old))
    side = OrderSide.BUY if moved > 0 else OrderSide.SELL
    if market is None or not moved or not _may_have(problem, old, moved.copy_abs()):
        return
    lost = replace(old, fill_id=MISSING_ID, side=side, quantity=moved.copy_abs())
    is_resized = new is not None and new.side is old.side
    alike = {
        one.price
        for one in known
        if is_resized or (one.side, one.quantity) == (old.side, old.quantity)
    }
    is_free = not old.fee and not is_resized
    if not is_free and not has_few_prices(problem, market, lost, len(alike)):
        return
    paid = paid_in(market.instrument)
    less = EXACT.subtract(old.fee, ZERO if new is None else new.fee)
    own = less if old.charged_in == paid else ZERO
    for fee, currency in _charges(problem, lost):
        made_up = EXACT.add(own, fee) if currency == paid else own
        price = _making_up(market, lost, made_up)
        if price is not None and market.near(price):
            yield replace(lost, price=price, fee=fee, fee_currency=currency or None)


def _charges(problem: Problem, lost: Fill) -> list[tuple[Decimal, str]]:
    """Return the fees that a lost fill may have, with their currencies: none, or at a rate."""
    charges = {(ZERO, lost.charged_in), (lost.fee, lost.charged_in)}
    model = problem.schedules.model(lost)
    if model is not None:
        fees = (model.fee(problem.postings, lost, rate) for rate in model.rates)
        charges |= {(fee, model.currency) for fee in fees}
    return sorted(charges)


def _making_up(market: Market, lost: Fill, fees: Decimal) -> Decimal | None:
    """Return the price on a tick at which a lost fill gains fees, `None` without one.

    `lost` has the price at which it gains nothing. Of an inverse contract the gain is in units of
    its base, by the inverse of the price.
    """
    worth = Fraction(EXACT.multiply(lost.quantity, market.instrument.multiplier))
    gain = Fraction(fees) / worth * (1 if lost.side is OrderSide.SELL else -1)
    at = Fraction(lost.price)
    if market.instrument.instrument_kind is InstrumentKind.INVERSE:
        inverse = 1 / at - gain
        at = 1 / inverse if inverse > 0 else Fraction(0)
    else:
        at += gain
    price = on_tick(at, market.tick_places)
    return price if price > 0 else None


def _may_have(problem: Problem, fill: Fill, quantity: Decimal) -> bool:
    """True if a lost fill may well be of a quantity: usual, of few lots, or leaving nothing held.

    A position that the other side states as 0 may have been closed by it, whatever its size.
    """
    name = problem.postings.position(fill)
    known = problem.by_symbol.get(name, ())
    stated = problem.dimensions.stated(problem.statement_of(problem.owner.other))
    instrument = problem.postings.instruments.get(fill.symbol)
    base = "" if instrument is None else problem.postings.cash(instrument.base, fill.account)
    return (
        has_usual_quantity(problem, fill, quantity)
        or quantity <= few_lots(known)
        or any(
            problem.dimensions.shows(each) and not stated.get(each, ZERO) for each in (name, base)
        )
    )


def has_usual_quantity(problem: Problem, fill: Fill, quantity: Decimal) -> bool:
    """True if another fill of a fill's market has a quantity."""
    others = problem.by_symbol.get(problem.postings.position(fill), ())
    return any(one.quantity == quantity for one in others if one is not fill)


def few_lots(fills: Sequence[Fill]) -> Decimal:
    """Return the quantity of few lots, in the lot of some fills."""
    return EXACT.multiply(common_lot(one.quantity for one in fills), Decimal(_FEW_LOTS))
