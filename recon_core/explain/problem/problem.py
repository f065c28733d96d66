"""Search problem: rows, the state that they give, and the state to be reached.

A fault is either in the rows of a side, and a repair of the rows reaches the other side's
state; or in the stated amounts while the rows are right, and the fault, put into the rows,
reaches these amounts. Both are a search for a patch with the effect `required`. If the ledger's
fills give 48,930.33 USDT and the exchange states 48,932.91, a patch of +2.58 USDT is required.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import Enum
from functools import cached_property
from operator import attrgetter
from typing import Any, Final, TypeVar

from recon_core.explain.problem.dimensions import (
    Dimensions,
    Vector,
    is_cash,
    is_order,
    is_position,
    minus,
    state_part,
)
from recon_core.explain.problem.fee_schedule import FeeSchedules
from recon_core.explain.problem.open_positions import BalancePatch, OpenBases, open_bases
from recon_core.explain.problem.patches import Patch
from recon_core.explain.problem.postings import Postings
from recon_core.explain.problem.rows import Rows
from recon_core.explain.problem.snapshots import Divergence, divergence_of
from recon_core.ledger.replay import replay
from recon_core.model import Fill, LedgerSide, Movement, Order, RecordedSession, SideRecord
from recon_core.model.fill_table import FillTable
from recon_core.values.amounts import EXACT, ZERO
from recon_core.values.errors import ReplayError

_CLOSE: Final = Decimal("0.001")
"""Fraction of the float dust within which a fit counts as exact.

A right answer differs by float noise only, far below the dust. A coincidence anywhere within
the dust is so close in one of 1,000 cases.
"""

_Figure = TypeVar("_Figure")
_time: Final = attrgetter("time")


class FaultIn(Enum):
    """The place of a fault: the rows are wrong, or the stated amounts while the rows are right."""

    ROWS = "rows"
    STATEMENT = "statement"


@dataclass
class Problem:
    """One search for a patch of rows.

    `owner`: the side that gave the rows. `side`: the side at fault. `rows_right`: the rows are
    evidence, and the fault is in the state of `side`. `required`: the state to reach minus the
    state that the rows give, open derivatives left out, in quantities and currencies.
    `tolerance`: the largest error of `required` by rounded PnL. `unknown`: dimensions that only
    the proof compares. `open_names`: unknown balances that `settlement_balances` leaves out.
    `exact`: the required change of positions and cash as they are posted. `stale_only`: the only
    fault that is searched for is that `side` is behind. `before`: the problem in which
    `changed_count` fills were patched to give this one.
    """

    recorded: RecordedSession
    postings: Postings
    owner: LedgerSide
    side: LedgerSide
    rows_right: bool
    record: SideRecord
    required: Mapping[str, Decimal]
    tolerance: Mapping[str, Decimal] = field(default_factory=dict)
    unknown: frozenset[str] = frozenset()
    orders: Mapping[str, Order] = field(default_factory=dict)
    exact: Mapping[str, Decimal] = field(default_factory=dict)
    stale_only: bool = False
    open_names: frozenset[str] = frozenset()
    before: "Problem | None" = None
    changed_count: int = 0

    @property
    def fault_in(self) -> FaultIn:
        """The place of the fault that is searched for."""
        return FaultIn.STATEMENT if self.rows_right else FaultIn.ROWS

    @property
    def is_of_own_statement(self) -> bool:
        """True if a side's statement is held against the side's own rows."""
        return self.rows_right and self.side is self.owner

    def statement_of(self, side: LedgerSide) -> SideRecord:
        """Return what a side states, nothing if the session has no such side."""
        return self.recorded.side(side) or SideRecord(self.record.as_of)

    @property
    def only_position(self) -> str | None:
        """The only position with a required effect, `None` if there is none, or several."""
        positions = list(filter(is_position, self.required))
        return positions[0] if len(positions) == 1 else None

    @cached_property
    def moved(self) -> tuple[tuple[str, Decimal], ...]:
        """Positions that one fill would have to move, each with the quantity.

        The only position with a required effect. If no position has one, those that are compared
        as the balance of their asset, with what that balance requires: a fill moves it and the
        balance that it is paid in.
        """
        name = self.only_position
        if name is not None:
            return ((name, self.required[name]),)
        return () if any(map(is_position, self.required)) else tuple(self._moved_balances())

    def _moved_balances(self) -> Iterator[tuple[str, Decimal]]:
        for name, fills in self.by_symbol.items():
            instrument = self.postings.instruments.get(fills[0].symbol)
            if instrument is None or not instrument.instrument_kind.delivers:
                continue
            if name in self.dimensions.compared:
                continue
            cash = self.postings.cash
            asset, paid = (
                self.required.get(cash(currency, fills[0].account), ZERO)
                for currency in (instrument.base, instrument.quote)
            )
            if asset and paid:
                yield name, asset

    def wrong_and_right(self, given: _Figure, other: _Figure) -> tuple[_Figure, _Figure]:
        """Return a figure of a row and its other figure in the order (wrong, right)."""
        return (other, given) if self.rows_right else (given, other)

    @property
    def dimensions(self) -> Dimensions:
        """The dimensions, known orders included."""
        return self.postings.dimensions

    @cached_property
    def divergence(self) -> Divergence:
        """The differences at the snapshots of the other side, if they are evidence."""
        if self.is_of_own_statement:
            return Divergence()
        return divergence_of(
            self.recorded,
            self.dimensions,
            self.record,
            self.owner,
            self.required,
            rows_right=self.rows_right,
        )

    @cached_property
    def rows(self) -> Rows:
        """The fills, in the orders and groups that the steps use."""
        return Rows(self.record, self.postings.position_of)

    @cached_property
    def schedules(self) -> FeeSchedules:
        """The fee schedules that the fills show."""
        before = None if self.before is None else self.before.schedules
        return FeeSchedules(self.postings, self.by_symbol, before, self.changed_count)

    @cached_property
    def markets(self) -> dict[str, Any]:
        """The markets of its positions by their dimension, as `market_of` makes them."""
        return {}

    def share_rows(self, other: "Problem") -> None:
        """Take over what the fills of another problem of the session show, if they are the same."""
        same = self.record.fills is other.record.fills
        if same and self.record.movements is other.record.movements:
            self.rows = other.rows
            if self.postings is other.postings:
                self.schedules, self.markets = other.schedules, other.markets

    @property
    def fills(self) -> Sequence[Fill]:
        """The fills by time."""
        return self.rows.fills

    @property
    def table(self) -> FillTable:
        """The fills in the order of their source, for questions about all of them."""
        return self.rows.table

    @cached_property
    def timeline(self) -> list[Fill | Movement]:
        """The fills and movements by time."""
        return sorted((*self.fills, *self.rows.movements), key=_time)

    @property
    def places(self) -> dict[str, list[int]]:
        """The places of the fills of each position, by its dimension."""
        return self.rows.places

    @property
    def by_symbol(self) -> Mapping[str, Sequence[Fill]]:
        """The fills of each position by time, by its dimension."""
        return self.rows.by_position

    def reached_by_effect(self, effect: Vector) -> bool:
        """True if an effect is the required effect in every known dimension."""
        required, dimensions = self.required, self.dimensions
        if any(
            name not in effect and amount.copy_abs() > self.allowed(name)
            for name, amount in required.items()
        ):
            return False
        return all(
            EXACT.subtract(required.get(name, ZERO), amount).copy_abs() <= self.allowed(name)
            for name, amount in effect.items()
            if name in dimensions.compared
        )

    def without_cash(self) -> "Problem":
        """Return the same problem with every balance unknown."""
        cash = frozenset(filter(is_cash, self.dimensions.compared))
        required = {name: amount for name, amount in self.required.items() if not is_cash(name)}
        return replace(self, required=required, unknown=self.unknown | cash, open_names=cash)

    def reached_by(self, patch: Patch) -> bool:
        """True if a patch has the required effect, in balances of open positions as well."""
        return self.steps_off(patch) == 0

    def steps_off(self, patch: Patch) -> int | None:
        """Return the error that a patch leaves in balances of open positions.

        In multiples of the tolerance, 0 if they are reached; `None` if any other dimension is
        missed.
        """
        effect = patch.vector(self.postings)
        if not self.reached_by_effect(effect):
            return None
        return self.largest_steps_off(
            {name: [self.balance_patch(patch, name)] for name in self.settlement_balances}
        )

    @cached_property
    def settlement_balances(self) -> tuple[str, ...]:
        """The unknown balances whose open positions can be followed without a replay."""
        names = (self.unknown & self.dimensions.compared) - self.open_names
        return tuple(sorted(names)) if names and self._bases is not None else ()

    def balance_patch(self, patch: Patch, name: str) -> BalancePatch:
        """Return a patch as it concerns one balance of `settlement_balances`."""
        assert self._bases is not None  # noqa: S101  # else `settlement_balances` is empty
        return self._bases.balance_patch(patch, name)

    def largest_steps_off(self, patches: Mapping[str, Sequence[BalancePatch]]) -> int:
        """Return the largest error of patches of different rows, in multiples of the tolerance."""
        bases = self._bases if patches else None
        if bases is None:
            return 0
        return max(
            (self._steps(name, bases.amount(parts)) for name, parts in patches.items()), default=0
        )

    def _steps(self, name: str, amount: Decimal) -> int:
        off = EXACT.subtract(self.exact.get(name, ZERO), amount).copy_abs()
        allowed = EXACT.add(self.tolerance.get(name, ZERO), self.dimensions.dust)
        return int(EXACT.divide_int(off, allowed)) if allowed else int(off != 0)

    @cached_property
    def _bases(self) -> OpenBases | None:
        return open_bases(self.postings, self.record)

    def allowed(self, name: str) -> Decimal:
        """Return the largest error of a dimension in the search, infinite if it is unknown."""
        if name in self.unknown:
            return Decimal("Infinity")
        return max(self.tolerance.get(name, ZERO), self.dimensions.dust)

    def replayed_after(self, patch: Patch) -> "Problem | None":
        """Return the problem that remains after a patch, by replay, `None` if none is possible."""
        try:
            record = patch.applied(self.record)
            state = self.state_of(record)
            effect = minus(state, self.replayed)
        except ReplayError:
            return None
        exact = minus(self.exact, effect)
        of_orders = {
            name: amount
            for name, amount in self.left(patch.vector(self.postings)).items()
            if is_order(name)
        }
        required = {**self.dimensions.real(exact), **of_orders}
        after = replace(
            self, record=record, required=required, tolerance={}, unknown=frozenset(), exact=exact,
            before=self, changed_count=_changed_count(patch),
        )  # fmt: skip
        after.replayed = state
        return after

    def after(self, patch: Patch) -> "Problem":
        """Return the problem with the patched rows and the effect that is still required."""
        effect = patch.vector(self.postings)
        return Problem(
            self.recorded,
            self.postings,
            self.owner,
            self.side,
            self.rows_right,
            patch.applied(self.record),
            self.left(effect),
            self.tolerance,
            self.unknown,
            self.orders,
            minus(self.exact, state_part(effect)),
            before=self,
            changed_count=_changed_count(patch),
        )

    @cached_property
    def replayed(self) -> dict[str, Decimal]:
        """The state that the rows give by replay."""
        return self.state_of(self.record)

    def state_of(self, record: SideRecord) -> dict[str, Decimal]:
        """Return the state that rows give by replay; raise `ReplayError` if they give none."""
        ledger = replay(self.recorded, record)
        return self.dimensions.state(ledger.positions, ledger.cash)

    def is_close(self, effect: Vector) -> bool:
        """True if an effect misses the required effect by far less than float dust."""
        limit = EXACT.multiply(self.dimensions.dust, _CLOSE)
        residual = state_part(self.dimensions.seen(minus(self.required, effect)))
        return all(
            value.copy_abs() <= limit or self.tolerance.get(name, ZERO) >= value.copy_abs()
            for name, value in residual.items()
            if name not in self.unknown
        )

    def left(self, effect: Vector) -> dict[str, Decimal]:
        """Return the required effect less an effect, without amounts within the tolerance."""
        residual = self.dimensions.seen(minus(self.required, effect))
        return {
            name: value for name, value in residual.items() if value.copy_abs() > self.allowed(name)
        }


def _changed_count(patch: Patch) -> int:
    """Return the number of fills that a patch changes, adds or removes."""
    return max(len(patch.removed), len(patch.added))
