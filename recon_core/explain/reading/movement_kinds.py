"""What is wrong with a movement that both sides have."""

from decimal import Decimal
from fractions import Fraction

from recon_core.amounts import EXACT, format_amount
from recon_core.explain.effects.changes import Change
from recon_core.explain.faults.edits import Edit
from recon_core.explanation import CauseKind
from recon_core.model import Movement, MovementKind


def movement_edit(wrong: Movement, right: Movement) -> Edit:
    """What is wrong with a movement that both sides have."""
    change = Change((), (), (wrong,), (right,))
    return Edit(_movement_kind(wrong, right), change, (wrong,), 0, _movement_how(wrong, right))


def _movement_how(wrong: Movement, right: Movement) -> str:
    """Both amounts, and how often one is in the other where it is a whole number of times."""
    if wrong.amount is None or right.amount is None or wrong.amount == right.amount:
        return ""
    told = f"{format_amount(wrong.amount)} against {format_amount(right.amount)}"
    times = _times(wrong.amount, right.amount)
    return told if times is None else f"{told}, {times} times what it should be"


def _times(wrong: Decimal, right: Decimal) -> Fraction | None:
    """A whole ratio of two amounts, either way, above 2."""
    if not wrong or not right:
        return None
    ratio = Fraction(wrong) / Fraction(right)
    whole = ratio if ratio > 1 else 1 / ratio
    return ratio if whole.denominator == 1 and whole > 2 else None  # noqa: PLR2004  # 2 is twice


def _movement_kind(wrong: Movement, right: Movement) -> CauseKind:
    if wrong.movement_kind is MovementKind.SPLIT:
        return CauseKind.SPLIT
    if wrong.amount is not None and right.amount is not None:
        if wrong.amount == right.amount.copy_negate():
            return CauseKind.SIGN_CONVENTION
        if wrong.amount == EXACT.add(right.amount, right.amount):
            return CauseKind.DUPLICATE_MOVEMENT
        if _times(wrong.amount, right.amount) is not None:
            return CauseKind.UNIT
    return CauseKind.MISSING_MOVEMENT
