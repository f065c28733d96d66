"""A derivative position, whatever averages its entry prices: cash moves by fee and realised PnL.

Source of the rules: rules, "What a replay books".
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from recon_core.ledger.bookings import (
    CashBooking,
    Category,
    Roundings,
    fees_by_currency,
    signed_quantities,
)
from recon_core.ledger.derivatives import require_derivative, row_name
from recon_core.ledger.holdings import Holding
from recon_core.model import Fill, Instrument, Movement
from recon_core.values.amounts import EXACT, ZERO, exact_sum
from recon_core.values.errors import ReplayError
from recon_core.values.printable import printable


class RealisingHolding(Holding, ABC):
    """The positions of one symbol on one leg, and the PnL that closing them realised."""

    def __init__(self, instrument: Instrument, roundings: Roundings) -> None:
        require_derivative(instrument)
        super().__init__()
        self.instrument = instrument
        self._roundings = roundings
        self._places = roundings.places(instrument.settlement)
        self._realised: Decimal | None = None

    def apply(self, fills: Sequence[Fill]) -> None:
        """Post fills and keep them; raises as `post` does."""
        self.post(fills)
        self.events.extend(fills)

    def post(self, fills: Sequence[Fill]) -> None:
        """Post fills; raises `ReplayError` where one cannot be posted.

        That fill and its successors are not posted, nor are fees and quantities of its
        predecessors: a ledger that continues posts them one by one.
        """
        signed = signed_quantities(fills)
        realised = list(filter(None, self._gains(fills, signed)))
        if realised:
            self._realised = EXACT.add(self._realised or ZERO, exact_sum(realised))
        self.charge(fees_by_currency(fills), self._roundings)
        self.quantity = EXACT.add(self.quantity, exact_sum(signed))

    @abstractmethod
    def _gains(self, fills: Sequence[Fill], signed: Sequence[Decimal]) -> Iterable[Decimal | None]:
        """Enter fills one after the other; the PnL of each, `None` where nothing is closed."""

    def cash(self) -> Iterator[CashBooking]:
        """Yield the cash that the fills moved, summed by currency and category."""
        if self._realised is not None:
            yield CashBooking(self.instrument.settlement, self._realised, Category.REALISED_PNL)
        yield from super().cash()

    def realised_pnl(self) -> Decimal | None:
        """In the settlement currency, without fees."""
        return self._realised or ZERO


def refuse_close(fill: Fill) -> ReplayError:
    """The error for a fill that closes what came without a price."""
    return ReplayError(
        f"{row_name(fill)} closes a position of {printable(fill.symbol, 100)} that came "
        "without a price (from the opening or a movement); expected its average_price "
        "in the opening"
    )


def require_one_position(movement: Movement, held: int) -> None:
    """Refuse a movement of quantity where more than one position is held."""
    if held > 1:
        raise ReplayError(
            f"movement {printable(movement.movement_id, 60)} moves a quantity of "
            f"{printable(movement.symbol, 100)}, which is held in several positions; "
            "a movement names no position"
        )
