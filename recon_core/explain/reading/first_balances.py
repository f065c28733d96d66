"""A wrong opening balance: the difference at the end is the difference at the start.

Evidence is the openings of both sides, or a snapshot that was taken before the first row and shows
the difference of the end. The rows after it then have no part in the difference. Example: the
openings differ by 250 USDT, 40 fills follow, the final balances differ by 250 USDT.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from recon_core.explain.effects.dimensions import Vector, is_position, minus
from recon_core.explain.effects.patches import Patch, names_of, shifted
from recon_core.explain.faults.hypotheses import Hypothesis, Strength
from recon_core.explain.problems.problem import Problem
from recon_core.model import Opening, SideRecord
from recon_core.model.explanation import CauseKind
from recon_core.values.times import format_time


def first_balances(problem: Problem) -> Iterator[Hypothesis]:
    """Yield the corrected opening as a hypothesis, if it explains the whole difference."""
    opening, other = problem.record.opening, problem.recorded.side(problem.owner.other)
    is_own = problem.rows_right and problem.side is problem.owner
    if opening is None or other is None or is_own or problem.lagging:
        return
    required = problem.dimensions.real(problem.exact)
    shown = _by_openings(problem, opening, other, required) or _by_a_snapshot(
        problem, opening, required
    )
    if not required or shown is None:
        return
    detail = ", ".join(name.split("::", 1)[1] for name in sorted(required))
    if shown.since is not None:
        # A lost fill before that time would move a position, too: all positions must agree.
        if not shown.has_positions or any(map(is_position, required)):
            return
        detail += f", or of what moved it before {format_time(shown.since)}"
    patch = Patch(opening=_moved(problem, opening, required), old_opening=opening)
    yield Hypothesis(CauseKind.OPENING_BALANCE, patch, (), Strength.SHOWN, detail)


@dataclass(frozen=True, slots=True)
class _Shown:
    """Evidence of a first difference; `since` is its time if that is after the opening."""

    since: datetime | None
    has_positions: bool


def _by_openings(
    problem: Problem, mine: Opening, other: SideRecord, required: Vector
) -> _Shown | None:
    """Return the evidence of both openings, if they differ by `required` with no row between."""
    theirs = other.opening
    if theirs is None:
        return None
    given, right = problem.postings.opening(mine), problem.postings.opening(theirs)
    if problem.dimensions.real(minus(right, given)) != required:
        return None
    if mine.as_of is None or theirs.as_of is None or mine.as_of == theirs.as_of:
        return _Shown(None, has_positions=True)
    last = max(mine.as_of, theirs.as_of)
    is_between = any(row.time <= last for row in problem.timeline)
    return None if is_between else _Shown(last, has_positions=True)


def _by_a_snapshot(problem: Problem, opening: Opening, required: Vector) -> _Shown | None:
    """Return the evidence of the first snapshot, if it is before all rows and as `required`."""
    if not problem.timeline or not problem.divergence:
        return None
    first = problem.divergence.states[0]
    shows = first.required == required and all(map(first.knows, required))
    if not shows or first.time >= problem.timeline[0].time:
        return None
    is_later = opening.as_of is None or opening.as_of < first.time
    return _Shown(first.time if is_later else None, first.has_positions)


def _moved(problem: Problem, opening: Opening, required: Vector) -> Opening:
    """Return the opening with `required` added to its positions and balances."""
    names = names_of(problem.dimensions, problem.recorded.own_records().values())
    held = replace(problem.record, positions=opening.positions, cash=opening.cash)
    moved = shifted(held, problem.dimensions, required, names)
    return replace(opening, positions=moved.positions or (), cash=moved.cash or ())
