"""A second look at an account: a difference that no look before it has seen is no finding yet.

Both sides of an account that trades are never read in the same moment. An example: the first look
finds USDT too high by 5 and fill 57 missing, the second one USDT too high by 3 and fill 60
missing. The USDT are a finding, for both looks have them in one direction; fill 60 is not, and
fill 57 was none. CRITICAL stays as it is: what cannot be judged is never green.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from recon_core.model.comparison import Judgement, ReconDiff
from recon_core.values.severity import Severity

ONE_LOOK: Final = "one look only"
"""Name of what softens a difference that is not confirmed."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Differences that earlier looks saw, each with the sign of its delta, 0 where it has none.

    `lowest` is the lowest severity that has to be confirmed: the one that blocks.
    """

    lowest: Severity
    signs: Mapping[str, int] = field(default_factory=dict)

    def has(self, diff: ReconDiff) -> bool:
        """True if an earlier look saw the difference, in the same direction."""
        before = self.signs.get(diff.identity)
        return before is not None and before * _sign(diff) >= 0

    def asks_about(self, diff: ReconDiff) -> bool:
        """True if the difference blocks, or was softened because one look only had it."""
        return diff.severity.rank >= self.lowest.rank or diff.softened_by == ONE_LOOK


def confirmed(judgement: Judgement, seen: Seen | None) -> Judgement:
    """Return the judgement, INFO where earlier looks did not see a difference that blocks.

    `seen` is `None` where there are no other looks.
    """
    diff = judgement.diff
    if seen is None or diff is None or diff.severity is Severity.CRITICAL:
        return judgement
    if not seen.asks_about(diff) or seen.has(diff):
        return judgement
    text = f"{diff.description} ({diff.severity} in {ONE_LOOK})"
    found = replace(diff, severity=Severity.INFO, description=text, softened_by=ONE_LOOK)
    return replace(judgement, diff=found, message=text)


def _sign(diff: ReconDiff) -> int:
    return (diff.delta > 0) - (diff.delta < 0) if diff.delta else 0


@dataclass(slots=True)
class Looks:
    """The looks at one account so far: `seen` is what the next one is held against.

    `cleared` are the differences that a later look did not have.
    """

    seen: Seen
    cleared: list[str] = field(default_factory=list)
    count: int = 0

    def take(self, diffs: Iterable[ReconDiff]) -> list[ReconDiff]:
        """Add a look; return what blocks in it and no earlier one has seen.

        A look that could not judge everything has a CRITICAL, and clears nothing.
        """
        found = [diff for diff in diffs if self.seen.asks_about(diff)]
        new = [diff for diff in found if not self.seen.has(diff)]
        before, now = self.seen.signs, {diff.identity: _sign(diff) for diff in found}
        if any(diff.severity is Severity.CRITICAL for diff in found):
            now = {**before, **now}
        self.cleared += [name for name in before if name not in now | dict.fromkeys(self.cleared)]
        self.seen, self.count = replace(self.seen, signs=now), self.count + 1
        return new
