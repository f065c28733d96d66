"""Another kind of balance: a total that is free or locked, parts exchanged, holdings as cash.

Each compares the stated figures of both sides, and nothing is fitted. Source: reports of users
(free balances without margin, a wallet synchronised with its holdings).
"""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Final

from recon_core.explain.causes.family import CauseFamily
from recon_core.explain.problem.hypotheses import Strength
from recon_core.explain.problem.stated_figures import StateHypothesis, States
from recon_core.explain.problem.wording import sentence_of
from recon_core.model import CashBalance, Leg
from recon_core.model.explanation import CauseKind
from recon_core.values.amounts import EXACT, ZERO, format_amount

_FORMS: Final = 6
"""Kinds of one balance that a total is compared with: free, locked and their sum, of both sides."""


def _in_states(states: States) -> Iterator[StateHypothesis]:
    """Yield every other kind of balance that accounts for some or all differences."""
    yield from _other_kinds(states.stated_only)
    yield from _swapped_parts(states)
    yield from _free_is_total(states)
    if "cash" not in states.record.derived:
        yield from _with_position(states)


def _free_is_total(states: States) -> Iterator[StateHypothesis]:
    """Yield the free balances that are totals: the locked margin is not deducted."""
    theirs = {(row.currency, row.account): row for row in states.other_record.cash_rows}
    for row in states.record.cash_rows:
        right = theirs.get((row.currency, row.account))
        if right is None or right.total != row.total or row.free != row.total or row.locked:
            continue
        if right.free is not None and right.free < right.total:
            fixed = replace(row, free=right.free, locked=right.locked)
            margin = format_amount(EXACT.subtract(right.total, right.free))
            detail = f"its free balance is the total: the margin of {margin} is not taken off"
            yield StateHypothesis(
                CauseKind.BALANCE_KIND, states.side, {}, detail, (_like(row, fixed),)
            )


def _like(row: CashBalance, fixed: CashBalance) -> CashBalance:
    """Return the corrected balance with only the parts that the side gave."""
    return fixed if row.locked is not None else replace(fixed, locked=None)


def _with_position(states: States) -> Iterator[StateHypothesis]:
    """Yield a balance that is too large by exactly a holding that both sides state.

    Where both sides state another holding as a balance, too, it is their way and no fault.
    """
    mine, theirs = states.stated, states.other
    for symbol, instrument in sorted(states.recorded.instruments.items()):
        position = states.dimensions.position(symbol, Leg.NET, None)
        cash = states.dimensions.cash(instrument.base, None)
        held = mine.get(position, ZERO)
        surplus = EXACT.subtract(mine.get(cash, ZERO), theirs.get(cash, ZERO))
        is_too_large = held > 0 and held == theirs.get(position) and surplus == held
        if (
            is_too_large
            and not states.is_given_by_the_other(cash)
            and not _have_holdings_as_cash(states)
        ):
            correction = {cash: surplus.copy_negate()}
            detail = f"its {instrument.base} counts the position {symbol} of {held:f} as cash again"
            yield StateHypothesis(
                CauseKind.BALANCE_KIND, states.side, correction, detail,
                strength=Strength.CHANCE if _may_be_zeroed(states, cash) else Strength.EXACT,
                forms=1,
            )  # fmt: skip


def _may_be_zeroed(states: States, cash: str) -> bool:
    """True if the other side states that it has none, and no rows show what it has."""
    records = (states.record, states.other_record)
    is_bare = not any(one.fills or one.movements for one in records)
    return is_bare and cash in states.other and not states.other[cash]


def _have_holdings_as_cash(states: States) -> bool:
    """True if both sides state a position of a spot pair, and a balance of the same amount."""
    dimensions = states.dimensions
    pairs = (
        (dimensions.position(one.symbol, Leg.NET, None), dimensions.cash(one.base, None))
        for one in states.recorded.instruments.values()
    )
    return any(
        bool(states.stated.get(position))
        and len({side.get(name) for side in (states.stated, states.other)
                 for name in (position, cash)}) == 1
        for position, cash in pairs
    )  # fmt: skip


def _other_kinds(states: States) -> Iterator[StateHypothesis]:
    """Yield the totals of one side that are another kind of balance of the other side."""
    dimensions = states.dimensions
    parts = {
        dimensions.cash(row.currency, row.account): row for row in states.other_record.cash_rows
    }
    own = {dimensions.cash(row.currency, row.account): row for row in states.record.cash_rows}
    found: dict[str, list[str]] = {}
    for name in states.differing:
        theirs, mine = parts.get(name), own.get(name)
        for words, amount in () if theirs is None else _parts_of(theirs):
            if amount and states.stated.get(name, ZERO) == amount:
                found.setdefault(f"its total is the other side's {words}", []).append(name)
        if mine is not None and _whole(mine) == states.other.get(name, ZERO):
            found.setdefault("its total is free without locked", []).append(name)
        for words, amount in () if mine is None else _parts_of(mine):
            if amount and states.other.get(name, ZERO) == amount:
                found.setdefault(f"the other side's total is its {words}", []).append(name)
    for words, names in found.items():
        yield states.hypothesis(CauseKind.BALANCE_KIND, tuple(names), words, _FORMS)


def _whole(balance: CashBalance) -> Decimal | None:
    if balance.free is None or balance.locked is None:
        return None
    return EXACT.add(balance.free, balance.locked)


def _parts_of(balance: CashBalance) -> Iterator[tuple[str, Decimal | None]]:
    yield "free balance", balance.free
    yield "locked balance", balance.locked
    yield "settled cash", balance.settled
    if balance.unrealised is not None:
        yield "equity, with what is unrealised", EXACT.add(balance.total, balance.unrealised)
    if balance.debt is not None:
        yield "balance without its debt", EXACT.subtract(balance.total, balance.debt)


def _swapped_parts(states: States) -> Iterator[StateHypothesis]:
    """Yield the balances with free and locked exchanged under an equal total."""
    theirs = {(row.currency, row.account): row for row in states.other_record.cash_rows}
    for row in states.record.cash_rows:
        right = theirs.get((row.currency, row.account))
        if right is None or row.total != right.total or None in {row.free, right.free}:
            continue
        if (row.free, row.locked) == (right.locked, right.free) and row.free != row.locked:
            fixed = replace(row, free=right.free, locked=right.locked)
            yield StateHypothesis(
                CauseKind.BALANCE_KIND, states.side, {}, "free and locked swapped", (fixed,)
            )


FAMILY: Final = CauseFamily(
    sentences={CauseKind.BALANCE_KIND: sentence_of("{subject} gives another kind of balance")},
    in_states=_in_states,
    is_of_figures=False,
    state_words={CauseKind.BALANCE_KIND: "states another kind of balance"},
)
