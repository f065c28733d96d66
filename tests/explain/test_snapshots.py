"""Explanations by snapshots: since when the sides differ narrows what went wrong."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from functools import partial

import pytest
from hypothesis import assume, event, given
from hypothesis import strategies as st

from recon_core.engine.reconciliation import Reconciliation
from recon_core.explain import entries_of, explain
from recon_core.explain.problem.dimensions import dimensions_of
from recon_core.explain.problem.problem import Problem
from recon_core.explain.problem.problems import problem_of
from recon_core.ledger.replay import replay
from recon_core.model import (
    CashBalance,
    Fill,
    LedgerSide,
    OrderSide,
    SideRecord,
    Snapshot,
)
from recon_core.model.explanation import Explanation
from tests.core.builders import at, fill, reconciled, recorded, scaled, side, verdicts
from tests.explain.real_sessions import books, linear, moved, session
from tests.explain.slips import SLIPS
from tests.explain.spot_ledgers import (
    ROWS,
    Rows,
    again,
    exchange,
    ledger_of,
    require_repaired,
    state,
    states,
    trade,
    turned,
    without,
)

CONTRADICTED = "the rows behind the snapshots that contradict it"


def told(internal: SideRecord, external: SideRecord) -> tuple[Explanation, ...]:
    """What is said of a session."""
    return explain(session(internal, external))


def ids(one: Explanation) -> list[tuple[str, ...]]:
    """The ids of each cause."""
    return [cause.ids for cause in one.causes]


TIMES = (-850, -750, -650, -550, -450, -350)
"""One time after every row."""

TWINS: list[tuple[str, list[Fill], set[str], set[str], str]] = [
    (
        "two of one window",
        [*ROWS, again("f2", "x", -780)],
        {"f2", "x"},
        {"f2", "x"},
        "agree until 2026-01-01T11:45:50Z and differ from 2026-01-01T11:47:30Z on",
    ),
    (
        "one more, late",
        [*ROWS, again("f1", "x", -420)],
        {"f1", "x", "f6"},
        {"x", "f6"},
        "agree until 2026-01-01T11:52:30Z and differ from 2026-01-01T11:54:10Z on",
    ),
    (
        "the first of three without a fee",
        [replace(row, fee=Decimal(0)) if row.fill_id == "f3" else row for row in ROWS],
        {"f3"},
        {"f3"},
        "agree until 2026-01-01T11:47:30Z and differ from 2026-01-01T11:49:10Z on",
    ),
    (
        "the second of two turned",
        [*turned("f5"), trade("g", "BUY", "1", "99", -880)],
        {"f5", "g"},
        {"f5"},
        "agree until 2026-01-01T11:50:50Z and differ from 2026-01-01T11:52:30Z on",
    ),
]


@pytest.mark.parametrize(
    ("rows", "equal", "named", "since"), [row[1:] for row in TWINS], ids=[row[0] for row in TWINS]
)
@pytest.mark.parametrize("own", [(), TIMES], ids=["its own rows", "and snapshots"])
def test_twins_are_told_apart(
    rows: list[Fill], equal: set[str], named: set[str], since: str, own: Sequence[float]
) -> None:
    """Of equal rows only those in the window may have the fault."""
    right = [*ROWS, *(row for row in rows if row.fill_id == "g")]
    before, *_ = told(ledger_of(rows, own), exchange(right))
    assert set(before.causes[0].ids) == equal
    reconciliation = session(ledger_of(rows, own), exchange(right, TIMES))
    (one,) = explain(reconciliation, repair_exchange=True)
    assert one.verdict == "unique"
    assert set(one.causes[0].ids) == named
    assert ("of 2 equal" in one.text) == (len(named) > 1)
    assert one.proof.endswith(f"; the sides {since}")
    assert one.causes[0].effect == before.causes[0].effect
    require_repaired(reconciliation, one)


def test_nothing_is_said_without_snapshots() -> None:
    """Nor is anything done: there is no divergence, and it costs no operation."""
    internal, external = ledger_of([*ROWS, again("f1", "x", -420)], TIMES), exchange(ROWS)
    one, *_ = told(internal, external)
    assert one.proof == "reconciled again with 1 fill removed: 3 diffs disappear, none appears"
    divergence = problem(session(internal, external)).divergence
    assert not divergence
    assert not divergence.operations


def problem(reconciliation: Reconciliation) -> Problem:
    """The ledger's rows are searched for a fault."""
    known = reconciliation.recorded
    dimensions = dimensions_of(known, reconciliation.comparisons, reconciliation.policy.float_dust)
    inner = LedgerSide.INTERNAL
    found = problem_of(known, dimensions, inner, inner, rows_right=False)
    assert found is not None
    return found


A, B, C = (fill("a", "BUY", "1", "100", time=at(-900)), fill("b", "BUY", "2", "100", time=at(-800)),
           fill("c", "SELL", "3", "100", time=at(-700)))  # fmt: skip
PAID = moved("m", "withdrawal", "2250 EUR", -800)
RIGHT_PAID = replace(PAID, amount=Decimal(-2250))
KINDS = {
    "turned": (ledger_of([A, B, C]), partial(exchange, [replace(A, side=OrderSide.SELL), B, C]),
               "side_flipped", "the sides differ from 2026-01-01T11:45:50Z on"),
    "unknown": (ledger_of([A, B, C]), partial(exchange, [A, C]), "orphan_fill",
                "agree until 2026-01-01T11:45:50Z and differ from 2026-01-01T11:47:30Z on"),
    "opening": (ledger_of([*ROWS, PAID], opening="5000"),
                partial(exchange, [*ROWS, PAID], opening="500"), "opening_balance",
                "the sides differ from 2026-01-01T11:45:50Z on"),
    "movement": (ledger_of([*ROWS, PAID], opening="5000"),
                 partial(exchange, [*ROWS, RIGHT_PAID], opening="5000"), "wrong_movement",
                 "agree until 2026-01-01T11:45:50Z and differ from 2026-01-01T11:47:30Z on"),
}  # fmt: skip


@pytest.mark.parametrize("name", KINDS)
def test_kinds_are_told_apart(name: str) -> None:
    """Two causes that book the same at different times: the one in the window is proven."""
    internal, external, kind, since = KINDS[name]
    before = told(internal, external())
    assert {one.verdict for one in before} == {"ambiguous"}
    assert len(before) > 1
    reconciliation = session(internal, external(times=TIMES))
    (one,) = explain(reconciliation, repair_exchange=True)
    assert one.verdict == "unique"
    assert [cause.cause_kind for cause in one.causes] == [kind]
    assert one.proof.endswith(since)
    require_repaired(reconciliation, one)


MISSING: list[tuple[str, Sequence[float], str, str]] = [
    ("in between", TIMES, "after 2026-01-01T11:47:30Z, 2026-01-01T11:49:10Z at the latest",
     "2026-01-01T11:49:10Z"),
    ("before the first", TIMES[2:], "2026-01-01T11:49:10Z at the latest", "2026-01-01T11:49:10Z"),
    ("after the last", TIMES[:2], "after 2026-01-01T11:47:30Z", "2026-01-01T11:53:20Z"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("times", "when", "booked"), [row[1:] for row in MISSING], ids=[row[0] for row in MISSING]
)
def test_when_a_missing_fill_was(times: Sequence[float], when: str, booked: str) -> None:
    """No row tells it: the text gives its window, and the entry a time in it."""
    right = without("f5")  # which has the price and the side of f3
    reconciliation = session(ledger_of(without("f3", "f5"), times), exchange(right, times))
    (one,) = explain(reconciliation, repair_exchange=True)
    assert (one.verdict, one.causes[0].cause_kind) == ("unique", "missing_fill")
    assert one.text == (
        "the internal side lacks a fill: SELL 1 BTC/EUR at 99, fee 0.099 EUR; "
        f"by the snapshots it was {when}"
    )
    (entry,) = entries_of(reconciliation, one)
    assert entry.row["time"] == booked
    require_repaired(reconciliation, one)


def test_more_of_another_fill_would_be_a_missing_one() -> None:
    """A fill of the same price and side, in the same window, may be too small instead."""
    found = told(ledger_of(without("f3"), TIMES[:2]), exchange(ROWS, TIMES[:2]))
    assert {one.verdict for one in found} == {"ambiguous"}
    kinds = {(one.causes[0].cause_kind, one.causes[0].ids) for one in found}
    assert kinds == {("missing_fill", ()), ("wrong_quantity", ("f5",))}


BETWEEN = (-650,)
PAIRS: list[tuple[str, list[Fill], Sequence[float], list[tuple[str, ...]]]] = [
    ("two that are lacking", without("f2", "f5"), BETWEEN, [(), ()]),
    ("the later one found first", without("f3", "f4"), BETWEEN, [(), ()]),
    ("one lacking, one turned", [row for row in turned("f5") if row.fill_id != "f2"], BETWEEN,
     [(), ("f5",)]),
    ("one turned, one twice", [*turned("f2"), again("f4", "x", -450)], BETWEEN,
     [("f2",), ("f4", "x")]),
    ("two of many twins", [*ROWS, again("f1", "x", -720), again("f2", "y", -620)], TIMES,
     [("x",), ("y",)]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "times", "named"), [row[1:] for row in PAIRS], ids=[row[0] for row in PAIRS]
)
def test_two_faults_with_a_snapshot_between(
    rows: list[Fill], times: Sequence[float], named: list[tuple[str, ...]]
) -> None:
    """The first alone is what differs by then: each is found, and nothing else fits."""
    before = told(ledger_of(rows), exchange(ROWS))
    assert not (before[0].verdict == "unique" and ids(before[0]) == named)
    reconciliation = session(ledger_of(rows, times), exchange(ROWS, times))
    (one,) = explain(reconciliation, repair_exchange=True)
    assert one.verdict == "unique", one.text
    assert sorted(ids(one)) == sorted(named)
    require_repaired(reconciliation, one)


def test_two_faults_of_one_window() -> None:
    """No snapshot stands between them: the search for two goes on, among the rows of the window."""
    rows = [*ROWS, again("f1", "x", -420), again("f2", "y", -430)]
    (one,) = told(ledger_of(rows), exchange(ROWS, TIMES))
    assert one.verdict == "unique"
    assert sorted(ids(one)) == [("x", "f6"), ("y",)]


def test_rows_of_the_exchange_and_snapshots_of_the_ledger() -> None:
    """The other way round: the ledger states what it had in between, the exchange gives rows."""
    rows = [*ROWS, again("f1", "x", -420)]
    last = state([*ROWS])
    blind = side(last.positions, last.cash)
    (before,) = told(blind, books(*rows))
    assert (before.causes[0].cause_kind, ids(before)) == ("missing_fill", [("f1", "x", "f6")])
    (one,) = told(replace(blind, snapshots=states(ROWS, TIMES)), books(*rows))
    assert (one.verdict, ids(one)) == ("unique", [("x", "f6")])
    assert "the sides agree until 2026-01-01T11:52:30Z" in one.proof


AWAY = replace(state(ROWS, -750), cash=(CashBalance("EUR", Decimal(7)),))
PERP = linear("BTC/EUR", "EUR")


def test_derivatives_are_replayed() -> None:
    """What a fill of a contract books in cash depends on the fills before and after it."""
    rows = [*ROWS, again("f2", "x", -420)]
    known = {"instruments": {PERP.symbol: PERP}}

    def account(fills: Rows, *times: float) -> tuple[Snapshot, ...]:
        records = (books(*(row for row in fills if row.time <= at(time))) for time in times)
        ledgers = [replay(recorded(one, None, **known), one) for one in records]
        return tuple(
            Snapshot(at(time), ledger.positions, ledger.cash)
            for time, ledger in zip(times, ledgers, strict=True)
        )

    (last,) = account(ROWS, 0)
    external = side(last.positions, last.cash)
    assert ids(explain(reconciled(books(*rows), external, **known))[0]) == [("f2", "x")]
    told_ = replace(external, snapshots=account(ROWS, *TIMES))
    found = reconciled(replace(books(*rows), snapshots=account(rows, *TIMES)), told_, **known)
    (one,) = explain(found)
    assert (one.verdict, ids(one)) == ("unique", [("x",)])
    require_repaired(found, one)
    wrong = replace(account(ROWS, -350)[0], cash=AWAY.cash)
    odd = replace(external, snapshots=(*account(ROWS, *TIMES[:5]), wrong))
    (doubtful,) = explain(reconciled(books(*rows), odd, **known))
    assert (doubtful.verdict, doubtful.decides) == ("ambiguous", CONTRADICTED)


def test_snapshots_of_both_and_no_opening() -> None:
    """Rows without an opening give no state; where both state one, they are compared."""
    rows = [*ROWS, again("f1", "x", -420)]
    last = state(rows)
    internal = books(*rows, opening=None, positions=last.positions, cash=last.cash)
    internal = replace(internal, opening=None)
    external = exchange(ROWS, TIMES)
    assert ids(told(internal, external)[0]) == [("f1", "x", "f6")]
    (one,) = told(replace(internal, snapshots=states(rows, TIMES)), external)
    assert (one.verdict, ids(one)) == ("unique", [("x", "f6")])


def test_contradicted_snapshots_are_no_evidence() -> None:
    """Those of the faulty ledger: whatever they say, what the exchange states is evidence."""
    rows = [*ROWS, again("f1", "x", -420)]
    wrong = replace(state(rows, -650), cash=(CashBalance("EUR", Decimal(7)),))
    internal = replace(ledger_of(rows), snapshots=(wrong, state(rows, -350)))
    assert verdicts(session(internal, exchange(ROWS)))["ledger::internal:snapshots"] == "FAIL"
    assert ids(told(internal, exchange(ROWS))[0]) == [("f1", "x", "f6")]
    assert ids(told(internal, exchange(ROWS, TIMES))[0]) == [("x", "f6")]


@pytest.mark.parametrize("wrong", [(), (1,)])
def test_a_side_that_contradicts_itself(wrong: tuple[int, ...]) -> None:
    """One snapshot that does not follow from its side's own rows makes all of them worthless."""
    told_ = [*states(ROWS, TIMES)]
    for at_ in wrong:
        told_[at_] = replace(told_[at_], cash=(CashBalance("EUR", Decimal(7)),))
    internal = replace(ledger_of(ROWS), snapshots=tuple(told_))
    found = session(internal, books(*ROWS, again("f1", "x", -420)))
    dimensions = dimensions_of(found.recorded, found.comparisons, found.policy.float_dust)
    outer, inner = LedgerSide.EXTERNAL, LedgerSide.INTERNAL
    searched = problem_of(found.recorded, dimensions, outer, inner, rows_right=True)
    assert searched is not None
    assert bool(searched.divergence) != bool(wrong)


WRONG = [*ROWS, again("f1", "x", -420)]


def test_a_difference_that_is_gone_again() -> None:
    """It is none of what differs at the end; the window is the one after the last agreement."""
    told_ = (state(ROWS, -850), AWAY, *states(ROWS, TIMES[2:]))
    (one,) = told(ledger_of(WRONG), replace(exchange(ROWS), snapshots=told_))
    assert (one.verdict, ids(one)) == ("unique", [("x", "f6")])
    assert "; the sides agree again at 2026-01-01T11:52:30Z and differ from" in one.proof


def test_a_difference_that_comes_back() -> None:
    """The same before and after an agreement: no one cause does that, and none is proven."""
    early = replace(state([row for row in ROWS if row.fill_id != "f1"], -850))
    told_ = (early, *states(ROWS, TIMES[1:]))
    (one,) = told(ledger_of(WRONG), replace(exchange(ROWS), snapshots=told_))
    assert one.verdict == "ambiguous"
    assert one.decides == CONTRADICTED
    assert "an explanation fits, but is not proven" in one.text
    assert not one.repair


def test_a_difference_that_changes_after_it_came() -> None:
    """What fits the end and leaves a snapshot contradicted is not unique."""
    told_ = (*states(ROWS, TIMES[:5]), replace(state(ROWS, -350), cash=AWAY.cash))
    (one,) = told(ledger_of(WRONG), replace(exchange(ROWS), snapshots=told_))
    assert (one.verdict, one.decides) == ("ambiguous", CONTRADICTED)
    assert {one.decides for one in told(ledger_of(WRONG), exchange(ROWS))} != {CONTRADICTED}


def test_snapshots_of_positions_tell_nothing_of_cash() -> None:
    """A fee that was lost moves none: any of its twins may be the one."""
    rows = [replace(row, fee=Decimal(0)) if row.fill_id == "f6" else row for row in ROWS]
    positions = tuple(replace(one, cash=None) for one in states(ROWS, TIMES))
    (one,) = told(ledger_of(rows), replace(exchange(ROWS), snapshots=positions))
    assert one.verdict == "unique"
    assert "agree" not in one.proof


def test_snapshots_of_a_later_time_than_their_side() -> None:
    """A side that is of noon has no state of one o'clock."""
    late = Snapshot(at(3600), (), ())
    internal, external = ledger_of(WRONG), exchange(ROWS, TIMES)
    told_ = (*(external.snapshots or ()), late)
    assert told(internal, replace(external, snapshots=told_)) == told(internal, external)


@st.composite
def twins(draw: st.DrawFn) -> list[Fill]:
    """A few trades of different amounts, each done again and again."""
    amounts = st.tuples(st.integers(10**3, 10**5), st.integers(10**4, 14 * 10**3), st.booleans())
    some = [
        trade("", "BUY" if bought else "SELL", str(scaled(units, 4)), str(scaled(cents, 2)), 0)
        for units, cents, bought in draw(st.lists(amounts, min_size=1, max_size=4))
    ]
    drawn = draw(st.lists(st.sampled_from(some), min_size=2, max_size=10))
    return [
        replace(row, fill_id=f"f{at_}", client_order_id=f"o{at_}", time=at(-900 + 60 * at_))
        for at_, row in enumerate(drawn)
    ]


TIMES_DRAWN = st.sets(st.integers(-16, -1).map(lambda part: 60 * part), min_size=1).map(sorted)


def _windows(rows: Sequence[Fill], times: Sequence[float]) -> list[tuple[str, ...]]:
    """What rows say besides their ids, and between which snapshots they are."""
    return sorted(
        (
            *(str(part) for part in (row.side, row.quantity, row.price, row.fee.normalize())),
            str(sum(row.time > at(time) for time in times)),
        )
        for row in rows
    )


NAMED = sorted(SLIPS.keys() - {"another quantity"})
"""Another quantity by chance may be a likelier slip of its twin."""


Faulty = tuple[list[Fill], list[Fill], list[tuple[str, str]]]


@st.composite
def faulty(draw: st.DrawFn, count: int) -> Faulty:
    """Right rows, rows with faults, and which fault each of the spoilt rows has."""
    rows = draw(twins())
    wrong, spoilt = list(rows), list[tuple[str, str]]()
    for _ in range(count):
        name, at_ = draw(st.sampled_from(NAMED)), draw(st.integers(0, len(wrong) - 1))
        spoilt.append((name, wrong[at_].fill_id))
        wrong = SLIPS[name].applied(wrong, at_)
        assume(wrong)
    return rows, wrong, spoilt


def _is_wrong(
    one: Explanation, reconciliation: Reconciliation, rows: list[Fill], spoilt: tuple[str, str]
) -> bool:
    """Whether what is claimed is another fault, or one of another row, than there is."""
    name, fill_id = spoilt
    if one.verdict != "unique":
        return False
    repaired = require_repaired(reconciliation, one).recorded.internal
    assert repaired is not None
    if _windows(repaired.fills or (), ()) == _windows(rows, ()):
        return False
    (cause, *more) = one.causes
    is_named = fill_id in cause.ids or name == "missing" or (name == "other id" and cause.ids)
    return bool(more) or cause.cause_kind not in SLIPS[name].kinds or not is_named


@pytest.mark.large
@given(faulty(1), TIMES_DRAWN, st.sampled_from([0, 1]))
def test_right_or_modest(drawn: Faulty, times: list[float], own: int) -> None:
    """A fault of one row: snapshots make no answer wrong, and the ids are those of the window.

    Chance amounts are another fault's as well, whatever snapshots there are: such rows are
    passed over.
    """
    rows, wrong, (spoilt,) = drawn
    bare = session(ledger_of(wrong), exchange(rows))
    before = explain(bare)
    assume(not any(_is_wrong(one, bare, rows, spoilt) for one in before))
    reconciliation = session(ledger_of(wrong, times * own), exchange(rows, times))
    found = explain(reconciliation)
    assert bool(found) == bool(reconciliation.diffs)
    for one in found:
        event(f"{len(times) // 3}: {one.verdict}")
        assert not _is_wrong(one, reconciliation, rows, spoilt), one.text
        if one.verdict == "unique" and one.side == "internal":
            named = {one_id for cause in one.causes for one_id in cause.ids}
            assert before[0].verdict != "unique" or named <= set(before[0].causes[0].ids)
            concerned = [row for row in wrong if row.fill_id in named]
            assert len({each[-1] for each in _windows(concerned, times)}) <= 1


@pytest.mark.large
@given(faulty(2), TIMES_DRAWN, st.sampled_from([0, 1]))
def test_what_is_unique_agrees_with_every_snapshot(
    drawn: Faulty, times: list[float], own: int
) -> None:
    """Two faults may be what others are as well; put right, the ledger agrees at every time."""
    rows, wrong, _ = drawn
    reconciliation = session(ledger_of(wrong, times * own), exchange(rows, times))
    for one in explain(reconciliation, repair_exchange=True):
        event(f"{len(times) // 3}: {one.verdict}")
        named = [row_id for cause in one.causes for row_id in cause.ids]
        # A habit and its exception are two changes of one row.
        if one.verdict == "unique" and len(set(named)) == len(named):
            repaired = require_repaired(reconciliation, one).recorded.internal
            assert repaired is not None
            if one.side == "internal":
                assert states(repaired.fills or (), times) == states(rows, times)
