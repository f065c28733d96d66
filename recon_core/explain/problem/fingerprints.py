"""Fingerprints: every effect as one whole number, so that a search is a look-up.

A fingerprint is the sum of the amounts of a vector, each times a large weight of its dimension.
With weights of 7 and 1,000 for EUR and BTC, +2 BTC and -5 EUR are 2,000 - 35 = 1,965. The
fingerprint of a sum is the sum of the fingerprints. If 1,965 is required and a hypothesis has
2,000, its partner is looked up at -35. Two vectors share a fingerprint with a chance of 1 in
2^100, and every match is compared in full. Amounts are whole numbers of 10^-30; in a dimension
with a tolerance they are whole numbers of steps, and a look-up tries the steps around.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from itertools import product
from operator import attrgetter
from typing import Final

from recon_core.explain.problem.dimensions import Vector, currency_of, is_cash, is_position
from recon_core.explain.problem.postings import trade_value
from recon_core.explain.problem.problem import Problem
from recon_core.ledger.bookings import (
    charged_in_kind,
    is_derivative,
    notional,
    signed_quantity,
)
from recon_core.model import Fill
from recon_core.values.amounts import EXACT

_PLACES: Final = 30
"""Decimals of the whole numbers: as many as an amount in a session may have."""

_MOST_STEPS: Final = 2
"""Steps that a look-up tries on either side, in each dimension with a tolerance.

A trade and its fee are rounded to steps separately, and a pair of hypotheses adds such errors;
with fewer steps matches are missed, with more there are more look-ups.
"""

_MOST_STEP_DIMENSIONS: Final = 3
"""Dimensions whose steps are counted; other dimensions with a tolerance are left out.

Each multiplies the look-ups by five, to 125 for three. A dimension that is left out is compared
after the look-up.
"""

_POSITION_SHIFT: Final = 512
"""Bits below the bits of the positions.

An amount of 60 digits times a weight of 128 bits has 328 bits: all other dimensions together
are below the positions.
"""

_HALF: Final = 1 << (_POSITION_SHIFT - 1)

_TRADED: Final = attrgetter("symbol", "leg", "account")

_multiply, _scaled = EXACT.multiply, EXACT.scaleb

_Charge = tuple[Callable[[Decimal], Decimal], Callable[[Decimal], int], Callable[[Decimal], int]]


def positions_of(value: int) -> int:
    """Return the part of a fingerprint that its positions give: the bits above all others."""
    return (value + _HALF) >> _POSITION_SHIFT


def _nothing(_amount: Decimal) -> int:
    return 0


@dataclass
class Fingerprints:
    """The fingerprints of one search problem."""

    problem: Problem
    _weights: dict[str, int] = field(default_factory=dict)
    _steps: dict[str, Decimal] = field(default_factory=dict)
    _free: frozenset[str] = frozenset()
    _trades: dict[tuple[object, ...], Callable[[Fill], int]] = field(default_factory=dict)
    _fee_terms: dict[tuple[object, ...], "_Charge"] = field(default_factory=dict)

    def __post_init__(self) -> None:
        problem = self.problem
        doubtful = {
            name: allowed
            for name in problem.dimensions.compared
            if (allowed := problem.allowed(name)) and name not in problem.unknown
        }
        # The position shows the required amount of a base currency as well.
        bases = {instrument.base for instrument in problem.postings.instruments.values()}
        kept = sorted(
            doubtful,
            key=lambda name: (
                name not in problem.required, is_cash(name) and currency_of(name) in bases, name
            ),
        )[:_MOST_STEP_DIMENSIONS]  # fmt: skip
        self._steps = {name: EXACT.multiply(doubtful[name], Decimal(4)) for name in kept}
        self._free = frozenset(doubtful.keys() - kept) | problem.unknown

    def of(self, vector: Vector) -> int:
        """Return the fingerprint of the part of a vector that is compared and not left out."""
        compared, free = self.problem.dimensions.compared, self._free
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
            weight = self._weights[name] = (
                weight << _POSITION_SHIFT if is_position(name) else weight
            )
        return weight

    def within_tolerance(self, vector: Vector) -> list[int]:
        """Return the fingerprints that count as this vector, within the tolerances."""
        exact = self.of(vector)
        offsets = [
            [self._weight(name) * step for step in range(-_MOST_STEPS, _MOST_STEPS + 1)]
            for name in self._steps
        ]
        return [exact + sum(chosen) for chosen in product(*offsets)]

    def of_fill(self, fill: Fill) -> tuple[int, int]:
        """Return the fingerprints of a fill's trade and of its fee."""
        fee = self.of_fee(fill, fill.fee, fill.charged_in) if fill.fee else 0
        if self._steps or self.problem.postings.orders:
            return self.of(self.problem.postings.fill(fill)) - fee, fee
        key = _TRADED(fill)
        trade = self._trades.get(key) or self._trade(fill)
        return trade(fill), fee

    def _trade(self, fill: Fill) -> Callable[[Fill], int]:
        """Return the function that gives the fingerprint of a trade of one position."""
        postings, held = self.problem.postings, self._counted(self.problem.postings.position(fill))
        instrument = postings.instruments.get(fill.symbol)

        def of_spot(fill: Fill) -> int:
            quantity = signed_quantity(fill)
            worth = value(quantity, fill.price)
            return held(quantity) + received(round_base(quantity)) - paid(round_quote(worth))

        def of_derivative(fill: Fill) -> int:
            quantity = signed_quantity(fill)
            assert instrument is not None  # noqa: S101  # looked at before
            return held(quantity) + settlement(trade_value(instrument, quantity, fill.price))

        found: Callable[[Fill], int] = lambda fill: held(signed_quantity(fill))  # noqa: E731
        if instrument is not None and is_derivative(instrument):
            settlement = self._counted(postings.cash(instrument.settlement, fill.account))
            found = of_derivative
        elif instrument is not None:
            delivers = instrument.instrument_kind.delivers
            base = postings.cash(instrument.base, fill.account)
            received = self._counted(base) if delivers else _nothing
            is_plain = instrument.multiplier == 1 and not instrument.float_notional
            value = (
                _multiply
                if is_plain
                else partial(notional, instrument, postings.roundings.places(instrument.quote))
            )
            paid = self._counted(postings.cash(instrument.quote, fill.account))
            round_base = postings.roundings[instrument.base]
            round_quote = postings.roundings[instrument.quote]
            found = of_spot
        self._trades[_TRADED(fill)] = found
        return found

    def of_fee(self, fill: Fill, fee: Decimal, currency: str) -> int:
        """Return the fingerprint of a fee of this amount and currency on a fill."""
        key = (fill.symbol, fill.leg, fill.account, currency)
        charge = self._fee_terms.get(key) or self._charge(key, fill)
        rounded, cash, held = charge
        return -cash(rounded(fee)) - held(fee)

    def _charge(self, key: tuple[object, ...], fill: Fill) -> _Charge:
        """Return the rounding of fees in a currency, and their parts in cash and position."""
        *_, currency = key
        postings, name = self.problem.postings, str(currency)
        in_base = charged_in_kind(postings.instruments.get(fill.symbol), name)
        held = self._counted(postings.position(fill)) if in_base else _nothing
        cash = self._counted(postings.cash(name, fill.account))
        charge = self._fee_terms[key] = postings.roundings[name], cash, held
        return charge

    def _counted(self, name: str) -> Callable[[Decimal], int]:
        """Return the function that gives the part of a fingerprint for one dimension."""
        if name not in self.problem.dimensions.compared or name in self._free:
            return _nothing
        weight, step, scaled, places = self._weight(name), self._steps.get(name), _scaled, _PLACES
        if step is not None:
            return lambda amount: self._term(name, amount)
        return lambda amount: weight * int(scaled(amount, places))
