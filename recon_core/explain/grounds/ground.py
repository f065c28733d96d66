"""The ground of a search: rows, the state they give, and the state that is to be reached.

A fault is either in the rows of a side (a repair of the rows reaches the other side's
state), or in its books while the rows are right (the fault, put into the rows, reaches
what the side states). Both are one search for a change of rows whose effect is `need`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property
from operator import attrgetter
from typing import Final

from recon_core.amounts import EXACT, ZERO
from recon_core.errors import ReplayError
from recon_core.explain.effects.bookings import Bookings
from recon_core.explain.effects.changes import Change
from recon_core.explain.effects.open_bases import OpenBases, Settled, open_bases
from recon_core.explain.effects.rows import Rows
from recon_core.explain.effects.space import ORDER, Space, Vector, is_cash, minus, state_part
from recon_core.explain.grounds.between import divergence_of
from recon_core.explain.grounds.divergence import Divergence
from recon_core.ledger.replay import replay
from recon_core.model import Fill, LedgerSide, Movement, Order, RecordedSession, SideRecord

_CLOSE: Final = Decimal("0.001")
_time: Final = attrgetter("time")


@dataclass
class Ground:
    """One search. `rows_right`: the rows are evidence, the fault is in what `side` states.

    `owner` gave the rows, `side` is at fault. `need` is the state to reach minus the state
    that the rows give, with `tolerance` where a derivative's PnL is rounded; what is in
    `unknown` is not looked at before the proof; `exact` is the need in cash
    as it is booked. `lagging`: only whether the side is behind. `open_names` are unknown
    and not asked for.
    """

    recorded: RecordedSession
    bookings: Bookings
    owner: LedgerSide
    side: LedgerSide
    rows_right: bool
    record: SideRecord
    need: Mapping[str, Decimal]
    tolerance: Mapping[str, Decimal] = field(default_factory=dict)
    unknown: frozenset[str] = frozenset()
    orders: Mapping[str, Order] = field(default_factory=dict)
    exact: Mapping[str, Decimal] = field(default_factory=dict)
    lagging: bool = False
    open_names: frozenset[str] = frozenset()

    @property
    def space(self) -> Space:
        """The dimensions, those of known orders included."""
        return self.bookings.space

    @cached_property
    def divergence(self) -> Divergence:
        """Since when the sides differ, by the snapshots of the other side."""
        if self.rows_right and self.side is self.owner:
            return Divergence()
        return divergence_of(
            self.recorded,
            self.space,
            self.record,
            self.owner,
            self.need,
            rows_right=self.rows_right,
        )

    @cached_property
    def rows(self) -> Rows:
        """The fills, in the orders and groups that are asked for."""
        return Rows(self.record, self.bookings.position)

    def share_rows(self, other: "Ground") -> None:
        """Take the fills as another ground of the session has them, if they are the same."""
        if self.record.fills is other.record.fills:
            self.rows = other.rows

    @property
    def fills(self) -> tuple[Fill, ...]:
        """The fills, by time."""
        return self.rows.fills

    @cached_property
    def timeline(self) -> list[Fill | Movement]:
        """The fills and movements, by time."""
        return sorted((*self.fills, *(self.record.movements or ())), key=_time)

    @property
    def places(self) -> dict[str, list[int]]:
        """The places among the fills of those of each position's dimension."""
        return self.rows.places

    @property
    def by_symbol(self) -> dict[str, list[Fill]]:
        """The fills of each position's dimension, by time."""
        return self.rows.by_position

    def reaches(self, effect: Vector) -> bool:
        """Whether an effect is what is needed, in every dimension that can be looked at."""
        need, space = self.need, self.space
        if any(
            name not in effect and amount.copy_abs() > self.allowed(name)
            for name, amount in need.items()
        ):
            return False
        return all(
            EXACT.subtract(need.get(name, ZERO), amount).copy_abs() <= self.allowed(name)
            for name, amount in effect.items()
            if name in space.compared
        )

    def but_for_cash(self) -> "Ground":
        """The same ground where no balance is looked at."""
        cash = frozenset(filter(is_cash, self.space.compared))
        need = {name: amount for name, amount in self.need.items() if not is_cash(name)}
        return replace(self, need=need, unknown=self.unknown | cash, open_names=cash)

    def reached_by(self, change: Change) -> bool:
        """Whether a change is what is needed, also in balances that depend on what is open."""
        return self.steps_off(change) == 0

    def steps_off(self, change: Change) -> int | None:
        """How far off a change leaves the balances that depend on what is open.

        In steps of what rounding allows there, 0 where they are reached; `None` where
        anything else is not what is needed.
        """
        effect = change.vector(self.bookings)
        if not self.reaches(effect):
            return None
        return self.steps_settled({name: [self.settled(change, name)] for name in self.settling})

    @cached_property
    def settling(self) -> tuple[str, ...]:
        """The balances whose cash depends on what is open, where it can be followed."""
        names = (self.unknown & self.space.compared) - self.open_names
        return tuple(sorted(names)) if names and self._bases is not None else ()

    def settled(self, change: Change, name: str) -> Settled:
        """A change as it concerns a balance of `settling`."""
        assert self._bases is not None  # noqa: S101  # else nothing is settling
        return self._bases.settled(change, name)

    def steps_settled(self, changes: Mapping[str, Sequence[Settled]]) -> int:
        """How far off changes of different rows leave balances, in steps of what is allowed."""
        bases = self._bases if changes else None
        if bases is None:
            return 0
        return max(
            (self._steps(name, bases.amount(some)) for name, some in changes.items()), default=0
        )

    def _steps(self, name: str, amount: Decimal) -> int:
        off = EXACT.subtract(self.exact.get(name, ZERO), amount).copy_abs()
        allowed = EXACT.add(self.tolerance.get(name, ZERO), self.space.dust)
        return int(EXACT.divide_int(off, allowed)) if allowed else int(off != 0)

    @cached_property
    def _bases(self) -> OpenBases | None:
        return open_bases(self.bookings, self.record)

    def allowed(self, name: str) -> Decimal:
        """How far a dimension may be off in the search."""
        if name in self.unknown:
            return Decimal("Infinity")
        return max(self.tolerance.get(name, ZERO), self.space.dust)

    def replayed_after(self, change: Change) -> "Ground | None":
        """The same with what is left worked out by replay, `None` where that cannot be."""
        try:
            record = change.applied(self.record)
            effect = minus(self.state_of(record), self.replayed)
        except ReplayError:
            return None
        exact = minus(self.exact, effect)
        of_orders = {
            name: amount
            for name, amount in self.left(change.vector(self.bookings)).items()
            if name.startswith(ORDER)
        }
        need = {**self.space.real(exact), **of_orders}
        return replace(
            self, record=record, need=need, tolerance={}, unknown=frozenset(), exact=exact
        )

    def after(self, change: Change) -> "Ground":
        """The ground on which the rows are changed already, and the rest is needed."""
        effect = change.vector(self.bookings)
        return Ground(
            self.recorded,
            self.bookings,
            self.owner,
            self.side,
            self.rows_right,
            change.applied(self.record),
            self.left(effect),
            self.tolerance,
            self.unknown,
            self.orders,
            minus(self.exact, state_part(effect)),
        )

    @cached_property
    def replayed(self) -> dict[str, Decimal]:
        """The state that the rows give by replay."""
        return self.state_of(self.record)

    def state_of(self, record: SideRecord) -> dict[str, Decimal]:
        """The state that changed rows give by replay; raises `ReplayError` where they give none."""
        ledger = replay(self.recorded, record)
        return self.space.state(ledger.positions, ledger.cash)

    def is_close(self, effect: Vector) -> bool:
        """Whether an effect is what is needed to far less than the float dust."""
        limit = EXACT.multiply(self.space.dust, _CLOSE)
        rest = state_part(self.space.seen(minus(self.need, effect)))
        return all(
            value.copy_abs() <= limit or self.tolerance.get(name, ZERO) >= value.copy_abs()
            for name, value in rest.items()
            if name not in self.unknown
        )

    def left(self, effect: Vector) -> dict[str, Decimal]:
        """What is needed besides an effect."""
        rest = self.space.seen(minus(self.need, effect))
        return {
            name: value for name, value in rest.items() if value.copy_abs() > self.allowed(name)
        }
