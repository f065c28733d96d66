"""A small exchange simulator, as a project writes one for its own tests."""

from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal

from recon_core import Fill, OrderSide


class Simulator:
    """Fills market orders at once, at the given price, for a fee in quote currency."""

    def __init__(self, cash: dict[str, Decimal], fee_rate: Decimal) -> None:
        self.cash = defaultdict(Decimal, cash)
        self.positions: dict[str, Decimal] = defaultdict(Decimal)
        self.fee_rate = fee_rate
        self._fill_count = 0

    def market_order(self, symbol: str, side: OrderSide, quantity: Decimal, price: Decimal) -> Fill:
        """Execute an order and return its fill, as an exchange would report it."""
        base, quote = symbol.split("/")
        fee = quantity * price * self.fee_rate
        signed = quantity if side is OrderSide.BUY else -quantity
        self.positions[symbol] += signed
        self.cash[base] += signed
        self.cash[quote] -= signed * price + fee
        self._fill_count += 1
        return Fill(
            fill_id=f"fill-{self._fill_count}",
            symbol=symbol,
            side=side,
            quantity=quantity,
            price=price,
            fee=fee,
            fee_currency=quote,
            time=datetime(2026, 1, 1, 12, self._fill_count, tzinfo=UTC),
        )
