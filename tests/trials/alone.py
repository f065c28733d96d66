"""Every strategy of the plan asked alone, and every hypothesis that any source proposes.

An answer ends the plan: what comes after it is not asked of that session, and what was proposed
and not proven leaves no trace. Here each strategy is asked as if no other one had an answer, and
each source of hypotheses is listed, so that a rule shows that another answer hides.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Final

from recon_core.engine.reconciliation import Reconciliation
from recon_core.explain import causes
from recon_core.explain.answers.case import Case
from recon_core.explain.budget import Budget, BudgetError
from recon_core.explain.causes.cumulative import misread
from recon_core.explain.causes.foreign import others
from recon_core.explain.causes.opening import first_balances
from recon_core.explain.causes.quantity import quantities, quantities_with_slip
from recon_core.explain.causes.unstated_fills import at_any_price, replayed_fills
from recon_core.explain.plan import PLAN, pairs_of_faults
from recon_core.explain.problem.chances import is_coarse, is_little, is_much
from recon_core.explain.problem.dimensions import Vector, dimensions_of
from recon_core.explain.problem.hypotheses import Hypothesis
from recon_core.explain.problem.market import market_of
from recon_core.explain.problem.problem import Problem
from recon_core.explain.problem.wording import row_text
from recon_core.explain.proof.prover import Prover, has_two_sides
from recon_core.explain.search.fitted_faults import contradicted_by_fees, fitted, of_a_pair
from recon_core.explain.search.order_interpretation import OrderInterpretation
from recon_core.explain.search.pair_prefilter import PairPrefilter
from recon_core.explain.search.prefilter import Prefilter
from recon_core.explain.search.search import Search
from recon_core.explain.search.states import state_hypotheses
from recon_core.explain.search.systematic_faults import reducing, spans, systematic
from recon_core.model.explanation import Explanation
from recon_core.values.errors import ReconError

_OPERATIONS: Final = 20_000
"""Budget of each strategy: a fiftieth of a second, in which most answers of few rows are found."""

_MOST_LISTED: Final = 12
"""Hypotheses of one source that are listed, and fills of a problem whose options are."""

_MOST_COUNTED: Final = 10
"""Rows that a fault is taken to be searched in, for measures of coincidence."""

_Question = Callable[[Case], list[object]]


def answered_alone(reconciliation: Reconciliation) -> tuple[list[object], list[int]]:
    """Answers by strategy and hypotheses by source, and what each left of its budget."""
    if not has_two_sides(reconciliation):
        return [], []
    recorded = reconciliation.recorded
    dimensions = dimensions_of(
        recorded, reconciliation.comparisons, reconciliation.policy.float_dust
    )
    budget = Budget(_OPERATIONS)
    case = Case(Prover(reconciliation, dimensions), budget)
    # Pairs take half of the time, and every session of two faults is asked for them.
    asked: list[_Question] = [partial(_by, one) for one in PLAN if one is not pairs_of_faults]
    found, left = list[object](), list[int]()
    for ask in (*asked, _of_states, _of_problems):
        budget.left = _OPERATIONS
        try:
            answer: object = ask(case)
        except BudgetError:
            answer = "the budget ended"
        except ReconError as error:
            answer = str(error)
        found.append(answer)
        left.append(budget.left)
    return found, left


def _by(strategy: Callable[[Case], Iterable[Explanation]], case: Case) -> list[object]:
    return [one.to_dict() for one in strategy(case)]


def _of_states(case: Case) -> list[object]:
    prover = case.prover
    found = state_hypotheses(prover.dimensions, prover.recorded, prover.reconciliation.replays)
    return [
        [one.cause_kind, one.side, one.detail, one.words, one.renamed, one.forms, one.strength,
         _texts(one.correction),
         [family.state_doubt(prover.dimensions, prover.recorded, [one])
          for family in causes.CAUSES]]
        for one in islice(found, _MOST_LISTED)
    ]  # fmt: skip


def _of_problems(case: Case) -> list[object]:
    return [list(_of_problem(case, search)) for search in case.searches]


def _of_problem(case: Case, search: Search) -> Iterator[object]:
    problem, skew = search.problem, case.prover.max_skew
    required, hypotheses = problem.required, search.fill_hypotheses
    yield [problem.side, problem.fault_in.name, _texts(required), _texts(dict(problem.moved))]
    yield [is_much(problem, required), is_little(problem, required),
           is_little(problem, required, of_fees=True),
           is_coarse(problem, _MOST_COUNTED)]  # fmt: skip
    yield sorted(problem.postings.fee_precision.inferred.items())
    yield from (_of_market(problem, name) for name in problem.by_symbol)
    yield Prefilter(problem).places()
    yield PairPrefilter(problem, hypotheses, search.effects, [required]).places()
    orders = OrderInterpretation(problem, hypotheses, case.budget, skew)
    sources: list[Iterable[Hypothesis]] = [
        spans(problem, skew), systematic(problem), reducing(problem), fitted(problem),
        of_a_pair(problem), contradicted_by_fees(problem), others(problem),
        quantities(problem), quantities_with_slip(problem), at_any_price(problem),
        first_balances(problem), replayed_fills(problem, case.budget), search.others,
        (one.hypothesis() for one in misread(problem)), orders.of_each_order(),
        (one for together in orders.interpretations() for one in together), _of_fills(search),
    ]  # fmt: skip
    for source in sources:
        found = list(islice(source, _MOST_LISTED))
        yield [[*_of_hypothesis(problem, one), _rivals(case, problem, [one])] for one in found]
        yield _rivals(case, problem, found[:2])


def _of_fills(search: Search) -> Iterator[Hypothesis]:
    """The hypotheses on the first fills."""
    fingerprints, hypotheses = search.fingerprints, search.fill_hypotheses
    for fill in search.problem.fills[:_MOST_LISTED]:
        for name, _ in hypotheses.options(fill, *fingerprints.of_fill(fill)):
            yield hypotheses.hypothesis(fill, name)


def _of_market(problem: Problem, name: str) -> list[object]:
    market = market_of(problem, name)
    models = [repr(model) for model in problem.schedules.of(name).values()]
    if market is None:
        return [name, models]
    return [name, models, market.tick_places, market.lot_places, market.usual_lot_places]


def _of_hypothesis(problem: Problem, one: Hypothesis) -> list[object]:
    patch = one.patch
    rows = [list(map(row_text, each)) for each in (one.rows, patch.rows_removed, patch.rows_added)]
    effect = _texts(patch.vector(problem.postings))
    return [one.cause_kind, one.side, one.detail, one.strength, repr(one.facts), rows, effect]


def _rivals(case: Case, problem: Problem, found: Sequence[Hypothesis]) -> list[object]:
    return [
        [{str(at): list(map(row_text, rows)) for at, rows in rival.left.items()}, rival.decides,
         rival.is_timed, _of_hypothesis(problem, rival.hypothesis)]
        for family in causes.CAUSES
        for rival in family.rivals(problem, found, case.prover.max_skew)
    ]  # fmt: skip


def _texts(vector: Vector) -> dict[str, str]:
    return {name: f"{amount.normalize():f}" for name, amount in vector.items() if amount}
