"""Explanations in words. Ids and names from the data are made safe to print."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final

from recon_core.explain.effects.dimensions import Vector, is_position, state_part
from recon_core.explain.effects.patches import Patch
from recon_core.explain.faults.hypotheses import Hypothesis, Row
from recon_core.model import Fill, LedgerSide, Movement
from recon_core.model.explanation import CauseKind
from recon_core.values.amounts import EXACT, decimal_places, format_amount
from recon_core.values.printable import printable
from recon_core.values.times import format_time

_MOST_IDS: Final = 5
"""Ids in a sentence; of more rows their number is stated. A longer list hides the sentence."""

Sentence = Callable[[str, Hypothesis, Sequence[Row]], str]


def cause_text(
    hypothesis: Hypothesis, side: LedgerSide | None, rows: Sequence[Row], *, required_count: int
) -> str:
    """Return a sentence on a cause: the error of the side, with the rows that it concerns.

    `rows` are all interchangeable rows; `required_count` of them have the fault.
    """
    subject = "one side" if side is None else f"the {side} side"
    said = _SENTENCES[hypothesis.cause_kind](subject, hypothesis, rows)
    detail = "" if _is_said(hypothesis, said) else f" ({printable(hypothesis.detail, 300)})"
    return f"{said}{detail}{_which(rows, required_count)}"


def _is_said(hypothesis: Hypothesis, said: str) -> bool:
    """True if a sentence has the detail, or the count that the detail gives."""
    is_count = hypothesis.detail.endswith(" of them") and len(hypothesis.rows) > 1
    return hypothesis.detail in said or (is_count and _rows_text(hypothesis.rows) in said)


def _which(rows: Sequence[Row], required_count: int) -> str:
    more = len(rows)
    if more <= required_count or required_count < 1:
        return ""
    noun = "fills" if isinstance(rows[0], Fill) else "movements"
    return f"; {'one' if required_count == 1 else required_count} of {more} equal {noun}"


def row_text(row: Row) -> str:
    """Describe a row: `fill f1 (BUY 0.1 BTC/EUR at 42000, fee 4.2 EUR, 2026-01-01T12:00:00Z)`."""
    if isinstance(row, Movement):
        return _movement_text(row)
    fee = f", fee {format_amount(row.fee)} {printable(row.fee_currency, 30)}" if row.fee else ""
    order = row.order_id
    of_order = f" of order {printable(order, 60)}" if order else ""
    return (
        f"fill {printable(row.fill_id, 60)}{of_order} ({trade_text(row)}{fee}, "
        f"{format_time(row.time)})"
    )


def trade_text(fill: Fill) -> str:
    """Describe a trade: `BUY 0.1 BTC/EUR at 42000`."""
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
    """Return the id of a fill or a movement."""
    return row.fill_id if isinstance(row, Fill) else row.movement_id


def _first(hypothesis: Hypothesis, rows: Sequence[Row]) -> str:
    """Describe the rows of a fault: of several equal rows, the first."""
    concerned = hypothesis.rows if len(hypothesis.rows) != 1 else rows[:1]
    return _rows_text(concerned)


def _said(template: str) -> Sentence:
    def sentence(subject: str, hypothesis: Hypothesis, rows: Sequence[Row]) -> str:
        return template.format(
            subject=subject, rows=_first(hypothesis, rows), detail=hypothesis.detail
        )

    return sentence


def _missing_fill(subject: str, hypothesis: Hypothesis, rows: Sequence[Row]) -> str:
    added = hypothesis.patch.added
    if len(added) != 1:
        return f"{subject} did not book {_first(hypothesis, rows)}"
    fill = added[0]
    fee = f", fee {format_amount(fill.fee)} {printable(fill.fee_currency, 30)}" if fill.fee else ""
    order = fill.order_id
    lacks = f"; order {printable(order, 60)} lacks it" if order else ""
    return f"{subject} lacks a fill: {trade_text(fill)}{fee}{lacks}"


def _orphan_fill(subject: str, hypothesis: Hypothesis, rows: Sequence[Row]) -> str:
    if hypothesis.patch.removed:
        return (
            f"{subject} has booked {_first(hypothesis, rows)}, which the other side does not know"
        )
    return f"{subject} has booked a fill that no row tells: {trade_text(hypothesis.patch.added[0])}"


def _wrong_number(name: str) -> Sentence:
    def sentence(subject: str, hypothesis: Hypothesis, rows: Sequence[Row]) -> str:
        if len(hypothesis.patch.removed) != 1 or not hypothesis.patch.added:
            return f"{subject} has the wrong {name} of {_first(hypothesis, rows)}"
        given, other = hypothesis.patch.removed[0], hypothesis.patch.added[0]
        first, second = (format_amount(getattr(fill, name)) for fill in (given, other))
        where = _first(hypothesis, rows)
        return f"{subject} has the wrong {name} of {where}: {first} against {second}"

    return sentence


def _missing_movement(subject: str, hypothesis: Hypothesis, rows: Sequence[Row]) -> str:
    if hypothesis.patch.added_movements and hypothesis.patch.removed_movements:
        return f"{subject} has booked another amount of {_first(hypothesis, rows)}"
    return f"{subject} has not booked {_first(hypothesis, rows)}"


def _of_rows(words: str) -> Sentence:
    """Build a sentence on figures, with the row that has them if it is a single row."""

    def sentence(subject: str, hypothesis: Hypothesis, rows: Sequence[Row]) -> str:
        said = words.format(subject=subject)
        return f"{said} in {row_text(rows[0])}" if len(hypothesis.rows) == 1 and rows else said

    return sentence


def _rounding(subject: str, hypothesis: Hypothesis, rows: Sequence[Row]) -> str:
    words = "has cut digits off figures" if _is_cut_off(hypothesis) else "has rounded figures"
    return _of_rows(f"{{subject}} {words}")(subject, hypothesis, rows)


def _is_cut_off(hypothesis: Hypothesis) -> bool:
    """True if no rounded number is too large, and some are too small by more than half a unit."""
    name = hypothesis.detail.partition(" ")[0]
    if name not in {"quantity", "price", "fee"}:
        return False
    pairs = [
        (getattr(given, name).copy_abs(), getattr(right, name).copy_abs())
        for given, right in zip(hypothesis.patch.removed, hypothesis.patch.added, strict=False)
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


def change_text(patch: Patch) -> str:
    """Describe a patch for the proof: `1 fill removed, 1 fill added`."""
    parts = [
        f"{len(rows)} {noun}{'' if len(rows) == 1 else 's'} {verb}"
        for rows, noun, verb in (
            (patch.removed, "fill", "removed"),
            (patch.added, "fill", "added"),
            (patch.removed_movements, "movement", "removed"),
            (patch.added_movements, "movement", "added"),
        )
        if rows
    ]
    if patch.opening is not None:
        parts.append("the opening corrected")
    return ", ".join(parts)


def off_text(remaining: Vector) -> str:
    """Describe the residual of deltas that a rounded figure leaves, empty without a residual."""
    left = vector_text(remaining)
    return f"; {left} remains, no more than was rounded off" if left else ""


def vector_text(vector: Vector) -> str:
    """List signed amounts, positions first: `BTC/EUR -0.1, EUR +4204.2`."""
    names = sorted(state_part(vector), key=lambda name: (not is_position(name), name))
    return ", ".join(f"{name.split('::', 1)[1]} {_signed(vector[name])}" for name in names)


def _signed(amount: Decimal) -> str:
    return f"{'+' if amount > 0 else ''}{format_amount(amount)}"
