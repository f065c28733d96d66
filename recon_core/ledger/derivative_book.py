"""The cost of every open derivative position, and what was realised on it.

Positions are kept apart by account, symbol and leg, and by position id where the
source averages them apart: a hedging engine, or one position per strategy.
"""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction

from recon_core.amounts import EXACT, ZERO
from recon_core.errors import ReplayError
from recon_core.ledger.bookings import (
    CashBooking,
    Category,
    Round,
    fee_booking,
    signed_quantity,
)
from recon_core.ledger.cost_basis import CostBasis, Ratio, scaled
from recon_core.ledger.derivatives import booked_pnl, realise, require_derivative, unit_value
from recon_core.ledger.spot_history import move
from recon_core.model import Currency, Fill, Instrument, Leg, Movement, Position
from recon_core.printable import printable

_Key = tuple[str | None, str, Leg]


class DerivativeBook:
    """Cost bases by position, and the PnL that each leg realised."""

    def __init__(self, currencies: Mapping[str, Currency], rounded: Round) -> None:
        self._currencies = currencies
        self._rounded = rounded
        self._bases: dict[_Key, dict[str | None, CostBasis]] = {}
        self._realised: dict[_Key, Decimal] = {}

    def open(self, position: Position, instrument: Instrument) -> None:
        """Take a position of the opening; without an average price it came without one."""
        require_derivative(instrument)
        basis = self._basis((position.account, position.symbol, position.leg), None)
        quantity = scaled(position.quantity)
        if position.average_price is None:
            basis.move(quantity)
        elif quantity:
            what = f"opening position {printable(position.symbol, 100)}"
            basis.apply(quantity, unit_value(position.average_price, instrument, what))

    def apply(self, fill: Fill, instrument: Instrument) -> list[CashBooking]:
        """What a fill books in cash: realised PnL and fee; raises and keeps the cost."""
        require_derivative(instrument)
        key = (fill.account, fill.symbol, fill.leg)
        basis = self._basis(key, fill.position_id)
        before = basis.quantity, basis.cost, basis.divisor, basis.priced
        what = f"fill {printable(fill.fill_id, 60)}"
        try:
            ratio = realise(basis, scaled(signed_quantity(fill)), fill, instrument, what)
            pnl = booked_pnl(ratio, instrument.settlement, self._currencies, what)
        except ReplayError:
            basis.quantity, basis.cost, basis.divisor, basis.priced = before
            raise
        bookings = []
        if pnl:
            self._realised[key] = EXACT.add(self._realised.get(key, ZERO), pnl)
            bookings.append(CashBooking(instrument.settlement, pnl, Category.REALISED_PNL))
        if fill.fee:
            bookings.append(fee_booking(fill, self._rounded))
        return bookings

    def move(self, movement: Movement, key: _Key) -> None:
        """Book a split or another movement of quantity on the position that is held."""
        bases = self._bases.get(key, {})
        held = [basis for basis in bases.values() if basis.quantity]
        if len(held) > 1:
            raise ReplayError(
                f"movement {printable(movement.movement_id, 60)} moves a quantity of "
                f"{printable(movement.symbol, 100)}, which is held in several positions; "
                "a movement names no position"
            )
        move(held[0] if held else self._basis(key, None), movement)

    def average(self, key: _Key) -> Ratio | None:
        """The average value of what is open on a leg; `None` when flat or without a price."""
        bases = [basis for basis in self._bases.get(key, {}).values() if basis.quantity]
        directions = {basis.quantity > 0 for basis in bases}
        if len(directions) != 1 or not all(basis.priced for basis in bases):
            return None
        cost = sum((Fraction(basis.cost, basis.divisor) for basis in bases), Fraction(0))
        quantity = sum(abs(basis.quantity) for basis in bases)
        return cost.numerator, cost.denominator * quantity

    def realised(self, key: _Key) -> Decimal:
        """What was realised on a leg, in the settlement currency and without fees."""
        return self._realised.get(key, ZERO)

    def _basis(self, key: _Key, position_id: str | None) -> CostBasis:
        bases = self._bases.setdefault(key, {})
        basis = bases.get(position_id)
        if basis is None:
            basis = bases[position_id] = CostBasis()
        return basis
