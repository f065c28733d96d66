"""Rows that their own fee contradicts: a price or a quantity that the fee says otherwise.

A fee that is no known rate of its row, and that is the rate of the row with another price
or another quantity to the last digit, tells what that was.
"""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Final

from recon_core.amounts import EXACT
from recon_core.explain.effects.changes import Change
from recon_core.explain.effects.fees import FeeModel, fee_value
from recon_core.explain.effects.slips import slip
from recon_core.explain.faults.edits import Edit, fee_change
from recon_core.explain.faults.fill_edits import FillEdits
from recon_core.explain.faults.market import Market, market_of
from recon_core.explain.grounds.ground import Ground
from recon_core.explanation import CauseKind
from recon_core.model import Fill, InstrumentKind

_MOST: Final = 40
_MOST_FILLS: Final = 2_000
_MANY_UNITS: Final = Decimal(100)


def contradicted(ground: Ground, edits: FillEdits) -> Iterator[Edit]:
    """A price and a quantity that their fee asks for, of each row that it contradicts.

    Where a fee is in another currency than the others, the fee in theirs.

    Nothing where the rows are right, where so many are contradicted that the fees follow
    another rule, or where there are more fills than are looked at one by one.
    """
    if ground.rows_right or len(ground.fills) > _MOST_FILLS:
        return
    for name in ground.by_symbol:
        market = market_of(ground, name, edits)
        if market is None:
            continue
        wrong = [
            (model, fill)
            for fill in market.fills
            for model in [market.models[fill.side]]
            if model is not None and _is_contradicted(ground, model, fill)
        ]
        for model, fill in wrong if len(wrong) <= _MOST else ():
            if fill.fee_currency == model.currency:
                yield from _as_charged(ground, market, model, fill)
            else:
                yield from _as_usual(ground, model, fill)


def _is_contradicted(ground: Ground, model: FeeModel, fill: Fill) -> bool:
    """Whether a fee is far from every rate, or in another currency."""
    if not fill.fee or not fill.quantity:
        return False
    if fill.fee_currency != model.currency:
        return True
    unit = ground.bookings.resolution(model.currency)
    limit = EXACT.multiply(unit, _MANY_UNITS)
    return model.off(ground.bookings, fill) > limit


def _as_usual(ground: Ground, model: FeeModel, fill: Fill) -> Iterator[Edit]:
    """The fee of a fill in the currency and at the rates of the others."""
    for rate in model.rates:
        fee = model.fee(ground.bookings, fill, rate)
        detail = f"it was {fee:f} {model.currency}"
        edit = fee_change(fill, CauseKind.FEE_CURRENCY, fee, model.currency, 0)
        yield replace(edit, detail=detail)


def _as_charged(ground: Ground, market: Market, model: FeeModel, fill: Fill) -> Iterator[Edit]:
    value = Fraction(fee_value(ground.bookings, fill, in_base=model.in_base))
    inverse = market.instrument.instrument_kind is InstrumentKind.INVERSE
    for rate in model.rates if value else ():
        times = Fraction(fill.fee) / (Fraction(rate) * value)
        if times <= 0:
            continue
        quantity = _rounded(Fraction(fill.quantity) * times, market.lot_places)
        ratio = 1 / times if inverse else times
        price = _rounded(Fraction(fill.price) * ratio, market.tick_places)
        for kind, other, given, right in (
            (CauseKind.WRONG_QUANTITY, replace(fill, quantity=quantity), fill.quantity, quantity),
            (CauseKind.WRONG_PRICE, replace(fill, price=price), fill.price, price),
        ):
            if kind is CauseKind.WRONG_PRICE and model.in_base and not inverse:
                continue  # a fee on the quantity says nothing of the price
            if right > 0 and model.fee(ground.bookings, other, rate) == fill.fee:
                how = slip(given, right) or ""
                yield Edit(kind, Change((fill,), (other,)), (fill,), 1, how)


def _rounded(amount: Fraction, places: int) -> Decimal:
    return Decimal(round(amount * 10**places)).scaleb(-places, EXACT)
