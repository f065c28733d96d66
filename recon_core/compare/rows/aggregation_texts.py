"""Words on rows that the sides list in a different number, with equal sums."""

from collections.abc import Iterable, Sequence
from typing import Final

from recon_core.model import Fill, Movement
from recon_core.model.matched_rows import (
    FillGroup,
    MatchedMovements,
    MovementGroup,
    RowCase,
    RowFinding,
)
from recon_core.values.amounts import EXACT, ZERO, exact_sum, format_amount, shortest
from recon_core.values.printable import printable
from recon_core.values.times import format_time

_MOST_SHOWN: Final = 5
"""Ids that a text lists; more are counted."""


def aggregated_fills(group: FillGroup) -> RowFinding:
    """Return the finding that one trade is several rows here and fewer there."""
    both = _both(group)
    average = " (the price is their average, rounded to its digits)" if group.rounded else ""
    text = f"one trade in another number of rows, {both}, with equal sums: {_sums(group)}{average}"
    return RowFinding(RowCase.FILL_AGGREGATED, text)


def part_of_group(group: FillGroup) -> str:
    """Describe a row of a trade whose finding another key has."""
    return f"part of one trade in another number of rows, {_both(group)}, with equal sums"


def _both(group: FillGroup) -> str:
    ours, theirs = (_rows(_ids(rows)) for rows in (group.internal, group.external))
    return f"internal {ours}, external {theirs}"


def _sums(group: FillGroup) -> str:
    rows = min(group.internal, group.external, key=len)
    value = exact_sum(EXACT.multiply(row.quantity, row.price) for row in rows)
    shown = [f"quantity {format_amount(exact_sum(row.quantity for row in rows))}"]
    shown += [] if group.rounded else [f"value {format_amount(shortest(value))}"]
    fees = {row.fee_currency: ZERO for row in rows if row.fee}
    for row in rows:
        if row.fee:
            fees[row.fee_currency] = EXACT.add(fees[row.fee_currency], row.fee)
    shown += [f"fee {format_amount(fee)} {printable(code, 30)}" for code, fee in fees.items()]
    return ", ".join(shown)


def aggregated_movements(matched: MatchedMovements, unit: str) -> RowFinding:
    """Return the finding that movements are several rows here and one there, in each period."""
    first, count = matched.groups[0], len(matched.groups)
    text = f"{_period(first)} sum to {_total(first, unit)} on both sides"
    if count > 1:
        text = f"{count} times several rows against one with an equal sum, at first: {text}"
    named = zip(("internal", "external"), matched.left, strict=True)
    left = [f"{number} of {side}" for side, number in named if number]
    if left:
        text += f"; in no equal sum: {' and '.join(left)}"
    return RowFinding(RowCase.MOVEMENT_AGGREGATED, text)


def _period(group: MovementGroup) -> str:
    return " and ".join(
        f"{side} {_rows([row.movement_id for row in rows])} ({_span(rows)})"
        for side, rows in (("internal", group.internal), ("external", group.external))
    )


def _span(rows: Sequence[Movement]) -> str:
    first, last = format_time(rows[0].time), format_time(rows[-1].time)
    return first if len(rows) == 1 else f"{first} to {last}"


def _total(group: MovementGroup, unit: str) -> str:
    row = min(group.internal, group.external, key=len)[0]
    amount = row.quantity if row.amount is None else row.amount
    return f"{format_amount(amount or ZERO)} {printable(unit, 60)}"


def _ids(rows: Iterable[Fill]) -> list[str]:
    return [row.fill_id for row in rows]


def _rows(ids: Sequence[str]) -> str:
    """Return rows by their number and their first ids: `3 rows (0001.01, 0001.02, 0001.03)`."""
    shown = ", ".join(printable(each, 60) for each in ids[:_MOST_SHOWN])
    more = f" and {len(ids) - _MOST_SHOWN} more" if len(ids) > _MOST_SHOWN else ""
    return f"{len(ids)} row{'s' if len(ids) > 1 else ''} ({shown}{more})"
