"""Average entry price and realised PnL of one position, as exact fractions.

The entry value is a fraction of two integers; nothing is rounded here but what is
asked for with a number of decimal places. Positions are closed at their average
entry, and one that crosses zero is closed at the fill's price and opened anew at it.
"""

import math
from dataclasses import dataclass
from decimal import Decimal, Inexact
from typing import Final

from recon_core.amounts import EXACT, MOST_DIGITS, shortest

_PLACES: Final = MOST_DIGITS
UNIT: Final = 10**_PLACES

Ratio = tuple[int, int]
"""A fraction of two integers, the divisor above 0, not necessarily reduced."""


@dataclass(slots=True)
class CostBasis:
    """An open quantity and what it was entered at; quantities are scaled by 10**30.

    A unit is entered and left at a *value*, a fraction: the price for what is worth
    its price, its inverse for an inverse contract, whose average price then is the
    harmonic one. `cost / divisor` is the sum of quantity times value. `priced` says
    whether all of it came with a price.
    """

    quantity: int = 0
    cost: int = 0
    divisor: int = 1
    priced: bool = True

    def apply(self, quantity: int, value: Ratio) -> Ratio:
        """Book a signed quantity; returns quantity times gained value of what it closed."""
        if self.quantity == 0 or (self.quantity > 0) == (quantity > 0):
            self._open(quantity, value)
            return 0, 1
        closed = min(abs(quantity), abs(self.quantity))
        gained = self._close(closed, value)
        rest = abs(quantity) - closed
        if rest:
            self._open(rest if quantity > 0 else -rest, value)
        return gained

    def charge(self, quantity: int, value: Ratio) -> None:
        """Take a fee in units of the position; it realises nothing.

        A fee that is larger than what is held, or a rebate, is booked at `value`.
        """
        if self._reduces(quantity):
            self._close(abs(quantity), value)
        else:
            self.apply(quantity, value)

    def move(self, quantity: int) -> None:
        """Change the quantity without a price: what leaves, leaves at the average entry.

        What comes in came without a price.
        """
        if self._reduces(quantity):
            self._close(abs(quantity), (0, 1))
            return
        self.quantity += quantity
        self.priced = self.quantity == 0
        if self.priced:
            self.cost, self.divisor = 0, 1

    def split(self, quantity: int) -> None:
        """Change the quantity of what is held and keep its cost: the average price moves."""
        held = self.quantity
        if held and (held + quantity > 0) == (held > 0) and held + quantity:
            self.quantity += quantity
        else:
            self.move(quantity)

    def _reduces(self, quantity: int) -> bool:
        held = self.quantity
        return bool(held) and (held > 0) != (quantity > 0) and abs(quantity) <= abs(held)

    def _open(self, quantity: int, value: Ratio) -> None:
        numerator, divisor = value
        if divisor == self.divisor:
            self.quantity += quantity
            self.cost += abs(quantity) * numerator
            return
        if self.divisor % divisor:
            missing = divisor // math.gcd(self.divisor, divisor)
            self.cost *= missing
            self.divisor *= missing
        self.quantity += quantity
        self.cost += abs(quantity) * numerator * (self.divisor // divisor)

    def _close(self, closed: int, value: Ratio) -> Ratio:
        held = abs(self.quantity)
        direction = 1 if self.quantity > 0 else -1
        numerator, divisor = value
        left = closed * numerator * self.divisor * held
        entered = self.cost * closed * divisor
        gained = direction * (left - entered), self.divisor * held * divisor
        self._keep(held - closed, held)
        self.quantity -= direction * closed
        return gained

    def _keep(self, rest: int, held: int) -> None:
        """Keep `rest / held` of the cost, reduced by what is easily seen."""
        if rest == 0:
            self.cost, self.divisor, self.priced = 0, 1, True
            return
        common = math.gcd(rest, held)
        rest, held = rest // common, held // common
        # The factors of this close often cancel those of the last one.
        common = math.gcd(rest, self.divisor)
        self.cost *= rest // common
        self.divisor //= common
        common = math.gcd(held, self.cost)
        self.cost //= common
        self.divisor *= held // common

    def average(self) -> Ratio | None:
        """The average entry value; `None` when flat, or entered without a price."""
        if self.quantity == 0 or not self.priced:
            return None
        return self.cost, self.divisor * abs(self.quantity)


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
