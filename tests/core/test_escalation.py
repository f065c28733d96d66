"""What to do about diffs: the runbook's matrix, with its gaps closed upward."""

import pytest

from recon_core.model.escalation import escalation_actions, escalation_text
from recon_core.values.severity import JUDGED, Severity

NOTHING = ("none", "monitoring")
MONITORING = ("monitoring",)
TREND = ("trend analysis", "tolerance review")
REVIEW = ("log review", "incident on recurrence")
PAUSE = ("pause trading (optional)", "incident report")
STOP = ("stop trading", "immediate incident response")
KILL = ("kill switch", "incident response")


@pytest.mark.parametrize(
    ("info", "warn", "fail", "critical", "expected"),
    [
        (0, 0, 0, 0, ()),
        (1, 0, 0, 0, NOTHING),
        (9, 0, 0, 0, NOTHING),
        (10, 0, 0, 0, MONITORING),
        (50, 0, 0, 0, MONITORING),
        (51, 0, 0, 0, (*MONITORING, *TREND)),
        (0, 1, 0, 0, REVIEW),
        (0, 3, 0, 0, REVIEW),
        (0, 4, 0, 0, REVIEW),
        (0, 5, 0, 0, REVIEW),
        (0, 6, 0, 0, PAUSE),
        (50, 1, 0, 0, REVIEW),
        (51, 1, 0, 0, (*REVIEW, *TREND)),
        (51, 6, 0, 0, (*PAUSE, *TREND)),
        (0, 0, 1, 0, STOP),
        (9, 9, 9, 0, STOP),
        (51, 0, 1, 0, (*STOP, *TREND)),
        (0, 0, 0, 1, KILL),
        (9, 9, 9, 1, KILL),
        (51, 1, 1, 1, (*KILL, *TREND)),
    ],
)
def test_actions_follow_the_highest_severity(
    info: int, warn: int, fail: int, critical: int, expected: tuple[str, ...]
) -> None:
    """The number of diffs at the maximum decides; more than 50 INFO always add a review."""
    counts = dict(zip(JUDGED, (info, warn, fail, critical), strict=True))
    assert escalation_actions(counts) == expected
    assert escalation_actions({name: count for name, count in counts.items() if count}) == expected


def test_the_actions_on_one_line() -> None:
    """What a table shows; without diffs there is nothing to do."""
    assert escalation_text({}) == "none"
    assert escalation_text({Severity.FAIL: 2}) == "stop trading; immediate incident response"


def test_severities_are_ordered_by_what_they_mean() -> None:
    """INFO < WARN < FAIL < CRITICAL; the upper two block."""
    assert [severity.rank for severity in Severity] == [0, 1, 2, 3, 4]
    assert [severity.blocks for severity in Severity] == [False, False, False, True, True]
