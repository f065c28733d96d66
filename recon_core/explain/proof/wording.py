"""Explanations in words. Ids and names from the data are made safe to print."""

from collections.abc import Sequence
from typing import Final

from recon_core.explain.causes.fills import missing_fill_text, orphan_fill_text
from recon_core.explain.causes.movement import missing_movement_text
from recon_core.explain.causes.rounding import rounding_text
from recon_core.explain.problem.dimensions import Vector
from recon_core.explain.problem.hypotheses import Hypothesis, Row
from recon_core.explain.problem.patches import Patch
from recon_core.explain.problem.wording import (
    Sentence,
    of_figures,
    rows_text,
    said,
    vector_text,
    wrong_number,
)
from recon_core.model import Fill, LedgerSide
from recon_core.model.explanation import CauseKind
from recon_core.values.printable import printable

_SENTENCES: Final[dict[CauseKind, Sentence]] = {
    CauseKind.MISSING_FILL: missing_fill_text,
    CauseKind.ORPHAN_FILL: orphan_fill_text,
    CauseKind.DUPLICATE_FILL: said("{subject} has booked {rows} twice"),
    CauseKind.SIDE_FLIPPED: said("{subject} has BUY and SELL exchanged in {rows}"),
    CauseKind.WRONG_QUANTITY: wrong_number("quantity"),
    CauseKind.WRONG_PRICE: wrong_number("price"),
    CauseKind.CUMULATIVE_QUANTITY: said(
        "{subject} has read cumulative quantities as increments in {rows}"
    ),
    CauseKind.MISSING_FEE: said("{subject} has not booked the fee of {rows}"),
    CauseKind.DUPLICATE_FEE: said("{subject} has booked the fee of {rows} twice"),
    CauseKind.FEE_SIGN: said("{subject} has booked the fee of {rows} with the wrong sign"),
    CauseKind.FEE_CURRENCY: said("{subject} has booked the fee of {rows} in the wrong currency"),
    CauseKind.FEE_RATE: said("{subject} has booked the fees of {rows} at another rate"),
    CauseKind.MISSING_MOVEMENT: missing_movement_text,
    CauseKind.DUPLICATE_MOVEMENT: said("{subject} has booked {rows} twice"),
    CauseKind.OPENING_BALANCE: said("{subject} has a wrong opening balance of {detail}"),
    CauseKind.STALE_SIDE: said("{subject} is behind by {rows}"),
    CauseKind.ROUNDING: rounding_text,
    CauseKind.UNIT: of_figures("{subject} counts in another unit"),
    CauseKind.SIGN_CONVENTION: said("{subject} has the wrong sign in {rows}"),
    CauseKind.SPLIT: said("{subject} has not applied a split"),
    CauseKind.ALIAS: said("{subject} uses another name"),
    CauseKind.BALANCE_KIND: said("{subject} gives another kind of balance"),
    CauseKind.NETTED_LEGS: said("{subject} has netted hedge legs"),
    CauseKind.FOREIGN_ACTIVITY: said("{subject} holds activity that is not its own: {rows}"),
    CauseKind.AS_OF_SHIFT: said("{subject} is of another time than it says"),
}


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
    return hypothesis.detail in said or (is_count and rows_text(hypothesis.rows) in said)


def _which(rows: Sequence[Row], required_count: int) -> str:
    more = len(rows)
    if more <= required_count or required_count < 1:
        return ""
    noun = "fills" if isinstance(rows[0], Fill) else "movements"
    return f"; {'one' if required_count == 1 else required_count} of {more} equal {noun}"


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
