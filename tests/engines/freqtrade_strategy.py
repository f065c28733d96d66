"""A strategy for the real freqtrade, which loads this file by its path: it records itself."""

import os
import random
from typing import Any

from freqtrade.strategy import IStrategy
from pandas import DataFrame

from recon_core.recorders import record_freqtrade


class Trading(IStrategy):  # type: ignore[misc]  # of an engine without types
    """Enters and exits at random, buys more of what it has, and sells a part of it."""

    INTERFACE_VERSION = 3
    timeframe = "1h"
    stoploss = -0.5
    minimal_roi = {"0": 10.0}  # noqa: RUF012  # as freqtrade's documentation has it
    position_adjustment_enable = True
    dice = random.Random(1)  # noqa: S311  # orders, no secrets

    def populate_indicators(self, dataframe: DataFrame, _metadata: dict[str, Any]) -> DataFrame:
        """None."""
        return dataframe

    def populate_entry_trend(self, dataframe: DataFrame, _metadata: dict[str, Any]) -> DataFrame:
        """One bar of five."""
        dataframe["enter_long"] = [int(number % 5 == 0) for number in range(len(dataframe))]
        return dataframe

    def populate_exit_trend(self, dataframe: DataFrame, _metadata: dict[str, Any]) -> DataFrame:
        """One bar of seven."""
        dataframe["exit_long"] = [int(number % 7 == 0) for number in range(len(dataframe))]
        return dataframe

    def adjust_trade_position(self, trade: Any, *_: Any, **__: Any) -> float | None:
        """A thousand more, or a third less, now and then."""
        draw = self.dice.random()
        if draw < 0.1:
            return 1000.0
        return -trade.stake_amount / 3 if draw > 0.95 else None


class Trader(Trading):
    """A strategy with the one line."""

    def bot_start(self, **_: Any) -> None:
        """Record this run."""
        record_freqtrade(self, os.environ["RECORDED_RUN"])


class Deaf(Trader):
    """A strategy whose fortieth filled order is not reported."""

    heard = 0
    order_filled: Any

    def bot_start(self, **more: Any) -> None:
        """Lose one call on its way to the recorder."""
        super().bot_start(**more)
        hear: Any = self.order_filled

        def deaf(*arguments: Any, **named: Any) -> Any:
            self.heard += 1
            return None if self.heard == 40 else hear(*arguments, **named)

        self.order_filled = deaf
