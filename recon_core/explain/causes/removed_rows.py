"""Rows that hypotheses remove from the ledger, at one end of it: the newest, or the oldest.

Such rows may be true. The newest are unseen by a side that is behind, the oldest are part of an
opening that was taken after them. Equal rows are interchangeable: an orphan in the middle that
equals the newest fill may be the newest.

Example: the ledger lists f1 to f9, and f2 and f9 are said to be orphans. From its end on, f9 is
among them and f8 is not, so f9 alone may be unseen.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Final

from recon_core.explain.causes.movement import has_copy
from recon_core.explain.problem.hypotheses import Hypothesis, Row, fill_content
from recon_core.explain.problem.patches import Patch
from recon_core.explain.problem.problem import FaultIn, Problem
from recon_core.model import Fill, LedgerSide, Movement
from recon_core.model.explanation import CauseKind

_TIME: Final = attrgetter("time")


def removed_at_end(
    problem: Problem,
    hypotheses: Sequence[Hypothesis],
    rows: Iterable[Row],
    *,
    in_part: bool = False,
) -> tuple[Mapping[int, tuple[Row, ...]], tuple[Row, ...]]:
    """Return the places of hypotheses that remove the first of `rows`, and these rows.

    `rows` are rows of the ledger from one of its ends on. One that is no copy of a movement within
    seconds is among those returned. Each place has the rows of its hypothesis that are not among
    them, none unless `in_part`. The rows of a hypothesis that removes a single row are
    interchangeable. Empty where the ledger is not at fault.
    """
    before = _before_changes(hypotheses)
    wanted = {
        at: _removed_rows(one, before)
        for at, one in enumerate(hypotheses)
        if is_removal(problem, one)
    }
    ordered: Iterable[list[Row]] = (list(group) for _, group in groupby(rows, key=_TIME))
    while wanted:
        taken, ordered = _first_of(ordered, wanted)
        found = Counter(at for at, _ in taken)
        whole = {at: each for at, each in wanted.items() if in_part or found[at] == len(each)}
        if sum(found[at] for at in whole) == len(taken):
            first = tuple(row for _, row in taken)
            is_asked = any(_may_be_true(problem, row) for row in first)
            return _left(hypotheses, found, first) if is_asked else {}, first
        wanted = whole
    return {}, ()


def _may_be_true(problem: Problem, row: Row) -> bool:
    """True if a row is no copy: a movement that states another one of its seconds again."""
    return isinstance(row, Fill) or not has_copy(row, problem.rows.movements)


def patch_of_removed(rows: Iterable[Row]) -> Patch:
    """Return the patch that removes rows."""
    fills = tuple(row for row in rows if isinstance(row, Fill))
    return Patch(fills, (), tuple(row for row in rows if isinstance(row, Movement)))


def _left(
    hypotheses: Sequence[Hypothesis], found: Mapping[int, int], first: Iterable[Row]
) -> dict[int, tuple[Row, ...]]:
    """Return the rows that each hypothesis removes that are not among the first."""
    ids = set(map(id, first))
    return {
        at: tuple(row for row in hypotheses[at].patch.rows_removed if id(row) not in ids)
        if count < len(hypotheses[at].patch.rows_removed)
        else ()
        for at, count in found.items()
    }


def _before_changes(hypotheses: Sequence[Hypothesis]) -> dict[int, Row]:
    """Return the rows of the ledger, by the row that another hypothesis makes of each.

    Where all fees are corrected and a fill is removed, that fill has the corrected fee.
    """
    pairs = (
        zip(one.patch.rows_added, one.patch.rows_removed, strict=True)
        for one in hypotheses
        if len(one.patch.rows_added) == len(one.patch.rows_removed)
    )
    return {id(added): removed for pair in pairs for added, removed in pair}


def _removed_rows(one: Hypothesis, before: Mapping[int, Row]) -> list[frozenset[object]]:
    """Return the contents that each removed row may have."""
    removed = [before.get(id(row), row) for row in one.patch.rows_removed]
    if len(removed) == 1:
        alike = [before.get(id(row), row) for row in one.rows]
        return [frozenset(map(_content, (*removed, *alike)))]
    return [frozenset({_content(row)}) for row in removed]


def _first_of(
    ordered: Iterable[list[Row]], wanted: Mapping[int, Sequence[frozenset[object]]]
) -> tuple[list[tuple[int, Row]], list[list[Row]]]:
    """Return the first rows that are wanted, and the groups of one time that were read for them.

    They end with the first time at which a row is not wanted; where less is wanted, they end no
    later. Each row is given with the place of its hypothesis.
    """
    free: dict[object, list[list[int]]] = {}
    for at, contents in wanted.items():
        for each in contents:
            slot = [at]
            for content in each:
                free.setdefault(content, []).append(slot)
    taken: list[tuple[int, Row]] = []
    read: list[list[Row]] = []
    for group in ordered:
        read.append(group)
        before = len(taken)
        for row in group:
            slot = next(filter(None, free.get(_content(row), ())), [])
            if slot:
                taken.append((slot.pop(), row))
        if len(taken) - before < len(group):
            break
    return taken, read


def is_removal(problem: Problem, one: Hypothesis) -> bool:
    """True if a hypothesis removes rows of the ledger, and no id shows that they are copies."""
    inner = LedgerSide.INTERNAL
    is_of_ledger = problem.side is inner and one.side in {None, inner}
    patch = one.patch
    if not is_of_ledger or problem.fault_in is FaultIn.STATEMENT or patch.rows_added:
        return False
    return bool(patch.rows_removed) and not (
        one.facts.in_parts
        or (one.cause_kind is CauseKind.DUPLICATE_FILL and has_its_id(problem, patch.removed))
    )


def has_its_id(problem: Problem, fills: Sequence[Fill]) -> bool:
    """True if another fill of the ledger has the id of one of these: it is the same execution.

    Exchanges count the executions of each symbol, so that an id of another one says nothing.
    """
    return not problem.table.copies().keys().isdisjoint(map(_execution, fills))


def _execution(fill: Fill) -> tuple[str | None, str, str]:
    return fill.account, fill.symbol, fill.fill_id


def _content(row: Row) -> object:
    return fill_content(row) if isinstance(row, Fill) else row.content
