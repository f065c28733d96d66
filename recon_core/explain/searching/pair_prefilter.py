"""Prefilter for two hypotheses: it compares quantities and fees alone.

Two hypotheses must have the required effect on every position. A hypothesis on a spot fill changes
the position by its quantity, twice its quantity, or its fee if that is or may be in the base
currency: few fills match these numbers. If one hypothesis has the whole effect on positions, the
other changes a balance by a fee, half of it or twice of it: few fees match. Fills that pass are
compared in every dimension. Example: +3 BTC is required, and SELLs of 1, 2, 5 and 7 BTC are listed.
Removals add 1, 2, 5 or 7 BTC, turned sides 2, 4, 10 or 14. Only 1 + 2 = 3, so the first two fills
pass.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from itertools import chain
from typing import Final, NamedTuple

from recon_core.explain.effects.dimensions import Vector, is_cash, is_position, minus
from recon_core.explain.effects.patches import Patch
from recon_core.explain.faults.fill_hypotheses import FillHypotheses
from recon_core.explain.problems.fingerprints import positions_of
from recon_core.explain.problems.problem import Problem
from recon_core.explain.searching.position_parts import PositionParts, whole
from recon_core.ledger.bookings import is_derivative
from recon_core.model import Fill

_MOST_WHOLE: Final = 300
"""Fills that alone may have the required positions. Each costs the effects of all its hypotheses;
with more, the prefilter would cost more than it saves."""

_MOST_RESTS: Final = 3_000
"""Residuals, effects times targets, whose amounts are compared with fees. With more, so many fees
match that the prefilter saves nothing."""


class Sieved(NamedTuple):
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

    def prefiltered(self) -> Sieved | None:
        """Return the places that pass, `None` if every hypothesis must be compared in full."""
        if not self._is_exact():
            return None
        alone = self._of_amounts(_units(self._required))
        rests = self._rests(alone if len(self._required) == 1 else [])
        if rests is None:
            return None
        places = {*self._of_amounts(self._wanted()), *self._of_fees(rests)}
        for parts in self._parts.values():
            places.update(parts.bare)
        return Sieved(sorted(places), [at for at, _ in enumerate(self.others) if self._keeps(at)])

    def _is_exact(self) -> bool:
        """True if a position is required, and all fills post exact amounts to spot positions."""
        problem = self.problem
        if problem.rows_right or problem.dimensions.dust or problem.tolerance or problem.unknown:
            return False
        instruments = problem.postings.instruments
        firsts = [(name, instruments.get(fills[0].symbol)) for name, fills in self._by_position]
        whole_needs = bool(self._required) and None not in map(whole, self._required.values())
        return whole_needs and all(
            name in problem.dimensions.compared
            and instrument is not None
            and not is_derivative(instrument)
            and self._parts[name].are_whole
            for name, instrument in firsts
        )

    @property
    def _by_position(self) -> Iterable[tuple[str, list[Fill]]]:
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

    def _keeps(self, at: int) -> bool:
        """True if the other hypothesis at a place may be one of two."""
        left = self._left[at]
        if len(left) != 1 or left == self._required:
            return True
        ((name, amount),) = left.items()
        parts = self._parts.get(name)
        if parts is not None and whole(amount) in parts.values:
            return True
        return amount in self._moved.get(name, ())

    def _rests(self, whole: Sequence[int]) -> list[Vector] | None:
        """Return the residuals of hypotheses with all required positions, `None` if too many."""
        effects: list[Vector] = [
            other for other, left in zip(self.others, self._left, strict=True) if not left
        ]
        if len(whole) > _MOST_WHOLE:
            return None
        effects += self._effects(whole)
        if len(effects) * len(self.targets) > _MOST_RESTS:
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
            for name, value in self.hypotheses.offers(fill, *fingerprints.of_fill(fill)):
                if value not in found and positions_of(value) == required:
                    found[value] = self._change(fill, name).vector(postings)
        return list(found.values())

    def _change(self, fill: Fill, name: str) -> Patch:
        """Return the patch of a hypothesis, without its evidence."""
        return Patch((fill,)) if name == "remove" else self.hypotheses.hypothesis(fill, name).patch

    def _of_fees(self, rests: Iterable[Vector]) -> Iterator[int]:
        """Yield the places of fills whose fee may account for the residual of a balance."""
        amounts: dict[str, set[Decimal]] = {}
        for rest in rests:
            for name, amount in rest.items():
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
