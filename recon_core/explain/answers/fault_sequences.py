"""Faults in sequence: the first is repaired, then the remaining deltas are explained."""

from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import datetime
from typing import Final

from recon_core.explain.answers.verdicts import ROUNDED_OFF
from recon_core.explain.causes import precedence
from recon_core.explain.causes.stale import last_shown
from recon_core.explain.proof.prover import Prover
from recon_core.model import LedgerSide, RecordedSession, SideRecord
from recon_core.model.explanation import Explanation, ExplanationVerdict

First = tuple[Explanation, LedgerSide, SideRecord]
"""A partial explanation, its side, and that side without the fault."""

_LATER: Final = "what the external side states at a later time"

_WHOLE: Final = (ExplanationVerdict.UNIQUE, ExplanationVerdict.AMBIGUOUS)
"""Verdicts of explanations that account for all deltas, the better one first."""

ExplainRemaining = Callable[[Prover], tuple[Explanation, ...]]
"""A function that explains the remaining deltas of a session."""


def with_the_remainder(
    prover: Prover, firsts: Iterable[First], explain: ExplainRemaining
) -> list[Explanation]:
    """Return the partial explanations, each joined with those of the remaining deltas.

    Joined explanations are ambiguous if either part is. Causes that cancel are none.
    """
    found = []
    for first, side, record in firsts:
        repaired = prover.repaired({side: record})
        for second in () if repaired is None else explain(repaired):
            left = prover.before if repaired is None else repaired.before - set(second.explains)
            if second.verdict in _WHOLE and left <= prover.before:
                whole = _joined(first, second, tuple(sorted(prover.before - left)))
                found.append(_or_other_rows(_or_behind(prover.recorded, whole), first, second))
    return [one for one in found if not precedence.has_opposites(one.causes)]


def _joined(first: Explanation, second: Explanation, explains: tuple[str, ...]) -> Explanation:
    aliases = _all_aliases(first, second)
    causes = (*first.causes, *second.causes)
    sides = {cause.side for cause in causes}
    is_unique = first.verdict is second.verdict is ExplanationVerdict.UNIQUE
    is_rounded = precedence.has_extra_rounding(causes)
    return replace(
        second,
        verdict=_WHOLE[not is_unique or is_rounded],
        decides=first.decides or second.decides or (ROUNDED_OFF if is_rounded else ""),
        side=sides.pop() if len(sides) == 1 else None,
        causes=causes,
        explains=explains,
        text="; ".join(cause.text for cause in causes),
        repair=() if aliases else (*first.repair, *second.repair),
        aliases=aliases,
    )


def _or_other_rows(whole: Explanation, first: Explanation, second: Explanation) -> Explanation:
    """Return an explanation as ambiguous if the exchange has a second fault in rows of the first.

    The ledger lacks a row that the exchange lists, and the exchange's figures lack that row, too:
    its list may be wrong instead. A clock or a name that is off concerns no single row.
    """
    ids = {each for cause in first.causes if cause.effect for each in cause.ids}
    outer = (cause for cause in second.causes if cause.side is LedgerSide.EXTERNAL)
    if ids.isdisjoint(each for cause in outer for each in cause.ids):
        return whole
    decides = whole.decides or "the same rows of the exchange from another source"
    return replace(whole, verdict=ExplanationVerdict.AMBIGUOUS, decides=decides)


def _or_behind(recorded: RecordedSession, one: Explanation) -> Explanation:
    """Return an explanation as ambiguous if it removes rows that a side which is behind lacks.

    The books of that side do not reach so far: that it lists no such row proves nothing. Nor does
    it where the rows that are removed are the newest of the ledger, and the exchange shows nothing
    of a later time.
    """
    behind = {each for cause in one.causes if precedence.is_behind(cause) for each in cause.ids}
    foreign = {each for cause in one.causes if precedence.is_foreign(cause) for each in cause.ids}
    if not foreign or not (behind or _are_newest(recorded, foreign)):
        return one
    doubted = replace(one, verdict=ExplanationVerdict.AMBIGUOUS, decides=one.decides or _LATER)
    if not behind:
        return doubted
    times: dict[str, datetime] = {}
    for record in recorded.own_records().values():
        times |= {row.fill_id: row.time for row in record.fill_rows}
        times |= {row.movement_id: row.time for row in record.movement_rows}
    unseen, removed = ([times[each] for each in ids if each in times] for ids in (behind, foreign))
    if not unseen or not removed or max(removed) < min(unseen):
        return one
    return doubted


def _are_newest(recorded: RecordedSession, ids: AbstractSet[str]) -> bool:
    """True if all rows of the ledger that are later than what the exchange shows have these ids."""
    shown, ledger = last_shown(recorded), recorded.internal
    if shown is None or ledger is None:
        return False
    newest = [row.fill_id for row in ledger.table.after(shown)]
    newest += [row.movement_id for row in ledger.movement_rows if row.time > shown]
    return bool(newest) and ids >= set(newest)


def _all_aliases(first: Explanation, second: Explanation) -> dict[LedgerSide, Mapping[str, str]]:
    """Return the aliases of both explanations, by side."""
    both = {side: {**first.aliases.get(side, {}), **second.aliases.get(side, {})}
            for side in LedgerSide}  # fmt: skip
    return {side: names for side, names in both.items() if names}


def with_remaining_diffs(one: Explanation, before: frozenset[str]) -> Explanation:
    """Return an explanation whose proof gives the number of remaining diffs.

    `before`: the identities of all diffs that a repair may remove. The explanation is unchanged
    if no diff remains, or if it is not unique.
    """
    count = len(before - set(one.explains))
    if one.verdict is not ExplanationVerdict.UNIQUE or not count:
        return one
    text = "1 other diff stays" if count == 1 else f"{count} other diffs stay"
    return replace(one, proof=f"{one.proof}; {text}")
