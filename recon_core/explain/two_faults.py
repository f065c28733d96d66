"""Two faults: those that steps for one fault find one after the other, and pairs of edits."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import Final

from recon_core.explain.answers.sequels import with_the_rest
from recon_core.explain.answers.verdicts import alternatives
from recon_core.explain.budget import OF_A_PRINT, OF_A_SIEVE
from recon_core.explain.faults.changed_numbers import tenfold
from recon_core.explain.faults.contradicted import contradicted
from recon_core.explain.faults.cumulative import Misread, misread
from recon_core.explain.faults.edits import Edit
from recon_core.explain.faults.solved_quantities import quantities
from recon_core.explain.faults.spans import others
from recon_core.explain.one_fault import OneFault
from recon_core.explain.proving.proof import Prover
from recon_core.explain.reading.order_reading import OrderReading
from recon_core.explain.searching.candidates import Found
from recon_core.explain.searching.nested import Nested
from recon_core.explain.searching.pair_search import PairSearch
from recon_core.explain.searching.search import Search
from recon_core.explain.searching.told_apart import ToldApart
from recon_core.explain.states.state_answers import partial_states
from recon_core.explanation import Explanation

_MOST_ATOMS: Final = 400
_MOST_TENFOLD: Final = 2_000


@dataclass(frozen=True, slots=True)
class TwoFaults:
    """The steps of one session that look for a second fault; `one` looked for a single one."""

    one: OneFault

    def explanations(self) -> tuple[Explanation, ...]:
        """The explanations of the first step that has any."""
        firsts = [*partial_states(self.one.prover), *self.one.rows.firsts()]
        found = with_the_rest(self.one.prover, firsts, self._rest)
        if found:
            return alternatives(found)
        for search in self.one.searches:
            for found_pairs in self._pairs(search):
                answers = self.one.best.proven(search.ground, found_pairs)
                if answers:
                    return self.one.best.solved(answers)
        return tuple(self.one.rows.in_part()[:1])

    def _rest(self, prover: Prover) -> tuple[Explanation, ...]:
        return OneFault(prover, self.one.budget).explanations()

    def _pairs(self, search: Search) -> Iterator[Iterable[Found]]:
        """Two edits of the rows, those first that take the least to find."""
        nested = Nested(search)
        yield ToldApart(search).pairs()
        if search.ground.unknown:
            yield nested.beside_positions()
        yield PairSearch(search.also_of(self._atoms(search))).pairs()
        yield from nested.pairs()

    def _atoms(self, search: Search) -> list[Edit | Misread]:
        """Edits of several rows, and those with a power of ten, for faults that come in pairs."""
        ground = search.ground
        reading = OrderReading(ground, search.fill_edits, self.one.budget)
        found: list[Edit | Misread] = [*reading.atoms()]
        self.one.budget.spend(len(ground.fills) * OF_A_SIEVE)
        found += islice(chain(others(ground), misread(ground)), _MOST_ATOMS)
        if len(ground.fills) <= _MOST_TENFOLD:
            self.one.budget.spend(len(ground.fills) * OF_A_PRINT * 2)
            found += contradicted(ground, search.fill_edits)
            found += tenfold(ground, search.fill_edits)
            found += quantities(ground, search.fill_edits)
        return found
