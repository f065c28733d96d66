"""A side that is behind: its last rows are missing from its books, or its time is another.

Rows from a time on are missing, and the stated amounts are of before that time. If the state is
earlier than its `as_of` by an hour or a day, the clock is wrong and not the side.

Where the newest rows of the ledger are said to be false, the exchange may be behind instead. Only
what it shows of a later time denies that: a row, a report of an order, a snapshot.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate, chain, compress, islice, takewhile
from itertools import count as numbers
from operator import attrgetter
from typing import Any, Final

from recon_core.explain.budget import OF_A_REPLAY
from recon_core.explain.causes.copies import Copies, copies_of
from recon_core.explain.causes.family import CauseFamily, Rival
from recon_core.explain.causes.movement import surplus_movement
from recon_core.explain.causes.removed_rows import (
    is_removal,
    patch_of_removed,
    removed_at_end,
)
from recon_core.explain.causes.strengths import of_one_amount
from recon_core.explain.problem.dimensions import (
    add_to,
    is_position,
    minus,
    negated,
    plus,
)
from recon_core.explain.problem.hypotheses import (
    PLACE,
    Hypothesis,
    Row,
    Strength,
    fill_content,
    together,
)
from recon_core.explain.problem.market import market_of, on_tick, paid_in
from recon_core.explain.problem.pairs import are_many
from recon_core.explain.problem.patches import Patch
from recon_core.explain.problem.postings import order_name, reported
from recon_core.explain.problem.problem import FaultIn, Problem
from recon_core.explain.problem.rows import in_time_order
from recon_core.explain.problem.wording import sentence_of
from recon_core.ledger import PositionLedger
from recon_core.ledger.bookings import held_quantity, signed_quantity
from recon_core.ledger.replay import opened_ledger
from recon_core.ledger.timeline import in_order
from recon_core.model import (
    Fill,
    LedgerSide,
    Movement,
    Order,
    OrderSide,
    OrderState,
    RecordedSession,
    SideRecord,
)
from recon_core.model.explanation import CauseKind
from recon_core.values.amounts import EXACT, ZERO
from recon_core.values.times import format_time

_FEW: Final = 3
"""Numbers of rows that are summed one by one: for more, one running sum is cheaper."""

_MOST_ASKED: Final = 1_000
"""Rows of a side that is behind, up to which one of them is looked for that moves as much as all.

Each costs a posting, and more rows hardly ever cancel to the last digit.
"""

_MOST_SIZES: Final = 20
"""Sizes of the rows that a side is behind by, up to which earlier fills of each are looked for."""

_SHIFTS: Final = {
    "one hour": timedelta(hours=1),
    "one day": timedelta(days=1),
}
"""Shifts of an `as_of` that are named: summer time or a time zone, and a wrong date."""

_QUANTITY: Final = attrgetter("quantity")

_ROW: Final = attrgetter("symbol", "fill_id")

_TIME: Final = attrgetter("time")

_STEP: Final = timedelta(minutes=15)
"""Time zones differ by multiples of 15 minutes; a shift by another amount is no zone error."""

_KINDS: Final = {CauseKind.STALE_SIDE, CauseKind.AS_OF_SHIFT}

_COPIES: Final = frozenset({CauseKind.DUPLICATE_FILL, CauseKind.DUPLICATE_MOVEMENT})
"""Causes by which rows are booked twice."""

_CLOSED: Final = frozenset(
    {
        OrderState.FILLED,
        OrderState.CANCELLED,
        OrderState.REJECTED,
        OrderState.EXPIRED,
        OrderState.FAILED,
    }
)
"""States of an order that gets no further fill: a report of it is complete."""


def stale(problem: Problem, max_skew: timedelta) -> Iterator[Hypothesis]:
    """Yield the last rows that are missing from the side's books: its state is of an earlier time.

    A single row counts only if the side's own `as_of` is earlier than the row. Nothing if the rows
    are at fault: they are not missing.
    """
    if problem.fault_in is FaultIn.ROWS:
        return
    derivative = any(map(problem.postings.derivative, problem.rows.symbols))
    rows: list[Row] = []
    for at in _by_replay(problem) if derivative else _by_sums(problem):
        rows = rows or _reversed(problem)
        earlier = rows[at].time if at < len(rows) else None
        if at > 1 or _has_earlier_as_of(problem, rows[0].time):
            yield _of_removed_rows(problem, rows[:at], earlier, max_skew)


def _reversed(problem: Problem) -> list[Row]:
    """Return all rows, the newest first, those of one time in their order."""
    return sorted(problem.timeline, key=_TIME, reverse=True)


def _by_sums(problem: Problem) -> Iterator[int]:
    """Yield the numbers of last rows, whole times only, whose removal has the required effect."""
    ends = _by_position(problem)
    if ends is not None and len(ends) <= _FEW:
        for at in ends:
            if problem.reached_by_effect(negated(problem.postings.fills(problem.fills[-at:]))):
                yield at
        return
    rows, total = _reversed(problem), dict[str, Any]()
    for at, row in enumerate(rows, start=1):
        posted = (
            problem.postings.fill(row) if isinstance(row, Fill) else problem.postings.movement(row)
        )
        for name, amount in posted.items():
            add_to(total, name, amount.copy_negate())
        last_of_time = at == len(rows) or rows[at].time != row.time
        if last_of_time and problem.reached_by_effect(total):
            yield at


def _by_position(problem: Problem) -> list[int] | None:
    """Return the numbers of last rows that fit one position, `None` if it does not decide."""
    if not problem.fills or problem.record.movements:
        return None
    fills = problem.fills
    name, keys = problem.postings.position(fills[0]), len(problem.places)
    instrument = problem.postings.instruments.get(fills[0].symbol)
    if (
        keys > 1
        or instrument is None
        or name not in problem.dimensions.compared
        or problem.allowed(name)
    ):
        return None
    required, held = problem.required.get(name, ZERO).copy_negate(), problem.rows.signed
    if instrument.base in problem.table.distinct("fee_currency"):
        held = [held_quantity(fill, instrument) for fill in fills]
    sums = accumulate(reversed(held), EXACT.add)
    found = list(compress(numbers(1), map(required.__eq__, sums)))
    return [at for at in found if at == len(fills) or fills[-at].time != fills[-at - 1].time]


def _by_replay(problem: Problem) -> Iterator[int]:
    """Yield these numbers for derivatives by one replay: PnL depends on earlier rows."""
    record = problem.record
    if record.opening is None:
        return
    ledger = opened_ledger(problem.recorded, record)
    rows = list(in_order(record.fill_rows, record.movement_rows))
    target = problem.dimensions.seen(plus(problem.replayed, problem.exact))
    held = set(_with_positions(problem, rows, target))
    if not held:
        return
    problem.postings.meter.charge(len(rows) * OF_A_REPLAY)
    for at, row in enumerate(rows[: max(held) + 1]):
        if at in held and _is_state(problem, ledger, target):
            yield len(rows) - at
        if isinstance(row, Fill):
            ledger.apply_fill(row)
        else:
            ledger.apply_movement(row)


def _with_positions(
    problem: Problem, rows: Sequence[Row], target: Mapping[str, Decimal]
) -> Iterator[int]:
    """Yield the places of rows, the first of their time, before which the positions are right.

    A sum of quantities is far cheaper than a replay, and seldom meets the position that is stated.
    """
    opening, postings, dimensions = problem.record.opening, problem.postings, problem.dimensions
    base = {} if opening is None else postings.opening(opening)
    off = {name: amount for name, amount in minus(base, target).items() if is_position(name)}
    wrong = {*dimensions.real(off)}
    for at, row in enumerate(rows):
        if not wrong and (at == 0 or rows[at - 1].time != row.time):
            yield at
        posted = postings.fill(row) if isinstance(row, Fill) else postings.movement(row)
        for name, amount in posted.items():
            if is_position(name):
                add_to(off, name, amount)
                wrong = wrong - {name} | dimensions.real({name: off[name]}).keys()


def _is_state(problem: Problem, ledger: PositionLedger, target: Mapping[str, Decimal]) -> bool:
    state = problem.dimensions.state(ledger.positions, ledger.cash)
    return not problem.dimensions.real(minus(state, target))


def stale_hypothesis(problem: Problem, at: int, max_skew: timedelta) -> Hypothesis:
    """Build the hypothesis that the rows from the place `at` on are missing from a side."""
    rows = problem.timeline
    return _of_removed_rows(problem, rows[: at - 1 : -1], rows[at - 1].time, max_skew)


def _has_earlier_as_of(problem: Problem, unseen: datetime) -> bool:
    """True if the side itself gives an `as_of` before a row, and the other side one after it."""
    side, other = map(problem.statement_of, (problem.side, problem.side.other))
    return side.as_of < unseen <= other.as_of


def _of_removed_rows(
    problem: Problem,
    unseen: list[Row],
    seen: datetime | None,
    max_skew: timedelta,
) -> Hypothesis:
    fills = tuple(row for row in unseen if isinstance(row, Fill))
    moved = tuple(row for row in unseen if isinstance(row, Movement))
    patch = Patch(removed=fills, removed_movements=moved)
    rows = tuple(reversed(unseen))
    kind, detail = _kind_and_detail(problem, problem.side, (rows[0].time, seen), max_skew)
    strength = Strength.SHOWN if _is_as_reported(problem, fills) else Strength.CHANCE
    strength = max(strength, _of_cash_alone(problem, fills, len(unseen)))
    if (
        _may_be_clipped(problem)
        or _has_a_wrong_clock(problem, fills, max_skew)
        or _has_a_copy(problem, fills)
        or _has_a_row_like_a_copy(problem, rows)
    ):
        strength = Strength.CHANCE
    return Hypothesis(kind, patch, rows, strength, detail)


def _has_a_wrong_clock(problem: Problem, fills: Sequence[Fill], max_skew: timedelta) -> bool:
    """True if fills of after both states are no news: a single one, or one that repeats another.

    Where several are later, the time of a state is wrong, unless one of them is a copy of a fill
    of the same order, however much later.
    """
    newest = _newest_state(problem) + max_skew
    later = [fill for fill in fills if fill.time > newest]
    if not 1 < len(later) <= _MOST_ASKED:
        return len(later) == 1
    orders: dict[str, set[object]] = {}
    for fill in later:
        orders.setdefault(fill.order_id, set()).add(fill_content(fill))
    known = map(problem.by_symbol.get, {problem.postings.position(fill) for fill in later})
    return any(
        fill.time <= newest and fill_content(fill) in orders[fill.order_id]
        for fill in chain.from_iterable(filter(None, known))
        if fill.order_id in orders
    )


def _newest_state(problem: Problem) -> datetime:
    """Return the later `as_of` of both sides."""
    return max(problem.statement_of(side).as_of for side in LedgerSide)


def _may_be_clipped(problem: Problem) -> bool:
    """True if all that differs are short positions, and the side states 0 of them: no less."""
    stated = problem.dimensions.stated(problem.statement_of(problem.side))
    off = {
        name: problem.replayed.get(name, ZERO)
        for name, amount in stated.items()
        if amount != problem.replayed.get(name, ZERO)
    }
    return bool(off) and all(
        is_position(name) and not stated[name] and amount < 0 for name, amount in off.items()
    )


def _has_a_copy(problem: Problem, unseen: Sequence[Fill]) -> bool:
    """True if one of a few unseen fills may be a copy of a fill that the side has in its books."""
    if not 0 < len(unseen) <= _MOST_ASKED:
        return False
    copies = copies_of(problem.table, unseen)
    left = Counter(map(fill_content, copies.fills)) - Counter(map(fill_content, unseen))
    return any(left[fill_content(fill)] and copies.near(fill) for fill in unseen)


def _has_a_row_like_a_copy(problem: Problem, unseen: Sequence[Row]) -> bool:
    """True if one of several unseen rows posts what a copy of an earlier fill does.

    The side is then behind by one row less, or by none, and the other side has that fill twice.
    """
    fills = [row for row in unseen if isinstance(row, Fill)]
    sizes: dict[tuple[object, ...], list[Fill]] = {}
    for fill in fills:
        key = (problem.postings.position(fill), fill.side, fill.quantity)
        sizes.setdefault(key, []).append(fill)
    if not 1 < len(unseen) <= _MOST_ASKED or len(sizes) > _MOST_SIZES:
        return False
    for rows in sizes.values():
        first = rows[0]
        known = problem.by_symbol.get(problem.postings.position(first), ())
        same = compress(known, map(first.quantity.__eq__, map(_QUANTITY, known)))
        alike = [fill for fill in same if fill.side is first.side and fill.time < unseen[0].time]
        if not 1 < len(alike) <= _MOST_ASKED:
            continue
        copy = next(filter(copies_of(problem.table, alike).near, alike), None)
        if copy is None:
            continue
        row = next((row for row in rows if row.price == copy.price), first)
        others = [one for one in unseen if one is not row]
        if problem.reached_by(patch_of_removed((copy, *others))):
            return True
    return False


def _time_of_no_other(
    problem: Problem, hypotheses: Sequence[Hypothesis], max_skew: timedelta
) -> datetime | None:
    """Return the time of the only row that is later than both states, `None` without one.

    It is wrong by itself, if no hypothesis removes that row. Where several are later, the time of
    a state is wrong.
    """
    last = _newest_state(problem) + max_skew
    times = [row.time for row in problem.table.after(last)]
    times += [row.time for row in problem.rows.movements if row.time > last]
    removed = {row.time for one in hypotheses for row in one.patch.rows_removed}
    return times[0] if len(times) == 1 and times[0] not in removed else None


def _of_cash_alone(problem: Problem, fills: Sequence[Fill], forms: int) -> Strength:
    """Return the strength of a span by the units of its cash, if no other figure shows it.

    A BUY and a SELL of 0.002 at 75.30 and 7.53 leave 0.13 EUR: a wrong price does as well.
    """
    if len(problem.required) != 1 or any(map(is_position, problem.required)):
        return Strength.SHOWN
    (amount,) = problem.required.values()
    if _may_be_turned(problem, fills):
        return Strength.CHANCE
    return max(Strength.SHOWN, of_one_amount(amount, forms))


def _may_be_turned(problem: Problem, fills: Sequence[Fill]) -> bool:
    """True if derivatives were traded without a fee, and nobody compares their positions.

    A fill that closes a position, turned round, has no PnL: the cash is that of before both.
    """
    shows, position = problem.dimensions.shows, problem.postings.position
    return bool(fills) and all(
        problem.postings.derivative(fill.symbol) and not fill.fee and not shows(position(fill))
        for fill in fills
    )


def _is_as_reported(problem: Problem, unseen: Sequence[Fill]) -> bool:
    """True if the side's reports of orders are all of its time, or all of the time of the rows.

    The reports may be newer than the state; that they agree with neither is another fault.
    """
    is_own = problem.side is problem.owner
    reports = () if is_own else problem.statement_of(problem.side).order_rows
    now: dict[str, Decimal] = {}
    for fill in problem.fills if reports else ():
        add_to(now, order_name(fill), signed_quantity(fill))
    then = dict(now)
    for fill in unseen if reports else ():
        add_to(then, order_name(fill), signed_quantity(fill).copy_negate())
    given = {name: reported(one) for one in reports if (name := order_name(one)) in now}
    return any(
        all(amount == filled.get(name, ZERO) for name, amount in given.items())
        for filled in (now, then)
    )


def of_missing_fills(
    problem: Problem, fills: Sequence[Fill], seen: datetime | None, max_skew: timedelta
) -> Hypothesis:
    """Build the hypothesis that these fills are missing from the end of a side's rows.

    `seen` is the time of the last row in its books, `None` without any.
    """
    rows = tuple(sorted(fills, key=_TIME))
    kind, detail = _kind_and_detail(problem, problem.side, (rows[0].time, seen), max_skew)
    return Hypothesis(kind, Patch(added=rows), rows, Strength.SHOWN, detail)


def of_missing_end(
    problem: Problem, missing: Sequence[Fill], max_skew: timedelta
) -> Hypothesis | None:
    """Return a side that is behind, if every missing fill is later than all fills of the side.

    A single missing fill is enough only if the side's `as_of` is earlier, too.
    """
    first = min(map(_TIME, missing))
    last = problem.table.latest()
    if (last is not None and last >= first) or (
        len(missing) < 2 and not _has_earlier_as_of(problem, first)  # noqa: PLR2004  # one may be lost
    ):
        return None
    return of_missing_fills(problem, missing, last, max_skew)


def is_span(hypothesis: Hypothesis) -> bool:
    """True if a hypothesis is rows that are missing from a time on."""
    return hypothesis.cause_kind in _KINDS


def is_added_span(hypothesis: Hypothesis) -> bool:
    """True if a hypothesis adds fills that are missing from a time on, and removes none."""
    patch = hypothesis.patch
    return is_span(hypothesis) and bool(patch.added) and not patch.removed


def _kind_and_detail(
    problem: Problem,
    side: LedgerSide,
    times: tuple[datetime, datetime | None],
    max_skew: timedelta,
) -> tuple[CauseKind, str]:
    """Return kind and words of a side that is behind: stale, or early by an hour or a day.

    `times`: those of the first unseen row and of the last seen one.
    """
    unseen, seen = times
    since = f"nothing from {format_time(unseen)} on is in its books"
    shift = _shift(problem.statement_of(side), problem.record, times, max_skew)
    if shift is not None:
        return CauseKind.AS_OF_SHIFT, f"its state is of {shift} before its as_of: {since}"
    until = "" if seen is None else f", the last that is has the time {format_time(seen)}"
    return CauseKind.STALE_SIDE, f"{since}{until}"


def _shift(
    side: SideRecord,
    rows: SideRecord,
    times: tuple[datetime, datetime | None],
    max_skew: timedelta,
) -> str | None:
    """Return the shift of a state that is too early for its `as_of`, in words, or `None`."""
    unseen, seen = times
    if abs(side.as_of - rows.as_of) > max_skew:
        return None
    for text, shift in _SHIFTS.items():
        cut = side.as_of - shift
        if (seen is None or seen <= cut) and cut < unseen:
            return text
    return None


def last_shown(recorded: RecordedSession, *, orders: bool = True) -> datetime | None:
    """Return the latest time of what the exchange shows: rows, reports of orders, snapshots.

    `None` if it gives none. A section that both sides take from one source does not count, and
    reports do not without `orders`.
    """
    outer = recorded.external
    if outer is None:
        return None
    reports = outer.orders if orders else None
    sections = {"movements": outer.movements, "orders": reports}
    own = [rows for name, rows in sections.items() if rows and not recorded.shares(name)]
    times = [row.time for rows in own for row in rows]
    times += [one.as_of for one in outer.snapshot_rows]
    last = None if recorded.shares("fills") else outer.table.latest()
    times += [] if last is None else [last]
    return max(times, default=None)


def _rivals(
    problem: Problem, hypotheses: Sequence[Hypothesis], max_skew: timedelta
) -> Iterator[Rival]:
    """Yield what else explains newest rows that are missing on one side, or false on the other."""
    yield from _one_false_row(problem, hypotheses)
    yield from _state_behind_its_list(problem, hypotheses, max_skew)
    yield from _newest_rows_unseen(problem, hypotheses, max_skew)


def _one_false_row(problem: Problem, hypotheses: Sequence[Hypothesis]) -> Iterator[Rival]:
    """Yield the row that is false, if a side is behind by rows of which one moves as much as all.

    The other rows then cancel: that the side does not know them, no amount shows. Or they are what
    one odd row of them undoes with other figures.
    """
    for at, one in enumerate(hypotheses):
        rows = one.patch.rows_removed
        if not is_span(one) or not 1 < len(rows) <= _MOST_ASKED:
            continue
        whole = one.patch.vector(problem.postings)
        for row in rows:
            left = minus(whole, patch_of_removed([row]).vector(problem.postings))
            if not any(left.values()):
                since = format_time(min(map(_TIME, rows)))
                decides = f"what the {problem.side} side states at a later time than {since}"
                yield Rival({at: ()}, _false_row(problem, row), decides)
                break
            if isinstance(row, Fill) and not one.patch.rows_added:
                right = _instead_of_a_span(problem, row, left)
                if right is not None and _is_odd(problem, row):
                    yield Rival({at: ()}, right, "")
                    break


def _is_odd(problem: Problem, fill: Fill) -> bool:
    """True if a fill has a fee where no other one of its market has, or one at no rate of them."""
    name = problem.postings.position(fill)
    charged = problem.rows.once(("charged", name), lambda: _first_charged(problem, name))
    if not fill.fee or charged == [fill]:
        return charged == [fill]
    model = problem.schedules.model(fill)
    return model is not None and not model.is_near(problem.postings, fill)


def _first_charged(problem: Problem, name: str) -> list[Fill]:
    """Return the first two fills of a position that have a fee, or fewer."""
    return list(islice((fill for fill in problem.by_symbol.get(name, ()) if fill.fee), 2))


def _instead_of_a_span(
    problem: Problem, fill: Fill, others: Mapping[str, Decimal]
) -> Hypothesis | None:
    """Return a fill with the figures that undo the other rows of a span, `None` if none do.

    `others` is what their removal moves. Bought 77 at 59.85 and sold 77 at 59.85: if the list has
    the second as 2,108 at 60.82, a side that has none of both states the same.
    """
    market = market_of(problem, problem.postings.position(fill))
    moved = others.get(problem.postings.position(fill), ZERO)
    if market is None or problem.postings.derivative(fill.symbol):
        return None
    if not moved or (moved > 0) is not (fill.side is OrderSide.BUY):
        return None
    cash = others.get(problem.postings.cash(paid_in(market.instrument), fill.account), ZERO)
    worth = Fraction(EXACT.multiply(moved, market.instrument.multiplier))
    price = on_tick(abs(Fraction(cash) / worth), market.tick_places)
    if not price or not market.near(price):
        return None
    right = replace(fill, quantity=moved.copy_abs(), price=price, fee=ZERO)
    posted = problem.postings.fill(right)
    if problem.dimensions.real(minus(posted, others)):
        return None
    kind = CauseKind.WRONG_QUANTITY
    return Hypothesis(kind, Patch((fill,), (right,)), (fill,), Strength.CHANCE, side=problem.owner)


def _state_behind_its_list(
    problem: Problem, hypotheses: Sequence[Hypothesis], max_skew: timedelta
) -> Iterator[Rival]:
    """Yield the state of the exchange that is behind its list, if its newest rows count twice.

    Without an opening no sum shows whether its state has them: the ledger has them once or twice.
    """
    is_listed = problem.owner is LedgerSide.EXTERNAL and problem.side is LedgerSide.INTERNAL
    if not is_listed or problem.fault_in is FaultIn.ROWS or problem.record.opening is not None:
        return
    places: dict[int, int] = {}
    for at, one in enumerate(hypotheses):
        if one.cause_kind in _COPIES and one.patch.rows_added and not one.patch.rows_removed:
            places |= {id(row): at for row in one.rows}
    newest = list(takewhile(lambda row: id(row) in places, reversed(problem.timeline)))
    if newest and len(newest) == len(places):
        yield _behind_by(problem, newest, dict.fromkeys(places.values(), ()), max_skew)


def _false_row(problem: Problem, row: Row) -> Hypothesis:
    """Build the hypothesis that one row of the side with the rows is false, or a copy."""
    if isinstance(row, Movement):
        count = sum(row.content == other.content for other in problem.rows.movements)
        return replace(surplus_movement(row, is_repeated=count > 1), side=problem.owner)
    copies = Copies.of(problem)
    is_copy = copies.is_duplicate(row) or copies.near(row)
    kind = CauseKind.DUPLICATE_FILL if is_copy else CauseKind.ORPHAN_FILL
    return Hypothesis(kind, Patch((row,)), (row,), Strength.SHOWN, side=problem.owner)


def _newest_rows_unseen(
    problem: Problem, hypotheses: Sequence[Hypothesis], max_skew: timedelta
) -> Iterator[Rival]:
    """Yield the exchange that is behind, if hypotheses remove the newest rows of the ledger.

    Where it lists its fills, a cause of older rows as well is asked for its newest rows alone.
    """
    lists = problem.statement_of(LedgerSide.EXTERNAL).fills is not None
    singles = [] if lists else _single_removals(problem, hypotheses)
    unseen = _unseen(problem, hypotheses, max_skew)
    newest = list(islice(unseen, 2)) if singles else []
    left, rows = removed_at_end(problem, hypotheses, chain(newest, unseen), in_part=lists)
    if not left:
        left, rows = _of_one_account(problem, hypotheses, max_skew)
    if left:
        yield _behind_by(problem, rows, left, max_skew)
    if newest and len({row.time for row in newest}) == len(newest):
        yield from _newest_row_alike(problem, hypotheses, newest[0], singles, max_skew)


def _of_one_account(
    problem: Problem, hypotheses: Sequence[Hypothesis], max_skew: timedelta
) -> tuple[Mapping[int, tuple[Row, ...]], tuple[Row, ...]]:
    """Return the same for the newest rows of one of several accounts: each is asked for alone."""
    if len(problem.record.accounts) == 1:
        return {}, ()
    removed = (row for one in hypotheses for row in one.patch.rows_removed)
    for account in dict.fromkeys(row.account for row in removed):
        unseen = _unseen(problem, hypotheses, max_skew)
        rows = (row for row in unseen if row.account == account)
        left, first = removed_at_end(problem, hypotheses, rows)
        if left:
            return left, first
    return {}, ()


def _single_removals(problem: Problem, hypotheses: Sequence[Hypothesis]) -> list[int]:
    """Return the places of hypotheses that remove one row of the ledger."""
    return [
        at
        for at, one in enumerate(hypotheses)
        if len(one.patch.rows_removed) == 1 and is_removal(problem, one)
    ]


def _newest_row_alike(
    problem: Problem,
    hypotheses: Sequence[Hypothesis],
    newest: Row,
    singles: Iterable[int],
    max_skew: timedelta,
) -> Iterator[Rival]:
    """Yield the exchange that is behind by the newest fill, if that has the effect of a false one.

    While a position is open, no figure shows the price at which a fill opened it. And an odd row
    that is removed may be of the newest one's figures, which then is unseen.
    """
    for at in singles if isinstance(newest, Fill) else ():
        (row,) = hypotheses[at].patch.rows_removed
        if any(row is newest for row in hypotheses[at].rows):
            continue
        behind = _behind_by(problem, (newest,), {at: ()}, max_skew)
        others = (*hypotheses[:at], *hypotheses[at + 1 :])
        is_odd = isinstance(row, Fill) and PLACE(row) == PLACE(newest) and _is_odd(problem, row)
        if is_odd or problem.reached_by(together((*others, behind.hypothesis))):
            yield behind


def _behind_by(
    problem: Problem,
    rows: Sequence[Row],
    left: Mapping[int, tuple[Row, ...]],
    max_skew: timedelta,
) -> Rival:
    """Return the exchange that is behind by rows, the newest first, in place of hypotheses."""
    first = min(map(_TIME, rows))
    known = _latest_before(problem, first)
    kind, detail = _kind_and_detail(problem, LedgerSide.EXTERNAL, (first, known), max_skew)
    patch = patch_of_removed(rows)
    behind = Hypothesis(
        kind, patch, tuple(reversed(rows)), Strength.SHOWN, detail, LedgerSide.EXTERNAL
    )
    later = f"what the external side states at a later time than {format_time(first)}"
    return Rival(left, behind, later, is_timed=True)


def _unseen(
    problem: Problem, hypotheses: Sequence[Hypothesis], max_skew: timedelta
) -> Iterator[Row]:
    """Yield the rows of the ledger that are later than all that the exchange shows, newest first.

    A single row that is later than both states is none of them: its clock is wrong. The fill of an
    order that the exchange reports as closed ends them: it gets no further fill.
    If the report has all fills of the ledger, the exchange itself is behind its own reports. What
    moves no figure that is compared is left out: nobody sees whether the exchange has it.
    """
    shown = last_shown(problem.recorded)
    rows_shown = last_shown(problem.recorded, orders=False)
    reports = _own_reports(problem)
    closed = {order_name(order) for order in reports if order.state in _CLOSED}
    known = reported_in_full(problem)

    def is_unseen(row: Row) -> bool:
        name = order_name(row) if isinstance(row, Fill) else ""
        if name in known:
            return rows_shown is None or row.time > rows_shown
        return (shown is None or row.time > shown) and name not in closed

    wrong = _time_of_no_other(problem, hypotheses, max_skew)
    rows = (row for row in _newest_first(problem, rows_shown) if row.time != wrong)
    concerned = {id(row) for one in hypotheses for row in (*one.rows, *one.patch.rows_removed)}
    for row in takewhile(is_unseen, rows):
        if id(row) in concerned or _is_compared(problem, row):
            yield row


def _is_compared(problem: Problem, row: Row) -> bool:
    """True if a row moves a figure that is compared; a movement may move none."""
    if isinstance(row, Fill):
        return True
    return any(map(problem.dimensions.shows, problem.postings.movement(row)))


def _newest_first(problem: Problem, shown: datetime | None) -> Iterator[Row]:
    """Yield the rows of the ledger that are later than a time, the newest first.

    Not those that the exchange lists: they have another time there, and are no news.
    """
    if shown is None:
        return reversed(problem.timeline)
    later = problem.table.after(shown)
    listed = problem.statement_of(LedgerSide.EXTERNAL).table
    known = set(map(_ROW, listed.having(fill_id={fill.fill_id for fill in later})))
    fills = in_time_order([fill for fill in later if _ROW(fill) not in known])
    moved = (row for row in problem.rows.movements if row.time > shown)
    return reversed(sorted((*fills, *moved), key=_TIME))  # noqa: C413  # equal times turned, too


def _latest_before(problem: Problem, time: datetime) -> datetime | None:
    """Return the latest time of a row before a time, `None` without any."""
    times = [row.time for row in problem.rows.movements if row.time < time]
    last = problem.table.latest(time)
    return max(times if last is None else [*times, last], default=None)


def _own_reports(problem: Problem) -> Sequence[Order]:
    """Return the exchange's reports of orders, none if both sides take them from one source."""
    if problem.recorded.shares("orders"):
        return ()
    return problem.statement_of(LedgerSide.EXTERNAL).order_rows


def reported_in_full(problem: Problem) -> frozenset[str]:
    """Return the orders of which the exchange reports as much filled as the ledger lists."""
    reports = {order_name(one): reported(one) for one in _own_reports(problem)}
    listed: dict[str, Decimal] = {}
    for fill in problem.fills if reports else ():
        if order_name(fill) in reports:
            add_to(listed, order_name(fill), signed_quantity(fill))
    return frozenset(name for name, amount in listed.items() if reports[name] == amount)


def by_another_clock(
    problem: Problem, pairs: Iterable[tuple[Row, Row]], count: int
) -> Hypothesis | None:
    """Return the fault that all times of the ledger are off by whole quarters of an hour.

    `pairs` are rows of one execution or movement, the ledger's first, that differ; `count` is the
    number of rows that both sides may have in common.
    """
    shifts = [mine.time - right.time for mine, right in pairs]
    if len(set(shifts)) != 1 or not are_many(len(shifts), count):
        return None
    shift = shifts[0]
    if not shift or shift % _STEP:
        return None
    fills, movements = problem.fills, problem.rows.movements
    patch = Patch(
        tuple(fills),
        tuple(replace(row, time=row.time - shift) for row in fills),
        tuple(movements),
        tuple(replace(row, time=row.time - shift) for row in movements),
    )
    return Hypothesis(
        CauseKind.AS_OF_SHIFT,
        patch,
        tuple(fills),
        Strength.SHOWN,
        f"all times are off by {_span(shift)}",
    )


def _span(shift: timedelta) -> str:
    hours = Fraction(shift // timedelta(minutes=1), 60)
    return f"{'+' if shift > timedelta() else ''}{float(hours):g} h"


FAMILY: Final = CauseFamily(
    sentences={
        CauseKind.STALE_SIDE: sentence_of("{subject} is behind by {rows}"),
        CauseKind.AS_OF_SHIFT: sentence_of("{subject} is of another time than it says"),
    },
    rivals=_rivals,
)
