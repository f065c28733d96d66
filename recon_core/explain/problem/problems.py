"""Search problems of a session: rows that are evidence, the side at fault, the required effect.

The required effect is the state to be reached minus the state that the rows give. Cash of
derivative accounts is compared less the entry value of open positions. An order is a dimension
of its own: the filled quantity of its report minus its fills.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from math import isqrt
from typing import Final

from recon_core.explain.problem.dimensions import (
    Dimensions,
    add_to,
    currency_of,
    is_position,
    minus,
    plus,
)
from recon_core.explain.problem.open_positions import OpenValue, average_prices_of, open_value
from recon_core.explain.problem.postings import Postings, order_name, postings_of, reported
from recon_core.explain.problem.problem import Problem
from recon_core.explain.problem.rows import listed_movements
from recon_core.ledger import PositionLedger
from recon_core.ledger.bookings import is_derivative, signed_quantity
from recon_core.ledger.replay import SideReplay, replay, with_named_account
from recon_core.model import (
    LedgerSide,
    Leg,
    Order,
    Position,
    RecordedSession,
    SideRecord,
)
from recon_core.values.amounts import EXACT, ZERO, exact_sum

_LEAST_KNOWN: Final = Decimal("0.9")
"""Least fraction of the fills whose order a report must list to be evidence.

A report of open or of the latest orders lists few. A complete report may still miss an order
of a wrong fill: 1 would discard it.
"""


def problem_of(
    recorded: RecordedSession,
    dimensions: Dimensions,
    owner: LedgerSide,
    side: LedgerSide,
    *,
    rows_right: bool,
    orders: Sequence[Order] = (),
    in_values: bool = False,
    own_orders: bool = False,
) -> Problem | None:
    """Return the search of the rows of `owner` for a fault of `side`.

    `None` without rows or without a state to reach. `in_values`: cash of derivative accounts is
    compared less open positions even if no position differs. `own_orders`: `orders` are of the
    side that gives the rows.
    """
    record, other = recorded.side(owner), recorded.side(owner.other)
    if record is None or not (record.fills or record.movements or record.opening):
        return None
    target = recorded.side(side) if rows_right else other
    if target is None or (target.positions is None and target.cash is None):
        return None
    named = with_named_account(record)
    postings = postings_of(recorded, dimensions, record)
    orders_filled = _without_dust(_orders_filled(named, orders), dimensions.dust)
    if not orders_filled and not own_orders:
        orders_filled = _orders_that_moved(dimensions, named, target, orders)
    if own_orders:  # they may repeat a wrong fill: only a contradiction is evidence
        orders_filled = {name: amount for name, amount in orders_filled.items() if amount}
    known = replace(dimensions, compared=dimensions.compared | orders_filled.keys())
    postings = replace(postings, dimensions=known, orders=frozenset(orders_filled))
    is_own = rows_right and side is owner
    ledger = _ledger(recorded, named, postings, is_required=is_own)
    base = _base(dimensions, record, ledger, own=is_own)
    entry, reached = _base_value(postings, record, ledger), _target_value(postings, target)
    exact = minus(dimensions.stated(target), base)
    required, tolerance, unknown = _in_values(
        dict(exact),
        entry,
        reached,
        _settlement_balances(postings, named),
        postings,
        always=in_values,
    )
    required = plus(dimensions.real(required), orders_filled)
    required = {name: amount for name, amount in required.items() if amount}
    by_name = {name: order for order in orders if (name := order_name(order)) in orders_filled}
    problem = Problem(
        recorded,
        postings,
        owner,
        side,
        rows_right,
        named,
        required,
        tolerance,
        unknown,
        by_name,
        exact,
    )
    if ledger is not None:
        problem.replayed = dimensions.state(ledger.positions, ledger.cash)
    return problem


def _ledger(
    recorded: RecordedSession, record: SideRecord, postings: Postings, *, is_required: bool
) -> PositionLedger | None:
    """Return the ledger of the rows, if open derivatives or own contradictions ask for a replay."""
    has_derivative = any(map(postings.derivative, recorded.instruments))
    if record.opening is None or not (is_required or has_derivative):
        return None
    return replay(recorded, record)


def _base(
    dimensions: Dimensions, record: SideRecord, ledger: PositionLedger | None, *, own: bool
) -> dict[str, Decimal]:
    """Return the state that the rows give, by replay if the side contradicts its `own` rows."""
    if own and ledger is not None:
        return dimensions.state(ledger.positions, ledger.cash)
    return dimensions.stated(record)


def _base_value(postings: Postings, record: SideRecord, ledger: PositionLedger | None) -> OpenValue:
    if ledger is None:
        return _target_value(postings, record)
    positions = ledger.positions
    return open_value(postings, positions, average_prices_of(postings, ledger, positions))


def _target_value(postings: Postings, record: SideRecord) -> OpenValue:
    positions = record.position_rows
    return open_value(postings, positions, {_name(postings, row): _average(postings, row)
                                            for row in positions})  # fmt: skip


def _name(postings: Postings, row: Position) -> str:
    return postings.dimensions.position(row.symbol, row.leg, row.account)


def _average(postings: Postings, row: Position) -> Decimal | None:
    return row.average_price if postings.derivative(row.symbol) else None


def _in_values(
    required: dict[str, Decimal],
    entry: OpenValue,
    reached: OpenValue,
    balances: Mapping[str, int],
    postings: Postings,
    *,
    always: bool,
) -> tuple[dict[str, Decimal], dict[str, Decimal], frozenset[str]]:
    """Return required effect, tolerance and unknown dimensions, with cash less open positions.

    If no position differs, open positions are taken to be equal on both sides, unless `always`:
    average prices may be rounded, and cash is not.
    """
    same_open = not always and not any(map(is_position, postings.dimensions.real(required)))
    unknown, tolerance = set(), {}
    for name, fills in balances.items():
        if same_open:
            continue
        tolerance[name] = _rounding(postings, name, fills)
        if name in entry.unknown | reached.unknown:
            unknown.add(name)
        else:
            add_to(required, name, minus(entry.value, reached.value).get(name, ZERO))
            for doubt in (entry.tolerance, reached.tolerance):
                add_to(tolerance, name, doubt.get(name, ZERO))
    return required, tolerance, frozenset(unknown)


def _settlement_balances(postings: Postings, record: SideRecord) -> dict[str, int]:
    """Return the balances that derivatives settle in, each with its number of fills."""
    found: dict[str, int] = {}
    if not any(map(postings.derivative, postings.instruments)):
        return found
    for fill in record.fill_rows:
        if postings.derivative(fill.symbol):
            name = postings.cash(postings.instruments[fill.symbol].settlement, fill.account)
            found[name] = found.get(name, 0) + 1
    return found


def _rounding(postings: Postings, name: str, fills: int) -> Decimal:
    """Return the largest sum of rounding errors of this many PnLs, in the currency.

    `2 + 2 sqrt(fills)` units: five standard deviations if both sides round every PnL.
    """
    unit = postings.resolution(currency_of(name)) or Decimal("1e-30")
    return EXACT.multiply(unit, Decimal(2 + 2 * isqrt(fills)))


def _orders_filled(record: SideRecord, orders: Sequence[Order]) -> dict[str, Decimal]:
    """Return the filled quantity of each order's report minus its fills, 0 if they agree.

    Empty if the reports cover too few fills to be evidence.
    """
    if not orders:
        return {}
    filled = {order_name(order): reported(order) for order in orders}
    fills = record.fill_rows
    named = [order_name(fill) for fill in fills]
    known = sum(name in filled for name in named)
    if Decimal(known) < _LEAST_KNOWN * len(named):
        return {}
    for name, fill in zip(named, fills, strict=True):
        add_to(filled, name, signed_quantity(fill).copy_negate())
    return filled


def _without_dust(filled: Mapping[str, Decimal], dust: Decimal) -> dict[str, Decimal]:
    """Return amounts with 0 for what sums of binary floats leave of equal quantities."""
    return {name: ZERO if one.copy_abs() <= dust else one for name, one in filled.items()}


def _orders_that_moved(
    dimensions: Dimensions, record: SideRecord, target: SideRecord, orders: Sequence[Order]
) -> dict[str, Decimal]:
    """Return the filled quantity of the orders that no fill names and that moved the positions.

    A report of the latest orders lists few, but an order that it lists and that is all of what a
    position lacks is evidence: a liquidation, for example.
    """
    if not orders:
        return {}
    named = set(map(order_name, record.fill_rows))
    filled: dict[str, list[Order]] = {}
    for order in orders:
        if reported(order) and order_name(order) not in named:
            name = dimensions.position(order.symbol, Leg.NET, order.account)
            filled.setdefault(name, []).append(order)
    required = minus(dimensions.stated(target), dimensions.stated(record))
    return {
        order_name(order): reported(order)
        for name, some in filled.items()
        if exact_sum(map(reported, some)) == required.get(name, ZERO) != 0
        for order in some
    }


def problems(
    recorded: RecordedSession, dimensions: Dimensions, replays: Mapping[LedgerSide, SideReplay]
) -> list[Problem]:
    """Return the search problems of a session, the likeliest first.

    A side that contradicts its own rows is at fault. If the exchange gives no fills, the rows
    of the ledger may be wrong, or right while the exchange lags. Otherwise the rows of the
    exchange are right and the ledger is at fault: the exchange keeps the truth. Where it lists
    no movements, the ledger's own may be wrong.
    """
    contradicting = contradictions(recorded, dimensions, replays)
    if contradicting:
        found = [
            problem_of(recorded, dimensions, side, side, rows_right=True, in_values=in_values)
            for side in contradicting
            for in_values in _value_modes(recorded)
        ]
    elif _has_rows(recorded.internal) and not _has_fills(recorded.external):
        found = list(_of_the_ledger(recorded, dimensions))
    elif _has_rows(recorded.external):
        found = list(_of_the_exchange(recorded, dimensions))
    else:
        found = []
    active = [problem for problem in found if problem is not None and problem.required]
    for problem in active[1:]:
        problem.share_rows(active[0])
    return active


def _value_modes(recorded: RecordedSession) -> tuple[bool, ...]:
    """Return the measures of cash: as posted, and for derivatives also less open positions."""
    return (False, True) if any(map(is_derivative, recorded.instruments.values())) else (False,)


def contradictions(
    recorded: RecordedSession, dimensions: Dimensions, replays: Mapping[LedgerSide, SideReplay]
) -> list[LedgerSide]:
    """Return the sides that state other amounts than their own rows give."""
    found = []
    for side, replayed in replays.items():
        record = recorded.side(side)
        if record is None or replayed.positions is None:
            continue
        given = dimensions.state(
            replayed.positions if "positions" not in record.derived else record.positions,
            replayed.cash if "cash" not in record.derived else record.cash,
        )
        if dimensions.real(minus(dimensions.stated(record), given)):
            found.append(side)
    return found


def _of_the_ledger(recorded: RecordedSession, dimensions: Dimensions) -> Iterator[Problem | None]:
    inner, outer = LedgerSide.INTERNAL, LedgerSide.EXTERNAL
    stale = problem_of(recorded, dimensions, inner, outer, rows_right=True)
    if stale is not None:
        stale.stale_only = True
        yield stale
    orders = () if recorded.external is None else recorded.external.order_rows
    own = () if recorded.internal is None else recorded.internal.order_rows
    for in_values in _value_modes(recorded):
        yield problem_of(
            recorded, dimensions, inner, inner, rows_right=False, orders=orders or own,
            in_values=in_values,
            own_orders=not orders,
        )  # fmt: skip


def _of_the_exchange(recorded: RecordedSession, dimensions: Dimensions) -> Iterator[Problem | None]:
    inner, outer = LedgerSide.INTERNAL, LedgerSide.EXTERNAL
    for in_values in _value_modes(recorded):
        yield problem_of(recorded, dimensions, outer, inner, rows_right=True, in_values=in_values)
    ledger, exchange = recorded.internal, recorded.external
    if ledger is None or not ledger.movements:
        return
    if exchange is not None and listed_movements(exchange) is None:
        yield problem_of(recorded, dimensions, inner, inner, rows_right=False)


def _has_rows(record: SideRecord | None) -> bool:
    return record is not None and bool(record.fills or record.movements or record.opening)


def _has_fills(record: SideRecord | None) -> bool:
    return record is not None and record.fills is not None
