"""Votes: the statements of the exchange for and against an answer that its own rows are wrong.

Each stated position, each stated balance, each order report and the snapshots are statements of
their own; the position of a spot pair and the balance of its base currency are one. A statement
that the corrected rows give, and the listed rows do not, is a vote for the answer; the reverse is
a vote against it. What a side does not list is no statement: a venue may never keep that list.

The exchange lists a SELL of 0.3 BTC for 12,000 EUR that the ledger does not have. Its balances are
10 BTC and 100,000 EUR, and without the row its other rows give just these: two votes for the
answer. With balances of 9.7 BTC and 112,000 EUR two votes are against it, and the ledger lacks the
row.
"""

from collections.abc import Hashable, Iterable, Iterator, KeysView, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from recon_core.compare.keys import encode_key
from recon_core.explain.causes.copies import repeats
from recon_core.explain.causes.movement import is_same_movement
from recon_core.explain.causes.stale import is_span
from recon_core.explain.problem.dimensions import (
    Dimensions,
    Vector,
    currency_of,
    deltas,
    instrument_of,
    is_cash,
    is_position,
    key_of,
    minus,
    negated,
    plus,
)
from recon_core.explain.problem.hypotheses import Row, fill_content
from recon_core.explain.problem.patches import Patch, total_of
from recon_core.explain.problem.postings import reported
from recon_core.explain.problem.problem import FaultIn
from recon_core.explain.problem.wording import row_id
from recon_core.explain.proof.attempt import Answer, Part
from recon_core.explain.proof.prover import Prover
from recon_core.explain.search.self_consistency import OrderReports
from recon_core.ledger.bookings import is_derivative
from recon_core.ledger.running import states_at_snapshots
from recon_core.model import Fill, LedgerSide, Movement, RecordedSession, SideRecord, Snapshot
from recon_core.values.amounts import EXACT, ZERO
from recon_core.values.errors import ReconError

_ENOUGH: Final = 2
"""Statements of the exchange that must contradict its rows.

One alone may be the wrong one: a ledger that is built from order reports agrees with them even
where they are misread.
"""


@dataclass(frozen=True, slots=True)
class Votes:
    """Numbers of the exchange's statements for an answer against its rows, and against it."""

    ayes: int
    noes: int

    @property
    def may_be(self) -> bool:
        """True if a statement of the exchange contradicts its rows, and none supports them."""
        return self.ayes > 0 and not self.noes

    def are_enough(self, *, is_only_answer: bool) -> bool:
        """True if the exchange may be said to be at fault.

        One statement is enough if no fault of the ledger fits: the ledger then states what the
        exchange states, and a row alone differs.
        """
        return self.may_be and (is_only_answer or self.ayes >= _ENOUGH)


def is_against_the_record(answer: Answer) -> bool:
    """True if an answer says that rows of the exchange are wrong.

    A side that is behind, or that rounds, states nothing that is wrong.
    """
    if answer.side is LedgerSide.INTERNAL or answer.problem.fault_in is not FaultIn.ROWS:
        return False
    return not answer.rounded and not all(is_span(part.hypothesis) for part in answer.parts)


def votes(prover: Prover, answer: Answer) -> Votes:
    """Count the statements of the exchange for and against an answer on its rows.

    Of an answer with several causes the cause with the fewest votes counts. What two causes move to
    and fro is no vote for either, nor is the cash that others move as well.
    """
    record = prover.recorded.side(answer.side)
    assert record is not None  # noqa: S101  # the answer corrects its rows
    figures = _of_figures(prover, answer, record)
    reports, before = own_reports(prover, record), answer.problem.record
    right = answer.patch.applied(before)
    of_snapshots = _of_snapshots(prover, before, right)
    effects = {frozenset(part.effect.items()) for part in answer.parts}
    total = total_of(part.effect for part in answer.parts)
    found = []
    for part in answer.parts:
        is_moved_back = frozenset(negated(part.effect).items()) in effects
        moved = [] if is_moved_back else _moved_figures(prover.dimensions, part, total)
        own = [
            *{vote for name in moved for vote in figures.get(name, ())},
            *votes_of_orders(reports, before, right, [part.hypothesis.patch]),
            *_of_repetitions(right, part.hypothesis.patch),
            *{("snapshots", vote) for name in moved for vote in of_snapshots.get(name, ())},
        ]
        found.append((sum(is_aye for _, is_aye in own), sum(not is_aye for _, is_aye in own)))
    return Votes(min(ayes for ayes, _ in found), max(noes for _, noes in found))


_Vote = tuple[str, bool]
"""The name of a statement, and true for an aye."""


def _moved_figures(dimensions: Dimensions, part: Part, total: Vector) -> list[str]:
    """Return the dimensions that a cause moves, none if others move all of its positions back.

    No figure shows less than float dust.
    """
    moved = [name for name, amount in part.effect.items() if not _is_zero(amount, dimensions)]
    positions = list(filter(is_position, moved))
    is_moved_back = bool(positions) and not any(total.get(name) for name in positions)
    return [] if is_moved_back else moved


def _of_figures(
    prover: Prover, answer: Answer, record: SideRecord
) -> Mapping[str, tuple[_Vote, ...]]:
    """Return the votes of stated positions and balances by dimension, one vote for an asset."""
    dimensions, found = prover.dimensions, {}
    wrong = total_of(part.effect for part in answer.parts)
    surplus = _surplus_of_right_rows(prover, answer.side, record, wrong)
    for name in _stated_names(dimensions, record) & surplus.keys():
        asset, amount = _asset(prover.recorded, name), wrong[name]
        if _is_zero(surplus[name], dimensions):
            found[name] = ((asset, True),)
        elif _is_zero(EXACT.subtract(surplus[name], amount), dimensions):
            found[name] = ((asset, False),)
    return found


def _is_zero(amount: Decimal, dimensions: Dimensions) -> bool:
    return amount.copy_abs() <= dimensions.dust


def _stated_names(dimensions: Dimensions, record: SideRecord) -> KeysView[str]:
    """Return the dimensions that a side lists itself, those of 0 among them."""
    positions = None if "positions" in record.derived else record.positions
    cash = None if "cash" in record.derived else record.cash
    return dimensions.state(positions, cash).keys()


def _surplus_of_right_rows(
    prover: Prover, side: LedgerSide, record: SideRecord, wrong: Vector
) -> dict[str, Decimal]:
    """Return what a side states less what its corrected rows give, where the answer moves it.

    Where its own rows give no state, the ledger's state is that of the corrected rows.
    """
    dimensions, replayed = prover.dimensions, prover.reconciliation.replays.get(side)
    surplus = negated(deltas(dimensions, prover.recorded))
    moved = [name for name, amount in wrong.items() if amount and name in dimensions.compared]
    found = {name: surplus.get(name, ZERO) for name in moved}
    if replayed is None:
        return found
    given = dimensions.state(replayed.positions, replayed.cash)
    own = plus(minus(dimensions.stated(record), given), wrong)
    for name in moved:
        if (replayed.positions if is_position(name) else replayed.cash) is not None:
            found[name] = own.get(name, ZERO)
    return found


def _asset(recorded: RecordedSession, name: str) -> str:
    """Return the name that the position of a spot pair and its base currency share."""
    if is_cash(name):
        return currency_of(name)
    instrument = instrument_of(recorded, name)
    if instrument is None or is_derivative(instrument):
        return key_of(name)
    return encode_key(instrument.base)


def own_reports(prover: Prover, record: SideRecord) -> OrderReports:
    """Return a side's reports of orders, none if both sides take them from one source."""
    rows = () if prover.recorded.shares("orders") else record.order_rows
    return OrderReports.of(rows, plain=prover.dimensions.plain)


def votes_of_orders(
    reports: OrderReports, before: SideRecord, right: SideRecord, patches: Iterable[Patch]
) -> Iterator[_Vote]:
    """Yield the vote of each order report whose fills some patches change: ayes for `right`."""
    changed = [reports.of_fill(fill) for one in patches for fill in (*one.removed, *one.added)]
    concerned = {id(report): report for report in changed if report is not None}
    if not concerned:
        return
    listed, corrected = reports.sums(before.fill_rows), reports.sums(right.fill_rows)
    for key, report in concerned.items():
        sums = listed.get(key, ZERO), corrected.get(key, ZERO)
        if sums[0] != sums[1] and reported(report) in sums:
            yield f"order {key}", reported(report) == sums[1]


def _of_repetitions(right: SideRecord, patch: Patch) -> Iterator[_Vote]:
    """Yield a vote for an id that removed rows repeat, and a vote for content that they repeat."""
    removed = patch.rows_removed
    if not removed or patch.rows_added:
        return
    contents = set(map(_content_of, removed))
    fills = [row for row in removed if isinstance(row, Fill)]
    symbols, prices = ({getattr(row, name) for row in fills} for name in ("symbol", "price"))
    near = right.table.having(symbol=symbols, price=prices) if fills else ()
    kept: dict[object, list[Row]] = {}
    for row in (*near, *right.movement_rows):
        content = _content_of(row)
        if content in contents:
            kept.setdefault(content, []).append(row)
    copies = [
        [other for other in kept.get(_content_of(row), ()) if _is_copy(row, other)]
        for row in removed
    ]
    if all(copies):
        yield "content", True
    pairs = zip(removed, copies, strict=True)
    if all(any(row_id(other) == row_id(row) for other in found) for row, found in pairs):
        yield "id", True


def _content_of(row: Row) -> Hashable:
    return fill_content(row) if isinstance(row, Fill) else row.content


def _is_copy(row: Row, other: Row) -> bool:
    """True if two rows of equal content may state one event: one id, or within seconds."""
    if isinstance(row, Fill):
        return isinstance(other, Fill) and repeats(row, other)
    return isinstance(other, Movement) and is_same_movement(row, other)


def _of_snapshots(prover: Prover, before: SideRecord, after: SideRecord) -> Mapping[str, set[bool]]:
    """Return the votes of the exchange's earlier states by dimension, however many states.

    Its rows and the corrected rows are replayed to the time of each; a snapshot that is as one
    of both gives, and not as the other, is a vote.
    """
    found: dict[str, set[bool]] = {}
    if not before.snapshots or before.opening is None:
        return found
    try:
        pairs = list(zip(_states(prover, before), _states(prover, after), strict=True))
    except ReconError:
        return found
    dimensions = prover.dimensions
    for (snapshot, listed), (_, right) in pairs:
        stated = dimensions.state(snapshot.positions, snapshot.cash)
        for name in (listed.keys() | right.keys()) & stated.keys():
            amounts = listed.get(name, ZERO), right.get(name, ZERO)
            if amounts[0] != amounts[1] and stated[name] in amounts:
                found.setdefault(name, set()).add(stated[name] == amounts[1])
    return found


def _states(prover: Prover, record: SideRecord) -> Iterator[tuple[Snapshot, dict[str, Decimal]]]:
    recorded, dimensions = prover.recorded, prover.dimensions
    has_cash = all(fill.symbol in recorded.instruments for fill in record.fill_rows)
    for snapshot, states in states_at_snapshots(recorded, record, cash=has_cash):
        yield snapshot, dimensions.state(states.positions, states.cash)
