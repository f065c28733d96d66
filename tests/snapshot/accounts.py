"""An account with some history, its snapshot, and what the gate says of it."""

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from recon_core.engine.reconciliation import Reconciliation, reconcile_session
from recon_core.snapshot.exchange import open_exchange
from recon_core.snapshot.recording import Recording, record_account
from recon_core.snapshot.writing import prepare, write
from tests.servers.binance import Account, serving, settings_of

KEYS = {"RECON_PAPER_API_KEY": "the-key-of-paper", "RECON_PAPER_SECRET": "the-secret-of-paper"}
HEAD = {"exchange": "binance", "account": "paper", "sandbox": False}
BEGUN = int(time.time() * 1000) - 50 * 3_600_000
"""The first trade, in milliseconds: two days ago, so that windows of a day are several."""


def trade(number: int, symbol: str = "BTCUSDT", **changes: Any) -> dict[str, Any]:
    """A trade of 1 at 2, each an hour after the last, with a fee of 0.001 BNB."""
    row = {"symbol": symbol, "id": number, "orderId": number, "price": "2", "qty": "1"}
    row |= {"commission": "0.001", "commissionAsset": "BNB", "time": BEGUN + number * 3_600_000}
    return row | {"quoteQty": "2", "isBuyer": True, "isMaker": False} | changes


def order(number: int, symbol: str = "BTCUSDT", **changes: Any) -> dict[str, Any]:
    """The filled order of a trade."""
    moment = BEGUN + number * 3_600_000
    row = {"symbol": symbol, "orderId": number, "clientOrderId": f"c{number}", "price": "2"}
    row |= {"origQty": "1", "executedQty": "1", "cummulativeQuoteQty": "2", "status": "FILLED"}
    row |= {"timeInForce": "GTC", "type": "LIMIT", "side": "BUY", "isWorking": True}
    return row | {"time": moment, "updateTime": moment} | changes


def account(count: int = 7, **changes: Any) -> Account:
    """An account that bought 1 BTC for each of its trades."""
    balances = [("BTC", str(count)), ("USDT", str(100 - 2 * count)), ("BNB", "0.5")]
    fields = {
        "balances": [{"asset": name, "free": free, "locked": "0"} for name, free in balances],
        "trades": [trade(number) for number in range(count)],
        "orders": [order(number) for number in range(count)],
        "deposits": [
            {"id": "d1", "amount": "100", "coin": "USDT", "status": 1, "txId": "t1"}
            | {"insertTime": BEGUN - 1000, "network": "ETH", "address": "x", "transferType": 0}
        ],
        "page": 3,
    }
    return Account(**fields | changes)


def recorded(
    given: Account, symbols: tuple[str, ...] = ("BTC/USDT", "ETH/USDT"), **settings: Any
) -> tuple[Recording, list[float]]:
    """Return what was recorded of an account, and the seconds that were waited."""
    waited: list[float] = []
    with serving(given) as address:
        exchange = open_exchange(
            "binance", "paper", settings=settings_of(address) | settings, environment=KEYS
        )
        since = datetime.fromtimestamp(BEGUN / 1000 - 3600, UTC)
        recording = record_account(exchange, symbols, since, waited.append)
        exchange.session.close()
    return recording, waited


def session_of(
    directory: Path, recording: Recording, count: int = 7, ledger: dict[str, Any] | None = None
) -> Path:
    """Write a snapshot, and a session whose ledger has `count` trades, or another ledger."""
    prepare(directory / "account", HEAD)
    write(directory / "account", HEAD, recording)
    as_of = recording.as_of.isoformat().replace("+00:00", "Z")
    document = {
        "schema": "recon.session/1",
        "session_id": "day",
        "external": {"from": {"format": "ccxt", "path": "account"}},
        **(spot_ledger(count) if ledger is None else ledger),
    }
    document["internal"] = {"as_of": as_of, **document["internal"]}
    path = directory / "day.recon.json"
    path.write_text(json.dumps(document))
    return path


def spot_ledger(count: int = 7) -> dict[str, Any]:
    """The ledger of an account that bought 1 BTC for each of its trades."""
    rows = range(count)
    fills = [
        {"fill_id": str(number), "symbol": "BTC/USDT", "side": "BUY", "quantity": "1"}
        | {"price": "2", "fee": "0.001", "fee_currency": "BNB", "time": moment_of(number)}
        | {"exchange_order_id": str(number)}
        for number in rows
    ]
    orders = [
        {"exchange_order_id": str(number), "client_order_id": f"c{number}", "symbol": "BTC/USDT"}
        | {"side": "BUY", "quantity": "1", "filled_quantity": "1", "state": "FILLED"}
        | {"time": moment_of(number)}
        for number in rows
    ]
    cash = {"BTC": str(count), "USDT": str(100 - 2 * count), "BNB": "0.5"}
    return {"internal": {"cash": cash, "fills": fills, "orders": orders}}


def gate(directory: Path, recording: Recording, count: int = 7) -> Reconciliation:
    """The verdicts on a snapshot against a ledger of `count` trades."""
    return reconcile_session(session_of(directory, recording, count))


def all_verdicts(reconciliation: Reconciliation) -> dict[str, str]:
    """Every verdict by its name, those of the session among them."""
    return {each.comparison.identity: each.verdict for each in reconciliation.judgements}


def moment_of(number: int) -> str:
    moment = datetime.fromtimestamp((BEGUN + number * 3_600_000) / 1000, UTC)
    return moment.isoformat().replace("+00:00", "Z")
