"""Faults in sequence: the first is repaired, then the remaining deltas are explained."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from recon_core.explain.answers.verdicts import ROUNDED_OFF, not_proven
from recon_core.explain.causes import precedence
from recon_core.explain.proof.prover import Prover
from recon_core.model import LedgerSide, SideRecord
from recon_core.model.explanation import Explanation, ExplanationVerdict

First = tuple[Explanation, LedgerSide, SideRecord]
"""A partial explanation, its side, and that side without the fault."""

ExplainRemaining = Callable[[Prover], tuple[Explanation, ...]]
"""A function that explains the remaining deltas of a session."""


def with_the_remainder(
    prover: Prover, firsts: Iterable[First], explain: ExplainRemaining
) -> list[Explanation]:
    """Return the partial explanations, each joined with a unique one of the remaining deltas."""
    found = []
    for first, side, record in firsts:
        repaired = prover.repaired({side: record})
        answers = () if repaired is None else explain(repaired)
        if repaired is None or len(answers) != 1:
            continue
        second = answers[0]
        left = repaired.before - set(second.explains)
        if second.verdict is ExplanationVerdict.UNIQUE and left <= prover.before:
            whole = _joined(first, second, tuple(sorted(prover.before - left)))
            found.append(
                not_proven(whole, ROUNDED_OFF, 1)
                if precedence.has_extra_rounding(whole.causes)
                else whole
            )
    return found


def _joined(first: Explanation, second: Explanation, explains: tuple[str, ...]) -> Explanation:
    aliases = _all_aliases(first, second)
    sides = {cause.side for cause in (*first.causes, *second.causes)}
    return replace(
        second,
        side=sides.pop() if len(sides) == 1 else None,
        causes=(*first.causes, *second.causes),
        explains=explains,
        text=f"{first.text}; {second.text}",
        repair=() if aliases else (*first.repair, *second.repair),
        aliases=aliases,
    )


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
