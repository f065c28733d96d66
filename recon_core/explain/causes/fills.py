"""Fills that one side has and the other has not: missing, orphaned, or booked twice.

A fill is a duplicate if the side states one execution more than once: with one id, as an equal
fill of the same time, as an equal fill of one order within seconds, or once whole and once in
parts. The first of several copies that the other side does not list at all is an orphan, the
others are its duplicates. All other fills without a counterpart are orphans, or missing where
they are not booked.
"""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from operator import attrgetter
from typing import Any, Final

from recon_core.explain.problem.hypotheses import NEAR_TWIN, Hypothesis, Row, Strength, twin
from recon_core.explain.problem.patches import Patch
from recon_core.explain.problem.postings import order_name
from recon_core.explain.problem.problem import Problem
from recon_core.explain.problem.wording import rows_of_cause, trade_text
from recon_core.model import Fill
from recon_core.model.explanation import CauseKind
from recon_core.values.amounts import exact_sum, format_amount
from recon_core.values.printable import printable

_ID: Final = attrgetter("fill_id")

_KEY: Final = attrgetter("account", "symbol", "fill_id", "side", "quantity", "price")

_TIME: Final = attrgetter("time")

_SEPARATORS: Final = "-_.:/"

_FEWEST: Final = 2
"""Fewest removals of duplicates that can leave no copy: a single removal leaves a copy."""


def removal(fill: Fill, *, rows_right: bool, twice: bool, close: bool) -> Hypothesis:
    """Build the removal of a fill: booked once too often or, if rows are right, never booked."""
    if rows_right:
        return Hypothesis(CauseKind.MISSING_FILL, Patch(removed=(fill,)), (fill,))
    kind = CauseKind.DUPLICATE_FILL if twice or close else CauseKind.ORPHAN_FILL
    return Hypothesis(
        kind,
        Patch(removed=(fill,)),
        (fill,),
        strength=Strength.SHOWN if twice or close else Strength.EXACT,
    )


def repetition(fill: Fill) -> Hypothesis:
    """Build the repetition of a fill: it was booked twice."""
    return Hypothesis(CauseKind.DUPLICATE_FILL, Patch(added=(replace(fill),)), (fill,))


@dataclass
class Copies:
    """The fills of one side that state one execution more than once, each question asked once."""

    fills: Sequence[Fill]
    _moments: dict[datetime, Counter[tuple[Any, ...]]] = field(default_factory=dict)
    _executions: dict[str, dict[tuple[Any, ...], list[Fill]]] = field(default_factory=dict)

    def twice(self, fill: Fill) -> bool:
        """True if a fill is a duplicate: the same id, side, quantity and price."""
        if self._ids[fill.fill_id] == 1:
            return False
        return self._repeated[_KEY(fill)] > 1

    @cached_property
    def _ids(self) -> Counter[str]:
        return Counter(map(_ID, self.fills))

    @cached_property
    def _repeated(self) -> Counter[tuple[object, ...]]:
        return Counter(_KEY(fill) for fill in self.fills if self._ids[fill.fill_id] > 1)

    def parts(self, fill: Fill) -> str:
        """Return the words on a fill that is stated whole and in parts, else an empty text."""
        return self._in_parts.get(id(fill), "")

    @cached_property
    def _in_parts(self) -> Mapping[int, str]:
        return stated_in_parts(self.fills)

    def near(self, fill: Fill) -> bool:
        """True if an equal fill is near in the same order, or at the same time in any order."""
        near = self._executions_of(fill.order_id).get(twin(fill), [])
        if sum(abs(other.time - fill.time) <= NEAR_TWIN for other in near) > 1:
            return True
        return self._at(fill.time)[twin(fill)] > 1

    def _at(self, time: datetime) -> Counter[tuple[Any, ...]]:
        """Count the equal fills at one time, in any order."""
        if time not in self._moments:
            fills = self.fills
            start, end = bisect_left(fills, time, key=_TIME), bisect_right(fills, time, key=_TIME)
            self._moments[time] = Counter(map(twin, fills[start:end]))
        return self._moments[time]

    def _executions_of(self, order: str) -> dict[tuple[Any, ...], list[Fill]]:
        """Group the equal fills of one order, which may be one execution delivered twice."""
        if order not in self._executions:
            found: dict[tuple[Any, ...], list[Fill]] = {}
            for fill in self._orders.get(order, ()):
                found.setdefault(twin(fill), []).append(fill)
            self._executions[order] = found
        return self._executions[order]

    @cached_property
    def _orders(self) -> dict[str, list[Fill]]:
        found: dict[str, list[Fill]] = {}
        for fill in self.fills:
            order = fill.order_id
            if order:
                found.setdefault(order, []).append(fill)
        return found


def removed(problem: Problem, copies: Copies, fill: Fill) -> Hypothesis:
    """Build the removal of a fill: a duplicate if there are copies of it, else an orphan.

    If the rows are right, the fill was never booked.
    """
    parts = "" if problem.rows_right else copies.parts(fill)
    hypothesis = removal(
        fill,
        rows_right=problem.rows_right,
        twice=copies.twice(fill),
        close=bool(parts) or copies.near(fill),
    )
    if parts:
        hypothesis = replace(hypothesis, detail=parts)
    if _may_be_unseen(problem, hypothesis, fill):
        return replace(hypothesis, strength=Strength.CHANCE)
    return hypothesis


def _may_be_unseen(problem: Problem, hypothesis: Hypothesis, fill: Fill) -> bool:
    """True if an orphan is the last fill, and no row shows that the other side saw it."""
    orphan = hypothesis.cause_kind is CauseKind.ORPHAN_FILL and not problem.orders
    gives_rows = all(record.fills is not None for record in problem.recorded.own_records().values())
    return orphan and not gives_rows and fill.time == problem.fills[-1].time


def stated_in_parts(fills: Sequence[Fill]) -> Mapping[int, str]:
    """Return the words on each fill that is stated whole and in parts, by the fill's `id()`."""
    ids = list(map(_ID, fills))
    if all(ids) and "".join(ids).isalnum():
        return {}
    separated = [fill for fill in fills if not fill.fill_id.isalnum()]
    whole = {(fill.account, fill.symbol, fill.fill_id): fill for fill in fills}
    parts: dict[tuple[str | None, str, str], list[Fill]] = {}
    for fill in separated:
        key = (fill.account, fill.symbol, _stem(fill.fill_id))
        if key in whole and whole[key] is not fill:
            parts.setdefault(key, []).append(fill)
    found: dict[int, str] = {}
    for key, some in parts.items():
        if _is_whole(whole[key], some):
            named = " and ".join(fill.fill_id for fill in some)
            found[id(whole[key])] = f"it is {named} together"
            found |= {id(fill): f"it is a part of {key[2]}" for fill in some}
    return found


def _stem(fill_id: str) -> str:
    """Return the id without its last part: `7` of `7-C`."""
    at = max(fill_id.rfind(separator) for separator in _SEPARATORS)
    return fill_id[:at] if at > 0 else ""


def _is_whole(whole: Fill, parts: Sequence[Fill]) -> bool:
    return (
        len(parts) > 1
        and exact_sum(part.quantity for part in parts) == whole.quantity
        and all((part.side, part.price) == (whole.side, whole.price) for part in parts)
        and all(abs(part.time - whole.time) <= NEAR_TWIN for part in parts)
    )


def with_orphans(
    hypotheses: Sequence[Hypothesis], fills: Sequence[Fill], strength: Strength
) -> list[Hypothesis]:
    """Return the hypotheses; a removal that leaves no copy in `fills` becomes an orphan fill.

    `fills` are all fills of the side. An orphan has `rank`, or its own rank if that is weaker.
    """
    removals = [hypothesis for hypothesis in hypotheses if _is_repetition(hypothesis)]
    if len(removals) < _FEWEST:
        return list(hypotheses)
    gone = Counter(id(hypothesis.patch.removed[0]) for hypothesis in removals)
    ids = {hypothesis.patch.removed[0].fill_id for hypothesis in removals}
    twins = {twin(hypothesis.patch.removed[0]) for hypothesis in removals}
    left = []
    for fill in fills:
        if gone[id(fill)]:
            gone[id(fill)] -= 1
        elif fill.fill_id in ids or twin(fill) in twins:
            left.append(fill)
    found, orphans = list[Hypothesis](), list[Fill]()
    for hypothesis in hypotheses:
        is_first = _is_repetition(hypothesis) and not _repeats_any(
            hypothesis.patch.removed[0], left, orphans
        )
        orphans += hypothesis.patch.removed if is_first else ()
        found.append(_orphan(hypothesis, strength) if is_first else hypothesis)
    return found


def _orphan(hypothesis: Hypothesis, strength: Strength) -> Hypothesis:
    return replace(
        hypothesis, cause_kind=CauseKind.ORPHAN_FILL, strength=max(hypothesis.strength, strength)
    )


def _repeats_any(fill: Fill, left: Sequence[Fill], orphans: Sequence[Fill]) -> bool:
    """True if a fill repeats a fill that is left, or an orphan with equal content."""
    said = twin(fill)
    return any(repeats(fill, row) for row in left) or any(
        twin(row) == said and repeats(fill, row) for row in orphans
    )


def _is_repetition(hypothesis: Hypothesis) -> bool:
    """True if a hypothesis removes one fill as the duplicate of a single row.

    A duplicate of several parts has a `detail` that names the parts.
    """
    removed, is_twice = hypothesis.patch.removed, hypothesis.cause_kind is CauseKind.DUPLICATE_FILL
    return is_twice and len(removed) == 1 and not (hypothesis.patch.added or hypothesis.detail)


def repeats(fill: Fill, other: Fill) -> bool:
    """True if two fills may be one execution.

    They have one id, or equal content at one time, or equal content in one order within
    `NEAR_TWIN`.
    """
    if (fill.account, fill.symbol, fill.fill_id) == (other.account, other.symbol, other.fill_id):
        return True
    apart = abs(fill.time - other.time)
    is_near = apart <= NEAR_TWIN and order_name(fill) == order_name(other)
    return twin(fill) == twin(other) and (is_near or not apart)


def missing_fill_text(subject: str, hypothesis: Hypothesis, rows: Sequence[Row]) -> str:
    added = hypothesis.patch.added
    if len(added) != 1:
        return f"{subject} did not book {rows_of_cause(hypothesis, rows)}"
    fill = added[0]
    fee = f", fee {format_amount(fill.fee)} {printable(fill.fee_currency, 30)}" if fill.fee else ""
    order = fill.order_id
    lacks = f"; order {printable(order, 60)} lacks it" if order else ""
    return f"{subject} lacks a fill: {trade_text(fill)}{fee}{lacks}"


def orphan_fill_text(subject: str, hypothesis: Hypothesis, rows: Sequence[Row]) -> str:
    if hypothesis.patch.removed:
        return f"{subject} has booked {rows_of_cause(hypothesis, rows)}, which the other side does not know"
    return f"{subject} has booked a fill that no row tells: {trade_text(hypothesis.patch.added[0])}"
