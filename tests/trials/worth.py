"""The worth of an answer, judged by the bookings that it leads to.

A unique answer about wrong rows is right if its repair, applied to a copy, gives the right rows,
and wrong otherwise, however well its kind and its amounts fit. Rows are equal up to exact twins:
ids, times and orders are left out, everything that moves an amount counts. Where no row is wrong,
or no booking repairs it (another name, a side that is behind), kind, side, ids and amounts decide.
"""

from collections import Counter
from collections.abc import Sequence
from enum import StrEnum

from recon_core.engine.reconciliation import Reconciliation
from recon_core.explain import apply_entries, entries_of
from recon_core.model import Fill, Movement, Opening, SideRecord
from recon_core.model.explanation import Explanation, ExplanationVerdict
from recon_core.values.errors import ReconError
from tests.trials.books import are_accounts_plain
from tests.trials.drawing import Trial
from tests.trials.fill_faults import payload
from tests.trials.scoring import Score, judge_of

_Bookings = Counter[tuple[object, ...]]


class Worth(StrEnum):
    """Worth of an answer.

    RIGHT: unique, with the right bookings. AMONG: ambiguous, and one of the alternatives is the
    truth. WITHOUT: ambiguous, and none is. HONEST: nothing is claimed, or a part that is so.
    WRONG: unique, with other bookings.
    """

    RIGHT = "right"
    AMONG = "among"
    WITHOUT = "without"
    HONEST = "honest"
    WRONG = "wrong"


def worth_of(trial: Trial, reconciliation: Reconciliation, answer: Sequence[Explanation]) -> Worth:
    """The worth of an answer to a trial."""
    claimed = [one for one in answer if one.verdict is ExplanationVerdict.UNIQUE and one.causes]
    if not claimed:
        return _of_alternatives(trial, answer)
    causes = [cause for one in claimed for cause in one.causes]
    judge = judge_of(trial)
    if len(claimed) < len(answer):  # some of it is claimed: that much must be so
        return Worth.HONEST if judge.fits_some(causes) else Worth.WRONG
    if trial.placement.is_of_rows and _is_booked(claimed):
        is_right = _are_right(trial, reconciliation, claimed)
    else:
        is_right = judge.of_claims(causes) is Score.RIGHT or judge.is_row_by_row(causes)
    return Worth.RIGHT if is_right else Worth.WRONG


def worth_without_truth(answer: Sequence[Explanation]) -> Worth:
    """The worth of an answer to amounts that no fault makes."""
    verdicts = {one.verdict for one in answer if one.causes}
    if ExplanationVerdict.UNIQUE in verdicts:
        return Worth.WRONG
    return Worth.WITHOUT if ExplanationVerdict.AMBIGUOUS in verdicts else Worth.HONEST


def _of_alternatives(trial: Trial, answer: Sequence[Explanation]) -> Worth:
    several = [one for one in answer if one.verdict is ExplanationVerdict.AMBIGUOUS and one.causes]
    if not several:
        return Worth.HONEST
    judge = judge_of(trial)
    is_there = any(
        judge.is_truth(causes) or judge.is_row_by_row(causes)
        for causes in (list(one.causes) for one in several)
    )
    return Worth.AMONG if is_there else Worth.WITHOUT


def _is_booked(claimed: Sequence[Explanation]) -> bool:
    """True if entries repair all of it: no other name, nothing of which a side has no row."""
    return all(one.repair and not one.aliases for one in claimed)


def _are_right(
    trial: Trial, reconciliation: Reconciliation, claimed: Sequence[Explanation]
) -> bool:
    """True if with the entries applied both sides have the right rows, as far as they give rows.

    A repair that is refused is none.
    """
    try:
        entries = [entry for one in claimed for entry in entries_of(reconciliation, one)]
        repaired = apply_entries(reconciliation.recorded, entries)
    except ReconError:
        return False
    plain = are_accounts_plain(trial.base.recorded)
    right = trial.base.recorded.own_records()
    return all(
        _bookings(record, plain=plain) == _bookings(right[side], plain=plain)
        for side, record in repaired.own_records().items()
        if side in right
    )


def _bookings(record: SideRecord, *, plain: bool) -> _Bookings:
    """What the rows of a side post, how many times each."""
    found: _Bookings = Counter()
    found.update(_of_fill(fill, plain=plain) for fill in record.fills or () if fill.quantity)
    found.update(_of_movement(row, plain=plain) for row in record.movements or ())
    found.update(_of_opening(record.opening, plain=plain) if record.opening else ())
    return found


def _of_fill(fill: Fill, *, plain: bool) -> tuple[object, ...]:
    account, *amounts, currency = payload(fill)
    return None if plain else account, *amounts, currency if fill.fee else None


def _of_movement(row: Movement, *, plain: bool) -> tuple[object, ...]:
    account = None if plain else row.account
    return account, row.movement_kind, row.currency, row.amount, row.symbol, row.quantity


def _of_opening(opening: Opening, *, plain: bool) -> list[tuple[object, ...]]:
    held = [(row.account, row.symbol, row.leg, row.quantity) for row in opening.positions]
    cash = [(row.account, row.currency, row.total) for row in opening.cash]
    rows: list[tuple[object, ...]] = [*held, *cash]
    return [(None if plain else row[0], *row[1:]) for row in rows if row[-1]]
