"""Rows and amounts in words. Ids and names from the data are made safe to print."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final

from recon_core.explain.problem.dimensions import Vector, is_position, label_of, state_part
from recon_core.explain.problem.hypotheses import MISSING_ID, Hypothesis, Row
from recon_core.model import Fill, Movement
from recon_core.values.amounts import format_amount
from recon_core.values.printable import printable
from recon_core.values.times import format_time

_MOST_IDS: Final = 5
"""Ids in a sentence; of more rows their number is stated. A longer list hides the sentence."""

Sentence = Callable[[str, Hypothesis, Sequence[Row]], str]
"""Words on a cause: the side as their subject, the hypothesis, and its interchangeable rows."""


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
    named = "" if row.movement_id == MISSING_ID else f" {printable(row.movement_id, 60)}"
    return f"{row.movement_kind}{named} ({moved}, {format_time(row.time)})"


def rows_text(rows: Sequence[Row]) -> str:
    """Describe rows: one in full, several by their number and the first ids.

    A row that no side states has no id, and is described instead.
    """
    if not rows:
        return "its rows"
    if len(rows) == 1:
        return row_text(rows[0])
    noun = "fills" if all(isinstance(row, Fill) for row in rows) else "rows"
    shown = ", ".join(
        row_text(row) if row_id(row) == MISSING_ID else printable(row_id(row), 60)
        for row in rows[:_MOST_IDS]
    )
    more = f" and {len(rows) - _MOST_IDS} more" if len(rows) > _MOST_IDS else ""
    return f"{len(rows)} {noun} ({shown}{more})"


def row_id(row: Row) -> str:
    """Return the id of a fill or a movement."""
    return row.fill_id if isinstance(row, Fill) else row.movement_id


def rows_of_cause(hypothesis: Hypothesis, rows: Sequence[Row]) -> str:
    """Describe the rows of a fault: of several equal rows, the first."""
    shown = hypothesis.rows if len(hypothesis.rows) != 1 else rows[:1]
    return rows_text(shown)


def sentence_of(template: str) -> Sentence:
    """Build a sentence from a template with `{subject}`, `{rows}` and `{detail}`."""

    def sentence(subject: str, hypothesis: Hypothesis, rows: Sequence[Row]) -> str:
        return template.format(
            subject=subject, rows=rows_of_cause(hypothesis, rows), detail=hypothesis.detail
        )

    return sentence


def wrong_number(name: str) -> Sentence:
    """Build the sentence on a wrong quantity or price: the stated figure against the right one."""

    def sentence(subject: str, hypothesis: Hypothesis, rows: Sequence[Row]) -> str:
        if len(hypothesis.patch.removed) != 1 or not hypothesis.patch.added:
            return f"{subject} has the wrong {name} of {rows_of_cause(hypothesis, rows)}"
        given, other = hypothesis.patch.removed[0], hypothesis.patch.added[0]
        first, second = (format_amount(getattr(fill, name)) for fill in (given, other))
        where = rows_of_cause(hypothesis, rows)
        return f"{subject} has the wrong {name} of {where}: {first} against {second}"

    return sentence


def of_figures(words: str) -> Sentence:
    """Build a sentence on figures, with the row that has them if it is a single row."""

    def sentence(subject: str, hypothesis: Hypothesis, rows: Sequence[Row]) -> str:
        text = words.format(subject=subject)
        return f"{text} in {row_text(rows[0])}" if len(hypothesis.rows) == 1 and rows else text

    return sentence


def vector_text(vector: Vector) -> str:
    """List signed amounts, positions first: `BTC/EUR -0.1, EUR +4204.2`."""
    names = sorted(state_part(vector), key=lambda name: (not is_position(name), name))
    return ", ".join(f"{label_of(name)} {_signed_text(vector[name])}" for name in names)


def _signed_text(amount: Decimal) -> str:
    return f"{'+' if amount > 0 else ''}{format_amount(amount)}"
