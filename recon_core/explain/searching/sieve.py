"""Which fills can have an edit that is needed, by quantity and fee alone.

Every edit of one fill without a free number changes its position by its quantity, twice its
quantity or its fee, or a balance by its fee, twice or half of it. Comparing two numbers
leaves few fills; only these are looked at in every dimension.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, NamedTuple

from recon_core.amounts import EXACT, ZERO
from recon_core.explain.effects.space import is_cash, is_position
from recon_core.explain.faults.fill_edits import FillEdits
from recon_core.explain.grounds.ground import Ground
from recon_core.model import Fill

_HALF: Final = Decimal("0.5")
_TWO: Final = Decimal(2)
_ONE: Final = Decimal(1)
_MOST_CHANGED: Final = 2


class Span(NamedTuple):
    """Amounts from `least` to `most`; of several, whichever sign they have."""

    least: Decimal
    most: Decimal

    @classmethod
    def around(cls, amount: Decimal, allowed: Decimal, factor: Decimal) -> "Span":
        """The multiple of an amount, give or take what is allowed."""
        size = amount.copy_abs()
        least, most = EXACT.subtract(size, allowed), EXACT.add(size, allowed)
        return cls(EXACT.multiply(least, factor), EXACT.multiply(most, factor))

    def has(self, amount: Decimal) -> bool:
        """Whether an amount that is not negative is one of them."""
        return self.least <= amount <= self.most


@dataclass(frozen=True, slots=True)
class Sieve:
    """Sieves the fills of one ground for edits that alone are what it needs."""

    ground: Ground
    edits: FillEdits

    def places(self) -> list[int]:
        """The places, among the ground's fills, of those that can have such an edit."""
        found: list[int] = []
        for name, places in self.ground.places.items():
            found += self._of_position(name, places)
        return sorted(found)

    def _of_position(self, name: str, places: Sequence[int]) -> Sequence[int]:
        ground = self.ground
        if name not in ground.space.compared or name in ground.unknown:
            return places
        needed = [one for one in ground.need if is_position(one) and self._is_needed(one)]
        if any(one != name for one in needed):
            return []
        fills = ground.by_symbol[name]
        some = zip(places, fills, strict=True)
        if needed:
            return list(self._of_quantity(some, name))
        return list(self._of_fee(some, name))

    def _is_needed(self, name: str) -> bool:
        return self.ground.need[name].copy_abs() > self.ground.allowed(name)

    def _of_quantity(self, some: Iterator[tuple[int, Fill]], name: str) -> Iterator[int]:
        """Fills whose quantity or fee is what the position needs."""
        ground = self.ground
        need, allowed = ground.need[name].copy_abs(), ground.allowed(name)
        if allowed:
            spans = [Span.around(need, allowed, factor) for factor in (_ONE, _HALF, _TWO)]
            for at, fill in some:
                fits = any(span.has(amount) for amount in _amounts(fill) for span in spans)
                if fits or (not fill.fee and self._is_charged(fill)):
                    yield at
            return
        half, twice = EXACT.multiply(need, _HALF), EXACT.multiply(need, _TWO)
        wanted, base = (need, half), self._base(name)
        more = (need, half, twice)
        likely = [
            (at, fill)
            for at, fill in some
            if fill.quantity in wanted or fill.fee <= 0 or fill.fee in wanted
            or fill.fee_currency == base
        ]  # fmt: skip
        for at, fill in likely:
            fee = fill.fee
            if fill.quantity in wanted or fee in wanted:
                yield at
            elif fee < 0 or fill.fee_currency == base:
                if not fee or any(amount in more for amount in _amounts(fill)):
                    yield at
            elif not fee and self._is_charged(fill, base):
                yield at

    def _base(self, name: str) -> str | None:
        """The currency whose fees change a position."""
        first = self.ground.fills[self.ground.places[name][0]]
        instrument = self.ground.bookings.instruments.get(first.symbol)
        return None if instrument is None else instrument.base

    def _is_charged(self, fill: Fill, currency: str | None = None) -> bool:
        """Whether the others of a fill without a fee have one, in the currency if one is given."""
        if self.ground.rows_right:
            return False
        model = self.edits.model(fill)
        return model is not None and bool(model.rates) and currency in (None, model.currency)

    def _of_fee(self, some: Iterator[tuple[int, Fill]], name: str) -> Iterator[int]:
        """Fills whose fee is what a balance needs."""
        ground = self.ground
        needed = [one for one in ground.need if is_cash(one) and self._is_needed(one)]
        if len(needed) > _MOST_CHANGED:
            return
        if not needed:
            yield from (at for at, _ in some)
            return
        cash = needed[0]
        units = map(ground.bookings.resolution, ground.recorded.currencies)
        slack = EXACT.add(ground.allowed(cash), EXACT.multiply(max(units, default=ZERO), _TWO))
        factors = (_HALF, _ONE, _TWO)
        spans = [Span.around(ground.need[cash], slack, factor) for factor in factors]
        (low, _), (_, high) = spans[0], spans[-1]
        nothing, base = EXACT.multiply(ground.allowed(name), _TWO), self._base(name)
        for at, fill in some:
            fee = fill.fee if fill.fee >= 0 else fill.fee.copy_abs()
            if fill.quantity <= nothing:
                yield at
            elif fee:
                is_all = fill.fee_currency == base and _apart(fill.quantity, fee) <= nothing
                if is_all or (low <= fee <= high and any(span.has(fee) for span in spans)):
                    yield at
            elif self._is_charged(fill):
                yield at


def _apart(one: Decimal, other: Decimal) -> Decimal:
    return EXACT.subtract(one, other).copy_abs()


def _amounts(fill: Fill) -> tuple[Decimal, ...]:
    """What may be a half, all or twice of a change of the position."""
    fee, quantity = fill.fee.copy_abs(), fill.quantity
    if not fee:
        return (quantity,)
    more, less = EXACT.add(quantity, fee), EXACT.subtract(quantity, fee)
    return (quantity, fee, more, less.copy_abs())
