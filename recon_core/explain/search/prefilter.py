"""Prefilter for one hypothesis: it compares the quantity and the fee of each fill alone.

An exact hypothesis on one fill changes its position by the quantity, twice the quantity or the fee,
or a balance by the fee, twice or half of it. Two comparisons leave few fills; only these are
compared in every dimension. Example: +2.58 USDT and no position are required; fills with a fee of
1.29, 2.58 or 5.16 USDT pass.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Final, NamedTuple

from recon_core.explain.problem.dimensions import is_cash, is_position
from recon_core.explain.problem.problem import Problem
from recon_core.explain.search.fill_hypotheses import FirstFees
from recon_core.model import Fill
from recon_core.values.amounts import EXACT, ZERO

_HALF: Final = Decimal("0.5")

_TWO: Final = Decimal(2)

_ONE: Final = Decimal(1)

_MOST_CHANGED: Final = 2
"""Balances that a hypothesis on one fee changes at most: the fee leaves one currency and is posted
in another. If more balances are required, no fee alone is at fault."""


class Span(NamedTuple):
    """A closed range of absolute amounts."""

    least: Decimal
    most: Decimal

    @classmethod
    def near(cls, amount: Decimal, allowed: Decimal, factor: Decimal) -> "Span":
        """Return the range of an amount, more or less `allowed`, times `factor`."""
        size = amount.copy_abs()
        least, most = EXACT.subtract(size, allowed), EXACT.add(size, allowed)
        return cls(EXACT.multiply(least, factor), EXACT.multiply(most, factor))

    def has(self, amount: Decimal) -> bool:
        """True if an amount of 0 or more is in the range."""
        return self.least <= amount <= self.most


@dataclass(frozen=True)  # no slots: a cached property keeps its value
class Prefilter:
    """Prefilter of one problem's fills for a single hypothesis with the required effect."""

    problem: Problem

    def places(self) -> list[int]:
        """Return the places of the fills that may have such a hypothesis."""
        found: list[int] = []
        for name, places in self.problem.places.items():
            found += self._of_position(name, places)
        return sorted(found)

    def _of_position(self, name: str, places: Sequence[int]) -> Sequence[int]:
        problem = self.problem
        if name not in problem.dimensions.compared or name in problem.unknown:
            return places
        required = [one for one in problem.required if is_position(one) and self._is_required(one)]
        if any(one != name for one in required):
            return []
        fills = problem.by_symbol[name]
        places_and_fills = zip(places, fills, strict=True)
        if required:
            return list(self._of_quantity(places_and_fills, name))
        return list(self._of_fee(places_and_fills, name))

    def _is_required(self, name: str) -> bool:
        return self.problem.required[name].copy_abs() > self.problem.allowed(name)

    def _of_quantity(
        self, places_and_fills: Iterator[tuple[int, Fill]], name: str
    ) -> Iterator[int]:
        """Yield the places of fills whose quantity or fee matches the required position."""
        problem = self.problem
        required, allowed = problem.required[name].copy_abs(), problem.allowed(name)
        if allowed:
            spans = [Span.near(required, allowed, factor) for factor in (_ONE, _HALF, _TWO)]
            for at, fill in places_and_fills:
                fits = any(span.has(amount) for amount in _amounts(fill) for span in spans)
                if fits or (not fill.fee and self._first_fees.may_be_in(fill)):
                    yield at
            return
        half, two_times = EXACT.multiply(required, _HALF), EXACT.multiply(required, _TWO)
        wanted, base = (required, half), self._base(name)
        more = (required, half, two_times)
        candidates = problem.rows.once(
            ("of quantity", name, wanted, base),
            lambda: [
                (at, fill)
                for at, fill in places_and_fills
                if fill.quantity in wanted or fill.fee <= 0 or fill.fee in wanted
                or fill.fee_currency == base
            ],
        )  # fmt: skip
        for at, fill in candidates:
            fee = fill.fee
            if fill.quantity in wanted or fee in wanted:
                yield at
            elif fee < 0 or fill.fee_currency == base:
                if not fee or any(amount in more for amount in _amounts(fill)):
                    yield at
            elif not fee and self._first_fees.may_be_in(fill, base):
                yield at

    def _base(self, name: str) -> str | None:
        """Return the currency in which a fee changes a position, `None` if it is unknown."""
        first = self.problem.fills[self.problem.places[name][0]]
        instrument = self.problem.postings.instruments.get(first.symbol)
        return None if instrument is None else instrument.base

    @cached_property
    def _first_fees(self) -> FirstFees:
        return FirstFees(self.problem)

    def _of_fee(self, places_and_fills: Iterator[tuple[int, Fill]], name: str) -> Iterator[int]:
        """Yield the places of fills whose fee matches a required balance."""
        problem = self.problem
        required = [one for one in problem.required if is_cash(one) and self._is_required(one)]
        if len(required) > _MOST_CHANGED:
            return
        if not required:
            yield from (at for at, _ in places_and_fills)
            return
        cash = required[0]
        units = map(problem.postings.resolution, problem.recorded.currencies)
        margin = EXACT.add(problem.allowed(cash), EXACT.multiply(max(units, default=ZERO), _TWO))
        factors = (_HALF, _ONE, _TWO)
        spans = [Span.near(problem.required[cash], margin, factor) for factor in factors]
        # Compared in place: a call for each fill is what this search would take.
        (low, half), (less, more), (two_times, high) = spans
        nothing, base = EXACT.multiply(problem.allowed(name), _TWO), self._base(name)
        for at, fill in places_and_fills:
            fee = fill.fee if fill.fee >= 0 else fill.fee.copy_abs()
            if fill.quantity <= nothing:
                yield at
            elif fee:
                is_all = fill.fee_currency == base and _difference(fill.quantity, fee) <= nothing
                if is_all or low <= fee <= half or less <= fee <= more or two_times <= fee <= high:
                    yield at
            elif self._first_fees.may_be_in(fill):
                yield at


def _difference(one: Decimal, other: Decimal) -> Decimal:
    return EXACT.subtract(one, other).copy_abs()


def _amounts(fill: Fill) -> tuple[Decimal, ...]:
    """Return the amounts of a fill that may match a required position, or its half or double."""
    fee, quantity = fill.fee.copy_abs(), fill.quantity
    more, less = EXACT.add(quantity, fee), EXACT.subtract(quantity, fee)
    return (quantity, fee, more, less.copy_abs())
