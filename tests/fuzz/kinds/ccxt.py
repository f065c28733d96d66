"""Results of ccxt's unified calls as the exchange's side."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..answer import Answer, judged
from ..changes import Files, json_bytes
from .kind import Kind

_NAME = "input.recon.json"
_MS = 1767268800000
_SIDE = {
    "as_of": "2026-01-01T12:00:00Z",
    "positions": {"BTC/USDT:USDT": "0.2"},
    "cash": {"USDT": "6.5", "ETH": "0"},
}
_BALANCE = {
    "info": {},
    "timestamp": _MS,
    "free": {"USDT": 5.5, "ETH": 0.0},
    "used": {"USDT": 1.0, "ETH": 0.0},
    "total": {"USDT": 6.5, "ETH": 0.0},
}
_POSITION = {
    "symbol": "BTC/USDT:USDT",
    "contracts": 20.0,
    "contractSize": 0.01,
    "side": "long",
    "timestamp": _MS,
    "hedged": False,
    "entryPrice": 100.5,
    "info": {"positionSide": "BOTH"},
}
_TRADE = {
    "id": "t1",
    "order": "o1",
    "symbol": "BTC/USDT",
    "side": "buy",
    "takerOrMaker": "taker",
    "price": 100.5,
    "amount": 1e-05,
    "timestamp": _MS,
    "datetime": "2026-01-01T12:00:00.000Z",
    "fee": {"cost": 0.1, "currency": "BNB"},
    "fees": [{"cost": 0.1, "currency": "BNB"}],
}
_ORDER = {
    "id": "o1",
    "clientOrderId": "c1",
    "symbol": "BTC/USDT",
    "side": "sell",
    "type": "limit",
    "price": 100.5,
    "amount": 2.0,
    "filled": 0.0,
    "status": "open",
    "timestamp": _MS,
    "lastUpdateTimestamp": _MS + 1500,
}


def _session(**internal: Any) -> bytes:
    source = {"from": {"format": "ccxt", "path": "ccxt"}}
    document = {"schema": "recon.session/1", "session_id": "input", "external": source}
    return json_bytes(document | {"internal": _SIDE | internal})


def _seeds() -> Sequence[Files]:
    state = {
        "ccxt/balance.json": json_bytes(_BALANCE),
        "ccxt/positions.json": json_bytes([_POSITION]),
    }
    trades = {"ccxt/trades.json": json_bytes([_TRADE, _TRADE | {"id": "t2", "side": "sell"}])}
    orders = {
        "ccxt/orders.json": json_bytes([_ORDER, _ORDER | {"id": "o2", "clientOrderId": None}])
    }
    return [
        {_NAME: _session()} | state,
        {_NAME: _session()} | state | trades,
        {_NAME: _session(orders=[])} | state | orders,
        {_NAME: _session(fills=[])} | state | trades | orders,
    ]


def _answer(directory: Path) -> Answer:
    return judged(directory / _NAME)


KIND = Kind("ccxt", 80, _seeds, _answer)
