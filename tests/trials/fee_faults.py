"""Faults of fees: missing, doubled, with the other sign, in another currency, at another rate."""

from dataclasses import replace
from decimal import Decimal

from recon_core.model import Fill, SideRecord
from recon_core.model.explanation import CauseKind
from recon_core.values.amounts import EXACT, ZERO, round_to_places
from tests.trials.bases import Base
from tests.trials.fault import Dice, Fault, changed, ids_of, one_fill

_RATES = [Decimal(text) for text in ("0.0001", "0.0002", "0.0004", "0.00075", "0.001", "0.0026")]
_SHARES = [Decimal(text) for text in ("0.35", "0.9", "1.1", "1.37", "3.3")]
_THIRD = ("BNB", "USDC", "KCS")


def _all_fees(book: SideRecord, kind: CauseKind, fills: list[Fill]) -> Fault | None:
    touched = [fill for fill in book.fills or () if fill.fee]
    if len(touched) < 2:
        return None
    return Fault(kind, "all", replace(book, fills=tuple(fills)), more_ids=ids_of(touched))


def missing_fee(_base: Base, book: SideRecord, dice: Dice) -> Fault | None:
    """The fee of one fill is 0, or all fees are."""
    if dice.random() < 0.25:
        fills = [replace(fill, fee=ZERO) for fill in book.fills or ()]
        fault = _all_fees(book, CauseKind.MISSING_FEE, fills)
        return fault and replace(fault, also=frozenset({CauseKind.FEE_RATE}))
    fill = one_fill(book, dice, with_fee=True)
    return None if fill is None else changed(fill, book, CauseKind.MISSING_FEE, "one", fee=ZERO)


def duplicate_fee(_base: Base, book: SideRecord, dice: Dice) -> Fault | None:
    """The fee of one fill was booked twice."""
    fill = one_fill(book, dice, with_fee=True)
    if fill is None:
        return None
    twice = EXACT.add(fill.fee, fill.fee)
    return changed(fill, book, CauseKind.DUPLICATE_FEE, "one", fee=twice)


def fee_sign(_base: Base, book: SideRecord, dice: Dice) -> Fault | None:
    """A cost booked as a rebate: one of them, or all."""
    if dice.random() < 0.25:
        fills = [replace(fill, fee=fill.fee.copy_negate()) for fill in book.fills or ()]
        return _all_fees(book, CauseKind.FEE_SIGN, fills)
    fill = one_fill(book, dice, with_fee=True)
    if fill is None:
        return None
    return changed(fill, book, CauseKind.FEE_SIGN, "one", fee=fill.fee.copy_negate())


def wrong_fee(base: Base, book: SideRecord, dice: Dice) -> Fault | None:
    """One fee is another amount, at no rate of the others."""
    fill = one_fill(book, dice, with_fee=True)
    if fill is None:
        return None
    fee = EXACT.multiply(fill.fee, dice.choice(_SHARES))
    places = base.places(fill.fee_currency or "")
    fee = fee if places is None else round_to_places(fee, places)
    if fee in {ZERO, fill.fee, fill.fee.copy_negate(), EXACT.add(fill.fee, fill.fee)}:
        return None
    return changed(fill, book, CauseKind.WRONG_FEE, "one", fee=fee)


def fee_currency(base: Base, book: SideRecord, dice: Dice) -> Fault | None:
    """The number of a fee in another currency: base for quote, or a third one."""
    fill = one_fill(book, dice, with_fee=True)
    if fill is None:
        return None
    instrument = base.recorded.instruments[fill.symbol]
    choices = {instrument.base, instrument.quote, dice.choice(_THIRD)} - {fill.fee_currency}
    currency = dice.choice(sorted(choices))
    how = "third" if currency in _THIRD else "base and quote"
    return changed(fill, book, CauseKind.FEE_CURRENCY, how, fee_currency=currency)


def fee_rate(base: Base, book: SideRecord, dice: Dice) -> Fault | None:
    """All fees at another rate, rounded per fill."""
    if not base.has_exact_rates:
        return None
    rate = dice.choice([rate for rate in _RATES if rate not in base.rates.values()])
    try:
        fills = [replace(fill, fee=base.fee_at(fill, rate)) for fill in book.fills or ()]
    except ArithmeticError:
        return None
    return _all_fees(book, CauseKind.FEE_RATE, fills)
