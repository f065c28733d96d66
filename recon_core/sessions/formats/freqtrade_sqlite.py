"""The SQLite file of a freqtrade bot: opened read-only, with nothing left beside it.

The trades and orders are the internal side, booked on the first balances of
`wallet_history`, where the file has that table. The wallet's own word comes from
`rpc_balance.json` in the same directory (`freqtrade_wallet`).
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from recon_core.amounts import ZERO
from recon_core.errors import ReconError, SessionError
from recon_core.model import (
    CashBalance,
    InputFile,
    Numbers,
    Opening,
    Order,
    OrderSide,
    OrderState,
    RecordedSession,
    SideRecord,
)
from recon_core.printable import printable, quoted
from recon_core.sessions.files import read_bytes
from recon_core.sessions.formats import rows
from recon_core.sessions.formats.database import read_tables
from recon_core.sessions.formats.freqtrade import CANNOT_KNOW, FORMAT
from recon_core.sessions.formats.freqtrade_trades import (
    FilledOrder,
    Trade,
    contradictions,
    currencies,
    futures_state,
    instruments,
    order_side,
    trading_mode,
)
from recon_core.sessions.formats.freqtrade_wallet import Wallet, WalletError, read_wallet
from recon_core.sessions.formats.limits import limits_note
from recon_core.times import parse_time

_STATES: Final = {
    "open": OrderState.ACKNOWLEDGED,
    "closed": OrderState.FILLED,
    "canceled": OrderState.CANCELLED,
    "cancelled": OrderState.CANCELLED,
    "expired": OrderState.EXPIRED,
    "rejected": OrderState.REJECTED,
}


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
        """Every time that the file tells."""
        times = [trade.time for trade in self.trades] + [order.time for order in self.orders]
        return times if self.opened is None else [*times, self.opened]


def _recording(path: Path) -> _Recording:
    tables = read_tables(path, ("trades", "orders"), optional=("wallet_history",))
    filled: dict[Any, list[rows.Row]] = {row.get("id"): [] for row in tables["trades"]}
    rows.each(tables["orders"], "orders", lambda row: _assign(row, filled))
    trades = rows.each(tables["trades"], "trades", lambda row: _trade(row, filled[row["id"]]))
    opened, balances = _first_balances(tables["wallet_history"])
    first = min((order.time for trade in trades for order in trade.orders), default=None)
    notes = [note for row in tables["orders"] for note in _two_sides(row)]
    notes += contradictions(trades)
    if opened is None or (first is not None and first < opened):
        notes.append("the opening balance is not known: no wallet_history before the first fill")
        opened, balances = None, None
    return _Recording(
        trades=trades,
        orders=tuple(rows.each(tables["orders"], "orders", _order)),
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
    side, told = row.get("side"), row.get("ft_order_side")
    if side is not None and told not in (side, "stoploss"):
        order = printable(row.get("order_id"), 60)
        yield f"order {order}: side is {quoted(side)}, ft_order_side is {quoted(told)}"


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
        recording_format=FORMAT,
        instruments=instruments(trades),
        currencies=currencies(trades),
        internal=_internal(recording, as_of),
        external=None if wallet is None else wallet.record(as_of),
        inputs=(evidence,) if wallet is None else (evidence, wallet.evidence),
        notes=(limits_note(FORMAT, CANNOT_KNOW), *recording.notes),
    )


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
    )


def _trade(row: rows.Row, orders: list[rows.Row]) -> Trade:
    is_short = rows.flag(row, "is_short")
    is_open = rows.flag(row, "is_open")
    amount = rows.number(row, "amount") if is_open else ZERO
    filled = tuple(_filled(order, is_short=is_short) for order in orders)
    closed = _time(row, "close_date")
    return Trade(
        trade_id=str(row["id"]),
        pair=rows.text(row, "pair"),
        mode=trading_mode(rows.optional_text(row, "trading_mode")),
        entry_fee=rows.number(row, "fee_open"),
        exit_fee=rows.number(row, "fee_close"),
        funding=rows.optional_number(row, "funding_fees") or ZERO,
        open_quantity=amount.copy_negate() if is_short else amount,
        time=closed or max([_needed_time(row, "open_date"), *(order.time for order in filled)]),
        orders=filled,
        told_profit=None if is_open else rows.optional_number(row, "close_profit_abs"),
    )


def _filled(row: rows.Row, *, is_short: bool) -> FilledOrder:
    side = _side(row)
    entry = OrderSide.SELL if is_short else OrderSide.BUY
    return FilledOrder(
        fill_id=rows.text(row, "order_id"),
        side=side,
        is_entry=side is entry,
        quantity=rows.number(row, "filled"),
        price=_price(row),
        time=_order_time(row),
        base_fee=rows.optional_number(row, "ft_fee_base") or None,
        exchange_order_id=rows.text(row, "order_id"),
    )


def _order(row: rows.Row) -> Order:
    return Order(
        symbol=rows.text(row, "ft_pair"),
        side=_side(row),
        quantity=_first(row, "amount", "ft_amount"),
        filled_quantity=rows.optional_number(row, "filled") or ZERO,
        state=_state(row),
        time=_needed_time(row, "order_update_date", "order_filled_date", "order_date"),
        exchange_order_id=rows.text(row, "order_id"),
        order_type=rows.optional_text(row, "order_type"),
        price=rows.optional_number(row, "price"),
        average_fill_price=rows.optional_number(row, "average"),
    )


def _side(row: rows.Row) -> OrderSide:
    told = rows.text(row, "ft_order_side")
    # A stop that stands at the exchange; the exchange's own word says which way.
    return order_side(rows.text(row, "side") if told == "stoploss" else told)


def _state(row: rows.Row) -> OrderState:
    status = rows.text(row, "status")
    if status not in _STATES:
        raise SessionError(f"status: {quoted(status)}; expected one of {', '.join(_STATES)}")
    if status == "open" and rows.optional_number(row, "filled"):
        return OrderState.PARTIALLY_FILLED
    return _STATES[status]


def _price(row: rows.Row) -> Decimal:
    return _first(row, "average", "price", "ft_price")


def _first(row: rows.Row, *names: str) -> Decimal:
    for name in names:
        found = rows.optional_number(row, name)
        if found:
            return found
    return rows.number(row, names[-1])


def _order_time(row: rows.Row) -> datetime:
    return _needed_time(row, "order_filled_date", "order_update_date", "order_date")


def _needed_time(row: rows.Row, *names: str) -> datetime:
    for name in names:
        found = _time(row, name)
        if found is not None:
            return found
    raise SessionError(f"{names[-1]}: is missing; expected a time")


def _time(row: rows.Row, name: str) -> datetime | None:
    """A time as SQLAlchemy writes it: UTC, without saying so."""
    value = rows.optional_text(row, name)
    try:
        return None if value is None else parse_time(f"{value}Z")
    except ReconError:
        raise SessionError(f"{name}: {quoted(value)} is no time in UTC without offset") from None


def _first_balances(
    wallet_rows: list[dict[str, Any]],
) -> tuple[datetime | None, tuple[CashBalance, ...] | None]:
    """The balances that freqtrade wrote down first, of currencies and not of positions."""
    timed = rows.each(
        wallet_rows, "wallet_history", lambda row: (_needed_time(row, "timestamp"), row)
    )
    opened = min((time for time, _ in timed), default=None)
    first = [row for time, row in timed if time == opened and "/" not in str(row["currency"])]
    balances = rows.each(
        first,
        "wallet_history",
        lambda row: CashBalance(rows.text(row, "currency"), rows.number(row, "balance")),
    )
    return opened, tuple(balances)
