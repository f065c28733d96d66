"""Explaining a session: what is tried, in which order, and when an answer is proven.

First what the exchange's own books say against its rows, and what is left without that; then
what the rows of both sides show, then faults of a whole state, then one fault, then
two. The first step that gives an answer ends the search; within a step the answers with the
best evidence count, and where several of them differ in kind or amount none is named alone.
"""

from recon_core.errors import ReconError
from recon_core.explain.answers.rounded_cash import lacking
from recon_core.explain.answers.sequels import with_the_rest
from recon_core.explain.answers.staying import with_what_stays
from recon_core.explain.answers.verdicts import (
    alternatives,
    explained,
    not_searched,
    partial,
    unexplained,
)
from recon_core.explain.budget import Budget, BudgetError, rows_of
from recon_core.explain.effects.space import deltas, space_of
from recon_core.explain.one_fault import OneFault
from recon_core.explain.pending import and_pending, with_pending
from recon_core.explain.proving.attempt import Answer
from recon_core.explain.proving.proof import Prover, can_differ
from recon_core.explain.two_faults import TwoFaults
from recon_core.explanation import Effort, Explanation, ExplanationVerdict
from recon_core.quick_memory import without_collecting
from recon_core.reconciliation import Reconciliation


def explain(
    reconciliation: Reconciliation, effort: Effort = Effort.FAST
) -> tuple[Explanation, ...]:
    """Why the two sides of a session differ.

    Nothing for a session without diffs, or that cannot be compared. One explanation, or
    one for each alternative where the books do not decide. Never raises for what a
    session holds; the answer depends on the session and the effort only.
    """
    if effort is Effort.OFF or not can_differ(reconciliation):
        return ()
    space = space_of(
        reconciliation.recorded, reconciliation.comparisons, reconciliation.policy.float_dust
    )
    prover = Prover(reconciliation, space)
    settled, pending = with_pending(prover)
    if not prover.before or not settled.before:
        return ()
    with without_collecting():
        found = _explain(settled, Budget.of(effort, rows_of(reconciliation.recorded)))
    whole = (with_what_stays(one, settled.before) for one in found)
    return tuple(and_pending(one, pending) for one in whole)


def _explain(prover: Prover, budget: Budget) -> tuple[Explanation, ...]:
    space = prover.space
    delta = space.real(deltas(space, prover.recorded))
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
    """The explanations of the first step that has any; last what fits but the snapshots."""
    one = OneFault(prover, budget)
    if one.rows.contradicted is not None:
        return _with_the_rest(prover, budget, one.rows.contradicted)
    found = one.explanations() or TwoFaults(one).explanations()
    found = found or one.guessed() or one.nearly()
    return found or one.best.against_snapshots()


def _with_the_rest(prover: Prover, budget: Budget, first: Answer) -> tuple[Explanation, ...]:
    """What the exchange's own books tell, and what is left then, if that is told as well."""
    told = explained(prover, [first])
    if first.outcome.proven or told[0].verdict is not ExplanationVerdict.UNIQUE:
        return told
    firsts = [(told[0], first.side, first.repaired)]
    found = with_the_rest(prover, firsts, lambda rest: _first_found(rest, budget))
    return alternatives(found) if found else (partial(prover, first),)
