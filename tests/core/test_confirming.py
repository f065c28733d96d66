"""A second look at an account: what two looks have is a finding, what comes and goes is not."""

from dataclasses import replace
from decimal import Decimal

import pytest

from recon_core.judging.confirming import ONE_LOOK, Looks, Seen, confirmed
from recon_core.model.comparison import Comparison, ItemKind, Judgement, ReconDiff
from recon_core.values.severity import Severity


def diff(key: str, delta: str | None = "5", severity: Severity = Severity.FAIL) -> ReconDiff:
    """A difference of a balance."""
    amount = None if delta is None else Decimal(delta)
    return ReconDiff("d", None, "CASH", severity, key, f"{key} differs", delta=amount)


def looked(*looks: list[ReconDiff], lowest: Severity = Severity.FAIL) -> tuple[list[str], Looks]:
    """Take some looks; returns the keys that are new in the last one, and the looks."""
    taken = Looks(Seen(lowest))
    new: list[ReconDiff] = []
    for look in looks:
        new = taken.take([judged(each, taken.seen) for each in look])
    return [each.key for each in new], taken


def judged(found: ReconDiff, seen: Seen | None) -> ReconDiff:
    """The difference as it is after it was held against earlier looks."""
    comparison = Comparison(ItemKind.CASH, found.key, found.key, None)
    after = confirmed(Judgement(comparison, found, found.description), seen).diff
    assert after is not None
    return after


FAIL, WARN, CRITICAL = (
    diff("A"),
    diff("A", severity=Severity.WARN),
    diff("A", None, Severity.CRITICAL),
)
CASES: dict[str, tuple[list[list[ReconDiff]], list[str], list[str]]] = {
    "nothing": ([[]], [], []),
    "one look": ([[FAIL]], ["A"], []),
    "in both": ([[FAIL], [FAIL]], [], []),
    "smaller in the second": ([[FAIL], [diff("A", "0.1")]], [], []),
    "turned": ([[FAIL], [diff("A", "-5")]], ["A"], []),
    "no amount in the second": ([[FAIL], [diff("A", None)]], [], []),
    "gone": ([[FAIL], []], [], ["cash::A"]),
    "another one": ([[FAIL], [diff("B")]], ["B"], ["cash::A"]),
    "one stays, one is new": ([[FAIL], [FAIL, diff("B")]], ["B"], []),
    "back after it was gone": ([[FAIL], [], [FAIL]], ["A"], ["cash::A"]),
    "not judged in between": ([[FAIL], [replace(CRITICAL, key="B")], [FAIL]], [], ["cash::B"]),
    "not judged twice": ([[CRITICAL], [CRITICAL]], [], []),
    "a warning": ([[WARN]], [], []),
}


@pytest.mark.parametrize("name", CASES)
def test_a_finding_is_what_two_looks_have(name: str) -> None:
    """New is what no look before had in that direction; gone is what a later one has not."""
    looks, new, gone = CASES[name]
    assert looked(*looks)[0] == new
    assert looked(*looks)[1].cleared == gone


def test_what_one_look_has_is_softened_and_says_so() -> None:
    """It is INFO with its severity in its text; the same in a later look is what it was."""
    found = judged(FAIL, Seen(Severity.FAIL))
    assert (found.severity, found.softened_by) == (Severity.INFO, ONE_LOOK)
    assert found.description == "A differs (FAIL in one look only)"
    assert judged(FAIL, Seen(Severity.FAIL, {"cash::A": 1})) == FAIL
    assert judged(FAIL, None) == FAIL


@pytest.mark.parametrize("found", [CRITICAL, WARN, diff("A", severity=Severity.WAIVED)])
def test_other_severities_stay_as_they_are(found: ReconDiff) -> None:
    """CRITICAL is never green; what does not block needs no second look."""
    assert judged(found, Seen(Severity.FAIL)) == found


def test_a_warning_that_blocks_is_confirmed_too() -> None:
    """Where a run fails on warnings."""
    assert looked([WARN], lowest=Severity.WARN)[0] == ["A"]
    assert judged(WARN, Seen(Severity.WARN)).severity is Severity.INFO
