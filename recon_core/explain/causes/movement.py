"""Faults of a movement that both sides list with different values."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from recon_core.explain.problem.hypotheses import Hypothesis, Row, Strength
from recon_core.explain.problem.patches import Patch
from recon_core.explain.problem.wording import rows_of_cause
from recon_core.model import Movement, MovementKind
from recon_core.model.explanation import CauseKind
from recon_core.values.amounts import EXACT, ZERO, format_amount


def movement_hypotheses(
    movement: Movement, *, rows_right: bool, twin: bool
) -> Iterator[Hypothesis]:
    """Yield a movement removed, repeated if rows are right, and with the other sign."""
    gone = Patch(removed_movements=(movement,))
    if rows_right:
        split = movement.movement_kind is MovementKind.SPLIT
        missing = CauseKind.SPLIT if split else CauseKind.MISSING_MOVEMENT
        yield Hypothesis(missing, gone, (movement,))
        again = Patch(added_movements=(replace(movement),))
        yield Hypothesis(CauseKind.DUPLICATE_MOVEMENT, again, (movement,))
    elif twin:
        yield Hypothesis(CauseKind.DUPLICATE_MOVEMENT, gone, (movement,), strength=Strength.SHOWN)
    else:
        yield Hypothesis(CauseKind.FOREIGN_ACTIVITY, gone, (movement,), strength=Strength.FITTED)
    turned = replace(movement, amount=_turned(movement.amount), quantity=_turned(movement.quantity))
    yield Hypothesis(CauseKind.SIGN_CONVENTION, Patch((), (), (movement,), (turned,)), (movement,))


def _turned(amount: Decimal | None) -> Decimal | None:
    return None if amount is None else EXACT.subtract(ZERO, amount)


def movement_edit(wrong: Movement, right: Movement) -> Hypothesis:
    """Return the hypothesis that replaces the wrong movement by the right one."""
    patch = Patch((), (), (wrong,), (right,))
    return Hypothesis(
        _movement_kind(wrong, right), patch, (wrong,), Strength.SHOWN, _movement_how(wrong, right)
    )


def _movement_how(wrong: Movement, right: Movement) -> str:
    """Describe both amounts, and their ratio if it is a whole number above 2."""
    if wrong.amount is None or right.amount is None or wrong.amount == right.amount:
        return ""
    told = f"{format_amount(wrong.amount)} against {format_amount(right.amount)}"
    times = _times(wrong.amount, right.amount)
    return told if times is None else f"{told}, {times} times what it should be"


def _times(wrong: Decimal, right: Decimal) -> Fraction | None:
    """Return wrong / right if it or its inverse is a whole number above 2, else `None`."""
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


def missing_movement_text(subject: str, hypothesis: Hypothesis, rows: Sequence[Row]) -> str:
    if hypothesis.patch.added_movements and hypothesis.patch.removed_movements:
        return f"{subject} has booked another amount of {rows_of_cause(hypothesis, rows)}"
    return f"{subject} has not booked {rows_of_cause(hypothesis, rows)}"
