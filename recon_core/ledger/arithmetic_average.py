"""Inverse contracts of a source that averages their entry prices arithmetically.

The mean of 100 contracts at 40,000 and 100 at 60,000 is 50,000 there, and 48,000 where each
contract keeps its worth. The average is rounded half-even at the 30th decimal place whenever
it changes; the gain of what is closed is an exact fraction, rounded to the settlement currency.

Source of the rules: rules, "What a replay books".
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from recon_core.ledger.bookings import (
    CashBooking,
    Category,
    Roundings,
    fees_by_currency,
    signed_quantities,
)
from recon_core.ledger.derivatives import refuse_inexact, require_derivative
from recon_core.ledger.holdings import Holding
from recon_core.ledger.ratios import exactly, half_even
from recon_core.model import Fill, Instrument, Movement, MovementKind, Position
from recon_core.values.amounts import EXACT, MOST_DIGITS, ZERO, exact_sum
from recon_core.values.errors import ReplayError
from recon_core.values.printable import printable


@dataclass(slots=True)
class _Entry:
    """An open quantity and the mean of its entry prices; `None` for what has no price."""

    quantity: Decimal = ZERO
    average: Decimal | None = None


class ArithmeticHolding(Holding):
    """The positions of an inverse contract on one leg, each with the mean of its entry prices."""

    def __init__(self, instrument: Instrument, roundings: Roundings) -> None:
        require_derivative(instrument)
        super().__init__()
        self.instrument = instrument
        self._roundings = roundings
        self._places = roundings.places(instrument.settlement)
        self._entries: dict[str | None, _Entry] = {}
        self._realised: Decimal | None = None

    def open(self, position: Position) -> None:
        """Take what the opening holds, at its average price where it gives one."""
        if position.quantity:
            self._entries[None] = _Entry(position.quantity, position.average_price)
        super().open(position)

    def apply(self, fills: Sequence[Fill]) -> None:
        """Book fills; raises `ReplayError` where one cannot be booked."""
        signed = signed_quantities(fills)
        for fill, quantity in zip(fills, signed, strict=True):
            entry = self._entries.setdefault(fill.position_id, _Entry())
            gained = self._booked(entry, fill, quantity)
            if gained is not None:
                self._realised = EXACT.add(self._realised or ZERO, gained)
        self.charge(fees_by_currency(fills), self._roundings)
        self.quantity = EXACT.add(self.quantity, exact_sum(signed))
        self.events.extend(fills)

    def _booked(self, entry: _Entry, fill: Fill, quantity: Decimal) -> Decimal | None:
        """Book one fill into its position; the gain, `None` where nothing is closed."""
        if fill.price <= 0:
            raise ReplayError(
                f"fill {printable(fill.fill_id, 60)}: price {fill.price:f} of inverse "
                f"{printable(fill.symbol, 100)}; expected one above 0"
            )
        held, remaining = entry.quantity, EXACT.add(entry.quantity, quantity)
        if not held or (held > 0) == (quantity > 0):
            entry.average = self._mean(entry, fill.price, quantity) if held else fill.price
            entry.quantity = remaining
            return None
        if entry.average is None:
            raise ReplayError(
                f"fill {printable(fill.fill_id, 60)} closes a position of "
                f"{printable(fill.symbol, 100)} that came without a price (from the opening or a "
                "movement); expected its average_price in the opening"
            )
        closed = held if abs(quantity) >= abs(held) else quantity.copy_negate()
        gain = Fraction(closed) * Fraction(self.instrument.multiplier)
        gain *= 1 / Fraction(entry.average) - 1 / Fraction(fill.price)
        turned = remaining and (remaining > 0) != (held > 0)
        entry.quantity = remaining
        if turned or not remaining:
            entry.average = fill.price if turned else None
        return self._rounded(fill, gain)

    def _mean(self, entry: _Entry, price: Decimal, quantity: Decimal) -> Decimal | None:
        """Return the mean entry price of a position that grows by a quantity at a price."""
        if entry.average is None:
            return None
        worth = Fraction(entry.quantity) * Fraction(entry.average)
        worth += Fraction(quantity) * Fraction(price)
        mean = worth / (Fraction(entry.quantity) + Fraction(quantity))
        return half_even((mean.numerator, mean.denominator), MOST_DIGITS)

    def _rounded(self, fill: Fill, gain: Fraction) -> Decimal:
        ratio = gain.numerator, gain.denominator
        if self._places is not None:
            return half_even(ratio, self._places)
        found = exactly(ratio)
        if found is None:
            raise refuse_inexact(fill, self.instrument.settlement)
        return found

    def move(self, movement: Movement) -> None:
        """Book a split, which keeps what the position cost, or a quantity without a price."""
        moved = movement.quantity or ZERO
        open_entries = [one for one in self._entries.values() if one.quantity]
        if len(open_entries) > 1:
            raise ReplayError(
                f"movement {printable(movement.movement_id, 60)} moves a quantity of "
                f"{printable(movement.symbol, 100)}, which is held in several positions; "
                "a movement names no position"
            )
        entry = open_entries[0] if open_entries else self._entries.setdefault(None, _Entry())
        held, after = entry.quantity, EXACT.add(entry.quantity, moved)
        if movement.movement_kind is MovementKind.SPLIT and held and entry.average and after:
            mean = Fraction(entry.average) * Fraction(after) / Fraction(held)
            entry.average = half_even((mean.numerator, mean.denominator), MOST_DIGITS)
        elif not after or abs(after) > abs(held) or (after > 0) != (held > 0):
            entry.average = None
        entry.quantity = after
        super().move(movement)

    def cash(self) -> Iterator[CashBooking]:
        """Yield the cash that the fills moved, summed by currency and category."""
        if self._realised is not None:
            yield CashBooking(self.instrument.settlement, self._realised, Category.REALISED_PNL)
        yield from super().cash()

    def average_price(self) -> Decimal | None:
        """Return the mean entry price of the only open position, `None` where there is none."""
        averages = [one.average for one in self._entries.values() if one.quantity]
        return averages[0] if len(averages) == 1 else None

    def realised_pnl(self) -> Decimal | None:
        """In the settlement currency, without fees."""
        return self._realised or ZERO
