"""Runs of the real backtrader: two feeds, long and short, orders that are filled in parts."""

import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from recon_core.recorders import record_backtrader
from tests.engines.prices import Bar, walk

bt: Any = pytest.importorskip("backtrader", reason="needs backtrader: make test-engines")


class Feed(bt.feed.DataBase):  # type: ignore[misc]  # of an engine without types
    """A feed of bars."""

    params = (("bars", ()),)

    def start(self) -> None:
        super().start()
        self._left = iter(self.p.bars)

    def _load(self) -> bool:
        bar = next(self._left, None)
        if bar is None:
            return False
        self.lines.datetime[0] = bt.date2num(bar.time)
        for name in ("open", "high", "low", "close", "volume"):
            getattr(self.lines, name)[0] = getattr(bar, name)
        return True


class Trader(bt.Strategy):  # type: ignore[misc]  # of an engine without types
    """Buys, sells and closes at random, long and short; a few limit orders are cancelled."""

    params = (("seed", 1), ("is_whole", False))

    def __init__(self) -> None:
        self.dice = random.Random(self.p.seed)  # noqa: S311  # orders, no secrets

    def next(self) -> None:
        for data in self.datas:
            draw = self.dice.random()
            if draw < 0.12:
                self._order(data, exectype=bt.Order.Market)
            elif draw < 0.15:
                self._order(data, exectype=bt.Order.Limit, price=round(data.close[0] * 0.97, 2))
            elif draw < 0.18:
                self.close(data=data)
            elif draw < 0.2 and (pending := self.broker.get_orders_open()):
                self.cancel(pending[0])

    def _order(self, data: Any, **how: Any) -> None:
        size = self.dice.uniform(1, 30)
        trade = self.buy if self.dice.random() < 0.5 else self.sell
        trade(data=data, size=round(size) if self.p.is_whole else round(size, 3), **how)


def cerebro(*strategies: dict[str, Any], bars: Iterable[list[Bar]] = (), **scheme: Any) -> Any:
    """A cerebro with two feeds, of which a half of each bar's volume can be had."""
    made = bt.Cerebro()
    for name, rows in zip("AB", bars or (walk(1, 100.0), walk(2, 50.0)), strict=True):
        made.adddata(Feed(bars=rows), name=name)
    made.broker.setcash(100_000)
    made.broker.set_filler(bt.fillers.FixedBarPerc(perc=50))
    made.broker.setcommission(**{"commission": 0.001} | scheme)
    for options in strategies or ({},):
        made.addstrategy(Trader, **options)
    return made


def stocks(directory: Path) -> None:
    """Fractions of stocks, paid for in full, for 0.1 %."""
    made = cerebro()
    record_backtrader(made, directory)
    made.run()


def futures(directory: Path) -> None:
    """Contracts of 10 on a margin of 20 each, for 2.50 each."""
    made = cerebro({"is_whole": True}, commission=2.5, margin=20, mult=10)
    record_backtrader(made, directory)
    made.run()
