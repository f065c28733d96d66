"""Entries of a repair do away with the faults that trials put into a session."""

from dataclasses import replace

import pytest
from hypothesis import settings

from recon_core.engine.reconciliation import Reconciliation
from recon_core.explain import apply_entries, entries_of, explain
from recon_core.model.explanation import ExplanationVerdict
from recon_core.policy.aliases import Aliases
from recon_core.policy.model import Policy
from recon_core.values.errors import ReconError
from tests.trials.drawing import Trial, Wanted
from tests.trials.outcomes import trials

IS_SOAK = settings().max_examples > 1000
TRIALS = 400 if IS_SOAK else 25


def repaired_trial(trial: Trial) -> bool:
    """Whether a trial has a unique explanation; its entries then repair it."""
    before = Reconciliation(trial.placed.recorded, Policy())
    found = [
        each
        for each in explain(before, repair_exchange=True)
        if each.verdict is ExplanationVerdict.UNIQUE
    ]
    for explanation in found:
        try:
            entries = entries_of(before, explanation, repair_exchange=True)
        except ReconError as error:
            if "no booking repairs it" in str(error):  # such as a name, which a policy mends
                return False
            raise
        once = apply_entries(before.recorded, entries)
        assert apply_entries(once, entries) == once, trial.seed
        after = Reconciliation(once, replace(before.policy, aliases=Aliases()))
        left = {diff.diff_id for diff in after.diffs if diff.diff_type != "SESSION"}
        answered = {answer for entry in entries for answer in entry.answers}
        assert not left & answered, trial.seed
        assert [
            entry.entry_id for entry in entries_of(before, explanation, repair_exchange=True)
        ] == [entry.entry_id for entry in entries]
    return bool(found)


@pytest.mark.parametrize("faults", [1, 2])
def test_entries_repair_what_they_answer(faults: int) -> None:
    """Of faults put into recordings and made sessions at random."""
    count = TRIALS // faults
    done = [repaired_trial(trial) for trial in trials(range(count), Wanted(faults=faults))]
    assert sum(done) >= count // 3, "too few of them had a unique explanation"
