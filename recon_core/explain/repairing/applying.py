"""Entries of a repair, applied to a copy of a side; twice is the same as once."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, TypeVar

from recon_core.amounts import format_amount
from recon_core.errors import ReconError
from recon_core.explain.repairing import booking_rows as rows
from recon_core.explain.repairing.booking_rows import (
    amount_of,
    copies_of,
    fill_of,
    movement_of,
    needed,
)
from recon_core.explain.repairing.corrections import State, identity_of, quantity_of
from recon_core.model import CashBalance, Fill, Leg, Movement, Opening, Position, SideRecord
from recon_core.printable import quoted

_Row = TypeVar("_Row", Fill, Movement)
_State = TypeVar("_State", Position, CashBalance)
Steps = Iterable[tuple[str, Mapping[str, str]]]


@dataclass(slots=True)
class _Targets:
    """How many of a row there may be at most, and how many there must be at least."""

    most: dict[Any, int]
    least: dict[Any, int]


def applied(record: SideRecord, steps: Steps) -> SideRecord:
    """The side with entries applied; what was replayed is left to the replay again.

    Raises `ReconError` where an entry does not fit: an amount is neither what it was when
    the entry was made nor what the entry makes of it.
    """
    steps = list(steps)
    account = record.only_account()
    changed = replace(
        record,
        fills=_exchanged(record.fills, _targets(steps, fill_of, "fill"), account),
        movements=_exchanged(record.movements, _targets(steps, movement_of, "movement"), account),
        opening=_opened(record.opening, steps),
        derived=frozenset(),
    )
    _refuse_unknown(steps)
    positions = None if "positions" in record.derived else record.positions
    cash = None if "cash" in record.derived else record.cash
    return replace(
        changed,
        positions=_moved(positions, _chains(steps, rows.ADJUST_POSITION, _empty_position)),
        cash=_moved(cash, _chains(steps, rows.ADJUST_CASH, _empty_balance)),
    )


def _refuse_unknown(steps: Steps) -> None:
    for action, _ in steps:
        if action not in rows.ACTIONS:
            expected = ", ".join(rows.ACTIONS)
            raise ReconError(f"action: {quoted(action)}; expected one of {expected}")


def _targets(
    steps: Steps, made: Callable[[Mapping[str, str]], Fill | Movement], noun: str
) -> _Targets:
    """What the entries on one kind of rows come to; of one row the last entry counts."""
    targets = _Targets({}, {})
    for action, values in steps:
        if action == f"remove_{noun}":
            targets.most[made(values)] = copies_of(values)
        elif action == f"add_{noun}":
            targets.least[made(values)] = copies_of(values)
    return targets


def _exchanged(
    given: tuple[_Row, ...] | None, targets: _Targets, account: str | None
) -> tuple[_Row, ...] | None:
    if not targets.most and not targets.least:
        return given
    seen: Counter[Fill | Movement] = Counter()
    kept = []
    for row in given or ():
        # A row without an account is of the only one that its side has.
        whole = row if row.account is not None else replace(row, account=account)
        at_most = targets.most.get(whole, targets.most.get(row))
        for one in {whole, row}:
            seen[one] += 1
        if at_most is None or seen[row] <= at_most:
            kept.append(row)
    for row, count in targets.least.items():
        kept += [row] * (count - seen[row])
    return tuple(kept)


def _opened(opening: Opening | None, steps: Steps) -> Opening | None:
    own = [values for action, values in steps if action == rows.ADJUST_OPENING]
    if not own:
        return opening
    opening = opening or Opening(None)
    named = [(rows.ADJUST_OPENING, values) for values in own if "symbol" in values]
    others = [(rows.ADJUST_OPENING, values) for values in own if "symbol" not in values]
    positions = _chains(named, rows.ADJUST_OPENING, _empty_position)
    cash = _chains(others, rows.ADJUST_OPENING, _empty_balance)
    return replace(
        opening,
        positions=_moved(opening.positions, positions) or (),
        cash=_moved(opening.cash, cash) or (),
    )


def _chains(
    steps: Steps, action: str, empty: Callable[[Mapping[str, str]], _State]
) -> list[tuple[_State, list[Mapping[str, str]]]]:
    """The entries on each row of a state, one after the other."""
    chains: dict[object, tuple[_State, list[Mapping[str, str]]]] = {}
    for name, values in steps:
        if name == action:
            row = empty(values)
            chains.setdefault(identity_of(row), (row, []))[1].append(values)
    return list(chains.values())


def _moved(
    given: tuple[_State, ...] | None,
    chains: Iterable[tuple[_State, list[Mapping[str, str]]]],
) -> tuple[_State, ...] | None:
    """The rows of a state, those corrected that entries name."""
    for empty, chain in chains:
        states = list(given or ())
        key = identity_of(empty)
        at = next((at for at, row in enumerate(states) if identity_of(row) == key), None)
        if at is None:
            at = len(states)
            states.append(empty)
        states[at] = _corrected(states[at], chain)
        given = tuple(states)
    return given


def _corrected(row: _State, chain: Sequence[Mapping[str, str]]) -> _State:
    """A row as the last of its entries leaves it; one that is so already stays."""
    last, there = chain[-1], quantity_of(row)
    corrected = amount_of(last, "corrected")
    if there == corrected and _free_is_right(row, last):
        return row
    known = [amount_of(values, name) for values in chain for name in ("stated", "corrected")]
    if there not in known:
        stated = format_amount(amount_of(chain[0], "stated"))
        raise ReconError(
            f"the entry corrects {quoted(identity_of(row)[0])} from {stated} to "
            f"{format_amount(corrected)}, and it is {format_amount(there)}"
        )
    return _set(row, corrected, last)


def _free_is_right(row: State, values: Mapping[str, str]) -> bool:
    if "free" not in values or not isinstance(row, CashBalance):
        return True
    return row.free == amount_of(values, "free")


def _set(row: _State, corrected: Decimal, values: Mapping[str, str]) -> _State:
    if isinstance(row, Position):
        return replace(row, quantity=corrected, average_price=None)
    free = amount_of(values, "free") if "free" in values else row.free
    return replace(row, total=corrected, free=free)


def _empty_position(values: Mapping[str, str]) -> Position:
    leg = values.get("leg", Leg.NET)
    return Position(
        needed(values, "symbol"),
        Decimal(0),
        account=values.get("account"),
        leg=leg,  # type: ignore[arg-type]  # made a leg by the row itself
    )


def _empty_balance(values: Mapping[str, str]) -> CashBalance:
    return CashBalance(needed(values, "currency"), Decimal(0), account=values.get("account"))
