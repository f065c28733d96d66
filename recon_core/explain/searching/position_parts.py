"""What the edits of the fills of one position change in it, in numbers alone.

By name as in `recon_core.explain.faults.fill_edits`, of a spot fill: `remove` takes away what it
holds, `flip` twice its quantity; every edit of a fee changes the position where the fee is,
or would be, in the base currency. All numbers are whole ones of 10^-31: half of an amount
is one.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from itertools import compress, repeat
from operator import attrgetter
from typing import Final

from recon_core.amounts import EXACT, MOST_DIGITS
from recon_core.explain.faults.fill_edits import FillEdits
from recon_core.explain.grounds.ground import Ground
from recon_core.model import Fill

_PLACES: Final = MOST_DIGITS + 1
_SCALE: Final = Decimal(1).scaleb(_PLACES)
_CURRENCY: Final = attrgetter("fee_currency")
_FEE: Final = attrgetter("fee")


def whole(amount: Decimal) -> int | None:
    """An amount in units of 10^-31, `None` where it is finer than those."""
    scaled = EXACT.multiply(amount, _SCALE)
    units = int(scaled)
    return units if scaled == units else None


@dataclass(frozen=True)  # without slots: what is worked out is kept
class PositionParts:
    """The numbers of the fills of one spot position whose rows are at fault."""

    ground: Ground
    edits: FillEdits
    name: str

    @cached_property
    def values(self) -> set[int]:
        """Everything that one edit of a fill may change in the position."""
        found = {-held for held in self._held}
        found.update([-2 * quantity for quantity in self._signed])
        if self._may_be_base:
            found.update([-fee for fee in self._fees])
        for fee in self._own:
            found.update((fee, fee * 2, fee // 2))
        found.update(fee for fee in self._charges if fee is not None)
        return found

    def pairs(self, need: int) -> set[int]:
        """The values that together with another one are what is needed."""
        values = self.values
        return {value for value in values if need - value in values}

    def places(self, wanted: Collection[int]) -> Iterator[int]:
        """The places of fills with an edit that changes the position by one of these amounts."""
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
        """The places of fills whose fee, halved, turned or left out, changes a balance so."""
        bookings, fills = self.ground.bookings, self._fills
        for currency in self._currencies:
            some = amounts.get(bookings.cash(currency or "", fills[0].account), ())
            unit = whole(bookings.resolution(currency or "")) or 1
            wanted = {fee // unit for amount in some for fee in _fees_of(amount, unit)}
            # A fee that is rounded up is one unit more than the whole units in it.
            wanted |= {fee - 1 for fee in wanted}
            if not wanted:
                continue
            fits = [fee // unit in wanted for fee in self._fees]
            for at in compress(self._places, fits):
                if self.ground.fills[at].fee_currency == currency:
                    yield at

    @cached_property
    def bare(self) -> list[int]:
        """The places of fills of nothing, and of those without a fee among fills that have one."""
        numbers = zip(self._places, self._signed, self._fees, strict=True)
        models = self.edits.models(self.name).values()
        if not any(model is not None and model.rates for model in models):
            return [at for at, quantity, _ in numbers if not quantity]
        return [at for at, quantity, fee in numbers if not (quantity and fee)]

    @property
    def _fills(self) -> list[Fill]:
        return self.ground.by_symbol[self.name]

    @property
    def _places(self) -> list[int]:
        return self.ground.places[self.name]

    @cached_property
    def _currencies(self) -> set[str | None]:
        return set(map(_CURRENCY, self._fills))

    @cached_property
    def _signed(self) -> list[int]:
        signed, places = self.ground.rows.signed, self._places
        return _whole(signed if len(places) == len(signed) else [signed[at] for at in places])

    @cached_property
    def _fees(self) -> list[int]:
        return _whole(map(_FEE, self._fills))

    @property
    def _base(self) -> str:
        return self.ground.bookings.instruments[self._fills[0].symbol].base

    @cached_property
    def _may_be_base(self) -> bool:
        """Whether a fee may have been meant in the base currency: where that is compared."""
        cash = self.ground.bookings.cash(self._base, self._fills[0].account)
        return cash in self.ground.space.compared

    @cached_property
    def _own(self) -> list[int]:
        """The fees in the base currency, 0 of a fill that has none; empty where none has one."""
        base = self._base
        if base not in self._currencies:
            return []
        fills = zip(self._fills, self._fees, strict=True)
        return [fee if fill.fee_currency == base else 0 for fill, fee in fills]

    @cached_property
    def _held(self) -> list[int]:
        """What each fill adds to the position, its fee included."""
        if not self._own:
            return self._signed
        numbers = zip(self._signed, self._own, strict=True)
        return [quantity - fee for quantity, fee in numbers]

    @property
    def are_whole(self) -> bool:
        """Whether every number is a whole one: a fee at a rate may have any digits."""
        return None not in self._charges

    @cached_property
    def _charges(self) -> list[int | None]:
        """What fills without a fee would be charged in the base currency."""
        charged = (
            self.edits.charged(fill, at)
            for fill in self._fills
            if not fill.fee
            for model in [self.edits.model(fill)]
            if model is not None and model.currency == self._base
            for at in range(len(model.rates))
        )
        return [whole(fill.fee.copy_negate()) for fill in charged]


def _whole(amounts: Iterable[Decimal]) -> list[int]:
    """Amounts of fills in units of 10^-31: none of them is finer."""
    return list(map(int, map(EXACT.multiply, amounts, repeat(_SCALE))))


def _fees_of(amount: Decimal, unit: int) -> Iterator[int]:
    """The fees that change a balance by an amount when they are turned, halved or left out.

    Half a fee is rounded, by a unit at most.
    """
    units = whole(amount)
    if units is not None:
        for fee in (units // 2, units, units * 2, units * 2 + unit, units * 2 - unit):
            yield fee
            yield -fee
