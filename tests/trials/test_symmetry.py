"""Answers that depend on what a session says, and not on how it says it."""

from collections.abc import Sequence
from functools import cache

import pytest
from hypothesis import settings

from recon_core.engine.reconciliation import Reconciliation
from recon_core.explain import explain
from recon_core.model import InstrumentKind, LedgerSide, RecordedSession
from recon_core.model.explanation import CauseKind, Effect, Explanation, ExplanationVerdict
from recon_core.policy.model import Policy
from tests.trials.books import negative, total
from tests.trials.drawing import Trial, Wanted, drawn
from tests.trials.made_sessions import SMALL
from tests.trials.transformed import exchanged, in_other_lots, in_other_money, permuted

IS_SOAK = settings().max_examples > 1000
SEEDS = range(600) if IS_SOAK else range(24)
IN_ANOTHER_CURRENCY = {CauseKind.FEE_CURRENCY, CauseKind.ALIAS, CauseKind.CONVERSION}
"""Faults that hold amounts of two currencies against each other, which scaling one ends."""


def answered(recorded: RecordedSession) -> tuple[Explanation, ...]:
    """The explanations of a session."""
    return explain(Reconciliation(recorded, Policy()), repair_exchange=True)


@cache
def small_trials() -> list[tuple[Trial, tuple[Explanation, ...]]]:
    """Trials of a few fills, with one or two faults, and their answers."""
    found = (drawn(seed, Wanted(name=f"{SMALL}{seed}", faults=1 + seed % 2)) for seed in SEEDS)
    return [(trial, answered(trial.placed.recorded)) for trial in found if trial is not None]


def kinds(found: Sequence[Explanation]) -> list[tuple[str, list[tuple[str, str]]]]:
    """The verdict, and the kind and side of each cause, of every explanation."""
    return sorted(
        (str(one.verdict), sorted((str(each.cause_kind), str(each.side)) for each in one.causes))
        for one in found
    )


def test_no_order_of_rows_changes_an_answer() -> None:
    """Fills, orders, positions, balances and movements permuted: the same JSON."""
    for trial, first in small_trials():
        recorded = trial.placed.recorded
        second = answered(permuted(recorded, trial.seed))
        assert [one.to_dict() for one in first] == [one.to_dict() for one in second], trial.seed


def excess(one: Explanation) -> Effect:
    """What the causes make the ledger have too much, those of the exchange negative."""
    return total(
        each.effect if each.side is LedgerSide.INTERNAL else negative(each.effect)
        for each in one.causes
    )


def test_sides_exchanged_give_no_other_amounts() -> None:
    """Two answers that are both unique state opposite amounts in every dimension."""
    both = 0
    for trial, first in small_trials():
        recorded = trial.placed.recorded
        second = answered(exchanged(recorded))
        verdicts = {one.verdict for one in (*first, *second)}
        if first and second and verdicts == {ExplanationVerdict.UNIQUE}:
            both += 1
            left = total((excess(first[0]), excess(second[0])))
            assert not any((*left.position.values(), *left.cash.values())), trial.seed
    assert both > len(SEEDS) // 7


@pytest.mark.parametrize("power", [-3, 2])
def test_amounts_in_another_unit_have_the_same_causes(power: int) -> None:
    """A currency times a power of ten with its prices, or a quantity against its price."""
    scaled = 0
    for trial, first in small_trials():
        recorded = trial.placed.recorded
        spot = [one for one in recorded.instruments.values()
                if one.instrument_kind is InstrumentKind.SPOT]  # fmt: skip
        if len(spot) < len(recorded.instruments) or not IN_ANOTHER_CURRENCY.isdisjoint(
            truth.cause_kind for truth in trial.placed.truths
        ):
            continue
        expected = kinds(first)
        assert kinds(answered(in_other_money(recorded, spot[0].quote, power))) == expected
        assert kinds(answered(in_other_lots(recorded, spot[0].base, power))) == expected
        scaled += 1
    assert scaled > len(SEEDS) // 8
