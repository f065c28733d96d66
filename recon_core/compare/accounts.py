"""Accounts: when their names count, and sides that divide one account differently.

Where each side has one account, its name does not count. Where one side has one and the
other several, the sums are compared, and one finding says so.

Source of the rules: rules, "Accounts".
"""

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from functools import reduce
from typing import Any, TypeVar

from recon_core.model import (
    BALANCE_PARTS,
    STATES,
    CashBalance,
    Position,
    RecordedSession,
    SideRecord,
)
from recon_core.model.comparison import SessionCheck
from recon_core.values.amounts import EXACT
from recon_core.values.printable import printable
from recon_core.values.severity import Severity

_Row = TypeVar("_Row", Position, CashBalance)
_MOST_NAMED = 5
"""Accounts that a finding names; more are counted."""


def single_accounts(recorded: RecordedSession) -> bool:
    """True if each side has one account, which then is its default and is not named."""
    sides = [side for side in (recorded.internal, recorded.external) if side is not None]
    return all(map(_has_one_account, sides))


def _has_one_account(record: SideRecord) -> bool:
    """True if one account at most is named; the opening and the fills may leave it out."""
    return len(_stated(record)) <= 1 and len(record.accounts - {None}) <= 1


def _stated(record: SideRecord) -> set[str | None]:
    """Return the accounts in which a side itself states something; `None` is an unnamed one."""
    return {row.account for name in STATES for row in _own_rows(record, name)}


def _own_rows(record: SideRecord, section: str) -> Iterable[Position | CashBalance]:
    rows = record.positions if section == "positions" else record.cash
    return () if section in record.derived else rows or ()


def split(recorded: RecordedSession) -> bool:
    """True if one side states one account, and the other several that have other names."""
    ours, theirs = recorded.internal, recorded.external
    if ours is None or theirs is None or recorded.mirrored:
        return False
    return _divides(ours, theirs) or _divides(theirs, ours)


def _divides(record: SideRecord, other: SideRecord) -> bool:
    """True if a side divides what the other states as one account."""
    names, stated = _stated(record), _stated(other)
    if None in names or len(names) <= 1 or not stated or not _has_one_account(other):
        return False
    return not other.accounts & names


def accounts_are_one(recorded: RecordedSession) -> bool:
    """True if the names of accounts do not count: each side has one, or one side has only one."""
    return single_accounts(recorded) or split(recorded)


def split_check(recorded: RecordedSession, severity: Severity) -> SessionCheck | None:
    """The finding that sums were compared, `None` where both sides divide alike."""
    if not split(recorded):
        return None
    named = [_named(record) for record in (recorded.internal, recorded.external) if record]
    message = f"internal has {named[0]}, external has {named[1]}: their sums are compared"
    return SessionCheck("accounts", severity, message)


def _named(record: SideRecord) -> str:
    if _has_one_account(record):
        only = record.only_account()
        return "one account" if only is None else f"the account {printable(only, 60)}"
    names = sorted(printable(name, 60) for name in record.accounts - {None})
    unnamed = ["one without a name"] if None in _stated(record) else []
    shown = [*names[:_MOST_NAMED], *unnamed]
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return f"the accounts {', '.join(shown)}{more}"


def summed(rows: Iterable[_Row] | None, *, plain: bool) -> tuple[_Row, ...] | None:
    """Rows of one position or balance in several accounts as one row, where names do not count."""
    if rows is None or not plain:
        return None if rows is None else tuple(rows)
    groups: dict[object, list[_Row]] = {}
    for row in rows:
        key = (row.symbol, row.leg) if isinstance(row, Position) else row.currency
        groups.setdefault(key, []).append(row)
    return tuple(reduce(_sum, group) for group in groups.values())


def _sum(first: _Row, second: _Row) -> _Row:
    """Return two rows as one: what only one of them gives is not known of the sum."""
    if isinstance(first, Position):
        quantity = EXACT.add(first.quantity, second.quantity)
        return replace(first, quantity=quantity, average_price=None, account=None)
    parts: dict[str, Any] = {
        name: _plus(getattr(first, name), getattr(second, name)) for name in BALANCE_PARTS
    }
    total = EXACT.add(first.total, second.total)
    return replace(first, total=total, account=None, **parts)


def _plus(first: Decimal | None, second: Decimal | None) -> Decimal | None:
    return None if first is None or second is None else EXACT.add(first, second)
