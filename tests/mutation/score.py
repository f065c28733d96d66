"""The result of a mutation run: figures by module, survivors, and the bars."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

from .mutants import Key
from .trial import TYPES, Outcome

BARS = {False: Fraction(95, 100), True: Fraction(90, 100)}
"""The least share of killed mutants: outside the explanations, and inside."""
_AREAS = {False: "outside explain", True: "inside explain"}
_SHOWN = 3


class Score:
    """The outcomes of a run, with the equivalent mutants taken out."""

    def __init__(self, outcomes: Sequence[Outcome], listed: Mapping[Key, str]) -> None:
        self.equivalent = [outcome for outcome in outcomes if outcome.mutant.key in listed]
        self.counted = [outcome for outcome in outcomes if outcome.mutant.key not in listed]
        self.survivors = [outcome for outcome in self.counted if not outcome.killed]

    def share(self, *, explains: bool) -> Fraction:
        """Killed mutants as a share of those that can be killed; 1 where none was drawn."""
        counted = [outcome for outcome in self.counted if outcome.mutant.explains is explains]
        killed = sum(outcome.killed for outcome in counted)
        return Fraction(killed, len(counted)) if counted else Fraction(1)

    @property
    def passes(self) -> bool:
        """True if both areas reach their bar."""
        return all(self.share(explains=area) >= bar for area, bar in BARS.items())

    def lines(self) -> Iterator[str]:
        """A line per module, the survivors, and a line per area."""
        yield f"{'module':40} {'drawn':>6} {'killed':>6} {'equivalent':>10} {'survived':>8}"
        equivalent, survived = _count(self.equivalent), _count(self.survivors)
        drawn = _count(self.counted) + equivalent
        for module in sorted(drawn):
            killed = drawn[module] - equivalent[module] - survived[module]
            figures = f"{killed:6} {equivalent[module]:10} {survived[module]:8}"
            yield f"{module:40} {drawn[module]:6} {figures}"
        for outcome in self.survivors:
            yield f"survived: {outcome.mutant}"
            yield f"    {_tests(outcome)}"
        typed = sum(outcome.killer == TYPES for outcome in self.counted)
        yield f"of the killed, {typed} by the type checker alone"
        for area, bar in BARS.items():
            share = 100 * float(self.share(explains=area))
            yield f"{_AREAS[area]}: {share:.1f} % killed, at least {100 * bar} %"


def _count(outcomes: Sequence[Outcome]) -> Counter[str]:
    return Counter(outcome.mutant.module for outcome in outcomes)


def _tests(outcome: Outcome) -> str:
    if not outcome.reached:
        return "no test runs the statement"
    names = ", ".join(outcome.reached[:_SHOWN])
    more = len(outcome.reached) - _SHOWN
    left = f"{outcome.asked} of {len(outcome.reached)} tests run: {names}"
    return f"{left} and {more} more" if more > 0 else left
