"""Scoring an answer against the truth: right, modest, astray or wrong."""

from collections.abc import Sequence
from enum import StrEnum
from itertools import permutations

from recon_core.explanation import Cause, CauseKind, Effect, Explanation, ExplanationVerdict
from recon_core.model import LedgerSide
from tests.core.explaining.books import negative, plain_effect, total
from tests.core.explaining.drawing import Trial
from tests.core.explaining.placing import Truth


class Score(StrEnum):
    """How good an answer is.

    RIGHT: unique and the truth. MODEST: nothing is claimed that is not so. ASTRAY: all
    alternatives are listed, and the truth is not among them. WRONG: claimed as unique,
    and not the truth.
    """

    RIGHT = "right"
    MODEST = "modest"
    ASTRAY = "astray"
    WRONG = "wrong"


_CLAIMS = {ExplanationVerdict.UNIQUE}


def scored(trial: Trial, answer: Sequence[Explanation]) -> Score:
    """The score of an answer to a trial."""
    truths, effect = trial.placed.truths, trial.placed.effect
    side = trial.placed.side
    claims = (
        {ExplanationVerdict.UNIQUE, ExplanationVerdict.PARTIAL} if trial.base.is_dusty else _CLAIMS
    )
    claimed = [one for one in answer if one.verdict in claims and one.causes]
    causes = [cause for one in claimed for cause in one.causes]
    if claimed and len(claimed) == len(answer):
        return _claimed(truths, causes, effect, side)
    if claimed:  # some of it is claimed: that much must be so
        found = all(any(_fits(truth, cause, side) for truth in truths) for cause in causes)
        return Score.MODEST if found else Score.WRONG
    return _unclaimed(truths, answer, effect, side)


def _claimed(
    truths: tuple[Truth, ...], causes: list[Cause], effect: Effect, side: LedgerSide
) -> Score:
    if not is_truth(truths, causes, effect, side):
        return Score.MODEST if _is_row_by_row(truths, causes, effect, side) else Score.WRONG
    if any(_has_no_side(truth, causes) for truth in truths):
        return Score.MODEST
    return Score.RIGHT


_ROW_BY_ROW = {
    CauseKind.STALE_SIDE: {CauseKind.MISSING_FILL, CauseKind.MISSING_MOVEMENT},
    CauseKind.AS_OF_SHIFT: {CauseKind.MISSING_FILL, CauseKind.MISSING_MOVEMENT},
    CauseKind.FOREIGN_ACTIVITY: {CauseKind.ORPHAN_FILL},
    CauseKind.CUMULATIVE_QUANTITY: {CauseKind.WRONG_QUANTITY},
    CauseKind.ROUNDING: {CauseKind.WRONG_QUANTITY},
    CauseKind.UNIT: {CauseKind.WRONG_QUANTITY},
    CauseKind.MISSING_FEE: {CauseKind.MISSING_FEE},
    CauseKind.FEE_SIGN: {CauseKind.FEE_SIGN},
    CauseKind.ALIAS: {CauseKind.MISSING_FILL, CauseKind.ORPHAN_FILL},
}
"""Faults of many rows, and what each of the rows is: true, though it says less."""


def _is_row_by_row(
    truths: tuple[Truth, ...], causes: list[Cause], effect: Effect, side: LedgerSide
) -> bool:
    if len(truths) != 1 or not causes:
        return False
    (truth,) = truths
    return (
        plain_effect(_together(causes, side)) == plain_effect(effect)
        and {cause.cause_kind for cause in causes} <= _ROW_BY_ROW.get(truth.cause_kind, set())
        and all(set(cause.ids) <= truth.all_ids for cause in causes)
        and all(cause.side is None or cause.side in truth.sides for cause in causes)
    )


def _has_no_side(truth: Truth, causes: list[Cause]) -> bool:
    """Whether an answer leaves the side open that the data tell."""
    return None not in truth.sides and any(cause.side is None for cause in causes)


def _unclaimed(
    truths: tuple[Truth, ...], answer: Sequence[Explanation], effect: Effect, side: LedgerSide
) -> Score:
    several = [one for one in answer if one.verdict is ExplanationVerdict.AMBIGUOUS]
    if not several or any(is_truth(truths, list(one.causes), effect, side) for one in several):
        return Score.MODEST
    is_whole = max(one.alternatives for one in several) <= len(several)
    return Score.ASTRAY if is_whole else Score.MODEST


def is_truth(
    truths: tuple[Truth, ...], causes: list[Cause], effect: Effect, side: LedgerSide
) -> bool:
    """Whether causes are the truth: kinds, sides, ids up to twins, and effects."""
    if len(causes) != len(truths):
        return False
    return plain_effect(_together(causes, side)) == plain_effect(effect) and any(
        all(_fits(truth, cause, side) for truth, cause in zip(truths, order, strict=True))
        for order in permutations(causes)
    )


def _together(causes: list[Cause], side: LedgerSide) -> Effect:
    """What `side` has too much by causes of either side."""
    return total(_seen_from(side, cause) for cause in causes)


def _seen_from(side: LedgerSide, cause: Cause) -> Effect:
    """What one side has too much is what the other one lacks."""
    return cause.effect if cause.side in (None, side) else negative(cause.effect)


def _fits(truth: Truth, cause: Cause, side: LedgerSide) -> bool:
    ids = set(cause.ids)
    return (
        (cause.cause_kind is truth.cause_kind or cause.cause_kind in truth.also)
        and (cause.side is None or cause.side in truth.sides)
        and ids <= truth.all_ids
        and bool(not truth.ids or ids & truth.ids)
        and (truth.effect is None or _is_effect(truth.effect, cause, side))
    )


def _is_effect(effect: Effect, cause: Cause, side: LedgerSide) -> bool:
    return plain_effect(_seen_from(side, cause)) == plain_effect(effect)
