"""A bot that buys on the paper exchange through ccxt, keeps its own books, and records them."""

import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import ccxt

from recon_core import SessionRecorder

SYMBOL = "BTC/USDT"
PAIR = {"kind": "spot", "base": "BTC", "quote": "USDT"}


class Bot:
    """Books what the exchange answers to its orders."""

    def __init__(self, settings: Mapping[str, Any], cash: Decimal) -> None:
        self.exchange = ccxt.binance({**settings, "apiKey": "paper", "secret": "paper"})
        self.cash, self.begun = cash, datetime.now(UTC)
        self.fills: list[dict[str, Any]] = []

    def trade(self, side: str, quantity: str) -> None:
        """Send an order at the market, and book its fills.

        The fault of this bot: an answer that is lost is taken for an order that is not placed.
        """
        try:
            answer = self.exchange.create_order(SYMBOL, "market", side, float(quantity))["info"]
        except ccxt.NetworkError:
            return
        for fill in answer["fills"]:
            self.book(
                fill_id=fill["tradeId"],
                side=side,
                quantity=fill["qty"],
                price=fill["price"],
                fee=fill["commission"],
                fee_currency=fill["commissionAsset"],
                exchange_order_id=answer["orderId"],
                time=datetime.fromtimestamp(int(answer["transactTime"]) / 1000, UTC),
            )

    def book(self, **fill: Any) -> None:
        """Put a fill into the books."""
        self.fills.append({"symbol": SYMBOL, **fill})

    def record(self, directory: Path) -> None:
        """Write the books as the session of the day, with a snapshot as the exchange's side."""
        shutil.rmtree(directory, ignore_errors=True)
        with SessionRecorder(
            directory,
            strategy_id="desk",
            mode="PAPER",
            instruments={SYMBOL: PAIR},
            snapshot="account/coverage.json",
        ) as recorder:
            ledger = recorder.internal
            ledger.source, ledger.as_of = "bot", datetime.now(UTC)
            ledger.opening(cash={"USDT": self.cash}, as_of=self.begun)
            for fill in self.fills:
                ledger.fill(**fill)
