"""Search for two hypotheses that together have the required effect.

For each fingerprint the search looks up its complement: the required fingerprint minus it.
Fingerprints are grouped by their position part first, so that few are looked up. Example, in cash
alone: 26 is required, and the fingerprints are 5, 11, 15 and 40. 26 - 11 = 15 is one of them, so 11
and 15 are a pair; 26 - 5 = 21 is not. If pairs also meet decoys, amounts near the required one that
no fault caused, a pair that fits may do so by coincidence, and has strength `CHANCE`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property
from typing import Final

from recon_core.explain.budget import (
    OF_A_FINGERPRINT,
    OF_A_PREFILTER,
    OF_OPEN_VALUE,
)
from recon_core.explain.causes.fills import first_of
from recon_core.explain.problem.chances import decoys, is_significant, offset_effect
from recon_core.explain.problem.fingerprints import positions_of
from recon_core.explain.problem.hypotheses import Hypothesis, Strength
from recon_core.explain.problem.open_positions import BalancePatch
from recon_core.explain.problem.problem import FaultIn, Problem
from recon_core.explain.search.pair_prefilter import PairPlaces, PairPrefilter
from recon_core.explain.search.search import NO_FILL, Code, Search
from recon_core.values.amounts import ZERO

_MOST_MATCHES: Final = 400
"""Pairs of fingerprints that are compared in full for one required effect. More pairs fit only by
coincidence."""

_MOST_UNKNOWN: Final = 20_000
"""The same where the cash of derivatives is unknown: positions alone are met by many pairs, each of
which costs `OF_OPEN_VALUE` operations and more."""

_NEAR_STEPS: Final = 64
"""Steps of the tolerance in which a pair almost fits. Near fits are coincidences, so their number
shows how many exact fits coincidence gives: about one for 63 near fits."""

_MOST_NEAR: Final = 4
"""Near fits that do not count as coincidences: with 4 of them, the chance that coincidence gives an
exact fit is about 4 in 63."""

_FEW: Final = 8
"""Pairs that meet decoys up to which an exact pair is trusted, where a tolerance or float noise
applies: most of them meet the tolerance only. With more, exact pairs are coincidences, too."""


@dataclass
class PairSearch:
    """Pairs of the hypotheses of one search, by fingerprint."""

    search: Search
    _balance_patches: dict[tuple[int, str, str], BalancePatch] = field(
        default_factory=dict, init=False
    )
    _near_count: int = field(default=0, init=False)
    _met: dict[int, list[tuple[set[int], set[int]]]] = field(default_factory=dict, init=False)

    @cached_property
    def problem(self) -> Problem:
        """The problem that is searched."""
        return self.search.problem

    @cached_property
    def _decoys(self) -> list[dict[str, Decimal]]:
        return decoys(self.problem)

    def pairs(self) -> list[tuple[Hypothesis, Hypothesis]]:
        """Return the pairs on different rows that together have the required effect.

        If pairs match decoys as well, a pair that may fit by coincidence has strength `CHANCE`.
        """
        found = list(
            self._expanded(
                self._matches(self.search.fingerprints.within_tolerance(self.problem.required))
            )
        )
        if not found or not self._chance_count:
            return found
        return [
            (replace(one, strength=Strength.CHANCE) if self._by_chance(one, other) else one, other)
            for one, other in found
        ]

    def _matches(self, wanted: Sequence[int]) -> list[tuple[int, int]]:
        matches = set()
        for target in wanted:
            for ours, others in self._set_pairs(positions_of(target)):
                self.search.budget.spend(len(ours))
                for one in ours:
                    other = target - one
                    if other in others:
                        matches.add((min(one, other), max(one, other)))
        return sorted(matches)[: _MOST_UNKNOWN if self.problem.unknown else _MOST_MATCHES]

    def _set_pairs(self, required: int) -> list[tuple[set[int], set[int]]]:
        """Return pairs of sets that may sum to the required positions, the smaller set first."""
        if required not in self._met:
            values = self._values
            self.search.budget.spend(len(values))
            self._met[required] = [
                (ours, others) if len(ours) <= len(others) else (others, ours)
                for positions, ours in values.items()
                if positions <= required - positions
                for others in [values.get(required - positions)]
                if others is not None
            ]
        return self._met[required]

    @cached_property
    def _chance_count(self) -> int:
        """Number of coincidences: pairs that meet a decoy, or near fits beyond `_MOST_NEAR`."""
        if self.problem.unknown:  # near fits take the place of decoys
            return max(0, self._near_count - _MOST_NEAR)
        return sum(
            len(self._matches(self.search.fingerprints.within_tolerance(effect)))
            for effect in self._decoys
        )

    def near_matches(self, within: int) -> int:
        """Count the amounts up to `within` units off the required one that a hypothesis meets."""
        values = {value for value, _ in self._codes}
        self.search.budget.spend(within)
        asked = self.search.fingerprints.of(self.problem.required)
        unit = self.search.fingerprints.of(offset_effect(self.problem, 1, ZERO)) - asked
        amounts = (asked + step * unit for step in range(-within, within + 1) if step)
        return sum(value in values for value in amounts)

    def _by_chance(self, one: Hypothesis, other: Hypothesis) -> bool:
        """True if a pair that fits may do so by coincidence, given that coincidences occur.

        With a tolerance, few pairs that fit are exact; the replay proves or refutes an exact pair.
        """
        problem = self.problem
        if any(map(self._is_significant, (one, other))) or all(map(_is_shown, (one, other))):
            return False
        if problem.unknown or not (problem.dimensions.dust or problem.tolerance):
            return True
        both = one.patch.joined(other.patch).vector(problem.postings)
        return self._chance_count > _FEW or not problem.is_close(both)

    def _is_significant(self, hypothesis: Hypothesis) -> bool:
        """True if a hypothesis that is not on one fill fits too well for a coincidence."""
        effect = hypothesis.patch.vector(self.problem.postings)
        tried = self.search.other_count
        return not hypothesis.is_of_a_fill and is_significant(self.problem, effect, tried)

    @cached_property
    def _values(self) -> dict[int, set[int]]:
        """Fingerprints by their position part."""
        found: dict[int, set[int]] = {}
        for value, _ in self._codes:
            found.setdefault(positions_of(value), set()).add(value)
        return found

    def _expanded(
        self, matches: Sequence[tuple[int, int]]
    ) -> Iterator[tuple[Hypothesis, Hypothesis]]:
        rows = self._by_fingerprint({value for match in matches for value in match})
        for first, second in matches:
            self.search.budget.spend(len(rows[first]) * len(rows[second]))
            for one in rows[first]:
                for other in rows[second]:
                    if (first != second or one < other) and self._fits_balances(one, other):
                        yield from self._pair(
                            self.search.hypothesis(one), self.search.hypothesis(other)
                        )

    def _fits_balances(self, one: Code, other: Code) -> bool:
        """True if a pair on different fills has the required effect on `settlement_balances`."""
        if one[0] == other[0] != NO_FILL:
            return False
        settlement_balances = self.problem.settlement_balances
        if not settlement_balances:
            return True
        self.search.budget.spend(OF_OPEN_VALUE)
        steps = self.problem.largest_steps_off(
            {
                name: [self._balance_patch(each, name) for each in (one, other)]
                for name in settlement_balances
            }
        )
        self._near_count += 0 < steps < _NEAR_STEPS
        return steps == 0

    def _balance_patch(self, code: Code, name: str) -> BalancePatch:
        key = (*code, name)
        found = self._balance_patches.get(key)
        if found is None:
            patch = self.search.hypothesis(code).patch
            found = self._balance_patches[key] = self.problem.balance_patch(patch, name)
        return found

    def _pair(
        self, first: Hypothesis, second: Hypothesis
    ) -> Iterator[tuple[Hypothesis, Hypothesis]]:
        if first.patch.has_common_row(second.patch):
            return
        if self.problem.reached_by(first.patch.joined(second.patch)):
            yield first_of(self.problem, first, second), second

    @cached_property
    def _codes(self) -> list[tuple[int, Code]]:
        """Fingerprint and code of every hypothesis that may be one of two."""
        search, fills = self.search, self.problem.fills
        search.budget.spend(len(fills) * OF_A_PREFILTER)
        targets = [self.problem.required, *self._decoys]
        kept = PairPrefilter(self.problem, search.fill_hypotheses, search.effects, targets).places()
        if kept is None:
            kept = PairPlaces(list(range(len(fills))), list(range(len(search.effects))))
        search.budget.spend(len(kept.places) * OF_A_FINGERPRINT)
        codes = list(search.codes_of_fills(kept.places))
        if self.problem.fault_in is FaultIn.STATEMENT:
            codes += search.suffixes()
        return [*codes, *search.codes_of_others(kept.others)]

    def _by_fingerprint(self, wanted: set[int]) -> dict[int, list[Code]]:
        found: dict[int, list[Code]] = {}
        for value, code in self._codes:
            if value in wanted:
                found.setdefault(value, []).append(code)
        return found


def _is_shown(hypothesis: Hypothesis) -> bool:
    """True if a fill with a fee, or its order, itself shows the fault, as few fills do."""
    removed, added = hypothesis.patch.removed, hypothesis.patch.added
    return (
        hypothesis.strength is Strength.SHOWN
        and len(removed) == len(added) == 1
        and bool(removed[0].fee)
    )
