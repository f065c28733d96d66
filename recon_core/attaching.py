"""Which diff gets which explanation; the search itself stands above and is handed in."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from recon_core.comparison import ItemKind, Judgement
from recon_core.explanation import Explanation, ExplanationVerdict
from recon_core.printable import printable

if TYPE_CHECKING:
    from recon_core.reconciliation import Reconciliation

Explain = Callable[["Reconciliation"], tuple[Explanation, ...]]
"""What says why the sides of a session differ, such as `recon_core.explain.explain`."""


def searched(reconciliation: "Reconciliation", explain: Explain) -> tuple[Explanation, ...]:
    """What `explain` finds. An error in it is an answer too: it must change no verdict."""
    try:
        return tuple(explain(reconciliation))
    except Exception as error:  # noqa: BLE001  # whatever it is, the diffs stand
        reason = f"{type(error).__name__}: {printable(error)}"
        failed = f"the search failed, which changes no verdict: {reason}"
        return (Explanation(ExplanationVerdict.NOT_SEARCHED, text=failed),)


class Attached:
    """The explanations of a session by the diffs that they name.

    Where nothing is proven, the positions and balances that differ get the first one.
    """

    def __init__(self, explanations: Iterable[Explanation]) -> None:
        self._named: dict[str, Explanation] = {}
        self._otherwise: Explanation | None = None
        for explanation in explanations:
            trimmed = explanation.trimmed()
            if self._otherwise is None and explanation.verdict is not ExplanationVerdict.UNIQUE:
                self._otherwise = trimmed
            for identity in explanation.explains:
                self._named.setdefault(identity, trimmed)

    def to(self, judgement: Judgement) -> Judgement:
        """The judgement, its diff with its explanation if it has one."""
        comparison, diff = judgement.comparison, judgement.diff
        found = self._named.get(comparison.identity)
        if found is None and comparison.item_kind in {ItemKind.POSITION, ItemKind.CASH}:
            found = self._otherwise
        if found is None or diff is None:
            return judgement
        return replace(judgement, diff=replace(diff, explanation=found))
