"""The search for explanations, to be handed to a reconciliation; loaded when it is needed."""

from typing import TYPE_CHECKING

from recon_core.attaching import Explain
from recon_core.explanation import Effort, Explanation

if TYPE_CHECKING:
    from recon_core.reconciliation import Reconciliation


def explainer(effort: Effort) -> Explain | None:
    """The search with an effort, `None` where none is wanted."""
    if effort is Effort.OFF:
        return None

    def explained(reconciliation: "Reconciliation") -> tuple[Explanation, ...]:
        from recon_core.explain import explain  # noqa: PLC0415  # only where there is a diff

        return explain(reconciliation, effort)

    return explained
