"""Replay of a side after a few of its fills changed, made of the replay before.

Spot fills move sums, in whatever order, and each posting is rounded by itself: a removed
fill is posted once more with its side turned, and an added fill is posted. Where that might
differ from a replay of all rows there is no answer, and all rows are replayed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from recon_core.ledger.position_ledger import PositionLedger
from recon_core.ledger.replay import SideReplay
from recon_core.model import (
    Fill,
    InstrumentKind,
    Leg,
    Opening,
    RecordedSession,
)
from recon_core.values.errors import ReplayError


def amended(
    recorded: RecordedSession,
    replayed: SideReplay,
    removed: Sequence[Fill],
    added: Sequence[Fill],
) -> SideReplay | None:
    """The replay of a side without some of its fills and with others instead.

    `None` where the result is uncertain: not everything is spot and was replayed, or
    something ends at nothing and may or may not be a row of the state. The flows are left
    out.
    """
    changed = (*removed, *added)
    if replayed.positions is None or replayed.cash is None or not _all_spot(recorded, changed):
        return None
    opening = Opening(None, replayed.positions, replayed.cash)
    ledger = PositionLedger(
        instruments=recorded.instruments, currencies=recorded.currencies, opening=opening
    )
    try:
        ledger.apply_fills([*map(_turned, removed), *added])
        positions, cash = ledger.positions, ledger.cash
    except ReplayError:  # such as a future that settles daily, whose mark price is not here
        return None
    symbols = {(fill.account, fill.symbol) for fill in changed}
    currencies = {
        (fill.account, currency) for fill in changed for currency in _moved(recorded, fill)
    }
    is_told = all(
        row.quantity for row in positions if (row.account, row.symbol) in symbols
    ) and all(row.total for row in cash if (row.account, row.currency) in currencies)
    return SideReplay(positions, cash) if is_told else None


def _all_spot(recorded: RecordedSession, fills: Iterable[Fill]) -> bool:
    instruments = (recorded.instruments.get(fill.symbol) for fill in fills)
    return all(fill.leg is Leg.NET for fill in fills) and all(
        one is not None and one.instrument_kind is InstrumentKind.SPOT for one in instruments
    )


def _turned(fill: Fill) -> Fill:
    """The fill that books the same with the other sign."""
    other = fill.side.other
    return replace(fill, side=other, fee=fill.fee.copy_negate())


def _moved(recorded: RecordedSession, fill: Fill) -> set[str]:
    instrument = recorded.instruments[fill.symbol]
    charged = {fill.fee_currency or ""} if fill.fee else set()
    return {instrument.base, instrument.quote} | charged
