"""Portfolios of the real vectorbt: two columns, long and short, a rate and a fixed fee."""

from pathlib import Path
from typing import Any

import pytest

from recon_core.recorders import record_vectorbt
from tests.engines.prices import walk

vbt: Any = pytest.importorskip("vectorbt", reason="needs vectorbt: make test-engines")
np: Any = pytest.importorskip("numpy", reason="needs numpy: make test-engines")
pd: Any = pytest.importorskip("pandas", reason="needs pandas: make test-engines")


def prices() -> Any:
    """Closing prices of two markets."""
    columns = {"A": walk(1, 100.0), "B": walk(2, 50.0)}
    index = pd.DatetimeIndex([bar.time for bar in columns["A"]])
    closes = {name: [bar.close for bar in bars] for name, bars in columns.items()}
    return pd.DataFrame(closes, index=index)


def portfolio(close: Any = None, **options: Any) -> Any:
    """Orders of random sizes, on one bar of five."""
    close = prices() if close is None else close
    dice = np.random.default_rng(1)
    sizes = dice.normal(0, 50, close.shape).round(3)
    drawn = np.where(dice.random(close.shape) < 0.2, sizes, 0.0)
    usual = {"fees": 0.001, "fixed_fees": 1.5, "init_cash": 100_000, "freq": "h"}
    return vbt.Portfolio.from_orders(close, drawn, **usual | options)


def shared(directory: Path) -> None:
    """Columns that share cash, with the simulator's log."""
    record_vectorbt(portfolio(cash_sharing=True, group_by=True, log=True), directory)


def separate(directory: Path) -> None:
    """Columns with cash of their own, without a log."""
    record_vectorbt(portfolio(), directory)
