"""Prefilter for two hypotheses: it compares quantities and fees alone.

Two hypotheses must have the required effect on every position. A hypothesis on a spot fill changes
the position by its quantity, twice its quantity, or its fee if that is or may be in the base
currency: few fills match these numbers. If one hypothesis has the whole effect on positions, the
other changes a balance by a fee, half of it or twice of it: few fees match. Fills that pass are
compared in every dimension. Example: +3 BTC is required, and SELLs of 1, 2, 5 and 7 BTC are listed.
Removals add 1, 2, 5 or 7 BTC, turned sides 2, 4, 10 or 14. Only 1 + 2 = 3, so the first two fills
pass.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from itertools import chain, compress, repeat
from operator import attrgetter
from typing import Final, NamedTuple

from recon_core.explain.problem.dimensions import Vector, is_cash, is_position, minus
from recon_core.explain.problem.fingerprints import positions_of
from recon_core.explain.problem.patches import Patch
from recon_core.explain.problem.problem import FaultIn, Problem
from recon_core.explain.search.fill_hypotheses import FillHypotheses, FirstFees
from recon_core.ledger.bookings import is_derivative
from recon_core.model import Fill
from recon_core.values.amounts import EXACT, MOST_DIGITS

_PLACES: Final = MOST_DIGITS + 1
"""Decimals of a unit: one more than an amount has, so that half an amount is whole units."""

_SCALE: Final = Decimal(1).scaleb(_PLACES)
"""Units in an amount of 1."""

_CURRENCY: Final = attrgetter("fee_currency")

_FEE: Final = attrgetter("fee")

_MOST_WHOLE: Final = 300
"""Fills that alone may have the required positions. Each costs the effects of all its hypotheses;
with more, the prefilter would cost more than it saves."""

_MOST_REMAINING: Final = 3_000
"""Residuals, effects times targets, whose amounts are compared with fees. With more, so many fees
match that the prefilter saves nothing."""


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
        found.update(fee for fee in self._possible_fees if fee is not None)
        return found

    def pairs(self, required: int) -> set[int]:
        """Return the values that another value complements to the required change."""
        values = self.values
        return {value for value in values if required - value in values}

    def places(self, wanted: Collection[int]) -> Iterator[int]:
        """Return the places of fills with a hypothesis that has such an effect on the position."""
        amounts = {amount for amount in wanted if amount}
        held = {-amount for amount in amounts}
        signed = {-amount // 2 for amount in amounts if not amount % 2}
        fees = set(held)
        if self._own:
            for amount in amounts:
                fees.update((amount, amount // 2, amount * 2))
        numbers = zip(self._held, self._signed, self._fees, strict=True)
        matches = [one in held or two in signed or fee in fees for one, two, fee in numbers]
        if not amounts.isdisjoint(self._possible_fees):
            matches = [
                is_match or not fee for is_match, fee in zip(matches, self._fees, strict=True)
            ]
        return compress(self._places, matches)

    def charged_places(self, amounts: Mapping[str, Collection[Decimal]]) -> Iterator[int]:
        """Yield the places of fills whose fee, halved, turned or removed, changes a balance.

        `amounts` are the changes to look for, by balance.
        """
        postings, fills = self.problem.postings, self._fills
        for currency in self._currencies:
            changes = amounts.get(postings.cash(currency or "", fills[0].account), ())
            unit = whole(postings.resolution(currency or "")) or 1
            wanted = {fee // unit for amount in changes for fee in _fees_of(amount, unit)}
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
        fees, bare = FirstFees(self.problem), (fill for fill in self._fills if not fill.fee)
        is_charged = any(model is not None and model.rates for model in models)
        if not is_charged and not any(map(fees.may_be_in, bare)):
            return [at for at, quantity, _ in numbers if not quantity]
        return [at for at, quantity, fee in numbers if not (quantity and fee)]

    @property
    def _fills(self) -> Sequence[Fill]:
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
        """True if the base currency is compared: a fee may belong to it."""
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
        return None not in self._possible_fees

    @cached_property
    def _possible_fees(self) -> list[int | None]:
        """Changes of the position if fills without a fee had one in the base currency."""
        fees = FirstFees(self.problem)
        return [
            whole(fee.copy_negate())
            for fill in self._fills
            if not fill.fee
            for _, fee, currency in fees.of(fill)
            if currency == self._base
        ]


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


class PairPlaces(NamedTuple):
    """Places of fills, and of other hypotheses, that may be one of two."""

    places: list[int]
    others: list[int]


@dataclass(frozen=True)  # no slots: cached properties keep their values
class PairPrefilter:
    """Prefilter of one problem's hypotheses for two that together have the required effect.

    `others` are the effects of hypotheses that `hypotheses` does not offer: on positions at least,
    and in full where they have all required positions. `targets` are the required effect and its
    decoys, which differ from it in cash only.
    """

    problem: Problem
    hypotheses: FillHypotheses
    others: Sequence[Vector]
    targets: Sequence[Vector]

    def places(self) -> PairPlaces | None:
        """Return the places that pass, `None` if every hypothesis must be compared in full."""
        if not self._is_exact():
            return None
        alone = self._of_amounts(_units(self._required))
        remaining = self._residuals(alone if len(self._required) == 1 else [])
        if remaining is None:
            return None
        places = {*self._of_amounts(self._wanted()), *self._of_fees(remaining)}
        for parts in self._parts.values():
            places.update(parts.bare)
        return PairPlaces(
            sorted(places), [at for at, _ in enumerate(self.others) if self._may_be_of_a_pair(at)]
        )

    def _is_exact(self) -> bool:
        """True if a position is required, and all fills post exact amounts to spot positions."""
        problem = self.problem
        has_tolerance = problem.dimensions.dust or problem.tolerance or problem.unknown
        if has_tolerance or problem.fault_in is FaultIn.STATEMENT:
            return False
        instruments = problem.postings.instruments
        firsts = [(name, instruments.get(fills[0].symbol)) for name, fills in self._by_position]
        is_whole = bool(self._required) and None not in map(whole, self._required.values())
        return is_whole and all(
            name in problem.dimensions.compared
            and instrument is not None
            and not is_derivative(instrument)
            and self._parts[name].are_whole
            for name, instrument in firsts
        )

    @property
    def _by_position(self) -> Iterable[tuple[str, Sequence[Fill]]]:
        return self.problem.by_symbol.items()

    @cached_property
    def _required(self) -> dict[str, Decimal]:
        return _positions(self.problem.required)

    @cached_property
    def _parts(self) -> dict[str, PositionParts]:
        return {name: PositionParts(self.problem, name) for name in self.problem.places}

    @cached_property
    def _left(self) -> list[dict[str, Decimal]]:
        """Residual positions of each of the other hypotheses."""
        return [_positions(minus(self._required, _positions(other))) for other in self.others]

    @cached_property
    def _moved(self) -> dict[str, set[Decimal]]:
        """Amounts that other hypotheses move in a single position, by position."""
        found: dict[str, set[Decimal]] = {}
        for other in map(_positions, self.others):
            if len(other) == 1:
                ((name, amount),) = other.items()
                found.setdefault(name, set()).add(amount)
        return found

    def _wanted(self) -> dict[str, set[int]]:
        """Return the amounts that a fill's hypothesis may have as one of two, by position."""
        wanted = _units(self._required)
        for left in self._left:
            if len(left) == 1:
                for name, units in _units(left).items():
                    wanted.setdefault(name, set()).update(units)
        if len(self._required) == 1:
            ((name, alone),) = _units(self._required).items()
            for parts in (self._parts[name],) if name in self._parts else ():
                wanted[name] |= {value for required in alone for value in parts.pairs(required)}
        return wanted

    def _of_amounts(self, wanted: Mapping[str, set[int]]) -> list[int]:
        """Return the places of fills with a hypothesis that has such an effect on positions."""
        known = (name for name in wanted if name in self._parts)
        return list(chain.from_iterable(self._parts[name].places(wanted[name]) for name in known))

    def _may_be_of_a_pair(self, at: int) -> bool:
        """True if the other hypothesis at a place may be one of two."""
        left = self._left[at]
        if len(left) != 1 or left == self._required:
            return True
        ((name, amount),) = left.items()
        parts = self._parts.get(name)
        if parts is not None and whole(amount) in parts.values:
            return True
        return amount in self._moved.get(name, ())

    def _residuals(self, whole: Sequence[int]) -> list[Vector] | None:
        """Return the residuals of hypotheses with all required positions, `None` if too many."""
        effects: list[Vector] = [
            other for other, left in zip(self.others, self._left, strict=True) if not left
        ]
        if len(whole) > _MOST_WHOLE:
            return None
        effects += self._effects(whole)
        if len(effects) * len(self.targets) > _MOST_REMAINING:
            return None
        return [minus(target, effect) for effect in effects for target in self.targets]

    def _effects(self, places: Sequence[int]) -> list[Vector]:
        """Return the distinct effects of hypotheses on these fills with the required positions."""
        fingerprints, postings, found = (
            self.hypotheses.fingerprints,
            self.problem.postings,
            dict[int, Vector](),
        )
        required = positions_of(fingerprints.of(self.problem.required))
        for at in places:
            fill = self.problem.fills[at]
            for name, value in self.hypotheses.options(fill, *fingerprints.of_fill(fill)):
                if value not in found and positions_of(value) == required:
                    found[value] = self._change(fill, name).vector(postings)
        return list(found.values())

    def _change(self, fill: Fill, name: str) -> Patch:
        """Return the patch of a hypothesis, without its evidence."""
        return Patch((fill,)) if name == "remove" else self.hypotheses.hypothesis(fill, name).patch

    def _of_fees(self, remaining: Iterable[Vector]) -> Iterator[int]:
        """Yield the places of fills whose fee may account for the residual of a balance."""
        amounts: dict[str, set[Decimal]] = {}
        for residual in remaining:
            for name, amount in residual.items():
                if amount and is_cash(name):
                    amounts.setdefault(name, set()).add(amount)
        for parts in self._parts.values():
            yield from parts.charged_places(amounts)


def _positions(vector: Vector) -> dict[str, Decimal]:
    """Return the position part of a vector, without zeros."""
    return {name: amount for name, amount in vector.items() if amount and is_position(name)}


def _units(vector: Vector) -> dict[str, set[int]]:
    """Return amounts in units of 10^-31, without amounts that are finer."""
    found = {name: whole(amount) for name, amount in vector.items()}
    return {name: {units} for name, units in found.items() if units is not None}
