"""Application of repair entries to a copy of a side; a second application changes nothing."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, TypeVar

from recon_core.explain.problem.wording import row_id
from recon_core.explain.repair import row_text as rows
from recon_core.explain.repair.corrections import State, identity_of, quantity_of
from recon_core.explain.repair.row_text import (
    amount_of,
    copies_of,
    field_text,
    fill_of,
    movement_of,
)
from recon_core.model import CashBalance, Fill, Leg, Movement, Opening, Position, SideRecord
from recon_core.model.fill_table import FillTable
from recon_core.values.amounts import format_amount
from recon_core.values.errors import ReconError
from recon_core.values.printable import quoted

_Row = TypeVar("_Row", Fill, Movement)

_State = TypeVar("_State", Position, CashBalance)

Steps = Iterable[tuple[str, Mapping[str, str]]]


@dataclass(slots=True)
class _Targets:
    """The most and the least copies of a row that entries leave."""

    most: dict[Any, int]
    least: dict[Any, int]


def applied(record: SideRecord, steps: Steps) -> SideRecord:
    """Return the side with entries applied; replayed sections are left for a new replay.

    Raises `ReconError` if an action is unknown, if a field is missing or no value, and if an
    amount is neither the stated nor the corrected amount of its entries.
    """
    steps = list(steps)
    account = record.only_account()
    changed = replace(
        record,
        fills=_replaced(record.fills, _targets(steps, fill_of, "fill"), account),
        movements=_replaced(record.movements, _targets(steps, movement_of, "movement"), account),
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
    """Return the copies that entries on one kind of rows leave; the last entry on a row counts."""
    targets = _Targets({}, {})
    for action, values in steps:
        if action == f"remove_{noun}":
            targets.most[made(values)] = copies_of(values)
        elif action == f"add_{noun}":
            targets.least[made(values)] = copies_of(values)
    return targets


def _replaced(given: Sequence[_Row] | None, targets: _Targets, account: str | None) -> Any:
    if not targets.most and not targets.least:
        return given

    def whole(row: _Row) -> _Row:
        """Return the row under the only account of its side, if it names none."""
        is_whole = account is None or row.account is not None
        return row if is_whole else replace(row, account=account)

    most = {whole(row): count for row, count in targets.most.items()}
    # A row of another time or id is none of theirs, which spares the hash of most rows.
    named = (*targets.most, *targets.least)
    times = {row.time for row in named}
    table = given if isinstance(given, FillTable) else None
    near = (given or ()) if table is None else table.having(fill_id={row_id(row) for row in named})
    seen: Counter[Fill | Movement] = Counter()
    kept: list[_Row] = []
    removed: list[_Row] = []
    for row in near:
        if row.time in times:
            own = whole(row)
            seen[own] += 1
            if seen[own] > most.get(own, seen[own]):
                removed.append(row)
                continue
        kept.append(row)
    added: list[Any] = [
        row for row, count in targets.least.items() for _ in range(count - seen[whole(row)])
    ]
    return (*kept, *added) if table is None else table.patched(removed, added)


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
    """Return the entries on each row of a state, in their order."""
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
    """Return the rows of a state, with the rows that entries name corrected."""
    for empty, chain in chains:
        states = list(given or ())
        key = identity_of(empty)
        at = next((at for at, row in enumerate(states) if identity_of(row) == key), None)
        if at is None:
            at = len(states)
            states.append(empty)
        states[at] = _with_changes(states[at], chain)
        given = tuple(states)
    return given


def _with_changes(row: _State, chain: Sequence[Mapping[str, str]]) -> _State:
    """Return a row as the last of its entries leaves it; a corrected row is unchanged.

    Raises `ReconError` if its amount is in no entry.
    """
    last, there = chain[-1], quantity_of(row)
    amount = amount_of(last, "corrected")
    if there == amount and _free_is_right(row, last):
        return row
    known = [amount_of(values, name) for values in chain for name in ("stated", "corrected")]
    if there not in known:
        stated = format_amount(amount_of(chain[0], "stated"))
        raise ReconError(
            f"the entry corrects {quoted(identity_of(row)[0])} from {stated} to "
            f"{format_amount(amount)}, and it is {format_amount(there)}"
        )
    return _set(row, amount, last)


def _free_is_right(row: State, values: Mapping[str, str]) -> bool:
    if "free" not in values or not isinstance(row, CashBalance):
        return True
    return row.free == amount_of(values, "free")


def _set(row: _State, amount: Decimal, values: Mapping[str, str]) -> _State:
    if isinstance(row, Position):
        price = amount_of(values, rows.AVERAGE_PRICE) if rows.AVERAGE_PRICE in values else None
        return replace(row, quantity=amount, average_price=price)
    free = amount_of(values, "free") if "free" in values else row.free
    return replace(row, total=amount, free=free)


def _empty_position(values: Mapping[str, str]) -> Position:
    leg = values.get("leg", Leg.NET)
    return Position(
        field_text(values, "symbol"),
        Decimal(0),
        account=values.get("account"),
        leg=leg,  # type: ignore[arg-type]  # the row makes it a `Leg`
    )


def _empty_balance(values: Mapping[str, str]) -> CashBalance:
    return CashBalance(field_text(values, "currency"), Decimal(0), account=values.get("account"))
