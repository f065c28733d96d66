"""Corrections that turn a faulty side into the repaired side: rows and amounts to book."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import compress
from operator import attrgetter
from typing import Final

from recon_core.explain.problem.hypotheses import MISSING_ID, Row
from recon_core.explain.problem.wording import row_id
from recon_core.explain.proof.attempt import Answer
from recon_core.explain.repair.row_text import (
    ADD_FILL,
    ADD_MOVEMENT,
    ADJUST_CASH,
    ADJUST_OPENING,
    ADJUST_POSITION,
    AVERAGE_PRICE,
    COPIES,
    REMOVE_FILL,
    REMOVE_MOVEMENT,
    Values,
    digest,
    row_values,
)
from recon_core.model import (
    CashBalance,
    Fill,
    Leg,
    Movement,
    MovementKind,
    Opening,
    Position,
    SideRecord,
)
from recon_core.model.fill_table import FillTable
from recon_core.values.amounts import EXACT, ZERO, format_amount, shortest

Step = tuple[str, Values]

State = Position | CashBalance

_ACTIONS: Final = {
    (Fill, False): REMOVE_FILL,
    (Fill, True): ADD_FILL,
    (Movement, False): REMOVE_MOVEMENT,
    (Movement, True): ADD_MOVEMENT,
}


def row_steps(answer: Answer, session_id: str) -> Iterator[Step]:
    """Yield the rows to remove and to add; an added fill without an id is given one."""
    patch, record = answer.patch, answer.problem.record
    yield from _row_changes(record.fill_rows, patch.removed, patch.added, session_id)
    yield from _row_changes(
        record.movement_rows, patch.removed_movements, patch.added_movements, session_id
    )
    if patch.opening is not None and patch.old_opening is not None:
        yield from _opening_steps(patch.old_opening, patch.opening)


def _row_changes(
    rows: Iterable[Row], removed: Sequence[Row], added: Sequence[Row], session_id: str
) -> Iterator[Step]:
    named = [_named(row, session_id) for row in added]
    changed = {*removed, *named}
    ids = {row_id(row) for row in changed}
    left = Counter(row for row in _with_ids(rows, ids) if row in changed)
    for row in removed:
        left[row] -= 1
        yield _ACTIONS[type(row), False], {**row_values(row), COPIES: str(left[row])}
    for row in named:
        left[row] += 1
        yield _ACTIONS[type(row), True], {**row_values(row), COPIES: str(left[row])}


def _with_ids(rows: Iterable[Row], ids: Collection[str]) -> Iterator[Row]:
    """Return the rows, all fills or all movements, that have an id of `ids`."""
    if isinstance(rows, FillTable):
        return iter(rows.having(fill_id=ids))
    rows = list(rows)
    if not rows:
        return iter(())
    id_of = attrgetter("fill_id" if isinstance(rows[0], Fill) else "movement_id")
    return compress(rows, [one in ids for one in map(id_of, rows)])


def _named(row: Row, session_id: str) -> Row:
    """Return a row as it is booked: a fill with an id, its fee without trailing zeros."""
    if isinstance(row, Movement):
        return row
    row = replace(row, fee=shortest(row.fee))
    if row.fill_id != MISSING_ID:
        return row
    return replace(row, fill_id=f"repair-fill-{digest(session_id, row_values(row))}")


def _opening_steps(old: Opening, new: Opening) -> Iterator[Step]:
    for before, after in ((old.positions, new.positions), (old.cash, new.cash)):
        for values in _changes(before, after):
            yield ADJUST_OPENING, values


def state_steps(before: SideRecord, after: SideRecord, session_id: str) -> Iterator[Step]:
    """Yield the amounts by which a repair moves the state of a side.

    A section that was replayed from rows is moved by an adjusting movement.
    """
    sections: tuple[tuple[str, str, Callable[[SideRecord], Sequence[State]]], ...] = (
        ("positions", ADJUST_POSITION, lambda record: record.position_rows),
        ("cash", ADJUST_CASH, lambda record: record.cash_rows),
    )
    for name, action, rows in sections:
        if rows(before) is rows(after):
            continue
        for values in _changes(rows(before), rows(after)):
            if name in before.derived:
                yield ADD_MOVEMENT, _movement(before, values, session_id)
            else:
                yield action, values


def _changes(before: Sequence[State], after: Sequence[State]) -> Iterator[Values]:
    """Yield for each row that moves its name and account, the amount to add, and both amounts."""
    old, new = (
        {identity_of(row): row for row in before},
        {identity_of(row): row for row in after},
    )
    for key in sorted({*old, *new}, key=str):
        first, second = old.get(key), new.get(key)
        row = second or first
        assert row is not None  # noqa: S101  # the key is of one of them
        amounts = quantity_of(first), quantity_of(second)
        parts = _free(first), _free(second)
        if amounts[0] == amounts[1] and (first is None or second is None or parts[0] == parts[1]):
            continue
        yield {
            **_name(row),
            "amount": format_amount(EXACT.subtract(amounts[1], amounts[0])),
            "stated": format_amount(amounts[0]),
            "corrected": format_amount(amounts[1]),
            **({} if parts[1] is None else {"free": format_amount(parts[1])}),
            **_average_price(second),
        }


def _average_price(row: State | None) -> Values:
    """Return the price of an opening position: a derivative is not closed without one."""
    price = row.average_price if isinstance(row, Position) else None
    return {} if price is None else {AVERAGE_PRICE: format_amount(price)}


def identity_of(row: State) -> tuple[str, str | None, str]:
    """Return the key of a row of a state: symbol or currency, account, leg."""
    leg = str(row.leg) if isinstance(row, Position) else ""
    return row.symbol if isinstance(row, Position) else row.currency, row.account, leg


def quantity_of(row: State | None) -> Decimal:
    """Return the quantity of a position or the total of a balance, 0 for no row."""
    if row is None:
        return ZERO
    return row.quantity if isinstance(row, Position) else row.total


def _free(row: State | None) -> Decimal | None:
    return row.free if isinstance(row, CashBalance) else None


def _name(row: State) -> Values:
    name = {"account": row.account} if row.account is not None else {}
    if isinstance(row, CashBalance):
        return {"currency": row.currency, **name}
    leg = {} if row.leg is Leg.NET else {"leg": str(row.leg)}
    return {"symbol": row.symbol, **leg, **name}


def _movement(record: SideRecord, values: Values, session_id: str) -> Values:
    """Return an adjusting movement at the as-of time of a side; its id depends on its content."""
    amount = Decimal(values["amount"])
    movement = Movement(
        movement_id=f"repair-adjustment-{digest(session_id, values)}",
        movement_kind=MovementKind.ADJUSTMENT,
        time=record.as_of,
        currency=values.get("currency"),
        amount=amount if "currency" in values else None,
        symbol=values.get("symbol"),
        quantity=amount if "symbol" in values else None,
        account=values.get("account"),
    )
    return {**row_values(movement), COPIES: "1"}
