"""Holding of one symbol on one leg of one account, and the cash that its fills moved.

Source of the rules: rules, "What a replay books". A spot fill moves base and quote currency
and the position; a fee in the base currency also reduces the position. An option is paid for
and delivers nothing. A derivative moves cash by fee and realised PnL only.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import repeat
from operator import attrgetter

from recon_core.ledger.bookings import (
    CashBooking,
    Category,
    Roundings,
    fees_by_currency,
    notional,
    signed_quantities,
)
from recon_core.ledger.spot_history import spot_history
from recon_core.model import Fill, Instrument, Leg, Movement, Position
from recon_core.model.fill_table import FillSums
from recon_core.values.amounts import EXACT, ZERO, exact_sum, format_amount
from recon_core.values.errors import ReplayError
from recon_core.values.printable import printable

_price = attrgetter("price")

Event = Fill | Movement | Position
"""A change of a position: a fill, a movement of quantity, or the opening's position."""


class Holding:
    """A signed quantity and its events; of an instrument that no fill has named yet."""

    def __init__(self) -> None:
        self.quantity = ZERO
        self.events: list[Event] = []
        self.fees: dict[str, Decimal] = {}

    def open(self, position: Position) -> None:
        """Take what the opening holds."""
        self.quantity = EXACT.add(self.quantity, position.quantity)
        self.events.append(position)

    def move(self, movement: Movement) -> None:
        """Book the quantity of a movement."""
        if movement.quantity is not None:
            self.quantity = EXACT.add(self.quantity, movement.quantity)
            self.events.append(movement)

    def charge(self, charged: Mapping[str, Iterable[Decimal]], roundings: Roundings) -> None:
        """Book fees by currency, each rounded on its own."""
        for currency, fees in charged.items():
            fee = exact_sum(roundings.each(currency, fees))
            self.fees[currency] = EXACT.add(self.fees.get(currency, ZERO), fee)

    def cash(self) -> Iterator[CashBooking]:
        """Yield the cash that the fills moved, summed by currency and category."""
        for currency, fees in self.fees.items():
            yield CashBooking(currency, fees.copy_negate(), Category.FEES)

    def average_price(self) -> Decimal | None:
        """The average entry price; `None` when flat, or entered without a price."""
        return None

    def realised_pnl(self) -> Decimal | None:
        """The PnL that fills realised, without fees."""
        return ZERO


class SpotHolding(Holding):
    """A position that is paid for: a fill moves the quote currency, and the asset it delivers."""

    def __init__(self, instrument: Instrument, roundings: Roundings) -> None:
        super().__init__()
        self.instrument = instrument
        self._roundings = roundings
        self._places = roundings.places(instrument.quote)
        self._received = self._paid = ZERO
        self._is_traded = False

    def apply(self, fills: Sequence[Fill]) -> None:
        """Book fills and keep them."""
        self.post(fills)
        self.events.extend(fills)

    def post(self, fills: Sequence[Fill]) -> None:
        """Book fills; each amount is rounded on its own."""
        self.add(self._sums(fills))

    def add(self, sums: FillSums) -> None:
        """Book the sums of fills."""
        instrument = self.instrument
        self._paid = EXACT.add(self._paid, sums.paid)
        for currency, fee in sums.charged.items():
            self.fees[currency] = EXACT.add(self.fees.get(currency, ZERO), fee)
        moved = sums.quantity
        if instrument.instrument_kind.delivers:
            self._received = EXACT.add(self._received, sums.received)
            moved = EXACT.subtract(moved, sums.fees.get(instrument.base, ZERO))
        self.quantity = EXACT.add(self.quantity, moved)
        self._is_traded = True

    def _sums(self, fills: Sequence[Fill]) -> FillSums:
        instrument, each_rounded = self.instrument, self._roundings.each
        signed, charged = signed_quantities(fills), fees_by_currency(fills)
        if instrument.multiplier == 1 and not instrument.float_notional:  # as nearly always
            traded = map(EXACT.multiply, signed, map(_price, fills))
        else:
            traded = map(
                notional, repeat(instrument), repeat(self._places), signed, map(_price, fills)
            )
        paid = each_rounded(instrument.quote, traded)
        delivers = instrument.instrument_kind.delivers
        received = each_rounded(instrument.base, signed) if delivers else ()
        return FillSums(
            exact_sum(signed),
            exact_sum(paid),
            exact_sum(received),
            {name: exact_sum(each_rounded(name, fees)) for name, fees in charged.items()},
            {name: exact_sum(fees) for name, fees in charged.items() if name == instrument.base},
        )

    def cash(self) -> Iterator[CashBooking]:
        """Yield the cash that the fills moved, summed by currency and category."""
        if self._is_traded:
            instrument = self.instrument
            if instrument.instrument_kind.delivers:
                yield CashBooking(instrument.base, self._received, Category.TRADES)
            yield CashBooking(instrument.quote, self._paid.copy_negate(), Category.TRADES)
        yield from super().cash()

    def average_price(self) -> Decimal | None:
        """The average entry price in quote currency, half-even at the 30th decimal place."""
        return spot_history(self.events, self.instrument, None).average_price()

    def realised_pnl(self) -> Decimal | None:
        """In quote currency; `None` where part of the position came without a price."""
        return spot_history(self.events, self.instrument, self._roundings).realised


def are_summed(instrument: Instrument | None) -> bool:
    """True if the sums of its fills are all that a ledger has to know of an instrument."""
    return (
        instrument is not None
        and not instrument.not_replayed
        and not instrument.instrument_kind.derivative
        and not instrument.float_notional
        and instrument.multiplier == 1
        and instrument.settlement == instrument.quote
    )


def require_spot(instrument: Instrument, leg: Leg) -> None:
    """Refuse by name what an instrument that is paid for cannot mean, instead of guessing."""
    kind = instrument.instrument_kind
    if kind.delivers and instrument.multiplier != 1:
        multiplier = format_amount(instrument.multiplier)
        reason = f"has multiplier {multiplier}; {kind} can be replayed with 1 only"
    elif instrument.settlement != instrument.quote:
        settlement, quote = printable(instrument.settlement, 60), printable(instrument.quote, 60)
        reason = f"is {kind} and settles in {settlement}; expected its quote currency {quote}"
    elif leg is not Leg.NET:
        reason = f"has a fill on leg {leg}; {kind} can be replayed with NET only"
    else:
        return
    raise ReplayError(f"instrument {printable(instrument.symbol, 100)} {reason}")
