"""Order of the steps that explain a session; the first step with an answer ends the search.

1. Rows of the exchange that its own books contradict; then the session without them.
2. One fault: of a whole state, shown by the rows of both sides, or searched in the rows.
3. Two faults, or rows that explain a part of the deltas.
4. Weak fits: a missing fill at any price, cash off by a fee or its rounding, answers that
   contradict snapshots.

Within a step the answers with the best evidence count. If several of them differ in kind or
amount, none is `unique`.
"""

from recon_core.engine.reconciliation import Reconciliation
from recon_core.explain.answers.pending import and_pending, with_pending
from recon_core.explain.answers.residuals import lacking
from recon_core.explain.answers.sequels import with_the_rest, with_what_stays
from recon_core.explain.answers.verdicts import (
    alternatives,
    explained,
    not_searched,
    partial,
    unexplained,
)
from recon_core.explain.budget import Budget, BudgetError, rows_of
from recon_core.explain.plan import OneFault, TwoFaults
from recon_core.explain.problem.dimensions import deltas, dimensions_of
from recon_core.explain.proof.attempt import Answer
from recon_core.explain.proof.prover import Prover, can_differ
from recon_core.explain.repair.entries import with_whole_bookings
from recon_core.explain.repair.whole import with_whole_aliases
from recon_core.model.explanation import Effort, Explanation, ExplanationVerdict
from recon_core.values.errors import ReconError
from recon_core.values.memory import without_collecting


def explain(
    reconciliation: Reconciliation, effort: Effort = Effort.FAST
) -> tuple[Explanation, ...]:
    """Return the explanations of why the two sides of a session differ.

    Several explanations are alternatives that the data cannot separate. Empty if the session
    has no diffs or cannot be compared. Raises nothing for the content of a session; the result
    depends on the session and the effort only.
    """
    if effort is Effort.OFF or not can_differ(reconciliation):
        return ()
    dimensions = dimensions_of(
        reconciliation.recorded, reconciliation.comparisons, reconciliation.policy.float_dust
    )
    prover = Prover(reconciliation, dimensions)
    settled, pending = with_pending(prover)
    if not prover.before or not settled.before:
        return ()
    with without_collecting():
        found = _explain(settled, Budget.of(effort, rows_of(reconciliation.recorded)))
    found = tuple(and_pending(with_what_stays(one, settled.before), pending) for one in found)
    found = tuple(with_whole_bookings(reconciliation, one) for one in found)
    return tuple(with_whole_aliases(reconciliation.policy.aliases, one) for one in found)


def _explain(prover: Prover, budget: Budget) -> tuple[Explanation, ...]:
    dimensions = prover.dimensions
    delta = dimensions.real(deltas(dimensions, prover.recorded))
    try:
        found = _first_found(prover, budget)
    except BudgetError:
        return (not_searched(delta),)
    except ReconError:
        found = ()
    if found or not delta:
        return found
    return (unexplained(prover, delta, lacking(prover)),)


def _first_found(prover: Prover, budget: Budget) -> tuple[Explanation, ...]:
    """Return the explanations of the first step that has any; last, answers against snapshots."""
    one = OneFault(prover, budget)
    if one.rows.contradicted is not None:
        return _with_the_rest(prover, budget, one.rows.contradicted)
    found = one.explanations() or TwoFaults(one).explanations()
    found = found or one.guessed() or one.nearly()
    return found or one.best.against_snapshots()


def _with_the_rest(prover: Prover, budget: Budget, first: Answer) -> tuple[Explanation, ...]:
    """Explain the rows that the exchange's own books contradict, then the remaining deltas.

    `partial` if the remaining deltas have no answer.
    """
    told = explained(prover, [first])
    if first.outcome.proven or told[0].verdict is not ExplanationVerdict.UNIQUE:
        return told
    firsts = [(told[0], first.side, first.repaired)]
    found = with_the_rest(prover, firsts, lambda rest: _first_found(rest, budget))
    return alternatives(found) if found else (partial(prover, first),)
