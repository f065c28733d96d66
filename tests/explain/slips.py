"""Faults of one row of a ledger, by name: what the rows are with it, and the kinds that name it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal

from recon_core.model import Fill
from tests.core.builders import scaled

Rows = list[Fill]


@dataclass(frozen=True)
class Slip:
    """A fault of one row: what the rows are with it, and the kinds that name it rightly."""

    kinds: frozenset[str]
    applied: Callable[[Rows, int], Rows]


def _with(**changes: Callable[[Fill], object]) -> Callable[[Rows, int], Rows]:
    def applied(rows: Rows, at_: int) -> Rows:
        row = rows[at_]
        other = replace(row, **{name: value(row) for name, value in changes.items()})
        return [*rows[:at_], other, *rows[at_ + 1 :]]

    return applied


def _again(rows: Rows, at_: int) -> Rows:
    return [*rows, replace(rows[at_])]


def _under_another_id(rows: Rows, at_: int) -> Rows:
    return [*rows, replace(rows[at_], fill_id="again")]


SLIPS = {
    "missing": Slip(frozenset({"missing_fill"}), lambda rows, at_: rows[:at_] + rows[at_ + 1 :]),
    "twice": Slip(frozenset({"duplicate_fill"}), _again),
    "other id": Slip(frozenset({"duplicate_fill", "orphan_fill"}), _under_another_id),
    "flipped": Slip(frozenset({"side_flipped"}), _with(side=lambda row: row.side.other)),
    "tenfold": Slip(frozenset({"wrong_quantity"}), _with(quantity=lambda row: row.quantity * 10)),
    "another quantity": Slip(
        frozenset({"wrong_quantity"}), _with(quantity=lambda row: row.quantity + scaled(7, 4))
    ),
    "no fee": Slip(frozenset({"missing_fee"}), _with(fee=lambda _: Decimal(0))),
    "fee twice": Slip(frozenset({"duplicate_fee"}), _with(fee=lambda row: row.fee * 2)),
    "fee turned": Slip(frozenset({"fee_sign"}), _with(fee=lambda row: -row.fee)),
}
