"""Why two states differ: causes that account for every delta exactly, with proof."""

from recon_core.explain import explainer
from recon_core.explain.repairing.renaming import with_whole_aliases
from recon_core.explain.repairing.repair import (
    RepairEntry,
    apply_entries,
    entries_of,
    with_whole_bookings,
)
from recon_core.explanation import Effort, Explanation
from recon_core.reconciliation import Reconciliation

__all__ = ["RepairEntry", "apply_entries", "entries_of", "explain"]


def explain(
    reconciliation: Reconciliation, effort: Effort = Effort.FAST
) -> tuple[Explanation, ...]:
    """Why the two sides of a session differ.

    Nothing for a session without diffs, or that cannot be compared. One explanation, or
    one for each alternative where the books do not decide. Never raises for what a
    session holds; the answer depends on the session and the effort only.
    """
    found = explainer.explain(reconciliation, effort)
    whole = (with_whole_bookings(reconciliation, explanation) for explanation in found)
    return tuple(with_whole_aliases(reconciliation.policy.aliases, each) for each in whole)
