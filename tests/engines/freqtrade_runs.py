"""Backtests of the real freqtrade, by its command, on an exchange of this machine."""

import json
import os
import subprocess
import sys
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest

from tests.engines.prices import Bar, walk
from tests.servers.binance import Account, serving, settings_of

pytest.importorskip("ccxt", reason="needs freqtrade: make test-engines")
pytest.importorskip("freqtrade.strategy", reason="needs freqtrade: make test-engines")

ROOT = Path(__file__).parents[2]
STRATEGY = Path(__file__).with_name("freqtrade_strategy.py")
PAIRS = {"BTC/USDT": (1, 100.0), "ETH/USDT": (2, 50.0)}


def config_of(address: str, **more: Any) -> dict[str, Any]:
    """The configuration of a backtest that asks that exchange for its markets."""
    asked = {name: one for name, one in settings_of(address).items() if name != "rateLimit"}
    exchange = {"name": "binance", "pair_whitelist": list(PAIRS), "ccxt_config": asked}
    pricing = {"price_side": "same", "use_order_book": False}
    return {
        "stake_currency": "USDT",
        "stake_amount": 5000,
        "dry_run": True,
        "dry_run_wallet": 100_000,
        "max_open_trades": 2,
        "fee": 0.001,
        "timeframe": "1h",
        "exchange": exchange,
        "pairlists": [{"method": "StaticPairList"}],
        "entry_pricing": pricing,
        "exit_pricing": pricing,
        "dataformat_ohlcv": "json",
        **more,
    }


def _candle(bar: Bar) -> list[float]:
    """A bar as freqtrade keeps it, its time in milliseconds."""
    time = int(bar.time.replace(tzinfo=UTC).timestamp() * 1000)
    return [time, bar.open, bar.high, bar.low, bar.close, bar.volume]


def backtest(
    directory: Path, strategy: str = "Trader", strategies: Path = STRATEGY.parent, **more: Any
) -> subprocess.CompletedProcess[str]:
    """Run `freqtrade backtesting`; its strategy records into `directory`."""
    place = directory.with_name(f"{directory.name}-freqtrade")
    candles = place / "data"
    candles.mkdir(parents=True)
    for pair, start in PAIRS.items():
        rows = [_candle(bar) for bar in walk(*start)]
        (candles / f"{pair.replace('/', '_')}-1h.json").write_text(json.dumps(rows))
    with serving(Account()) as address:
        config = place / "config.json"
        config.write_text(json.dumps(config_of(address, **more)))
        command = [sys.executable, "-m", "freqtrade", "backtesting", "--config", str(config)]
        command += ["--userdir", str(place), "--datadir", str(candles), "--strategy", strategy]
        command += ["--strategy-path", str(strategies), "--cache", "none"]
        return subprocess.run(
            command,
            cwd=directory.parent,
            env={**os.environ, "RECORDED_RUN": str(directory), "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )


def spot(directory: Path) -> None:
    """A backtest with two pairs, entries in parts and exits in parts."""
    ended = backtest(directory)
    assert ended.returncode == 0, ended.stdout + ended.stderr
