"""Steps for a single fault: of a whole state, shown by the rows, or searched in the rows.

The first step with an answer ends the search. Within a step the answers with the best evidence
count; if several of them differ in kind or amount, none is `unique`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from recon_core.explain.answers.answer_doubts import has_unread_spans
from recon_core.explain.answers.best_answers import BestAnswers
from recon_core.explain.answers.rounded_cash import rounded_answers
from recon_core.explain.answers.verdicts import explained, partial
from recon_core.explain.budget import OF_A_REPLAY, Budget
from recon_core.explain.faults.contradicted import contradicted
from recon_core.explain.faults.replayed_fills import replayed_fills
from recon_core.explain.faults.solved import guessed, solved
from recon_core.explain.faults.spans import spans
from recon_core.explain.faults.systematic import systematic
from recon_core.explain.order_partials import ordered
from recon_core.explain.problems.problem import Problem
from recon_core.explain.problems.problems import problems
from recon_core.explain.proving.attempt import Answer
from recon_core.explain.proving.proof import Prover
from recon_core.explain.proving.since import operations
from recon_core.explain.reading.first_balances import first_balances
from recon_core.explain.reading.order_interpretation import OrderInterpretation
from recon_core.explain.row_answers import RowAnswers
from recon_core.explain.searching.candidates import Found
from recon_core.explain.searching.search import Search
from recon_core.explain.states.state_answers import (
    beside_rounding,
    in_doubt,
    only_rounded,
    state_answers,
)
from recon_core.model.explanation import Explanation


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
        if states and not only_rounded(states):
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
        found += [(hypothesis,) for hypothesis in solved(problem)]
        found += [(hypothesis,) for hypothesis in replayed_fills(problem, self.budget)]
        found += [(one,) for one in contradicted(problem) if problem.reached_by(one.patch)]
        read = OrderInterpretation(
            problem, hypotheses, self.budget, search.max_skew
        ).interpretations()
        found += [one for one in read if len(one) == 1 or not found]
        return found

    def guessed(self) -> tuple[Explanation, ...]:
        """Return explanations by a missing fill at any price, which fits almost any effect."""
        for search in self.searches:
            hypotheses = guessed(search.problem)
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
