"""A coin-margined account of Binance on this machine: one inverse contract of 100 USD."""

from dataclasses import dataclass, field
from typing import Any

from tests.servers.binance import DAY, Account

SYMBOL = "BTCUSD_PERP"


@dataclass
class CoinAccount(Account):
    """The state of the account; rows are Binance's own."""

    longest: int = 7 * DAY
    positions: list[dict[str, Any]] = field(default_factory=list)
    income: list[dict[str, Any]] = field(default_factory=list)

    def name_of(self, path: str, _given: dict[str, str]) -> str | None:
        """Return the end point of a request, by the names of the spot account."""
        name = path.rpartition("/")[2]
        return {"userTrades": "myTrades"}.get(name, name)

    def found(self, name: str, given: dict[str, str]) -> Any:
        """Answer as the exchange does."""
        if name == "exchangeInfo":
            return {"symbols": [_MARKET, _OTHER] if self.symbols else []}
        if name == "account":
            return {"assets": self.balances, "positions": []}
        if name == "leverageBracket":
            return [{"symbol": SYMBOL, "notionalCoef": "1", "brackets": [_BRACKET]}]
        if name == "positionRisk":
            return self.positions
        if name == "income":
            kind = given.get("incomeType")
            kept = [row for row in self.income if kind in (None, row["incomeType"])]
            return self.rows(kept, given, "time")
        return super().found(name, given)


_BRACKET = {"bracket": 1, "qtyCap": 50, "qtylFloor": 0, "maintMarginRatio": 0.004, "cum": 0.0}
_MARKET = {
    "symbol": SYMBOL,
    "pair": "BTCUSD",
    "contractType": "PERPETUAL",
    "contractStatus": "TRADING",
    "contractSize": 100,
    "marginAsset": "BTC",
    "baseAsset": "BTC",
    "quoteAsset": "USD",
    "deliveryDate": 4133404800000,
    "onboardDate": 1597042800000,
    "baseAssetPrecision": 8,
    "quotePrecision": 8,
    "pricePrecision": 1,
    "quantityPrecision": 0,
    "orderTypes": ["LIMIT", "MARKET"],
    "filters": [],
}
_OTHER = _MARKET | {
    "symbol": "ETHUSD_PERP",
    "pair": "ETHUSD",
    "contractSize": 10,
    "marginAsset": "ETH",
    "baseAsset": "ETH",
}
