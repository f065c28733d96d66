"""The session checks: coverage, as-of, complete, readable."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from recon_core.engine.reconciliation import Reconciliation
from recon_core.model import (
    CashBalance,
    Movement,
    MovementKind,
    Opening,
    RecordedSession,
    SideRecord,
)
from recon_core.policy import Policy

from .builders import at, checks, fill, message, reconciled, recorded, side

FULL = side({"BTC/EUR": "1"}, {"EUR": "1"})
EMPTY = side({}, {})


COVERAGE: list[tuple[str, SideRecord | None, SideRecord | None, str, str]] = [
    ("both report all", FULL, FULL, "match", "both sides report what is required"),
    ("a side is empty", FULL, EMPTY, "match", "both sides report what is required"),
    ("both are empty", EMPTY, EMPTY, "FAIL", "nothing was compared"),
    ("no external side", FULL, None, "FAIL", "the session has no external side"),
    ("no internal side", None, FULL, "FAIL", "the session has no internal side"),
    ("no side", None, None, "FAIL", "no internal and no external side"),
    ("nothing reported", side(), side(), "FAIL", "nothing was compared"),
    (
        "no external positions",
        FULL,
        side(None, {"EUR": "1"}),
        "FAIL",
        "positions: reported by internal, not by external",
    ),
    (
        "no internal cash",
        side({"BTC/EUR": "1"}),
        FULL,
        "FAIL",
        "cash: reported by external",
    ),
    ("neither reports cash", side({"X": "1"}), side({"X": "1"}), "match", "both sides report"),
    ("one has cash, one positions", side({"X": "1"}), side(None, {"EUR": "1"}), "FAIL", "cash"),
    ("only fills in common", side(fills=()), side(fills=()), "FAIL", "nothing was compared"),
]


@pytest.mark.parametrize(
    ("internal", "external", "expected", "text"),
    [row[1:] for row in COVERAGE],
    ids=[row[0] for row in COVERAGE],
)
def test_coverage(
    internal: SideRecord | None, external: SideRecord | None, expected: str, text: str
) -> None:
    """Absent is not zero, and no empty evidence passes."""
    reconciliation = reconciled(internal, external)
    assert checks(reconciliation)["coverage"] == expected
    assert text in message(reconciliation, "coverage")


@pytest.mark.parametrize(
    ("require", "external", "expected"),
    [
        (("positions",), side({"BTC/EUR": "1"}), "match"),
        (("cash",), side({"BTC/EUR": "1"}), "FAIL"),
        ((), side({"BTC/EUR": "1"}), "match"),
        ((), side(), "FAIL"),  # nothing compared stays a FAIL
        (("positions", "cash", "fills"), side({"BTC/EUR": "1"}, {"EUR": "1"}, fills=()), "FAIL"),
    ],
)
def test_the_policy_says_what_is_required(
    require: tuple[str, ...], external: SideRecord, expected: str
) -> None:
    """A section that is not required and stands on one side only is a note."""
    reconciliation = reconciled(FULL, external, Policy(require=require))
    assert checks(reconciliation)["coverage"] == expected


def test_sections_that_are_not_compared_are_notes() -> None:
    """Neither side reports orders; one side reports fills that nobody asked for."""
    reconciliation = reconciled(replace(FULL, fills=()), FULL)
    coverage = reconciliation.judgements[-2]
    assert coverage.diff is None
    assert coverage.comparison.notes == (
        "orders: reported by neither side",
        "fills: reported by internal, not by external",
        "movements: reported by neither side",
    )


@pytest.mark.parametrize(
    ("internal", "expected"),
    [(FULL, "WARN"), (EMPTY, "FAIL"), (side(), "FAIL"), (None, "FAIL")],
)
def test_a_mirror_is_never_silent(internal: SideRecord | None, expected: str) -> None:
    """The runbook's mock is a WARN; a mirror of nothing compares nothing."""
    reconciliation = reconciled(internal, internal, mirrored=internal is not None)
    assert checks(reconciliation)["coverage"] == expected


@pytest.mark.parametrize(
    ("skew", "allowed", "expected"),
    [
        (0, 60, "match"),
        (60, 60, "match"),
        (-60, 60, "match"),
        (60.000001, 60, "WARN"),
        (-60.000001, 60, "WARN"),
        (86400, 60, "WARN"),
        (0.000001, 0, "WARN"),
        (300, 300, "match"),
    ],
)
def test_as_of(skew: float, allowed: int, expected: str) -> None:
    """Further apart than the policy allows is WARN, in either direction."""
    policy = Policy(max_skew=timedelta(seconds=allowed))
    reconciliation = reconciled(FULL, replace(FULL, as_of=at(skew)), policy)
    assert checks(reconciliation)["as-of"] == expected


def test_as_of_shows_both_times() -> None:
    """The message is enough to see which side is stale."""
    text = message(reconciled(FULL, replace(FULL, as_of=at(-3600))), "as-of")
    assert "internal 2026-01-01T12:00:00Z, external 2026-01-01T11:00:00Z" in text
    assert "1:00:00 apart, tolerance 0:01:00" in text


def test_as_of_of_one_side_is_no_finding() -> None:
    """What is missing is coverage's business."""
    assert checks(reconciled(FULL, None))["as-of"] == "match"


def counted(**counts: int) -> SideRecord:
    fills = tuple(fill(str(number), "BUY", "1", "1") for number in range(2))
    return replace(FULL, fills=fills, counts=counts)


@pytest.mark.parametrize(
    ("internal", "external", "expected", "text"),
    [
        (FULL, FULL, "match", "no side says that rows are lost"),
        (replace(FULL, complete=False), FULL, "CRITICAL", "internal was cut off"),
        (FULL, replace(FULL, complete=False), "CRITICAL", "external was cut off"),
        (counted(fills=2), FULL, "match", "no side"),
        (counted(fills=3), FULL, "CRITICAL", "internal counted 3 fills and gives 2"),
        (FULL, counted(fills=1), "CRITICAL", "external counted 1 fills and gives 2"),
        (counted(fills=2, orders=1), FULL, "CRITICAL", "internal counted 1 orders and gives 0"),
        (counted(positions=1, cash=1, movements=0), FULL, "match", "no side"),
        (
            replace(FULL, derived=frozenset({"positions"}), counts={"positions": 1}),
            FULL,
            "CRITICAL",
            "internal counted 1 positions and gives 0",
        ),
        (replace(FULL, derived=frozenset({"cash"}), counts={"positions": 1}), FULL, "match", "no"),
        (counted(fills=0), None, "CRITICAL", "internal counted 0 fills and gives 2"),
        (None, None, "match", "no side"),
    ],
)
def test_complete(
    internal: SideRecord | None, external: SideRecord | None, expected: str, text: str
) -> None:
    """A side that says of itself that rows are lost cannot be judged."""
    reconciliation = reconciled(internal, external)
    assert checks(reconciliation)["complete"] == expected
    assert text in message(reconciliation, "complete")


def test_a_mirror_is_counted_once() -> None:
    """The copy adds no finding of its own."""
    text = message(reconciled(counted(fills=3), counted(fills=3), mirrored=True), "complete")
    assert text.count("counted") == 1


def test_movements_are_noted_as_fills_are() -> None:
    """Twice stated, after the as-of, before the opening: each is booked, and said."""
    times = {"m1": -9, "m2": 9, "m3": 0}
    moved = [
        Movement(name, MovementKind.FEE, at(seconds), "EUR", Decimal(-1))
        for name, seconds in times.items()
    ]
    opening = Opening(at(-5), (), (CashBalance("EUR", Decimal(5)),))
    internal = side({"X": "1"}, opening=opening, fills=(), movements=(*moved, moved[0]))
    notes = reconciled(internal, side({"X": "1"}, {"EUR": "1"})).notes
    assert [note for note in notes if "movement" in note] == [
        "internal lists movement m1 2 times; each is counted",
        "internal: 1 of 4 movements are after its as_of; each is counted",
        "internal: 2 of 4 movements are before its opening; each is counted",
    ]


def test_readable_says_what_was_read() -> None:
    """A session that got here was read; its notes come along."""
    session: RecordedSession = recorded(FULL, FULL, recording_format="nautilus", notes=("n",))
    reconciliation = Reconciliation(session, Policy())
    readable = reconciliation.judgements[-1]
    assert (readable.verdict, readable.comparison.notes) == ("match", ("n",))
    assert "read as nautilus" in readable.message
