"""A derivative position: what it cost, and the PnL that its fills realised.

Positions that the source averages separately, by position id, have a cost each: those of a
hedging engine, or one per strategy.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from fractions import Fraction

from recon_core.ledger.bookings import (
    Roundings,
)
from recon_core.ledger.cost_basis import CostBasis, all_scaled, in_full, new_basis, scaled
from recon_core.ledger.derivatives import (
    average_price,
    pnl_rule,
    refuse_inexact,
    unit_value,
    unit_values,
)
from recon_core.ledger.ratios import Ratio
from recon_core.ledger.realising import RealisingHolding, refuse_close, require_one_position
from recon_core.ledger.spot_history import move
from recon_core.model import Fill, Instrument, Movement, Position


class DerivativeHolding(RealisingHolding):
    """The positions of one symbol on one leg, each with what it cost."""

    def __init__(self, instrument: Instrument, roundings: Roundings) -> None:
        super().__init__(instrument, roundings)
        self._rule = pnl_rule(instrument, self._places)
        self._bases: dict[str | None, CostBasis] = {}

    def open(self, position: Position) -> None:
        """Take what the opening holds; without an average price it came without one."""
        basis, quantity = self._basis(None), scaled(position.quantity)
        if position.average_price is None:
            basis.move(quantity)
        elif quantity:
            basis.apply(quantity, unit_value(position.average_price, self.instrument, position))
        super().open(position)

    def _gains(self, fills: Sequence[Fill], signed: Sequence[Decimal]) -> Iterable[Decimal | None]:
        return map(self._realise, fills, all_scaled(signed), unit_values(fills, self.instrument))

    def _realise(self, fill: Fill, quantity: int, value: Ratio) -> Decimal:
        basis = self._bases.get(fill.position_id) or self._basis(fill.position_id)
        if not basis.priced and basis.quantity and (basis.quantity > 0) != (quantity > 0):
            raise refuse_close(fill)
        steps = basis.steps
        pnl = self._rule.realise(basis, quantity, value)
        if pnl is None:
            self._bases[fill.position_id] = in_full(steps[:-1])
            raise refuse_inexact(fill, self.instrument.settlement)
        return pnl

    def move(self, movement: Movement) -> None:
        """Book a split or another movement of quantity on the position that is held."""
        held = [basis for basis in self._bases.values() if basis.quantity]
        require_one_position(movement, len(held))
        move(held[0] if held else self._basis(None), movement)
        super().move(movement)

    def average_price(self) -> Decimal | None:
        """In quote currency, the harmonic one for an inverse contract; over all positions."""
        bases = [basis for basis in self._bases.values() if basis.quantity]
        if len(bases) == 1:
            return average_price(bases[0], self.instrument)
        directions = {basis.quantity > 0 for basis in bases}
        if len(directions) != 1 or not all(basis.priced for basis in bases):
            return None
        return average_price(_together(bases), self.instrument)

    def _basis(self, position_id: str | None) -> CostBasis:
        basis = self._bases.get(position_id)
        if basis is None:
            basis = self._bases[position_id] = new_basis(self._places)
        return basis


def _together(bases: list[CostBasis]) -> CostBasis:
    """Several positions of one direction as one, exactly."""
    full = [in_full(basis.steps) for basis in bases]
    cost = sum((Fraction(basis.cost, basis.divisor) for basis in full), Fraction(0))
    quantity = sum(basis.quantity for basis in full)
    return CostBasis(quantity=quantity, cost=cost.numerator, divisor=cost.denominator)
