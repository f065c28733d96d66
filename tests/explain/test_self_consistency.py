"""Rows of the exchange that its own books contradict, seen beside the ledger's."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from recon_core.explain.problem.problems import problem_of
from recon_core.explain.search.self_consistency import OwnContradictions
from recon_core.model import LedgerSide, Movement
from tests.core.builders import recorded
from tests.explain.problems import prover_of
from tests.explain.real_sessions import books, moved

M1 = moved("m1", "interest", "5 EUR", -650)
M2 = moved("m2", "interest", "7 EUR", -600)
LATER = replace(M1, movement_id="m3", time=M2.time)

Rows = Sequence[Movement]

MOVEMENTS: dict[str, tuple[Rows | None, Rows, Rows, Rows]] = {
    "one id twice": ([M1], [M1, M1], [M1], [M1]),
    "one id three times": ([M1], [M1, M1, M1], [M1], [M1]),
    "one id twice, which the ledger lacks": ([], [M1, M1], [M1], [M1, M1]),
    "one id twice, and no list of the ledger": (None, [M1, M1], [M1, M1], [M1, M1]),
    "one id with two amounts": ([M1], [M1, replace(M2, movement_id="m1")],
                                [M1, replace(M2, movement_id="m1")],
                                [M1, replace(M2, movement_id="m1")]),
    "one content a moment later": (
        [M1], [M1, replace(LATER, time=M1.time)], [M1, replace(LATER, time=M1.time)], [M1],
    ),
    "one content at another time": ([M1], [M1, LATER], [M1, LATER], [M1, LATER]),
    "as the ledger": ([M1, M1], [M1, M1], [M1, M1], [M1, M1]),
    "more than the ledger": ([M1], [M1, M2], [M1, M2], [M1, M2]),
}  # fmt: skip
"""Movements of the ledger, of the exchange, those without contradictions, and without doubtful."""


@pytest.mark.parametrize("name", MOVEMENTS)
def test_movements_that_repeat_another(name: str) -> None:
    """An id of one content counts once; equal content within seconds is doubtful."""
    ledger, listed, right, certain = MOVEMENTS[name]
    inner = replace(books(), movements=None if ledger is None else tuple(ledger))
    prover = prover_of(recorded(inner, books(*map(replace, listed))))
    side = LedgerSide.EXTERNAL
    problem = problem_of(prover.recorded, prover.dimensions, side, side, rows_right=False)
    assert problem is not None
    own = OwnContradictions(problem, inner)
    assert list(own.right().movements or ()) == list(right)
    assert list(own.without_doubtful().movements or ()) == list(certain)
    assert (own.right() is problem.record) is (list(right) == list(listed))
