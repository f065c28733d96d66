"""A derivative position: what it cost, and the PnL that its fills realised.

Positions that the source averages separately, by position id, have a cost each: those of a
hedging engine, or one per strategy.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from fractions import Fraction

from recon_core.ledger.bookings import (
    CashBooking,
    Category,
    Roundings,
    fees_by_currency,
    signed_quantities,
)
from recon_core.ledger.cost_basis import CostBasis, all_scaled, in_full, new_basis, scaled
from recon_core.ledger.derivatives import (
    average_price,
    pnl_rule,
    refuse_inexact,
    require_derivative,
    row_name,
    unit_value,
    unit_values,
)
from recon_core.ledger.holdings import Holding
from recon_core.ledger.ratios import Ratio
from recon_core.ledger.spot_history import move
from recon_core.model import Fill, Instrument, Movement, Position
from recon_core.values.amounts import EXACT, ZERO, exact_sum
from recon_core.values.errors import ReplayError
from recon_core.values.printable import printable


class DerivativeHolding(Holding):
    """The positions of one symbol on one leg; cash moves by fee and realised PnL."""

    def __init__(self, instrument: Instrument, roundings: Roundings) -> None:
        require_derivative(instrument)
        super().__init__()
        self.instrument = instrument
        self._roundings = roundings
        self._places = roundings.places(instrument.settlement)
        self._rule = pnl_rule(instrument, self._places)
        self._bases: dict[str | None, CostBasis] = {}
        self._realised: Decimal | None = None

    def open(self, position: Position) -> None:
        """Take what the opening holds; without an average price it came without one."""
        basis, quantity = self._basis(None), scaled(position.quantity)
        if position.average_price is None:
            basis.move(quantity)
        elif quantity:
            basis.apply(quantity, unit_value(position.average_price, self.instrument, position))
        super().open(position)

    def apply(self, fills: Sequence[Fill]) -> None:
        """Post fills; raises `ReplayError` where one cannot be posted.

        That fill and its successors are not posted, nor are fees and quantities of its
        predecessors: a ledger that continues posts them one by one.
        """
        signed = signed_quantities(fills)
        values = unit_values(fills, self.instrument)
        realised = list(filter(None, map(self._realise, fills, all_scaled(signed), values)))
        if realised:
            self._realised = EXACT.add(self._realised or ZERO, exact_sum(realised))
        self.charge(fees_by_currency(fills), self._roundings)
        self.quantity = EXACT.add(self.quantity, exact_sum(signed))
        self.events.extend(fills)

    def _realise(self, fill: Fill, quantity: int, value: Ratio) -> Decimal:
        basis = self._bases.get(fill.position_id) or self._basis(fill.position_id)
        if not basis.priced:
            _refuse_close(basis, fill, quantity)
        steps = basis.steps
        pnl = self._rule.realise(basis, quantity, value)
        if pnl is None:
            self._bases[fill.position_id] = in_full(steps[:-1])
            raise refuse_inexact(fill, self.instrument.settlement)
        return pnl

    def move(self, movement: Movement) -> None:
        """Book a split or another movement of quantity on the position that is held."""
        held = [basis for basis in self._bases.values() if basis.quantity]
        if len(held) > 1:
            raise ReplayError(
                f"movement {printable(movement.movement_id, 60)} moves a quantity of "
                f"{printable(movement.symbol, 100)}, which is held in several positions; "
                "a movement names no position"
            )
        move(held[0] if held else self._basis(None), movement)
        super().move(movement)

    def cash(self) -> Iterator[CashBooking]:
        """Yield the cash that the fills moved, summed by currency and category."""
        if self._realised is not None:
            yield CashBooking(self.instrument.settlement, self._realised, Category.REALISED_PNL)
        yield from super().cash()

    def average_price(self) -> Decimal | None:
        """In quote currency, the harmonic one for an inverse contract; over all positions."""
        bases = [basis for basis in self._bases.values() if basis.quantity]
        if len(bases) == 1:
            return average_price(bases[0], self.instrument)
        directions = {basis.quantity > 0 for basis in bases}
        if len(directions) != 1 or not all(basis.priced for basis in bases):
            return None
        return average_price(_together(bases), self.instrument)

    def realised_pnl(self) -> Decimal | None:
        """In the settlement currency, without fees."""
        return self._realised or ZERO

    def _basis(self, position_id: str | None) -> CostBasis:
        basis = self._bases.get(position_id)
        if basis is None:
            basis = self._bases[position_id] = new_basis(self._places)
        return basis


def _refuse_close(basis: CostBasis, fill: Fill, quantity: int) -> None:
    """Raise `ReplayError` where a fill closes what came without a price."""
    if basis.quantity and (basis.quantity > 0) != (quantity > 0):
        raise ReplayError(
            f"{row_name(fill)} closes a position of {printable(fill.symbol, 100)} that came "
            "without a price (from the opening or a movement); expected its average_price "
            "in the opening"
        )


def _together(bases: list[CostBasis]) -> CostBasis:
    """Several positions of one direction as one, exactly."""
    full = [in_full(basis.steps) for basis in bases]
    cost = sum((Fraction(basis.cost, basis.divisor) for basis in full), Fraction(0))
    quantity = sum(basis.quantity for basis in full)
    return CostBasis(quantity=quantity, cost=cost.numerator, divisor=cost.denominator)
