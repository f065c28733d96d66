"""Wrong prices: the effect that one balance requires, divided by the quantity of a fill.

A BUY of 2 at 100 in a problem that requires -10.00: at 105 it books them. A fitted price has to
be on a tick, a slip of the pen from the stated one, and near the fills before and after.

Where the rows of both sides differ in a fill whose fee both state, the fee is that of one of the
two figures: if it is the ledger's, the row of the exchange may be the wrong one. So it may if cash
in cents shows neither figure: 0.006242 at 41782.30 and at 41783.30 are 260.81 both.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from functools import reduce
from typing import Final

from recon_core.explain.causes.family import CauseFamily, FieldFault, Rival
from recon_core.explain.causes.rounding import rounded_figure
from recon_core.explain.problem.dimensions import is_cash, is_position, minus
from recon_core.explain.problem.fee_evidence import (
    FeeContradiction,
    charged_again,
    fee_shows,
    off_by_ten,
)
from recon_core.explain.problem.fee_schedule import FeeModel
from recon_core.explain.problem.figures import power_of_ten, slip
from recon_core.explain.problem.hypotheses import Hypothesis, Strength
from recon_core.explain.problem.market import Market, market_of, on_tick, paid_in, ticks_of
from recon_core.explain.problem.patches import Patch
from recon_core.explain.problem.problem import Problem
from recon_core.explain.problem.wording import wrong_number
from recon_core.model import Fill, InstrumentKind, LedgerSide, OrderSide
from recon_core.model.explanation import CauseKind
from recon_core.values.amounts import EXACT, ZERO

_CLOSE: Final = Decimal("1.1")
"""Factor between the right price and that of the fill before or after: markets seldom jump more."""

_OF_A_PRICE: Final = 15
"""Operations for a price that is fitted to one fill at one rate."""

_FAR: Final = Decimal(100_000)
"""Reciprocal of the relative error: a price this near to a power of ten is off by its tick only."""


def _fitted(problem: Problem, _tried: int) -> Iterator[Hypothesis]:
    """Yield the wrong prices with the required effect, if it is of a single balance."""
    cash = [name for name in problem.required if is_cash(name)]
    if len(cash) != 1 or any(map(is_position, problem.required)):
        return
    for name in sorted(problem.by_symbol):
        market = market_of(problem, name)
        if market is None:
            continue
        paid = problem.postings.cash(paid_in(market.instrument), market.fills[0].account)
        if paid == cash[0]:
            yield from _prices_of(problem, market, problem.required[paid])


def _prices_of(problem: Problem, market: Market, required: Decimal) -> Iterator[Hypothesis]:
    for at, fill in enumerate(market.fills):
        if not fill.quantity:
            continue
        rates = (ZERO, *market.rates(fill.side))
        problem.postings.meter.charge(len(rates) * _OF_A_PRICE)
        for rate in rates:
            price = _price_for(market, fill, required, rate)
            price = price if price is None else _exact_power(fill.price, price) or price
            how = None if price is None else slip(*problem.wrong_and_right(fill.price, price))
            if price is None or how is None or not _fits(problem, market, at, price):
                continue
            other = replace(fill, price=price)
            for changed in (other, *charged_again(problem, market, fill, other)):
                patch = Patch((fill,), (changed,))
                if problem.reached_by(patch):
                    strength = (
                        Strength.FITTED
                        if _shows(problem, market, fill, changed)
                        else Strength.CHANCE
                    )
                    yield _with_price(fill, changed, strength, how)


def _exact_power(given: Decimal, price: Decimal) -> Decimal | None:
    """Return the fitted price as the stated one times a power of ten, `None` if it is not near."""
    exponent = price.adjusted() - given.adjusted()
    for power in (exponent - 1, exponent, exponent + 1):
        exact = given.scaleb(power, EXACT)
        off = EXACT.subtract(exact, price).copy_abs()
        if power and EXACT.multiply(off, _FAR) <= price:
            return exact
    return None


def _shows(problem: Problem, market: Market, fill: Fill, other: Fill) -> bool:
    """True if a second fact shows that a price is wrong: its fee, or a power of ten."""
    wrong, right = problem.wrong_and_right(fill, other)
    if fee_shows(problem, market, wrong, right):
        return True
    return power_of_ten(wrong.price, right.price) is not None


def _price_for(market: Market, fill: Fill, required: Decimal, rate: Decimal) -> Decimal | None:
    """Return the price on a tick at which a fill has the required effect, `None` without one."""
    quantity = EXACT.multiply(fill.quantity, market.instrument.multiplier)
    signed = quantity if fill.side is OrderSide.BUY else quantity.copy_negate()
    if market.instrument.instrument_kind is InstrumentKind.INVERSE:
        if not fill.price:
            return None
        inverse = 1 / Fraction(fill.price) + Fraction(required) / Fraction(signed)
        return None if inverse <= 0 else on_tick(1 / inverse, market.tick_places)
    share = EXACT.add(signed, EXACT.multiply(quantity, rate))
    worth = EXACT.subtract(EXACT.multiply(fill.price, share), required)
    if not (worth > 0 < share or worth < 0 > share):
        return None
    count = ticks_of(worth.copy_abs(), share.copy_abs(), market.tick_places)
    return Decimal(count).scaleb(-market.tick_places, EXACT)


def _fits(problem: Problem, market: Market, at: int, price: Decimal) -> bool:
    """True if the right one of the two prices is near that of the fill before or after.

    The wrong one must not be near more of the four fills around: 2520 among prices of 2500 is no
    252 because the fill before is at 252.
    """
    wrong, right = problem.wrong_and_right(market.fills[at].price, price)
    places = (at - 1, at + 1, at - 2, at + 2)
    around = [market.fills[each].price for each in places if 0 <= each < len(market.fills)]
    is_next = len([each for each in places[:2] if 0 <= each < len(market.fills)])
    right_near = [_is_close(right, one) for one in around]
    wrong_near = sum(_is_close(wrong, one) for one in around)
    return any(right_near[:is_next]) and sum(right_near) >= wrong_near


def _is_close(first: Decimal, second: Decimal) -> bool:
    return first <= second * _CLOSE and second <= first * _CLOSE


def _with_price(fill: Fill, other: Fill, strength: Strength, how: str | None) -> Hypothesis:
    return Hypothesis(CauseKind.WRONG_PRICE, Patch((fill,), (other,)), (fill,), strength, how or "")


def _of_a_pair(problem: Problem) -> Iterator[Hypothesis]:
    """Yield every price off by a factor of ten, if the right one is near those of its market."""
    markets: dict[str, Market | None] = {}
    for fill, other, strength, how in off_by_ten(problem, "price"):
        name = problem.postings.position(fill)
        if name not in markets:
            markets[name] = market_of(problem, name)
        market, (_, right) = markets[name], problem.wrong_and_right(fill.price, other.price)
        if market is not None and market.near(right):
            yield _with_price(fill, other, strength, how)


def _by_fee(one: FeeContradiction) -> Iterator[Hypothesis]:
    """Yield the price that the fee of a contradicted row requires, at each known rate.

    A fee on the quantity does not depend on the price, but for inverse contracts.
    """
    inverse = one.market.instrument.instrument_kind is InstrumentKind.INVERSE
    for rate, times in () if one.model.in_base and not inverse else one.factors():
        ratio = 1 / times if inverse else times
        price = on_tick(Fraction(one.fill.price) * ratio, one.market.tick_places)
        other = replace(one.fill, price=price)
        if one.model.fee(one.problem.postings, other, rate) == one.fill.fee:
            yield _with_price(one.fill, other, Strength.EXACT, slip(one.fill.price, price))


def _in_a_row(wrong: Fill, right: Fill) -> FieldFault:
    """Return the fault of the price of a row: a slip, a rounding, or another one."""
    how = slip(wrong.price, right.price)
    rounded = rounded_figure("price", wrong, right) if how is None else None
    return rounded or FieldFault(CauseKind.WRONG_PRICE, how or "")


def _rivals(
    problem: Problem, hypotheses: Sequence[Hypothesis], _max_skew: timedelta
) -> Iterator[Rival]:
    """Yield the wrong row of the exchange, for each fill whose fee is that of the ledger's figure.

    Both sides state this fee, at a rate that fills without a fault have. Or no balance shows which
    of two fees was paid, and the exchange's is odd. Or neither fee nor cash shows the price.
    """
    outer, is_of_ledger = (
        problem.statement_of(LedgerSide.EXTERNAL),
        problem.side is LedgerSide.INTERNAL,
    )
    if outer.fills is None or not is_of_ledger or problem.rows_right:
        return
    usual = _UsualFees(problem, {id(fill) for one in hypotheses for fill in one.patch.removed})
    is_cash_odd = outer.cash is None or "cash" in outer.derived
    for at, one in enumerate(hypotheses):
        patch = one.patch
        if one.strength is not Strength.SHOWN or len(patch.removed) != len(patch.added):
            continue
        pairs = list(zip(patch.removed, patch.added, strict=True))
        is_charged = any(usual.are_both(*pair) for pair in pairs)
        is_odd = is_cash_odd and any(usual.is_odd(*pair) for pair in pairs)
        if is_charged or is_odd or _shows_neither(problem, at, hypotheses, usual):
            turned = replace(patch, removed=patch.added, added=patch.removed)
            wrong = replace(one, patch=turned, rows=patch.added, side=LedgerSide.EXTERNAL)
            yield Rival({at: ()}, wrong, "a second statement of these fills by the external side")


@dataclass(frozen=True)
class _UsualFees:
    """Fees at rates that fills without a fault have; `changed` are the ids of those with one."""

    problem: Problem
    changed: Collection[int]
    _rates: dict[tuple[str, OrderSide], list[Decimal]] = field(default_factory=dict)

    def are_both(self, given: Fill, other: Fill) -> bool:
        """True if a fee that both rows state is that of the given figures, and not of the other."""
        return bool(given.fee) and given.fee == other.fee and self._is_of(given, other)

    def is_odd(self, given: Fill, other: Fill) -> bool:
        """True if the fee of the other row is absent, or at no usual rate as that of the given is.

        It counts where no cash shows which of both was paid: a list without fees may not state
        them, and absent is not zero.
        """
        if not given.fee or given.fee == other.fee:
            return False
        return not other.fee or self._is_of(given, other)

    def _is_of(self, given: Fill, other: Fill) -> bool:
        """True if a row has a usual fee, and the other has none."""
        model, postings = self.problem.schedules.model(given), self.problem.postings
        if model is None:
            return False
        fees = {model.fee(postings, given, rate) for rate in self._rates_of(given, model)}
        return given.fee in fees and not model.is_near(postings, other)

    def _rates_of(self, fill: Fill, model: FeeModel) -> list[Decimal]:
        """Return the rates of a fill's position and side that a fill of its symbol has."""
        key = self.problem.postings.position(fill), fill.side
        if key not in self._rates:
            self._rates[key] = [rate for rate in model.rates if self._is_charged(fill, model, rate)]
        return self._rates[key]

    def _is_charged(self, fill: Fill, model: FeeModel, rate: Decimal) -> bool:
        return any(
            one.fee and model.fee(self.problem.postings, one, rate) == one.fee
            for one in self._of_its_symbol(fill)
            if id(one) not in self.changed
        )

    def _of_its_symbol(self, fill: Fill) -> Iterator[Fill]:
        """Yield a sample of a fill's position, and all fills of its symbol if they are asked for.

        A large table is read once more for these.
        """
        yield from self.problem.schedules.sample(fill)
        yield from self.problem.table.having(symbol=(fill.symbol,))


def _shows_neither(
    problem: Problem, at: int, hypotheses: Sequence[Hypothesis], usual: _UsualFees
) -> bool:
    """True if two prices of a fill post the same amounts, and its fee is not the other price's.

    `at` is the place of its cause among the hypotheses.
    """
    one = hypotheses[at]
    patch = one.patch
    if one.cause_kind is not CauseKind.WRONG_PRICE or len(patch.removed) != 1:
        return False
    given, other = patch.removed[0], patch.added[0]
    if usual.are_both(other, given):
        return False
    if not problem.postings.derivative(given.symbol):
        return problem.postings.fill(given) == problem.postings.fill(other)
    # The price of a position that is open is in no amount yet.
    others = [each.patch for each in (*hypotheses[:at], *hypotheses[at + 1 :])]
    beside = reduce(Patch.joined, others, Patch())
    before = problem.replayed_after(beside) if others else problem
    after = problem.replayed_after(beside.joined(patch))
    if before is None or after is None:
        return False
    return not any(minus(after.exact, before.exact).values())


FAMILY: Final = CauseFamily(
    sentences={CauseKind.WRONG_PRICE: wrong_number("price")},
    fitted=_fitted,
    of_a_pair=_of_a_pair,
    by_fee=_by_fee,
    rivals=_rivals,
    fields={"price": _in_a_row},
)
