"""Average entry and realised gain of one position, exact for every rounding.

The cost of what is open is a fraction of two integers. Closing part of a position
multiplies its divisor, so that in a session that is never flat it would grow with every
fill, and the time with its square. A fraction that has become long is therefore kept as an
interval, that of the average entry, which no close changes: some hundred bits, and a bound
of what was cut off. Every amount that is asked for is rounded at both ends of the interval.
Where both give the same decimal, it is the decimal that the exact fraction gives; where
they may not, because the fraction is a tie or next to one, the fraction is worked out in
full from all postings.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import repeat
from typing import Final

from recon_core.ledger.ratios import NOTHING, Interval, Ratio
from recon_core.values.amounts import EXACT, MOST_DIGITS

_PLACES: Final = MOST_DIGITS
UNIT: Final = 10**_PLACES
"""Scale of quantities and values: integers count units of the last of `_PLACES` decimals."""
LONGEST: Final = 2048
"""Bits of a divisor from which on the cost is kept as an interval."""
_KEPT: Final = 384
"""Bits that are kept of it: 300 of them give PnL of 10**60 to 10**-30."""

Step = tuple[str, int, Ratio]
"""Something that was booked, by the name of the method (apply, move or split), and what."""

_NO_VALUE: Final[Ratio] = (0, 1)


@dataclass(slots=True)
class CostBasis:
    """An open quantity and what it was entered at; quantities are scaled by 10**30.

    A unit is entered and left at a *value*, a fraction: the price for what is worth
    its price, its inverse for an inverse contract, whose average price then is the
    harmonic one. The sum of quantity times value is `cost / divisor`; with `bits`, the
    average value lies between `entry` and `entry + error` in units of `2**-bits` instead.
    `priced` says whether all of it came with a price, `steps` is what was booked since
    it was last flat.
    """

    longest: float = LONGEST
    quantity: int = 0
    cost: int = 0
    divisor: int = 1
    entry: int = 0
    error: int = 0
    bits: int = 0
    priced: bool = True
    steps: list[Step] = field(default_factory=list)

    def apply(self, quantity: int, value: Ratio) -> Interval:
        """Book a signed quantity; returns quantity times gained value of what it closed."""
        if quantity == 0:
            return NOTHING
        self.steps.append(("apply", quantity, value))
        held = self.quantity
        if held == 0 or (held > 0) == (quantity > 0):
            self._open(quantity, value)
            return NOTHING
        remaining = held + quantity
        if remaining == 0 or (remaining > 0) == (held > 0):
            return self._close(abs(quantity), value)
        gained = self._close(abs(held), value)
        self.steps.append(("apply", remaining, value))
        self._open(remaining, value)
        return gained

    def move(self, quantity: int, _value: Ratio = _NO_VALUE) -> None:
        """Change the quantity without a price: a decrease leaves at the average entry.

        An increase has no price.
        """
        self.steps.append(("move", quantity, _NO_VALUE))
        held = self.quantity
        if held and (held > 0) != (quantity > 0) and abs(quantity) <= abs(held):
            self._close(abs(quantity), _NO_VALUE)
            return
        self.quantity += quantity
        self.priced = self.quantity == 0

    def split(self, quantity: int, _value: Ratio = _NO_VALUE) -> None:
        """Change the quantity of what is held and keep its cost: the average price moves."""
        held = self.quantity
        if held and (held + quantity > 0) == (held > 0) and held + quantity:
            self.steps.append(("split", quantity, _NO_VALUE))
            self.quantity += quantity
            if self.bits:
                self._enter(self.entry * abs(held), self.error * abs(held), abs(self.quantity))
        else:
            self.move(quantity)

    def _open(self, quantity: int, value: Ratio) -> None:
        numerator, divisor = value
        if self.bits:
            held, more = abs(self.quantity) * divisor, abs(quantity)
            worth = held * self.entry + (more * numerator << self.bits)
            self._enter(worth, held * self.error, held + more * divisor)
            self.quantity += quantity
            return
        self.quantity += quantity
        amount = abs(quantity) * numerator
        if divisor == self.divisor:
            self.cost += amount
        else:
            missing = divisor // math.gcd(self.divisor, divisor)
            self.divisor *= missing
            self.cost = self.cost * missing + amount * (self.divisor // divisor)
            self._shorten()

    def _close(self, closed: int, value: Ratio) -> Interval:
        held, long = abs(self.quantity), self.quantity > 0
        numerator, divisor = value
        if self.bits:
            most = closed * ((numerator << self.bits) - self.entry * divisor)
            least = most - closed * self.error * divisor
            whole = divisor << self.bits
        else:
            whole = self.divisor * held
            most = least = closed * (numerator * whole - self.cost * divisor)
            whole *= divisor
        self.quantity -= closed if long else -closed
        if closed == held:
            self._clear()
        elif not self.bits:
            self._keep(held - closed, held)
        return Interval(least, most, whole) if long else Interval(-most, -least, whole)

    def _clear(self) -> None:
        """A flat position starts anew."""
        self.cost, self.divisor, self.priced, self.steps = 0, 1, True, []
        self.entry = self.error = self.bits = 0

    def _keep(self, remaining: int, held: int) -> None:
        """Keep `rest / held` of the cost."""
        common = math.gcd(remaining, held)
        remaining, held = remaining // common, held // common
        # The factors of this close often cancel those of the last one.
        common = math.gcd(remaining, self.divisor)
        self.cost *= remaining // common
        self.divisor //= common
        common = math.gcd(held, self.cost)
        self.cost //= common
        self.divisor *= held // common
        self._shorten()

    def _shorten(self) -> None:
        if self.divisor.bit_length() <= self.longest:
            return
        whole = self.divisor * abs(self.quantity)
        self.bits = _KEPT + max(0, whole.bit_length() - self.cost.bit_length())
        self._enter(self.cost << self.bits, 0, whole)

    def _enter(self, worth: int, error: int, quantity: int) -> None:
        """Keep the average entry of a quantity that is worth so much, or up to `error` more."""
        self.entry, cut = divmod(worth, quantity)
        self.error = -(-(cut + error) // quantity)

    def average(self) -> Interval | None:
        """The average entry value; `None` when flat, or entered without a price."""
        if self.quantity == 0 or not self.priced:
            return None
        if self.bits:
            return Interval(self.entry, self.entry + self.error, 1 << self.bits)
        return Interval(self.cost, self.cost, self.divisor * abs(self.quantity))


def new_basis(places: int | None) -> CostBasis:
    """A flat basis; without places to round to, its fraction is never shortened."""
    return CostBasis(math.inf if places is None else LONGEST)


def in_full(steps: Iterable[Step]) -> CostBasis:
    """The cost basis that `steps` give, as an exact fraction however long it is."""
    basis = CostBasis(longest=math.inf)
    for name, quantity, value in tuple(steps):
        book: Callable[[int, Ratio], object] = getattr(basis, name)
        book(quantity, value)
    return basis


def scaled(amount: Decimal) -> int:
    """An amount as an integer of 10**-30."""
    return int(EXACT.scaleb(amount, _PLACES))


def all_scaled(amounts: Iterable[Decimal]) -> Iterator[int]:
    """`scaled` for many amounts."""
    return map(int, map(EXACT.scaleb, amounts, repeat(_PLACES)))
