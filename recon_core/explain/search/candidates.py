"""Candidates: hypotheses that fit, grouped by effect and ordered by strength of evidence."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from recon_core.explain.causes import precedence
from recon_core.explain.causes.removed_rows import has_its_id
from recon_core.explain.problem.dimensions import Vector
from recon_core.explain.problem.hypotheses import Hypothesis, Row, Strength, fill_content, together
from recon_core.explain.problem.patches import Patch
from recon_core.explain.problem.problem import Problem
from recon_core.model.explanation import CauseKind

Found = tuple[Hypothesis, ...]
"""Hypotheses that together have the required effect."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Hypotheses that fit, with the interchangeable rows of each.

    `order` sorts candidates, the strongest first: the strength of the weakest hypothesis, then True
    if the effect differs from the required one by more than float noise. `members` are the choices
    of rows: several only where rows are equal but for their time, on which the PnL of derivatives
    depends. `rows` are the interchangeable rows of each hypothesis.
    """

    order: tuple[int, bool]
    members: tuple[Found, ...]
    rows: tuple[tuple[Row, ...], ...]

    @property
    def hypotheses(self) -> Found:
        """The first choice of rows."""
        return self.members[0]


def candidates(problem: Problem, found: Sequence[Found]) -> list[Candidate]:
    """Group hypotheses that differ in interchangeable rows only, the strongest evidence first."""
    groups: dict[Any, list[Found]] = {}
    for hypotheses in found:
        keyed = sorted(
            ((_key(problem, hypothesis), hypothesis) for hypothesis in hypotheses),
            key=lambda each: each[0],
        )
        if len(keyed) > 1 and keyed[0][1].patch.builds_on(keyed[1][1].patch):
            keyed.reverse()
        key = tuple(each for each, _ in keyed)
        groups.setdefault(key, []).append(tuple(hypothesis for _, hypothesis in keyed))
    result = [_candidate(problem, key, members) for key, members in groups.items()]
    result = _with_equal_fills(problem, result)
    return sorted(_with_misread_strength(result), key=lambda each: each.order)


def _with_equal_fills(problem: Problem, found: Sequence[Candidate]) -> list[Candidate]:
    """Add to a copy that no id shows the fills of its content that are near no other.

    Of four equal fills two may have one time by chance, and any of the four is the false one.
    """
    equal: dict[tuple[Any, ...], list[Row]] = {}
    for one in found:
        if [each.cause_kind for each in one.hypotheses] == [CauseKind.ORPHAN_FILL]:
            for fill in one.hypotheses[0].patch.removed:
                equal.setdefault(fill_content(fill), []).extend(one.rows[0])
    return [
        replace(one, rows=((*one.rows[0], *(row for key in keys for row in equal[key])),))
        if equal and (keys := equal.keys() & _copied(problem, one))
        else one
        for one in found
    ]


def _copied(problem: Problem, one: Candidate) -> set[tuple[Any, ...]]:
    """Return the content of the fill that is all that a candidate removes as a copy by no id."""
    (first, *more) = one.hypotheses
    is_copy = not more and first.cause_kind is CauseKind.DUPLICATE_FILL
    if not is_copy or len(first.patch.removed) > 1 or has_its_id(problem, first.patch.removed):
        return set()
    return set(map(fill_content, first.patch.removed))


def _with_misread_strength(found: Sequence[Candidate]) -> list[Candidate]:
    """Give a misread order the strength of a wrong quantity that is the same repair."""
    orders: dict[object, tuple[int, bool]] = {}
    if any(precedence.is_misread_order(one.hypotheses) for one in found):
        wrong = [one for one in found if precedence.has_wrong_quantity(one.hypotheses)]
        orders = {_repair(one): one.order for one in reversed(wrong)}
    return [
        replace(one, order=min(one.order, orders.get(_repair(one), one.order)))
        if orders and precedence.is_misread_order(one.hypotheses)
        else one
        for one in found
    ]


def _repair(candidate: Candidate) -> tuple[object, ...]:
    patch = together(candidate.hypotheses)
    return frozenset(map(id, patch.removed)), frozenset(patch.added)


def _candidate(problem: Problem, key: tuple[str, ...], members: Sequence[Found]) -> Candidate:
    strength = min(max(hypothesis.strength for hypothesis in hypotheses) for hypotheses in members)
    best = [
        hypotheses
        for hypotheses in members
        if max(hypothesis.strength for hypothesis in hypotheses) == strength
    ]
    if len(best) > 1:  # the id of a copy says which of the rows with its amounts is the copy
        best = [each for each in best if _are_copies_by_id(problem, each)] or best
    rows = [_merged([hypotheses[at] for hypotheses in best]) for at in range(len(best[0]))]
    for same in {each for each in key if key.count(each) > 1}:
        places = [at for at, each in enumerate(key) if each == same]
        union = _merged([hypotheses[at] for hypotheses in best for at in places])
        rows = [union if at in places else each_rows for at, each_rows in enumerate(rows)]
    members = best if _any_moves_derivative(problem, best[0]) else best[:1]
    return Candidate((strength, not _is_close(problem, best[0])), tuple(members), tuple(rows))


def _are_copies_by_id(problem: Problem, hypotheses: Found) -> bool:
    """True if all hypotheses remove fills whose ids other fills have, too."""
    return all(
        hypothesis.patch.removed and has_its_id(problem, hypothesis.patch.removed)
        for hypothesis in hypotheses
    )


def _any_moves_derivative(problem: Problem, hypotheses: Found) -> bool:
    return any(moves_derivative(problem, hypothesis.patch) for hypothesis in hypotheses)


def _merged(hypotheses: Sequence[Hypothesis]) -> tuple[Row, ...]:
    """Return all rows of the hypotheses, each once."""
    return tuple({id(row): row for hypothesis in hypotheses for row in hypothesis.rows}.values())


def _is_close(problem: Problem, hypotheses: Found) -> bool:
    """True if the effect misses the required one by far less than float noise."""
    if not problem.dimensions.dust:
        return True
    return problem.is_close(together(hypotheses).vector(problem.postings))


def _key(problem: Problem, hypothesis: Hypothesis) -> str:
    """Return a text that identifies a hypothesis, whichever of several equal rows it concerns.

    A hypothesis that is `SHOWN` or `EXACT` is identified by its kind and effect, if the effect does
    not depend on other fills and no quantity is another one; any other hypothesis by the content of
    its rows.
    """
    patch = hypothesis.patch
    is_by_effect = not (moves_derivative(problem, patch) or precedence.is_quantity(hypothesis))
    if hypothesis.strength <= Strength.EXACT and is_by_effect:
        return (
            f"{hypothesis.cause_kind} {hypothesis.detail} {_text(patch.vector(problem.postings))}"
        )
    moved = [
        [row.content for row in rows] for rows in (patch.removed_movements, patch.added_movements)
    ]
    fills = [[fill_content(row) for row in rows] for rows in (patch.removed, patch.added)]
    return f"{hypothesis.cause_kind} {fills} {moved} {hypothesis.detail if patch.opening else ''}"


def _text(vector: Vector) -> str:
    return str(sorted((name, str(amount.normalize())) for name, amount in vector.items() if amount))


def moves_derivative(problem: Problem, patch: Patch) -> bool:
    """True if a patch moves a derivative's position: the PnL of later fills changes with it."""
    if len(patch.removed) == len(patch.added):
        pairs = zip(patch.removed, patch.added, strict=True)
        fills = [old for old, new in pairs if _trade(old) != _trade(new)]
    else:
        fills = [*patch.removed, *patch.added]
    return any(problem.postings.derivative(fill.symbol) for fill in fills)


def _trade(fill: Any) -> tuple[Any, ...]:
    return fill.symbol, fill.side, fill.quantity, fill.price
