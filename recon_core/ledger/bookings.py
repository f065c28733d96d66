"""Bookings: what one fill or movement changes, each amount rounded once and named.

Source of the rules: the design's "Exactness" and "Ledger comparisons". A spot fill
moves base and quote currency and the position; a fee in the base currency also
reduces the position. Cash amounts are rounded half-even to the currency's declared
precision, per booking; without a declared precision they stay exact. What a
derivative books is in `recon_core.ledger.derivatives`.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Final, NamedTuple

from recon_core.amounts import EXACT, ZERO, format_amount, round_to_places
from recon_core.errors import ReplayError
from recon_core.model import (
    Currency,
    Fill,
    Instrument,
    InstrumentKind,
    Leg,
    Movement,
    MovementKind,
    OrderSide,
)
from recon_core.printable import printable


class Category(StrEnum):
    """Why cash moved: the lines of a cash waterfall, in the order of the report."""

    OPENING = "opening"
    TRADES = "trades"
    REALISED_PNL = "realised PnL"
    FEES = "fees"
    FUNDING = "funding"
    INTEREST = "interest"
    DIVIDENDS = "dividends"
    DEPOSITS = "deposits"
    WITHDRAWALS = "withdrawals"
    TRANSFERS = "transfers"
    CONVERSIONS = "conversions"
    SPLITS = "cash in lieu"
    ADJUSTMENTS = "adjustments"


_CATEGORIES: Final[Mapping[MovementKind, Category]] = {
    MovementKind.DEPOSIT: Category.DEPOSITS,
    MovementKind.WITHDRAWAL: Category.WITHDRAWALS,
    MovementKind.TRANSFER: Category.TRANSFERS,
    MovementKind.FUNDING: Category.FUNDING,
    MovementKind.INTEREST: Category.INTEREST,
    MovementKind.FEE: Category.FEES,
    MovementKind.DIVIDEND: Category.DIVIDENDS,
    MovementKind.SPLIT: Category.SPLITS,
    MovementKind.CONVERSION: Category.CONVERSIONS,
    MovementKind.ADJUSTMENT: Category.ADJUSTMENTS,
}


class CashBooking(NamedTuple):
    """A signed change of one balance of the account that the event names."""

    currency: str
    amount: Decimal
    category: Category


Round = Callable[[Decimal, str], Decimal]
"""Rounds an amount to the precision of a currency."""


def rounding_to(currencies: Mapping[str, Currency]) -> Round:
    """A rounding by declared precision; a currency that is not declared stays exact."""
    places = {code: declared.precision for code, declared in currencies.items()}

    def rounded(amount: Decimal, currency: str) -> Decimal:
        declared = places.get(currency)
        return amount if declared is None else round_to_places(amount, declared)

    return rounded


def signed_quantity(fill: Fill) -> Decimal:
    """The quantity as it changes the position: negative for a SELL."""
    return fill.quantity if fill.side is OrderSide.BUY else fill.quantity.copy_negate()


def held_quantity(fill: Fill, base: str) -> Decimal:
    """What a spot fill adds to the position: its quantity less a fee in the base currency."""
    quantity = signed_quantity(fill)
    charged = fill.fee and fill.fee_currency == base
    return EXACT.subtract(quantity, fill.fee) if charged else quantity


def spot_bookings(fill: Fill, instrument: Instrument, rounded: Round) -> list[CashBooking]:
    """What a spot fill books in cash; the instrument was checked by `require_spot`."""
    base, quote = instrument.base, instrument.quote
    quantity = signed_quantity(fill)
    notional = EXACT.multiply(quantity, fill.price).copy_negate()
    bookings = [
        CashBooking(base, rounded(quantity, base), Category.TRADES),
        CashBooking(quote, rounded(notional, quote), Category.TRADES),
    ]
    if fill.fee:
        bookings.append(fee_booking(fill, rounded))
    return bookings


def fee_booking(fill: Fill, rounded: Round) -> CashBooking:
    """The fee of a fill, in whatever currency it was charged; a rebate is positive."""
    currency = fill.fee_currency
    assert currency is not None  # noqa: S101  # Fill.require_sense
    return CashBooking(currency, rounded(fill.fee, currency).copy_negate(), Category.FEES)


def require_spot(fill: Fill, instrument: Instrument) -> None:
    """Refuse by name what a spot instrument cannot mean, instead of guessing."""
    if instrument.multiplier != 1:
        multiplier = format_amount(instrument.multiplier)
        reason = f"has multiplier {multiplier}; spot can be replayed with 1 only"
    elif fill.leg is not Leg.NET:
        reason = f"has a fill on leg {fill.leg}; spot can be replayed with NET only"
    else:
        return
    raise ReplayError(f"instrument {printable(instrument.symbol, 100)} {reason}")


def is_derivative(instrument: Instrument) -> bool:
    """Whether fills move cash by fee and realised PnL only."""
    return instrument.instrument_kind is not InstrumentKind.SPOT


def movement_booking(movement: Movement, rounded: Round) -> CashBooking | None:
    """The amount of a movement; its quantity moves a position and never cash."""
    if movement.currency is None or movement.amount is None:
        return None
    amount = rounded(movement.amount, movement.currency)
    return CashBooking(movement.currency, amount, category(movement))


def category(movement: Movement) -> Category:
    """The line of the cash waterfall that a movement belongs to."""
    return _CATEGORIES[movement.movement_kind]


def moved_quantity(movement: Movement) -> Decimal:
    """The signed quantity of a movement, 0 where it moves cash only."""
    given = movement.symbol is not None and movement.quantity is not None
    return movement.quantity if given and movement.quantity is not None else ZERO
