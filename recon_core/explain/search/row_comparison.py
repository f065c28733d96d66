"""Comparison of the rows of both sides: every difference is a fault of one side.

Nothing is searched for, so any number of faults is found. If the side at fault is unknown, each
side is compared with the other, and the proof decides.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from functools import cached_property
from typing import Final

from recon_core.compare.rows.aggregation import Trades
from recon_core.explain.causes.conversion import conversions
from recon_core.explain.causes.cumulative import cumulative_of_pairs
from recon_core.explain.causes.fills import missing, surplus
from recon_core.explain.causes.foreign import whole_groups
from recon_core.explain.causes.movement import (
    differing_movement,
    missing_movement,
    of_period,
    surplus_movement,
)
from recon_core.explain.causes.opening import opening_differences
from recon_core.explain.causes.stale import is_added_span, of_missing_end
from recon_core.explain.problem.hypotheses import Facts, Hypothesis, Row, Strength, together
from recon_core.explain.problem.pairs import Pair
from recon_core.explain.problem.patches import Patch
from recon_core.explain.problem.problem import Problem
from recon_core.explain.problem.rows import listed_movements, ordered_movements
from recon_core.explain.search.matched_rows import (
    Matched,
    MatchedMovements,
    as_own,
    matched_fills,
    matched_movements,
    without_listed_fees,
)
from recon_core.explain.search.pair_faults import faults_of_row, shared_faults
from recon_core.explain.search.trade_faults import trade_faults
from recon_core.ledger.replay import with_named_account
from recon_core.ledger.timeline import ordered_fills
from recon_core.model import Fill, Movement, SideRecord
from recon_core.model.explanation import CauseKind
from recon_core.values.amounts import ZERO, exact_sum

_MOST_OF_A_KIND: Final = 8
"""Causes of one kind that are listed one by one. More become one cause ("12 of them"): a long list
would hide the other kinds."""


@dataclass
class RowComparison:
    """Rows of the problem's side compared with the right rows of the other side."""

    problem: Problem
    right: SideRecord
    max_skew: timedelta

    def hypotheses(self) -> list[Hypothesis]:
        """Return the hypotheses that turn the side's rows into the other side's rows."""
        fills = list(self._of_fills())
        found = [
            *self._in_span(fills, list(self._of_movements())),
            *opening_differences(self.problem, self.right),
        ]
        return list(_folded(found))

    def _in_span(self, fills: list[Hypothesis], moved: list[Hypothesis]) -> list[Hypothesis]:
        """Join missing movements after the side's last row with its missing last fills."""
        spans = [one for one in fills if is_added_span(one)]
        if len(spans) != 1:
            return [*fills, *moved]
        since = min(fill.time for fill in spans[0].patch.added)
        own = [row.time for row in self.problem.record.movement_rows]
        last = self.problem.table.latest()
        own += [] if last is None else [last]
        if own:  # the side lists nothing after its last row
            since = min(since, max(own) + timedelta(microseconds=1))
        late = [hypothesis for hypothesis in moved if _only_added(hypothesis) and
                hypothesis.patch.added_movements[0].time >= since]  # fmt: skip
        rows = tuple(row for hypothesis in (spans[0], *late) for row in hypothesis.rows)
        whole = replace(spans[0], patch=together((spans[0], *late)), rows=rows)
        others = [hypothesis for hypothesis in fills if hypothesis is not spans[0]]
        joined = set(map(id, late))
        return [
            *others,
            whole,
            *(hypothesis for hypothesis in moved if id(hypothesis) not in joined),
        ]

    def differing(self) -> Iterator[tuple[Row, Row]]:
        """Yield the pairs of rows that differ, the row of the problem's side first."""
        fills, movements = self._matched
        yield from () if fills is None else fills.differing
        yield from () if movements is None else movements.rows.differing

    @cached_property
    def _matched(self) -> tuple[Matched[Fill] | None, MatchedMovements | None]:
        """The rows of both sides, compared; `None` where a side does not list them."""
        fills, movements = self._matched_fills(), self._matched_movements()
        if fills is None or movements is None:
            return fills, movements
        fills, rows = without_listed_fees(fills, movements.rows)
        return fills, replace(movements, rows=rows)

    @property
    def _plain(self) -> bool:
        return self.problem.dimensions.plain

    @property
    def _trades(self) -> Trades:
        return Trades(self.problem.recorded, self._plain)

    def _of_fills(self) -> Iterator[Hypothesis]:
        matched, _ = self._matched
        if matched is None:
            return
        fills, trades = self.problem.fills, self._trades
        faults = trade_faults(self.problem, matched, trades)
        yield from map(missing, faults.lost)
        yield from self._differing([*matched.differing, *faults.changed], fills)
        yield from self._surplus([*faults.others.surplus, *faults.surplus])
        yield from self._missing(faults.others.missing)

    def _matched_fills(self) -> Matched[Fill] | None:
        if self.problem.record.fills is None or self.right.fills is None:
            return None
        return matched_fills(
            self.problem.table,
            self.right.table,
            self._trades,
            self.problem.record.only_account(),
            ordered_fills,
        )

    def _differing(self, pairs: Sequence[Pair], fills: Sequence[Fill]) -> Iterator[Hypothesis]:
        """Yield the corrections of wrong fills: one for all fills with a systematic fault."""
        left = list(pairs)
        for hypothesis, done in cumulative_of_pairs(left, self.problem.table):
            yield hypothesis
            taken = {id(wrong) for wrong, _ in done}
            left = [pair for pair in left if id(pair[0]) not in taken]
        shared, rows = shared_faults(left, fills)
        yield from shared
        for row in rows:
            yield from faults_of_row(row.given, row.at, row.right)

    def _surplus(self, fills: Sequence[Fill]) -> Iterator[Hypothesis]:
        left = list(fills)
        for hypothesis in whole_groups(left, self.problem.table, self.right.table):
            whole = {id(row) for row in hypothesis.rows}
            left = [fill for fill in left if id(fill) not in whole]
            yield hypothesis
        yield from surplus(self.problem, left)

    def _missing(self, fills: Sequence[Fill]) -> Iterator[Hypothesis]:
        span = of_missing_end(self.problem, fills, self.max_skew) if fills else None
        yield from map(missing, fills) if span is None else (span,)

    def _matched_movements(self) -> MatchedMovements | None:
        right = listed_movements(self.right)
        if right is None or listed_movements(self.problem.record) is None:
            return None
        account = self.problem.record.only_account()
        others = [as_own(row, account, plain=self._plain) for row in ordered_movements(right)]
        return matched_movements(self.problem.rows.movements, others, plain=self._plain)

    def _of_movements(self) -> Iterator[Hypothesis]:
        _, found = self._matched
        if found is None:
            return
        yield from map(of_period, found.periods)
        matched = found.rows
        for wrong, other in matched.differing:
            if wrong.content != other.content:
                yield differing_movement(wrong, other)
        contents = Counter(row.content for row in self.problem.record.movement_rows)
        for row in _without_cancelled(matched.surplus, matched.missing):
            yield surplus_movement(row, is_repeated=contents[row.content] > 1)
        yield from self._missing_movements(matched.missing)

    def _missing_movements(self, rows: Sequence[Movement]) -> Iterator[Hypothesis]:
        found = list(conversions(rows))
        legs = {id(row) for one in found for row in one.rows}
        yield from found
        yield from map(missing_movement, (row for row in rows if id(row) not in legs))


def _without_cancelled(
    surplus: Sequence[Movement], missing: Sequence[Movement]
) -> Iterator[Movement]:
    """Yield the surplus rows of each key whose sum is not 0: hourly funding may cancel by the day.

    The other side has no row of the same key left that would be compared with them.
    """
    amounts: dict[tuple[object, ...], list[Decimal]] = {}
    for row in surplus:
        amounts.setdefault(_key(row), []).append(row.amount or ZERO)
    sums = {key: exact_sum(each) for key, each in amounts.items()}
    others = set(map(_key, missing))
    for row in surplus:
        if row.quantity or _key(row) in others or sums[_key(row)]:
            yield row


def _key(row: Movement) -> tuple[object, ...]:
    return row.movement_kind, row.currency, row.symbol, row.account


def _only_added(hypothesis: Hypothesis) -> bool:
    return bool(hypothesis.patch.added_movements) and not hypothesis.patch.removed_movements


def _folded(hypotheses: Sequence[Hypothesis]) -> Iterator[Hypothesis]:
    """Yield the hypotheses, with more than `_MOST_OF_A_KIND` of one kind joined into one."""
    kinds = Counter(hypothesis.cause_kind for hypothesis in hypotheses)
    many: dict[CauseKind, list[Hypothesis]] = {}
    for hypothesis in hypotheses:
        if kinds[hypothesis.cause_kind] > _MOST_OF_A_KIND:
            many.setdefault(hypothesis.cause_kind, []).append(hypothesis)
        else:
            yield hypothesis
    for kind, each in many.items():
        patch = Patch(
            tuple(row for hypothesis in each for row in hypothesis.patch.removed),
            tuple(row for hypothesis in each for row in hypothesis.patch.added),
            tuple(row for hypothesis in each for row in hypothesis.patch.removed_movements),
            tuple(row for hypothesis in each for row in hypothesis.patch.added_movements),
        )
        rows: tuple[Row, ...] = tuple(row for hypothesis in each for row in hypothesis.rows)
        facts = Facts(count=len(each))
        detail = f"{facts.count} of them"
        yield Hypothesis(kind, patch, rows, Strength.SHOWN, detail, facts=facts)


def other_rows(record: SideRecord | None) -> SideRecord | None:
    """Return the right rows to compare a side with, `None` if the side lists none."""
    if record is None or (record.fills is None and record.movements is None):
        return None
    return with_named_account(record)
