"""The conclusions that experienced people drew from situations that users reported."""

from decimal import Decimal

import pytest

from recon_core.explain import explain
from recon_core.model.explanation import Cause, Explanation
from tests.core.real_rows import CASES
from tests.explain.real_fill_sessions import FILL_ROWS
from tests.explain.real_sessions import Caused, Told, told_by_both
from tests.explain.real_state_sessions import STATE_ROWS

ROWS = [*FILL_ROWS, *STATE_ROWS]


def booked(cause: Cause) -> dict[str, Decimal]:
    """The effect of a cause by the names of its comparisons."""
    found = {f"position::{key}": amount for key, amount in cause.effect.position.items()}
    return found | {f"cash::{key}": amount for key, amount in cause.effect.cash.items()}


def check_cause(cause: Cause, expected: Caused, side: str | None) -> None:
    """A cause is of the kind, the ids and the amounts of the table."""
    stated = (expected.kind, expected.side or side, expected.ids)
    assert (cause.cause_kind, cause.side, cause.ids) == stated
    amounts = {name: Decimal(text) for name, text in (expected.effect or {}).items()}
    assert booked(cause) == amounts


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_what_is_said(row: Told) -> None:
    """Verdict, kinds, side, ids and amounts are the row's, and the text says the conclusion."""
    found = explain(row.build())
    assert {one.verdict for one in found} == {row.verdict}
    causes = [cause for one in found for cause in one.causes]
    assert [cause.cause_kind for cause in causes] == [expected.kind for expected in row.causes]
    for cause, expected in zip(causes, row.causes, strict=True):
        check_cause(cause, expected, row.side)
    assert row.phrase in found[0].text
    assert row.decides in found[0].decides


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_what_would_decide(row: Told) -> None:
    """What is proven needs nothing more and is repaired; anything else names what would decide."""
    for one in explain(row.build()):
        assert bool(one.decides) == (row.verdict != "unique")
        assert bool(one.repair) <= (row.verdict == "unique")


def rows_of_the_table() -> set[str]:
    """The numbers of the rows that a conclusion is tested for."""
    return {row.name.split()[0] for row in ROWS}


def test_how_many_rows() -> None:
    """Far more than the 25 that were asked for, and of them the larger part without any doubt."""
    proven = {row.name.split()[0] for row in ROWS if row.verdict == "unique"}
    assert len(rows_of_the_table()) >= 45
    assert len(proven) >= 35


@pytest.mark.parametrize("number", ["88", "96", "97"])
def test_nothing_to_explain(number: str) -> None:
    """Where no amount differs, and orders alone do, nothing is claimed."""
    assert number in {case.name.split()[0] for case in CASES}
    found: tuple[Explanation, ...] = explain(told_by_both(int(number)))
    assert found == ()
