"""Every injector makes the fault that it claims, and what is true of it."""

from dataclasses import replace
from functools import cache

import pytest
from hypothesis import settings

from recon_core.engine.reconciliation import Reconciliation
from recon_core.model import Fill, LedgerSide, Leg, MovementKind, Order
from recon_core.model.comparison import ItemKind
from recon_core.model.explanation import Cause, CauseKind, Effect, Explanation, ExplanationVerdict
from recon_core.policy.model import Policy
from tests.trials.bases import NAMES, Evidence, base_session
from tests.trials.books import deltas_of, negative, plain_effect
from tests.trials.drawing import Trial, Wanted, drawn
from tests.trials.faults import EQUIVALENT, INJECTORS
from tests.trials.noise import noisy
from tests.trials.placing import Placement
from tests.trials.scoring import Score, scored

TRIALS = 200 if settings().max_examples > 1000 else 3
NOT_IN_ROWS = {CauseKind.SIGN_CONVENTION, CauseKind.BALANCE_KIND, CauseKind.CONVERSION}


@cache
def trials_of(kind: CauseKind, count: int = TRIALS, faults: int = 1) -> list[Trial]:
    """Trials of one kind."""
    found = [drawn(seed, Wanted(kind, faults=faults)) for seed in range(count)]
    return [trial for trial in found if trial is not None]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("evidence", Evidence)
def test_a_base_session_is_clean(name: str, evidence: Evidence) -> None:
    """Whatever differs after an injection is the fault's."""
    assert not Reconciliation(base_session(name, evidence).recorded, Policy()).diffs


def test_what_recordings_lack_is_made() -> None:
    """Movements of every kind, legs that are open, accounts, strategies, snapshots, orders."""
    bases = [base_session(name, Evidence.STATES) for name in NAMES]
    moved = {row.movement_kind for base in bases for row in base.book.movements or ()}
    assert moved == set(MovementKind)
    assert any(row.leg is not Leg.NET and row.quantity for b in bases for row in b.right.positions)
    assert any(len(base.book.accounts - {None}) > 1 for base in bases)
    assert any(len({fill.position_id for fill in base.fills}) > 1 for base in bases)
    assert any(base.book.snapshots and base.external.snapshots for base in bases)
    assert any(base.external.orders for base in bases)
    assert {"BNB", "BTC"} <= {fill.fee_currency for base in bases for fill in base.fills}


def test_every_kind_has_an_injector() -> None:
    """None of the kinds is left out."""
    assert set(INJECTORS) == set(CauseKind)


@pytest.mark.parametrize("kind", CauseKind)
def test_an_injector(kind: CauseKind) -> None:
    """The effect is what differs, the ledger check tells the side, the ids are of rows."""
    found = trials_of(kind)
    assert found
    for trial in found:
        assert [truth.cause_kind for truth in trial.placed.truths] == [kind]
        assert is_what_differs(trial), trial.seed
        diffs = Reconciliation(trial.placed.recorded, Policy()).diffs
        assert diffs, trial.seed
        sides = {diff.key.partition(":")[0] for diff in diffs if diff.diff_type == "LEDGER"}
        assert sides == contradicted(trial), trial.seed
        keys = {*trial.placed.effect.position, *trial.placed.effect.cash}
        for truth in trial.placed.truths:
            assert truth.ids <= truth.all_ids, trial.seed
            assert truth.all_ids - keys - {"X-order"} <= _ids(trial), trial.seed


def is_what_differs(trial: Trial) -> bool:
    """Whether what the side has too much is what both sides differ by."""
    effect = trial.placed.effect
    expected = effect if trial.placed.side is LedgerSide.INTERNAL else negative(effect)
    return plain_effect(deltas_of(trial.placed.recorded)) == plain_effect(expected)


def contradicted(trial: Trial) -> set[str]:
    """The sides whose rows do not give what they state."""
    if trial.placement is Placement.BOOKED:
        return {"internal"}
    has_rows = trial.base.evidence is Evidence.ROWS
    return {"external"} if trial.placement is Placement.EXCHANGE and has_rows else set()


def _ids(trial: Trial) -> set[str]:
    ids: set[str] = set()
    books = [trial.base.book, *(fault.book for fault in trial.faults if fault.book)]
    for book in books:
        ids |= {fill.fill_id for fill in book.fills or ()}
        ids |= {row.movement_id for row in book.movements or ()}
        named: list[Fill | Order] = [*(book.fills or ()), *(book.orders or ())]
        for row in named:
            ids |= {one for one in (row.client_order_id, row.exchange_order_id) if one}
    return ids


@pytest.mark.parametrize("kind", sorted(set(CauseKind) - NOT_IN_ROWS))
def test_two_faults(kind: CauseKind) -> None:
    """Two faults on different rows: their effect together is what differs."""
    for trial in trials_of(kind, max(2, TRIALS // 3), faults=2):
        assert len(trial.placed.truths) == 2
        assert is_what_differs(trial), trial.seed
        first, second = trial.faults
        assert not first.touched & second.touched, trial.seed


def test_a_seed_gives_one_trial() -> None:
    """A failing trial can be repeated alone, in another process."""
    for seed in range(20):
        once, again = drawn(seed), drawn(seed)
        assert once is not None
        assert again is not None
        assert once.placed.recorded == again.placed.recorded
        assert once.placed.truths == again.placed.truths


def test_equivalents_have_reasons() -> None:
    """Another name of a fault is in the table."""
    used = {
        (fault.cause_kind, other)
        for kind in CauseKind
        for trial in trials_of(kind)
        for fault in trial.faults
        for other in fault.also
    }
    assert used
    assert used <= set(EQUIVALENT)


def test_noise_is_no_fault() -> None:
    """Noise differs somewhere, and the two sides' rows agree."""
    for seed in range(TRIALS * 3):
        noise = noisy(seed)
        diffs = Reconciliation(noise.recorded, Policy()).diffs
        kinds = {diff.diff_type for diff in diffs}
        assert kinds & {"POSITION", "CASH"}, seed
        assert ItemKind.FILL.diff_type not in kinds, seed


def answer_to(trial: Trial, **changes: object) -> Explanation:
    """The right answer to a trial of one fault, or one that differs in some fields."""
    (truth,) = trial.placed.truths
    fields = {
        "cause_kind": truth.cause_kind,
        "side": trial.placed.side,
        "ids": tuple(sorted(truth.ids)[:1]),
        "effect": trial.placed.effect,
        "text": "",
    }
    cause = Cause(**{**fields, **changes})
    return Explanation(ExplanationVerdict.UNIQUE, trial.placed.side, (cause,), alternatives=1)


@pytest.mark.parametrize(
    ("changes", "score"),
    [
        ({}, Score.RIGHT),
        ({"cause_kind": CauseKind.FEE_SIGN}, Score.WRONG),
        ({"side": LedgerSide.EXTERNAL}, Score.WRONG),
        ({"side": None}, Score.MODEST),
        ({"ids": ()}, Score.WRONG),
        ({"ids": ("nobody",)}, Score.WRONG),
        ({"effect": Effect()}, Score.WRONG),
    ],
)
def test_scores_of_a_claim(changes: dict[str, object], score: Score) -> None:
    """A unique answer is right in kind, side, ids and effect, or it is wrong."""
    wanted = Wanted(CauseKind.MISSING_FILL, placement=Placement.BOOKED)
    trial = drawn(1, wanted)
    assert trial is not None
    assert scored(trial, (answer_to(trial, **changes),)) is score


def test_scores_of_modesty() -> None:
    """Alternatives with the truth among them, or no claim, are modest; others are not."""
    trial = drawn(1, Wanted(CauseKind.MISSING_FILL, placement=Placement.BOOKED))
    assert trial is not None
    right = replace(answer_to(trial), verdict=ExplanationVerdict.AMBIGUOUS, alternatives=2)
    wrong = replace(
        answer_to(trial, cause_kind=CauseKind.FEE_SIGN),
        verdict=ExplanationVerdict.AMBIGUOUS,
        alternatives=2,
    )
    assert scored(trial, (right, wrong)) is Score.MODEST
    assert scored(trial, (wrong, wrong)) is Score.ASTRAY
    assert scored(trial, (replace(wrong, alternatives=9),)) is Score.MODEST
    assert scored(trial, (Explanation(ExplanationVerdict.UNEXPLAINED),)) is Score.MODEST
    assert scored(trial, ()) is Score.MODEST
