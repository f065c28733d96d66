"""Rows that hypotheses remove at one end of the ledger: which of them, and what is left."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from recon_core.explain.causes.removed_rows import patch_of_removed, removed_at_end
from recon_core.explain.problem.hypotheses import Facts, Hypothesis, Row, Strength
from recon_core.explain.problem.patches import Patch
from recon_core.explain.problem.problem import Problem
from recon_core.model import LedgerSide, Movement
from recon_core.model.explanation import CauseKind
from tests.core.builders import SPOT, at, recorded
from tests.explain.problems import problems_of, prover_of
from tests.explain.real_sessions import moved
from tests.explain.spot_ledgers import ROWS, exchange, ledger_of

F1, F2, F3, F4, F5, F6 = ROWS
PAID = moved("m", "interest", "5 EUR", -300)
LIKE_F6 = replace(F6, fill_id="f0", time=at(-950))
MARKETS = {SPOT.symbol: SPOT, "LTC/EUR": replace(SPOT, symbol="LTC/EUR", base="LTC")}
SAME_TIME = replace(F5, fill_id="f7", quantity=F5.quantity * 2, time=F6.time)


def removal(
    *rows: Row, kind: CauseKind = CauseKind.ORPHAN_FILL, side: LedgerSide | None = None
) -> Hypothesis:
    """The rows are false."""
    return Hypothesis(kind, patch_of_removed(rows), tuple(rows), Strength.SHOWN, side=side)


def problem_of(rows: Sequence[Row], *, rows_right: bool = False) -> Problem:
    """The ledger lists these rows, and the exchange states something else."""
    known = recorded(ledger_of(rows), exchange(ROWS[1:]), instruments=MARKETS)
    return next(one for one in problems_of(prover_of(known)) if one.rows_right is rows_right)


ENDS: dict[str, tuple[Sequence[Row], Sequence[Hypothesis], bool, Mapping[int, str], str]] = {
    "the newest": (ROWS, [removal(F6)], False, {0: ""}, "f6"),
    "an older one": (ROWS, [removal(F5)], False, {}, ""),
    "the newest and an older one": (ROWS, [removal(F2), removal(F6)], False, {1: ""}, "f6"),
    "two": (ROWS, [removal(F5), removal(F6)], False, {0: "", 1: ""}, "f6 f5"),
    "two of one hypothesis": (ROWS, [removal(F5, F6)], False, {0: ""}, "f6 f5"),
    "one of two of a hypothesis": (ROWS, [removal(F4, F6)], False, {}, ""),
    "the same, in part": (ROWS, [removal(F4, F6)], True, {0: "f4"}, "f6"),
    "the newer of two is whole": (
        ROWS, [removal(F6), removal(F3, F5)], False, {0: ""}, "f6",
    ),
    "an equal older one": ([LIKE_F6, *ROWS], [removal(LIKE_F6)], False, {0: ""}, "f6"),
    "all of one time": (
        [*ROWS, SAME_TIME], [removal(F6), removal(SAME_TIME)], False, {0: "", 1: ""}, "f7 f6",
    ),
    "one of two of one time": (
        [*ROWS, SAME_TIME], [removal(F6), removal(F5)], False, {0: ""}, "f6",
    ),
    "a movement alone": ([*ROWS, PAID], [removal(PAID)], False, {0: ""}, "m"),
    "a movement and a fill": (
        [*ROWS, PAID], [removal(PAID), removal(F6)], False, {0: "", 1: ""}, "m f6",
    ),
    "of another side": (ROWS, [removal(F6, side=LedgerSide.EXTERNAL)], False, {}, ""),
    "a change": (ROWS, [Hypothesis(CauseKind.WRONG_PRICE, Patch((F6,), (F5,)), (F6,))], False,
                 {}, ""),
    "an addition": (ROWS, [Hypothesis(CauseKind.MISSING_FILL, Patch((), (F6,)), (F6,))], False,
                    {}, ""),
    "in parts": (ROWS, [replace(removal(F6), facts=Facts(in_parts=True))], False, {}, ""),
    "a copy with another id": (
        [*ROWS, replace(F6, fill_id="g", time=at(-399))],
        [removal(F6, kind=CauseKind.DUPLICATE_FILL)], False, {0: ""}, "g",
    ),
    "a copy with another id, and its own in another market": (
        [*ROWS, replace(F6, fill_id="g", time=at(-399)),
         replace(F1, fill_id="f6", symbol="LTC/EUR", time=at(-950))],
        [removal(F6, kind=CauseKind.DUPLICATE_FILL)], False, {0: ""}, "g",
    ),
    "a copy with its id": (
        [*ROWS, replace(F6, time=at(-399))],
        [removal(F6, kind=CauseKind.DUPLICATE_FILL)], False, {}, "",
    ),
    "an orphan with the id of another": (
        [*ROWS, replace(F1, fill_id="f6", time=at(-950))], [removal(F6)], False, {0: ""}, "f6",
    ),
}  # fmt: skip
"""Rows of the ledger, hypotheses, in part or not, rows left by place, and the first rows."""


def names(rows: Sequence[Row]) -> str:
    return " ".join(row.movement_id if isinstance(row, Movement) else row.fill_id for row in rows)


@pytest.mark.parametrize("name", ENDS)
def test_rows_removed_at_the_newest_end(name: str) -> None:
    """Down to the first time of which a row is not removed; a fill is among them."""
    rows, hypotheses, in_part, left, first = ENDS[name]
    problem = problem_of(rows)
    newest = list(reversed(problem.timeline))
    found = removed_at_end(problem, hypotheses, newest, in_part=in_part)
    assert ({at_: names(one) for at_, one in found[0].items()}, names(found[1])) == (left, first)


def test_a_ledger_that_is_right_removes_nothing() -> None:
    """The rows are evidence then, and of the exchange they are not the ledger's."""
    right = problem_of(ROWS, rows_right=True)
    outer = replace(problem_of(ROWS), side=LedgerSide.EXTERNAL)
    for problem in (right, outer):
        assert removed_at_end(problem, [removal(F6)], list(reversed(ROWS))) == ({}, ())
