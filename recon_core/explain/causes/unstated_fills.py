"""Fills that no row states: quantity from the position or an order, price from the cash.

A position that requires +2 and a balance that requires -200.2, at a rate of 0.1 %, give a BUY of
2 at 100. The price must be the only tick that fits to the last digit, near the other prices; the
quantity has the decimals of the other fills, and the fee is at their rate. For derivatives the
order gives time, side and quantity; cash in the end is then linear in the price (of inverse
contracts in 1 / price): two replays fit the line, a third proves the price.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Final

from recon_core.explain.budget import OF_A_REPLAY, Budget
from recon_core.explain.causes.family import CauseFamily, Rival
from recon_core.explain.causes.fee_currency import is_about, share_of
from recon_core.explain.problem.chances import at_next_ticks, is_any_price
from recon_core.explain.problem.dimensions import is_order
from recon_core.explain.problem.fee_schedule import FeeModel
from recon_core.explain.problem.figures import power_of_ten
from recon_core.explain.problem.hypotheses import MISSING_ID, Hypothesis, Strength
from recon_core.explain.problem.market import Market, are_charged, market_of, on_tick, paid_in
from recon_core.explain.problem.patches import Patch
from recon_core.explain.problem.postings import may_lack
from recon_core.explain.problem.problem import FaultIn, Problem
from recon_core.model import Fill, InstrumentKind, Order, OrderSide
from recon_core.model.explanation import CauseKind
from recon_core.values.amounts import EXACT, ZERO, decimal_places, exact_sum, shortest, unit_at

_FAR: Final = Decimal(10)
"""Times that a fill is larger than the fills of one rate: a least fee is a rate of small ones."""

_NEAR: Final = Decimal(10)
"""Reciprocal of the distance, as a fraction, between fees that are about one rate."""

_PRICE_FACTOR: Final = Decimal("1.25")
"""Factor between the two prices of the line: nearer, rounded PnL would tilt the line."""

_UNITS_OF_A_TICK: Final = 50
"""Currency units in a tick: random cash then fits a price less than once in 50."""

_REPLAYS: Final = 3
"""Replays for each rate: two fit the line, the third proves the price."""


_KINDS: Final = {
    FaultIn.ROWS: CauseKind.MISSING_FILL,
    FaultIn.STATEMENT: CauseKind.ORPHAN_FILL,
}
"""A fill that is not in a side's rows is missing; a fill only in its statement is an orphan."""


def _fitted(problem: Problem, tried: int) -> Iterator[Hypothesis]:
    """Yield the fills that have the required effect; prices of floats may be off the tick."""
    for market, required in _markets(problem):
        finer = market.with_more_places() if problem.dimensions.dust else ()
        found = (list(_of_market(problem, one, required, tried)) for one in (market, *finer))
        yield from next(filter(None, found), ())


def at_any_price(problem: Problem) -> Iterator[Hypothesis]:
    """Yield a fill that has the required effect; almost always one has, so it proves nothing."""
    for market, required in _markets(problem):
        yield from _of_market(problem, market, required, 1, any_price=True)


def _markets(problem: Problem) -> Iterator[tuple[Market, Decimal]]:
    """Yield the markets that one more fill could be of, each with the quantity."""
    for name, required in problem.moved:
        market = market_of(problem, name)
        if market is not None:
            yield market, required


def _of_market(
    problem: Problem, market: Market, required: Decimal, tried: int, *, any_price: bool = False
) -> Iterator[Hypothesis]:
    """Yield the fills, stated by no row, that have the required effect.

    `any_price` yields instead the fills whose price could fit any amount of cash.
    """
    for fill in dict.fromkeys(_unknown_fills(problem, market, required)):
        patch = Patch(added=(fill,))
        if not problem.reached_by(patch):
            continue
        is_one_of_many = any(
            problem.reached_by(Patch(added=(other,))) for other in at_next_ticks(market, fill)
        )
        if is_one_of_many and not any_price:
            continue
        kind = _KINDS[problem.fault_in]
        if is_one_of_many or is_any_price(problem, market, fill, tried) is any_price:
            # The PnL of a derivative's fill depends on its time, which no row states.
            timed = fill.client_order_id is not None or not problem.postings.derivative(fill.symbol)
            is_fitted = timed and not any_price and not _is_doubtful(problem, market, fill)
            yield Hypothesis(
                kind, patch, (fill,), Strength.FITTED if is_fitted else Strength.CHANCE
            )


def _is_doubtful(problem: Problem, market: Market, fill: Fill) -> bool:
    """True if another cause has the amounts of a fill, or its fee is not that of its market."""
    return (
        (not fill.fee and are_charged(market.fills))
        or _is_at_the_rate_of_small_fills(problem, market, fill)
        or _is_paid_in_fees(problem, fill, paid_in(market.instrument))
    )


def _is_at_the_rate_of_small_fills(problem: Problem, market: Market, fill: Fill) -> bool:
    """True if only far smaller fills, or one of several, pay so much of their worth.

    Theirs may be the least fee of any order, and so no rate.
    """
    if not fill.fee:
        return False
    alike, has_large = 0, False
    unit = problem.postings.fee_unit(fill.charged_in)
    for one in market.fills:
        if one.fee and _is_near_its_rate(one, fill, unit):
            alike += 1
            has_large = has_large or EXACT.multiply(_worth(one), _FAR) >= _worth(fill)
            if has_large and alike > 1:  # as nearly always, and soon
                return False
    is_single = alike == 1 and sum(bool(one.fee) for one in market.fills) > 1
    return is_single or (bool(alike) and not has_large)


def _is_of_a_rate(market: Market, fill: Fill) -> bool:
    """True if a fill of another worth pays the same rate: the fee is then no flat one.

    Of an open position no cash shows the price, and a fee that is the same for any fill does not.
    """
    return any(
        one.fee and _worth(one) != _worth(fill) and _is_near_its_rate(one, fill, ZERO)
        for one in market.fills
    )


def _is_near_its_rate(one: Fill, fill: Fill, unit: Decimal) -> bool:
    """True if a fee is about the same share of its worth as the fee of a fill, or is so rounded."""
    own = EXACT.multiply(fill.fee, _worth(one))
    off = EXACT.subtract(EXACT.multiply(one.fee, _worth(fill)), own).copy_abs()
    is_rounded = off < EXACT.multiply(unit, _worth(one))
    return is_rounded or EXACT.multiply(off, _NEAR) <= own.copy_abs()


def _worth(fill: Fill) -> Decimal:
    return EXACT.multiply(fill.quantity, fill.price)


def _is_paid_in_fees(problem: Problem, fill: Fill, currency: str) -> bool:
    """True if the cash of an unstated fill is that of the fees of all fills, or of other symbols.

    A venue that takes its fees in the asset looks like a sale of it for what the fees were booked.
    """
    cash = problem.postings.cash(currency, fill.account)
    required = problem.required.get(cash, ZERO).copy_abs()
    is_single = problem.rows.symbols == {fill.symbol}
    others = () if is_single else [one for one in problem.fills if one.symbol != fill.symbol]
    return bool(required) and any(
        problem.postings.fees(some).get(cash, ZERO).copy_abs() == required
        for some in filter(None, (problem.fills, others))
        if _is_near_fees(problem, some, currency, required)
    )


def _is_near_fees(
    problem: Problem, fills: Sequence[Fill], currency: str, required: Decimal
) -> bool:
    """True if the fees in a currency sum to an amount, but for the rounding of each.

    One sum is taken first: the effect rounds the fee of each fill.
    """
    if len(problem.rows.accounts) > 1:
        return True
    total = exact_sum([fill.fee for fill in fills if fill.fee_currency == currency])
    off = EXACT.subtract(total.copy_abs(), required).copy_abs()
    return off <= EXACT.multiply(problem.postings.fee_unit(currency), Decimal(len(fills)))


def _unknown_fills(problem: Problem, market: Market, required: Decimal) -> Iterator[Fill]:
    side = OrderSide.BUY if required > 0 else OrderSide.SELL
    pattern, model = market.fills[-1], market.models[side]
    paid = paid_in(market.instrument)
    cash = problem.postings.cash(paid, pattern.account)
    if cash not in problem.dimensions.compared or cash in problem.unknown:
        return
    left = problem.required.get(cash, ZERO)
    in_base = model is not None and model.in_base
    in_cash = model is not None and model.currency == paid and not in_base
    fixed = model.fixed if model is not None and in_cash else ZERO
    for rate in (ZERO,) if model is None else model.rates:
        if abs(rate) >= 1:
            continue
        quantity = (
            _before_fee(required.copy_abs(), side, rate, market) if in_base else required.copy_abs()
        )
        quantity = market.without_dust(quantity, problem.dimensions.dust)
        if not market.has_lots_of(decimal_places(shortest(quantity))):
            continue
        of_cash = rate if in_cash else ZERO
        price = _price_paid(market, side, quantity, EXACT.add(left, fixed), of_cash)
        if price is None or not market.near(price):
            continue
        bare = replace(_unknown(problem, pattern, side), quantity=quantity, price=price)
        if model is None:
            yield from _charged_otherwise(problem, market, bare)
            yield replace(bare, fee_currency=None)
        else:
            yield replace(bare, fee=model.fee(problem.postings, bare, rate),
                          fee_currency=model.currency)  # fmt: skip


def _charged_otherwise(problem: Problem, market: Market, bare: Fill) -> Iterator[Fill]:
    """Yield the fill with the fee that a third currency requires, if most fees are in it."""
    traded = {market.instrument.base, market.instrument.quote, market.instrument.settlement}
    charged: dict[str, list[Fill]] = {}
    for fill in market.fills:
        if fill.fee:
            charged.setdefault(fill.charged_in, []).append(fill)
    for currency, others in charged.items():
        if currency in traded or len(others) * 2 <= len(market.fills):
            continue
        cash = problem.postings.cash(currency, bare.account)
        fee = problem.required.get(cash, ZERO).copy_negate()
        other = replace(bare, fee=fee, fee_currency=currency)
        if is_about(share_of(other), others):
            yield other


def _unknown(problem: Problem, pattern: Fill, side: OrderSide) -> Fill:
    """Return a fill without id and fee, with the time and ids of an incomplete order."""
    order = incomplete_order(problem, pattern.symbol, side)
    return replace(
        pattern,
        fill_id=MISSING_ID,
        side=side,
        fee=ZERO,
        time=pattern.time if order is None else order.time,
        client_order_id=None if order is None else order.client_order_id,
        exchange_order_id=None if order is None else order.exchange_order_id,
    )


def incomplete_order(problem: Problem, symbol: str, side: OrderSide) -> Order | None:
    """Return the only order that lacks a fill, `None` if its symbol or side differs."""
    names = [name for name in problem.required if is_order(name)]
    order = problem.orders.get(names[0]) if len(names) == 1 else None
    if order is None or not may_lack(order, problem.required[names[0]]):
        return None
    return order if (order.symbol, order.side) == (symbol, side) else None


def _before_fee(required: Decimal, side: OrderSide, rate: Decimal, market: Market) -> Decimal:
    """Return the quantity that leaves the required quantity after a fee in the base currency."""
    share = 1 - Fraction(rate) if side is OrderSide.BUY else 1 + Fraction(rate)
    return on_tick(Fraction(required) / share, market.lot_places)


def _price_paid(
    market: Market, side: OrderSide, quantity: Decimal, required: Decimal, rate: Decimal
) -> Decimal | None:
    worth = Fraction(quantity) * Fraction(market.instrument.multiplier)
    if not worth:
        return None
    sign = 1 if side is OrderSide.BUY else -1
    if market.instrument.instrument_kind is InstrumentKind.INVERSE:
        inverse = Fraction(required) / (worth * (sign - Fraction(rate)))
        return None if inverse <= 0 else on_tick(1 / inverse, market.tick_places)
    price = -Fraction(required) / (worth * (sign + Fraction(rate)))
    return None if price <= 0 else on_tick(price, market.tick_places)


def replayed_fills(problem: Problem, budget: Budget) -> Iterator[Hypothesis]:
    """Yield the derivative's fill that completes the only differing order, if nothing else differs.

    Raises `BudgetError` if the budget ends first.
    """
    name = problem.only_position
    market = None if name is None else market_of(problem, name)
    if (
        name is None
        or market is None
        or problem.fault_in is FaultIn.STATEMENT
        or not problem.postings.derivative(market.fills[0].symbol)
    ):
        return
    required, pattern = problem.required[name], market.fills[-1]
    side = OrderSide.BUY if required > 0 else OrderSide.SELL
    order = incomplete_order(problem, pattern.symbol, side)
    if order is None or not may_lack(order, required):
        return
    model = market.models[side]
    for rate in (ZERO,) if model is None else model.rates:
        budget.spend(len(problem.fills) * OF_A_REPLAY * _REPLAYS)
        line = _Line(problem, market, _bare(pattern, order, required.copy_abs()), model, rate)
        yield from line.hypotheses()


def _bare(pattern: Fill, order: Order, quantity: Decimal) -> Fill:
    return replace(
        pattern,
        fill_id=MISSING_ID,
        side=order.side,
        quantity=quantity,
        time=order.time,
        client_order_id=order.client_order_id,
        exchange_order_id=order.exchange_order_id,
    )


@dataclass(frozen=True, slots=True)
class _Line:
    """The residual cash of a problem with one more fill, as a line in the fill's price."""

    problem: Problem
    market: Market
    bare: Fill
    model: FeeModel | None
    rate: Decimal

    def hypotheses(self) -> Iterator[Hypothesis]:
        """Yield the fill at the price that leaves no residual."""
        first = self.bare.price
        second = on_tick(Fraction(first) * Fraction(_PRICE_FACTOR), self.market.tick_places)
        left, other = self._left(first), self._left(second)
        if left is None or other is None or left == other:
            return
        slope = (Fraction(other) - Fraction(left)) / (self._measure(second) - self._measure(first))
        root = self._measure(first) - Fraction(left) / slope
        if root <= 0:
            return
        price = on_tick(1 / root if self._is_inverse else root, self.market.tick_places)
        patch = Patch(added=(self._at(price),))
        after = self.problem.replayed_after(patch) if price > 0 else None
        if after is not None and not after.required and self.market.near(price):
            fees = EXACT.subtract(self._at(second).fee, self._at(first).fee).copy_abs()
            is_by_fee = fees == EXACT.subtract(other, left).copy_abs()
            is_shown = not is_by_fee or _is_of_a_rate(self.market, self._at(price))
            is_fitted = is_shown and self._is_significant(slope, price)
            strength = Strength.FITTED if is_fitted else Strength.CHANCE
            yield Hypothesis(CauseKind.MISSING_FILL, patch, patch.added, strength)

    @property
    def _is_inverse(self) -> bool:
        return self.market.instrument.instrument_kind is InstrumentKind.INVERSE

    def _measure(self, price: Decimal) -> Fraction:
        """Return the variable in which the cash is linear: the price, or its inverse."""
        return 1 / Fraction(price) if self._is_inverse else Fraction(price)

    def _is_significant(self, slope: Fraction, price: Decimal) -> bool:
        """True if a tick is worth so much that random cash rarely fits a price."""
        tick = unit_at(self.market.tick_places)
        step = self._measure(EXACT.add(price, tick)) - self._measure(price)
        unit = self.problem.postings.resolution(paid_in(self.market.instrument))
        return abs(slope * step) > _UNITS_OF_A_TICK * Fraction(unit)

    def _left(self, price: Decimal) -> Decimal | None:
        """Return the residual cash with the fill at a price, `None` if it cannot be booked."""
        fill = self._at(price)
        after = self.problem.replayed_after(Patch(added=(fill,)))
        cash = self.problem.postings.cash(paid_in(self.market.instrument), fill.account)
        return None if after is None else after.exact.get(cash, ZERO)

    def _at(self, price: Decimal) -> Fill:
        fill = replace(self.bare, price=price, fee=ZERO, fee_currency=None)
        if self.model is None:
            return fill
        fee = self.model.fee(self.problem.postings, fill, self.rate)
        return replace(fill, fee=fee, fee_currency=self.model.currency)


def _rivals(
    problem: Problem, hypotheses: Sequence[Hypothesis], _max_skew: timedelta
) -> Iterator[Rival]:
    """Yield a missing fill at the price of a fill that would be larger, where no fee shows it.

    At a rate each of two fills has a fee of its own; a fee of the order is there once.
    """
    if problem.statement_of(problem.owner.other).fills is not None:
        return
    for at, one in enumerate(hypotheses):
        if one.cause_kind is not CauseKind.WRONG_QUANTITY:
            continue
        (old,), (new,) = one.patch.removed, one.patch.added
        more = EXACT.subtract(new.quantity, old.quantity)
        model, is_slip = problem.schedules.model(new), power_of_ten(old.quantity, new.quantity)
        others = problem.by_symbol.get(problem.postings.position(new), ())
        is_flat = model is None or not any(model.rates) or not all(fill.fee for fill in others)
        is_free = new.fee == old.fee and is_flat
        if problem.fault_in is FaultIn.ROWS and more > 0 and is_free and not is_slip:
            fill = replace(_unknown(problem, new, new.side), quantity=more)
            lacking = Hypothesis(CauseKind.MISSING_FILL, Patch(added=(fill,)), (fill,))
            yield Rival({at: ()}, replace(lacking, side=problem.side), "")


FAMILY: Final = CauseFamily(sentences={}, fitted=_fitted, rivals=_rivals)
