"""Every way of charging fees with every fault of a fill, of its fee, or of all fills.

Spot, linear and inverse ledgers (`charges.LEDGERS`); the exchange gives its state, and its orders
or not. Session by session the lock of the trials holds what is answered.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import product
from typing import Final

from recon_core.engine.reconciliation import Reconciliation
from recon_core.explain.problem.hypotheses import flipped
from recon_core.model import Fill
from tests.core.builders import at
from tests.explain.charges import LEDGERS, rows_of, session

Rows = list[Fill]
Fault = Callable[[Fill], Rows]


def _other(**changes: Callable[[Fill], object]) -> Fault:
    return lambda row: [replace(row, **{name: of(row) for name, of in changes.items()})]


def _both(first: Fault, second: Fault) -> Fault:
    return lambda row: [two for one in first(row) for two in second(one)]


_ZERO: Final = Decimal(0)

OF_A_FILL: Final[Sequence[Fault]] = (
    lambda _: [],
    lambda row: [row, replace(row)],
    lambda row: [row, replace(row, fill_id="more", time=at(-7), client_order_id="another")],
    lambda row: [flipped(row)],
    _other(quantity=lambda row: row.quantity * 2),
    _other(quantity=lambda row: row.quantity * 10),
    _other(quantity=lambda row: row.quantity / 2),
    _both(_other(quantity=lambda row: row.quantity * 3), _other(fee=lambda row: row.fee * 3)),
    _other(price=lambda row: row.price * 2),
    _other(price=lambda row: row.price * 10),
    _other(price=lambda row: row.price + Decimal("7.5")),
    _other(fee=lambda _: _ZERO),
    _other(fee=lambda row: row.fee * 2),
    _other(fee=lambda row: row.fee / 2),
    _other(fee=lambda row: -row.fee),
    _other(fee=lambda row: row.fee * Decimal("1.5")),
    _other(fee_currency=lambda row: "USDT" if row.fee_currency != "USDT" else "BTC"),
    _other(fee=lambda _: _ZERO, fee_currency=lambda _: None),
    lambda row: [replace(row, quantity=row.quantity / 2, fee=row.fee / 2)],
)
"""Faults of one fill: the rows that are booked in its place."""

OF_ALL: Final[Sequence[Fault]] = (
    _other(fee=lambda _: _ZERO),
    _other(fee=lambda row: row.fee * 2),
    _other(fee=lambda row: row.fee / 2),
    _other(fee=lambda row: -row.fee),
    _other(quantity=lambda row: row.quantity * 10),
    _other(quantity=lambda row: row.quantity / 1000),
    _other(quantity=lambda row: round(row.quantity, 2)),
    lambda row: [flipped(row)],
    _other(fee_currency=lambda row: "USDT" if row.fee_currency != "USDT" else "BTC"),
)
"""Faults of every fill."""

_PLACES: Final = (3, 29)

_ALONE: Final = list(product(LEDGERS, OF_A_FILL, _PLACES, (True, False)))
_TWO: Final = list(product(LEDGERS, OF_A_FILL[::3], OF_A_FILL[1::4]))
_WHOLE: Final = list(product(LEDGERS, OF_ALL, (True, False)))

COUNT: Final = len(_ALONE) + len(_TWO) + len(_WHOLE)
"""The number of sessions: one fault of a fill, two of them, and one of all."""


def charged_session(number: int) -> Reconciliation:
    """The session of a number below `COUNT`."""
    if number < len(_ALONE):
        ledger, fault, place, orders = _ALONE[number]
        right = rows_of(*LEDGERS[ledger])
        wrong = [*right[:place], *fault(right[place]), *right[place + 1 :]]
        return session(right, wrong, orders=orders)
    number -= len(_ALONE)
    if number < len(_TWO):
        ledger, fault, second = _TWO[number]
        right = rows_of(*LEDGERS[ledger])
        wrong = [*right[:5], *fault(right[5]), *right[6:20], *second(right[20]), *right[21:]]
        return session(right, wrong, orders=False)
    ledger, fault, orders = _WHOLE[number - len(_TWO)]
    right = rows_of(*LEDGERS[ledger])
    return session(right, [one for row in right for one in fault(row)], orders=orders)
