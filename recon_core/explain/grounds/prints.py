"""Prints: every effect as one whole number, so that a search is a look-up.

A print is the sum of the amounts of a vector, each times a large weight of its dimension:
the print of a sum is the sum of the prints, and two vectors with one print are one vector
(a chance in 2^100 aside; what is found is compared in full). Amounts are whole numbers of
10^-30. Where a dimension has a tolerance its amount is counted in steps of it, and a look-up
tries the steps around.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import product
from operator import attrgetter
from typing import Final

from recon_core.amounts import EXACT
from recon_core.explain.effects.bookings import trade_value
from recon_core.explain.effects.space import Vector, currency_of, is_cash, is_position
from recon_core.explain.grounds.ground import Ground
from recon_core.ledger.bookings import is_derivative, signed_quantity
from recon_core.model import Fill

_PLACES: Final = 30
_AROUND: Final = 2
_MOST_STEPPED: Final = 3
_APART: Final = 512
_HALF: Final = 1 << (_APART - 1)
_TRADED: Final = attrgetter("symbol", "leg", "account")
_multiply, _scaled = EXACT.multiply, EXACT.scaleb


_Charge = tuple[Callable[[Decimal], Decimal], Callable[[Decimal], int], Callable[[Decimal], int]]


def positions_of(value: int) -> int:
    """The part of a print that the positions are: it stands above all else."""
    return (value + _HALF) >> _APART


def _nothing(_amount: Decimal) -> int:
    return 0


@dataclass
class Prints:
    """The prints of one ground."""

    ground: Ground
    _weights: dict[str, int] = field(default_factory=dict)
    _steps: dict[str, Decimal] = field(default_factory=dict)
    _free: frozenset[str] = frozenset()
    _trades: dict[tuple[object, ...], Callable[[Fill], int]] = field(default_factory=dict)
    _charges: dict[tuple[object, ...], "_Charge"] = field(default_factory=dict)

    def __post_init__(self) -> None:
        ground = self.ground
        doubtful = {
            name: allowed
            for name in ground.space.compared
            if (allowed := ground.allowed(name)) and name not in ground.unknown
        }
        # What a base currency needs its position says as well.
        bases = {instrument.base for instrument in ground.bookings.instruments.values()}
        kept = sorted(
            doubtful,
            key=lambda name: (
                name not in ground.need, is_cash(name) and currency_of(name) in bases, name
            ),
        )[:_MOST_STEPPED]  # fmt: skip
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
            weight = int.from_bytes(digest, "big") | 1
            weight = self._weights[name] = weight << _APART if is_position(name) else weight
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
        fee = self.of_fee(fill, fill.fee, fill.fee_currency or "") if fill.fee else 0
        if self._steps or self.ground.bookings.orders:
            return self.of(self.ground.bookings.fill(fill)) - fee, fee
        key = _TRADED(fill)
        trade = self._trades.get(key) or self._trade(fill)
        return trade(fill), fee

    def _trade(self, fill: Fill) -> Callable[[Fill], int]:
        """What gives the print of the trades of a position, its names looked up once."""
        bookings, held = self.ground.bookings, self._counted(self.ground.bookings.position(fill))
        instrument = bookings.instruments.get(fill.symbol)

        def of_spot(fill: Fill) -> int:
            quantity = signed_quantity(fill)
            worth = round_quote(_multiply(quantity, fill.price))
            return held(quantity) + received(round_base(quantity)) - paid(worth)

        def of_derivative(fill: Fill) -> int:
            quantity = signed_quantity(fill)
            assert instrument is not None  # noqa: S101  # looked at before
            return held(quantity) + settled(trade_value(instrument, quantity, fill.price))

        found: Callable[[Fill], int] = lambda fill: held(signed_quantity(fill))  # noqa: E731
        if instrument is not None and is_derivative(instrument):
            settled = self._counted(bookings.cash(instrument.settlement, fill.account))
            found = of_derivative
        elif instrument is not None:
            received = self._counted(bookings.cash(instrument.base, fill.account))
            paid = self._counted(bookings.cash(instrument.quote, fill.account))
            round_base = bookings.roundings[instrument.base]
            round_quote = bookings.roundings[instrument.quote]
            found = of_spot
        self._trades[_TRADED(fill)] = found
        return found

    def of_fee(self, fill: Fill, fee: Decimal, currency: str) -> int:
        """The print of a fill's fee if it were this one."""
        key = (fill.symbol, fill.leg, fill.account, currency)
        charge = self._charges.get(key) or self._charge(key, fill)
        rounded, cash, held = charge
        return -cash(rounded(fee)) - held(fee)

    def _charge(self, key: tuple[object, ...], fill: Fill) -> _Charge:
        """How fees in a currency are rounded, and what they count in cash and position."""
        *_, currency = key
        bookings, name = self.ground.bookings, str(currency)
        instrument = bookings.instruments.get(fill.symbol)
        spot = instrument is not None and not is_derivative(instrument)
        in_base = spot and instrument is not None and name == instrument.base
        held = self._counted(bookings.position(fill)) if in_base else _nothing
        cash = self._counted(bookings.cash(name, fill.account))
        charge = self._charges[key] = bookings.roundings[name], cash, held
        return charge

    def _counted(self, name: str) -> Callable[[Decimal], int]:
        """What gives the part of a print that an amount of one dimension is."""
        if name not in self.ground.space.compared or name in self._free:
            return _nothing
        weight, step, scaled, places = self._weight(name), self._steps.get(name), _scaled, _PLACES
        if step is not None:
            return lambda amount: self._term(name, amount)
        return lambda amount: weight * int(scaled(amount, places))
