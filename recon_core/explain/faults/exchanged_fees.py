"""Fees that were booked in another currency by their worth: what one balance has, another lacks.

A fee in its own number is an edit of the search; here it was converted at the fill's price,
or, into a currency that is not traded, at about what other fills are charged there.
"""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from itertools import compress
from operator import attrgetter
from typing import Final

from recon_core.amounts import EXACT
from recon_core.explain.effects.space import currency_of, is_cash
from recon_core.explain.faults.edits import SOLVED, Edit, fee_change
from recon_core.explain.grounds.ground import Ground
from recon_core.explanation import CauseKind
from recon_core.ledger.bookings import is_derivative
from recon_core.model import Fill

_ABOUT: Final = 2
_FLOAT_NOISE: Final = Fraction(1, 10**9)
_EXACTLY: Final = 1
_FEE: Final = attrgetter("fee")


def exchanged_fees(ground: Ground) -> Iterator[Edit]:
    """The fees that one of two balances has too much, and the other one by their worth."""
    balances = {name: amount for name, amount in ground.need.items() if is_cash(name)}
    if len(balances) != 2:  # noqa: PLR2004  # the one that was booked, and the one that was meant
        return
    for name, given in balances.items():
        ((other, amount),) = ((one, left) for one, left in balances.items() if one != name)
        for fill in _charged(ground, name, given):
            yield from _exchanged(ground, fill, other, amount.copy_negate())


def _charged(ground: Ground, name: str, given: Decimal) -> Iterator[Fill]:
    """The fills whose fee is what one balance was charged too much."""
    allowed = ground.allowed(name)
    low, high = EXACT.subtract(given, allowed), EXACT.add(given, allowed)
    fees = map(_FEE, ground.fills)
    fits = [low <= fee <= high for fee in fees] if allowed else map(given.__eq__, fees)
    for fill in compress(ground.fills, fits):
        if fill.fee and ground.bookings.cash(fill.fee_currency or "", fill.account) == name:
            yield fill


def _exchanged(ground: Ground, fill: Fill, other: str, fee: Decimal) -> Iterator[Edit]:
    """The fee of a fill in the balance that lacks it, where it is its worth."""
    currency = currency_of(other)
    rank = _rank(ground, fill, fee, currency)
    if rank is None or ground.bookings.cash(currency, fill.account) != other:
        return
    said = "as {}" if ground.rows_right else "it was {}"
    edit = fee_change(fill, CauseKind.FEE_CURRENCY, fee, currency, rank)
    if ground.reached_by(edit.change):
        yield replace(edit, detail=said.format(f"{fee:f} {currency}"))


def share_of(fill: Fill) -> Fraction:
    """A fee by what was traded, in the currency that it is charged in."""
    worth = Fraction(fill.quantity) * Fraction(fill.price)
    return Fraction(fill.fee) / worth if worth else Fraction(0)


def is_about(share: Fraction, fills: list[Fill]) -> bool:
    """Whether a share is about that of other fills, which are charged alike."""
    shares = [share_of(fill) for fill in fills]
    if not shares or share <= 0:
        return False
    return min(shares) <= share * _ABOUT and share <= max(shares) * _ABOUT


def _rank(ground: Ground, fill: Fill, fee: Decimal, currency: str) -> int | None:
    """What speaks for a fee in another currency, `None` where nothing does."""
    instrument = ground.bookings.instruments.get(fill.symbol)
    if instrument is None or is_derivative(instrument) or not fill.price:
        return None
    price, booked = Fraction(fill.price), Fraction(fill.fee)
    if (fill.fee_currency, currency) == (instrument.quote, instrument.base):
        return _EXACTLY if _is_nearly(ground, fee, booked / price, currency) else None
    if (fill.fee_currency, currency) == (instrument.base, instrument.quote):
        return _EXACTLY if _is_nearly(ground, fee, booked * price, currency) else None
    alike = [one for one in ground.fills if one.fee_currency == currency and one.fee]
    worth = Fraction(fill.quantity) * price
    return SOLVED if worth and is_about(Fraction(fee) / worth, alike) else None


def _is_nearly(ground: Ground, fee: Decimal, worth: Fraction, currency: str) -> bool:
    """Whether a fee is a worth, but for the rounding of both."""
    unit = Fraction(ground.bookings.resolution(currency)) or abs(worth) * _FLOAT_NOISE
    return bool(fee) and abs(Fraction(fee) - worth) <= unit
