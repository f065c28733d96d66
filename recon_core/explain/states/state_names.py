"""Faults of the names of stated amounts: symbols and currencies, kinds of balance, legs."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from recon_core.compare.keys import encode_key
from recon_core.explain.effects.dimensions import is_position
from recon_core.explain.states.states import StateHypothesis, States, bare_name
from recon_core.model import CashBalance, LedgerSide, Leg, Position, SideRecord
from recon_core.model.explanation import CauseKind
from recon_core.values.amounts import EXACT, ZERO


def aliases(states: States) -> Iterator[StateHypothesis]:
    """Yield names that only this side has with the amounts of a name that only the other has."""
    mine: dict[str, dict[str, Decimal]] = {}
    theirs: dict[str, dict[str, Decimal]] = {}
    for name in states.differing:
        first, second = states.stated.get(name, ZERO), states.other.get(name, ZERO)
        if not second:
            mine.setdefault(bare_name(name), {})[_rest(name)] = first
        if not first:
            theirs.setdefault(bare_name(name), {})[_rest(name)] = second
    for name, amounts in mine.items():
        alike = is_position(name)
        equal = [
            one for one, rest in theirs.items() if rest == amounts and is_position(one) == alike
        ]
        if len(equal) == 1:
            names = [f"{one}{rest}" for one in (name, equal[0]) for rest in amounts]
            first_name, second_name = (one.split("::", 1)[1] for one in (name, equal[0]))
            detail = f"{first_name} is what the other side calls {second_name}"
            hypothesis = states.hypothesis(CauseKind.ALIAS, tuple(names), detail)
            own, others = (_row_name(states, one) for one in (name, equal[0]))
            yield replace(hypothesis, renamed=(own, others))


def _row_name(states: States, name: str) -> str:
    """Return a dimension's symbol or currency as rows state it: its key may be encoded."""
    key = name.split("::", 1)[1]
    for record in states.recorded.own_records().values():
        rows = (record.positions if is_position(name) else record.cash) or ()
        for row in rows:
            own = row.symbol if isinstance(row, Position) else row.currency
            if encode_key(own) == key:
                return own
    return key


def _rest(name: str) -> str:
    return name[len(bare_name(name)) :]


def other_kinds(states: States, record: SideRecord, other: SideRecord) -> Iterator[StateHypothesis]:
    """Yield the totals of one side that are another kind of balance of the other side."""
    dimensions = states.dimensions
    parts = {dimensions.cash(row.currency, row.account): row for row in other.cash or ()}
    own = {dimensions.cash(row.currency, row.account): row for row in record.cash or ()}
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
        yield states.hypothesis(CauseKind.BALANCE_KIND, tuple(names), words)


def _whole(balance: CashBalance) -> Decimal | None:
    if balance.free is None or balance.locked is None:
        return None
    return EXACT.add(balance.free, balance.locked)


def _parts_of(balance: CashBalance) -> Iterator[tuple[str, Decimal | None]]:
    yield "free balance", balance.free
    yield "locked balance", balance.locked


def swapped_parts(
    side: LedgerSide, record: SideRecord, other: SideRecord
) -> Iterator[StateHypothesis]:
    """Yield the balances with free and locked exchanged under an equal total."""
    theirs = {(row.currency, row.account): row for row in other.cash or ()}
    for row in record.cash or ():
        right = theirs.get((row.currency, row.account))
        if right is None or row.total != right.total or None in {row.free, right.free}:
            continue
        if (row.free, row.locked) == (right.locked, right.free) and row.free != row.locked:
            fixed = replace(row, free=right.free, locked=right.locked)
            yield StateHypothesis(
                CauseKind.BALANCE_KIND, side, {}, "free and locked swapped", (fixed,)
            )


def netted_legs(states: States, other: SideRecord) -> Iterator[StateHypothesis]:
    """Yield a net position where the other side holds LONG and SHORT separately."""
    legs: dict[tuple[str, str | None], dict[Leg, Decimal]] = {}
    for row in other.positions or ():
        if row.leg is not Leg.NET:
            legs.setdefault((row.symbol, row.account), {})[row.leg] = row.quantity
    for (symbol, account), quantities in legs.items():
        names = {leg: states.dimensions.position(symbol, leg, account) for leg in Leg}
        net = EXACT.add(quantities.get(Leg.LONG, ZERO), quantities.get(Leg.SHORT, ZERO))
        only_net = not any(states.stated.get(names[leg]) for leg in (Leg.LONG, Leg.SHORT))
        only_net = only_net and (bool(states.stated.get(names[Leg.NET])) or not net)
        wrong = tuple(name for name in names.values() if name in states.differing)
        if wrong and only_net and states.stated.get(names[Leg.NET], ZERO) == net:
            yield states.hypothesis(CauseKind.NETTED_LEGS, wrong, "LONG and SHORT are netted")
