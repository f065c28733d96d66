"""Average entry and realised gain of one position, exact for every rounding.

The cost of what is open is a fraction of two integers. Closing part of a position
multiplies its divisor, so that in a session that never goes flat it would grow with
every fill, and the time with its square. A fraction that has become long is therefore
kept as an interval: a thousand bits, and a bound of what was cut off. Every amount that
is asked for is rounded at both ends of the interval. Where both give the same decimal,
it is the decimal that the exact fraction gives; where they do not, because the fraction
is a tie or next to one, the fraction is worked out in full from what was booked.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal, Inexact
from typing import Final, NamedTuple

from recon_core.amounts import EXACT, MOST_DIGITS, shortest

_PLACES: Final = MOST_DIGITS
UNIT: Final = 10**_PLACES
LONGEST: Final = 2048
"""Bits of a divisor from which on the cost is kept as an interval."""
_KEPT: Final = 1024

Ratio = tuple[int, int]
"""A fraction of two integers, the divisor above 0, not necessarily reduced."""


class Interval(NamedTuple):
    """A number between `low / divisor` and `high / divisor`; exact where they are equal."""

    low: int
    high: int
    divisor: int

    def times(self, numerator: int, divisor: int) -> "Interval":
        """The interval times a fraction."""
        low, high = self.low * numerator, self.high * numerator
        return Interval(min(low, high), max(low, high), self.divisor * divisor)

    def rounded(self, places: int) -> Decimal | None:
        """Half-even to `places` decimals; `None` where the interval does not decide it."""
        low = half_even((self.low, self.divisor), places)
        if self.low == self.high:
            return low
        return low if low == half_even((self.high, self.divisor), places) else None


_NOTHING: Final = Interval(0, 0, 1)


class Step(NamedTuple):
    """Something that was booked, by the name of the method: apply, move or split."""

    name: str
    quantity: int
    value: Ratio = (0, 1)


@dataclass(slots=True)
class CostBasis:
    """An open quantity and what it was entered at; quantities are scaled by 10**30.

    A unit is entered and left at a *value*, a fraction: the price for what is worth
    its price, its inverse for an inverse contract, whose average price then is the
    harmonic one. The sum of quantity times value lies between `cost / divisor` and
    `(cost + error) / divisor`. `priced` says whether all of it came with a price,
    `steps` is what was booked since it was last flat.
    """

    longest: float = LONGEST
    quantity: int = 0
    cost: int = 0
    divisor: int = 1
    error: int = 0
    priced: bool = True
    steps: list[Step] = field(default_factory=list)

    def apply(self, quantity: int, value: Ratio) -> Interval:
        """Book a signed quantity; returns quantity times gained value of what it closed."""
        self.steps.append(Step("apply", quantity, value))
        if self.quantity == 0 or (self.quantity > 0) == (quantity > 0):
            self._open(quantity, value)
            return _NOTHING
        closed = min(abs(quantity), abs(self.quantity))
        gained = self._close(closed, value)
        rest = abs(quantity) - closed
        if rest:
            rest = rest if quantity > 0 else -rest
            self.steps.append(Step("apply", rest, value))
            self._open(rest, value)
        return gained

    def move(self, quantity: int, _value: Ratio = (0, 1)) -> None:
        """Change the quantity without a price: what leaves, leaves at the average entry.

        What comes in came without a price.
        """
        self.steps.append(Step("move", quantity))
        held = self.quantity
        if held and (held > 0) != (quantity > 0) and abs(quantity) <= abs(held):
            self._close(abs(quantity), (0, 1))
            return
        self.quantity += quantity
        self.priced = self.quantity == 0

    def split(self, quantity: int, _value: Ratio = (0, 1)) -> None:
        """Change the quantity of what is held and keep its cost: the average price moves."""
        held = self.quantity
        if held and (held + quantity > 0) == (held > 0) and held + quantity:
            self.steps.append(Step("split", quantity))
            self.quantity += quantity
        else:
            self.move(quantity)

    def _open(self, quantity: int, value: Ratio) -> None:
        numerator, divisor = value
        self.quantity += quantity
        amount = abs(quantity) * numerator
        if divisor == self.divisor:
            self.cost += amount
        elif self.error:
            self.cost += amount * self.divisor // divisor
            self.error += 1
        else:
            missing = divisor // math.gcd(self.divisor, divisor)
            self.divisor *= missing
            self.cost = self.cost * missing + amount * (self.divisor // divisor)
            self._shorten()

    def _close(self, closed: int, value: Ratio) -> Interval:
        held = abs(self.quantity)
        numerator, divisor = value
        left = closed * numerator * self.divisor * held
        most = left - self.cost * closed * divisor
        least = most - self.error * closed * divisor
        long = self.quantity > 0
        whole = self.divisor * held * divisor
        gained = Interval(least, most, whole) if long else Interval(-most, -least, whole)
        self._keep(held - closed, held)
        self.quantity -= closed if long else -closed
        return gained

    def _keep(self, rest: int, held: int) -> None:
        """Keep `rest / held` of the cost; a flat position starts anew."""
        if rest == 0:
            self.cost, self.divisor, self.error, self.priced = 0, 1, 0, True
            self.steps = []
        elif self.error:
            most = -(-(self.cost + self.error) * rest // held)
            self.cost = self.cost * rest // held
            self.error = most - self.cost
        else:
            common = math.gcd(rest, held)
            rest, held = rest // common, held // common
            # The factors of this close often cancel those of the last one.
            common = math.gcd(rest, self.divisor)
            self.cost *= rest // common
            self.divisor //= common
            common = math.gcd(held, self.cost)
            self.cost //= common
            self.divisor *= held // common
            self._shorten()

    def _shorten(self) -> None:
        if self.divisor.bit_length() <= self.longest:
            return
        bits = _KEPT + max(0, self.divisor.bit_length() - self.cost.bit_length())
        self.cost = (self.cost << bits) // self.divisor
        self.divisor, self.error = 1 << bits, 1

    def average(self) -> Interval | None:
        """The average entry value; `None` when flat, or entered without a price."""
        if self.quantity == 0 or not self.priced:
            return None
        whole = self.divisor * abs(self.quantity)
        return Interval(self.cost, self.cost + self.error, whole)


def new_basis(places: int | None) -> CostBasis:
    """A flat basis; without places to round to, its fraction is never shortened."""
    return CostBasis(math.inf if places is None else LONGEST)


def in_full(steps: Iterable[Step]) -> CostBasis:
    """The cost basis that `steps` give, as an exact fraction however long it is."""
    basis = CostBasis(longest=math.inf)
    for step in tuple(steps):
        book: Callable[[int, Ratio], object] = getattr(basis, step.name)
        book(step.quantity, step.value)
    return basis


def scaled(amount: Decimal) -> int:
    """An amount as an integer of 10**-30."""
    return int(EXACT.scaleb(amount, _PLACES))


def half_even(ratio: Ratio, places: int) -> Decimal:
    """A fraction rounded half-even to `places` decimals: the rounding of one booking."""
    numerator, divisor = ratio
    units, remainder = divmod(numerator * 10**places, divisor)
    if 2 * remainder > divisor or (2 * remainder == divisor and units % 2):
        units += 1
    return EXACT.scaleb(Decimal(units), -places)


def exactly(ratio: Ratio) -> Decimal | None:
    """A fraction as the decimal that it is; `None` where it has no finite form."""
    common = math.gcd(*ratio)
    numerator, divisor = ratio[0] // common, ratio[1] // common
    try:
        return shortest(EXACT.divide(Decimal(numerator), Decimal(divisor)))
    except Inexact:
        return None
