"""All fees of several rates in one proportion: another tier of makers and takers.

The first of the rates is solved for and has to be round; the others go along with it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Final

from recon_core.amounts import EXACT, ZERO, exact_sum
from recon_core.explain.effects.bookings import to_decimal
from recon_core.explain.effects.fees import ROUNDINGS, FeeModel, fee_value, round_rate, tells
from recon_core.explain.faults.edits import Edit, of_all
from recon_core.explain.faults.fill_edits import FillEdits
from recon_core.explain.grounds.ground import Ground
from recon_core.explanation import CauseKind
from recon_core.model import Fill

_PLACES: Final = 20
_FEW: Final = 3

Charged = tuple[Fill, FeeModel, Decimal]
"""A fill, how it is charged, and at which rate."""


def in_another_tier(
    ground: Ground, meant: Sequence[Fill], edits: FillEdits, name: str
) -> Iterator[Edit]:
    """The fees that are booked in one balance, in the proportion that the need asks for."""
    charged = [one for fill in meant if fill.fee for one in _charged(ground, fill, edits)]
    rates = list(dict.fromkeys(rate for _, _, rate in charged))
    if len(rates) < 2 or len(charged) < len(meant):  # noqa: PLR2004  # one rate is no tier
        return
    first = Fraction(rates[0])
    currency = charged[0][1].currency
    values = (
        to_decimal(Fraction(fee_value(ground.bookings, fill, in_base=model.in_base))
                   * Fraction(rate) / first, _PLACES)
        for fill, model, rate in charged
    )  # fmt: skip
    value = exact_sum(values)
    fees = exact_sum(ground.bookings.roundings[currency](fill.fee) for fill, _, _ in charged)
    total = EXACT.subtract(fees, ground.need.get(name, ZERO))
    unit = ground.bookings.resolution(currency) or Decimal("1e-12")
    rate = round_rate(total, value, EXACT.multiply(unit, Decimal(len(charged)))) if value else None
    if rate is None or not tells(rate, value, unit) or rate == rates[0]:
        return
    factor = Fraction(rate) / first
    detail = _rates_text(rates, factor, rows_right=ground.rows_right)
    for rounding in ROUNDINGS:
        changed = [_at(ground, one, factor, rounding) for one in charged]
        yield of_all(CauseKind.FEE_RATE, [fill for fill, _, _ in charged], changed, detail)


def _rates_text(rates: Sequence[Decimal], factor: Fraction, *, rows_right: bool) -> str:
    given, other = (
        ", ".join(f"{rate.normalize(EXACT):f}" for rate in sorted(some, reverse=True))
        for some in (rates, [to_decimal(Fraction(rate) * factor, _PLACES) for rate in rates])
    )
    booked, right = (other, given) if rows_right else (given, other)
    return f"booked at the rates {booked} instead of {right}"


def strangers(ground: Ground, meant: Sequence[Fill], edits: FillEdits) -> str:
    """The few fills whose fee is at no rate that others are charged, to be added to a text."""
    known = [fill for fill in meant if edits.model(fill) is not None]
    ids = [fill.fill_id for fill in known if not any(_charged(ground, fill, edits))]
    return f"; {', '.join(ids)} at neither" if 0 < len(ids) <= _FEW else ""


def _charged(ground: Ground, fill: Fill, edits: FillEdits) -> Iterator[Charged]:
    """A fill with the rate that its fee is at, a unit aside; nothing where it is at none."""
    model = edits.model(fill)
    for rate in () if model is None else model.rates:
        if model is not None:
            off = EXACT.subtract(model.fee(ground.bookings, fill, rate), fill.fee).copy_abs()
            if off <= ground.bookings.resolution(model.currency):
                yield fill, model, rate
                return


def _at(ground: Ground, one: Charged, factor: Fraction, rounding: str) -> Fill:
    fill, model, rate = one
    other = to_decimal(Fraction(rate) * factor, _PLACES)
    fee = replace(model, rounding=rounding).fee(ground.bookings, fill, other)
    return replace(fill, fee=fee)
