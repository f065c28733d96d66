"""The budget counts what a search does, and what is refused early is what would be refused."""

from datetime import timedelta
from decimal import Decimal
from functools import partial

import pytest

from recon_core.explain.answers.case import Case
from recon_core.explain.budget import OF_A_POSTING, Budget, BudgetError
from recon_core.explain.causes import stale
from recon_core.explain.plan import PLAN, first_found
from recon_core.explain.problem.dimensions import add_to, plus
from recon_core.explain.problem.hypotheses import together
from recon_core.explain.search.order_interpretation import _Effects
from recon_core.explain.search.search import Search
from recon_core.ledger import PositionLedger
from recon_core.ledger.timeline import in_order
from recon_core.model import Fill
from recon_core.model.explanation import CauseKind, Effort
from tests.explain.problems import problems_of, prover_of
from tests.trials.bases import Evidence
from tests.trials.drawing import Wanted, drawn
from tests.trials.placing import Placement
from tests.trials.worlds import drawn_of, world_named

BEHIND = partial(Wanted, CauseKind.STALE_SIDE, Evidence.STATES, Placement.EXCHANGE)
DERIVATIVES = ("made_margin", "made_hedge", "two_strategies_inverse", "bt_futures_ema_funding")


def test_done_work_is_charged_and_refused_later() -> None:
    """A charge may go below 0; the next step is refused then, even one that costs nothing."""
    budget = Budget(10)
    budget.spend(4)
    budget.charge(9)
    assert budget.left == -3
    with pytest.raises(BudgetError):
        budget.spend(0)
    assert Budget.unlimited().left > Budget.of(Effort.FULL, 10**9).left


def test_a_posted_row_is_charged_to_its_session() -> None:
    """The problems of a case post rows at the cost of its budget."""
    trial = drawn(1, BEHIND(name="made_margin"))
    assert trial is not None
    budget = Budget.of(Effort.FAST, 100)
    case = Case(prover_of(trial.placed.recorded), budget)
    problem = case.problems[0]
    before = budget.left
    problem.postings.fill(problem.fills[0])
    assert before - budget.left == OF_A_POSTING


@pytest.mark.large
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("world", ["coin-margined", "hedge"])
def test_a_search_of_noise_costs_little_more_than_its_budget(world: str, seed: int) -> None:
    """Between two steps that can be refused, no more than a tenth of the budget is done."""
    found = drawn_of(world_named(world), 3 * seed + 2)
    assert found is not None
    budget = Budget.of(Effort.FAST, 100)
    whole = budget.left
    try:
        first_found(Case(prover_of(found.recorded), budget), PLAN)
    except BudgetError:
        assert budget.left < whole // 2
    assert budget.left >= -whole // 10


@pytest.mark.parametrize("name", DERIVATIVES)
@pytest.mark.parametrize("seed", range(4))
def test_spans_refused_by_positions_have_another_state(name: str, seed: int) -> None:
    """Wherever the replay of derivatives gives the state that is asked for, so do the positions."""
    trial = drawn(seed, BEHIND(name=name))
    assert trial is not None
    met = 0
    for problem in problems_of(prover_of(trial.placed.recorded)):
        rows = list(in_order(problem.record.fills or (), problem.record.movements or ()))
        target = problem.dimensions.seen(plus(problem.replayed, problem.exact))
        kept = set(stale._with_positions(problem, rows, target))
        ledger = PositionLedger(
            instruments=problem.recorded.instruments,
            currencies=problem.recorded.currencies,
            opening=problem.record.opening,
        )
        for at, row in enumerate(rows):
            is_first = at == 0 or rows[at - 1].time != row.time
            if is_first and stale._is_state(problem, ledger, target):
                assert at in kept, (name, seed, at)
                met += 1
            if isinstance(row, Fill):
                ledger.apply_fill(row)
            else:
                ledger.apply_movement(row)
    assert met


@pytest.mark.parametrize("name", ["made_partials", "made_hedge", "two_strategies_inverse"])
def test_effects_of_single_rows_add_up(name: str) -> None:
    """Hypotheses on different rows reach what their patches reach together."""
    trial = drawn(2, BEHIND(name=name))
    assert trial is not None
    for problem in problems_of(prover_of(trial.placed.recorded)):
        effects, fills = _Effects(problem), problem.fills[:6]
        options = Search(problem, Budget.unlimited(), max_skew=timedelta()).fill_hypotheses
        removed = [options.hypothesis(fill, "remove") for fill in fills]
        for chosen in ([one] for one in removed):
            assert effects.reach(chosen) is problem.reached_by(together(chosen))
        assert effects.reach(removed) is problem.reached_by(together(removed))
        total = together(removed).vector(problem.postings)
        added: dict[str, Decimal] = {}
        for one in removed:
            for key, amount in effects._vector(one).items():
                add_to(added, key, amount)
        assert {key: amount for key, amount in added.items() if amount} == {
            key: amount for key, amount in total.items() if amount
        }
