"""Backtest results of freqtrade as plain JSON, with and without the orders of a trade."""

import json
from collections.abc import Sequence
from pathlib import Path

from ..answer import Answer, judged
from ..changes import Files, json_bytes
from .freqtrade_zip import backtest
from .kind import Kind

_NAME = "backtest-result.json"


def _seeds() -> Sequence[Files]:
    document = json.loads(backtest())
    (trade,) = document["strategy"]["S"]["trades"]
    trade |= {"orders": None, "open_rate": 2.0, "close_rate": 2.0}
    trade["close_timestamp"] = trade["open_timestamp"]
    return [{_NAME: backtest()}, {_NAME: json_bytes(document)}]


def _answer(directory: Path) -> Answer:
    return judged(directory / _NAME)


KIND = Kind("freqtrade-json", 10, _seeds, _answer)
