"""Prints: every effect as one whole number, so that a search is a look-up.

A print is the sum of the amounts of a vector, each times a large weight of its dimension:
the print of a sum is the sum of the prints, and two vectors with one print are one vector
(a chance in 2^100 aside; what is found is compared in full). Amounts are whole numbers of
10^-30. Where a dimension has a tolerance its amount is counted in steps of it, and a look-up
tries the steps around.
"""

import hashlib
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import product
from typing import Final

from recon_core.amounts import EXACT
from recon_core.explain.ground import Ground
from recon_core.explain.space import Vector
from recon_core.model import Fill

_PLACES: Final = 30
_AROUND: Final = 3
_MOST_STEPPED: Final = 2


@dataclass
class Prints:
    """The prints of one ground."""

    ground: Ground
    _weights: dict[str, int] = field(default_factory=dict)
    _steps: dict[str, Decimal] = field(default_factory=dict)
    _free: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        ground = self.ground
        doubtful = {
            name: allowed
            for name in ground.space.compared
            if (allowed := ground.allowed(name)) and name not in ground.unknown
        }
        # Positions first: a position in floats tells more than the base currency with it.
        kept = sorted(doubtful, key=lambda name: (name not in ground.need, name))[:_MOST_STEPPED]
        self._steps = {name: EXACT.multiply(doubtful[name], Decimal(4)) for name in kept}
        self._free = frozenset(doubtful.keys() - kept) | ground.unknown

    def of(self, vector: Vector) -> int:
        """The print of a vector; what is not compared, or cannot be looked at, is left out."""
        compared, free = self.ground.space.compared, self._free
        return sum(
            self._term(name, amount)
            for name, amount in vector.items()
            if amount and name in compared and name not in free
        )

    def _term(self, name: str, amount: Decimal) -> int:
        step = self._steps.get(name)
        if step is None:
            return self._weight(name) * int(amount.scaleb(_PLACES, EXACT))
        return self._weight(name) * round(amount / step)

    def _weight(self, name: str) -> int:
        weight = self._weights.get(name)
        if weight is None:
            digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()[:16]
            weight = self._weights[name] = int.from_bytes(digest, "big") | 1
        return weight

    def around(self, vector: Vector) -> list[int]:
        """The prints that count as this vector: the one, and those within the tolerances."""
        exact = self.of(vector)
        offsets = [
            [self._weight(name) * step for step in range(-_AROUND, _AROUND + 1)]
            for name in self._steps
        ]
        return [exact + sum(chosen) for chosen in product(*offsets)]

    def of_fill(self, fill: Fill) -> tuple[int, int]:
        """The print of a fill's trade, and of its fee."""
        bookings = self.ground.bookings
        fee = self.of(bookings.fee(fill)) if fill.fee else 0
        return self.of(bookings.fill(fill)) - fee, fee

    def fee_in(self, fill: Fill, currency: str) -> int:
        """The print of the fee of a fill if it were in another currency."""
        return self.of(self.ground.bookings.fee(replace(fill, fee_currency=currency)))
