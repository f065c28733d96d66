"""Remaining diffs, counted in the proof of an explanation that does not claim them."""

from dataclasses import replace

from recon_core.model.explanation import Explanation, ExplanationVerdict


def with_what_stays(one: Explanation, before: frozenset[str]) -> Explanation:
    """Return an explanation whose proof gives the number of remaining diffs.

    `before`: the identities of all diffs that a repair may remove. The explanation is unchanged
    if no diff remains, or if it is not unique.
    """
    count = len(before - set(one.explains))
    if one.verdict is not ExplanationVerdict.UNIQUE or not count:
        return one
    stay = "1 other diff stays" if count == 1 else f"{count} other diffs stay"
    return replace(one, proof=f"{one.proof}; {stay}")
