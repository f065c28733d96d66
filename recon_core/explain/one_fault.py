"""One fault: what the rows show, a fault of a whole state, or one fault of the rows.

The first step that gives an answer ends the search; within a step the answers with the best
evidence count, and where several of them differ in kind or amount none is named alone.
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
from recon_core.explain.grounds.ground import Ground
from recon_core.explain.grounds.grounds import grounds
from recon_core.explain.order_partials import ordered
from recon_core.explain.proving.attempt import Answer
from recon_core.explain.proving.proof import Prover
from recon_core.explain.proving.since import operations
from recon_core.explain.reading.first_balances import first_balances
from recon_core.explain.reading.order_reading import OrderReading
from recon_core.explain.row_answers import RowAnswers
from recon_core.explain.searching.candidates import Found
from recon_core.explain.searching.search import Search
from recon_core.explain.states.state_answers import (
    beside_rounding,
    in_doubt,
    only_rounded,
    state_answers,
)
from recon_core.explanation import Explanation


@dataclass
class OneFault:
    """The steps of one session that look for a single fault."""

    prover: Prover
    budget: Budget

    @cached_property
    def rows(self) -> RowAnswers:
        """What the rows of both sides show."""
        return RowAnswers(self.prover, self.budget)

    @cached_property
    def best(self) -> BestAnswers:
        """What was borne out, and what was put aside."""
        return BestAnswers(self.prover, self.budget)

    def explanations(self) -> tuple[Explanation, ...]:
        """What the rows show, a fault of a whole state, or one fault of the rows."""
        states = state_answers(self.prover)
        if states and not only_rounded(states):
            return states
        for answers in self._exact_steps():
            if answers:
                found = explained(self.prover, answers)
                near = self.nearly() if has_unread_spans(answers) else ()
                return in_doubt((*found, *near)) if near else beside_rounding(found, states)
        for search in () if states else self.searches:
            answers = self.best.proven(search.ground, self._second_look(search))
            if answers:
                return self.best.solved(answers)
        return states

    def _exact_steps(self) -> Iterator[list[Answer]]:
        """What accounts for everything to the last digit, without any number solved for.

        A row that does is worth more than a rounding, which many amounts would fit.
        """
        yield self.rows.best()
        for ground in self._grounds:
            yield self.best.proven(ground, ((edit,) for edit in first_balances(ground)))
        for ground in self._grounds:
            if ground.lagging:
                yield self.best.proven(ground, self._whole_rows(ground))
        for search in self.searches:
            whole = self._whole_rows(search.ground)
            yield self.best.proven(search.ground, [*whole, *((one,) for one in search.singles())])

    def _whole_rows(self, ground: Ground) -> Iterable[Found]:
        self.budget.spend(len(ground.fills) * OF_A_REPLAY)
        return ((edit,) for edit in spans(ground, self.prover.max_skew))

    def _second_look(self, search: Search) -> list[Found]:
        ground, edits = search.ground, search.fill_edits
        self.budget.spend(len(ground.fills) * 16)
        found: list[Found] = [
            (edit,) for edit in systematic(ground, edits) if ground.reached_by(edit.change)
        ]
        found += [(edit,) for edit in solved(ground, edits)]
        found += [(edit,) for edit in replayed_fills(ground, edits, self.budget)]
        found += [(one,) for one in contradicted(ground, edits) if ground.reached_by(one.change)]
        read = OrderReading(ground, edits, self.budget, search.max_skew).readings()
        found += [one for one in read if len(one) == 1 or not found]
        return found

    def guessed(self) -> tuple[Explanation, ...]:
        """What fits, and would fit whatever was needed: for want of anything better."""
        for search in self.searches:
            edits = guessed(search.ground, search.fill_edits)
            answers = self.best.proven(search.ground, [(edit,) for edit in edits])
            if answers:
                return self.best.solved(answers)
        return ()

    def nearly(self) -> tuple[Explanation, ...]:
        """What orders show but for a fee, or what fits cash that was rounded."""
        shown = ordered(self.prover, self.searches, self.budget)
        if shown is not None:
            return (partial(self.prover, shown),)
        return rounded_answers(self.prover, self.searches, self._second_look, self.budget)

    @cached_property
    def searches(self) -> list[Search]:
        """A search of every ground on which rows are looked for."""
        return [
            Search(ground, self.budget, max_skew=self.prover.max_skew)
            for ground in self._grounds
            if not ground.lagging
        ]

    @cached_property
    def _grounds(self) -> list[Ground]:
        prover = self.prover
        found = grounds(prover.recorded, prover.space, prover.reconciliation.replays)
        self.budget.spend(sum(map(operations, found)))
        return found
