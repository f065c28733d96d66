"""A coin-margined account: contracts have their size, cash is that of the wallet."""

import json
import time
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from recon_core.model import MovementKind, SideRecord
from recon_core.sessions import read_session
from recon_core.snapshot.exchange import open_exchange
from recon_core.snapshot.recording import Recording, record_account
from tests.servers.binance import Reply, serving, settings_of
from tests.servers.binance_coin import SYMBOL, CoinAccount
from tests.snapshot.accounts import BEGUN, KEYS, session_of

pytest.importorskip("ccxt", reason="needs the extra exchange: make exchange")


def held(**changes: Any) -> dict[str, Any]:
    """A position of 3 contracts long."""
    row = {"symbol": SYMBOL, "positionAmt": "3", "entryPrice": "50000", "markPrice": "60000"}
    row |= {"unRealizedProfit": "0.001", "liquidationPrice": "0", "leverage": "10"}
    row |= {"marginType": "cross", "isolatedMargin": "0", "positionSide": "BOTH"}
    return row | {"updateTime": BEGUN, "notionalValue": "0.005", "maxQty": "100"} | changes


def account(**changes: Any) -> CoinAccount:
    """An account that bought 3 contracts and paid funding for them."""
    wallet = {"asset": "BTC", "walletBalance": "0.123456789012345678", "marginBalance": "0.1245"}
    wallet |= {"unrealizedProfit": "0.001", "availableBalance": "0.1", "initialMargin": "0.02"}
    row = {"symbol": SYMBOL, "orderId": 1, "time": BEGUN, "side": "BUY", "positionSide": "BOTH"}
    traded = row | {"id": 1, "price": "50000", "qty": "3", "realizedPnl": "0", "baseQty": "0.006"}
    traded |= {"commission": "0.000003", "commissionAsset": "BTC", "buyer": True, "maker": False}
    sent = row | {"clientOrderId": "c1", "price": "50000", "avgPrice": "50000", "origQty": "3"}
    sent |= {"executedQty": "3", "cumBase": "0.006", "status": "FILLED", "type": "LIMIT"}
    paid = {"symbol": SYMBOL, "incomeType": "FUNDING_FEE", "income": "-0.00001", "asset": "BTC"}
    fields = {
        "balances": [wallet],
        "trades": [traded],
        "orders": [sent | {"timeInForce": "GTC", "updateTime": BEGUN}],
        "positions": [held()],
        "income": [
            paid | {"info": "FUNDING_FEE", "time": BEGUN + 1000, "tranId": "9", "tradeId": ""}
        ],
    }
    return CoinAccount(**fields | changes)


def recorded(given: CoinAccount) -> Recording:
    """Return what was recorded of an account."""
    with serving(given) as address:
        exchange = open_exchange(
            "binancecoinm", "paper", settings=settings_of(address, "binancecoinm"), environment=KEYS
        )
        since = datetime.fromtimestamp(BEGUN / 1000 - 3600, UTC)
        recording = record_account(exchange, [SYMBOL], since, time.sleep)
        exchange.session.close()
    return recording


def external(directory: Path, recording: Recording) -> SideRecord:
    """The side that a session takes from a snapshot."""
    record = read_session(session_of(directory, recording)).external
    assert record is not None
    return record


def test_contracts_have_the_size_of_their_market(tmp_path: Path) -> None:
    """Positions, trades and orders are in units of the contract's currency."""
    recording = recorded(account())
    assert recording.faults == []
    assert recording.symbols == ("BTC/USD:BTC",)
    record = external(tmp_path, recording)
    assert [each.quantity for each in record.positions or ()] == [300]
    assert [each.quantity for each in record.fills or ()] == [300]
    assert [each.filled_quantity for each in record.orders or ()] == [300]
    assert [(each.movement_kind, each.amount) for each in record.movements or ()] == [
        (MovementKind.FUNDING, Decimal("-0.00001"))
    ]


def test_cash_is_without_the_gain_of_open_positions(tmp_path: Path) -> None:
    """The total of ccxt has it in it; the wallet has not, and keeps every digit."""
    record = external(tmp_path, recorded(account()))
    assert [each.total for each in record.cash or ()] == [Decimal("0.123456789012345678")]


def test_a_total_that_may_have_the_gain_is_not_reported(tmp_path: Path) -> None:
    """An account whose exchange states no balance of its wallet has no cash to compare."""
    given = account()
    given.balances[0].pop("walletBalance")
    record = external(tmp_path, recorded(given))
    assert record.cash is None
    assert record.positions


def test_positions_that_cannot_be_read_are_a_gap(tmp_path: Path) -> None:
    """An answer without them is no account without positions."""
    given = account()
    given.faults.append(lambda name, *_: Reply({}, 503) if name == "positionRisk" else None)
    recording = recorded(given)
    assert [fault[:35] for fault in recording.faults] == ["positions of BTC/USD:BTC: page 1: E"]
    record = external(tmp_path, recording)
    assert record.positions is None
    assert not record.complete


def test_no_file_holds_a_binary_float(tmp_path: Path) -> None:
    """Neither of an amount nor of anything else that ccxt computes on the way."""
    session_of(tmp_path, recorded(account()))
    found: list[str] = []
    for path in sorted((tmp_path / "account").iterdir()):
        json.loads(path.read_text(), parse_float=found.append)
    assert found == []
