"""Entries of a repair do away with the faults that trials put into a session."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import settings

from recon_core.engine.reconciliation import Reconciliation
from recon_core.explain import RepairEntry, apply_entries, entries_of, explain
from recon_core.explain.repair.repair_file import read_repair, write_repair
from recon_core.model.comparison import diff_id
from recon_core.model.explanation import ExplanationVerdict
from recon_core.policy.aliases import Aliases
from recon_core.policy.model import Policy
from recon_core.values.amounts import decimal_places, shortest
from recon_core.values.errors import ReconError
from tests.trials.drawing import Trial, Wanted
from tests.trials.outcomes import trials

IS_SOAK = settings().max_examples > 1000
TRIALS = 400 if IS_SOAK else 25


def repaired_trial(trial: Trial, directory: Path) -> bool:
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
        path = directory / "repair.json"
        write_repair(path, entries)
        assert read_repair(path) == entries, trial.seed
        once = apply_entries(before.recorded, entries)
        assert apply_entries(once, entries) == once, trial.seed
        after = Reconciliation(once, replace(before.policy, aliases=Aliases()))
        left = {diff.diff_id for diff in after.diffs if diff.diff_type != "SESSION"}
        assert left <= {diff.diff_id for diff in before.diffs}, trial.seed
        explained = {diff_id(before.recorded.session_id, one) for one in explanation.explains}
        assert not left & explained, trial.seed
        require_no_finer(before, entries)
        answered = {answer for entry in entries for answer in entry.answers}
        assert not left & answered, trial.seed
        assert [
            entry.entry_id for entry in entries_of(before, explanation, repair_exchange=True)
        ] == [entry.entry_id for entry in entries]
    return bool(found)


def require_no_finer(before: Reconciliation, entries: Sequence[RepairEntry]) -> None:
    """No fee and no balance has more decimals than its currency, or than a side states."""
    for entry in entries:
        for name, unit in (("fee", "fee_currency"), ("corrected", "currency")):
            if name in entry.row and unit in entry.row:
                amount, currency = Decimal(entry.row[name]), entry.row[unit]
                assert decimal_places(shortest(amount)) <= finest(before, currency), entry


def finest(before: Reconciliation, currency: str) -> int:
    """The decimals of a currency: declared, or of the finest amount that a side states."""
    declared = before.recorded.currencies.get(currency)
    found = [0 if declared is None else declared.precision]
    for record in before.recorded.own_records().values():
        opening = () if record.opening is None else record.opening.cash
        rows = (*(record.cash or ()), *opening)
        amounts = [row.total for row in rows if row.currency == currency]
        amounts += [fill.fee for fill in record.fills or () if fill.fee_currency == currency]
        found += map(decimal_places, amounts)
    return max(found)


@pytest.mark.parametrize("faults", [1, 2])
def test_entries_repair_what_they_answer(faults: int, tmp_path: Path) -> None:
    """Of faults put into recordings and made sessions at random."""
    count = TRIALS // faults
    done = [
        repaired_trial(trial, tmp_path) for trial in trials(range(count), Wanted(faults=faults))
    ]
    assert sum(done) >= count // 4, "too few of them had a unique explanation"
