"""Worlds that recordings lack: no unique answer leads to other bookings than the right ones."""

from dataclasses import replace

import pytest
from hypothesis import settings

from recon_core.engine.reconciliation import Reconciliation
from recon_core.model import Fill, InstrumentKind, LedgerSide, Leg
from recon_core.model.explanation import CauseKind, Explanation, ExplanationVerdict
from recon_core.policy.model import Policy
from tests.trials.bases import Evidence, base_session
from tests.trials.books import state_of
from tests.trials.placing import Placement
from tests.trials.shapes import FAMILIES
from tests.trials.world_tables import failures, report, share
from tests.trials.worlds import (
    WORLDS,
    World,
    WorldOutcome,
    WorldTrial,
    drawn_of,
    outcome_of,
    outcomes_of,
    world_named,
)
from tests.trials.worth import Worth, worth_of, worth_without_truth

IS_SOAK = settings().max_examples > 1000
SEEDS = range(260) if IS_SOAK else range(5)
"""260 of twelve worlds are more than 3,000 sessions."""

BY_ROWS, BY_STATES, OF_TWO = 0.97, 0.90, 0.90
"""Least shares of what the data can show: of one fault with rows of both sides right; of one fault
from states right, or among the alternatives; of two faults with rows right."""

ENOUGH = 10
"""Trials of which a share means something."""

FAMILY_NAMES = [f"{family}-{number}" for family in FAMILIES for number in range(3)]
OF_LEDGER = [world for world in WORLDS if (Evidence.ROWS, Placement.ROW) in world.settings]


def told(outcomes: list[WorldOutcome], evidence: Evidence, faults: int) -> list[WorldOutcome]:
    """The outcomes with some evidence and number of faults that the data can show."""
    return [
        one for one in outcomes if one.is_told and one.evidence == evidence and one.faults == faults
    ]


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.name)
def test_no_unique_answer_of_a_world_is_wrong(world: World) -> None:
    """Applied, the repair of a unique answer gives the right rows; enough answers are unique."""
    outcomes = list(outcomes_of([world], SEEDS))
    assert len(outcomes) >= len(SEEDS) * 0.8
    assert not [one for one in outcomes if one.worth is Worth.WRONG], failures(outcomes)
    if not IS_SOAK or world not in OF_LEDGER:
        return
    shares = (
        (told(outcomes, Evidence.ROWS, 1), (Worth.RIGHT,), BY_ROWS),
        (told(outcomes, Evidence.STATES, 1), (Worth.RIGHT, Worth.AMONG), BY_STATES),
        (told(outcomes, Evidence.ROWS, 2), (Worth.RIGHT,), OF_TWO),
    )
    for found, worths, least in shares:
        assert len(found) >= ENOUGH
        assert share(found, *worths) >= least, report(outcomes, is_whole=True)


@pytest.mark.parametrize("name", FAMILY_NAMES)
@pytest.mark.parametrize("evidence", Evidence)
def test_a_session_of_a_family_is_clean(name: str, evidence: Evidence) -> None:
    """Whatever differs after an injection is the fault's."""
    base = base_session(name, evidence)
    assert not Reconciliation(base.recorded, Policy()).diffs
    assert (base.external.movements is None) is (evidence is Evidence.STATES)
    assert (base.external.fills is None) is (evidence is not Evidence.ROWS)


def test_families_are_what_recordings_lack() -> None:
    """Inverse contracts, open legs, rebates in tiers, currencies without a precision."""
    inverse, hedge, rebates, undeclared = (
        [base_session(f"{family}-{number}", Evidence.STATES) for number in range(4)]
        for family in ("coin-margined", "hedge", "rebates", "undeclared")
    )
    kinds = {one.instrument_kind for base in inverse for one in base.recorded.instruments.values()}
    assert kinds == {InstrumentKind.INVERSE}
    assert {row.leg for base in hedge for row in base.right.positions} == {Leg.LONG, Leg.SHORT}
    assert all(min(fill.fee for fill in base.fills) < 0 for base in rebates)
    assert all(len({_rate(fill) for fill in base.fills}) > 3 for base in rebates)
    assert not any(base.recorded.currencies for base in undeclared)


def _rate(fill: Fill) -> object:
    return round(fill.fee / fill.quantity / fill.price, 6)


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.name)
def test_a_world_has_the_faults_that_it_says(world: World) -> None:
    """Evidence, place and kinds of a trial are those of its world; a seed gives one trial."""
    found = [one for seed in range(4) if (one := drawn_of(world, seed)) is not None]
    assert found
    for one in found:
        assert one.evidence in {evidence for evidence, _ in world.settings}
        assert (one.trial is None) is (world.name == "noise")
        again = drawn_of(world, one.seed)
        assert again is not None
        assert again.recorded == one.recorded


def trial_of_world(name: str, faults: int = 1) -> WorldTrial:
    """The first trial of a world with so many faults."""
    return next(
        found
        for seed in range(50)
        if (found := drawn_of(world_named(name), seed)) is not None
        and found.trial is not None
        and len(found.trial.faults) == faults
    )


def test_a_list_that_ends_early() -> None:
    """The exchange's list, its movements and its state are those of an earlier time."""
    found = trial_of_world("list-ends")
    assert found.trial is not None
    internal, external = found.recorded.internal, found.recorded.external
    assert internal is not None
    assert external is not None
    assert internal.fills is not None
    assert external.fills == internal.fills[: len(external.fills or ())]
    assert external.fills != internal.fills
    assert external.as_of == internal.as_of
    early = state_of(found.recorded, replace(external, positions=None, cash=None))
    assert early.positions == external.positions
    assert [row.total for row in early.cash] == [row.total for row in external.cash or ()]


def test_a_row_of_the_exchange_is_wrong_and_its_state_is_right() -> None:
    """The ledger is right, and so is what the exchange states."""
    found = trial_of_world("exchange-row")
    assert found.trial is not None
    base = found.trial.base
    assert found.recorded.internal == base.book
    assert found.recorded.external is not None
    assert found.recorded.external.positions == base.external.positions
    assert found.recorded.external.fills != base.external.fills or (
        found.recorded.external.movements != base.external.movements
    )
    assert all(truth.sides == {LedgerSide.EXTERNAL} for truth in found.trial.placed.truths)


def test_a_repair_to_other_rows_is_wrong() -> None:
    """Of a missing fill its own row is right, one without a fee is wrong, whatever is said."""
    trial = next(
        found.trial
        for seed in range(200)
        if (found := drawn_of(world_named("plain"), seed)) is not None
        and found.trial is not None
        and found.kinds == CauseKind.MISSING_FILL
        and found.evidence is Evidence.ROWS
    )
    reconciliation = Reconciliation(trial.placed.recorded, Policy())
    outcome = outcome_of(WorldTrial("plain", 0, Evidence.ROWS, trial.placed.recorded, "", trial))
    assert outcome.worth is Worth.RIGHT
    (answer,) = outcome.answer
    (booking,) = answer.repair
    other = replace(booking, row={**booking.row, "fee": "0"})
    assert worth_of(trial, reconciliation, [replace(answer, repair=(other,))]) is Worth.WRONG


@pytest.mark.parametrize(
    ("verdict", "worth"),
    [
        (ExplanationVerdict.UNIQUE, Worth.WRONG),
        (ExplanationVerdict.AMBIGUOUS, Worth.WITHOUT),
        (ExplanationVerdict.UNEXPLAINED, Worth.HONEST),
    ],
)
def test_random_amounts_have_no_right_answer(verdict: ExplanationVerdict, worth: Worth) -> None:
    """A unique answer to amounts that no fault makes is wrong."""
    answered = outcome_of(trial_of_world("plain")).answer
    causes = answered[0].causes if verdict is not ExplanationVerdict.UNEXPLAINED else ()
    assert worth_without_truth([Explanation(verdict, causes=causes)]) is worth


def test_the_tables_count_every_answer() -> None:
    """Each outcome is in one row of the table by world, and in one by kind and evidence."""
    outcomes = [outcome_of(trial_of_world("plain")), outcome_of(trial_of_world("hedge", 2))]
    lines = report(outcomes, is_whole=True).splitlines()
    assert sum(line.startswith("| **all**") for line in lines) == 4
    assert any(line.startswith("| two faults |") for line in lines)
    assert lines[-1].startswith("wrong: 0")
