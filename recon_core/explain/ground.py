"""The ground of a search: rows, the state they give, and the state that is to be reached.

A fault is either in the rows of a side (a repair of the rows reaches the other side's
state), or in its books while the rows are right (the fault, put into the rows, reaches
what the side states). Both are one search for a change of rows whose effect is `need`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from math import isqrt
from operator import attrgetter
from typing import Final

from recon_core.amounts import EXACT, ZERO
from recon_core.errors import ReplayError
from recon_core.explain.between import divergence_of
from recon_core.explain.bookings import Bookings, bookings_of, order_name
from recon_core.explain.changes import Change
from recon_core.explain.divergence import Divergence
from recon_core.explain.open_bases import OpenBases, Settled, open_bases
from recon_core.explain.open_values import OpenValue, averages_of, open_value
from recon_core.explain.rows import Rows
from recon_core.explain.space import (
    ORDER,
    Space,
    Vector,
    add_to,
    currency_of,
    is_cash,
    is_position,
    minus,
    plus,
    state_part,
)
from recon_core.ledger import PositionLedger
from recon_core.ledger.bookings import signed_quantity
from recon_core.ledger.replay import replay, with_named_account
from recon_core.model import (
    Fill,
    LedgerSide,
    Movement,
    Order,
    OrderSide,
    OrderState,
    Position,
    RecordedSession,
    SideRecord,
)

_LEAST_KNOWN: Final = Decimal("0.9")
_CLOSE: Final = Decimal("0.001")
_time: Final = attrgetter("time")
_MANY_TRIED: Final = 5
_UNITS_EACH: Final = 50


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
        return divergence_of(self)

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
        bases = self._bases
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

    def is_coarse(self, tried: int) -> bool:
        """Whether one of so many candidates may give a derivative's cash by chance.

        So it is where the cash that is needed is but a few units for each of them.
        """
        if not (self.tolerance or self.unknown) or tried < _MANY_TRIED:
            return False
        units = [
            Fraction(amount.copy_abs())
            / Fraction(self.bookings.resolution(currency_of(name)) or _CLOSE)
            for name, amount in self.exact.items()
            if amount and is_cash(name)
        ]
        return sum(units) < tried * _UNITS_EACH

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


def ground_of(
    recorded: RecordedSession,
    space: Space,
    owner: LedgerSide,
    side: LedgerSide,
    *,
    rows_right: bool,
    orders: Sequence[Order] = (),
    in_values: bool = False,
    own_orders: bool = False,
) -> Ground | None:
    """The ground on which the rows of `owner` are searched for a fault of `side`.

    `in_values` measures derivative accounts without what is open also where no position
    differs; `own_orders`: they are those of the side that gives the rows. `None` where there
    are no rows, or no state to reach.
    """
    record, other = recorded.side(owner), recorded.side(owner.other)
    if record is None or not (record.fills or record.movements or record.opening):
        return None
    target = recorded.side(side) if rows_right else other
    if target is None or (target.positions is None and target.cash is None):
        return None
    named = with_named_account(record)
    bookings = bookings_of(recorded, space)
    orders_filled = _orders_filled(named, orders)
    if own_orders:  # they may repeat what is wrong: only what they contradict is evidence
        orders_filled = {name: amount for name, amount in orders_filled.items() if amount}
    known = replace(space, compared=space.compared | orders_filled.keys())
    bookings = replace(bookings, space=known, orders=frozenset(orders_filled))
    ledger = _ledger(recorded, named, bookings, needed=rows_right and side is owner)
    base = _base(space, record, ledger, own=rows_right and side is owner)
    entry, reached = _base_value(bookings, record, ledger), _target_value(bookings, target)
    exact = minus(space.stated(target), base)
    need, tolerance, unknown = _in_values(
        dict(exact), entry, reached, _settled(bookings, named), bookings, always=in_values
    )
    need = plus(space.real(need), orders_filled)
    need = {name: amount for name, amount in need.items() if amount}
    by_name = {name: order for order in orders if (name := order_name(order)) in orders_filled}
    return Ground(
        recorded, bookings, owner, side, rows_right, named, need, tolerance, unknown, by_name, exact
    )


def _ledger(
    recorded: RecordedSession, record: SideRecord, bookings: Bookings, *, needed: bool
) -> PositionLedger | None:
    """The ledger of the rows where something asks for it: open derivatives, own contradictions."""
    has_derivatives = any(map(bookings.derivative, recorded.instruments))
    if record.opening is None or not (needed or has_derivatives):
        return None
    return replay(recorded, record)


def _base(
    space: Space, record: SideRecord, ledger: PositionLedger | None, *, own: bool
) -> dict[str, Decimal]:
    """The state that the rows give: of a side that contradicts them, their replay."""
    if own and ledger is not None:
        return space.state(ledger.positions, ledger.cash)
    return space.stated(record)


def _base_value(bookings: Bookings, record: SideRecord, ledger: PositionLedger | None) -> OpenValue:
    if ledger is None:
        return _target_value(bookings, record)
    positions = ledger.positions
    return open_value(bookings, positions, averages_of(bookings, ledger, positions))


def _target_value(bookings: Bookings, record: SideRecord) -> OpenValue:
    positions = record.positions or ()
    return open_value(bookings, positions, {_name(bookings, row): _average(bookings, row)
                                            for row in positions})  # fmt: skip


def _name(bookings: Bookings, row: Position) -> str:
    return bookings.space.position(row.symbol, row.leg, row.account)


def _average(bookings: Bookings, row: Position) -> Decimal | None:
    return row.average_price if bookings.derivative(row.symbol) else None


def _in_values(
    need: dict[str, Decimal],
    entry: OpenValue,
    reached: OpenValue,
    settled: Mapping[str, int],
    bookings: Bookings,
    *,
    always: bool,
) -> tuple[dict[str, Decimal], dict[str, Decimal], frozenset[str]]:
    """The cash of derivative accounts, less what is open: every fill counts for itself there.

    Where no position differs what is open is taken to be the same on both sides, unless
    `always`: its average prices may be rounded and the cash is not.
    """
    same_open = not always and not any(map(is_position, bookings.space.real(need)))
    unknown, tolerance = set(), {}
    for name, fills in settled.items():
        if same_open:
            continue
        tolerance[name] = _rounding(bookings, name, fills)
        if name in entry.unknown | reached.unknown:
            unknown.add(name)
        else:
            add_to(need, name, minus(entry.value, reached.value).get(name, ZERO))
            for doubt in (entry.tolerance, reached.tolerance):
                add_to(tolerance, name, doubt.get(name, ZERO))
    return need, tolerance, frozenset(unknown)


def _settled(bookings: Bookings, record: SideRecord) -> dict[str, int]:
    """The balances that derivatives settle in, with the number of fills that they settle."""
    found: dict[str, int] = {}
    if not any(map(bookings.derivative, bookings.instruments)):
        return found
    for fill in record.fills or ():
        if bookings.derivative(fill.symbol):
            name = bookings.cash(bookings.instruments[fill.symbol].settlement, fill.account)
            found[name] = found.get(name, 0) + 1
    return found


def _rounding(bookings: Bookings, name: str, fills: int) -> Decimal:
    """What the rounding of so many PnLs adds up to, five standard deviations of it."""
    unit = bookings.resolution(currency_of(name)) or Decimal("1e-30")
    return EXACT.multiply(unit, Decimal(2 + 2 * isqrt(fills)))


def _orders_filled(record: SideRecord, orders: Sequence[Order]) -> dict[str, Decimal]:
    """What an order report says of each order, less what the fills give: 0 where they agree.

    Empty where the report does not cover the fills: it then is no evidence.
    """
    reported: dict[str, Decimal] = {}
    if not orders:
        return reported
    for order in orders:
        # A filled order has filled its quantity, whatever else it says.
        filled = order.quantity if order.state is OrderState.FILLED else order.filled_quantity
        signed = filled if order.side is OrderSide.BUY else filled.copy_negate()
        reported[order_name(order)] = signed
    fills = record.fills or ()
    named = [order_name(fill) for fill in fills]
    known = sum(name in reported for name in named)
    if not reported or Decimal(known) < _LEAST_KNOWN * len(named):
        return {}
    for name, fill in zip(named, fills, strict=True):
        add_to(reported, name, signed_quantity(fill).copy_negate())
    return reported
