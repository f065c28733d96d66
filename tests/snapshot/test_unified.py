"""A unified margin account: one wallet for contracts and spot, asked through ccxt's bybit."""

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from recon_core.model import MovementKind, SideRecord
from recon_core.sessions import read_session
from tests.servers.binance import DAY
from tests.snapshot.accounts import BEGUN, session_of
from tests.snapshot.families import HOUR, UNIFIED, bybit_account

pytest.importorskip("ccxt", reason="needs the extra exchange: make exchange")


def external(directory: Path, **changes: Any) -> SideRecord:
    """The side that a session takes from a snapshot of an account with other rows."""
    recording, _ = UNIFIED.recorded(UNIFIED.account(**changes))
    assert recording.faults == []
    record = read_session(session_of(directory, recording, ledger=dict(UNIFIED.ledger))).external
    assert record is not None
    return record


def test_cash_is_what_is_owned(tmp_path: Path) -> None:
    """Neither what was borrowed to trade, nor the gain of open positions, is in it."""
    cash = {each.currency: each.total for each in external(tmp_path).cash or ()}
    assert cash == {"BTC": Decimal("1.0"), "USDT": Decimal("99.983")}


@pytest.mark.parametrize(("stated", "amount"), [("0.01", "-0.01"), ("-0.02", "0.02")])
def test_funding_is_what_the_wallet_received(stated: str, amount: str, tmp_path: Path) -> None:
    """The exchange states a payment as a positive fee; the currency is that of the contract."""
    row = bybit_account().income[0] | {"execFee": stated}
    funding = [
        each
        for each in external(tmp_path, income=[row]).movements or ()
        if each.movement_kind is MovementKind.FUNDING
    ]
    assert [(each.amount, each.currency) for each in funding] == [(Decimal(amount), "USDT")]


def test_the_ledger_is_asked_for_up_to_its_end() -> None:
    """Without an end the exchange gives a day of it, which would look like all."""
    rows = [
        bybit_account().ledger[0] | {"id": f"l{hour}", "transactionTime": str(BEGUN + hour * HOUR)}
        for hour in (1, 20, 30, 49)
    ]
    recording, _ = UNIFIED.recorded(UNIFIED.account(ledger=rows))
    (ledger,) = [asked for asked in recording.asked if asked.query.name == "ledger"]
    assert [row["id"] for row in ledger.rows] == ["l1", "l20", "l30", "l49"]


def test_windows_are_as_long_as_the_exchange_allows() -> None:
    """Seven days for trades, orders, funding and ledger, thirty for transfers."""
    given = UNIFIED.account()
    UNIFIED.recorded(given)
    spans = {
        name: int(asked["endTime"]) - int(asked["startTime"])
        for name, asked in given.asked
        if "startTime" in asked
    }
    assert set(spans) == {"myTrades", "allOrders", "income", "ledger", "deposits", "withdrawals"}
    assert all(span < 7 * DAY for span in spans.values())


@pytest.mark.parametrize(
    ("status", "state", "filled"),
    [
        ("Filled", "FILLED", "1"),
        ("Cancelled", "CANCELLED", "0.4"),
        ("Rejected", "REJECTED", "0"),
        ("Deactivated", "CANCELLED", "0"),
    ],
)
def test_orders_of_every_ending_are_there(
    status: str, state: str, filled: str, tmp_path: Path
) -> None:
    """Not only those that ccxt calls closed or cancelled when it asks for one of them."""
    row = UNIFIED.account(1).orders[0] | {"orderStatus": status, "cumExecQty": filled}
    trades = [UNIFIED.trade(0, amount=filled)] if filled != "0" else []
    record = external(tmp_path, orders=[row], trades=trades)
    assert [(str(each.state), each.filled_quantity) for each in record.orders or ()] == [
        (state, Decimal(filled))
    ]


def test_each_contract_is_asked_for_its_position(tmp_path: Path) -> None:
    """The exchange takes one symbol at a time; a short one is negative."""
    account = bybit_account()
    short = account.positions[0] | {"symbol": "ETHUSDT", "side": "Sell", "size": "2.5"}
    account.positions.append(short)
    family = replace(UNIFIED, symbols=("BTC/USDT:USDT", "ETH/USDT:USDT"))
    recording, _ = family.recorded(account)
    assert recording.faults == []
    record = read_session(session_of(tmp_path, recording, ledger=dict(family.ledger))).external
    assert record is not None
    held = {each.symbol: each.quantity for each in record.positions or ()}
    assert held == {"BTC/USDT:USDT": Decimal(7), "ETH/USDT:USDT": Decimal("-2.5")}


def test_no_file_holds_a_binary_float(tmp_path: Path) -> None:
    """Neither of an amount nor of anything else that ccxt computes on the way."""
    recording, _ = UNIFIED.recorded(UNIFIED.account())
    session_of(tmp_path, recording)
    found: list[str] = []
    for path in sorted((tmp_path / "account").iterdir()):
        json.loads(path.read_text(), parse_float=found.append)
    assert found == []
