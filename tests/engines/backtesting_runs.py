"""Runs of the real backtesting.py: long and short, closed in parts, with stops."""

import random
from pathlib import Path
from typing import Any

import pytest

from recon_core.recorders import record_backtesting
from tests.engines.prices import walk

backtesting: Any = pytest.importorskip("backtesting", reason="needs backtesting: make test-engines")
pandas: Any = pytest.importorskip("pandas", reason="needs pandas: make test-engines")


class Trader(backtesting.Strategy):  # type: ignore[misc]  # of an engine without types
    """Buys and sells at random, some with a stop; closes trades whole and in parts."""

    seed = 1

    def init(self) -> None:
        self.dice = random.Random(self.seed)  # noqa: S311  # orders, no secrets

    def next(self) -> None:
        draw, price = self.dice.random(), self.data.Close[-1]
        if draw < 0.15:
            self.buy(size=self.dice.randint(2, 40), sl=price * 0.95 if draw < 0.05 else None)
        elif draw < 0.3:
            self.sell(size=self.dice.randint(2, 40))
        elif draw < 0.4 and self.trades:
            self.dice.choice(self.trades).close(0.5)
        elif draw < 0.43:
            self.position.close()


def data(count: int = 300) -> Any:
    """Bars of one market, as the engine has them."""
    rows = walk(1, 100.0, count)
    columns = {
        name.title(): [getattr(bar, name) for bar in rows]
        for name in ("open", "high", "low", "close", "volume")
    }
    return pandas.DataFrame(columns, index=pandas.DatetimeIndex([bar.time for bar in rows]))


def backtest(**options: Any) -> Any:
    """A backtest for 0.1 % each way, on a margin of a fifth."""
    usual = {"cash": 100_000, "commission": 0.001, "margin": 0.2, "finalize_trades": True}
    return backtesting.Backtest(data(), Trader, **usual | options)


def closed(directory: Path) -> None:
    """All is closed on the last bar."""
    record_backtesting(backtest().run(), directory)


def hedged(directory: Path) -> None:
    """Long and short at one time, and some of both still open at the end."""
    record_backtesting(backtest(hedging=True, finalize_trades=False).run(), directory)
