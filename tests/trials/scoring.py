"""Scoring an answer against the truth: right, modest, astray or wrong."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from itertools import permutations

from recon_core.model import LedgerSide
from recon_core.model.explanation import Cause, CauseKind, Effect, Explanation, ExplanationVerdict
from tests.trials.books import deltas_of, negative, total
from tests.trials.drawing import Trial
from tests.trials.placing import Placement, Truth


class Score(StrEnum):
    """How good an answer is.

    RIGHT: unique and the truth. MODEST: nothing is claimed that is not so, or as much is told
    by fewer faults than there were. ASTRAY: all
    alternatives are listed, and the truth is not among them. WRONG: claimed as unique,
    and not the truth.
    """

    RIGHT = "right"
    MODEST = "modest"
    ASTRAY = "astray"
    WRONG = "wrong"


_CLAIMS = {ExplanationVerdict.UNIQUE}
_DUSTY_CLAIMS = {ExplanationVerdict.UNIQUE, ExplanationVerdict.PARTIAL}
_FLOAT_NOISE = Decimal("1e-10")
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


def scored(trial: Trial, answer: Sequence[Explanation]) -> Score:
    """The score of an answer to a trial."""
    judge = judge_of(trial)
    claims = _DUSTY_CLAIMS if trial.base.is_dusty else _CLAIMS
    claimed = [one for one in answer if one.verdict in claims and one.causes]
    causes = [cause for one in claimed for cause in one.causes]
    if claimed and len(claimed) == len(answer):
        return judge.of_claims(causes)
    if claimed:  # some of it is claimed: that much must be so
        return Score.MODEST if judge.fits_some(causes) else Score.WRONG
    several = [one for one in answer if one.verdict is ExplanationVerdict.AMBIGUOUS]
    if not several or any(judge.is_truth(list(one.causes)) for one in several):
        return Score.MODEST
    is_whole = max(one.alternatives for one in several) <= len(several)
    return Score.ASTRAY if is_whole else Score.MODEST


def judge_of(trial: Trial) -> "Judge":
    """The judge of answers to a trial; what a wrong list leaves no balance shows."""
    effect = None if trial.placement is Placement.LIST else trial.placed.effect
    return Judge(trial.placed.truths, effect, trial.placed.side, _dust(trial))


def _dust(trial: Trial) -> Effect:
    """What the faulty side had too much before the fault."""
    deltas = deltas_of(trial.base.recorded)
    return deltas if trial.placed.side is LedgerSide.INTERNAL else negative(deltas)


@dataclass(frozen=True, slots=True)
class Judge:
    """Compares causes with the truth; an effect may include the dust there was before.

    `effect` is `None` where positions and cash of the sides are equal.

    Rows that leave the same amounts cannot be told apart: a cause may name more of them.
    """

    truths: tuple[Truth, ...]
    effect: Effect | None
    side: LedgerSide
    dust: Effect

    def of_claims(self, causes: list[Cause]) -> Score:
        """The score of causes that are claimed as unique."""
        if not self.is_truth(causes):
            is_so = self.is_row_by_row(causes) or self.is_simpler(causes)
            return Score.MODEST if is_so else Score.WRONG
        is_open = any(cause.side is None for cause in causes)
        is_told = any(None not in truth.sides for truth in self.truths)
        return Score.MODEST if is_open and is_told else Score.RIGHT

    def is_truth(self, causes: list[Cause]) -> bool:
        """Whether causes are the truth: kinds, sides, ids up to twins, and effects."""
        if self._is_told_as_one(causes):
            return True
        return (
            len(causes) == len(self.truths)
            and self._sums_up(causes)
            and any(
                all(
                    self._fits(truth, cause)
                    for truth, cause in zip(self.truths, order, strict=True)
                )
                for order in permutations(causes)
            )
        )

    def _is_told_as_one(self, causes: list[Cause]) -> bool:
        """Whether faults of one kind are one cause that names a row of each of them."""
        kinds = {truth.cause_kind for truth in self.truths}
        return (
            len(causes) == 1 < len(self.truths)
            and kinds == {causes[0].cause_kind}
            and self._sums_up(causes)
            and all(set(causes[0].ids) & truth.ids for truth in self.truths)
            and all(causes[0].side in truth.sides for truth in self.truths)
        )

    def is_row_by_row(self, causes: list[Cause]) -> bool:
        """Whether causes are the rows of the faults, one by one."""
        return self._sums_up(causes) and all(
            any(self._is_row_of(truth, cause) for truth in self.truths) for cause in causes
        )

    def _is_row_of(self, truth: Truth, cause: Cause) -> bool:
        kinds = {truth.cause_kind, *truth.also, *_ROW_BY_ROW.get(truth.cause_kind, ())}
        is_row = cause.cause_kind not in {truth.cause_kind, *truth.also}
        is_known = set(cause.ids) <= truth.all_ids and bool(is_row or cause.ids or not truth.ids)
        return (
            cause.cause_kind in kinds and is_known and (not cause.side or cause.side in truth.sides)
        )

    def is_simpler(self, causes: list[Cause]) -> bool:
        """Whether fewer faults than were made leave the very same amounts.

        The smallest set is what an answer is; two faults of a kind may also be told as one.
        """
        return len(causes) < len(self.truths) and self._sums_up(causes)

    def fits_some(self, causes: list[Cause]) -> bool:
        """Whether each cause is one of the truths."""
        return all(any(self._fits(truth, cause) for truth in self.truths) for cause in causes)

    def _sums_up(self, causes: list[Cause]) -> bool:
        return self.effect is None or self._is_effect(
            total(self._seen(cause) for cause in causes), self.effect
        )

    def _fits(self, truth: Truth, cause: Cause) -> bool:
        ids = set(cause.ids)
        return (
            (cause.cause_kind is truth.cause_kind or cause.cause_kind in truth.also)
            and (cause.side is None or cause.side in truth.sides)
            and bool(not truth.ids or ids & truth.ids)
            and (truth.effect is None or self._is_effect(self._seen(cause), truth.effect))
        )

    def _seen(self, cause: Cause) -> Effect:
        """What one side has too much is what the other one lacks."""
        return cause.effect if cause.side in (None, self.side) else negative(cause.effect)

    def _is_effect(self, found: Effect, right: Effect) -> bool:
        return any(_is_near(found, one) for one in (right, total((right, self.dust))))


def _is_near(found: Effect, right: Effect) -> bool:
    """Whether effects are equal, the noise of binary floats aside."""
    left = total((found, negative(right)))
    amounts = [*left.position.values(), *left.cash.values()]
    return all(amount.copy_abs() <= _FLOAT_NOISE for amount in amounts)
