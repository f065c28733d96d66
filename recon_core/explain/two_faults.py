"""Steps for two faults: one found after the other, or a pair of hypotheses."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import Final

from recon_core.explain.answers.sequels import with_the_rest
from recon_core.explain.answers.verdicts import alternatives
from recon_core.explain.budget import OF_A_FINGERPRINT, OF_A_PREFILTER
from recon_core.explain.faults.changed_numbers import tenfold
from recon_core.explain.faults.contradicted import contradicted
from recon_core.explain.faults.cumulative import Misread, misread
from recon_core.explain.faults.hypotheses import Hypothesis
from recon_core.explain.faults.solved_quantities import quantities
from recon_core.explain.faults.spans import others
from recon_core.explain.one_fault import OneFault
from recon_core.explain.proving.proof import Prover
from recon_core.explain.reading.order_interpretation import OrderInterpretation
from recon_core.explain.searching.candidates import Found
from recon_core.explain.searching.nested import Nested
from recon_core.explain.searching.pair_search import PairSearch
from recon_core.explain.searching.search import Search
from recon_core.explain.searching.told_apart import ToldApart
from recon_core.explain.states.state_answers import partial_states
from recon_core.model.explanation import Explanation

_MOST_ATOMS: Final = 400
"""Most hypotheses of several rows that may be one of a pair.

Each costs the effect of all its rows; orders with several fills give one each.
"""

_MOST_TENFOLD: Final = 2_000
"""Most fills of a session in which pairs include wrong figures of one fill.

Each fill has several such figures: the cost grows with the fills, and the chance of a
coincidence with their square.
"""


@dataclass(frozen=True, slots=True)
class TwoFaults:
    """The steps that look for two faults; `one` has looked for a single fault."""

    one: OneFault

    def explanations(self) -> tuple[Explanation, ...]:
        """Return the explanations of the first step that has any; last, a partial one by rows."""
        firsts = [*partial_states(self.one.prover), *self.one.rows.firsts()]
        found = with_the_rest(self.one.prover, firsts, self._rest)
        if found:
            return alternatives(found)
        for search in self.one.searches:
            for found_pairs in self._pairs(search):
                answers = self.one.best.proven(search.problem, found_pairs)
                if answers:
                    return self.one.best.solved(answers)
        return tuple(self.one.rows.in_part()[:1])

    def _rest(self, prover: Prover) -> tuple[Explanation, ...]:
        return OneFault(prover, self.one.budget).explanations()

    def _pairs(self, search: Search) -> Iterator[Iterable[Found]]:
        """Yield pairs of hypotheses step by step, the cheapest step first."""
        nested = Nested(search)
        yield ToldApart(search).pairs()
        if search.problem.unknown:
            yield nested.beside_positions()
        yield PairSearch(search.also_of(self._atoms(search))).pairs()
        yield from nested.pairs()

    def _atoms(self, search: Search) -> list[Hypothesis | Misread]:
        """Return further hypotheses for pairs: of several rows, and of a wrong figure of one fill.

        Such figures contradict the fill's fee, are off by a power of ten, or give the required
        quantity.
        """
        problem = search.problem
        reading = OrderInterpretation(problem, search.fill_hypotheses, self.one.budget)
        found: list[Hypothesis | Misread] = [*reading.atoms()]
        self.one.budget.spend(len(problem.fills) * OF_A_PREFILTER)
        found += islice(chain(others(problem), misread(problem)), _MOST_ATOMS)
        if len(problem.fills) <= _MOST_TENFOLD:
            self.one.budget.spend(len(problem.fills) * OF_A_FINGERPRINT * 2)
            found += contradicted(problem)
            found += tenfold(problem)
            found += quantities(problem)
        return found
