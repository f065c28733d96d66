"""Positions of a side whose instruments are not declared: quantities, and no cash.

Source of the rules: session format, "Instruments".
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from recon_core.ledger.bookings import held_quantity, signed_quantity
from recon_core.ledger.position_ledger import PositionKey
from recon_core.model import Fill, Instrument, Leg, Opening, Position, SideRecord
from recon_core.model.assets import unified_spot
from recon_core.values.amounts import EXACT, ZERO


@dataclass(slots=True)
class Quantities:
    """Signed quantities by position, and the symbols whose quantity is uncertain.

    Without an instrument it is not known whether a fee in a currency that the symbol starts
    with (`BTCUSDT`, 0.001 BTC) makes the position smaller.
    """

    held: dict[PositionKey, Decimal] = field(default_factory=dict)
    doubtful: set[str] = field(default_factory=set)

    def add(self, key: PositionKey, quantity: Decimal) -> None:
        """Change one position."""
        self.held[key] = EXACT.add(self.held.get(key, ZERO), quantity)

    def add_fill(self, fill: Fill, instrument: Instrument | None) -> None:
        """Change a position by a fill, less a fee in the base of a spot pair."""
        if instrument is not None:
            quantity = held_quantity(fill, instrument)
        else:
            quantity = signed_quantity(fill)
            currency = fill.fee_currency
            if fill.fee and currency and fill.symbol.startswith(currency):
                self.doubtful.add(fill.symbol)
        self.add((fill.account, fill.symbol, fill.leg), quantity)

    def positions(self) -> tuple[Position, ...]:
        """The positions whose quantity is certain."""
        return tuple(
            Position(symbol, quantity, account=account, leg=leg)
            for (account, symbol, leg), quantity in self.held.items()
            if symbol not in self.doubtful
        )


def quantities(record: SideRecord, instruments: Mapping[str, Instrument]) -> Quantities:
    """Return the sums of the opening, the fills and the movements of a side."""
    found = Quantities()
    for position in (record.opening or Opening(None)).positions:
        found.add((position.account, position.symbol, position.leg), position.quantity)
    for fill in record.fill_rows:
        found.add_fill(fill, instruments.get(fill.symbol) or unified_spot(fill.symbol))
    for movement in record.movement_rows:
        if movement.symbol is not None and movement.quantity is not None:
            found.add((movement.account, movement.symbol, Leg.NET), movement.quantity)
    return found
