"""The result of a freqtrade backtest: a JSON file, or the one in a zip, as a session of both sides.

The trades are booked on `starting_balance`; `final_balance` is the other side. A trade of an old
freqtrade has no orders: its entry and its exit are one fill each.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from recon_core.model import (
    CashBalance,
    InputFile,
    Numbers,
    Opening,
    OrderSide,
    RecordedSession,
    SessionMode,
    SideRecord,
)
from recon_core.sessions.files import read_bytes, read_text_file
from recon_core.sessions.formats import rows
from recon_core.sessions.formats.freqtrade_trades import (
    NOISE,
    FilledOrder,
    Trade,
    contradictions,
    currencies,
    futures_state,
    instruments,
    open_positions,
    order_side,
    trading_mode,
)
from recon_core.sessions.formats.freqtrade_zip import result_text
from recon_core.sessions.json_text import parse_json
from recon_core.values.amounts import EXACT, ZERO, exact_sum, format_amount
from recon_core.values.errors import ReconError, SessionError
from recon_core.values.printable import printable, quoted


def read_backtest(path: Path) -> RecordedSession:
    """Read a backtest result; raises `SessionError` with one clear line."""
    name = printable(path.name)
    if path.suffix == ".zip":
        packed = read_bytes(path)
        evidence = InputFile(name, hashlib.sha256(packed).hexdigest())
        with _named(name):
            member, text = result_text(packed, name)
            document = parse_json(text, member, constants=True)
    else:
        content = read_text_file(path)
        evidence = content.evidence
        document = parse_json(content.text, name, constants=True)
    with _named(name):
        return _session(path, document, evidence)


@contextmanager
def _named(name: str) -> Iterator[None]:
    """Put the name of the file before the message of an error."""
    try:
        yield
    except ReconError as error:
        raise SessionError(f"{name}: {error}") from None


def _session(path: Path, document: Any, evidence: InputFile) -> RecordedSession:
    strategy, result = _only_strategy(document)
    trades = rows.each(rows.table_list(result, "trades"), "trades", _Reader(result).trade)
    stake = rows.text(result, "stake_currency")
    fills = tuple(fill for trade in trades for fill in trade.fills())
    opening = (CashBalance(stake, rows.number(result, "starting_balance")),)
    times = [trade.time for trade in trades] + [fill.time for fill in fills]
    ended = rows.milliseconds(result, "backtest_end_ts")
    if ended is None and not times:
        raise SessionError("backtest_end_ts: is missing; expected milliseconds")
    as_of = max([*times, *([ended] if ended else [])])
    movements = tuple(one for trade in trades if (one := trade.funding_movement()))
    positions, cash = (
        futures_state(opening, trades)
        if any(trade.mode == "futures" for trade in trades)
        else (None, None)
    )
    return RecordedSession(
        session_id=path.stem,
        anchor=path,
        strategy_id=strategy,
        mode=SessionMode.SIM,
        instruments=instruments(trades),
        currencies=currencies(trades),
        internal=SideRecord(
            as_of=as_of,
            source="freqtrade trades",
            numbers=Numbers.FLOAT,
            positions=positions,
            cash=cash,
            fills=fills,
            movements=movements or None,
            opening=Opening(None, cash=opening),
            miscounts=tuple(miscounts(result, trades)),
            contradictions=tuple(contradictions(trades)),
        ),
        external=SideRecord(
            as_of=as_of,
            source="freqtrade final balance",
            numbers=Numbers.FLOAT,
            positions=open_positions(trades),
            cash=(CashBalance(stake, rows.number(result, "final_balance")),),
        ),
        inputs=(evidence,),
    )


def miscounts(result: rows.Row, trades: Sequence[Trade]) -> Iterator[str]:
    """Yield the counts and sums of a result that its own trades do not give."""
    counted = rows.optional_number(result, "total_trades")
    if counted is not None and counted != len(trades):
        yield f"total_trades is {format_amount(counted)}, and trades lists {len(trades)}"
    listed = Counter(trade.pair for trade in trades)
    for row in rows.each(result.get("results_per_pair") or [], "results_per_pair", dict):
        pair, number = row.get("key"), rows.optional_number(row, "trades")
        if isinstance(pair, str) and pair != "TOTAL" and number not in (None, listed[pair]):
            shown, count = printable(pair, 60), format_amount(number or ZERO)
            yield f"results_per_pair gives {shown} {count} trades, and trades lists {listed[pair]}"
    profit = rows.optional_number(result, "profit_total_abs")
    stated = [trade.stated_profit for trade in trades if trade.stated_profit is not None]
    if profit is not None and len(stated) == len(trades):
        earned = exact_sum(stated)
        if EXACT.subtract(profit, earned).copy_abs() > NOISE:
            stated_sum, own_sum = format_amount(profit), format_amount(earned)
            yield f"profit_total_abs is {stated_sum}, and the profits of its trades give {own_sum}"


def _only_strategy(document: Any) -> tuple[str, rows.Row]:
    strategies = rows.table(rows.table(document, "the result").get("strategy"), "strategy")
    if len(strategies) != 1:
        names = ", ".join(quoted(name, 40) for name in list(strategies)[:5]) or "none"
        raise SessionError(f"strategy: holds {len(strategies)} ({names}); expected one")
    name, result = next(iter(strategies.items()))
    return name, rows.table(result, quoted(name))


class _Reader:
    """Reads the trades of one result; they are numbered, for they have no ids."""

    def __init__(self, result: rows.Row) -> None:
        self._mode = trading_mode(rows.optional_text(result, "trading_mode"))
        self._count = 0

    def trade(self, row: rows.Row) -> Trade:
        self._count += 1
        is_open = rows.flag(row, "is_open")
        is_short = "is_short" in row and rows.flag(row, "is_short")
        filled = self._filled(row, is_short=is_short, is_open=is_open)
        closed = rows.milliseconds(row, "close_timestamp")
        opened = rows.milliseconds(row, "open_timestamp")
        times = [time for time in (closed, opened, *(order.time for order in filled)) if time]
        if not times:
            raise SessionError("open_timestamp: is missing; expected milliseconds")
        amount = rows.number(row, "amount") if is_open else ZERO
        return Trade(
            trade_id=str(self._count),
            pair=rows.text(row, "pair"),
            mode=self._mode,
            entry_fee=rows.number(row, "fee_open"),
            exit_fee=rows.number(row, "fee_close"),
            funding=rows.optional_number(row, "funding_fees") or ZERO,
            open_quantity=amount.copy_negate() if is_short else amount,
            time=max(times),
            stated_profit=None if is_open else rows.optional_number(row, "profit_abs"),
            orders=tuple(filled),
        )

    def _filled(self, row: rows.Row, *, is_short: bool, is_open: bool) -> list[FilledOrder]:
        if row.get("orders") is None:
            ends = ("open", "close")[: 1 if is_open else 2]
            return [self._end(row, end, is_short=is_short) for end in ends]
        orders = rows.table_list(row, "orders")
        return [
            self._order(order, index)
            for index, order in enumerate(rows.each(orders, "orders", dict), 1)
            if order.get("order_filled_timestamp") is not None
        ]

    def _end(self, row: rows.Row, end: str, *, is_short: bool) -> FilledOrder:
        """The entry or the exit of a trade without orders, which trades all of its amount."""
        time = rows.milliseconds(row, f"{end}_timestamp")
        if time is None:
            raise SessionError(f"{end}_timestamp: is missing; expected milliseconds")
        is_entry = end == "open"
        return FilledOrder(
            fill_id=f"{self._count}.{1 if is_entry else 2}",
            side=OrderSide.SELL if is_entry is is_short else OrderSide.BUY,
            is_entry=is_entry,
            quantity=rows.number(row, "amount"),
            price=rows.number(row, f"{end}_rate"),
            time=time,
        )

    def _order(self, row: rows.Row, index: int) -> FilledOrder:
        time = rows.milliseconds(row, "order_filled_timestamp")
        assert time is not None  # noqa: S101  # the caller has looked
        return FilledOrder(
            fill_id=f"{self._count}.{index}",
            side=order_side(rows.text(row, "ft_order_side")),
            is_entry=rows.flag(row, "ft_is_entry"),
            quantity=rows.number(row, "amount"),
            price=rows.number(row, "safe_price"),
            time=time,
        )
