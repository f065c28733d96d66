"""What a search is to account for: the state to be reached, less the one that the rows give.

In cash of derivative accounts what is still open is left out on both sides, and of orders
what their report says besides the fills is asked for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from math import isqrt
from typing import Final

from recon_core.amounts import EXACT, ZERO
from recon_core.explain.effects.bookings import Bookings, bookings_of, order_name
from recon_core.explain.effects.open_values import OpenValue, averages_of, open_value
from recon_core.explain.effects.space import Space, add_to, currency_of, is_position, minus, plus
from recon_core.explain.grounds.ground import Ground
from recon_core.ledger import PositionLedger
from recon_core.ledger.bookings import signed_quantity
from recon_core.ledger.replay import replay, with_named_account
from recon_core.model import (
    LedgerSide,
    Order,
    OrderSide,
    OrderState,
    Position,
    RecordedSession,
    SideRecord,
)

_LEAST_KNOWN: Final = Decimal("0.9")


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
