"""Explanations in words. Ids and names of other people are made safe to print."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final

from recon_core.amounts import EXACT, decimal_places, format_amount
from recon_core.explain.effects.changes import Change
from recon_core.explain.effects.space import Vector, is_position, state_part
from recon_core.explain.faults.edits import Edit, Row
from recon_core.explanation import CauseKind
from recon_core.model import Fill, LedgerSide, Movement
from recon_core.printable import printable
from recon_core.times import format_time

_MOST_IDS: Final = 5

Sentence = Callable[[str, Edit, Sequence[Row]], str]


def cause_text(edit: Edit, side: LedgerSide | None, rows: Sequence[Row], *, needed: int) -> str:
    """A sentence on a cause: what the side did wrong, with the rows that it concerns.

    `rows` are all that are interchangeable; `needed` of them have the fault.
    """
    subject = "one side" if side is None else f"the {side} side"
    said = _SENTENCES[edit.cause_kind](subject, edit, rows)
    detail = "" if _is_said(edit, said) else f" ({printable(edit.detail, 300)})"
    return f"{said}{detail}{_which(rows, needed)}"


def _is_said(edit: Edit, said: str) -> bool:
    """Whether a sentence has the detail in it already, or the count that the detail gives."""
    is_count = edit.detail.endswith(" of them") and len(edit.rows) > 1
    return edit.detail in said or (is_count and _rows_text(edit.rows) in said)


def _which(rows: Sequence[Row], needed: int) -> str:
    more = len(rows)
    if more <= needed or needed < 1:
        return ""
    noun = "fills" if isinstance(rows[0], Fill) else "movements"
    return f"; {'one' if needed == 1 else needed} of {more} equal {noun}"


def row_text(row: Row) -> str:
    """`fill f1 (BUY 0.1 BTC/EUR at 42000, fee 4.2 EUR, 2026-01-01T12:00:00Z)`."""
    if isinstance(row, Movement):
        return _movement_text(row)
    fee = f", fee {format_amount(row.fee)} {printable(row.fee_currency, 30)}" if row.fee else ""
    order = row.client_order_id or row.exchange_order_id
    of_order = f" of order {printable(order, 60)}" if order else ""
    return (
        f"fill {printable(row.fill_id, 60)}{of_order} ({trade_text(row)}{fee}, "
        f"{format_time(row.time)})"
    )


def trade_text(fill: Fill) -> str:
    """`BUY 0.1 BTC/EUR at 42000`."""
    quantity, price = format_amount(fill.quantity), format_amount(fill.price)
    return f"{fill.side} {quantity} {printable(fill.symbol, 60)} at {price}"


def _movement_text(row: Movement) -> str:
    amount = (
        "" if row.amount is None else f"{format_amount(row.amount)} {printable(row.currency, 30)}"
    )
    quantity = (
        "" if row.quantity is None else f"{format_amount(row.quantity)} {printable(row.symbol, 60)}"
    )
    moved = " and ".join(part for part in (amount, quantity) if part)
    return (
        f"{row.movement_kind} {printable(row.movement_id, 60)} ({moved}, {format_time(row.time)})"
    )


def _rows_text(rows: Sequence[Row]) -> str:
    if not rows:
        return "its rows"
    if len(rows) == 1:
        return row_text(rows[0])
    nouns = "fills" if all(isinstance(row, Fill) for row in rows) else "rows"
    shown = ", ".join(printable(row_id(row), 60) for row in rows[:_MOST_IDS])
    more = f" and {len(rows) - _MOST_IDS} more" if len(rows) > _MOST_IDS else ""
    return f"{len(rows)} {nouns} ({shown}{more})"


def row_id(row: Row) -> str:
    """The id of a fill or a movement."""
    return row.fill_id if isinstance(row, Fill) else row.movement_id


def _first(edit: Edit, rows: Sequence[Row]) -> str:
    """The row of a fault that may be any of several equal ones."""
    concerned = edit.rows if len(edit.rows) != 1 else rows[:1]
    return _rows_text(concerned)


def _said(template: str) -> Sentence:
    def sentence(subject: str, edit: Edit, rows: Sequence[Row]) -> str:
        return template.format(subject=subject, rows=_first(edit, rows), detail=edit.detail)

    return sentence


def _missing_fill(subject: str, edit: Edit, rows: Sequence[Row]) -> str:
    added = edit.change.added
    if len(added) != 1:
        return f"{subject} did not book {_first(edit, rows)}"
    fill = added[0]
    fee = f", fee {format_amount(fill.fee)} {printable(fill.fee_currency, 30)}" if fill.fee else ""
    order = fill.client_order_id or fill.exchange_order_id
    lacks = f"; order {printable(order, 60)} lacks it" if order else ""
    return f"{subject} lacks a fill: {trade_text(fill)}{fee}{lacks}"


def _orphan_fill(subject: str, edit: Edit, rows: Sequence[Row]) -> str:
    if edit.change.removed:
        return f"{subject} has booked {_first(edit, rows)}, which the other side does not know"
    return f"{subject} has booked a fill that no row tells: {trade_text(edit.change.added[0])}"


def _wrong_number(name: str) -> Sentence:
    def sentence(subject: str, edit: Edit, rows: Sequence[Row]) -> str:
        if len(edit.change.removed) != 1 or not edit.change.added:
            return f"{subject} has the wrong {name} of {_first(edit, rows)}"
        given, other = edit.change.removed[0], edit.change.added[0]
        first, second = (format_amount(getattr(fill, name)) for fill in (given, other))
        return f"{subject} has the wrong {name} of {_first(edit, rows)}: {first} against {second}"

    return sentence


def _missing_movement(subject: str, edit: Edit, rows: Sequence[Row]) -> str:
    if edit.change.added_movements and edit.change.removed_movements:
        return f"{subject} has booked another amount of {_first(edit, rows)}"
    return f"{subject} has not booked {_first(edit, rows)}"


def _of_rows(words: str) -> Sentence:
    """A sentence on figures, with the row that they stand in where it is one."""

    def sentence(subject: str, edit: Edit, rows: Sequence[Row]) -> str:
        said = words.format(subject=subject)
        return f"{said} in {row_text(rows[0])}" if len(edit.rows) == 1 and rows else said

    return sentence


def _rounding(subject: str, edit: Edit, rows: Sequence[Row]) -> str:
    words = "has cut digits off figures" if _is_cut_off(edit) else "has rounded figures"
    return _of_rows(f"{{subject}} {words}")(subject, edit, rows)


def _is_cut_off(edit: Edit) -> bool:
    """Whether the rounded number of some rows is too small by more than half a unit."""
    name = edit.detail.partition(" ")[0]
    if name not in {"quantity", "price", "fee"}:
        return False
    pairs = [
        (getattr(given, name).copy_abs(), getattr(right, name).copy_abs())
        for given, right in zip(edit.change.removed, edit.change.added, strict=False)
    ]
    return all(given <= right for given, right in pairs) and any(
        EXACT.subtract(right, given) > Decimal((0, (5,), -decimal_places(given) - 1))
        for given, right in pairs
    )


_SENTENCES: Final[dict[CauseKind, Sentence]] = {
    CauseKind.MISSING_FILL: _missing_fill,
    CauseKind.ORPHAN_FILL: _orphan_fill,
    CauseKind.DUPLICATE_FILL: _said("{subject} has booked {rows} twice"),
    CauseKind.SIDE_FLIPPED: _said("{subject} has BUY and SELL exchanged in {rows}"),
    CauseKind.WRONG_QUANTITY: _wrong_number("quantity"),
    CauseKind.WRONG_PRICE: _wrong_number("price"),
    CauseKind.CUMULATIVE_QUANTITY: _said(
        "{subject} has read cumulative quantities as increments in {rows}"
    ),
    CauseKind.MISSING_FEE: _said("{subject} has not booked the fee of {rows}"),
    CauseKind.DUPLICATE_FEE: _said("{subject} has booked the fee of {rows} twice"),
    CauseKind.FEE_SIGN: _said("{subject} has booked the fee of {rows} with the wrong sign"),
    CauseKind.FEE_CURRENCY: _said("{subject} has booked the fee of {rows} in the wrong currency"),
    CauseKind.FEE_RATE: _said("{subject} has booked the fees of {rows} at another rate"),
    CauseKind.MISSING_MOVEMENT: _missing_movement,
    CauseKind.DUPLICATE_MOVEMENT: _said("{subject} has booked {rows} twice"),
    CauseKind.OPENING_BALANCE: _said("{subject} has a wrong opening balance of {detail}"),
    CauseKind.STALE_SIDE: _said("{subject} is behind by {rows}"),
    CauseKind.ROUNDING: _rounding,
    CauseKind.UNIT: _of_rows("{subject} counts in another unit"),
    CauseKind.SIGN_CONVENTION: _said("{subject} has the wrong sign in {rows}"),
    CauseKind.SPLIT: _said("{subject} has not applied a split"),
    CauseKind.ALIAS: _said("{subject} uses another name"),
    CauseKind.BALANCE_KIND: _said("{subject} gives another kind of balance"),
    CauseKind.NETTED_LEGS: _said("{subject} has netted hedge legs"),
    CauseKind.FOREIGN_ACTIVITY: _said("{subject} holds activity that is not its own: {rows}"),
    CauseKind.AS_OF_SHIFT: _said("{subject} is of another time than it says"),
}


def change_text(change: Change) -> str:
    """What a change does to rows, for the proof: `1 fill removed, 1 added`."""
    parts = [
        f"{len(rows)} {noun}{'' if len(rows) == 1 else 's'} {verb}"
        for rows, noun, verb in (
            (change.removed, "fill", "removed"),
            (change.added, "fill", "added"),
            (change.removed_movements, "movement", "removed"),
            (change.added_movements, "movement", "added"),
        )
        if rows
    ]
    if change.opening is not None:
        parts.append("the opening corrected")
    return ", ".join(parts)


def off_text(remaining: Vector) -> str:
    """What is left of deltas that a figure was rounded by, or nothing."""
    left = vector_text(remaining)
    return f"; {left} remains, no more than was rounded off" if left else ""


def vector_text(vector: Vector) -> str:
    """`BTC/EUR -0.1, EUR +4204.2`: signed amounts, positions first."""
    names = sorted(state_part(vector), key=lambda name: (not is_position(name), name))
    return ", ".join(f"{name.split('::', 1)[1]} {_signed(vector[name])}" for name in names)


def _signed(amount: Decimal) -> str:
    return f"{'+' if amount > 0 else ''}{format_amount(amount)}"
