"""Runs of the real nautilus_trader: two strategies on a perpetual, a pair on a cash account."""

import random
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from recon_core.recorders import record_nautilus
from tests.engines.prices import walk

_NEEDS = "needs nautilus_trader: make test-engines"
backtest: Any = pytest.importorskip("nautilus_trader.backtest.engine", reason=_NEEDS)
config: Any = pytest.importorskip("nautilus_trader.config", reason=_NEEDS)
currencies: Any = pytest.importorskip("nautilus_trader.model.currencies", reason=_NEEDS)
data: Any = pytest.importorskip("nautilus_trader.model.data", reason=_NEEDS)
enums: Any = pytest.importorskip("nautilus_trader.model.enums", reason=_NEEDS)
objects: Any = pytest.importorskip("nautilus_trader.model.objects", reason=_NEEDS)
providers: Any = pytest.importorskip("nautilus_trader.test_kit.providers", reason=_NEEDS)
trading: Any = pytest.importorskip("nautilus_trader.trading.strategy", reason=_NEEDS)

HOUR = 3_600_000_000_000
START = 1_767_571_200_000_000_000


class Trader(trading.Strategy):  # type: ignore[misc]  # of an engine without types
    """Buys and sells at random, short too where it may; closes all when it stops."""

    def __init__(self, instrument: Any, name: str, *, may_short: bool) -> None:
        super().__init__(config.StrategyConfig(strategy_id=name, order_id_tag=name))
        self.instrument, self.may_short = instrument, may_short
        self.dice = random.Random(name)  # noqa: S311  # orders, no secrets

    def on_start(self) -> None:
        self.subscribe_quote_ticks(self.instrument.id)

    def on_quote_tick(self, _tick: Any) -> None:
        if self.dice.random() > 0.2:
            return
        quantity = Decimal(self.dice.randint(1, 3000)) / 100
        held = self.portfolio.net_position(self.instrument.id)
        if self.dice.random() < 0.5 or not (self.may_short or held >= quantity):
            self._trade(enums.OrderSide.BUY, quantity)
        else:
            self._trade(enums.OrderSide.SELL, quantity)

    def _trade(self, side: Any, quantity: Decimal) -> None:
        size = self.instrument.make_qty(quantity)
        self.submit_order(self.order_factory.market(self.instrument.id, side, size))

    def on_stop(self) -> None:
        if self.may_short:
            self.close_all_positions(self.instrument.id)


def engine(instrument: Any, price: float, *strategies: Any, **venue: Any) -> Any:
    """An engine with one venue and one instrument, and a quote an hour."""
    made = backtest.BacktestEngine(
        backtest.BacktestEngineConfig(logging=config.LoggingConfig(bypass_logging=True))
    )
    made.add_venue(
        venue=instrument.id.venue,
        oms_type=enums.OmsType.NETTING,
        base_currency=None,
        starting_balances=[objects.Money(9_000_000, currencies.USDT)],
        **venue,
    )
    made.add_instrument(instrument)
    made.add_data([_quote(instrument, number, bar) for number, bar in enumerate(walk(1, price))])
    for strategy in strategies:
        made.add_strategy(strategy)
    return made


def _quote(instrument: Any, number: int, bar: Any) -> Any:
    time = START + number * HOUR
    bid, ask = instrument.make_price(bar.close), instrument.make_price(bar.close + 0.1)
    size = instrument.make_qty(100)
    return data.QuoteTick(instrument.id, bid, ask, size, size, time, time)


def perpetual_engine() -> Any:
    """Two strategies on one perpetual: positions of their own, one account."""
    instrument = providers.TestInstrumentProvider.ethusdt_perp_binance()
    strategies = [Trader(instrument, name, may_short=True) for name in ("one", "two")]
    return engine(instrument, 2500.0, *strategies, account_type=enums.AccountType.MARGIN)


def pair_engine() -> Any:
    """A pair of currencies, paid for in full, some of it still held at the end."""
    instrument = providers.TestInstrumentProvider.ethusdt_binance()
    strategy = Trader(instrument, "one", may_short=False)
    return engine(instrument, 2500.0, strategy, account_type=enums.AccountType.CASH)


def recorded_run(made: Any, directory: Path) -> None:
    """A run from the first line to the last."""
    record_nautilus(made, directory)
    made.run()
    made.dispose()


def perpetual(directory: Path) -> None:
    """A margin account."""
    recorded_run(perpetual_engine(), directory)


def pair(directory: Path) -> None:
    """A cash account."""
    recorded_run(pair_engine(), directory)
