"""Trade on paper with nautilus_trader's sandbox, and record the node when it has stopped.

    python record_paper.py run
    pytest --recon-session=run

The quotes are random and are put on the node's bus, so nothing is asked of an exchange. A node
with data clients of its own is recorded by the same call.
"""

import asyncio
import random
import sys
from typing import Any

from nautilus_trader.adapters.sandbox.config import SandboxExecutionClientConfig
from nautilus_trader.adapters.sandbox.factory import SandboxLiveExecClientFactory
from nautilus_trader.config import LiveExecEngineConfig, LoggingConfig, TradingNodeConfig
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.enums import OrderSide
from nautilus_trader.model.instruments import CryptoPerpetual
from nautilus_trader.test_kit.providers import TestInstrumentProvider
from nautilus_trader.trading.strategy import Strategy

from recon_core import write_nautilus_recording

QUOTES = 120
PAUSE = 0.002
"""Seconds between two quotes."""


class EverySeventh(Strategy):
    """Buys or sells at random on every seventh quote."""

    def __init__(self, instrument: CryptoPerpetual) -> None:
        super().__init__()
        self.instrument = instrument
        self.random = random.Random(7)  # noqa: S311  # a walk, no secret
        self.quotes = 0

    def on_start(self) -> None:
        """Listen to the quotes of the bus."""
        symbol = self.instrument.id.symbol
        topic = f"data.quotes.{self.instrument.id.venue}.{symbol}"
        self.msgbus.subscribe(topic=topic, handler=self.on_quote_tick)

    def on_quote_tick(self, _tick: QuoteTick) -> None:
        """Submit a market order now and then."""
        self.quotes += 1
        if self.quotes % 7 == 0:
            side = self.random.choice((OrderSide.BUY, OrderSide.SELL))
            quantity = self.instrument.make_qty(0.15)
            self.submit_order(self.order_factory.market(self.instrument.id, side, quantity))


def paper_node(instrument: CryptoPerpetual) -> TradingNode:
    """A node that trades one instrument on a simulated exchange."""
    exchange = SandboxExecutionClientConfig(
        venue="BINANCE", starting_balances=["10_000 USDT"], account_type="MARGIN"
    )
    config = TradingNodeConfig(
        logging=LoggingConfig(log_level="ERROR"),
        exec_engine=LiveExecEngineConfig(reconciliation=False),
        exec_clients={"BINANCE": exchange},
        timeout_post_stop=0.5,
    )
    node = TradingNode(config=config)
    node.cache.add_instrument(instrument)
    node.trader.add_strategy(EverySeventh(instrument))
    node.add_exec_client_factory("BINANCE", SandboxLiveExecClientFactory)
    node.build()
    return node


async def random_quotes(node: Any, instrument: CryptoPerpetual) -> None:
    """Put quotes on the bus until there are enough, and stop the node."""
    steps, price = random.Random(5), 2500.0  # noqa: S311  # as above
    while not node.is_running():
        await asyncio.sleep(PAUSE)
    for _ in range(QUOTES):
        price += steps.uniform(-2, 2)
        now = node.kernel.clock.timestamp_ns()
        bid, ask = instrument.make_price(price - 0.05), instrument.make_price(price + 0.05)
        size = instrument.make_qty(5)
        node.kernel.data_engine.process(QuoteTick(instrument.id, bid, ask, size, size, now, now))
        await asyncio.sleep(PAUSE)
    await node.stop_async()


def main(directory: str) -> None:
    """Trade, then write the recording."""
    instrument = TestInstrumentProvider.ethusdt_perp_binance()
    node = paper_node(instrument)
    feed = node.get_event_loop().create_task(random_quotes(node, instrument))
    node.run()  # until the node is stopped
    feed.result()
    write_nautilus_recording(node, directory)
    node.dispose()
    print(f"pytest --recon-session={directory}")


if __name__ == "__main__":
    main(*sys.argv[1:])
