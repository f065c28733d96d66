"""A state that is behind: stale, or of an hour before the time that it says."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from recon_core.explain import explain
from recon_core.explain.causes.stale import (
    FAMILY,
    _by_position,
    _has_earlier_as_of,
    _is_as_reported,
    by_another_clock,
    is_added_span,
    last_shown,
    of_missing_end,
    stale,
)
from recon_core.explain.problem.hypotheses import Hypothesis
from recon_core.explain.problem.patches import Patch
from recon_core.explain.problem.problem import Problem
from recon_core.ledger.bookings import signed_quantity
from recon_core.model import (
    Fill,
    Instrument,
    InstrumentKind,
    LedgerSide,
    Movement,
    Order,
    OrderSide,
    SideRecord,
)
from recon_core.model.explanation import CauseKind, ExplanationVerdict
from recon_core.values.amounts import exact_sum
from recon_core.values.times import format_time
from tests.core.builders import SPOT, at, fill, order, recorded, side
from tests.explain.problems import problems_of, prover_of
from tests.explain.real_sessions import books, linear, moved, session, silent
from tests.explain.spot_ledgers import ROWS, again, exchange, ledger_of, state, trade


def fills(*seconds: int) -> list[Fill]:
    """Purchases of different sizes at these times."""
    return [
        fill(f"f{number}", "BUY", f"{number + 1}.25", f"{100 + number}", f"0.{number + 1} EUR",
             time=at(time), client_order_id=f"o{number}")
        for number, time in enumerate(seconds)
    ]  # fmt: skip


HOUR, DAY = -3600, -86400
EDGES = {
    "an hour": (HOUR - 100, HOUR + 1, "as_of_shift", "of one hour before its as_of"),
    "the last at the hour": (HOUR, HOUR + 1, "as_of_shift", "of one hour before its as_of"),
    "the first at the hour": (HOUR - 1, HOUR, "stale_side", "the last that is has the time"),
    "more than an hour": (HOUR - 2, HOUR - 1, "stale_side", "the last that is has the time"),
    "less than an hour": (HOUR + 1, HOUR + 2, "stale_side", "the last that is has the time"),
}
"""Times of the last fill that the exchange knows and of the first that it does not."""


@pytest.mark.parametrize("name", EDGES)
def test_an_hour_is_an_hour(name: str) -> None:
    """A fill of the very second belongs to the state of that second."""
    last, first, kind, words = EDGES[name]
    rows = fills(-8000, -7000, last, first, -2000, -1000)
    (one,) = explain(session(books(*rows), silent(books(*rows[:3]))))
    assert one.verdict is ExplanationVerdict.UNIQUE, one.text
    (cause,) = one.causes
    assert (str(cause.cause_kind), cause.ids) == (kind, ("f3", "f4", "f5")), one.text
    assert cause.side is LedgerSide.EXTERNAL
    assert words in one.text


NO_SKEW = timedelta()


def problem_of(
    internal: SideRecord, external: SideRecord, *, rows_right: bool = True, **more: Any
) -> Problem:
    """The rows of the ledger are right, or wrong, and the exchange states something else."""
    known = recorded(internal, external, instruments={SPOT.symbol: SPOT}, **more)
    return next(one for one in problems_of(prover_of(known)) if one.rows_right is rows_right)


def behind(unseen: int, as_of: float = 0, later: float = 0) -> Problem:
    """An exchange that lacks the last fills of the ledger; the times of both states."""
    outer = replace(exchange(ROWS[: len(ROWS) - unseen]), as_of=at(as_of))
    return problem_of(replace(ledger_of(ROWS), as_of=at(later)), outer)


@pytest.mark.parametrize(
    ("unseen", "as_of", "later", "found"),
    [
        (2, 0, 0, ["f5 f6"]), (5, 0, 0, ["f2 f3 f4 f5 f6"]), (6, 0, 0, ["f1 f2 f3 f4 f5 f6"]),
        (1, 0, 0, []),
        (1, -401, 0, ["f6"]), (1, -400, 0, []), (1, -401, -400, ["f6"]), (1, -500, -401, []),
    ],
)  # fmt: skip
def test_the_last_rows_are_missing(
    unseen: int, as_of: float, later: float, found: list[str]
) -> None:
    """A single one only of a state before it, beside a state of its time or later."""
    problem = behind(unseen, as_of, later)
    found_ones = [" ".join(row.fill_id for row in one.rows if isinstance(row, Fill))
                  for one in stale(problem, NO_SKEW)]  # fmt: skip
    assert found_ones == found
    assert _has_earlier_as_of(problem, ROWS[-1].time) is (as_of < -400 <= later)
    assert not list(stale(replace(problem, rows_right=False), NO_SKEW))


def test_rows_of_one_time_are_missing_together() -> None:
    """A state is not of the middle of a second."""
    same = [*ROWS[:4], replace(ROWS[4], time=ROWS[5].time), ROWS[5]]
    whole = problem_of(ledger_of(same), exchange(same[:4]))
    in_part = problem_of(ledger_of([*same[:3], replace(same[3], time=same[5].time), *same[4:]]),
                         exchange(same[:4]))  # fmt: skip
    assert [len(one.rows) for one in stale(whole, NO_SKEW)] == [2]
    assert not list(stale(in_part, NO_SKEW))


def test_rows_charged_in_what_they_buy() -> None:
    """A position is held less its fees."""
    rows = [replace(row, fee=row.quantity / 1000, fee_currency="BTC") for row in ROWS]
    problem = problem_of(ledger_of(rows), exchange(rows[:4]))
    assert [len(one.rows) for one in stale(problem, NO_SKEW)] == [2]


PERP = linear("BTC-PERP", "EUR")
CONTRACTS: dict[str, tuple[str, str, int, Sequence[int]]] = {
    "two of four": ("1 2 3 4", "-4 -3 -2 -1", 2, [2]),
    "all of them": ("1 2 3 4", "-4 -3 -2 -1", 0, [4]),
    "all of one time": ("1 2 3 4", "0 0 0 0", 0, [4]),
    "a part of one time": ("1 2 3 4", "0 0 0 0", 1, []),
    "a part of a later time": ("1 2 3 4", "-4 -3 -3 -1", 2, []),
    "a part of the first time": ("1 2 3 4", "-4 -4 -2 -1", 1, []),
    "one state at two times": ("1 1 -1 1 1", "-5 -4 -3 -2 -1", 1, [4, 2]),
    "one state at a time and within another": ("1 1 -1 1 1", "-5 -4 -3 -3 -1", 1, [4]),
}
"""Quantities and times of fills, how many of them the exchange knows, and how many it may lack."""


@pytest.mark.parametrize("name", CONTRACTS)
def test_the_last_fills_of_a_contract_are_missing(name: str) -> None:
    """Found by one replay, whole times only."""
    quantities, times, seen, found = CONTRACTS[name]
    rows = [
        replace(fill(f"f{at_}", "SELL" if quantity[0] == "-" else "BUY", quantity.lstrip("-"),
                     "100", time=at(int(time))), symbol=PERP.symbol)
        for at_, (quantity, time) in enumerate(
            zip(quantities.split(), times.split(), strict=True))
    ]  # fmt: skip
    outer = silent(books(*rows[:seen]), PERP)
    known = recorded(books(*rows), outer, instruments={PERP.symbol: PERP})
    problem = next(one for one in problems_of(prover_of(known)) if one.rows_right)
    assert [len(one.rows) for one in stale(problem, NO_SKEW)] == found


ETH = Instrument("ETH/EUR", InstrumentKind.SPOT, "ETH", "EUR", "EUR")
BY_POSITION: dict[str, tuple[Sequence[Fill | Movement], Sequence[Fill], str, list[int] | None]] = {
    "two are missing": (ROWS, ROWS[:4], "BTC/EUR", [2]),
    "one after the other": ([*ROWS, again("f6", "f7", -100)], ROWS[:5], "BTC/EUR", [2, 5]),
    "beside a movement": ([*ROWS, moved("m", "interest", "5 EUR", -650)], ROWS[:4], "BTC/EUR",
                          None),
    "of two symbols": ([*ROWS, replace(ROWS[5], symbol="ETH/EUR")], ROWS[:4], "BTC/EUR", None),
    "of no stated position": (ROWS, ROWS[:4], "", None),
    "without fills": ([moved("m", "interest", "5 EUR", -650)], [], "BTC/EUR", None),
}  # fmt: skip
"""Rows of the ledger, fills that the exchange knows, the symbol that it states, and how many of
the last fills its position lacks, `None` if it does not say."""


@pytest.mark.parametrize("name", BY_POSITION)
def test_the_position_says_how_many_are_missing(name: str) -> None:
    """One position, listed by both sides, and nothing but fills."""
    rows, seen, symbol, expected = BY_POSITION[name]
    total = str(exact_sum(map(signed_quantity, seen)))
    outer = side({symbol: total} if symbol else None, {"EUR": "1"})
    known = recorded(books(*rows), outer, instruments={one.symbol: one for one in (SPOT, ETH)})
    problem = next(one for one in problems_of(prover_of(known)) if one.rows_right)
    assert _by_position(problem) == expected
    dusty = replace(problem.dimensions, dust=Decimal("0.001"))
    changes: tuple[dict[str, Any], ...] = ({"dimensions": dusty}, {"instruments": {}})
    for change in changes:
        postings = replace(problem.postings, **change)
        assert _by_position(replace(problem, postings=postings)) is None


@pytest.mark.parametrize(("paid", "count"), [(-300, 3), (-450, 3), (-650, 2)])
def test_movements_are_missing_too(paid: float, count: int) -> None:
    """All rows from a time on: fills and movements."""
    rows: list[Fill | Movement] = [*ROWS, moved("m", "interest", "5 EUR", paid)]
    until = [row for row in rows if row.time < ROWS[4].time]
    problem = problem_of(ledger_of(rows), exchange(until))
    assert [len(one.rows) for one in stale(problem, NO_SKEW)] == [count]


@pytest.mark.parametrize(
    ("skew", "later", "hours", "words"),
    [
        (0, 0, 1, "one hour"), (0, 0, 24, "one day"), (0, 0, 2, ""), (0, 1, 1, ""),
        (1, 1, 1, "one hour"), (1, -1, 1, "one hour"), (1, -2, 1, ""),
    ],
)  # fmt: skip
def test_a_state_of_another_time(skew: int, later: int, hours: int, words: str) -> None:
    """An hour or a day before its `as_of`, which is that of the other side, but for the skew."""
    cut = timedelta(hours=hours)
    rows = [replace(row, time=row.time - cut) for row in ROWS]
    rows = [*rows[:4], *(replace(row, time=row.time + timedelta(minutes=20)) for row in rows[4:])]
    outer = exchange(rows[:4])
    problem = problem_of(replace(ledger_of(rows), as_of=at(later)), outer)
    (one,) = stale(problem, timedelta(seconds=skew))
    assert (f"its state is of {words} before its as_of" in one.detail) is bool(words)
    assert str(one.cause_kind) == ("as_of_shift" if words else "stale_side")


REPORTS = [order(row.order_id, str(row.quantity), str(row.quantity), side=row.side) for row in ROWS]


@pytest.mark.parametrize(
    ("reports", "expected"),
    [
        (REPORTS, True), (REPORTS[:4], True), (REPORTS[:5], True), (REPORTS[3:], True), ([], True),
        ([*REPORTS[:5], order("o-f6", "1", "0", "ACKNOWLEDGED")], False),
        ([*REPORTS[:4], order("o-f5", "1", "0", "ACKNOWLEDGED", side=ROWS[4].side),
          order("o-f6", "1", "0", "ACKNOWLEDGED")], True),
        ([*REPORTS[:5], order("o-f6", "3", "2", "ACKNOWLEDGED")], False),
        ([*REPORTS, order("other", "7", "7")], True),
        ([order("o-f1", "5", "5")], False),
    ],
)  # fmt: skip
def test_reports_of_the_time_of_a_state(reports: Sequence[Order], *, expected: bool) -> None:
    """All are of the state's time, or all of the time of the rows; of other orders none counts."""
    outer = replace(exchange(ROWS[:4]), orders=tuple(reports))
    problem = problem_of(ledger_of(ROWS), outer)
    assert _is_as_reported(problem, ROWS[4:]) is expected
    wrong_ones = (order("o-f1", "5", "5"),)
    own = problem_of(replace(ledger_of(ROWS), orders=wrong_ones), exchange(ROWS[:4]))
    wrong = replace(own, side=LedgerSide.INTERNAL)
    assert _is_as_reported(wrong, [ROWS[0], *ROWS[4:]])


def test_fills_that_are_missing_at_the_end() -> None:
    """Two that are later than all others; one beside a state before it; none in between."""
    problem = behind(2)
    short = replace(problem, record=replace(problem.record, fills=tuple(ROWS[:4])))
    found = of_missing_end(short, ROWS[4:], NO_SKEW)
    assert found is not None
    assert found.patch.added == tuple(ROWS[4:])
    assert "f4" not in found.detail
    assert of_missing_end(short, ROWS[5:], NO_SKEW) is None
    assert of_missing_end(short, [ROWS[2], ROWS[5]], NO_SKEW) is None
    same = [replace(row, time=ROWS[3].time) for row in ROWS[4:]]
    assert of_missing_end(short, same, NO_SKEW) is None
    earlier = replace(short, recorded=behind(2, -401).recorded)
    assert of_missing_end(earlier, ROWS[5:], NO_SKEW) is not None
    empty = replace(problem, record=replace(problem.record, fills=()))
    assert of_missing_end(empty, ROWS[4:], NO_SKEW) is not None


def test_the_last_that_an_exchange_shows() -> None:
    """A row, a report, a snapshot; nothing that both sides have from one source."""
    outer = side({"BTC/EUR": "1"})
    shown: dict[str, Any] = {
        "fills": (replace(ROWS[0], time=at(-30)),),
        "movements": (moved("m", "interest", "5 EUR", -20),),
        "orders": (replace(REPORTS[0], time=at(-10)),),
        "snapshots": (state(ROWS[:1], -5),),
    }
    times = {"fills": -30, "movements": -20, "orders": -10, "snapshots": -5}
    assert last_shown(recorded(side(), None)) is None
    assert last_shown(recorded(side(), outer)) is None
    for name, rows in shown.items():
        assert last_shown(recorded(side(), replace(outer, **{name: rows}))) == at(times[name])
    every = replace(outer, **shown)
    for name in ("fills", "movements", "orders"):
        one = replace(side(), **{name: shown[name]})
        assert last_shown(recorded(one, replace(outer, **{name: shown[name]}))) is None
    assert last_shown(recorded(side(), every)) == at(-5)
    assert last_shown(recorded(side(), replace(every, snapshots=None))) == at(-10)


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        ([60] * 6, "+1 h"), ([-60] * 6, "-1 h"), ([15] * 6, "+0.25 h"), ([330] * 6, "+5.5 h"),
        ([-45] * 6, "-0.75 h"), ([10] * 6, ""), ([60] * 4, ""), ([60] * 5 + [75], ""),
        ([0] * 6, ""),
    ],
)  # fmt: skip
def test_times_in_another_zone(minutes: list[int], words: str) -> None:
    """All are off by one span of whole quarters of an hour, and most rows are on both sides."""
    given = [
        replace(row, time=row.time + timedelta(minutes=off))
        for row, off in zip(ROWS, minutes, strict=False)
    ]
    problem = problem_of(ledger_of(ROWS), exchange(ROWS[:5]), rows_right=False)
    found = by_another_clock(problem, zip(given, ROWS, strict=False), len(ROWS))
    assert (found and found.detail) == (f"all times are off by {words}" if words else None)


def test_fills_that_are_added_from_a_time_on() -> None:
    """They are missing from the end of a side; a side that is behind adds none of its own."""
    added, removed = Patch((), tuple(ROWS[4:])), Patch(tuple(ROWS[4:]))
    stale_side, lost = CauseKind.STALE_SIDE, CauseKind.MISSING_FILL
    for kind, patch, expected in (
        (stale_side, added, True), (CauseKind.AS_OF_SHIFT, added, True),
        (stale_side, removed, False), (stale_side, Patch(), False), (lost, added, False),
        (stale_side, Patch(tuple(ROWS[:1]), tuple(ROWS[4:])), False),
    ):  # fmt: skip
        assert is_added_span(Hypothesis(kind, patch, ())) is expected


def test_a_fill_of_a_closed_order_is_seen() -> None:
    """Unless both sides have their reports from one source: those show nothing."""
    closed = (*tuple(REPORTS[:5]), order("o-f6", "1", "0", "CANCELLED"))
    cut = replace(exchange(ROWS[:5]), orders=tuple(replace(one, time=at(-450)) for one in closed))
    ledger = ledger_of(ROWS)
    orphan = Hypothesis(CauseKind.ORPHAN_FILL, Patch(tuple(ROWS[5:])), tuple(ROWS[5:]))
    for inner, count in ((ledger, 0), (replace(ledger, orders=cut.orders), 1)):
        problem = problem_of(inner, cut, rows_right=False)
        rivals = list(FAMILY.rivals(problem, [orphan], NO_SKEW))
        assert len(rivals) == count
        assert all(rival.is_timed for rival in rivals)


BUYS = [trade(f"g{number}", "BUY", "1", "100", number * 10 - 300) for number in range(3)]
SOLD = replace(BUYS[1], side=OrderSide.SELL, fee=-BUYS[1].fee)
PAID = moved("m1", "interest", "5 EUR", -250)
FALSE: dict[str, tuple[Sequence[Fill | Movement], Sequence[Fill | Movement], str, int]] = {
    "an orphan": (ROWS, [BUYS[0], SOLD, BUYS[2]], "orphan_fill", -300),
    "a copy near in time": (ROWS, [BUYS[0], SOLD, replace(BUYS[0], fill_id="x", time=at(-296))],
                            "duplicate_fill", -300),
    "one row alone": (ROWS, [BUYS[0]], "", 0),
    "rows that move more": (ROWS, BUYS, "", 0),
    "a movement": (ROWS, [PAID, BUYS[0], SOLD], "foreign_activity", -300),
    "a movement that is listed twice": (
        [*ROWS, replace(PAID, movement_id="m0", time=at(-350))], [PAID, BUYS[0], SOLD],
        "duplicate_movement", -300,
    ),
}  # fmt: skip
"""Rows that the exchange knows and does not know, the kind of the one that is false instead of the
others, and the time from which on they are unseen."""


@pytest.mark.parametrize("name", FALSE)
def test_one_false_row_moves_as_much_as_all_that_are_unseen(name: str) -> None:
    """The first of them is named; of a single row, or rows that move more, none."""
    seen, unseen, kind, since = FALSE[name]
    problem = problem_of(ledger_of([*seen, *unseen]), exchange(seen))
    removed = Patch(
        tuple(row for row in unseen if isinstance(row, Fill)), (),
        tuple(row for row in unseen if isinstance(row, Movement)),
    )  # fmt: skip
    behind_ = Hypothesis(CauseKind.STALE_SIDE, removed, tuple(unseen))
    rivals = list(FAMILY.rivals(problem, [behind_], NO_SKEW))
    assert [str(one.hypothesis.cause_kind) for one in rivals] == ([kind] if kind else [])
    for one in rivals:
        assert one.hypothesis.rows == (unseen[0],)
        assert format_time(at(since)) in one.decides
