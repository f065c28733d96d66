"""backtesting.py: the table of trades that a run is judged by, against the equity of its broker.

The ledger is the table `_trades` of the result, an entry and an exit for each row, and the trades
that are still open. The statement is the broker's: the size of its position, and cash as if that
had been paid for in full: the last equity less size x last price. It is the same for every order
in which trades are closed, and on any margin. Where nothing is open, equity is cash: these points
of the equity curve are states in between.

A row of the table has one commission for both ways. The entry's part is what the broker's own
formula gives, the exit's part is what remains of the row.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from recon_core.recorders.engine_run import (
    CURRENCY,
    EngineRun,
    Number,
    exact,
    paid_for,
    require_times,
    signed,
    utc,
)
from recon_core.values.errors import ReconError
from recon_core.values.printable import printable

_ASSET: Final = "ASSET"
"""Symbol of a run that has one market and no name for it."""


def record_backtesting(
    stats: Any,
    directory: Path | str,
    *,
    symbol: str = _ASSET,
    currency: str = CURRENCY,
    session_id: str | None = None,
    strategy_id: str = "",
) -> Path:
    """Write the result of `Backtest.run()` as a session; returns the path of the session file.

    `symbol` names the market. `strategy_id` is the name of the strategy's class unless given.
    Raises `ReconError` for what is no such result, for data without times, and for a directory in
    use.
    """
    strategy = _part(stats, "_strategy")
    trades, equity = _part(stats, "_trades"), _part(stats, "_equity_curve")["Equity"]
    require_times(equity.index)
    run = EngineRun(
        directory,
        "backtesting.py",
        heard_by="trades",
        stated_by="broker",
        instruments={symbol: paid_for(symbol, currency)},
        session_id=session_id,
        strategy_id=strategy_id or type(strategy).__name__,
    )
    for side in run.sides:
        side.opening(cash={currency: equity.iloc[0]})
    for fill in _fills(trades, strategy, symbol, currency):
        run.ledger.fill(fill)
    for time, cash in _flat(trades, strategy.trades, equity):
        run.statement.snapshot(utc(time), cash={currency: cash})
    size, price = strategy.position.size, strategy.data.Close[-1]
    run.statement.positions({symbol: size})
    run.statement.cash({currency: exact(equity.iloc[-1]) - exact(size) * exact(price)})
    return run.finish(equity.index[-1])


def _part(stats: Any, name: str) -> Any:
    try:
        return stats[name]
    except (TypeError, KeyError, IndexError):
        found = printable(type(stats).__name__, 60)
        raise ReconError(
            f"an object of type {found}, without {name}; expected the result of Backtest.run()"
        ) from None


def _fills(trades: Any, strategy: Any, symbol: str, currency: str) -> Iterator[dict[str, Any]]:
    commission = _commission(strategy)
    rows = [_ended(row, commission) for row in trades.to_dict("records")]
    rows += [
        [_entry(one.size, one.entry_price, one.entry_time, commission)] for one in strategy.trades
    ]
    for number, fills in enumerate(rows, 1):
        for event, fill in zip(("entry", "exit"), fills, strict=False):
            named = {"fill_id": f"{number} {event}", "symbol": symbol, "fee_currency": currency}
            yield fill | named


def _ended(row: Mapping[str, Any], commission: "_Commission") -> list[dict[str, Any]]:
    entry = _entry(row["Size"], row["EntryPrice"], row["EntryTime"], commission)
    fee = exact(row.get("Commission", 0)) - entry["fee"]
    leaving = {"price": row["ExitPrice"], "fee": fee, "time": utc(row["ExitTime"])}
    return [entry, leaving | signed(-row["Size"])]


def _entry(size: Number, price: float, time: datetime, commission: "_Commission") -> dict[str, Any]:
    fee = exact(commission(size, price))
    return {"price": price, "fee": fee, "time": utc(time), **signed(size)}


_Commission = Callable[[Number, float], Number]


def _commission(strategy: Any) -> _Commission:
    """Return the broker's formula of commissions; nothing that is public has it."""
    formula: _Commission | None = getattr(getattr(strategy, "_broker", None), "_commission", None)
    if formula is None:
        raise ReconError("its broker has no formula of commissions; expected backtesting 0.6")
    return formula


def _flat(trades: Any, still_open: Iterable[Any], equity: Any) -> Iterator[tuple[datetime, float]]:
    """Yield time and equity of the first bar, and of each on which no trade is open any more."""
    yield equity.index[0], equity.iloc[0]
    spans = sorted(zip(trades["EntryBar"], trades["ExitBar"], strict=True))
    spans += sorted((one.entry_bar, len(equity)) for one in still_open)
    end = 0
    for entry, exit_ in sorted(spans):
        if end < entry and end:
            yield equity.index[end], equity.iloc[end]
        end = max(end, exit_)
    if 0 < end < len(equity):
        yield equity.index[end], equity.iloc[end]
