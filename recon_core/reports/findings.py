"""The causes of a session and the differences that each explains, the worst first.

The one model behind the terminal of pytest, `recon check` and every report for people: what is
said of a session is said once for each cause, and not once for each difference.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from recon_core.model.comparison import ReconDiff
from recon_core.model.explanation import Explanation, ExplanationVerdict
from recon_core.values.amounts import ZERO
from recon_core.values.severity import Severity

_CERTAINTY: Final = tuple(ExplanationVerdict)
"""Verdicts of explanations, the most certain first."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Differences of a session and the explanation that they share, if there is one.

    `diffs` are the worst first, and never empty.
    """

    explanation: Explanation | None
    diffs: tuple[ReconDiff, ...]

    @property
    def severity(self) -> Severity:
        """The severity of the worst difference."""
        return self.diffs[0].severity

    @property
    def has_cause(self) -> bool:
        """True if a cause is named, proven or possible."""
        return self.explanation is not None and bool(self.explanation.causes)


def findings_of(diffs: Iterable[ReconDiff]) -> list[Finding]:
    """Return the causes of a session, the worst first, and last the differences without one."""
    explained: dict[object, list[ReconDiff]] = {}
    others: list[ReconDiff] = []
    for diff in diffs:
        explanation = diff.explanation
        if explanation is None or not explanation.causes:
            others.append(diff)
        else:
            explained.setdefault(key_of(explanation), []).append(diff)
    causes = [Finding(group[0].explanation, tuple(by_size(group))) for group in explained.values()]
    findings = sorted(causes, key=_urgency)
    if others:
        unexplained = next((one.explanation for one in others if one.explanation), None)
        findings.append(Finding(unexplained, tuple(by_size(others))))
    return findings


def by_size(diffs: Iterable[ReconDiff]) -> list[ReconDiff]:
    """Return differences by severity, then size, then time.

    The size is relative: amounts of several currencies have no common measure. Equal sizes, as
    of rows that a side lacks, are in the order of their amounts.
    """
    return sorted(diffs, key=_place)


def _place(diff: ReconDiff) -> tuple[int, Decimal, Decimal, str, str]:
    time = "" if diff.timestamp is None else diff.timestamp.isoformat()
    return -diff.severity.rank, -_relative_size(diff), -_amount(diff), time, diff.identity


def _relative_size(diff: ReconDiff) -> Decimal:
    if diff.drift is not None:
        return diff.drift.copy_abs()
    details = diff.diff_details
    is_one_sided = "0" in (details.get("internal_rows"), details.get("external_rows"))
    return Decimal(1) if is_one_sided else ZERO


def _amount(diff: ReconDiff) -> Decimal:
    """Return the delta, or the value of the row of one side that is concerned."""
    if diff.delta is not None:
        return diff.delta.copy_abs()
    details = diff.diff_details
    for side in ("internal", "external"):
        quantity, price = details.get(f"{side}_quantity"), details.get(f"{side}_price")
        if quantity and price:
            return Decimal(quantity) * Decimal(price)
    return ZERO


def key_of(explanation: Explanation) -> object:
    """Return a key of an explanation as diffs carry it; it holds after it crossed a process."""
    causes = tuple((one.cause_kind, one.side, one.text) for one in explanation.causes)
    return explanation.verdict, causes, explanation.explains, explanation.text


def _urgency(finding: Finding) -> tuple[object, ...]:
    assert finding.explanation is not None  # noqa: S101  # a cause is one of an explanation
    certainty = _CERTAINTY.index(finding.explanation.verdict)
    return -finding.severity.rank, certainty, *_place(finding.diffs[0])[1:]
