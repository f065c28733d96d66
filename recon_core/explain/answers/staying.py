"""What a proven explanation leaves: diffs that it does not claim."""

from dataclasses import replace

from recon_core.explanation import Explanation, ExplanationVerdict


def with_what_stays(one: Explanation, before: frozenset[str]) -> Explanation:
    """A proof that says how many diffs of its session stay; as it is, where none does.

    `before` are all diffs that a repair might do away with, by identity.
    """
    count = len(before - set(one.explains))
    if one.verdict is not ExplanationVerdict.UNIQUE or not count:
        return one
    stay = "1 other diff stays" if count == 1 else f"{count} other diffs stay"
    return replace(one, proof=f"{one.proof}; {stay}")
