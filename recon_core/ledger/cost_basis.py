"""Average entry price and realised PnL of one position, from exact fractions.

The entry cost is kept as a fraction of two integers and is reduced only by the
factor that a closing fill brings: reducing it fully after every fill would make a
long session quadratic in its digits.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, Inexact
from typing import Final

from recon_core.amounts import EXACT, MOST_DIGITS, ZERO, shortest
from recon_core.errors import ReplayError
from recon_core.model import Fill, Instrument, OrderSide
from recon_core.printable import printable

_PLACES: Final = MOST_DIGITS
_UNIT: Final = 10**_PLACES


@dataclass(slots=True)
class CostBasis:
    """The cost of an open quantity; quantities and prices are scaled by 10**30.

    The entry cost is `cost / divisor`, in quote currency scaled twice. A position
    that crosses zero is closed at the fill's price and opened anew at it.
    """

    quantity: int = 0
    cost: int = 0
    divisor: int = 1

    def apply(self, quantity: int, price: int) -> tuple[int, int]:
        """Book a signed quantity; returns what it realised, as a fraction."""
        if self.quantity == 0 or (self.quantity > 0) == (quantity > 0):
            self._open(quantity, price)
            return 0, 1
        closed = min(abs(quantity), abs(self.quantity))
        realised = self._close(closed, price)
        rest = abs(quantity) - closed
        if rest:
            self._open(rest if quantity > 0 else -rest, price)
        return realised

    def charge(self, quantity: int, price: int) -> None:
        """Take a fee in units of the position; it realises nothing.

        A fee that is larger than what is held, or a rebate, is booked at `price`.
        """
        held = self.quantity
        if held and (held > 0) != (quantity > 0) and abs(quantity) <= abs(held):
            self._close(abs(quantity), price)
        else:
            self.apply(quantity, price)

    def _open(self, quantity: int, price: int) -> None:
        self.quantity += quantity
        self.cost += abs(quantity) * price * self.divisor

    def _close(self, closed: int, price: int) -> tuple[int, int]:
        held = abs(self.quantity)
        direction = 1 if self.quantity > 0 else -1
        divisor = self.divisor * held
        realised = direction * (closed * price * divisor - self.cost * closed)
        common = math.gcd(held - closed, held)
        self.cost *= (held - closed) // common
        self.divisor *= held // common
        self.quantity -= direction * closed
        if self.quantity == 0:
            self.cost, self.divisor = 0, 1
        return realised, divisor

    def average_price(self) -> Decimal | None:
        """The entry price, `None` when flat; half-even at the 30th decimal place."""
        if self.quantity == 0:
            return None
        return shortest(_half_even(self.cost, self.divisor * abs(self.quantity)))


def scaled(amount: Decimal) -> int:
    """An amount as an integer of 10**-30."""
    return int(EXACT.scaleb(amount, _PLACES))


def realised_pnl(
    fills: Iterable[Fill], instrument: Instrument, precision: int | None
) -> tuple[CostBasis, Decimal]:
    """Replay the fills of one position: what is left of it, and what it realised.

    PnL is in the quote currency, without fees, rounded half-even to `precision`
    decimals per fill. Raises `ReplayError` where a PnL has no finite decimal form
    and no precision is declared. A fee in the base currency leaves the entry price
    as it is.
    """
    basis, total = CostBasis(), ZERO
    for fill in fills:
        direction = 1 if fill.side is OrderSide.BUY else -1
        numerator, divisor = basis.apply(direction * scaled(fill.quantity), scaled(fill.price))
        if fill.fee and fill.fee_currency == instrument.base:
            basis.charge(-scaled(fill.fee), scaled(fill.price))
        if numerator:
            pnl = _booked(numerator, divisor, precision, fill, instrument)
            total = EXACT.add(total, pnl)
    return basis, total


def _booked(
    numerator: int, divisor: int, precision: int | None, fill: Fill, instrument: Instrument
) -> Decimal:
    if precision is not None:
        return _half_even(numerator, divisor * _UNIT, precision)
    common = math.gcd(numerator, divisor)
    try:
        pnl = EXACT.divide(Decimal(numerator // common), Decimal(divisor // common))
        return shortest(EXACT.scaleb(pnl, -2 * _PLACES))
    except Inexact:
        raise ReplayError(
            f"fill {printable(fill.fill_id, 60)}: its PnL in {printable(instrument.quote, 60)} "
            "has no finite decimal form; expected a declared precision of that currency"
        ) from None


def _half_even(numerator: int, divisor: int, places: int = _PLACES) -> Decimal:
    """`numerator / divisor`, given in units of 10**-30, rounded half-even to `places`."""
    divisor *= 10 ** (_PLACES - places)
    units, remainder = divmod(numerator, divisor)
    if 2 * remainder > divisor or (2 * remainder == divisor and units % 2):
        units += 1
    return EXACT.scaleb(Decimal(units), -places)
