"""Rivals: other causes that account for a part of an answer with the same amounts.

Each family of causes names its own, and every answer asks all families, whatever its other causes
are. The causes that a rival replaces are exchanged for it, the others stay.
"""

from dataclasses import replace

from recon_core.explain import causes
from recon_core.explain.causes.family import Rival
from recon_core.explain.problem.hypotheses import Hypothesis
from recon_core.explain.problem.patches import total_of
from recon_core.explain.proof.attempt import Answer, Part


def rivals_of(answer: Answer) -> list[Answer]:
    """Return the answer with each rival of its causes in their place, none if it has no rival."""
    hypotheses = [_with_equal_rows(part) for part in answer.parts]
    return [
        _with_rival(answer, rival)
        for family in causes.CAUSES
        for rival in family.rivals(answer.problem, hypotheses)
    ]


def _with_rival(answer: Answer, rival: Rival) -> Answer:
    kept = [part for at, part in enumerate(answer.parts) if at not in rival.replaced]
    effect = total_of(answer.parts[at].effect for at in sorted(rival.replaced))
    rows = rival.hypothesis.rows
    part = Part(rival.hypothesis, rows, len(rows), effect)
    return replace(answer, parts=(*kept, part), complete=False, decides=rival.decides)


def _with_equal_rows(part: Part) -> Hypothesis:
    """Return the hypothesis of a part with all rows of which one may have its fault."""
    one = part.hypothesis
    return replace(one, rows=part.rows) if len(one.rows) == 1 else one
