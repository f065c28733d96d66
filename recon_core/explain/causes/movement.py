"""Movements: missing, duplicate, of another account, with another sign or amount."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Final

from recon_core.explain.causes.family import CauseFamily
from recon_core.explain.causes.strengths import of_one_amount
from recon_core.explain.problem.hypotheses import NEAR_COPY, Hypothesis, Row, Strength
from recon_core.explain.problem.patches import Patch
from recon_core.explain.problem.problem import FaultIn, Problem
from recon_core.explain.problem.wording import rows_of_cause, sentence_of
from recon_core.model import Movement, MovementKind
from recon_core.model.explanation import CauseKind
from recon_core.values.amounts import EXACT, ZERO, format_amount

_FORMS: Final = 10
"""Faults of one movement (surplus, twice, other sign), and the round amounts that people choose.

500, 1250 and 2500 are of few units each, and so is a movement that is missing.
"""

_PERIODIC: Final = {MovementKind.FUNDING, MovementKind.INTEREST}
"""Movements whose amounts recur, with either sign: one too many is one of the others missing."""

_PAID_LATER: Final = {MovementKind.DIVIDEND, MovementKind.INTEREST}


def _of_other_rows(problem: Problem) -> Iterator[Hypothesis]:
    """Yield every movement removed, repeated if the rows are right, and with the other sign.

    A round amount is no evidence: a movement that no row states would have it as well.
    """
    movements = problem.rows.movements
    forms = _FORMS * len(movements)
    for movement in movements:
        strength = _strength(movement, forms)
        if problem.fault_in is FaultIn.STATEMENT:
            yield from _missing_or_repeated(movement, strength)
        else:
            is_copy = _has_copy(movement, movements)
            is_periodic = movement.movement_kind in _PERIODIC
            alone = Strength.CHANCE if is_periodic else max(Strength.FITTED, strength)
            yield _surplus(movement, Strength.SHOWN if is_copy else alone)
        turned = replace(
            movement, amount=_turned(movement.amount), quantity=_turned(movement.quantity)
        )
        patch = Patch((), (), (movement,), (turned,))
        yield Hypothesis(CauseKind.SIGN_CONVENTION, patch, (movement,), strength)


def _strength(movement: Movement, forms: int) -> Strength:
    """Return the strength of a fault of one movement by the units of its largest amount."""
    amounts = [amount for amount in (movement.amount, movement.quantity) if amount]
    return min((of_one_amount(one, forms) for one in amounts), default=Strength.CHANCE)


def _missing_or_repeated(movement: Movement, strength: Strength) -> Iterator[Hypothesis]:
    patch = Patch(removed_movements=(movement,))
    yield Hypothesis(_missing_kind(movement), patch, (movement,), strength)
    again = Patch(added_movements=(replace(movement),))
    yield Hypothesis(CauseKind.DUPLICATE_MOVEMENT, again, (movement,), strength)


def _surplus(movement: Movement, strength: Strength) -> Hypothesis:
    is_copy = strength is Strength.SHOWN
    kind = CauseKind.DUPLICATE_MOVEMENT if is_copy else CauseKind.FOREIGN_ACTIVITY
    return Hypothesis(kind, Patch(removed_movements=(movement,)), (movement,), strength)


def _missing_kind(movement: Movement) -> CauseKind:
    is_split = movement.movement_kind is MovementKind.SPLIT
    return CauseKind.SPLIT if is_split else CauseKind.MISSING_MOVEMENT


def _has_copy(movement: Movement, movements: Iterable[Movement]) -> bool:
    """True if another movement has the same content within `NEAR_COPY`."""
    near = (other for other in movements if abs(other.time - movement.time) <= NEAR_COPY)
    return sum(other.content == movement.content for other in near) > 1


def _turned(amount: Decimal | None) -> Decimal | None:
    return None if amount is None else EXACT.subtract(ZERO, amount)


def differing_movement(wrong: Movement, right: Movement) -> Hypothesis:
    """Return the hypothesis that replaces the wrong movement by the right one."""
    patch = Patch((), (), (wrong,), (right,))
    return Hypothesis(
        _movement_kind(wrong, right), patch, (wrong,), Strength.SHOWN, _movement_how(wrong, right)
    )


def _movement_how(wrong: Movement, right: Movement) -> str:
    """Describe both amounts, and their ratio if it is a whole number above 2."""
    if wrong.amount is None or right.amount is None or wrong.amount == right.amount:
        return ""
    both = f"{format_amount(wrong.amount)} against {format_amount(right.amount)}"
    times = _times(wrong.amount, right.amount)
    return both if times is None else f"{both}, {times} times what it should be"


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


def _missing_text(subject: str, hypothesis: Hypothesis, rows: Sequence[Row]) -> str:
    if hypothesis.patch.added_movements and hypothesis.patch.removed_movements:
        return f"{subject} has booked another amount of {rows_of_cause(hypothesis, rows)}"
    return f"{subject} has not booked {rows_of_cause(hypothesis, rows)}"


def surplus_movement(row: Movement, *, is_repeated: bool) -> Hypothesis:
    """Build a movement that the other side does not list; a dividend may have accrued only."""
    kind = CauseKind.DUPLICATE_MOVEMENT if is_repeated else CauseKind.FOREIGN_ACTIVITY
    accrued = not is_repeated and row.movement_kind in _PAID_LATER
    detail = "it may have accrued, and is not paid yet" if accrued else ""
    return Hypothesis(kind, Patch(removed_movements=(row,)), (row,), Strength.SHOWN, detail)


def missing_movement(row: Movement) -> Hypothesis:
    """Build a movement that only the other side lists."""
    patch = Patch(added_movements=(row,))
    return Hypothesis(_missing_kind(row), patch, (row,), Strength.SHOWN)


FAMILY: Final = CauseFamily(
    sentences={
        CauseKind.MISSING_MOVEMENT: _missing_text,
        CauseKind.DUPLICATE_MOVEMENT: sentence_of("{subject} has booked {rows} twice"),
    },
    of_other_rows=_of_other_rows,
)
