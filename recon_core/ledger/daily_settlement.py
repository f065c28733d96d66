"""A future that settles daily: what an open position has gained is cash at once.

An account that keeps such futures has the variation margin in its cash: quantity x
multiplier x (mark - entry) of what is open, and the realised gain of what is closed. Where the
side states it as movements of kind `settlement`, these are the gain and nothing is worked out.

Source of the rules: rules, "What a replay books".
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from recon_core.ledger.bookings import (
    CashBooking,
    Category,
    Roundings,
    fees_by_currency,
    signed_quantities,
)
from recon_core.ledger.holdings import Holding
from recon_core.ledger.spot_history import spot_history
from recon_core.model import Fill, Instrument, Movement, MovementKind, Position
from recon_core.values.amounts import EXACT, ZERO, exact_sum
from recon_core.values.errors import ReplayError
from recon_core.values.printable import printable


class DailySettledHolding(Holding):
    """A position of a future that settles daily, on one leg.

    `marks` are mark prices by symbol, as they are when the cash is asked for; `stated` are the
    currencies in which the side states settlements as movements.
    """

    def __init__(
        self,
        instrument: Instrument,
        roundings: Roundings,
        marks: Mapping[str, Decimal],
        stated: frozenset[str],
    ) -> None:
        super().__init__()
        self.instrument = instrument
        self._roundings = roundings
        self._marks = marks
        self._stated = instrument.settlement in stated
        self._entered = ZERO
        self._priced = True
        self._is_traded = False

    def open(self, position: Position) -> None:
        """Take what the opening holds, entered at its average price: the last settlement's."""
        if position.average_price is None:
            self._priced = self._priced and not position.quantity
        else:
            self._enter(position.quantity, position.average_price)
        super().open(position)

    def apply(self, fills: Sequence[Fill]) -> None:
        """Book fills and keep them."""
        self.post(fills)
        self.events.extend(fills)

    def post(self, fills: Sequence[Fill]) -> None:
        """Book fills: the position, the fees, and what was entered at which price."""
        self._is_traded = self._is_traded or bool(fills)
        signed = signed_quantities(fills)
        for quantity, fill in zip(signed, fills, strict=True):
            self._enter(quantity, fill.price)
        self.charge(fees_by_currency(fills), self._roundings)
        self.quantity = EXACT.add(self.quantity, exact_sum(signed))

    def move(self, movement: Movement) -> None:
        """Book a split, which keeps what was entered, or a quantity that moves without a price."""
        if movement.movement_kind is not MovementKind.SPLIT:
            self._priced = self._priced and not movement.quantity
        super().move(movement)

    def _enter(self, quantity: Decimal, price: Decimal) -> None:
        worth = EXACT.multiply(EXACT.multiply(quantity, price), self.instrument.multiplier)
        self._entered = EXACT.add(self._entered, worth)

    def cash(self) -> Iterator[CashBooking]:
        """Yield the fees, and the gain up to the mark price; raises `ReplayError` without one."""
        if not self._stated and (self.events or self._is_traded):
            currency = self.instrument.settlement
            gained = EXACT.subtract(self._worth(), self._entered)
            yield CashBooking(currency, self._roundings[currency](gained), Category.SETTLEMENTS)
        yield from super().cash()

    def _worth(self) -> Decimal:
        """Return what is open at its mark price, in the settlement currency."""
        symbol = self.instrument.symbol
        if not self._priced:
            raise ReplayError(
                f"a quantity of {printable(symbol, 100)} came or went without a price (in the "
                "opening or a movement); expected its average_price in the opening, or movements "
                "of kind settlement"
            )
        if not self.quantity:
            return ZERO
        mark = self._marks.get(symbol)
        if mark is None:
            raise ReplayError(
                f"{printable(symbol, 100)} settles daily and is open; expected the mark_price of "
                "its position, or movements of kind settlement"
            )
        worth = EXACT.multiply(self.quantity, mark)
        return EXACT.multiply(worth, self.instrument.multiplier)

    def average_price(self) -> Decimal | None:
        """The average entry price in quote currency; `None` when flat or without a price."""
        return spot_history(self.events, self.instrument, None).average_price()

    def realised_pnl(self) -> Decimal | None:
        """Return what has become cash, without fees; `None` where the side states it itself."""
        if self._stated:
            return None
        return exact_sum(one.amount for one in self.cash() if one.category is Category.SETTLEMENTS)
