"""Prices of the tests of engines: seeded walks, the same in every run."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

START = datetime(2026, 1, 5)  # noqa: DTZ001  # engines of backtests have times without a zone
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Bar:
    """One hour of a market."""

    time: datetime
    open: float
    high: float
    low: float
    close: float
    volume: float


def walk(seed: int, price: float, count: int = 300) -> list[Bar]:
    """Bars of a walk by up to 1 % an hour, in hundredths."""
    return list(_walk(random.Random(seed), price, count))  # noqa: S311  # prices, no secrets


def _walk(dice: random.Random, price: float, count: int) -> Iterator[Bar]:
    for number in range(count):
        close = round(price * (1 + dice.uniform(-0.01, 0.01)), 2)
        high, low = max(price, close), min(price, close)
        yield Bar(START + number * HOUR, price, high, low, close, float(dice.randint(5, 40)))
        price = close
