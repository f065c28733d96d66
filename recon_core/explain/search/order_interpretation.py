"""Interpretations of orders whose fills do not sum to the filled quantity of their report.

Each disagreeing order has a fault of its own, so many faults are found without a search. An order
has a few interpretations; combinations of them are tested against the whole required effect.
Example: a BUY has filled 3 BTC, its two fills of 1 BTC sum to 2, so +1 BTC is required. Either a
fill of 1 BTC is missing, or the first fill is of 2 BTC, or the second is; cash shows which.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from itertools import filterfalse, islice, product
from typing import Final

from recon_core.explain.budget import OF_AN_INTERPRETATION, Budget
from recon_core.explain.causes import precedence
from recon_core.explain.causes.cumulative import misread_order
from recon_core.explain.causes.fills import are_missing, missing, removed
from recon_core.explain.causes.precedence import is_quantity
from recon_core.explain.causes.quantity import of_order
from recon_core.explain.causes.side import flip
from recon_core.explain.causes.stale import of_missing_fills
from recon_core.explain.problem.dimensions import Vector, add_to, is_order
from recon_core.explain.problem.fee_evidence import with_changed_fees
from recon_core.explain.problem.hypotheses import MISSING_ID, Hypothesis, Strength
from recon_core.explain.problem.market import are_charged
from recon_core.explain.problem.open_positions import BalancePatch
from recon_core.explain.problem.postings import may_lack, order_name
from recon_core.explain.problem.problem import FaultIn, Problem
from recon_core.explain.search.fill_hypotheses import FillHypotheses
from recon_core.explain.search.pair_faults import unit_or_rounding
from recon_core.ledger.bookings import signed_quantity
from recon_core.model import Fill, Order
from recon_core.values.amounts import (
    EXACT,
    decimal_places,
    exact_sum,
    round_to_places,
    shortest_places,
)

_MOST_INTERPRETATIONS: Final = 64
"""Combinations of interpretations that are tested after the uniform ones. Their number grows
exponentially: 64 are all combinations of six orders with two interpretations each. Each costs
`OF_AN_INTERPRETATION` operations per order."""

_PRICE_PLACES: Final = 12
"""Decimals that a fitted price, an exact fraction, keeps before it is rounded to the decimals of
the order's fills. The price of a fill with more decimals is not found."""


@dataclass
class _Effects:
    """Effects of hypotheses on different rows: each is computed once, and combinations add up."""

    problem: Problem
    _vectors: dict[int, Vector] = field(default_factory=dict)
    _balances: dict[tuple[int, str], BalancePatch] = field(default_factory=dict)

    def reach(self, chosen: Sequence[Hypothesis]) -> bool:
        """True if hypotheses together have the required effect, as `Problem.reached_by`."""
        total: dict[str, Decimal] = {}
        for one in chosen:
            for name, amount in self._vector(one).items():
                add_to(total, name, amount)
        if not self.problem.reached_by_effect(total):
            return False
        names = self.problem.settlement_balances
        balances = {name: [self._balance(one, name) for one in chosen] for name in names}
        return self.problem.largest_steps_off(balances) == 0

    def _vector(self, hypothesis: Hypothesis) -> Vector:
        found = self._vectors.get(id(hypothesis))
        if found is None:
            found = hypothesis.patch.vector(self.problem.postings)
            self._vectors[id(hypothesis)] = found
        return found

    def _balance(self, hypothesis: Hypothesis, name: str) -> BalancePatch:
        key = id(hypothesis), name
        if key not in self._balances:
            self._balances[key] = self.problem.balance_patch(hypothesis.patch, name)
        return self._balances[key]


@dataclass
class OrderInterpretation:
    """Interpretations of the disagreeing orders of one problem whose rows are at fault."""

    problem: Problem
    hypotheses: FillHypotheses
    budget: Budget
    max_skew: timedelta = timedelta()

    def interpretations(self) -> Iterator[tuple[Hypothesis, ...]]:
        """Yield hypotheses on all disagreeing orders that together have the required effect."""
        differing = {name for name in self.problem.required if is_order(name)}
        if not differing or self.problem.fault_in is FaultIn.STATEMENT:
            return
        fills = self._fills_of(differing)
        options = [list(self._of_order(name, fills.get(name, []))) for name in sorted(differing)]
        effects = _Effects(self.problem)
        for chosen in (*_uniform(options), *islice(product(*options), _MOST_INTERPRETATIONS)):
            self.budget.spend(len(chosen) * OF_AN_INTERPRETATION)
            if effects.reach(chosen):
                yield self._as_stale_side(chosen) or self._as_one(chosen) or chosen

    def _as_stale_side(self, chosen: Sequence[Hypothesis]) -> tuple[Hypothesis] | None:
        """Return a stale-side hypothesis if several fills are missing after the side's last."""
        if not are_missing(chosen):
            return None
        added = [fill for hypothesis in chosen for fill in hypothesis.patch.added]
        first = min(fill.time for fill in added)
        last = self.problem.fills[-1].time if self.problem.fills else first
        if len(added) < 2 or first <= last:  # noqa: PLR2004  # one is lost
            return None
        return (of_missing_fills(self.problem, added, last, self.max_skew),)

    def _as_one(self, chosen: Sequence[Hypothesis]) -> tuple[Hypothesis, ...] | None:
        """Return the hypotheses with all wrong quantities as one unit or rounding fault."""
        wrong = list(filter(is_quantity, chosen))
        pairs = [(hypothesis.patch.removed[0], hypothesis.patch.added[0]) for hypothesis in wrong]
        if len(pairs) < 2:  # noqa: PLR2004  # one is not systematic
            return None
        symbols = {wrong.symbol for wrong, _ in pairs}
        fills = [fill for fill in self.problem.fills if fill.symbol in symbols]
        hypothesis = unit_or_rounding(pairs, fills)
        if hypothesis is None:
            return None
        return (hypothesis, *filterfalse(is_quantity, chosen))

    def of_each_order(self) -> list[Hypothesis]:
        """Return the interpretations of each order alone, for faults combined with other faults."""
        differing = {name for name in self.problem.required if is_order(name)}
        if self.problem.fault_in is FaultIn.STATEMENT or not differing:
            return []
        fills = self._fills_of(differing)
        return [
            hypothesis
            for name in sorted(differing)
            for hypothesis in self._of_order(name, fills.get(name, []))
            if precedence.may_be_of_a_pair(hypothesis)
        ]

    def _fills_of(self, names: set[str]) -> dict[str, list[Fill]]:
        found: dict[str, list[Fill]] = {}
        for fill in self.problem.fills:
            name = order_name(fill)
            if name in names:
                found.setdefault(name, []).append(fill)
        return found

    def _of_order(self, name: str, fills: list[Fill]) -> Iterator[Hypothesis]:
        """Yield the interpretations of one order, the likeliest first."""
        required, order = self.problem.required[name], self.problem.orders.get(name)
        wrong = [fill for fill in fills if signed_quantity(fill) == required.copy_negate()]
        wrong.sort(key=lambda fill: not self.hypotheses.copies.is_duplicate(fill))
        for fill in wrong:
            hypothesis = removed(self.problem, self.hypotheses.copies, fill)
            yield replace(hypothesis, strength=Strength.SHOWN)
        for fill in fills:
            if EXACT.multiply(signed_quantity(fill), Decimal(-2)) == required:
                yield flip(self.problem, fill, Strength.SHOWN)
        if order is None:
            return
        yield from self._missing(order, required, fills)
        cumulative = misread_order(self.problem, fills, required)
        if cumulative is not None:
            yield cumulative
            charged = with_changed_fees(self.problem, cumulative)
            yield from () if charged is None else (charged,)
        for fill in fills:
            for hypothesis in of_order(self.problem, fill, required):
                yield _by_average(order, fills, hypothesis)

    def _missing(self, order: Order, required: Decimal, fills: list[Fill]) -> Iterator[Hypothesis]:
        """Yield the missing fill of an order, at the price that the order's average implies.

        Without an average, at the prices of the order's other fills.
        """
        if not may_lack(order, required):
            return
        for price in _missing_prices(order, required.copy_abs(), fills):
            yield from self._missing_at(price, order, required, fills)

    def _missing_at(
        self, price: Decimal, order: Order, required: Decimal, fills: list[Fill]
    ) -> Iterator[Hypothesis]:
        known = fills or [fill for fill in self.problem.fills if fill.symbol == order.symbol]
        bare = Fill(
            fill_id=MISSING_ID,
            symbol=order.symbol,
            side=order.side,
            quantity=required.copy_abs(),
            price=price,
            time=order.time,
            client_order_id=order.client_order_id,
            exchange_order_id=order.exchange_order_id,
            account=known[0].account if known else order.account,
        )
        for pattern in {fill.leg: fill for fill in reversed(known)}.values():
            yield from self._as_others(
                replace(bare, leg=pattern.leg, position_id=pattern.position_id)
            )
        if not known:
            yield from self._as_others(bare)

    def _as_others(self, bare: Fill) -> Iterator[Hypothesis]:
        """Yield a missing fill with the fee of each known rate, and without a fee."""
        charged = list(self._with_fees(bare))
        is_odd = self.problem.postings.position(bare) in self._charged
        for fill in charged:
            strength = Strength.CHANCE if is_odd else Strength.FITTED
            is_free = fill is bare and (is_odd or len(charged) > 1)
            yield missing(fill, strength if is_free else Strength.SHOWN)

    @cached_property
    def _charged(self) -> frozenset[str]:
        """Positions whose fills have fees: one without a fee would be odd there."""
        fills = self.problem.by_symbol.items()
        return frozenset(name for name, of_symbol in fills if are_charged(of_symbol))

    def _with_fees(self, bare: Fill) -> Iterator[Fill]:
        known = self.problem.postings.position(bare) in self.problem.by_symbol
        model = self.problem.schedules.model(bare) if known else None
        if model is not None:
            for rate in model.rates:
                fee = model.fee(self.problem.postings, bare, rate)
                yield replace(bare, fee=fee, fee_currency=model.currency)
        yield bare


def _uniform(options: Sequence[Sequence[Hypothesis]]) -> Iterator[tuple[Hypothesis, ...]]:
    """Yield the first interpretation of every order, the second of every order, and so on."""
    if all(options):
        for at in range(max(map(len, options))):
            yield tuple(each[min(at, len(each) - 1)] for each in options)


def _by_average(order: Order, fills: Sequence[Fill], hypothesis: Hypothesis) -> Hypothesis:
    """Return the hypothesis, a chance if the order's average price contradicts its quantity.

    The average may be rounded to a tick of the fills.
    """
    average = order.average_fill_price
    if average is None:
        return hypothesis
    removed = set(map(id, hypothesis.patch.removed))
    after = [*(fill for fill in fills if id(fill) not in removed), *hypothesis.patch.added]
    quantity = exact_sum(fill.quantity for fill in after)
    paid = exact_sum(EXACT.multiply(fill.quantity, fill.price) for fill in after)
    places = min(map(decimal_places, (average, *(fill.price for fill in fills))))
    off = abs(Fraction(paid) - Fraction(average) * Fraction(quantity))
    is_near = off <= Fraction(quantity) / 10**places
    return hypothesis if is_near else replace(hypothesis, strength=Strength.CHANCE)


def _missing_prices(order: Order, missing: Decimal, fills: list[Fill]) -> Iterable[Decimal]:
    """Return the price at which a missing quantity gives the order's average price.

    None if no price above 0 does. The prices of the order's fills if its average is not stated.
    """
    average = order.average_fill_price
    if average is None:
        return dict.fromkeys(fill.price for fill in fills)
    if not fills:
        return (average,)
    paid = exact_sum(EXACT.multiply(fill.quantity, fill.price) for fill in fills)
    total = EXACT.multiply(average, order.filled_quantity)
    price = Fraction(EXACT.subtract(total, paid)) / Fraction(missing)
    if price <= 0:
        return ()
    rounded = Decimal(round(price * 10**_PRICE_PLACES)).scaleb(-_PRICE_PLACES, EXACT)
    return (round_to_places(rounded, max(shortest_places(fill.price) for fill in fills)),)
