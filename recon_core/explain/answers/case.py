"""One session to explain: the data that its strategies share, each computed once."""

from dataclasses import dataclass, replace
from functools import cached_property

from recon_core.explain.answers.best_answers import BestAnswers
from recon_core.explain.answers.row_answers import RowAnswers
from recon_core.explain.answers.state_answers import StateAnswers, state_answers
from recon_core.explain.budget import Budget
from recon_core.explain.problem.problem import Problem
from recon_core.explain.problem.problems import problems
from recon_core.explain.proof.prover import Prover
from recon_core.explain.proof.snapshot_evidence import operations
from recon_core.explain.search.search import Search
from recon_core.model.explanation import Explanation


@dataclass(frozen=True)  # no slots: cached properties keep their values
class Case:
    """A session to explain, and the operations that its search may cost."""

    prover: Prover
    budget: Budget

    @cached_property
    def of_states(self) -> StateAnswers:
        """The explanations by faults of a whole state, and their strength."""
        return state_answers(self.prover)

    @property
    def states(self) -> tuple[Explanation, ...]:
        """The explanations by faults of a whole state."""
        return self.of_states.explanations

    @cached_property
    def rows(self) -> RowAnswers:
        """The answers that the rows of both sides show."""
        return RowAnswers(self.prover, self.budget)

    @cached_property
    def best(self) -> BestAnswers:
        """The confirmed answers, and the candidates that snapshots contradict."""
        return BestAnswers(self.prover, self.budget)

    @cached_property
    def problems(self) -> list[Problem]:
        """The search problems of the session."""
        prover = self.prover
        found = problems(prover.recorded, prover.dimensions, prover.reconciliation.replays)
        for problem in found:
            problem.postings = replace(problem.postings, meter=self.budget)
        self.budget.spend(sum(map(operations, found)))
        return found

    @cached_property
    def searches(self) -> list[Search]:
        """The searches of the session, one for each problem in which rows are searched."""
        return [
            Search(problem, self.budget, max_skew=self.prover.max_skew)
            for problem in self.problems
            if not problem.stale_only
        ]
