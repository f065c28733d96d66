"""ccxt's unified JSON as a side: what each structure becomes, and what stays unknown."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from recon_core.engine.reconciliation import reconcile_session
from recon_core.model import Leg, Numbers, OrderState, SideRecord
from recon_core.plugins.manager import extension_manager
from recon_core.sessions import find_sessions, read_session
from recon_core.values.errors import SessionError

from .builders import AS_OF_TEXT, document, write_session
from .recordings import BESIDE, needs_recordings, states

MS = 1640995200000


def balance(**changes: Any) -> dict[str, Any]:
    table = {"info": {}, "timestamp": MS, "free": {"USDT": 5.5, "ETH": 0.0}}
    table |= {"used": {"USDT": 1.0, "ETH": 0.0}, "total": {"USDT": 6.5, "ETH": 0.0}}
    return table | changes


def position(**changes: Any) -> dict[str, Any]:
    row = {"symbol": "BTC/USDT:USDT", "contracts": 20.0, "contractSize": 0.01, "side": "long"}
    return row | {"timestamp": MS, "hedged": False, "entryPrice": 100.5, "info": {}} | changes


def trade(**changes: Any) -> dict[str, Any]:
    row = {"id": "t1", "order": "o1", "symbol": "BTC/USDT", "side": "buy", "takerOrMaker": "taker"}
    row |= {"price": 100.5, "amount": 1e-05, "timestamp": MS, "datetime": "2022-01-01T00:00:00Z"}
    return row | {"fee": {"cost": 0.1, "currency": "BNB"}, "fees": []} | changes


def order(**changes: Any) -> dict[str, Any]:
    row = {"id": "o1", "clientOrderId": "c1", "symbol": "BTC/USDT", "side": "sell"}
    row |= {"type": "limit", "price": 100.5, "amount": 2.0, "filled": 0.0, "status": "open"}
    return row | {"timestamp": MS, "lastUpdateTimestamp": MS + 1500} | changes


def take(directory: Path, *results: Any, **more: Any) -> SideRecord:
    """The side that a session takes from files holding the results."""
    place = directory / "ccxt"
    place.mkdir()
    for number, result in enumerate(results):
        text = result if isinstance(result, str) else json.dumps(result)
        (place / f"{number}.json").write_text(text)
    source = {"from": {"format": "ccxt", "path": "ccxt", **more}}
    side = read_session(write_session(directory, document(external=source))).external
    assert side is not None
    return side


def test_four_results_are_one_side(tmp_path: Path) -> None:
    """Balance, positions, trades and orders, each in a file, at the latest of their times."""
    side = take(tmp_path, balance(), [position()], [trade()], [order()])
    assert (side.source, side.numbers) == ("ccxt", Numbers.FLOAT)
    assert side.as_of.isoformat() == "2022-01-01T00:00:01.500000+00:00"
    assert [
        (one.currency, str(one.total), str(one.free), str(one.locked)) for one in side.cash or ()
    ] == [
        ("USDT", "6.5", "5.5", "1"),
        ("ETH", "0", "0", "0"),
    ]
    (held,) = side.positions or ()
    assert (held.symbol, str(held.quantity), held.leg) == ("BTC/USDT:USDT", "0.2", Leg.NET)
    (fill,) = side.fills or ()
    assert (fill.fill_id, str(fill.quantity), str(fill.price)) == ("t1", "0.00001", "100.5")
    assert (str(fill.fee), fill.fee_currency, fill.exchange_order_id) == ("0.1", "BNB", "o1")
    (sent,) = side.orders or ()
    assert (sent.client_order_id, sent.exchange_order_id) == ("c1", "o1")
    assert side.movements is None
    assert side.notes[0].startswith("not told by ccxt: the time of the call")


@pytest.mark.parametrize(
    ("change", "quantity", "leg"),
    [
        ({}, "0.2", Leg.NET),
        ({"side": "short"}, "-0.2", Leg.NET),
        ({"side": "short", "contracts": -20.0}, "-0.2", Leg.NET),
        ({"hedged": True}, "0.2", Leg.LONG),
        ({"hedged": True, "side": "short"}, "-0.2", Leg.SHORT),
        ({"hedged": True, "side": None, "info": {"positionSide": "SHORT"}}, "-0.2", Leg.SHORT),
        ({"hedged": None}, "0.2", Leg.NET),
        ({"contracts": "20"}, "0.2", Leg.NET),
    ],
)
def test_a_quantity_is_signed_contracts_times_their_size(
    tmp_path: Path, change: dict[str, Any], quantity: str, leg: Leg
) -> None:
    """The side gives the sign; hedged legs stand apart."""
    (held,) = take(tmp_path, [position(**change)]).positions or ()
    assert (str(held.quantity), held.leg) == (quantity, leg)


def test_both_legs_of_a_hedged_position_are_kept(tmp_path: Path) -> None:
    """Equal legs are no flat position, and empty ones are left out."""
    rows = [position(hedged=True), position(hedged=True, side="short")]
    rows += [position(symbol="X", contracts=0.0, contractSize=None, side=None)]
    rows += [position(symbol="Y", contracts=None, notional=0.0)]
    held = take(tmp_path, rows).positions or ()
    assert [(one.leg, str(one.quantity)) for one in held] == [
        ("LONG", "0.2"),
        ("SHORT", "-0.2"),
    ]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"debt": {"ETH": 0.08142}}, {"USDT": "6.5", "ETH": "-0.08142"}),
        ({"ETH": {"debt": 1.5}}, {"USDT": "6.5", "ETH": "-1.5"}),
        ({"debt": {"ETH": None, "USDT": 0.0}}, {"USDT": "6.5", "ETH": "0"}),
        ({"total": {"USDT": None}}, {"USDT": "6.5"}),
        ({"total": {"USDT": 6.5}, "free": {}, "used": {}}, {"USDT": "6.5"}),
    ],
)
def test_a_balance_is_the_total_less_the_debt(
    tmp_path: Path, change: dict[str, Any], expected: dict[str, str]
) -> None:
    """What was borrowed is not owned; an unknown part stays unknown."""
    side = take(tmp_path, balance(**change))
    assert {one.currency: str(one.total) for one in side.cash or ()} == expected


@pytest.mark.parametrize(
    ("status", "filled", "state"),
    [
        ("open", 0.0, OrderState.ACKNOWLEDGED),
        ("open", 0.5, OrderState.PARTIALLY_FILLED),
        ("closed", 2.0, OrderState.FILLED),
        ("canceled", 0.5, OrderState.CANCELLED),
        ("expired", 0.0, OrderState.EXPIRED),
        ("rejected", 0.0, OrderState.REJECTED),
    ],
)
def test_the_state_of_an_order(
    tmp_path: Path, status: str, filled: float, state: OrderState
) -> None:
    """Ccxt's words in ours."""
    (sent,) = take(tmp_path, [order(status=status, filled=filled)]).orders or ()
    assert sent.state is state


def test_the_same_order_twice_is_data_and_a_shared_client_id_is_none(tmp_path: Path) -> None:
    """Duplicates stay; "0" and an id on two orders name no order."""
    twice = [order(), order(filled=1.0)]
    shared = [order(id=name, clientOrderId="same") for name in ("o2", "o3")]
    zero = [order(id="o4", clientOrderId="0")]
    sent = take(tmp_path, twice + shared + zero).orders or ()
    assert [one.order_id for one in sent] == ["c1", "c1", "o2", "o3", "o4"]


def test_fees_in_several_currencies_are_a_fee_and_movements(tmp_path: Path) -> None:
    """An order paid in BNB until it ran out: nothing is added up across currencies."""
    charged = [{"cost": 0.0021485, "currency": "BNB"}, {"cost": "11.734", "currency": "PIVX"}]
    charged += [{"cost": 0.0000015, "currency": "BNB"}, {"cost": None, "currency": "X"}]
    side = take(tmp_path, [trade(fees=charged)])
    (fill,) = side.fills or ()
    assert (str(fill.fee), fill.fee_currency) == ("0.0021500", "BNB")
    (moved,) = side.movements or ()
    assert (moved.currency, str(moved.amount)) == ("PIVX", "-11.734")
    assert moved.movement_kind == "fee"


def test_trades_and_orders_are_multiplied_where_a_position_tells_the_size(tmp_path: Path) -> None:
    """Amounts of contract markets are in contracts."""
    contract = {"symbol": "BTC/USDT:USDT", "amount": 3.0}
    side = take(tmp_path, [position()], [trade(**contract)], [order(**contract)])
    assert [str(one.quantity) for one in side.fills or ()] == ["0.03"]
    assert [str(one.quantity) for one in side.orders or ()] == ["0.03"]


REFUSED: dict[str, tuple[Any, str]] = {
    "an empty balance": (balance(total={}, free={}, used={}), "total: is empty; expected"),
    "a failed call": ({"info": {}}, "total: is missing or no object"),
    "an unknown total": (balance(total={"BTC": None}), "total.BTC: is unknown (null)"),
    "a text as total": (balance(total={"BTC": "much"}), "total.BTC: 'much' is not an amount"),
    "unknown contracts": ([position(contracts=None)], "row 1: contracts: is unknown (null)"),
    "an unknown size": ([position(contractSize=None)], "row 1: contractSize: is unknown"),
    "an unknown side": ([position(side=None)], "row 1: side: is unknown (null); expected long"),
    "a side": ([position(side="both")], "row 1: side: 'both'; expected long or short"),
    "a long position below 0": (
        [position(contracts=-5, side="long")],
        "row 1: BTC/USDT:USDT: contracts: -5 of side long; expected 0 or more",
    ),
    "a position twice": ([position(), position()], "duplicate BTC/USDT:USDT NET"),
    "an unknown price": ([trade(price=None)], "trades: row 1: price: is missing"),
    "an unknown direction": ([trade(side=None)], "trades: row 1: side: is missing; expected"),
    "a direction": ([trade(side="hold")], "trades: row 1: side: 'hold'; expected buy or sell"),
    "a fee in no currency": ([trade(fee={"cost": 1.5})], "fee 1.5 has no fee_currency"),
    "an unknown status": ([order(status=None)], "orders: row 1: status: is unknown (null)"),
    "a status": ([order(status="gone")], "status: 'gone'; expected one of open, closed"),
    "an unknown amount": ([order(amount=None)], "orders: row 1: amount: is missing"),
    "no time": ([trade(timestamp=None, datetime=None)], "timestamp: is unknown, and datetime"),
    "NaN": ('{"total": {"USDT": NaN}}', "NaN is not an amount"),
    "mixed rows": ([position(), trade()], "0.json: lists several kinds of rows"),
    "other rows": ([{"price": 1}], "0.json: a row is no unified position, trade or order"),
    "an empty list": ([], "0.json: is empty, and its name does not say of what"),
    "a text": ('"x"', "0.json: expected a balance, or a list of positions"),
    "not JSON": ("{", "is not JSON"),
}


@pytest.mark.parametrize(("result", "expected"), REFUSED.values(), ids=REFUSED)
def test_what_is_unknown_is_refused(tmp_path: Path, result: Any, expected: str) -> None:
    """Absent is not zero: the line names the field that would have been needed."""
    with pytest.raises(SessionError) as caught:
        take(tmp_path, result)
    assert expected in str(caught.value)
    assert "external.from: " in str(caught.value)


def test_a_directory_without_results_is_refused(tmp_path: Path) -> None:
    """A wrong one would be an account of nothing."""
    with pytest.raises(SessionError, match=r"ccxt: holds no \.json file; expected results"):
        take(tmp_path)


def test_two_balances_are_refused(tmp_path: Path) -> None:
    """Which of two balances holds is not told by their names."""
    with pytest.raises(SessionError, match=r"1\.json: is a second balance; expected one"):
        take(tmp_path, balance(), balance())


def test_the_time_may_be_given_where_no_result_states_one(tmp_path: Path) -> None:
    """A balance often has none; then the session file says when it was asked."""
    without = balance(timestamp=None)
    with pytest.raises(SessionError, match="no result states a time; expected as_of beside the"):
        take(tmp_path, without)
    shutil.rmtree(tmp_path / "ccxt")
    assert (
        take(tmp_path, without, as_of=AS_OF_TEXT).as_of.isoformat() == "2026-01-01T12:00:00+00:00"
    )


def test_results_are_never_taken_for_a_session(tmp_path: Path) -> None:
    """Any JSON could be one, so only a session file names them."""
    (tmp_path / "balance.json").write_text(json.dumps(balance()))
    assert find_sessions(tmp_path, extension_manager()) == []


def test_results_meet_a_ledger(tmp_path: Path) -> None:
    """The verdicts are the usual ones, with float_dust, and every file is evidence."""
    (tmp_path / "answers").mkdir()
    texts = {"balance": json.dumps(balance()), "fetch_positions": "[]"}
    for name, text in texts.items():
        (tmp_path / "answers" / f"{name}.json").write_text(text)
    internal = {"as_of": AS_OF_TEXT, "positions": {}, "cash": {"USDT": "6.5000001", "ETH": "0"}}
    source = {"from": {"format": "ccxt", "path": "answers", "as_of": AS_OF_TEXT}}
    session = write_session(tmp_path, document(internal=internal, external=source))
    reconciliation = reconcile_session(session)
    assert states(reconciliation) == {"cash::ETH": "match", "cash::USDT": "INFO"}
    assert "float_dust" in reconciliation.diffs[0].tolerance
    assert {file.name: file.sha256 for file in reconciliation.recorded.inputs} == {
        session.name: hashlib.sha256(session.read_bytes()).hexdigest(),
        **{
            f"answers/{name}.json": hashlib.sha256(text.encode()).hexdigest()
            for name, text in texts.items()
        },
    }


def test_a_link_out_of_the_directory_is_refused(tmp_path: Path) -> None:
    """Also inside a directory of results."""
    (tmp_path / "run" / "answers").mkdir(parents=True)
    (tmp_path / "secret.json").write_text(json.dumps(balance()))
    (tmp_path / "run" / "answers" / "a.json").symlink_to(tmp_path / "secret.json")
    source = {"from": {"format": "ccxt", "path": "answers"}}
    path = write_session(tmp_path / "run", document(external=source))
    with pytest.raises(SessionError, match="leads out of the session's directory"):
        read_session(path)


RECORDED: dict[str, Any] = {
    "binance__fetchBalance__futures_json_account_info_v2": {"USDT": "23.72469206"},
    "binance__fetchMyTrades__responses_futures_account_trades": {"fills": 2},
    "binance__fetchOpenOrders__spot_json_open_orders_response": {"orders": 1},
    "binance__fetchPositionsRisk__responses_futures_account_positions_hedge": {
        "BTC/USDT:USDT LONG": "20"
    },
    "bybit__fetchBalance__get_wallet_balance_spot_short": {"ETH": "-0.08142", "USDT": "2500"},
    "bybit__fetchClosedOrders__get_orders_history_with_duplicate": {"orders": 1},
    "bybit__fetchPositions__get_positions": {"BTC/USDT:USDT NET": "0.5", "ETH/USDT:USDT NET": "-5"},
    "coinbase__fetchClosedOrders__coinbase_fetchClosedOrders_spot": {"orders": 1},
    "coinbase__fetchMyTrades__coinbase_fetchMyTrades_swap": {"fills": 1},
    "hyperliquid__fetchBalance__spot_clearinghouse_state": {
        "USDC": "14.625485",
        "PURR": "2000",
        "HYPE": "5.2",
        "+10": "25",
    },
    "hyperliquid__fetchMyTrades__user_fills_dust_conversion": {"fills": 5},
    "hyperliquid__fetchPositions__clearinghouse_state_negative_total_raw_usd": {},
    "kraken__fetchClosedOrders__closed_orders": {"orders": 2},
    "kraken__fetchOpenOrders__open_orders": {"orders": 2},
    "krakenfutures__fetchPositions__futures_open_positions": (
        "positions: row 2: contractSize: is unknown (null); expected a number"
    ),
    "okx__fetchClosedOrders__get_orders_history": {"orders": 1},
    "okx__fetchPositions__get_positions": {"BTC/USDT:USDT LONG": "0.005"},
}


@needs_recordings
def test_every_recorded_result_is_known() -> None:
    """No file of the further recordings is passed over."""
    names = {path.stem for path in (BESIDE / "recordings" / "ccxt").glob("*.json")}
    assert names == set(RECORDED)


@needs_recordings
@pytest.mark.parametrize("name", RECORDED)
def test_a_recorded_result(name: str, tmp_path: Path) -> None:
    """What real exchanges' results become, or the one line where they leave too much open."""
    shutil.copyfile(BESIDE / "recordings" / "ccxt" / f"{name}.json", tmp_path / f"{name}.json")
    source = {"from": {"format": "ccxt", "path": f"{name}.json", "as_of": AS_OF_TEXT}}
    path = write_session(tmp_path, document(external=source))
    expected = RECORDED[name]
    if isinstance(expected, str):
        with pytest.raises(SessionError) as caught:
            read_session(path)
        assert expected in str(caught.value)
        return
    side = read_session(path).external
    assert side is not None
    found: dict[str, Any] = {one.currency: format(one.total, "f") for one in side.cash or ()}
    for held in side.positions or ():
        found[f"{held.symbol} {held.leg}"] = format(held.quantity.normalize(), "f")
    found |= {key: len(rows) for key in ("fills", "orders") if (rows := side.rows(key)) is not None}
    assert found == expected


@pytest.mark.parametrize("missing", [("takerOrMaker",), ("order",), ("order", "fee", "fees")])
def test_a_trade_is_known_by_either_of_its_fields(tmp_path: Path, missing: tuple[str, ...]) -> None:
    """Exchanges leave out who took, or the order: the other field is enough."""
    row = {name: value for name, value in trade().items() if name not in missing}
    (fill,) = take(tmp_path, [row]).fills or ()
    assert (fill.fill_id, str(fill.quantity)) == ("t1", "0.00001")


def test_a_row_with_neither_field_is_no_trade(tmp_path: Path) -> None:
    """Without who took, and with an order but no amount, a row is nothing known."""
    row = {name: trade()[name] for name in ("id", "order", "timestamp")}
    with pytest.raises(SessionError, match="a row is no unified position, trade or order"):
        take(tmp_path, [row])
