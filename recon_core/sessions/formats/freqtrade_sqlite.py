"""The SQLite file of a freqtrade bot: opened read-only, with nothing left beside it.

The trades and orders are the internal side, booked on the first balances of
`wallet_history`, where the file has that table. The wallet's own statement is
`rpc_balance.json` in the same directory (`freqtrade_wallet`).
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from recon_core.model import (
    CashBalance,
    InputFile,
    Numbers,
    Opening,
    Order,
    RecordedSession,
    SessionMode,
    SideRecord,
)
from recon_core.sessions.files import read_bytes
from recon_core.sessions.formats import rows
from recon_core.sessions.formats.database import read_tables
from recon_core.sessions.formats.freqtrade_rows import first_balances, read_order, read_trade
from recon_core.sessions.formats.freqtrade_trades import (
    Trade,
    contradictions,
    currencies,
    futures_state,
    instruments,
)
from recon_core.sessions.formats.freqtrade_wallet import Wallet, WalletError, read_wallet
from recon_core.values.errors import ReconError, SessionError
from recon_core.values.printable import printable, quoted


def read_sqlite(path: Path) -> RecordedSession:
    """Read a bot's file; raises `SessionError` with one clear line."""
    name = printable(path.name)
    evidence = InputFile(name, hashlib.sha256(read_bytes(path)).hexdigest())
    try:
        recording = _recording(path)
        wallet = read_wallet(path.parent)
        return _session(path, recording, wallet, evidence)
    except WalletError:
        raise
    except ReconError as error:
        raise SessionError(f"{name}: {error}") from None


@dataclass(frozen=True, slots=True)
class _Recording:
    """The trades and orders of one file, and the balances that it began with."""

    trades: list[Trade]
    orders: tuple[Order, ...]
    strategies: tuple[str, ...]
    opening: tuple[CashBalance, ...] | None
    opened: datetime | None
    notes: tuple[str, ...]

    @property
    def times(self) -> list[datetime]:
        """Every time that the file states."""
        times = [trade.time for trade in self.trades] + [order.time for order in self.orders]
        return times if self.opened is None else [*times, self.opened]


def _recording(path: Path) -> _Recording:
    tables = read_tables(path, ("trades", "orders"), optional=("wallet_history",))
    filled: dict[Any, list[rows.Row]] = {row.get("id"): [] for row in tables["trades"]}
    rows.each(tables["orders"], "orders", lambda row: _assign(row, filled))
    trades = rows.each(tables["trades"], "trades", lambda row: read_trade(row, filled[row["id"]]))
    opened, balances = first_balances(tables["wallet_history"])
    first = min((order.time for trade in trades for order in trade.orders), default=None)
    notes = [note for row in tables["orders"] for note in _two_sides(row)]
    if opened is None or (first is not None and first < opened):
        notes.append("the opening balance is not known: no wallet_history before the first fill")
        opened, balances = None, None
    return _Recording(
        trades=trades,
        orders=tuple(rows.each(tables["orders"], "orders", read_order)),
        strategies=tuple(sorted({str(row.get("strategy") or "") for row in tables["trades"]})),
        opening=balances,
        opened=opened,
        notes=tuple(notes),
    )


def _assign(row: rows.Row, filled: dict[Any, list[rows.Row]]) -> None:
    trade = row.get("ft_trade_id")
    if trade not in filled:
        raise SessionError(f"ft_trade_id: {quoted(trade)} names no trade")
    if rows.optional_number(row, "filled"):
        filled[trade].append(row)


def _two_sides(row: rows.Row) -> Iterator[str]:
    side, stated = row.get("side"), row.get("ft_order_side")
    if side is not None and stated not in (side, "stoploss"):
        order = printable(row.get("order_id"), 60)
        yield f"order {order}: side is {quoted(side)}, ft_order_side is {quoted(stated)}"


def _session(
    path: Path, recording: _Recording, wallet: Wallet | None, evidence: InputFile
) -> RecordedSession:
    if not recording.times:
        raise SessionError("has no trades, no orders and no balances; nothing was recorded")
    as_of = max(recording.times)
    trades = recording.trades
    return RecordedSession(
        session_id=f"{path.resolve().parent.name}-{path.stem}",
        anchor=path,
        strategy_id=",".join(recording.strategies),
        mode=None if wallet is None else wallet.mode,
        instruments=instruments(trades),
        currencies=currencies(trades),
        internal=_internal(recording, as_of),
        external=None if wallet is None else _external(wallet, as_of, trades),
        inputs=(evidence,) if wallet is None else (evidence, wallet.evidence),
        notes=recording.notes,
    )


def _external(wallet: Wallet, as_of: datetime, trades: Iterable[Trade]) -> SideRecord:
    """The wallet; a simulated one has not deducted the entry fees of what is open."""
    record = wallet.record(as_of)
    if wallet.mode is not SessionMode.PAPER:
        return record
    fees = (trade.open_entry_fee() for trade in trades if trade.mode == "spot")
    return replace(record, pending=tuple(fee for fee in fees if fee is not None))


def _internal(recording: _Recording, as_of: datetime) -> SideRecord:
    """Spot is replayed; a futures account is summed up per trade."""
    trades, opening = recording.trades, recording.opening
    positions, cash = futures_state(opening or (), trades)
    is_spot = not any(trade.mode == "futures" for trade in trades)
    known = opening is not None
    return SideRecord(
        as_of=as_of,
        source="freqtrade trades and orders",
        numbers=Numbers.FLOAT,
        positions=None if is_spot and known else positions,
        cash=None if is_spot or not known else cash,
        orders=recording.orders,
        fills=tuple(fill for trade in trades for fill in trade.fills()),
        movements=tuple(one for trade in trades if (one := trade.funding_movement())) or None,
        opening=Opening(recording.opened, cash=opening or ()) if known else None,
        contradictions=tuple(contradictions(trades)),
    )
