"""Which of several different rows a state contradicts."""

from types import SimpleNamespace
from typing import Any

import pytest

from recon_core.explain.answers.row_answers import _those_that_reach
from recon_core.explain.problem.hypotheses import Hypothesis
from recon_core.explain.problem.patches import Patch
from recon_core.model.explanation import CauseKind
from tests.core.builders import fill

ROWS = [fill(name, "BUY", "1", "100") for name in "abcdefghijklm"]


@pytest.mark.parametrize(
    ("count", "reached", "found"),
    [
        (3, "a", "a"), (3, "b", "b"), (3, "ab", "ab"), (3, "abc", ""), (1, "a", ""), (0, "", ""),
        (6, "ac", "ac"), (6, "acd", ""), (6, "abcd", "abcd"), (6, "bcdef", "bcdef"),
        (5, "acd", "acd"), (5, "a b", ""), (5, "a bc", "a"), (12, "c", "c"), (13, "c", ""),
        (5, "abc abd", ""),
    ],
)  # fmt: skip
def test_rows_that_a_state_contradicts(count: int, reached: str, found: str) -> None:
    """One or two, or all but one or two: the smallest choice, if it is the only one of its size."""
    hypotheses = [Hypothesis(CauseKind.ORPHAN_FILL, Patch((row,)), (row,)) for row in ROWS[:count]]

    def reached_by(patch: Patch) -> bool:
        return "".join(sorted(row.fill_id for row in patch.removed)) in reached.split()

    own: Any = SimpleNamespace(reached_by=reached_by)
    chosen = _those_that_reach(own, hypotheses)
    assert "".join(one.patch.removed[0].fill_id for one in chosen) == found
