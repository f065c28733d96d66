"""Causes: one file a family, with what it proposes, its doubts and its sentence.

`CAUSES` is the list of all families. A new cause is a member of `CauseKind`, one file of this
room and one row here; of a family that exists, the member and its sentence are enough.
"""

from typing import Final

from recon_core.explain.causes import (
    alias,
    balance_kind,
    clipped,
    conversion,
    cumulative,
    fee_amount,
    fee_currency,
    fee_rate,
    fills,
    foreign,
    legs,
    movement,
    multiplier,
    opening,
    price,
    quantity,
    rounding,
    side,
    sign,
    split,
    stale,
    unit,
    unstated_fills,
    wrong_fee,
)
from recon_core.explain.causes.family import CauseFamily
from recon_core.model.explanation import CauseKind

CAUSES: Final[tuple[CauseFamily, ...]] = (
    fills.FAMILY,
    side.FAMILY,
    legs.FAMILY,
    alias.FAMILY,
    conversion.FAMILY,
    stale.FAMILY,
    foreign.FAMILY,
    movement.FAMILY,
    opening.FAMILY,
    rounding.FAMILY,
    balance_kind.FAMILY,
    clipped.FAMILY,
    sign.FAMILY,
    unit.FAMILY,
    multiplier.FAMILY,
    split.FAMILY,
    fee_rate.FAMILY,
    fee_currency.FAMILY,
    fee_amount.FAMILY,
    wrong_fee.FAMILY,
    quantity.FAMILY,
    unstated_fills.FAMILY,
    price.FAMILY,
    cumulative.FAMILY,
)
"""All families, in the order in which they are asked."""


def family_of(kind: CauseKind) -> CauseFamily:
    """Return the family that a kind of cause belongs to."""
    return next(family for family in CAUSES if kind in family.sentences)
