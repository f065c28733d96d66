"""freqtrade: the orders that a strategy's callback heard of, against the bot's wallets.

The ledger is each order that `order_filled` brought, with the fee of its trade's rate. The
statement is the bot's wallets when the next iteration begins: by then they have what was filled.
An iteration that heard of orders makes the session complete as of its time, for no callback says
when a bot, or a backtest, ends; what the last iteration fills is in neither side.

A simulated wallet deducts the fee of an entry when its trade is closed. What open trades owe is
deducted here, so that the statement is cash.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from recon_core.recorders.engine_run import EngineRun, exact, require_object, total, utc
from recon_core.values.amounts import EXACT
from recon_core.values.errors import ReconError
from recon_core.values.printable import printable

_MODES: Final = {"backtest": "SIM", "dry_run": "PAPER"}
"""Modes of a session by the run modes whose wallets freqtrade works out itself."""


def record_freqtrade(
    strategy: Any, directory: Path | str, *, session_id: str | None = None
) -> None:
    """Record a backtest or a dry run on a spot market; called in the strategy's `bot_start`.

    The callbacks `order_filled` and `bot_loop_start` of the strategy are called as before, and
    heard. Raises `ReconError` for what is no strategy, for futures, and for a live bot, whose side
    is the account: `recon snapshot`.
    """
    require_object(strategy, "freqtrade", "IStrategy")
    config = strategy.config
    if str(config.get("trading_mode", "spot")) != "spot":
        raise ReconError("trading_mode is not spot; expected the result of the backtest instead")
    mode = str(getattr(config["runmode"], "value", config["runmode"]))
    if mode not in _MODES:
        raise ReconError(
            f"runmode is {printable(mode, 40)}; expected a backtest or a dry run (the account of a "
            "live bot: recon snapshot)"
        )
    run = WalletRun(strategy, directory, _MODES[mode], session_id, _open_trades)
    strategy.bot_loop_start = _before(run.begin, strategy.bot_loop_start)
    strategy.order_filled = _before(run.hear, strategy.order_filled)


def _before(hear: Callable[..., None], callback: Callable[..., Any]) -> Callable[..., Any]:
    def call(*arguments: Any, **named: Any) -> Any:
        hear(*arguments, **named)
        return callback(*arguments, **named)

    return call


class WalletRun:
    """One run of a strategy: orders that it heard of, and its wallets."""

    def __init__(
        self,
        strategy: Any,
        directory: Path | str,
        mode: str,
        session_id: str | None,
        open_trades: Callable[[], Iterable[Any]],
    ) -> None:
        self._strategy = strategy
        self._open_trades = open_trades
        self._stake: str = strategy.config["stake_currency"]
        pairs = strategy.config["exchange"]["pair_whitelist"]
        self._bases = {pair: pair.partition("/")[0] for pair in pairs}
        self._heard: list[dict[str, Any]] = []
        self._has_begun = False
        self._run = EngineRun(
            directory,
            "freqtrade",
            heard_by="strategy",
            stated_by="wallets",
            instruments={
                pair: {"kind": "spot", "base": base, "quote": self._stake}
                for pair, base in self._bases.items()
            },
            session_id=session_id,
            strategy_id=strategy.get_strategy_name(),
            mode=mode,
        )

    def begin(self, current_time: datetime, **_: Any) -> None:
        """Record orders and wallets, where an iteration before this one heard of orders."""
        if not self._has_begun:
            self._run.ledger.opening(cash=self._balances(), as_of=utc(current_time))
            self._has_begun = True
        if not self._heard:
            return
        for fill in self._heard:
            self._run.ledger.fill(fill)
        self._heard.clear()
        self._run.statement.cash(self._balances())
        self._run.checkpoint(current_time)

    def hear(self, pair: str, trade: Any, order: Any, **_: Any) -> None:
        """Keep an order as a fill at its average price."""
        rate = trade.fee_open if order.ft_order_side == trade.entry_side else trade.fee_close
        cost = EXACT.multiply(exact(order.safe_price), exact(order.safe_filled))
        self._heard.append(
            {
                "fill_id": order.order_id,
                "exchange_order_id": order.order_id,
                "symbol": pair,
                "side": order.ft_order_side,
                "quantity": order.safe_filled,
                "price": order.safe_price,
                "fee": EXACT.multiply(cost, exact(rate or 0)),
                "fee_currency": self._stake,
                "time": utc(order.order_filled_utc),
            }
        )

    def _balances(self) -> dict[str, Decimal]:
        """Return the balance of the stake and of each base, entry fees of open trades deducted."""
        wallets = self._strategy.wallets
        wallets.update()
        held = {base: exact(wallets.get_total(base)) for base in self._bases.values()}
        owed = total(*(self._owed(trade) for trade in self._open_trades()))
        return {**held, self._stake: exact(wallets.get_total(self._stake)) - owed}

    @staticmethod
    def _owed(trade: Any) -> Decimal:
        """Return the entry fee of what is open of a trade."""
        worth = EXACT.multiply(exact(trade.amount), exact(trade.open_rate))
        return EXACT.multiply(worth, exact(trade.fee_open))


def _open_trades() -> list[Any]:
    """Return the open trades of this process, of a backtest or of a bot."""
    from freqtrade.persistence import Trade  # noqa: PLC0415  # the strategy has brought it

    return list(Trade.get_trades_proxy(is_open=True))
