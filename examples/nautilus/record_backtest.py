"""Record a small nautilus_trader backtest so that pytest-recon can reconcile it.

    python record_backtest.py my-recording
    pytest --recon-session=my-recording

The backtest needs no network and no data files: quotes are a seeded random walk,
the account is a cash account that starts with 100,000 USDT and 1 BTC, and the
strategy buys below and sells above a moving average. A backtest of your own needs
only the call of `write_nautilus_recording`, after the run and before `dispose`.
"""

import random
import sys
from collections import deque
from pathlib import Path

from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.config import LoggingConfig
from nautilus_trader.model.currencies import BTC, USDT
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.enums import AccountType, OmsType, OrderSide
from nautilus_trader.model.instruments import CurrencyPair
from nautilus_trader.model.objects import Money
from nautilus_trader.test_kit.providers import TestInstrumentProvider
from nautilus_trader.trading.strategy import Strategy

from recon_core import write_nautilus_recording

SECOND = 1_000_000_000
START = 1_704_067_200 * SECOND  # 2024-01-01 00:00 UTC


class BelowAndAboveAverage(Strategy):
    """Buys every twentieth quote below the average of the last 50, sells above it."""

    def __init__(self, instrument: CurrencyPair) -> None:
        super().__init__()
        self.instrument = instrument
        self.prices: deque[float] = deque(maxlen=50)
        self.quotes = 0

    def on_start(self) -> None:
        """Subscribe to the quotes."""
        self.subscribe_quote_ticks(self.instrument.id)

    def on_quote_tick(self, tick: QuoteTick) -> None:
        """Trade on every twentieth quote, never selling more than was bought."""
        price = float(tick.ask_price)
        self.prices.append(price)
        self.quotes += 1
        if self.quotes % 20:
            return
        if price < sum(self.prices) / len(self.prices):
            self.trade(OrderSide.BUY, "0.061729")
        elif self.portfolio.is_net_long(self.instrument.id):
            self.trade(OrderSide.SELL, "0.049383")

    def trade(self, side: OrderSide, quantity: str) -> None:
        """Send a market order; a sell is cut to the open position."""
        size = self.instrument.make_qty(quantity)
        if side == OrderSide.SELL:
            held = self.portfolio.net_position(self.instrument.id)
            size = min(size, self.instrument.make_qty(held))
        self.submit_order(self.order_factory.market(self.instrument.id, side, size))


def random_quotes(instrument: CurrencyPair, count: int, seed: int) -> list[QuoteTick]:
    """Return one quote a second, each a small step away from the one before."""
    walk = random.Random(seed)  # noqa: S311 (a random walk, not a secret)
    cents = 4_200_000
    quotes = []
    for number in range(count):
        cents += walk.randint(-2_500, 2_500)
        time = START + number * SECOND
        quotes.append(
            QuoteTick(
                instrument.id,
                instrument.make_price(f"{cents / 100:.2f}"),
                instrument.make_price(f"{(cents + 100) / 100:.2f}"),
                instrument.make_qty("2.000000"),
                instrument.make_qty("2.000000"),
                time,
                time,
            )
        )
    return quotes


def finished_backtest() -> BacktestEngine:
    """Build an engine with one venue, one pair and one strategy, and run it."""
    instrument = TestInstrumentProvider.btcusdt_binance()  # fees: 0.1 % maker and taker
    engine = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True)))
    engine.add_venue(
        venue=instrument.id.venue,
        oms_type=OmsType.NETTING,
        account_type=AccountType.CASH,
        base_currency=None,
        starting_balances=[Money(100_000, USDT), Money(1, BTC)],
    )
    engine.add_instrument(instrument)
    engine.add_data(random_quotes(instrument, count=1_000, seed=7))
    engine.add_strategy(BelowAndAboveAverage(instrument))
    engine.run()
    return engine


def main() -> None:
    """Run the backtest and write its recording to the directory given."""
    directory = Path(sys.argv[1] if len(sys.argv) > 1 else "recording")
    engine = finished_backtest()
    write_nautilus_recording(engine, directory, session_id="btcusdt-below-and-above-average")
    engine.dispose()
    print(f"recording written to {directory}")
    print(f"pytest --recon-session={directory}")


if __name__ == "__main__":
    main()
