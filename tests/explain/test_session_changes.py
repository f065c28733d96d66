"""The figures of a faulty session are written as they are read."""

import json

import pytest

from tests.explain.session_changes import changes_between, with_changes
from tests.trials.drawing import Wanted, drawn


@pytest.mark.large
@pytest.mark.parametrize("seed", range(60))
def test_changes_that_are_written_make_the_faulty_session(seed: int) -> None:
    """As JSON between a clean session and the faulty one, of any fault."""
    trial = drawn(seed, Wanted())
    assert trial is not None
    clean, faulty = trial.base.recorded, trial.placed.recorded
    changes = json.loads(json.dumps(changes_between(clean, faulty)))
    assert changes
    assert with_changes(clean, changes).own_records() == faulty.own_records()
