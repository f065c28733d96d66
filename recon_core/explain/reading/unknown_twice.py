"""Repeated rows that the other side does not list at all.

One of them is an orphan fill, the others are its duplicates: a duplicate is always a duplicate of
another row. Example: the ledger lists fill 7 three times, the exchange never; the answer is one
`orphan_fill` and two `duplicate_fill`.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from recon_core.explain.effects.postings import order_name
from recon_core.explain.faults.fill_hypotheses import twin
from recon_core.explain.faults.hypotheses import NEAR_TWIN, Hypothesis, Strength
from recon_core.model import Fill
from recon_core.model.explanation import CauseKind

_FEWEST: Final = 2
"""Fewest removals of duplicates that can leave no copy: a single removal leaves a copy."""


def with_orphans(
    hypotheses: Sequence[Hypothesis], fills: Sequence[Fill], strength: Strength
) -> list[Hypothesis]:
    """Return the hypotheses; a removal that leaves no copy in `fills` becomes an orphan fill.

    `fills` are all fills of the side. An orphan has `rank`, or its own rank if that is weaker.
    """
    removals = [hypothesis for hypothesis in hypotheses if _is_repetition(hypothesis)]
    if len(removals) < _FEWEST:
        return list(hypotheses)
    gone = Counter(id(hypothesis.patch.removed[0]) for hypothesis in removals)
    ids = {hypothesis.patch.removed[0].fill_id for hypothesis in removals}
    twins = {twin(hypothesis.patch.removed[0]) for hypothesis in removals}
    left = []
    for fill in fills:
        if gone[id(fill)]:
            gone[id(fill)] -= 1
        elif fill.fill_id in ids or twin(fill) in twins:
            left.append(fill)
    found, orphans = list[Hypothesis](), list[Fill]()
    for hypothesis in hypotheses:
        is_first = _is_repetition(hypothesis) and not _repeats_any(
            hypothesis.patch.removed[0], left, orphans
        )
        orphans += hypothesis.patch.removed if is_first else ()
        found.append(_orphan(hypothesis, strength) if is_first else hypothesis)
    return found


def _orphan(hypothesis: Hypothesis, strength: Strength) -> Hypothesis:
    return replace(
        hypothesis, cause_kind=CauseKind.ORPHAN_FILL, strength=max(hypothesis.strength, strength)
    )


def _repeats_any(fill: Fill, left: Sequence[Fill], orphans: Sequence[Fill]) -> bool:
    """True if a fill repeats a fill that is left, or an orphan with equal content."""
    said = twin(fill)
    return any(repeats(fill, row) for row in left) or any(
        twin(row) == said and repeats(fill, row) for row in orphans
    )


def _is_repetition(hypothesis: Hypothesis) -> bool:
    """True if a hypothesis removes one fill as the duplicate of a single row.

    A duplicate of several parts has a `detail` that names the parts.
    """
    removed, is_twice = hypothesis.patch.removed, hypothesis.cause_kind is CauseKind.DUPLICATE_FILL
    return is_twice and len(removed) == 1 and not (hypothesis.patch.added or hypothesis.detail)


def repeats(fill: Fill, other: Fill) -> bool:
    """True if two fills may be one execution.

    They have one id, or equal content at one time, or equal content in one order within
    `NEAR_TWIN`.
    """
    if (fill.account, fill.symbol, fill.fill_id) == (other.account, other.symbol, other.fill_id):
        return True
    apart = abs(fill.time - other.time)
    is_near = apart <= NEAR_TWIN and order_name(fill) == order_name(other)
    return twin(fill) == twin(other) and (is_near or not apart)
