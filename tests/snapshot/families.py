"""One history at three kinds of exchanges: a spot wallet, contracts in coin, a margin account.

Seven trades of 1 at 2, an hour apart, each with a fee of 0.001. A family has the names of its
fields and the words of its errors; everything that is tested about it is the same.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from recon_core.snapshot.exchange import open_exchange
from recon_core.snapshot.recording import Recording, record_account
from tests.servers.binance import Account, Reply, serving, settings_of
from tests.servers.binance_coin import SYMBOL, CoinAccount
from tests.servers.bybit import UnifiedAccount
from tests.snapshot import accounts
from tests.snapshot.accounts import BEGUN, KEYS, moment_of

HOUR = 3_600_000
Row = dict[str, Any]


@dataclass(frozen=True)
class Family:
    """A kind of exchange: how its account is made, and what is called how.

    `fields` are the names of fields by ours, `other` is the id of a market without trades, `most`
    the rows of the largest page, `replies` its errors with the text that a user sees of each;
    `ledger` is that of the account.
    """

    exchange: str
    symbols: tuple[str, ...]
    account: Callable[..., Account]
    trade: Callable[..., Row]
    ledger: Mapping[str, Any]
    fields: Mapping[str, str]
    other: str
    most: int
    replies: Mapping[str, tuple[Reply, str]]

    def recorded(self, given: Account, **settings: Any) -> tuple[Recording, list[float]]:
        """Return what was recorded of an account, and the seconds that were waited."""
        waited: list[float] = []
        with serving(given) as address:
            chosen = settings_of(address, self.exchange) | settings
            exchange = open_exchange(self.exchange, "paper", settings=chosen, environment=KEYS)
            since = datetime.fromtimestamp(BEGUN / 1000 - 3600, UTC)
            recording = record_account(exchange, self.symbols, since, waited.append)
            exchange.session.close()
        return recording, waited


def _named(rows: Row, fields: Mapping[str, str], changes: Row) -> Row:
    """Return a row with some fields, by our names, changed."""
    return rows | {fields[name]: value for name, value in changes.items()}


def _time_of(number: int) -> int:
    return BEGUN + number * HOUR


def _rows(symbol: str, quantity: str, fee_currency: str, count: int = 7) -> dict[str, list[Row]]:
    """Fills and orders of a ledger."""
    named = [
        {"exchange_order_id": str(number), "symbol": symbol, "side": "BUY", "quantity": quantity}
        | {"time": moment_of(number)}
        for number in range(count)
    ]
    fills = [
        row
        | {"fill_id": row["exchange_order_id"], "price": "2", "fee": "0.001"}
        | {"fee_currency": fee_currency}
        for row in named
    ]
    orders = [
        row
        | {"client_order_id": f"c{row['exchange_order_id']}", "filled_quantity": quantity}
        | {"state": "FILLED"}
        for row in named
    ]
    return {"fills": fills, "orders": orders}


BINANCE = {
    "busy": (
        Reply({"code": -1003, "msg": "Too many requests."}, 429, (("Retry-After", "7"),)),
        "429 Too Many Requests",
    ),
    "banned": (Reply({"code": -1003, "msg": "banned"}, 418), "DDoSProtection"),
    "refused": (Reply({"code": -2015, "msg": "Invalid API-key"}, 401), "AuthenticationError"),
    "forbidden": (Reply({"code": -1002, "msg": "not authorized"}, 401), "AuthenticationError"),
    "broken": (Reply({"code": -1000, "msg": "An unknown error."}), "OperationFailed"),
    "no list": (Reply({}), "the answer has no list of rows"),
}
SPOT_FIELDS = {"price": "price", "time": "time", "id": "id", "fee": "commission", "amount": "qty"}
SPOT_FIELDS |= {"symbol": "symbol", "order": "orderId", "status": "status", "side": "side"}
SPOT_FIELDS |= {"total": "free", "filled": "executedQty", "quantity": "origQty"}

SPOT = Family(
    exchange="binance",
    symbols=("BTC/USDT", "ETH/USDT"),
    account=accounts.account,
    trade=lambda number, **more: _named(accounts.trade(number), SPOT_FIELDS, more),
    ledger=accounts.spot_ledger(),
    fields=SPOT_FIELDS,
    other="ETHUSDT",
    most=1000,
    replies=BINANCE,
)

COIN_FIELDS = SPOT_FIELDS | {"total": "marginBalance"}


def _coin_trade(number: int, **more: Any) -> Row:
    row = {"symbol": SYMBOL, "id": number, "orderId": number, "side": "BUY", "price": "2"}
    row |= {"qty": "1", "realizedPnl": "0", "baseQty": "50", "positionSide": "BOTH"}
    row |= {"commission": "0.001", "commissionAsset": "BTC", "buyer": True, "maker": False}
    return _named(row | {"time": _time_of(number)}, COIN_FIELDS, more)


def _coin_order(number: int) -> Row:
    row = {"symbol": SYMBOL, "orderId": number, "clientOrderId": f"c{number}", "price": "2"}
    row |= {"avgPrice": "2", "origQty": "1", "executedQty": "1", "cumBase": "50", "side": "BUY"}
    row |= {"status": "FILLED", "type": "LIMIT", "timeInForce": "GTC", "positionSide": "BOTH"}
    return row | {"time": _time_of(number), "updateTime": _time_of(number)}


def _coin_account(count: int = 7, **changes: Any) -> CoinAccount:
    wallet = {"asset": "BTC", "walletBalance": "9.5", "marginBalance": "9.6"}
    wallet |= {"unrealizedProfit": "0.1", "availableBalance": "9", "initialMargin": "0.02"}
    held = {"symbol": SYMBOL, "positionAmt": str(count), "entryPrice": "2", "markPrice": "2.1"}
    held |= {"unRealizedProfit": "0.1", "liquidationPrice": "0", "leverage": "10"}
    held |= {"marginType": "cross", "isolatedMargin": "0", "positionSide": "BOTH"}
    held |= {"updateTime": BEGUN, "notionalValue": "333", "maxQty": "100"}
    paid = {"symbol": SYMBOL, "incomeType": "FUNDING_FEE", "income": "-0.00001", "asset": "BTC"}
    fields = {
        "balances": [wallet],
        "trades": [_coin_trade(number) for number in range(count)],
        "orders": [_coin_order(number) for number in range(count)],
        "positions": [held],
        "income": [
            paid | {"info": "FUNDING_FEE", "time": BEGUN + 1000, "tranId": "f1", "tradeId": ""}
        ],
        "page": 3,
    }
    return CoinAccount(**fields | changes)


COIN = Family(
    exchange="binancecoinm",
    symbols=("BTC/USD:BTC",),
    account=_coin_account,
    trade=_coin_trade,
    ledger={
        "instruments": {
            "BTC/USD:BTC": {"kind": "inverse", "base": "BTC", "quote": "USD", "settlement": "BTC"}
        },
        "internal": {
            "cash": {"BTC": "9.5"},
            "positions": {"BTC/USD:BTC": "700"},
            **_rows("BTC/USD:BTC", "100", "BTC"),
        },
    },
    fields=COIN_FIELDS,
    other="ETHUSD_PERP",
    most=1000,
    replies=BINANCE,
)

BYBIT_FIELDS = {"price": "execPrice", "time": "execTime", "id": "execId", "fee": "execFee"}
BYBIT_FIELDS |= {"amount": "execQty", "symbol": "symbol", "order": "orderId"}
BYBIT_FIELDS |= {"status": "orderStatus", "side": "side", "total": "walletBalance"}
BYBIT_FIELDS |= {"filled": "cumExecQty", "quantity": "qty"}


def _bybit_trade(number: int, **more: Any) -> Row:
    row = {"symbol": "BTCUSDT", "category": "linear", "execId": str(number), "side": "Buy"}
    row |= {"orderId": str(number), "execPrice": "2", "execQty": "1", "execFee": "0.001"}
    row |= {"execType": "Trade", "orderType": "Limit", "execValue": "2", "isMaker": False}
    return _named(row | {"execTime": str(_time_of(number))}, BYBIT_FIELDS, more)


def _bybit_order(number: int) -> Row:
    row = {"symbol": "BTCUSDT", "category": "linear", "orderId": str(number), "side": "Buy"}
    row |= {"orderLinkId": f"c{number}", "price": "2", "qty": "1", "cumExecQty": "1"}
    row |= {"cumExecValue": "2", "leavesQty": "0", "orderStatus": "Filled", "avgPrice": "2"}
    row |= {"orderType": "Limit", "timeInForce": "GTC", "reduceOnly": False, "tpslMode": ""}
    return row | {"createdTime": str(_time_of(number)), "updatedTime": str(_time_of(number))}


def _coin_of(name: str, wallet: str, **more: str) -> Row:
    row = {"coin": name, "walletBalance": wallet, "equity": wallet, "unrealisedPnl": "0"}
    row |= {"spotBorrow": "0", "borrowAmount": "0", "accruedInterest": "0", "locked": "0"}
    return row | {"availableToWithdraw": "", "totalPositionIM": "0", "totalOrderIM": "0"} | more


def bybit_account(count: int = 7, **changes: Any) -> UnifiedAccount:
    """A unified account that is long since its trades, borrowed BTC and paid funding."""
    held = {"symbol": "BTCUSDT", "category": "linear", "positionIdx": 0, "side": "Buy"}
    held |= {"size": str(count), "avgPrice": "2", "positionValue": "14", "markPrice": "3"}
    held |= {"unrealisedPnl": "7", "leverage": "10", "liqPrice": "", "positionIM": "1.4"}
    held |= {"positionMM": "0.1", "createdTime": str(BEGUN), "updatedTime": str(BEGUN)}
    paid = {"symbol": "BTCUSDT", "category": "linear", "execId": "f1", "execType": "Funding"}
    paid |= {"execFee": "0.01", "feeRate": "0.0001", "execTime": str(BEGUN + 1000), "side": "Buy"}
    booked = {"id": "l1", "symbol": "BTCUSDT", "type": "SETTLEMENT", "currency": "USDT"}
    booked |= {"change": "-0.01", "cashBalance": "99.99", "fee": "0", "funding": "-0.01"}
    came = {"coin": "USDT", "chain": "ETH", "amount": "100", "txID": "t1", "status": 3}
    came |= {"toAddress": "x", "tag": "", "depositFee": "", "successAt": str(BEGUN - 1000)}
    fields = {
        "balances": [
            _coin_of("BTC", "1.5", spotBorrow="0.5", borrowAmount="0.5"),
            _coin_of("USDT", "99.983", equity="106.983", unrealisedPnl="7"),
        ],
        "trades": [_bybit_trade(number) for number in range(count)],
        "orders": [_bybit_order(number) for number in range(count)],
        "positions": [held],
        "income": [paid],
        "ledger": [booked | {"transactionTime": str(BEGUN + 40 * HOUR)}],
        "deposits": [came | {"id": "d1"}],
        "page": 3,
        "newest_first": True,
    }
    return UnifiedAccount(**fields | changes)


UNIFIED = Family(
    exchange="bybit",
    symbols=("BTC/USDT:USDT", "BTC/USDT"),
    account=bybit_account,
    trade=_bybit_trade,
    ledger={
        "instruments": {
            "BTC/USDT:USDT": {
                "kind": "linear",
                "base": "BTC",
                "quote": "USDT",
                "settlement": "USDT",
            }
        },
        "internal": {
            "cash": {"BTC": "1", "USDT": "99.983"},
            "positions": {"BTC/USDT:USDT": "7"},
            **_rows("BTC/USDT:USDT", "1", "USDT"),
        },
    },
    fields=BYBIT_FIELDS,
    other="ETHUSDT",
    most=100,
    replies={
        "busy": (Reply({"retCode": 10006, "retMsg": "Too many visits!"}), "RateLimitExceeded"),
        "banned": (Reply(text="access too frequent", status=403), "page 1: "),
        "refused": (Reply({"retCode": 10003, "retMsg": "API key is invalid."}), "Authentication"),
        "forbidden": (Reply({"retCode": 10005, "retMsg": "Permission denied"}), "Permission"),
        "broken": (Reply({"retCode": 10016, "retMsg": "Server error."}), "ExchangeError"),
        "no list": (
            Reply({"retCode": 0, "retMsg": "OK", "result": {}}),
            "the answer has no list of rows",
        ),
    },
)

FAMILIES = {"spot": SPOT, "coin-margined": COIN, "unified": UNIFIED}
