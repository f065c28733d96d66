"""Average entry price and realised PnL of a spot position, from its history.

Spot cash does not depend on them, so they are worked out when somebody asks.
"""

from collections.abc import Iterable
from decimal import Decimal

from recon_core.amounts import EXACT, ZERO
from recon_core.ledger.bookings import moved_quantity, signed_quantity
from recon_core.ledger.cost_basis import UNIT, CostBasis, scaled
from recon_core.ledger.derivatives import booked_pnl
from recon_core.model import Currency, Fill, Instrument, Movement, MovementKind, Position
from recon_core.printable import printable

Event = Fill | Movement | Position
"""What changes a position: a fill, a movement of quantity, what the opening holds."""


def spot_history(
    events: Iterable[Event], instrument: Instrument, currencies: dict[str, Currency] | None
) -> tuple[CostBasis, Decimal | None]:
    """What is left of a position, and what its fills realised, in order of `events`.

    PnL is in the quote currency and without fees, rounded half-even per fill to the
    declared precision; without `currencies` it is not worked out and `None`, and so
    it is where part of the position came without a price. Raises `ReplayError`
    where a PnL has no finite decimal form and no precision is declared. A fee in the
    base currency leaves the entry price as it is.
    """
    basis = CostBasis()
    total: Decimal | None = None if currencies is None else ZERO
    for event in events:
        if not isinstance(event, Fill):
            change_without_fill(basis, event)
            total = total if basis.priced else None
            continue
        value = event.price.as_integer_ratio()
        numerator, divisor = basis.apply(scaled(signed_quantity(event)), value)
        if event.fee and event.fee_currency == instrument.base:
            basis.charge(-scaled(event.fee), value)
        if total is not None and currencies is not None and numerator:
            what = f"fill {printable(event.fill_id, 60)}"
            pnl = booked_pnl((numerator, divisor * UNIT), instrument.quote, currencies, what)
            total = EXACT.add(total, pnl)
    return basis, total


def change_without_fill(basis: CostBasis, event: Movement | Position) -> None:
    """Book what the opening holds, or what a movement moves, into a linear position."""
    if isinstance(event, Movement):
        move(basis, event)
    elif event.average_price is None:
        basis.move(scaled(event.quantity))
    else:
        basis.apply(scaled(event.quantity), event.average_price.as_integer_ratio())


def move(basis: CostBasis, movement: Movement) -> None:
    """A split keeps the cost of what is held; anything else comes without a price."""
    quantity = scaled(moved_quantity(movement))
    if movement.movement_kind is MovementKind.SPLIT:
        basis.split(quantity)
    else:
        basis.move(quantity)
