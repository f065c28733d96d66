"""The explanations of a session, handed to the diffs that they name."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from recon_core.model.comparison import ItemKind, Judgement
from recon_core.model.explanation import Explanation, ExplanationVerdict

_STATES: Final = frozenset({ItemKind.POSITION, ItemKind.CASH, ItemKind.HOLDING})


class DiffExplanations:
    """The explanations of a session by the diffs that they name.

    Where nothing is proven, the positions and balances that differ get the first one.
    """

    def __init__(self, explanations: Iterable[Explanation]) -> None:
        self._named: dict[str, Explanation] = {}
        self._unproven: Explanation | None = None
        for explanation in explanations:
            trimmed = explanation.trimmed()
            if self._unproven is None and explanation.verdict is not ExplanationVerdict.UNIQUE:
                self._unproven = trimmed
            for identity in explanation.explains:
                self._named.setdefault(identity, trimmed)

    def to(self, judgement: Judgement) -> Judgement:
        """The judgement, its diff with its explanation if it has one."""
        comparison, diff = judgement.comparison, judgement.diff
        found = self._named.get(comparison.identity)
        if found is None and comparison.item_kind in _STATES:
            found = self._unproven
        if found is None or diff is None:
            return judgement
        return replace(judgement, diff=replace(diff, explanation=found))
