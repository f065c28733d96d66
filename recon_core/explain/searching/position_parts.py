"""Numbers by which hypotheses on the fills of one spot position change that position.

The names are those of `fill_hypotheses`: `remove` takes away the quantity that a fill adds, `flip`
twice its quantity; a hypothesis on a fee changes the position if the fee is or may be in the base
currency. Example: a BUY of 2 BTC with a fee of 0.01 BTC adds 1.99 BTC; `remove` changes the
position by -1.99, `flip` by -4, `half` by +0.005. All numbers are integers in units of 10^-31, so
that half of an amount of 30 decimals is an integer, too.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from itertools import compress, repeat
from operator import attrgetter
from typing import Final

from recon_core.explain.faults.fill_hypotheses import charged
from recon_core.explain.problems.problem import Problem
from recon_core.model import Fill
from recon_core.values.amounts import EXACT, MOST_DIGITS

_PLACES: Final = MOST_DIGITS + 1
"""Decimals of a unit: one more than an amount has, so that half an amount is whole units."""

_SCALE: Final = Decimal(1).scaleb(_PLACES)
"""Units in an amount of 1."""

_CURRENCY: Final = attrgetter("fee_currency")
_FEE: Final = attrgetter("fee")


def whole(amount: Decimal) -> int | None:
    """Return an amount in units of 10^-31, `None` if it is finer."""
    scaled = EXACT.multiply(amount, _SCALE)
    units = int(scaled)
    return units if scaled == units else None


@dataclass(frozen=True)  # no slots: cached properties keep their values
class PositionParts:
    """Numbers of the fills of one spot position whose rows are at fault."""

    problem: Problem
    name: str

    @cached_property
    def values(self) -> set[int]:
        """Every change of the position that one hypothesis on a fill may be."""
        found = {-held for held in self._held}
        found.update([-2 * quantity for quantity in self._signed])
        if self._may_be_base:
            found.update([-fee for fee in self._fees])
        for fee in self._own:
            found.update((fee, fee * 2, fee // 2))
        found.update(fee for fee in self._charges if fee is not None)
        return found

    def pairs(self, required: int) -> set[int]:
        """Return the values that another value complements to the required change."""
        values = self.values
        return {value for value in values if required - value in values}

    def places(self, wanted: Collection[int]) -> Iterator[int]:
        """Return the places of fills with a hypothesis that has such an effect on the position."""
        amounts = {amount for amount in wanted if amount}
        if not amounts:
            return iter(())
        held = {-amount for amount in amounts}
        signed = {-amount // 2 for amount in amounts if not amount % 2}
        fees = set(held)
        if self._own:
            for amount in amounts:
                fees.update((amount, amount // 2, amount * 2))
        numbers = zip(self._held, self._signed, self._fees, strict=True)
        hits = [one in held or two in signed or fee in fees for one, two, fee in numbers]
        if not amounts.isdisjoint(self._charges):
            hits = [hit or not fee for hit, fee in zip(hits, self._fees, strict=True)]
        return compress(self._places, hits)

    def charged_places(self, amounts: Mapping[str, Collection[Decimal]]) -> Iterator[int]:
        """Yield the places of fills whose fee, halved, turned or removed, changes a balance.

        `amounts` are the changes to look for, by balance.
        """
        postings, fills = self.problem.postings, self._fills
        for currency in self._currencies:
            some = amounts.get(postings.cash(currency or "", fills[0].account), ())
            unit = whole(postings.resolution(currency or "")) or 1
            wanted = {fee // unit for amount in some for fee in _fees_of(amount, unit)}
            # A fee that was rounded up is one unit more than its whole units.
            wanted |= {fee - 1 for fee in wanted}
            if not wanted:
                continue
            fits = [fee // unit in wanted for fee in self._fees]
            for at in compress(self._places, fits):
                if self.problem.fills[at].fee_currency == currency:
                    yield at

    @cached_property
    def bare(self) -> list[int]:
        """Places of fills of quantity 0, and of fills without a fee if other fills are charged."""
        numbers = zip(self._places, self._signed, self._fees, strict=True)
        models = self.problem.schedules.of(self.name).values()
        if not any(model is not None and model.rates for model in models):
            return [at for at, quantity, _ in numbers if not quantity]
        return [at for at, quantity, fee in numbers if not (quantity and fee)]

    @property
    def _fills(self) -> list[Fill]:
        return self.problem.by_symbol[self.name]

    @property
    def _places(self) -> list[int]:
        return self.problem.places[self.name]

    @cached_property
    def _currencies(self) -> set[str | None]:
        return set(map(_CURRENCY, self._fills))

    @cached_property
    def _signed(self) -> list[int]:
        signed, places = self.problem.rows.signed, self._places
        return _whole(signed if len(places) == len(signed) else [signed[at] for at in places])

    @cached_property
    def _fees(self) -> list[int]:
        return _whole(map(_FEE, self._fills))

    @property
    def _base(self) -> str:
        return self.problem.postings.instruments[self._fills[0].symbol].base

    @cached_property
    def _may_be_base(self) -> bool:
        """True if the base currency is compared: a fee may have been meant in it."""
        cash = self.problem.postings.cash(self._base, self._fills[0].account)
        return cash in self.problem.dimensions.compared

    @cached_property
    def _own(self) -> list[int]:
        """Fees in the base currency, 0 for a fee in another one; empty if no fee is in it."""
        base = self._base
        if base not in self._currencies:
            return []
        fills = zip(self._fills, self._fees, strict=True)
        return [fee if fill.fee_currency == base else 0 for fill, fee in fills]

    @cached_property
    def _held(self) -> list[int]:
        """Quantity that each fill adds to the position, less its fee in the base currency."""
        if not self._own:
            return self._signed
        numbers = zip(self._signed, self._own, strict=True)
        return [quantity - fee for quantity, fee in numbers]

    @property
    def are_whole(self) -> bool:
        """True if all numbers are whole units; a fee at a rate may have more digits."""
        return None not in self._charges

    @cached_property
    def _charges(self) -> list[int | None]:
        """Changes of the position if fills without a fee had one in the base currency."""
        charged = (
            charged(self.problem, fill, at)
            for fill in self._fills
            if not fill.fee
            for model in [self.problem.schedules.model(fill)]
            if model is not None and model.currency == self._base
            for at in range(len(model.rates))
        )
        return [whole(fill.fee.copy_negate()) for fill in charged]


def _whole(amounts: Iterable[Decimal]) -> list[int]:
    """Return amounts of fills in units of 10^-31; none of them is finer."""
    return list(map(int, map(EXACT.multiply, amounts, repeat(_SCALE))))


def _fees_of(amount: Decimal, unit: int) -> Iterator[int]:
    """Yield the fees that change a balance by an amount if turned, halved or removed.

    Half a fee is rounded, by one unit at most.
    """
    units = whole(amount)
    if units is not None:
        for fee in (units // 2, units, units * 2, units * 2 + unit, units * 2 - unit):
            yield fee
            yield -fee
