"""The summary: the runbook's keys, the worst first, the same bytes for the same input."""

import json
import platform
import re
from decimal import Decimal

import recon_core
from recon_core.model.comparison import ReconDiff
from recon_core.model.summary import summarise
from recon_core.policy import CashPolicy, Policy
from recon_core.values.severity import Severity

from .builders import at, reconciled, side

RUNBOOK_KEYS = {
    "run_id",
    "timestamp",
    "session_id",
    "strategy_id",
    "total_diffs",
    "counts_by_severity",
    "counts_by_type",
    "top_diffs",
    "has_critical",
    "has_fail",
    "max_severity",
}


def test_the_summary_has_the_runbooks_keys_and_is_deterministic() -> None:
    """Run id and wall clock aside, the same input gives the same bytes, ASCII, UTC with Z."""
    reconciliation = reconciled(
        side({"BTC/EUR": "0.1", "Ä/EUR": "1"}, {"EUR": "5"}),
        side({"BTC/EUR": "0.09"}, {"EUR": "5"}),
    )
    texts = [reconciliation.summary(run_id="r").to_json() for _ in range(2)]
    documents = [json.loads(text) for text in texts]
    assert documents[0].keys() >= RUNBOOK_KEYS
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", documents[0]["timestamp"])
    assert documents[0]["top_diffs"][0]["timestamp"] == "2026-01-01T12:00:00Z"
    assert texts[0].isascii()
    for document in documents:
        document.pop("timestamp")
    assert documents[0] == documents[1]
    assert list(documents[0]) == sorted(documents[0])


def test_every_run_has_an_id_of_its_own() -> None:
    """Two summaries of one state are two runs."""
    reconciliation = reconciled(side({}, {"EUR": "5"}), side({}, {"EUR": "5"}))
    assert reconciliation.summary().run_id != reconciliation.summary().run_id


def test_a_clean_summary_is_info_and_asks_for_nothing() -> None:
    """With zero diffs the maximum is INFO."""
    summary = reconciled(side({}, {"EUR": "5"}), side({}, {"EUR": "5"})).summary()
    assert (summary.total_diffs, summary.max_severity, summary.escalation) == (0, "INFO", ())
    assert (summary.has_critical, summary.has_fail, summary.counts_by_severity) == (
        False,
        False,
        {},
    )


def test_the_evidence_names_the_policy_that_decided() -> None:
    """Another policy has another hash; thresholds stand in the summary."""
    sides = side({}, {"EUR": "5"}), side({}, {"EUR": "5"})
    default, strict = (
        reconciled(*sides, policy).summary().evidence
        for policy in (Policy(), Policy(cash=CashPolicy(relative=Decimal(0))))
    )
    assert default["policy_sha256"] != strict["policy_sha256"]
    assert default["policy"] == Policy().to_dict()
    assert default["versions"] == {
        "pytest-recon": recon_core.__version__,
        "python": platform.python_version(),
    }


def one_diff(severity: Severity, seconds: float | None, name: str) -> ReconDiff:
    time = None if seconds is None else at(seconds)
    return ReconDiff(name, time, "POSITION", severity, name, f"diff {name}")


def test_the_worst_diffs_come_first() -> None:
    """Severity, then timestamp, then diff id; at most `top_n` of them."""
    diffs = [
        one_diff(Severity.INFO, 0, "e"),
        one_diff(Severity.FAIL, 2, "c"),
        one_diff(Severity.FAIL, 1, "b"),
        one_diff(Severity.CRITICAL, 9, "a"),
        one_diff(Severity.FAIL, 1, "a2"),
        one_diff(Severity.WARN, None, "d"),
    ]
    summary = summarise(diffs, "s", top_n=5)
    assert [diff.diff_id for diff in summary.top_diffs] == ["a", "a2", "b", "c", "d"]
    assert (summary.total_diffs, summary.max_severity) == (6, "CRITICAL")
    assert list(summary.counts_by_severity.items()) == [
        ("CRITICAL", 1),
        ("FAIL", 3),
        ("WARN", 1),
        ("INFO", 1),
    ]


def test_a_fraction_of_a_second_is_later_than_the_second() -> None:
    """Times are ordered as times, not as text."""
    diffs = [one_diff(Severity.FAIL, 0.5, "a"), one_diff(Severity.FAIL, 0, "b")]
    assert [diff.diff_id for diff in summarise(diffs, "s").top_diffs] == ["b", "a"]


def test_a_diff_survives_the_way_through_json() -> None:
    """`from_dict(to_dict())` is the same diff, also through JSON text."""
    reconciliation = reconciled(
        side({"BTC/EUR": "0.1"}, {"EUR": "5000.00"}),
        side({"BTC/EUR": "0.0995", "X": "1"}, {"EUR": "4995"}, as_of=at(61.5)),
    )
    diffs = reconciliation.diffs
    assert [diff.diff_type for diff in diffs] == ["CASH", "POSITION", "POSITION", "SESSION"]
    for diff in [*diffs, one_diff(Severity.INFO, None, "x")]:
        assert ReconDiff.from_dict(json.loads(json.dumps(diff.to_dict()))) == diff


def test_a_diff_id_is_the_same_in_every_run_and_differs_by_session() -> None:
    """It comes from session id, kind and key."""
    sides = side({"BTC/EUR": "1"}, {"EUR": "1"}), side({"BTC/EUR": "2"}, {"EUR": "2"})
    first, again = (reconciled(*sides).diffs for _ in range(2))
    other = reconciled(*sides, session_id="other").diffs
    assert [diff.diff_id for diff in first] == [diff.diff_id for diff in again]
    assert len({diff.diff_id for diff in [*first, *other]}) == 4


def test_the_text_of_a_summary_is_made_for_reading_and_for_diffs() -> None:
    """Sorted keys, two spaces a level, ASCII: equal input gives equal lines."""
    text = reconciled(side({"Ä": "1"}), side({"Ä": "2"})).summary(run_id="r").to_json()
    assert text == json.dumps(json.loads(text), indent=2, sort_keys=True)
    assert text.splitlines()[1].startswith('  "comparisons": ')
    assert text.isascii()
