"""Differences at snapshots: where a fault may begin, and which postings account for them."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

import pytest

from recon_core.explain.problem.hypotheses import MISSING_ID, Hypothesis
from recon_core.explain.problem.patches import Patch
from recon_core.explain.problem.snapshots import (
    Between,
    Divergence,
    TimedPosting,
    divergence_of,
)
from recon_core.explain.proof.snapshot_evidence import _time_in
from recon_core.model import LedgerSide
from recon_core.model.explanation import CauseKind
from tests.core.builders import SPOT, at, fill, recorded
from tests.explain.problems import problem_requiring, prover_of
from tests.explain.spot_ledgers import ROWS, exchange, ledger_of

EUR, BTC = "cash::EUR", "position::BTC"
AGREE = "the sides agree"
Amounts = Mapping[str, str]


def vector(amounts: Amounts) -> dict[str, Decimal]:
    return {name: Decimal(text) for name, text in amounts.items()}


def states(texts: str) -> tuple[Between, ...]:
    """A state a second: the EUR that differ, `?` where cash is unknown, `!` where positions are."""
    found = []
    for second, text in enumerate(texts.split()):
        amount = text.rstrip("?!")
        required = vector({EUR: amount}) if amount not in {"", "0"} else {}
        found.append(Between(at(second), required, "!" not in text, "?" not in text))
    return tuple(found)


def divergence(texts: str, *differing: str, dust: str = "0") -> Divergence:
    return Divergence(
        states(texts), frozenset({EUR, BTC}), frozenset(differing or (EUR,)), Decimal(dust)
    )


def second(given: object) -> int | None:
    """The second of a time, `None` for none."""
    return None if given is None else next(n for n in range(-1, 20) if at(n) == given)


TEXTS: dict[str, tuple[str, int | None, int | None, list[int]]] = {
    "no evidence": ("", None, None, [-1, 0, 1, 2, 3, 4]),
    "always equal": ("0 0 0", 2, None, [3, 4]),
    "from the second on": ("0 5 5", 0, 1, [1]),
    "always": ("5 5 5", None, 0, [-1, 0]),
    "again": ("5 0 5 5", 1, 2, [2]),
    "unknown between": ("0 0? 5", 0, 2, [1, 2]),
    "unknown, and different before": ("5 0? 7", None, 0, [-1, 0]),
    "positions unknown": ("0 0! 5", 1, 2, [2]),
}
"""States by second; the last that is equal, the first that differs, seconds of a fault."""


@pytest.mark.parametrize("name", TEXTS)
def test_where_a_difference_begins(name: str) -> None:
    """After the last time at which all that differs is known and equal."""
    texts, last, first, seconds = TEXTS[name]
    found = divergence(texts)
    assert second(found.last_equal) == last
    assert second(found.differs and found.differs.time) == first
    assert [n for n in range(-1, 5) if found.may_begin(at(n))] == seconds
    assert bool(found) is bool(texts)


@pytest.mark.parametrize(
    ("texts", "kept", "is_past"),
    [
        ("5 0 0", "0 0", True), ("5 0 7", "0 7", True), ("5 0 5", "5 0 5", False),
        ("0 5 7", "0 5 7", False), ("0 0", "0 0", False), ("5 6 0 0", "0 0", True),
        ("0 5 0 7", "0 0 7", True), ("5 5", "5 5", False), ("5 0? 0", "0? 0", True),
    ],
)  # fmt: skip
def test_differences_that_disappear(texts: str, kept: str, *, is_past: bool) -> None:
    """They are left out, unless one of them comes again."""
    found = divergence(texts).without_past()
    assert [one.required for one in found.states] == [one.required for one in states(kept)]
    assert found.had_difference is is_past


def posted(amount: str, seconds: int | None, unknown: frozenset[str] = frozenset()) -> TimedPosting:
    """An amount of EUR at a time, `None` for the opening."""
    return TimedPosting(None if seconds is None else at(seconds), vector({EUR: amount}), unknown)


MATCHES: dict[str, tuple[str, list[TimedPosting], bool]] = {
    "at its time": ("0 5 5", [posted("5", 1)], True),
    "before it": ("0 5 5", [posted("5", 0)], False),
    "after it": ("0 5 5", [posted("5", 2)], False),
    "later than all": ("0 0 0", [posted("5", 3)], True),
    "of another amount": ("0 5 5", [posted("4", 1)], False),
    "in two parts": ("0 2 5", [posted("3", 2), posted("2", 1)], True),
    "in two parts at once": ("0 5 5", [posted("3", 1), posted("2", 1)], True),
    "of the opening": ("5 5 5", [posted("5", None)], True),
    "of the opening, known too late": ("0 5 5", [posted("5", None)], False),
    "where cash is unknown": ("0 0? 5", [posted("5", 1)], True),
    "of unknown amount": ("0 5 7", [posted("1", 1, frozenset({EUR}))], True),
    "of unknown amount from later on": ("0 5 7", [posted("1", 2, frozenset({EUR}))], False),
    "nothing": ("0 0", [], True),
    "nothing, and a difference": ("0 5", [], False),
    "no evidence": ("", [posted("5", 1)], True),
}
"""States, postings, and if these are the difference at every state."""


@pytest.mark.parametrize("name", MATCHES)
def test_postings_that_are_the_difference(name: str) -> None:
    """At every snapshot from their time on, in all that is known there."""
    texts, postings, expected = MATCHES[name]
    found = divergence(texts)
    assert found.matches(postings) is expected
    left = found.after(postings)
    has_unknown = any(one.unknown for one in postings)
    assert has_unknown or all(not one.required for one in left.states) is expected


@pytest.mark.parametrize(("amount", "expected"), [("5.1", True), ("5.11", False), ("4.9", True)])
def test_dust_is_no_difference(amount: str, *, expected: bool) -> None:
    """Up to its very amount."""
    assert divergence("0 5", dust="0.1").matches([posted(amount, 1)]) is expected


def test_amounts_that_are_not_compared() -> None:
    """Neither side says anything of them."""
    one = TimedPosting(at(0), vector({"cash::USD": "3"}))
    assert divergence("0 0").matches([one])
    assert not divergence("0 0").matches([replace(one, amounts=vector({BTC: "3"}))])
    assert divergence("0! 0!").matches([replace(one, amounts=vector({BTC: "3"}))])


@pytest.mark.parametrize(
    ("texts", "operations"),
    [("", 0), ("0", 1), ("0 0 0", 1), ("0 5 5", 2), ("0 5 0", 3), ("0 0? 0?", 2), ("0 0!", 2)],
)
def test_the_cost_of_a_look(texts: str, operations: int) -> None:
    """One for the first state, and one for each change of a difference or of what is known."""
    assert divergence(texts).operations == operations


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        ("", ""),
        ("0 5", f"{AGREE} until 2026-01-01T12:00:00Z and differ from 2026-01-01T12:00:01Z on"),
        ("0 0", "the sides agree until 2026-01-01T12:00:01Z"),
        ("5 5", "the sides differ from 2026-01-01T12:00:00Z on"),
        ("5 0", "the sides agree again at 2026-01-01T12:00:01Z"),
    ],
)  # fmt: skip
def test_the_words_of_times(texts: str, words: str) -> None:
    """Since when the sides differ, as far as snapshots say."""
    assert divergence(texts).without_past().text == words


def test_snapshots_in_another_order() -> None:
    """They are compared by time, whatever the order of a list; later than the state is none."""
    outer = exchange(ROWS[1:], (-850, -650, -450))
    assert outer.snapshots is not None
    late = replace(outer.snapshots[0], as_of=at(1))
    mixed = replace(outer, snapshots=(late, *reversed(outer.snapshots)))
    found = []
    for one in (outer, mixed):
        prover = prover_of(recorded(ledger_of(ROWS), one, instruments={SPOT.symbol: SPOT}))
        inner = prover.recorded.internal
        assert inner is not None
        found.append(divergence_of(prover.recorded, prover.dimensions, inner,
                                   LedgerSide.INTERNAL, {}, rows_right=False))  # fmt: skip
    assert [state.time for state in found[0].states] == [at(-850), at(-650), at(-450)]
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("texts", "given", "expected"),
    [
        ("0 5 5", 3, 1), ("5 5 5", 3, 0), ("0 0 0", 3, 3), ("0 0 0", 2, 0), ("", 3, 3),
        ("0? 0? 0?", 2, 2),
    ],
)  # fmt: skip
def test_the_time_of_a_fill_that_no_row_states(texts: str, given: int, expected: int) -> None:
    """That of the first difference; without one its own, or the end if all agreed after it."""
    row = fill(MISSING_ID, "BUY", "1", "100", time=at(given))
    hypothesis = Hypothesis(CauseKind.MISSING_FILL, Patch(added=(row,)), (row,))
    problem = problem_requiring([fill("f", "BUY", "1", "100", time=at(-60))], {"EUR": "1"})
    assert _time_in(problem, divergence(texts), hypothesis) == at(expected)
