"""A simulator that records its own session while it trades.

    python simulate.py run
    pytest --recon-session=run

The exchange is simulated; the strategy keeps books of its own from the fills that it
is told. Both write down what they know, and the gate compares the two.
"""

import random
import sys
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from recon_core import Instrument, InstrumentKind, SessionRecorder

PAIR = Instrument("BTC/EUR", InstrumentKind.SPOT, base="BTC", quote="EUR", settlement="EUR")
CENT = Decimal("0.01")
START = datetime(2026, 1, 1, 9, tzinfo=UTC)

Fill = dict[str, Any]


class Exchange:
    """Fills market orders at once, for 0.1 % in EUR, and remembers every balance."""

    def __init__(self, cash: Decimal) -> None:
        self.balances = defaultdict(Decimal, EUR=cash)
        self.fills: list[Fill] = []

    def market_order(self, side: str, quantity: Decimal, price: Decimal, time: datetime) -> Fill:
        """Execute an order and report its fill."""
        sign = 1 if side == "BUY" else -1
        fee = (quantity * price * Decimal("0.001")).quantize(CENT)
        self.balances["BTC"] += sign * quantity
        self.balances["EUR"] -= (sign * quantity * price).quantize(CENT) + fee
        number = len(self.fills) + 1
        fill: Fill = {"fill_id": f"x{number}", "exchange_order_id": f"e{number}"}
        fill |= {
            "symbol": PAIR.symbol,
            "side": side,
            "quantity": quantity,
            "price": price,
            "time": time,
        }
        fill |= {"fee": fee, "fee_currency": "EUR"}
        self.fills.append(fill)
        return fill


def trade(exchange: Exchange, told: Callable[[Fill], None]) -> datetime:
    """A hundred orders along a seeded random walk; every fill is told to the strategy."""
    walk = random.Random(7)  # noqa: S311  # a random walk, not a secret
    price, held, time = Decimal("42000.00"), Decimal(0), START
    for _ in range(100):
        price += CENT * walk.randint(-2500, 2500)
        time += timedelta(minutes=1)
        side = "SELL" if held and walk.choice((True, False)) else "BUY"
        quantity = held if side == "SELL" else Decimal("0.0125")
        held += quantity if side == "BUY" else -quantity
        told(exchange.market_order(side, quantity, price, time))
    return time


def main(directory: str) -> None:
    """Run the simulation and record both sides into `directory`."""
    exchange = Exchange(cash=Decimal("100000.00"))
    with SessionRecorder(
        directory, strategy_id="walk", mode="SIM", instruments=[PAIR], currencies={"EUR": 2}
    ) as recorder:
        ledger, account = recorder.internal, recorder.external
        ledger.source, account.source = "books of the strategy", "simulated exchange"
        ledger.opening(cash={"EUR": "100000.00"})
        # The books are what the fills give: the gate replays them.
        time = trade(exchange, told=lambda fill: ledger.fill(**fill))
        for fill in exchange.fills:
            account.fill(**fill)
        account.snapshot(START, positions={}, cash={"EUR": "100000.00"})
        account.positions({PAIR.symbol: exchange.balances["BTC"]})
        account.cash(exchange.balances)
        ledger.as_of = account.as_of = time
    print(f"session written to {recorder.path}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "run")
