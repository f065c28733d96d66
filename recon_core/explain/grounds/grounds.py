"""Where to search: which side's rows say something about which side's fault."""

from collections.abc import Iterator, Mapping

from recon_core.explain.effects.space import Space, minus
from recon_core.explain.grounds.ground import Ground
from recon_core.explain.grounds.needs import ground_of
from recon_core.ledger.bookings import is_derivative
from recon_core.ledger.replay import SideReplay
from recon_core.model import LedgerSide, RecordedSession, SideRecord


def grounds(
    recorded: RecordedSession, space: Space, replays: Mapping[LedgerSide, SideReplay]
) -> list[Ground]:
    """The grounds of a session, the likeliest first.

    A side that contradicts its own rows is at fault. Rows that only one side gives are at
    fault themselves if they are the ledger's, and right if they are the exchange's: the
    exchange keeps the truth. Its state may be behind the ledger's rows all the same.
    """
    contradicting = contradictions(recorded, space, replays)
    if contradicting:
        found = [
            ground_of(recorded, space, side, side, rows_right=True, in_values=in_values)
            for side in contradicting
            for in_values in _measures(recorded)
        ]
    elif _has_rows(recorded.internal) and not _has_fills(recorded.external):
        found = list(_of_the_ledger(recorded, space))
    elif _has_rows(recorded.external):
        found = list(_of_the_exchange(recorded, space))
    else:
        found = []
    needing = [ground for ground in found if ground is not None and ground.need]
    for ground in needing[1:]:
        ground.share_rows(needing[0])
    return needing


def _measures(recorded: RecordedSession) -> tuple[bool, ...]:
    """Without what is open derivatives are measured besides: of spot fills that is the same."""
    return (False, True) if any(map(is_derivative, recorded.instruments.values())) else (False,)


def contradictions(
    recorded: RecordedSession, space: Space, replays: Mapping[LedgerSide, SideReplay]
) -> list[LedgerSide]:
    """The sides that state something else than their own rows give."""
    found = []
    for side, replayed in replays.items():
        record = recorded.side(side)
        if record is None or replayed.positions is None:
            continue
        given = space.state(
            replayed.positions if "positions" not in record.derived else record.positions,
            replayed.cash if "cash" not in record.derived else record.cash,
        )
        if space.real(minus(space.stated(record), given)):
            found.append(side)
    return found


def _of_the_ledger(recorded: RecordedSession, space: Space) -> Iterator[Ground | None]:
    inner, outer = LedgerSide.INTERNAL, LedgerSide.EXTERNAL
    behind = ground_of(recorded, space, inner, outer, rows_right=True)
    if behind is not None:
        behind.lagging = True
        yield behind
    orders = () if recorded.external is None else recorded.external.orders or ()
    own = () if recorded.internal is None else recorded.internal.orders or ()
    for in_values in _measures(recorded):
        yield ground_of(
            recorded, space, inner, inner, rows_right=False, orders=orders or own,
            in_values=in_values,
            own_orders=not orders,
        )  # fmt: skip


def _of_the_exchange(recorded: RecordedSession, space: Space) -> Iterator[Ground | None]:
    inner, outer = LedgerSide.INTERNAL, LedgerSide.EXTERNAL
    for in_values in _measures(recorded):
        yield ground_of(recorded, space, outer, inner, rows_right=True, in_values=in_values)


def _has_rows(record: SideRecord | None) -> bool:
    return record is not None and bool(record.fills or record.movements or record.opening)


def _has_fills(record: SideRecord | None) -> bool:
    return record is not None and record.fills is not None
