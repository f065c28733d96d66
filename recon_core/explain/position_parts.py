"""What the edits of the fills of one position change in it, in numbers alone.

By name as in `recon_core.explain.fill_edits`, of a spot fill: `remove` takes away what it
holds, `flip` twice its quantity; every edit of a fee changes the position where the fee is,
or would be, in the base currency.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from itertools import compress, repeat
from operator import attrgetter
from typing import Final

from recon_core.amounts import EXACT, ZERO
from recon_core.explain.fill_edits import FillEdits
from recon_core.explain.ground import Ground
from recon_core.model import Fill

_HALF: Final = Decimal("0.5")
_TWO: Final = Decimal(2)
_MINUS_TWO: Final = Decimal(-2)
_FEE: Final = attrgetter("fee")
_CURRENCY: Final = attrgetter("fee_currency")
_multiply, _subtract, _negated = EXACT.multiply, EXACT.subtract, Decimal.copy_negate


@dataclass(frozen=True)  # without slots: what is worked out is kept
class PositionParts:
    """The numbers of the fills of one spot position whose rows are at fault."""

    ground: Ground
    edits: FillEdits
    name: str

    @cached_property
    def values(self) -> set[Decimal]:
        """Everything that one edit of a fill may change in the position."""
        found = set(map(_negated, self._held))
        found.update(map(_multiply, self._signed, repeat(_MINUS_TWO)))
        if self._may_be_base:
            found.update(map(_negated, self._fees))
        for fee in self._own:
            found |= {fee, _multiply(fee, _TWO), _multiply(fee, _HALF)}
        return found | self._charges

    def places(self, wanted: Collection[Decimal]) -> Iterator[int]:
        """The places of fills with an edit that changes the position by one of these amounts."""
        amounts = {amount for amount in wanted if amount}
        if not amounts:
            return iter(())
        held = set(map(_negated, amounts))
        signed = {_multiply(amount, _HALF).copy_negate() for amount in amounts}
        fees = set(held)
        if self._own:
            for amount in amounts:
                fees |= {amount, _multiply(amount, _HALF), _multiply(amount, _TWO)}
        numbers = zip(self._held, self._signed, self._fees, strict=True)
        hits = [one in held or two in signed or fee in fees for one, two, fee in numbers]
        return compress(self.ground.places[self.name], hits)

    @cached_property
    def is_charged(self) -> bool:
        """Whether a fill without a fee has an edit that gives it one."""
        model = self.edits.model(self._fills[0])
        return model is not None and bool(model.rates)

    @property
    def _fills(self) -> list[Fill]:
        return self.ground.by_symbol[self.name]

    @cached_property
    def _signed(self) -> list[Decimal]:
        signed = self.ground.signed
        return [signed[at] for at in self.ground.places[self.name]]

    @cached_property
    def _fees(self) -> list[Decimal]:
        return list(map(_FEE, self._fills))

    @property
    def _base(self) -> str:
        return self.ground.bookings.instruments[self._fills[0].symbol].base

    @cached_property
    def _may_be_base(self) -> bool:
        """Whether a fee may have been meant in the base currency: where that is compared."""
        cash = self.ground.bookings.cash(self._base, self._fills[0].account)
        return cash in self.ground.space.compared

    @cached_property
    def _own(self) -> list[Decimal]:
        """The fees in the base currency."""
        base = self._base
        if base not in set(map(_CURRENCY, self._fills)):
            return []
        return [fill.fee for fill in self._fills if fill.fee and fill.fee_currency == base]

    @cached_property
    def _held(self) -> list[Decimal]:
        """What each fill adds to the position, its fee included."""
        if not self._own:
            return self._signed
        base = self._base
        return [
            _subtract(quantity, fill.fee if fill.fee_currency == base else ZERO)
            for quantity, fill in zip(self._signed, self._fills, strict=True)
        ]

    @cached_property
    def _charges(self) -> set[Decimal]:
        """What fills without a fee would be charged in the base currency."""
        model = self.edits.model(self._fills[0]) if self.is_charged else None
        if model is None or model.currency != self._base:
            return set()
        bare = [fill for fill in self._fills if not fill.fee]
        return {
            self.edits.charged(fill, at).fee.copy_negate()
            for fill in bare
            for at in range(len(model.rates))
        }
