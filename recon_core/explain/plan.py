"""The plan of a search: its steps in order; the first step with an answer ends the search.

Within a step the answers with the best evidence count; if several of them differ in kind or
amount, none is `unique`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, islice
from typing import Final

from recon_core.explain.answers.best_answers import BestAnswers
from recon_core.explain.answers.doubts import has_unread_spans
from recon_core.explain.answers.residuals import ordered, rounded_answers
from recon_core.explain.answers.row_answers import RowAnswers
from recon_core.explain.answers.sequels import with_the_rest
from recon_core.explain.answers.state_answers import (
    beside_rounding,
    in_doubt,
    partial_states,
    state_answers,
)
from recon_core.explain.answers.verdicts import alternatives, explained, partial
from recon_core.explain.budget import OF_A_FINGERPRINT, OF_A_PREFILTER, OF_A_REPLAY, Budget
from recon_core.explain.causes import precedence
from recon_core.explain.causes.cumulative import Misread, misread
from recon_core.explain.causes.foreign import others
from recon_core.explain.causes.opening import first_balances
from recon_core.explain.causes.unstated_fills import at_any_price, replayed_fills
from recon_core.explain.problem.hypotheses import Hypothesis
from recon_core.explain.problem.problem import Problem
from recon_core.explain.problem.problems import problems
from recon_core.explain.proof.attempt import Answer
from recon_core.explain.proof.by_snapshots import operations
from recon_core.explain.proof.prover import Prover
from recon_core.explain.search.candidates import Found
from recon_core.explain.search.fitted import contradicted_by_fees, fitted, of_a_pair
from recon_core.explain.search.one_after_another import Nested, SeparatedPairs
from recon_core.explain.search.order_interpretation import OrderInterpretation
from recon_core.explain.search.pair_search import PairSearch
from recon_core.explain.search.search import Search
from recon_core.explain.search.systematic import spans, systematic
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


@dataclass
class OneFault:
    """The steps that look for a single fault of one session."""

    prover: Prover
    budget: Budget

    @cached_property
    def rows(self) -> RowAnswers:
        """The answers that the rows of both sides show."""
        return RowAnswers(self.prover, self.budget)

    @cached_property
    def best(self) -> BestAnswers:
        """The answers that a reconciliation confirms, and the candidates that were kept aside."""
        return BestAnswers(self.prover, self.budget)

    def explanations(self) -> tuple[Explanation, ...]:
        """Return the explanations of the first step that finds a single fault.

        A fault of a whole state is first, unless it is a rounding: an exact fault of the rows is
        better evidence than a rounding, which many amounts would fit.
        """
        states = state_answers(self.prover)
        if states and not precedence.are_roundings(states):
            return states
        for answers in self._exact_steps():
            if answers:
                found = explained(self.prover, answers)
                near = self.nearly() if has_unread_spans(answers) else ()
                return in_doubt((*found, *near)) if near else beside_rounding(found, states)
        for search in () if states else self.searches:
            answers = self.best.proven(search.problem, self._second_look(search))
            if answers:
                return self.best.solved(answers)
        return states

    def _exact_steps(self) -> Iterator[list[Answer]]:
        """Yield, step by step, the answers that account for every delta exactly, nothing fitted."""
        yield self.rows.best()
        for problem in self._problems:
            yield self.best.proven(
                problem, ((hypothesis,) for hypothesis in first_balances(problem))
            )
        for problem in self._problems:
            if problem.lagging:
                yield self.best.proven(problem, self._whole_rows(problem))
        for search in self.searches:
            whole = self._whole_rows(search.problem)
            yield self.best.proven(search.problem, [*whole, *((one,) for one in search.singles())])

    def _whole_rows(self, problem: Problem) -> Iterable[Found]:
        self.budget.spend(len(problem.fills) * OF_A_REPLAY)
        return ((hypothesis,) for hypothesis in spans(problem, self.prover.max_skew))

    def _second_look(self, search: Search) -> list[Found]:
        problem, hypotheses = search.problem, search.fill_hypotheses
        self.budget.spend(len(problem.fills) * 16)
        found: list[Found] = [
            (hypothesis,)
            for hypothesis in systematic(problem)
            if problem.reached_by(hypothesis.patch)
        ]
        found += [(hypothesis,) for hypothesis in fitted(problem)]
        found += [(hypothesis,) for hypothesis in replayed_fills(problem, self.budget)]
        found += [(one,) for one in contradicted_by_fees(problem) if problem.reached_by(one.patch)]
        read = OrderInterpretation(
            problem, hypotheses, self.budget, search.max_skew
        ).interpretations()
        found += [one for one in read if len(one) == 1 or not found]
        return found

    def guessed(self) -> tuple[Explanation, ...]:
        """Return explanations by a missing fill at any price, which fits almost any effect."""
        for search in self.searches:
            hypotheses = at_any_price(search.problem)
            answers = self.best.proven(search.problem, [(hypothesis,) for hypothesis in hypotheses])
            if answers:
                return self.best.solved(answers)
        return ()

    def nearly(self) -> tuple[Explanation, ...]:
        """Return explanations that leave a fee, or the digits that cash was rounded by."""
        shown = ordered(self.prover, self.searches, self.budget)
        if shown is not None:
            return (partial(self.prover, shown),)
        return rounded_answers(self.prover, self.searches, self._second_look, self.budget)

    @cached_property
    def searches(self) -> list[Search]:
        """The searches of this session, one for each problem in which rows are searched."""
        return [
            Search(problem, self.budget, max_skew=self.prover.max_skew)
            for problem in self._problems
            if not problem.lagging
        ]

    @cached_property
    def _problems(self) -> list[Problem]:
        prover = self.prover
        found = problems(prover.recorded, prover.dimensions, prover.reconciliation.replays)
        self.budget.spend(sum(map(operations, found)))
        return found


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
        yield SeparatedPairs(search).pairs()
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
            found += contradicted_by_fees(problem)
            found += of_a_pair(problem)
        return found
