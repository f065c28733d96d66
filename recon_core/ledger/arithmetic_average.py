"""Inverse contracts of a source that averages their entry prices arithmetically.

The mean of 100 contracts at 40,000 and 100 at 60,000 is 50,000 there, and 48,000 where each
contract keeps its worth. The average is rounded half-even at the 30th decimal place whenever
it changes; the gain of what is closed is an exact fraction, rounded to the settlement currency.

Source of the rules: rules, "What a replay books".
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from recon_core.ledger.bookings import Roundings
from recon_core.ledger.derivatives import refuse_inexact, unit_value
from recon_core.ledger.ratios import exactly, half_even
from recon_core.ledger.realising import RealisingHolding, refuse_close, require_one_position
from recon_core.model import Fill, Instrument, Movement, MovementKind, Position
from recon_core.values.amounts import EXACT, MOST_DIGITS, ZERO


@dataclass(slots=True)
class _Entry:
    """An open quantity and the mean of its entry prices; `None` for what has no price."""

    quantity: Decimal = ZERO
    average: Decimal | None = None


class ArithmeticHolding(RealisingHolding):
    """The positions of an inverse contract on one leg, each with the mean of its entry prices."""

    def __init__(self, instrument: Instrument, roundings: Roundings) -> None:
        super().__init__(instrument, roundings)
        self._entries: dict[str | None, _Entry] = {}

    def open(self, position: Position) -> None:
        """Take what the opening holds, at its average price where it gives one."""
        if position.quantity:
            self._entries[None] = _Entry(position.quantity, position.average_price)
        super().open(position)

    def _gains(self, fills: Sequence[Fill], signed: Sequence[Decimal]) -> Iterable[Decimal | None]:
        return map(self._enter, fills, signed)

    def _enter(self, fill: Fill, quantity: Decimal) -> Decimal | None:
        entry = self._entries.setdefault(fill.position_id, _Entry())
        inverse = Fraction(*unit_value(fill.price, self.instrument, fill))
        held, remaining = entry.quantity, EXACT.add(entry.quantity, quantity)
        if not held or (held > 0) == (quantity > 0):
            entry.average = self._mean(entry, fill.price, quantity) if held else fill.price
            entry.quantity = remaining
            return None
        if entry.average is None:
            raise refuse_close(fill)
        closed = held if abs(quantity) >= abs(held) else quantity.copy_negate()
        gain = Fraction(closed) * Fraction(self.instrument.multiplier)
        gain *= 1 / Fraction(entry.average) - inverse
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
        require_one_position(movement, len(open_entries))
        entry = open_entries[0] if open_entries else self._entries.setdefault(None, _Entry())
        held, after = entry.quantity, EXACT.add(entry.quantity, moved)
        if movement.movement_kind is MovementKind.SPLIT and held and entry.average and after:
            mean = Fraction(entry.average) * Fraction(after) / Fraction(held)
            entry.average = half_even((mean.numerator, mean.denominator), MOST_DIGITS)
        elif not after or abs(after) > abs(held) or (after > 0) != (held > 0):
            entry.average = None
        entry.quantity = after
        super().move(movement)

    def average_price(self) -> Decimal | None:
        """Return the mean entry price of the only open position, `None` where there is none."""
        averages = [one.average for one in self._entries.values() if one.quantity]
        return averages[0] if len(averages) == 1 else None
