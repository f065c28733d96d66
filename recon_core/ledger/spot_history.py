"""Average entry price and realised PnL of a spot position, from its history.

Spot cash does not depend on them, so they are worked out when somebody asks.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from recon_core.ledger.bookings import Roundings, charged_in_kind, signed_quantity
from recon_core.ledger.cost_basis import CostBasis, new_basis, scaled
from recon_core.ledger.derivatives import PnlRule, average_price, pnl_rule, refuse_inexact
from recon_core.model import Fill, Instrument, Movement, MovementKind, Position
from recon_core.values.amounts import EXACT, ZERO


@dataclass(slots=True)
class SpotHistory:
    """Cost of an open spot position, and the PnL that its fills realised, in quote currency.

    PnL is without fees, rounded half-even per fill to the declared precision; it is `None`
    where part of the position came without a price.
    """

    instrument: Instrument
    basis: CostBasis
    realised: Decimal | None = ZERO

    def average_price(self) -> Decimal | None:
        """The average entry price, `None` when flat or entered without a price."""
        return average_price(self.basis, self.instrument)


def spot_history(
    events: Iterable[Fill | Movement | Position],
    instrument: Instrument,
    roundings: Roundings | None,
) -> SpotHistory:
    """The history that `events` give, in their order; without `roundings` its price only.

    Raises `ReplayError` where a PnL has no finite decimal form and no precision is
    declared. A fee in the base currency leaves the entry price as it is.
    """
    places = 0 if roundings is None else roundings.places(instrument.quote)
    history = SpotHistory(instrument, new_basis(places))
    rule = pnl_rule(instrument, places)
    for event in events:
        if isinstance(event, Fill):
            _post(history, event, rule)
        else:
            change_without_fill(history.basis, event)
            history.realised = history.realised if history.basis.priced else None
    return history


def _post(history: SpotHistory, fill: Fill, rule: PnlRule) -> None:
    value = fill.price.as_integer_ratio()
    pnl = rule.realise(history.basis, scaled(signed_quantity(fill)), value)
    if fill.fee and charged_in_kind(history.instrument, fill.fee_currency):
        history.basis.apply(-scaled(fill.fee), value)
    if history.realised is not None and pnl is None:
        raise refuse_inexact(fill, history.instrument.quote)
    if history.realised is not None and pnl:
        history.realised = EXACT.add(history.realised, pnl)


def change_without_fill(basis: CostBasis, event: Movement | Position) -> None:
    """Book what the opening holds, or what a movement moves, into a linear position."""
    if isinstance(event, Movement):
        move(basis, event)
    elif event.average_price is None:
        basis.move(scaled(event.quantity))
    elif event.quantity:
        basis.apply(scaled(event.quantity), event.average_price.as_integer_ratio())


def move(basis: CostBasis, movement: Movement) -> None:
    """Move a quantity: a split keeps the cost of the holding; any other movement has no price."""
    quantity = scaled(ZERO if movement.quantity is None else movement.quantity)
    if movement.movement_kind is MovementKind.SPLIT:
        basis.split(quantity)
    else:
        basis.move(quantity)
