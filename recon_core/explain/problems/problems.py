"""Search problems of a session: rows that are evidence, and the side at fault."""

from collections.abc import Iterator, Mapping

from recon_core.explain.effects.dimensions import Dimensions, minus
from recon_core.explain.problems.problem import Problem
from recon_core.explain.problems.required import problem_of
from recon_core.ledger.bookings import is_derivative
from recon_core.ledger.replay import SideReplay
from recon_core.model import LedgerSide, RecordedSession, SideRecord


def problems(
    recorded: RecordedSession, dimensions: Dimensions, replays: Mapping[LedgerSide, SideReplay]
) -> list[Problem]:
    """Return the search problems of a session, the likeliest first.

    A side that contradicts its own rows is at fault. If the exchange gives no fills, the rows
    of the ledger may be wrong, or right while the exchange lags. Otherwise the rows of the
    exchange are right and the ledger is at fault: the exchange keeps the truth.
    """
    contradicting = contradictions(recorded, dimensions, replays)
    if contradicting:
        found = [
            problem_of(recorded, dimensions, side, side, rows_right=True, in_values=in_values)
            for side in contradicting
            for in_values in _measures(recorded)
        ]
    elif _has_rows(recorded.internal) and not _has_fills(recorded.external):
        found = list(_of_the_ledger(recorded, dimensions))
    elif _has_rows(recorded.external):
        found = list(_of_the_exchange(recorded, dimensions))
    else:
        found = []
    needing = [problem for problem in found if problem is not None and problem.required]
    for problem in needing[1:]:
        problem.share_rows(needing[0])
    return needing


def _measures(recorded: RecordedSession) -> tuple[bool, ...]:
    """Return the measures of cash: as posted, and for derivatives also less open positions."""
    return (False, True) if any(map(is_derivative, recorded.instruments.values())) else (False,)


def contradictions(
    recorded: RecordedSession, dimensions: Dimensions, replays: Mapping[LedgerSide, SideReplay]
) -> list[LedgerSide]:
    """Return the sides that state other amounts than their own rows give."""
    found = []
    for side, replayed in replays.items():
        record = recorded.side(side)
        if record is None or replayed.positions is None:
            continue
        given = dimensions.state(
            replayed.positions if "positions" not in record.derived else record.positions,
            replayed.cash if "cash" not in record.derived else record.cash,
        )
        if dimensions.real(minus(dimensions.stated(record), given)):
            found.append(side)
    return found


def _of_the_ledger(recorded: RecordedSession, dimensions: Dimensions) -> Iterator[Problem | None]:
    inner, outer = LedgerSide.INTERNAL, LedgerSide.EXTERNAL
    behind = problem_of(recorded, dimensions, inner, outer, rows_right=True)
    if behind is not None:
        behind.lagging = True
        yield behind
    orders = () if recorded.external is None else recorded.external.orders or ()
    own = () if recorded.internal is None else recorded.internal.orders or ()
    for in_values in _measures(recorded):
        yield problem_of(
            recorded, dimensions, inner, inner, rows_right=False, orders=orders or own,
            in_values=in_values,
            own_orders=not orders,
        )  # fmt: skip


def _of_the_exchange(recorded: RecordedSession, dimensions: Dimensions) -> Iterator[Problem | None]:
    inner, outer = LedgerSide.INTERNAL, LedgerSide.EXTERNAL
    for in_values in _measures(recorded):
        yield problem_of(recorded, dimensions, outer, inner, rows_right=True, in_values=in_values)


def _has_rows(record: SideRecord | None) -> bool:
    return record is not None and bool(record.fills or record.movements or record.opening)


def _has_fills(record: SideRecord | None) -> bool:
    return record is not None and record.fills is not None
