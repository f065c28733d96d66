"""A fill with one number changed: which of both is the right one, and what a fee says of it."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Final

from recon_core.amounts import EXACT
from recon_core.explain.effects.changes import Change
from recon_core.explain.effects.slips import slip
from recon_core.explain.faults.edits import SOLVED, UNPROVEN, Edit
from recon_core.explain.faults.fill_edits import FillEdits
from recon_core.explain.faults.market import Market
from recon_core.explain.grounds.ground import Ground
from recon_core.explanation import CauseKind
from recon_core.model import Fill

_MANY_UNITS: Final = Decimal(100)


def charged_again(ground: Ground, market: Market, fill: Fill, other: Fill) -> Iterator[Fill]:
    """The changed fill with its fee at the rates of its market."""
    model = market.models[fill.side]
    if model is None or not fill.fee:
        return
    for rate in model.rates:
        fee = model.fee(ground.bookings, other, rate)
        if fee != fill.fee:
            yield replace(other, fee=fee)


def charged_along(ground: Ground, edits: FillEdits, edit: Edit) -> Edit | None:
    """An edit of several fills with the fees that the changed ones have at their rates.

    `None` where a fee is at no rate, or none changes.
    """
    added = []
    for old, new in zip(edit.change.removed, edit.change.added, strict=True):
        model = edits.model(old)
        rates = () if model is None else model.rates
        fee = next(
            (
                model.fee(ground.bookings, new, rate)
                for rate in rates
                if model is not None and model.fee(ground.bookings, old, rate) == old.fee
            ),
            None,
        )
        if fee is None:
            return None
        added.append(replace(new, fee=fee))
    change = replace(edit.change, added=tuple(added))
    return None if change == edit.change else replace(edit, change=change)


def told(ground: Ground, given: Decimal, other: Decimal) -> tuple[Decimal, Decimal]:
    """The wrong and the right one of two numbers."""
    return (other, given) if ground.rows_right else (given, other)


def fee_shows(ground: Ground, market: Market, wrong: Fill, right: Fill) -> bool:
    """Whether a fee is that of the right fill, and far from that of the wrong one."""
    model = market.models[wrong.side]
    if model is None or wrong.fee != right.fee or not wrong.fee:
        return False
    wrongly, rightly = (
        [model.fee(ground.bookings, each, rate) for rate in model.rates] for each in (wrong, right)
    )
    unit = ground.bookings.resolution(model.currency)
    apart = min(EXACT.subtract(fee, wrong.fee).copy_abs() for fee in wrongly)
    return apart > EXACT.multiply(unit, _MANY_UNITS) and right.fee in rightly


def fee_denies(ground: Ground, edits: FillEdits, wrong: Fill, right: Fill) -> bool:
    """Whether the fee of a wrong row is none that the right one would be charged."""
    model = edits.model(wrong)
    if ground.rows_right or model is None or wrong.fee != right.fee or not wrong.fee:
        return False
    return model.off(ground.bookings, right) > ground.bookings.resolution(model.currency)


def tenfold(ground: Ground, edits: FillEdits) -> Iterator[Edit]:
    """Every price and every quantity ten times what it is, and a tenth of it."""
    for fill in ground.fills:
        for power in (-1, 1):
            price = replace(fill, price=fill.price.scaleb(power, EXACT))
            how = slip(*told(ground, fill.price, price.price))
            yield from _slipped(ground, edits, CauseKind.WRONG_PRICE, price, fill, how)
            more = replace(fill, quantity=fill.quantity.scaleb(power, EXACT))
            how = slip(*told(ground, fill.quantity, more.quantity))
            yield from _slipped(ground, edits, CauseKind.WRONG_QUANTITY, more, fill, how)


def _slipped(
    ground: Ground, edits: FillEdits, kind: CauseKind, other: Fill, fill: Fill, how: str | None
) -> Iterator[Edit]:
    if how is not None:
        rank = UNPROVEN if fee_denies(ground, edits, fill, other) else SOLVED
        yield Edit(kind, Change((fill,), (other,)), (fill,), rank, how)
