"""The gate by itself: promises and results of several processes, and what they disagree on."""

from dataclasses import replace
from typing import Any

import pytest

from pytest_recon.gate import Gate, ItemResult, SessionPromise

PATH = "desk.recon.json"
EVIDENCE = {"inputs": {"desk.recon.json": "a" * 64, "fills.csv": "b" * 64}, "policy_sha256": "c"}
AGREED: list[str] = []


def promise(**evidence: Any) -> SessionPromise:
    """The promise of a session with one comparison."""
    return SessionPromise(
        path=PATH,
        anchor=b"/desk",
        session_id="desk",
        strategy_id="",
        comparisons=1,
        evidence={**EVIDENCE, **evidence},
    )


def result(verdict: str, *, failed: bool, **diff: str) -> ItemResult:
    """The result of the one comparison of that session."""
    return ItemResult(
        node_id=f"{PATH}::cash::EUR",
        kind="cash",
        key="EUR",
        verdict=verdict,
        failed=failed,
        seconds=0.1,
        text="",
        drift="",
        diff={"severity": verdict, **diff} if verdict != "match" else None,
    )


MATCH = result("match", failed=False)
INFO = result("INFO", failed=False)
WARN = result("WARN", failed=False)
FAIL = result("FAIL", failed=True)
CRITICAL = result("CRITICAL", failed=True)


@pytest.mark.parametrize(
    ("several", "worst"),
    [
        ([MATCH, FAIL], FAIL),
        ([FAIL, MATCH], FAIL),
        ([FAIL, CRITICAL, WARN], CRITICAL),
        ([INFO, MATCH], INFO),
        ([MATCH, INFO, WARN, MATCH], WARN),
    ],
)
def test_the_worst_of_several_results_counts(several: list[ItemResult], worst: ItemResult) -> None:
    """Whatever their order; and that they differ is a problem that names the comparison."""
    gate = Gate(active=True)
    gate.promise(promise())
    for one in several:
        gate.report(PATH, one)
    assert gate.results(PATH) == [worst]
    assert gate.red
    (problem,) = gate.problems
    assert problem.startswith(
        f"{PATH}: 1 comparison had several results that differ: cash::EUR ({several[0].verdict}"
    )


def test_equal_results_are_one() -> None:
    """An item that is repeated, or run by each worker, is no problem and counts once."""
    gate = Gate(active=True)
    gate.promise(promise())
    for _ in range(3):
        gate.report(PATH, MATCH)
    assert gate.line() == "RECON: CLEAR (1 session, 1 comparison)"


@pytest.mark.parametrize(
    ("one", "other", "problems"),
    [
        ({"delta": "1"}, {"delta": "2"}, 1),
        ({"delta": "1"}, {"delta": "1"}, 0),
        ({"explanation": "a"}, {"explanation": "b"}, 0),
    ],
)
def test_what_two_results_must_share(
    one: dict[str, str], other: dict[str, str], problems: int
) -> None:
    """The figures; an explanation may have had more time in another process."""
    gate = Gate(active=True)
    gate.promise(promise())
    gate.report(PATH, result("FAIL", failed=True, **one))
    gate.report(PATH, result("FAIL", failed=True, **other))
    assert len(gate.problems) == problems


def test_a_failure_of_one_result_is_a_failure() -> None:
    """A plugin that fails the item in one process only blocks."""
    gate = Gate(active=True)
    gate.promise(promise())
    gate.report(PATH, result("match", failed=True))
    gate.report(PATH, MATCH)
    assert gate.line() == "RECON: BLOCKED (an item failed in 1 session)"


@pytest.mark.parametrize(
    ("fails_on_warn", "spared", "problems"),
    [(False, "FAIL", 1), (False, "WARN", 0), (True, "WARN", 1), (True, "INFO", 0)],
)
def test_a_verdict_that_blocks_and_did_not_fail(
    fails_on_warn: bool,  # noqa: FBT001  # a column of the table
    spared: str,
    problems: int,
) -> None:
    """Something changed the report: the case fails all the same, and a problem says so."""
    gate = Gate(active=True, fails_on_warn=fails_on_warn)
    gate.promise(promise())
    gate.report(PATH, result(spared, failed=False))
    assert len(gate.problems) == problems
    assert [one.failed for one in gate.results(PATH)] == [bool(problems)]
    assert gate.blocked is bool(problems)


@pytest.mark.parametrize(
    ("evidence", "problems"),
    [
        ({}, AGREED),
        ({"versions": {"python": "3.12"}, "commit": "d"}, AGREED),
        (
            {"inputs": {**EVIDENCE["inputs"], "fills.csv": "x"}},
            [f"{PATH}: fills.csv changed while the run read it"],
        ),
        (
            {"inputs": {"desk.recon.json": "a" * 64}},
            [f"{PATH}: fills.csv changed while the run read it"],
        ),
        ({"policy_sha256": "x"}, [f"{PATH}: the policy changed while the run read it"]),
    ],
)
def test_promises_of_one_session(evidence: dict[str, Any], problems: list[str]) -> None:
    """All are of the same bytes under the same policy; each difference is said once."""
    gate = Gate(active=True)
    for one in (promise(), promise(**evidence), promise(**evidence), promise()):
        gate.promise(one)
    gate.report(PATH, MATCH)
    assert gate.problems == problems
    assert gate.incomplete is bool(problems)


def test_an_interrupted_reading_states_no_number() -> None:
    """Until all sessions are read, how many comparisons there are is not known."""
    gate = Gate(active=True, is_reading=True)
    gate.promise(promise())
    assert gate.line() == "RECON: INCOMPLETE (no comparison ran)"
    gate.is_reading = False
    assert gate.line() == "RECON: INCOMPLETE (0 of 1 comparisons ran)"


def test_a_session_that_is_expected_is_missing_until_it_is_promised() -> None:
    """One problem for all that are missing, with the first of them; a promise may be before it."""
    gate = Gate(active=True)
    gate.promise(promise())
    for path in (PATH, "c.recon.json", "b.recon.json"):
        gate.expect(path, {})
    assert gate.problems == ["no worker reported b.recon.json and 1 more"]
    gate.promise(replace(promise(), path="b.recon.json"))
    assert gate.problems == ["no worker reported c.recon.json"]
    gate.promise(replace(promise(), path="c.recon.json"))
    assert gate.problems == []
