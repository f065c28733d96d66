"""Which edits may be one of two that together are what is needed, by few numbers each.

Two edits are what is needed in every position. The edits of a spot fill change its position
by its quantity, twice its quantity, or its fee where that is, or may be, in the base
currency: these numbers meet in few fills. Where one edit gives the positions all that they
need, the other changes a balance by its fee, half of it or twice of it: few fees are that.
Only what is left is looked at in every dimension.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from itertools import chain
from typing import Final, NamedTuple

from recon_core.explain.effects.changes import Change
from recon_core.explain.effects.space import Vector, is_cash, is_position, minus
from recon_core.explain.faults.fill_edits import FillEdits
from recon_core.explain.grounds.ground import Ground
from recon_core.explain.grounds.prints import positions_of
from recon_core.explain.searching.position_parts import PositionParts, whole
from recon_core.ledger.bookings import is_derivative
from recon_core.model import Fill

_MOST_WHOLE: Final = 300
_MOST_RESTS: Final = 3_000


class Sieved(NamedTuple):
    """The places of fills, and of other edits, that may be one of two."""

    places: list[int]
    others: list[int]


@dataclass(frozen=True)  # without slots: what is worked out is kept
class PairSieve:
    """Sieves the edits of one ground for two that may be what it needs.

    `others` are the effects of the edits of other rows, in positions at least, in full where
    they are all that the positions need; `targets` are the needs that are looked for: they
    differ in cash only.
    """

    ground: Ground
    edits: FillEdits
    others: Sequence[Vector]
    targets: Sequence[Vector]

    def sieved(self) -> Sieved | None:
        """What is left; `None` where only a look at every edit tells."""
        if not self._is_exact():
            return None
        alone = self._of_amounts(_units(self._need))
        rests = self._rests(alone if len(self._need) == 1 else [])
        if rests is None:
            return None
        places = {*self._of_amounts(self._wanted()), *self._of_fees(rests)}
        for parts in self._parts.values():
            places.update(parts.bare)
        return Sieved(sorted(places), [at for at, _ in enumerate(self.others) if self._keeps(at)])

    def _is_exact(self) -> bool:
        """Whether a position is needed, and every fill books exact numbers that are compared."""
        ground = self.ground
        if ground.rows_right or ground.space.dust or ground.tolerance or ground.unknown:
            return False
        instruments = ground.bookings.instruments
        firsts = [(name, instruments.get(fills[0].symbol)) for name, fills in self._by_position]
        whole_needs = bool(self._need) and None not in map(whole, self._need.values())
        return whole_needs and all(
            name in ground.space.compared
            and instrument is not None
            and not is_derivative(instrument)
            and self._parts[name].are_whole
            for name, instrument in firsts
        )

    @property
    def _by_position(self) -> Iterable[tuple[str, list[Fill]]]:
        return self.ground.by_symbol.items()

    @cached_property
    def _need(self) -> dict[str, Decimal]:
        return _positions(self.ground.need)

    @cached_property
    def _parts(self) -> dict[str, PositionParts]:
        return {name: PositionParts(self.ground, self.edits, name) for name in self.ground.places}

    @cached_property
    def _left(self) -> list[dict[str, Decimal]]:
        """What the positions need besides each of the other edits."""
        return [_positions(minus(self._need, _positions(other))) for other in self.others]

    @cached_property
    def _moved(self) -> dict[str, set[Decimal]]:
        """What other edits move in one position and in no other, by position."""
        found: dict[str, set[Decimal]] = {}
        for other in map(_positions, self.others):
            if len(other) == 1:
                ((name, amount),) = other.items()
                found.setdefault(name, set()).add(amount)
        return found

    def _wanted(self) -> dict[str, set[int]]:
        """What an edit of a fill may be in its position, where another one is the rest."""
        wanted = _units(self._need)
        for left in self._left:
            if len(left) == 1:
                for name, units in _units(left).items():
                    wanted.setdefault(name, set()).update(units)
        if len(self._need) == 1:
            ((name, alone),) = _units(self._need).items()
            for parts in (self._parts[name],) if name in self._parts else ():
                wanted[name] |= {value for need in alone for value in parts.pairs(need)}
        return wanted

    def _of_amounts(self, wanted: Mapping[str, set[int]]) -> list[int]:
        """The places of fills with an edit that is one of these amounts in its position."""
        known = (name for name in wanted if name in self._parts)
        return list(chain.from_iterable(self._parts[name].places(wanted[name]) for name in known))

    def _keeps(self, at: int) -> bool:
        """Whether one of the other edits may be one of two."""
        left = self._left[at]
        if len(left) != 1 or left == self._need:
            return True
        ((name, amount),) = left.items()
        parts = self._parts.get(name)
        if parts is not None and whole(amount) in parts.values:
            return True
        return amount in self._moved.get(name, ())

    def _rests(self, whole: Sequence[int]) -> list[Vector] | None:
        """What is left where one edit is all that the positions need; `None` for too many."""
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
        """The different effects of the edits of some fills that are what the positions need."""
        prints, bookings, found = self.edits.prints, self.ground.bookings, dict[int, Vector]()
        needed = positions_of(prints.of(self.ground.need))
        for at in places:
            fill = self.ground.fills[at]
            for name, value in self.edits.offers(fill, *prints.of_fill(fill)):
                if value not in found and positions_of(value) == needed:
                    found[value] = self._change(fill, name).vector(bookings)
        return list(found.values())

    def _change(self, fill: Fill, name: str) -> Change:
        """The change of an edit, whatever speaks for it."""
        return Change((fill,)) if name == "remove" else self.edits.edit(fill, name).change

    def _of_fees(self, rests: Iterable[Vector]) -> Iterator[int]:
        """The places of fills whose fee may be changed by what is left of a balance."""
        amounts: dict[str, set[Decimal]] = {}
        for rest in rests:
            for name, amount in rest.items():
                if amount and is_cash(name):
                    amounts.setdefault(name, set()).add(amount)
        for parts in self._parts.values():
            yield from parts.charged_places(amounts)


def _positions(vector: Vector) -> dict[str, Decimal]:
    """The part of a vector that is positions."""
    return {name: amount for name, amount in vector.items() if amount and is_position(name)}


def _units(vector: Vector) -> dict[str, set[int]]:
    """The amounts of a vector in whole units, without what is finer than those."""
    found = {name: whole(amount) for name, amount in vector.items()}
    return {name: {units} for name, units in found.items() if units is not None}
