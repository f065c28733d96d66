"""Explanation of a session: prepared, searched by the plan, and completed for its reader.

Movements that a side posts only later are taken out first. An explanation is returned with the
number of remaining diffs, with whole entries of a repair, and with the aliases of the policy.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from recon_core.engine.reconciliation import Reconciliation
from recon_core.explain.answers.case import Case
from recon_core.explain.answers.fault_sequences import with_remaining_diffs
from recon_core.explain.answers.known import known_facts, precision_facts
from recon_core.explain.answers.pending_movements import and_pending, with_pending
from recon_core.explain.answers.residuals import missing_data
from recon_core.explain.answers.unlisted_figures import and_unlisted
from recon_core.explain.answers.verdicts import not_searched, too_many_rows, unexplained
from recon_core.explain.budget import MOST_ROWS, Budget, BudgetError, rows_of
from recon_core.explain.plan import PLAN, first_found
from recon_core.explain.problem.dimensions import deltas, dimensions_of, vector_of
from recon_core.explain.proof.prover import Prover, has_two_sides, with_tables
from recon_core.explain.repair.completion import with_whole_aliases
from recon_core.explain.repair.entries import with_proven_entries, with_whole_entries
from recon_core.model.explanation import Effort, Explanation, ExplanationVerdict
from recon_core.values.errors import ReconError
from recon_core.values.memory import without_collecting


def explain(
    reconciliation: Reconciliation,
    effort: Effort = Effort.FAST,
    *,
    repair_exchange: bool = False,
    divisor: int = 1,
) -> tuple[Explanation, ...]:
    """Return the explanations of why the two sides of a session differ.

    `repair_exchange`: the entries of a repair include those for the external side. The budget of
    the effort is divided by `divisor`. Several explanations are alternatives that the data cannot
    separate. Empty if the session has no diffs or cannot be compared. Raises nothing for the
    content of a session; the result depends on the session and the other arguments only.
    """
    if effort is Effort.OFF or not has_two_sides(reconciliation):
        return ()
    if rows_of(reconciliation.recorded) > MOST_ROWS:
        return _beyond(reconciliation)
    with without_collecting():
        found = _explained(with_tables(reconciliation), effort, divisor, for_both=repair_exchange)
    return tuple(with_whole_aliases(reconciliation.policy.aliases, one) for one in found)


def _explained(
    reconciliation: Reconciliation, effort: Effort, divisor: int, *, for_both: bool
) -> tuple[Explanation, ...]:
    """Return the explanations, with entries of the ledger alone unless `for_both` sides."""
    dimensions = dimensions_of(
        reconciliation.recorded, reconciliation.comparisons, reconciliation.policy.float_dust
    )
    prover = Prover(reconciliation, dimensions)
    posted, pending = with_pending(prover)
    if not prover.before or not posted.before:
        return and_unlisted(prover, ())
    found = _explain(posted, Budget.of(effort, rows_of(reconciliation.recorded), divisor))
    found = tuple(with_whole_entries(reconciliation, one) for one in found)
    found = tuple(
        with_proven_entries(reconciliation, one, repair_exchange=for_both) for one in found
    )
    found = tuple(and_pending(with_remaining_diffs(one, posted.before), pending) for one in found)
    return and_unlisted(prover, tuple(_with_facts(posted, found)))


def _beyond(reconciliation: Reconciliation) -> tuple[Explanation, ...]:
    """Return the explanation that a session has too many rows, if anything in it differs."""
    compared = (one for one in reconciliation.comparisons if one.check is None)
    if not any(reconciliation.judge_alone(one).diff for one in compared):
        return ()
    return (too_many_rows(rows_of(reconciliation.recorded), MOST_ROWS),)


def _with_facts(prover: Prover, found: Iterable[Explanation]) -> Iterator[Explanation]:
    """Yield explanations with what is known of the differences, if their causes are not proven.

    The precision that was inferred is among it, whatever is proven.
    """
    delta = deltas(prover.dimensions, prover.recorded)
    precision, facts = precision_facts(prover, delta), dict[str, tuple[str, ...]]()
    for one in found:
        if one.verdict is ExplanationVerdict.UNIQUE:
            yield replace(one, known=precision)
            continue
        left = str(one.residual)
        if left not in facts:
            facts[left] = known_facts(prover, vector_of(one.residual) or delta)
        yield replace(one, known=(*one.known, *facts[left], *precision))


def _explain(prover: Prover, budget: Budget) -> tuple[Explanation, ...]:
    dimensions = prover.dimensions
    delta = dimensions.real(deltas(dimensions, prover.recorded))
    try:
        found = first_found(Case(prover, budget), PLAN)
    except BudgetError:
        return (not_searched(delta),)
    except ReconError:
        found = ()
    if found or not delta:
        return found
    return (unexplained(prover, delta, missing_data(prover)),)
