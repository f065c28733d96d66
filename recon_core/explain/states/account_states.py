"""Faults of a stated account: accounts summed, margin in the free balance, holdings as cash.

Like the faults in `recon_core.explain.states.states`, each compares what both sides state, and
nothing is fitted. Source: reports of users (free balances without margin, positions of two
accounts in one, a wallet synchronised with its holdings).
"""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Final

from recon_core.explain.effects.dimensions import Dimensions, Vector, is_position, minus
from recon_core.explain.states.states import StateHypothesis
from recon_core.model import CashBalance, LedgerSide, Leg, RecordedSession, SideRecord
from recon_core.model.explanation import CauseKind
from recon_core.values.amounts import EXACT, ZERO, exact_sum, format_amount

_ACCOUNT: Final = ",account="


def account_edits(dimensions: Dimensions, recorded: RecordedSession) -> Iterator[StateHypothesis]:
    """Yield every fault of a stated account that accounts for some or all differences."""
    records = recorded.own_records()
    for side, record in records.items():
        others = [other for each, other in records.items() if each is not side]
        for other in others:
            mine, theirs = dimensions.stated(record), dimensions.stated(other)
            yield from _free_is_total(side, record, other)
            if "positions" not in record.derived:
                yield from _summed(dimensions, side, mine, theirs)
            if "cash" not in record.derived:
                yield from _holdings_again(dimensions, recorded, side, mine, theirs)


def _free_is_total(
    side: LedgerSide, record: SideRecord, other: SideRecord
) -> Iterator[StateHypothesis]:
    """Yield the free balances that are totals: the locked margin is not deducted."""
    theirs = {(row.currency, row.account): row for row in other.cash or ()}
    for row in record.cash or ():
        right = theirs.get((row.currency, row.account))
        if right is None or right.total != row.total or row.free != row.total or row.locked:
            continue
        if right.free is not None and right.free < right.total:
            fixed = replace(row, free=right.free, locked=right.locked)
            margin = format_amount(EXACT.subtract(right.total, right.free))
            detail = f"its free balance is the total: the margin of {margin} is not taken off"
            yield StateHypothesis(CauseKind.BALANCE_KIND, side, {}, detail, (_like(row, fixed),))


def _like(row: CashBalance, fixed: CashBalance) -> CashBalance:
    """Return the corrected balance with only the parts that the side gave."""
    return fixed if row.locked is not None else replace(fixed, locked=None)


def _summed(
    dimensions: Dimensions, side: LedgerSide, mine: Vector, theirs: Vector
) -> Iterator[StateHypothesis]:
    """Yield the positions of one account that are the sum of several accounts of the other side."""
    correction: dict[str, Decimal] = {}
    accounts: set[str] = set()
    for name, amounts in _by_account(theirs).items():
        held = {each: amount for each, amount in mine.items() if _bare(each) == name and amount}
        total = exact_sum(amounts.values())
        if len(amounts) > 1 and list(held.values()) == [total] and total:
            correction |= {
                each: amount
                for each, amount in minus(amounts, held).items()
                if amount and each in dimensions.compared
            }
            accounts |= {each.rpartition(_ACCOUNT)[2] for each in amounts}
    if correction:
        told = ", ".join(sorted(accounts))
        detail = f"its positions are the sum of the accounts {told}"
        yield StateHypothesis(CauseKind.FOREIGN_ACTIVITY, side, correction, detail)


def _by_account(stated: Vector) -> dict[str, dict[str, Decimal]]:
    """Return the quantities of each position that is held in accounts, by dimension."""
    found: dict[str, dict[str, Decimal]] = {}
    for name, amount in stated.items():
        if is_position(name) and _ACCOUNT in name and amount:
            found.setdefault(_bare(name), {})[name] = amount
    return found


def _bare(name: str) -> str:
    return name.partition(_ACCOUNT)[0]


def _holdings_again(
    dimensions: Dimensions,
    recorded: RecordedSession,
    side: LedgerSide,
    mine: Vector,
    theirs: Vector,
) -> Iterator[StateHypothesis]:
    """Yield a balance that is too large by exactly a holding that both sides state."""
    for symbol, instrument in sorted(recorded.instruments.items()):
        position = dimensions.position(symbol, Leg.NET, None)
        cash = dimensions.cash(instrument.base, None)
        held = mine.get(position, ZERO)
        surplus = EXACT.subtract(mine.get(cash, ZERO), theirs.get(cash, ZERO))
        if held > 0 and held == theirs.get(position) and surplus == held:
            correction = {cash: surplus.copy_negate()}
            detail = f"its {instrument.base} counts the position {symbol} of {held:f} as cash again"
            yield StateHypothesis(CauseKind.BALANCE_KIND, side, correction, detail)
