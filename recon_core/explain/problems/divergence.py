"""Divergence: the time since which the rows of one side differ from the snapshots of the other.

A fault is assumed to last: before it the sides agree, after it they differ by its effect. So a
cause must have posted, up to each snapshot, the difference there. If the sides agree at 10:00
and differ by -5 EUR at 11:00 and at the end, a missing fee of 5 EUR at 10:30 fits; a fee at 9:30
or at 11:30 contradicts a snapshot. One replay gives the differences at all snapshots; a
bisection would miss a difference that disappears and returns. A difference that disappears at a
later snapshot and does not return as it was has no part in the end, and is left out.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from itertools import pairwise

from recon_core.explain.effects.dimensions import Vector, is_cash, is_position, minus
from recon_core.explain.effects.patches import total_of
from recon_core.values.amounts import ZERO
from recon_core.values.times import format_time


@dataclass(frozen=True, slots=True)
class Between:
    """The difference at one time: the state of the snapshot minus the state that the rows give.

    `has_positions` and `has_cash`: the sections that both sides have at this time.
    """

    time: datetime
    required: Mapping[str, Decimal]
    has_positions: bool
    has_cash: bool

    def knows(self, name: str) -> bool:
        """True if a dimension is known at this time, even as 0."""
        return self.has_positions if is_position(name) else self.has_cash and is_cash(name)


@dataclass(frozen=True, slots=True)
class Booked:
    """Amounts that are posted at a time, `None` for the opening.

    Amounts in `unsure` dimensions depend on earlier rows: they are unknown from this time on.
    """

    time: datetime | None
    amounts: Vector
    unsure: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Divergence:
    """The differences at all times for which both sides are known, by time.

    `compared`: the compared dimensions. `differing`: the dimensions that differ at the end.
    `dust`: the largest difference that counts as equal. `was_apart`: the sides differed and
    agreed again.
    """

    states: tuple[Between, ...] = ()
    compared: frozenset[str] = frozenset()
    differing: frozenset[str] = frozenset()
    dust: Decimal = ZERO
    was_apart: bool = False

    def __bool__(self) -> bool:
        """True if there is evidence."""
        return bool(self.states)

    @cached_property
    def agreed(self) -> datetime | None:
        """The last time at which the sides agree and all of `differing` is known."""
        at = self._last_agreement
        return None if at is None else self.states[at].time

    @cached_property
    def differs(self) -> Between | None:
        """The first difference after `agreed`."""
        at = self._last_agreement
        later = self.states[0 if at is None else at + 1 :]
        return next((one for one in later if one.required), None)

    def may_begin(self, time: datetime) -> bool:
        """True if a fault at this time may be the cause of the difference at the end."""
        is_late = self.agreed is None or time > self.agreed
        return is_late and (self.differs is None or time <= self.differs.time)

    @cached_property
    def _last_agreement(self) -> int | None:
        places = range(len(self.states) - 1, -1, -1)
        return next((at for at in places if self._agrees(self.states[at])), None)

    def _agrees(self, state: Between) -> bool:
        return not state.required and all(map(state.knows, self.differing))

    def settled(self) -> "Divergence":
        """Return the divergence without differences that disappear for good."""
        at = self._last_agreement or 0
        gone = [one.required for one in self.states[:at] if one.required]
        if not gone or any(one.required in gone for one in self.states[at:]):
            return self
        kept = [one for place, one in enumerate(self.states) if place >= at or not one.required]
        return replace(self, states=tuple(kept), was_apart=True)

    def after(self, posted: Sequence[Booked]) -> "Divergence":
        """Return the differences that remain after postings."""
        left = [
            replace(state, required=self._real(minus(state.required, total.amounts), state))
            for state, total in self._totals(posted, range(len(self.states)))
        ]
        return replace(self, states=tuple(left))

    def leads(self, posted: Sequence[Booked]) -> bool:
        """True if the postings are the difference at every snapshot; `unsure` dimensions pass."""
        places = {0, *self._runs, *(self._place(one.time) for one in posted)}
        return not any(
            self._real(minus(state.required, total.amounts), state).keys() - total.unsure
            for state, total in self._totals(posted, sorted(places - {len(self.states)}))
        )

    def _totals(
        self, posted: Sequence[Booked], places: Iterable[int]
    ) -> Iterator[tuple[Between, Booked]]:
        """Yield the differences at `places`, each with the sum of all postings up to it."""
        waiting = sorted(posted, key=lambda one: self._place(one.time), reverse=True)
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
        """Return the place of the first snapshot at or after a time."""
        return 0 if time is None else bisect_left(self._times, time)

    @cached_property
    def _times(self) -> list[datetime]:
        return [state.time for state in self.states]

    @cached_property
    def _runs(self) -> list[int]:
        """The places at which the difference or the known sections change."""
        return [
            at
            for at, (one, following) in enumerate(pairwise(self.states), 1)
            if replace(one, time=following.time) != following
        ]

    @property
    def operations(self) -> int:
        """Operations for looking at a candidate."""
        return 1 + len(self._runs) if self.states else 0

    @property
    def text(self) -> str:
        """The times of agreement and of difference, in words; empty without evidence."""
        said = []
        if self.agreed is not None:
            until = "again at" if self.was_apart else "until"
            said.append(f"agree {until} {format_time(self.agreed)}")
        if self.differs is not None:
            said.append(f"differ from {format_time(self.differs.time)} on")
        return f"the sides {' and '.join(said)}" if said else ""
