"""The first divergence: since when the rows of one side miss the snapshots of the other.

Assumed is that a fault once made stays: before it the sides agree, and after it they differ
by what it booked. What a cause books up to a snapshot therefore has to be what the sides
differ by there. Each snapshot is looked at, with one replay for all of them: a bisection would
pass over a difference that goes and comes. One that is gone again at a later snapshot, and
does not come back as it was, has no part in what differs at the end; it is left aside.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from itertools import pairwise

from recon_core.amounts import ZERO
from recon_core.explain.effects.changes import total_of
from recon_core.explain.effects.space import Vector, is_cash, is_position, minus
from recon_core.times import format_time


@dataclass(frozen=True, slots=True)
class Between:
    """A time between: the state of the snapshot minus the state that the rows give up to it.

    `has_positions` and `has_cash`: the sections that are known on both sides.
    """

    time: datetime
    need: Mapping[str, Decimal]
    has_positions: bool
    has_cash: bool

    def knows(self, name: str) -> bool:
        """Whether a dimension is known there, be it as 0."""
        return self.has_positions if is_position(name) else self.has_cash and is_cash(name)


@dataclass(frozen=True, slots=True)
class Booked:
    """What is booked at a time, `None` in the opening.

    In `unsure` dimensions it depends on the rows before, so that it is not known from then on.
    """

    time: datetime | None
    amounts: Vector
    unsure: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Divergence:
    """The times between at which both sides are known, in their order.

    `differing` are the dimensions that differ at the end; `dust` is what two figures may be
    apart and count as equal; `was_apart`: the sides differed before, and agreed again.
    """

    states: tuple[Between, ...] = ()
    compared: frozenset[str] = frozenset()
    differing: frozenset[str] = frozenset()
    dust: Decimal = ZERO
    was_apart: bool = False

    def __bool__(self) -> bool:
        """Whether there is any evidence."""
        return bool(self.states)

    @cached_property
    def agreed(self) -> datetime | None:
        """The last time at which the sides agree in all that differs at the end."""
        at = self._last_agreement
        return None if at is None else self.states[at].time

    @cached_property
    def differs(self) -> Between | None:
        """The first time after that at which they differ."""
        at = self._last_agreement
        later = self.states[0 if at is None else at + 1 :]
        return next((one for one in later if one.need), None)

    def may_begin(self, time: datetime) -> bool:
        """Whether what differs at the end may be of a time."""
        is_late = self.agreed is None or time > self.agreed
        return is_late and (self.differs is None or time <= self.differs.time)

    @cached_property
    def _last_agreement(self) -> int | None:
        places = range(len(self.states) - 1, -1, -1)
        return next((at for at in places if self._agrees(self.states[at])), None)

    def _agrees(self, state: Between) -> bool:
        return not state.need and all(map(state.knows, self.differing))

    def settled(self) -> "Divergence":
        """Without differences that are gone at a later time, unless they come back."""
        at = self._last_agreement or 0
        gone = [one.need for one in self.states[:at] if one.need]
        if not gone or any(one.need in gone for one in self.states[at:]):
            return self
        kept = [one for place, one in enumerate(self.states) if place >= at or not one.need]
        return replace(self, states=tuple(kept), was_apart=True)

    def after(self, booked: Sequence[Booked]) -> "Divergence":
        """What is left of the differences where something is booked besides."""
        left = [
            replace(state, need=self._real(minus(state.need, total.amounts), state))
            for state, total in self._totals(booked, range(len(self.states)))
        ]
        return replace(self, states=tuple(left))

    def leads(self, booked: Sequence[Booked]) -> bool:
        """Whether what is booked, by time, is what is needed at every time between."""
        places = {0, *self._runs, *(self._place(one.time) for one in booked)}
        return not any(
            self._real(minus(state.need, total.amounts), state).keys() - total.unsure
            for state, total in self._totals(booked, sorted(places - {len(self.states)}))
        )

    def _totals(
        self, booked: Sequence[Booked], places: Iterable[int]
    ) -> Iterator[tuple[Between, Booked]]:
        """Times between, each with all that is booked up to it."""
        waiting = sorted(booked, key=lambda one: self._place(one.time), reverse=True)
        total = Booked(None, {})
        for place in places if self.states else ():
            while waiting and self._place(waiting[-1].time) <= place:
                one = waiting.pop()
                total = Booked(
                    one.time, total_of((total.amounts, one.amounts)), total.unsure | one.unsure
                )
            yield self.states[place], total

    def _real(self, amounts: Vector, state: Between) -> dict[str, Decimal]:
        return {
            name: amount
            for name, amount in amounts.items()
            if name in self.compared and state.knows(name) and amount.copy_abs() > self.dust
        }

    def _place(self, time: datetime | None) -> int:
        """The place of the first time between that what is booked at a time belongs to."""
        return 0 if time is None else bisect_left(self._times, time)

    @cached_property
    def _times(self) -> list[datetime]:
        return [state.time for state in self.states]

    @cached_property
    def _runs(self) -> list[int]:
        """The places at which something else is needed, or known, than before."""
        return [
            at
            for at, (one, following) in enumerate(pairwise(self.states), 1)
            if replace(one, time=following.time) != following
        ]

    @property
    def operations(self) -> int:
        """What it costs to look at a candidate."""
        return 1 + len(self._runs) if self.states else 0

    @property
    def text(self) -> str:
        """Until when the sides agree and since when they differ; empty without evidence."""
        said = []
        if self.agreed is not None:
            until = "again at" if self.was_apart else "until"
            said.append(f"agree {until} {format_time(self.agreed)}")
        if self.differs is not None:
            said.append(f"differ from {format_time(self.differs.time)} on")
        return f"the sides {' and '.join(said)}" if said else ""
