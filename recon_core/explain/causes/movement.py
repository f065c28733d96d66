"""Movements: missing, duplicate, of another account, with another sign or amount."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from operator import attrgetter
from typing import Final

from recon_core.explain.causes.family import CauseFamily
from recon_core.explain.causes.strengths import of_one_amount
from recon_core.explain.problem.figures import power_of_ten, slip
from recon_core.explain.problem.hypotheses import MISSING_ID, NEAR_COPY, Hypothesis, Row, Strength
from recon_core.explain.problem.patches import Patch
from recon_core.explain.problem.problem import FaultIn, Problem
from recon_core.explain.problem.wording import rows_of_cause, sentence_of
from recon_core.model import Movement, MovementKind
from recon_core.model.explanation import CauseKind
from recon_core.model.matched_rows import MovementGroup
from recon_core.values.amounts import EXACT, ZERO, exact_sum, format_amount

_FORMS: Final = 10
"""Faults of one movement (surplus, twice, other sign), and the round amounts that people choose.

500, 1250 and 2500 are of few units each, and so is a movement that is missing.
"""

PERIODIC: Final = {MovementKind.FUNDING, MovementKind.INTEREST}
"""Movements whose amounts recur, with either sign: one too many is one of the others missing."""

_TIME: Final = attrgetter("time")

_COPIES: Final = 2
"""Movements of one size above which two of them may be copies."""

_PAID_LATER: Final = {MovementKind.DIVIDEND, MovementKind.INTEREST}


def _of_other_rows(problem: Problem) -> Iterator[Hypothesis]:
    """Yield every movement removed, repeated if the rows are right, and with the other sign.

    A round amount is no evidence: a movement that no row states would have it as well. Neither is
    one of amounts that recur, if others are twice as large: one of these may be missing.
    """
    movements = problem.rows.movements
    forms = _FORMS * len(movements)
    sizes = Counter(_size(movement, 1) for movement in movements)
    stated = problem.statement_of(problem.owner.other).cash or ()
    held = {balance.currency for balance in stated if balance.total}
    alike: dict[object, list[Movement]] = {}
    for movement in movements:
        alike.setdefault(movement.content, []).append(movement)
    for movement in movements:
        strength = _strength(movement, forms)
        if problem.fault_in is FaultIn.STATEMENT:
            yield from _missing_or_repeated(movement, strength)
        else:
            is_copy = _has_near(movement, alike[movement.content])
            alone = Strength.CHANCE if _may_be_paid_out(movement, held) else strength
            yield _surplus(movement, alone, is_copy=is_copy)
        turned = _turned(movement.amount)
        hypothesis = _with_amounts(movement, turned, _turned(movement.quantity))
        detail = _difference(*problem.wrong_and_right(movement.amount, turned))
        if _may_be_others(movement, sizes):
            strength = Strength.CHANCE
        yield replace(hypothesis, strength=strength, detail=detail)


def _may_be_others(movement: Movement, sizes: Mapping[tuple[object, ...], int]) -> bool:
    """True if the cash of a movement with the other sign is that of other movements as well.

    It is twice its amount: that of two copies, or of a movement of amounts that recur.
    """
    has_copies = sizes[_size(movement, 1)] > _COPIES
    return has_copies or (movement.movement_kind in PERIODIC and _size(movement, 2) in sizes)


def _may_be_paid_out(movement: Movement, held: Collection[str]) -> bool:
    """True if what was paid in may be paid out again: the other side has nothing of its currency.

    `held` are the currencies that it has something of.
    """
    return bool(movement.amount and movement.amount > 0) and movement.currency not in held


def _size(movement: Movement, times: int) -> tuple[object, ...]:
    """Return the kind, the balance and the size of an amount, times a factor."""
    amount = EXACT.multiply(movement.amount or ZERO, Decimal(times)).copy_abs().normalize(EXACT)
    return movement.movement_kind, movement.currency, movement.account, amount


def _strength(movement: Movement, forms: int) -> Strength:
    """Return the strength of a fault of one movement by the units of its largest amount."""
    amounts = [amount for amount in (movement.amount, movement.quantity) if amount]
    return min((of_one_amount(one, forms) for one in amounts), default=Strength.CHANCE)


def _with_amounts(
    movement: Movement, amount: Decimal | None, quantity: Decimal | None
) -> Hypothesis:
    """Build other amounts of a movement."""
    other = replace(movement, amount=amount, quantity=quantity)
    patch = Patch(removed_movements=(movement,), added_movements=(other,))
    return Hypothesis(CauseKind.WRONG_MOVEMENT, patch, (movement,))


def _fitted(problem: Problem, _tried: int) -> Iterator[Hypothesis]:
    """Yield the movements whose amount is a slip of the pen from the amount that is required.

    Any movement would fit another amount, so only a power of ten is evidence; one wrong digit fits
    by chance, and so does a round amount.
    """
    if len(problem.required) != 1:
        return
    ((name, required),) = problem.required.items()
    movements = problem.rows.movements
    forms = _FORMS * len(movements)
    for movement in movements:
        if movement.amount is None or movement.currency is None:
            continue
        if problem.postings.cash(movement.currency, movement.account) != name:
            continue
        amount = EXACT.add(movement.amount, required)
        sizes = movement.amount.copy_abs(), amount.copy_abs()
        how = slip(*problem.wrong_and_right(*sizes))
        if how is not None and (amount > 0) is (movement.amount > 0):
            hypothesis = _with_amounts(movement, amount, movement.quantity)
            weakest = Strength.FITTED if power_of_ten(*sizes) else Strength.CHANCE
            strength = max(weakest, _strength(movement, forms))
            detail = _amounts(*problem.wrong_and_right(movement.amount, amount), how)
            yield replace(hypothesis, strength=strength, detail=detail)


def _missing_or_repeated(movement: Movement, strength: Strength) -> Iterator[Hypothesis]:
    patch = Patch(removed_movements=(movement,))
    yield Hypothesis(_missing_kind(movement), patch, (movement,), strength)
    again = Patch(added_movements=(replace(movement),))
    yield Hypothesis(CauseKind.DUPLICATE_MOVEMENT, again, (movement,), strength)


def _surplus(movement: Movement, strength: Strength, *, is_copy: bool) -> Hypothesis:
    """Build a movement too many: a copy, or as sure as its own amount."""
    is_periodic = movement.movement_kind in PERIODIC
    alone = Strength.CHANCE if is_periodic else max(Strength.FITTED, strength)
    kind = CauseKind.DUPLICATE_MOVEMENT if is_copy else CauseKind.FOREIGN_ACTIVITY
    strength = Strength.SHOWN if is_copy else alone
    return Hypothesis(kind, Patch(removed_movements=(movement,)), (movement,), strength)


def _missing_kind(movement: Movement) -> CauseKind:
    is_split = movement.movement_kind is MovementKind.SPLIT
    return CauseKind.SPLIT if is_split else CauseKind.MISSING_MOVEMENT


def is_same_movement(one: Movement, other: Movement) -> bool:
    """True if two rows state one movement: equal content, and one id or within `NEAR_COPY`."""
    is_near = one.movement_id == other.movement_id or abs(one.time - other.time) <= NEAR_COPY
    return is_near and one.content == other.content


def has_copy(movement: Movement, movements: Iterable[Movement]) -> bool:
    """True if another movement has the same content within `NEAR_COPY`."""
    alike = (other for other in movements if other.content == movement.content)
    return _has_near(movement, sorted(alike, key=_TIME))


def _has_near(movement: Movement, alike: Sequence[Movement]) -> bool:
    """True if one of several movements of one content, by time, is near another of them."""
    at = bisect_left(alike, movement.time, key=_TIME)
    around = alike[max(0, at - 1) : at + 2]
    return sum(abs(other.time - movement.time) <= NEAR_COPY for other in around) > 1


def _turned(amount: Decimal | None) -> Decimal | None:
    return None if amount is None else EXACT.subtract(ZERO, amount)


def differing_movement(wrong: Movement, right: Movement) -> Hypothesis:
    """Return the hypothesis that replaces the wrong movement by the right one."""
    patch = Patch(removed_movements=(wrong,), added_movements=(right,))
    detail = _difference(wrong.amount, right.amount)
    return Hypothesis(_movement_kind(wrong, right), patch, (wrong,), Strength.SHOWN, detail)


def _difference(wrong: Decimal | None, right: Decimal | None) -> str:
    """Describe two amounts, and their ratio if it is -1 or a whole number above 2."""
    if wrong is None or right is None or wrong == right:
        return ""
    if wrong == right.copy_negate():
        return _amounts(wrong, right, "the other sign")
    ratio = Fraction(wrong) / Fraction(right) if wrong and right else Fraction(0)
    whole = ratio if ratio > 1 or not ratio else 1 / ratio
    is_whole = whole.denominator == 1 and whole > 2  # noqa: PLR2004  # 2 is twice
    return _amounts(wrong, right, f"{ratio} times what it should be" if is_whole else "")


def _amounts(wrong: Decimal, right: Decimal, how: str) -> str:
    both = f"{format_amount(wrong)} against {format_amount(right)}"
    return f"{both}, {how}" if how else both


def _movement_kind(wrong: Movement, right: Movement) -> CauseKind:
    if wrong.movement_kind is MovementKind.SPLIT and not _is_turned(wrong, right):
        return CauseKind.SPLIT
    if wrong.amount is not None and right.amount:
        if not wrong.amount:
            return CauseKind.MISSING_MOVEMENT
        if wrong.amount == EXACT.add(right.amount, right.amount):
            return CauseKind.DUPLICATE_MOVEMENT
    return CauseKind.WRONG_MOVEMENT


def _is_turned(wrong: Movement, right: Movement) -> bool:
    """True if every amount of a movement has the other sign: it was booked, the wrong way."""
    pairs = ((wrong.amount, right.amount), (wrong.quantity, right.quantity))
    return all(one == _turned(other) for one, other in pairs)


def _wrong_text(subject: str, hypothesis: Hypothesis, rows: Sequence[Row]) -> str:
    """Return the sentence of a wrong amount, or of a wrong currency where the amounts agree."""
    pairs = zip(hypothesis.patch.removed_movements, hypothesis.patch.added_movements, strict=True)
    is_amount = any((old.amount, old.quantity) != (new.amount, new.quantity) for old, new in pairs)
    what = "with a wrong amount or sign" if is_amount else "under another kind or name"
    return f"{subject} has booked {rows_of_cause(hypothesis, rows)} {what}"


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


def of_period(group: MovementGroup) -> Hypothesis:
    """Build the fault of a period whose rows differ in sum, of a side that has them as `internal`.

    The single row is not to be booked beside the others. Of several rows a copy that is too many
    is shown by itself. Otherwise a row of the difference is missing, or any one has another amount.
    """
    mine, right = group.internal, group.external
    amounts, quantities = (
        [exact_sum(getattr(row, name) or ZERO for row in rows) for rows in (right, mine)]
        for name in ("amount", "quantity")
    )
    if len(right) > len(mine) == 1:
        (one,) = mine
        amount = None if one.amount is None else amounts[0]
        quantity = None if one.quantity is None else quantities[0]
        return differing_movement(one, replace(one, amount=amount, quantity=quantity))
    more, units = EXACT.subtract(*reversed(amounts)), EXACT.subtract(*reversed(quantities))
    for row in reversed(mine):
        is_all = (row.amount or ZERO, row.quantity or ZERO) == (more, units)
        if is_all and has_copy(row, mine):
            return surplus_movement(row, is_repeated=True)
    (whole,) = right
    amount = None if whole.amount is None else _turned(more)
    quantity = None if whole.quantity is None else _turned(units)
    lost = replace(whole, movement_id=MISSING_ID, amount=amount, quantity=quantity)
    return replace(missing_movement(lost), strength=Strength.CHANCE)


FAMILY: Final = CauseFamily(
    sentences={
        CauseKind.MISSING_MOVEMENT: sentence_of("{subject} has not booked {rows}"),
        CauseKind.DUPLICATE_MOVEMENT: sentence_of("{subject} has booked {rows} twice"),
        CauseKind.WRONG_MOVEMENT: _wrong_text,
    },
    of_other_rows=_of_other_rows,
    fitted=_fitted,
)
