"""Bookings: what one fill or movement changes, each amount rounded once.

Source of the rules: the design's "Ledger comparisons". A spot fill moves base and
quote currency and the position; a fee in the base currency also reduces the
position. Amounts are rounded half-even to the currency's declared precision, per
booking; without a declared precision they stay exact.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from recon_core.amounts import EXACT, ZERO, format_amount, round_to_places
from recon_core.errors import ReplayError
from recon_core.model import (
    Currency,
    Fill,
    Instrument,
    InstrumentKind,
    Leg,
    Movement,
    OrderSide,
)
from recon_core.printable import printable


@dataclass(frozen=True, slots=True)
class CashBooking:
    """A signed change of one balance, and which part of the event it is."""

    account: str | None
    currency: str
    amount: Decimal
    reason: str


@dataclass(frozen=True, slots=True)
class PositionBooking:
    """A signed change of one position, in units of the instrument."""

    account: str | None
    symbol: str
    leg: Leg
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Booking:
    """Everything that one fill or movement changes."""

    cash: tuple[CashBooking, ...]
    positions: tuple[PositionBooking, ...]


Round = Callable[[Decimal, str], Decimal]
"""Rounds an amount to the precision of a currency."""


def rounding_to(currencies: Mapping[str, Currency]) -> Round:
    """A rounding by declared precision; a currency that is not declared stays exact."""

    def rounded(amount: Decimal, currency: str) -> Decimal:
        declared = currencies.get(currency)
        return amount if declared is None else round_to_places(amount, declared.precision)

    return rounded


def signed_quantity(fill: Fill) -> Decimal:
    """The quantity as it changes the position: negative for a SELL."""
    return fill.quantity if fill.side is OrderSide.BUY else fill.quantity.copy_negate()


def spot_booking(fill: Fill, instrument: Instrument, rounded: Round) -> Booking:
    """What a spot fill books; raises `ReplayError` where the instrument is no spot one."""
    require_spot(fill, instrument)
    quantity = signed_quantity(fill)
    notional = EXACT.multiply(quantity, fill.price).copy_negate()
    cash = [
        CashBooking(fill.account, instrument.base, rounded(quantity, instrument.base), "trade"),
        CashBooking(fill.account, instrument.quote, rounded(notional, instrument.quote), "trade"),
    ]
    if fill.fee and fill.fee_currency is not None:
        fee = rounded(fill.fee, fill.fee_currency).copy_negate()
        cash.append(CashBooking(fill.account, fill.fee_currency, fee, "fee"))
    fee_in_base = fill.fee if fill.fee_currency == instrument.base else ZERO
    position = PositionBooking(
        fill.account, fill.symbol, fill.leg, EXACT.subtract(quantity, fee_in_base)
    )
    return Booking(tuple(cash), (position,))


def require_spot(fill: Fill, instrument: Instrument) -> None:
    """Refuse an instrument by name instead of guessing how it moves cash."""
    if instrument.instrument_kind is not InstrumentKind.SPOT:
        reason = f"is {instrument.instrument_kind}; only spot can be replayed"
    elif instrument.multiplier != 1:
        multiplier = format_amount(instrument.multiplier)
        reason = f"has multiplier {multiplier}; spot can be replayed with 1 only"
    elif fill.leg is not Leg.NET:
        reason = f"has a fill on leg {fill.leg}; spot can be replayed with NET only"
    else:
        return
    raise ReplayError(f"instrument {printable(instrument.symbol, 100)} {reason}")


def movement_booking(movement: Movement, rounded: Round) -> Booking:
    """What a movement books: its amount, its quantity, or both."""
    cash: tuple[CashBooking, ...] = ()
    positions: tuple[PositionBooking, ...] = ()
    if movement.currency is not None and movement.amount is not None:
        amount = rounded(movement.amount, movement.currency)
        reason = str(movement.movement_kind)
        cash = (CashBooking(movement.account, movement.currency, amount, reason),)
    if movement.symbol is not None and movement.quantity is not None:
        positions = (
            PositionBooking(movement.account, movement.symbol, Leg.NET, movement.quantity),
        )
    return Booking(cash, positions)
