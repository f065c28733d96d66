"""Explanations in words. Ids and names from the data are made safe to print."""

from collections.abc import Sequence

from recon_core.explain import causes
from recon_core.explain.problem.dimensions import Vector
from recon_core.explain.problem.hypotheses import Hypothesis, Row
from recon_core.explain.problem.patches import Patch
from recon_core.explain.problem.wording import rows_text, vector_text
from recon_core.model import Fill, LedgerSide
from recon_core.values.printable import printable


def cause_text(
    hypothesis: Hypothesis, side: LedgerSide | None, rows: Sequence[Row], *, required_count: int
) -> str:
    """Return a sentence on a cause: the error of the side, with the rows that it concerns.

    `rows` are all interchangeable rows; `required_count` of them have the fault.
    """
    subject = "one side" if side is None else f"the {side} side"
    sentence = causes.family_of(hypothesis.cause_kind).sentences[hypothesis.cause_kind]
    text = sentence(subject, hypothesis, rows)
    detail = "" if _has_detail(hypothesis, text) else f" ({printable(hypothesis.detail, 300)})"
    return f"{text}{detail}{_count_text(rows, required_count)}"


def _has_detail(hypothesis: Hypothesis, text: str) -> bool:
    """True if a sentence has the detail, or the count that the detail gives."""
    is_count = hypothesis.facts.count > 1 and len(hypothesis.rows) > 1
    return hypothesis.detail in text or (is_count and rows_text(hypothesis.rows) in text)


def _count_text(rows: Sequence[Row], required_count: int) -> str:
    more = len(rows)
    if more <= required_count or required_count < 1:
        return ""
    prices = {row.price for row in rows if isinstance(row, Fill)}
    noun = "fills" if prices else "movements"
    equal = "equal " if len(prices) < 2 else ""  # noqa: PLR2004  # two prices differ
    return f"; {'one' if required_count == 1 else required_count} of {more} {equal}{noun}"


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
