"""Fills that only one side has, or that a side has more than once: missing, orphan, duplicate.

A fill is a duplicate if the side states one execution more than once: with one id, as an equal
fill of the same time, as an equal fill of one order within seconds, or once whole and once in
parts. The first of several copies that the other side does not list at all is an orphan, the
others are its duplicates. All other fills without a counterpart are orphans, or missing where
they are not booked.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from recon_core.explain.causes.copies import Copies, Originals, copies_of
from recon_core.explain.causes.family import CauseFamily, FillOperator, Rival
from recon_core.explain.problem.hypotheses import Facts, Hypothesis, Row, Strength, fill_content
from recon_core.explain.problem.patches import Patch
from recon_core.explain.problem.problem import FaultIn, Problem
from recon_core.explain.problem.rows import in_time_order
from recon_core.explain.problem.wording import rows_of_cause, sentence_of, trade_text
from recon_core.model import Fill, LedgerSide
from recon_core.model.explanation import CauseKind
from recon_core.values.amounts import format_amount
from recon_core.values.printable import printable

_FEWEST: Final = 2
"""Fewest removals of duplicates that can leave no copy: a single removal leaves a copy."""


def repeated(_problem: Problem, _copies: Copies, fill: Fill) -> Hypothesis:
    """Build the duplicate of a fill."""
    return Hypothesis(CauseKind.DUPLICATE_FILL, Patch(added=(replace(fill),)), (fill,))


def removed(problem: Problem, copies: Copies, fill: Fill) -> Hypothesis:
    """Build the removal of a fill: a duplicate if there are copies of it, else an orphan.

    If the rows are right, the fill was never booked.
    """
    patch = Patch(removed=(fill,))
    if problem.fault_in is FaultIn.STATEMENT:
        return Hypothesis(CauseKind.MISSING_FILL, patch, (fill,))
    parts = copies.parts(fill)
    if parts or copies.is_duplicate(fill) or copies.near(fill):
        return Hypothesis(
            CauseKind.DUPLICATE_FILL,
            patch,
            (fill,),
            Strength.SHOWN,
            parts,
            facts=Facts(in_parts=bool(parts)),
        )
    return Hypothesis(CauseKind.ORPHAN_FILL, patch, (fill,))


def with_orphan_fills(
    hypotheses: Sequence[Hypothesis], fills: Sequence[Fill], strength: Strength
) -> list[Hypothesis]:
    """Return the hypotheses; a removal that leaves no copy in `fills` becomes an orphan fill.

    `fills` are all fills of the side. An orphan has the strength, or its own if that is weaker.
    """
    duplicates = [hypothesis for hypothesis in hypotheses if _is_duplicate(hypothesis)]
    if len(duplicates) < _FEWEST:
        return list(hypotheses)
    counts = Counter(id(hypothesis.patch.removed[0]) for hypothesis in duplicates)
    ids = {hypothesis.patch.removed[0].fill_id for hypothesis in duplicates}
    contents = {fill_content(hypothesis.patch.removed[0]) for hypothesis in duplicates}
    left = Originals()
    for fill in fills:
        if counts[id(fill)]:
            counts[id(fill)] -= 1
        elif fill.fill_id in ids or fill_content(fill) in contents:
            left.add(fill)
    found, orphan_fills = list[Hypothesis](), Originals()
    for hypothesis in hypotheses:
        copy = hypothesis.patch.removed[0] if _is_duplicate(hypothesis) else None
        if copy is None or left.has_one_of(copy) or orphan_fills.has_equal_one_of(copy):
            found.append(hypothesis)
        else:
            orphan_fills.add(copy)
            found.append(_orphan(hypothesis, strength))
    return found


def _orphan(hypothesis: Hypothesis, strength: Strength) -> Hypothesis:
    return replace(
        hypothesis, cause_kind=CauseKind.ORPHAN_FILL, strength=max(hypothesis.strength, strength)
    )


def _is_duplicate(hypothesis: Hypothesis) -> bool:
    """True if a hypothesis removes one fill as the duplicate of a single row.

    A duplicate of several parts repeats no single row.
    """
    removed, is_duplicate = (
        hypothesis.patch.removed,
        hypothesis.cause_kind is CauseKind.DUPLICATE_FILL,
    )
    return (
        is_duplicate
        and len(removed) == 1
        and not (hypothesis.patch.added or hypothesis.facts.in_parts)
    )


def _missing_text(subject: str, hypothesis: Hypothesis, rows: Sequence[Row]) -> str:
    added = hypothesis.patch.added
    if len(added) != 1:
        return f"{subject} did not book {rows_of_cause(hypothesis, rows)}"
    fill = added[0]
    fee = f", fee {format_amount(fill.fee)} {printable(fill.fee_currency, 30)}" if fill.fee else ""
    order = fill.order_id
    order_text = f"; order {printable(order, 60)} lacks it" if order else ""
    what = "a fill, or several of this sum" if hypothesis.facts.may_be_several else "a fill"
    return f"{subject} lacks {what}: {trade_text(fill)}{fee}{order_text}"


def _orphan_text(subject: str, hypothesis: Hypothesis, rows: Sequence[Row]) -> str:
    if hypothesis.patch.removed:
        wrong_rows = rows_of_cause(hypothesis, rows)
        return f"{subject} has booked {wrong_rows}, which the other side does not know"
    return f"{subject} has booked a fill that no row tells: {trade_text(hypothesis.patch.added[0])}"


def surplus(problem: Problem, fills: Sequence[Fill]) -> list[Hypothesis]:
    """Return the removals of fills that the other side, which lists its fills, does not list."""
    if not fills:
        return []
    copies = copies_of(problem.table, fills)
    hypotheses = [
        replace(removed(problem, copies, fill), strength=Strength.SHOWN) for fill in fills
    ]
    return with_orphan_fills(hypotheses, problem.fills, Strength.SHOWN)


def missing(fill: Fill, strength: Strength = Strength.SHOWN) -> Hypothesis:
    """Build a fill that is missing from the side, as the other side or an order states it."""
    return Hypothesis(CauseKind.MISSING_FILL, Patch(added=(fill,)), (fill,), strength)


def are_missing(hypotheses: Iterable[Hypothesis]) -> bool:
    """True if all hypotheses are missing fills."""
    return all(hypothesis.cause_kind is CauseKind.MISSING_FILL for hypothesis in hypotheses)


def first_of(problem: Problem, first: Hypothesis, second: Hypothesis) -> Hypothesis:
    """Return the first of two removals, an orphan if they remove all copies of a fill."""
    kinds = {first.cause_kind, second.cause_kind}
    ids = {fill.fill_id for fill in (*first.patch.removed, *second.patch.removed)}
    is_pair = kinds == {CauseKind.DUPLICATE_FILL} and len(ids) == 1
    if not is_pair or problem.fault_in is FaultIn.STATEMENT:
        return first
    copies = len(problem.table.having(fill_id=ids))
    return replace(first, cause_kind=CauseKind.ORPHAN_FILL) if copies == _FEWEST else first


def copied(problem: Problem) -> Iterator[Hypothesis]:
    """Yield the removal of every second row of one id and content: the rows show it."""
    ids = {fill_id for _, _, fill_id in problem.table.copies()}
    if problem.fault_in is FaultIn.ROWS and ids:
        copies = Copies.of(problem)
        first: set[object] = set()
        for fill in filter(copies.is_duplicate, in_time_order(problem.table.having(fill_id=ids))):
            key = (fill.account, fill.symbol, fill.fill_id)
            if key in first:
                yield removed(problem, copies, fill)
            first.add(key)


def _rivals(
    problem: Problem, hypotheses: Sequence[Hypothesis], _max_skew: timedelta
) -> Iterator[Rival]:
    """Yield a copy by its id in place of a row of its content that an answer removes.

    Three rows that a side does not have, and a fill is listed twice: these may be two rows.
    """
    ids = {fill_id for _, _, fill_id in problem.table.copies()}
    if problem.owner is not LedgerSide.INTERNAL or not ids:
        return
    fills = in_time_order(problem.table.having(fill_id=ids))
    copies = Copies(fills)
    twice = {fill_content(fill): fill for fill in filter(copies.is_duplicate, fills)}
    for at, one in enumerate(hypotheses):
        taken = one.patch.removed
        if one.patch.added or any(map(copies.is_duplicate, taken)):
            continue
        alike = [row for row in taken if fill_content(row) in twice]
        if alike:  # the oldest: a side that is behind lacks the newest
            row = min(alike, key=lambda fill: fill.time)
            copy = twice[fill_content(row)]
            patch, left = (
                Patch(removed=(copy,)),
                tuple(each for each in one.rows if each is not row),
            )
            other = Hypothesis(CauseKind.DUPLICATE_FILL, patch, (copy,), Strength.SHOWN)
            of_ledger = replace(other, side=LedgerSide.INTERNAL)
            yield Rival({at: left}, of_ledger, "the fills of the external side")


FAMILY: Final = CauseFamily(
    sentences={
        CauseKind.MISSING_FILL: _missing_text,
        CauseKind.ORPHAN_FILL: _orphan_text,
        CauseKind.DUPLICATE_FILL: sentence_of("{subject} has booked {rows} twice"),
    },
    operators=(
        FillOperator("remove", -1, -1, removed),
        FillOperator("repeat", 1, 1, repeated, faults=frozenset({FaultIn.STATEMENT})),
    ),
    rivals=_rivals,
)
