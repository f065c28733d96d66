"""Rivals: other causes that account for a part of an answer with the same amounts.

Each family of causes names its own, and every answer asks all families, whatever its other causes
are. The causes that a rival replaces are exchanged for it, the others stay.
"""

from dataclasses import replace

from recon_core.explain import causes
from recon_core.explain.causes.family import Rival
from recon_core.explain.causes.removed_rows import patch_of_removed
from recon_core.explain.problem.dimensions import minus, negated, state_part
from recon_core.explain.problem.hypotheses import NO_FACTS, Hypothesis, Row
from recon_core.explain.problem.patches import total_of
from recon_core.explain.proof.attempt import Answer, Part
from recon_core.explain.proof.prover import Prover
from recon_core.explain.proof.snapshot_evidence import is_contradicted


def rivals_of(prover: Prover, answer: Answer) -> list[Answer]:
    """Return the answer with each rival of its causes in their place, none if it has no rival.

    An answer that snapshots contradict is in doubt already. A rival that they contradict is none.
    """
    hypotheses = [_with_equal_rows(part) for part in answer.parts]
    found = [
        (rival, _with_rival(answer, rival))
        for family in causes.CAUSES
        for rival in family.rivals(answer.problem, hypotheses, prover.max_skew)
    ]
    if not found or is_contradicted(answer):
        return []
    return [one for rival, one in found if not (rival.is_timed and is_contradicted(one))]


def _with_rival(answer: Answer, rival: Rival) -> Answer:
    parts = [part for at, part in enumerate(answer.parts) if at not in rival.left]
    parts += [_of_rows(answer, answer.parts[at], rows) for at, rows in rival.left.items() if rows]
    before, left = (total_of(part.effect for part in each) for each in (answer.parts, parts))
    effect = state_part(minus(before, left))
    rows = rival.hypothesis.rows
    whole = (*parts, Part(rival.hypothesis, rows, len(rows), effect))
    return replace(answer, parts=whole, complete=False, decides=rival.decides)


def _of_rows(answer: Answer, part: Part, rows: tuple[Row, ...]) -> Part:
    """Return a part with some of the rows that it removes."""
    patch = patch_of_removed(rows)
    one = replace(part.hypothesis, patch=patch, rows=rows, facts=NO_FACTS, detail="")
    effect = negated(patch.vector(answer.problem.postings))
    return Part(one, rows, len(rows), state_part(effect))


def _with_equal_rows(part: Part) -> Hypothesis:
    """Return the hypothesis of a part with all rows of which one may have its fault."""
    one = part.hypothesis
    return replace(one, rows=part.rows) if len(one.rows) == 1 else one
