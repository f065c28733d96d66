"""Deferred search for explanations: a reconciliation without diffs never imports it."""

from typing import TYPE_CHECKING

from recon_core.engine.reconciliation import Explain
from recon_core.model.explanation import Effort, Explanation

if TYPE_CHECKING:
    from recon_core.engine.reconciliation import Reconciliation


def explainer(effort: Effort, *, repair_exchange: bool = False, divisor: int = 1) -> Explain | None:
    """Return the search with an effort, `None` for `Effort.OFF`.

    `repair_exchange`: the entries of a repair include those for the external side. The budget of
    the effort is divided by `divisor`.
    """
    if effort is Effort.OFF:
        return None

    def explain_now(reconciliation: "Reconciliation") -> tuple[Explanation, ...]:
        from recon_core.explain import explain  # noqa: PLC0415  # only where there is a diff

        return explain(reconciliation, effort, repair_exchange=repair_exchange, divisor=divisor)

    return explain_now
