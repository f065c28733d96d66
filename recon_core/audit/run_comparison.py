"""Two commands side by side: the differences that are new, over, larger, smaller or other ones.

Severities are those of the judgement, without waivers: a waiver makes no difference smaller.
An example: `cash::EUR` of session `day` was +5.00 and is +7.50, so it grew.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from recon_core.audit.past_runs import PastRun, PastSession
from recon_core.judging.waiving import amount_of, digest_of, judged_severity, proven_causes
from recon_core.model.comparison import ReconDiff
from recon_core.values.amounts import format_amount
from recon_core.values.severity import Severity


class ChangeKind(StrEnum):
    """Change of a difference from one command to another, the most urgent first."""

    CAME = "came"
    GREW = "grew"
    CHANGED = "changed"
    SHRANK = "shrank"
    WENT = "went"
    UNKNOWN = "unknown"
    SAME = "same"


WORSE: Final = frozenset({ChangeKind.CAME, ChangeKind.GREW, ChangeKind.CHANGED})
"""Changes that somebody has to look at."""


@dataclass(frozen=True, slots=True)
class Change:
    """One difference in both commands; `before` or `after` is `None` where it was not there."""

    session: str
    identity: str
    kind: ChangeKind
    before: ReconDiff | None
    after: ReconDiff | None

    @property
    def shown(self) -> ReconDiff:
        """The newer of both diffs."""
        found = self.after or self.before
        assert found is not None  # noqa: S101  # one of them made the change
        return found

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON, amounts as text."""
        return {
            "session": self.session,
            "key": self.identity,
            "change": str(self.kind),
            "before": _side(self.before),
            "after": _side(self.after),
            "description": self.shown.description,
        }


@dataclass(frozen=True, slots=True)
class RunComparison:
    """All changes, the most urgent first; sessions that only one of the commands has."""

    changes: tuple[Change, ...]
    only_before: tuple[str, ...]
    only_after: tuple[str, ...]

    @property
    def counts(self) -> dict[ChangeKind, int]:
        """The number of changes by kind, kinds without any left out."""
        counted = Counter(change.kind for change in self.changes)
        return {kind: counted[kind] for kind in ChangeKind if counted[kind]}


def compare_runs(before: PastRun, after: PastRun) -> RunComparison:
    """Compare two commands, session by session; INFO diffs count as any other."""
    changes = [change for name in after.sessions for change in _of_session(name, before, after)]
    gone = [name for name in before.sessions if name not in after.sessions]
    new = [name for name in after.sessions if name not in before.sessions]
    return RunComparison(tuple(sorted(changes, key=_urgency)), tuple(gone), tuple(new))


def _of_session(name: str, before: PastRun, after: PastRun) -> Iterator[Change]:
    now = after.sessions[name]
    earlier = before.sessions.get(name, PastSession(name, ""))
    for identity in dict.fromkeys((*now.diffs, *earlier.diffs)):
        old, new = earlier.diffs.get(identity), now.diffs.get(identity)
        kind = _kind(old, new, earlier, now)
        yield Change(name, identity, kind, old, new)


def _kind(
    old: ReconDiff | None, new: ReconDiff | None, earlier: PastSession, now: PastSession
) -> ChangeKind:
    if old is None:
        return ChangeKind.CAME if earlier.complete else ChangeKind.UNKNOWN
    if new is None:
        return ChangeKind.WENT if now.complete else ChangeKind.UNKNOWN
    return _change(old, new)


def _change(old: ReconDiff, new: ReconDiff) -> ChangeKind:
    ranks = judged_severity(old).rank, judged_severity(new).rank
    if ranks[0] != ranks[1]:
        return ChangeKind.GREW if ranks[1] > ranks[0] else ChangeKind.SHRANK
    causes = proven_causes(old), proven_causes(new)
    if all(causes) and causes[0] != causes[1]:
        return ChangeKind.CHANGED
    sizes = amount_of(old), amount_of(new)
    if sizes[0] is None or sizes[1] is None:
        return ChangeKind.SAME if digest_of(old) == digest_of(new) else ChangeKind.CHANGED
    if sizes[0] != sizes[1]:
        return ChangeKind.GREW if sizes[1] > sizes[0] else ChangeKind.SHRANK
    return ChangeKind.SAME if old.delta == new.delta else ChangeKind.CHANGED


_ORDER: Final = tuple(ChangeKind)


def _urgency(change: Change) -> tuple[int, int, str, str]:
    rank = judged_severity(change.shown).rank
    return _ORDER.index(change.kind), -rank, change.session, change.identity


def _side(diff: ReconDiff | None) -> dict[str, Any] | None:
    if diff is None:
        return None
    return {
        "severity": str(diff.severity),
        "judged": str(judged_severity(diff)),
        "delta": _text(diff.delta),
        "unit": diff.unit,
        "causes": proven_causes(diff),
    }


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else format_amount(amount)


def is_finding(change: Change) -> bool:
    """True if a change makes a gate red: something worse that is no INFO."""
    return change.kind in WORSE and judged_severity(change.shown) is not Severity.INFO
