"""LEAN: results with their order events, to the last digit, and their faults."""

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from recon_core.engine.reconciliation import Reconciliation, reconcile_session
from recon_core.model import InstrumentKind, RecordedSession, SessionMode, View
from recon_core.plugins.manager import extension_manager
from recon_core.sessions import find_sessions, read_session
from recon_core.sessions.formats import lean_rows
from recon_core.sessions.formats.lean import recon_anchor
from recon_core.sessions.native_text import session_text
from recon_core.values.amounts import format_amount
from recon_core.values.errors import SessionError

from .builders import checks, message
from .recordings import DATA, states
from .refusals import refusal

SAMPLE = DATA / "lean" / "backtest_long" / "1700000001.json"
EVENTS = SAMPLE.with_name("1700000001-order-events.json")
Change = Callable[[dict[str, Any], list[dict[str, Any]]], object]


def written(directory: Path, change: Change | None = None, *, events: bool = True) -> Path:
    """The sample in a directory, changed, with or without the file of its order events."""
    result, listed = json.loads(SAMPLE.read_text()), json.loads(EVENTS.read_text())
    if change is not None:
        change(result, listed)
    path = directory / SAMPLE.name
    path.write_text(json.dumps(result))
    if events:
        (directory / EVENTS.name).write_text(json.dumps(listed))
    return path


def fills_of(recorded: RecordedSession) -> list[str]:
    """The fills in words."""
    assert recorded.internal is not None
    return [
        f"{one.fill_id}: {one.side} {one.symbol} {format_amount(one.quantity)} "
        f"{format_amount(one.price)} {format_amount(one.fee)}"
        for one in recorded.internal.fills or ()
    ]


def test_the_sample_reconciles() -> None:
    """Positions and orders are equal; cash differs by what LEAN rounds to hundredths."""
    reconciliation = reconcile_session(SAMPLE)
    assert states(reconciliation) == {
        "position::ACME": "match",
        "position::BETA": "match",
        "position::BTC/USD": "match",
        "cash::USD": "INFO",
    }
    assert set(checks(reconciliation).values()) == {"match"}
    (diff,) = reconciliation.diffs
    assert (str(diff.internal), str(diff.external)) == ("91708.474475", "91708.47")
    assert sum(one.identity.startswith("order::") for one in reconciliation.comparisons) == 6


def test_what_the_sample_holds() -> None:
    """Identity, instruments, fills in the order of their events, and the files as evidence."""
    recorded = read_session(SAMPLE)
    assert (recorded.session_id, recorded.strategy_id) == ("1700000001", "long_only")
    assert (recorded.mode, recorded.recording_format) == (SessionMode.SIM, "lean")
    assert {one.symbol: one.instrument_kind for one in recorded.instruments.values()} == {
        "ACME": InstrumentKind.EQUITY,
        "BETA": InstrumentKind.EQUITY,
        "BTC/USD": InstrumentKind.SPOT,
    }
    assert fills_of(recorded) == [
        "1-2: BUY ACME 100 48.25 1",
        "2-2: BUY ACME 20 48.1 0.4",
        "2-3: BUY ACME 30 48.1 0.6",
        "3-2: SELL ACME 60 49.1 1",
        "4-2: BUY BETA 80 12.5 1",
        "6-2: BUY BTC/USD 0.05 60010.5 3.000525",
    ]
    assert [file.name for file in recorded.inputs] == [SAMPLE.name, EVENTS.name]
    assert recorded.external is not None
    orders = {one.order_id: one for one in recorded.external.orders or ()}
    assert {name: format_amount(one.filled_quantity) for name, one in orders.items()} == {
        "1": "100", "2": "50", "3": "60", "4": "80", "5": "0", "6": "0.05",
    }  # fmt: skip
    assert set(recorded.external.keeps.values()) == {View.POSITION}
    assert "executed quantities of orders 4 are those of their events" in recorded.notes


def event_of(events: list[dict[str, Any]], fill_id: str) -> dict[str, Any]:
    """The order event of a fill."""
    return next(one for one in events if one["id"].endswith(f"-{fill_id}"))


def event(fill_id: str, **fields: object) -> Change:
    """Other fields of the order event of a fill."""
    return lambda _result, events: event_of(events, fill_id).update(fields)


def order_of(result: dict[str, Any], number: str) -> Any:
    return result["orders"][number]


def order(number: str, **fields: object) -> Change:
    """Other fields of an order."""
    return lambda result, _events: order_of(result, number).update(fields)


def table(name: str, **fields: object) -> Change:
    """Other fields of a table of the result."""
    return lambda result, _events: result[name].update(fields)


FAULTS: dict[str, tuple[Change, dict[str, str]]] = {
    "a fill is lost": (
        lambda _result, events: events.remove(event_of(events, "1-2")),
        {"cash::USD": "FAIL", "position::ACME": "FAIL", "order::1": "FAIL", "complete": "CRITICAL"},
    ),
    "a fill is turned": (
        event("1-2", fillQuantity=-100.0),
        {"cash::USD": "FAIL", "position::ACME": "FAIL", "order::1": "FAIL"},
    ),
    "a fill at another price": (event("1-2", fillPrice=48.35), {"cash::USD": "FAIL"}),
    "a fee is missing": (
        event("1-2", orderFeeAmount=0.0),
        {"cash::USD": "FAIL", "complete": "CRITICAL"},
    ),
    "an order is lost": (
        lambda result, _events: result["orders"].pop("6"),
        {"position::BTCUSD": "FAIL", "complete": "CRITICAL"},
    ),
    "an order was filled twice as much": (
        order("3", quantity=-120.0),
        {"position::ACME": "FAIL", "order::3": "FAIL"},
    ),
    "equity is higher": (table("runtimeStatistics", Equity="$100,260.47"), {"cash::USD": "FAIL"}),
}


def differing(reconciliation: Reconciliation) -> dict[str, str]:
    """The verdicts that are no match, session checks by their names."""
    return {
        judged.comparison.identity.removeprefix("session::"): str(judged.verdict)
        for judged in reconciliation.judgements
        if str(judged.verdict) != "match"
    }


@pytest.mark.parametrize(("change", "expected"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_found(tmp_path: Path, change: Change, expected: dict[str, str]) -> None:
    """One record of the engine contradicts the other, in the place of the fault."""
    found = differing(reconcile_session(written(tmp_path, change)))
    assert expected.items() <= found.items()
    assert set(found.values()) & {"FAIL", "CRITICAL"}


MISCOUNTED = {
    "OrderCount is 7, and orders lists 6": ("state", "OrderCount", "7"),
    "Total Orders is 5, and orders lists 4 filled": ("statistics", "Total Orders", "5"),
    "Total Fees is 7.02, and the fees of the order events give 7.000525": (
        "statistics", "Total Fees", "$7.02",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "place"), MISCOUNTED.items())
def test_a_count_that_the_rows_do_not_give(
    tmp_path: Path, text: str, place: tuple[str, str, str]
) -> None:
    """What LEAN counted itself is held against its own rows."""
    table, key, value = place
    path = written(tmp_path, lambda result, _events: result[table].update({key: value}))
    assert message(reconcile_session(path), "complete").endswith(text)


@pytest.mark.parametrize(
    ("lost", "text"),
    [
        (["1"], "order events fill order 1, not in orders"),
        (["1", "3", "6"], "order events fill order 1 and 2 more, not in orders"),
    ],
)
def test_orders_of_events_that_are_not_listed_are_counted(
    tmp_path: Path, lost: list[str], text: str
) -> None:
    """The first one by its id, the others by their number."""

    def lose(result: dict[str, Any], _events: Any) -> None:
        for number in lost:
            result["orders"].pop(number)

    assert text in message(reconcile_session(written(tmp_path, lose)), "complete")


def capital(value: Any) -> Any:
    """A document with the names that older versions have."""
    if isinstance(value, list):
        return [capital(one) for one in value]
    if not isinstance(value, dict):
        return value
    names = {"id": "ID"} if "permtick" in value else {}
    return {names.get(key, key[:1].upper() + key[1:]): capital(value[key]) for key in value}


def embedded(result: dict[str, Any], events: list[dict[str, Any]]) -> None:
    """The events in their orders, and the orders as a list, as the web interface has them."""
    for order in result["orders"].values():
        order["events"] = [one for one in events if one["orderId"] == order["id"]]
    result["orders"] = list(result["orders"].values())


def older(result: dict[str, Any], _events: list[dict[str, Any]]) -> None:
    changed = capital(result)
    result.clear()
    result.update(changed)


SHAPES: dict[str, tuple[Change, bool]] = {
    "capital names": (older, True),
    "events in the result": (lambda result, events: result.update(orderEvents=events), False),
    "events in the orders": (embedded, False),
    "words for numbers": (order("1", status="Filled", securityType="Equity"), True),
    "times as text": (
        lambda _result, events: [one.update(time="2025-03-04T00:00:00Z") for one in events],
        True,
    ),
    "no counts": (
        lambda result, _events: (result.pop("state"), result["statistics"].clear()),
        True,
    ),
}


@pytest.mark.parametrize(("change", "beside"), SHAPES.values(), ids=SHAPES)
def test_every_shape_of_a_result_is_the_same(
    tmp_path: Path, change: Change, *, beside: bool
) -> None:
    """Versions of LEAN and its web interface write the same facts in several shapes."""
    path = written(tmp_path, change, events=beside)
    recorded, sample = read_session(path), read_session(SAMPLE)
    assert sorted(fills_of(recorded)) == sorted(fills_of(sample))
    assert recorded.external is not None
    assert sample.external is not None
    assert recorded.external.positions == sample.external.positions
    assert recorded.external.cash == sample.external.cash
    assert differing(reconcile_session(path)) == {"cash::USD": "INFO"}


OBSTACLES: dict[str, tuple[Change, str]] = {
    "no start equity": (
        lambda result, _events: (
            result.pop("totalPerformance"),
            result["statistics"].pop("Start Equity"),
        ),
        "the result states no start equity",
    ),
    "no sums": (
        lambda result, _events: result.pop("runtimeStatistics"),
        "the result prints no equity and no holdings",
    ),
    "a coarse sum": (
        table("algorithmConfiguration", accountCurrency="INR"),
        "equity and holdings are printed in hundredths of INR",
    ),
    "a future": (order("3", securityType=5), "ACME (future) has a multiplier that is not stated"),
    "raw prices": (order("3", priceAdjustmentMode=0), "prices of ACME are raw, without dividends"),
    "a fee in another currency": (
        event("1-2", orderFeeCurrency="BNB"),
        "the account is in USD, and BNB is paid too",
    ),
    "a price in another currency": (
        order("3", priceCurrency="EUR"),
        "the account is in USD, and EUR is paid too",
    ),
    "a short": (
        lambda result, events: (
            order_of(result, "3").update(quantity=-200.0),
            event_of(events, "3-2").update(fillQuantity=-200.0),
        ),
        "ACME is held short",
    ),
}


@pytest.mark.parametrize(("change", "reason"), OBSTACLES.values(), ids=OBSTACLES)
def test_cash_that_the_result_does_not_give_is_not_compared(
    tmp_path: Path, change: Change, reason: str
) -> None:
    """A healthy backtest is not blocked for it: the report says why, positions are compared."""
    reconciliation = reconcile_session(written(tmp_path, change))
    assert f"cash is not compared: {reason}" in reconciliation.notes
    assert not any(one.identity.startswith("cash::") for one in reconciliation.comparisons)
    assert set(differing(reconciliation).values()) <= {"INFO"}
    assert sum(one.identity.startswith("position::") for one in reconciliation.comparisons) == 3


def lost_in_other_currency(result: dict[str, Any], events: list[dict[str, Any]]) -> None:
    result["algorithmConfiguration"]["accountCurrency"] = "INR"
    events.remove(event_of(events, "1-2"))


def test_a_lost_fill_blocks_without_cash_too(tmp_path: Path) -> None:
    """Positions and orders show it."""
    found = differing(reconcile_session(written(tmp_path, lost_in_other_currency)))
    assert found["position::ACME"] == found["order::1"] == "FAIL"


def live(result: dict[str, Any], _events: list[dict[str, Any]]) -> None:
    """The result of a live algorithm: what it holds, and no start equity."""
    for name in ("totalPerformance", "statistics", "runtimeStatistics"):
        del result[name]
    result["accountCurrency"] = "USD"
    result["holdings"] = {
        "ACME TEST0000001X": {"a": 48.2, "q": 90, "p": 49.0, "v": 4410.0},
        "BETA": {"Symbol": {"Value": "BETA", "ID": "BETA TEST0000002X"}, "Quantity": 80.0},
        "BTCUSD 2XR": {"q": 0.05},
        "GONE TEST0000003X": {},
    }
    result["cash"] = {"USD": {"symbol": "USD", "amount": 91708.474475}, "BTC": {"Amount": 0.05}}


def test_a_live_result_states_holdings_and_cash(tmp_path: Path) -> None:
    """They are taken as they are, in the long names and in those of one letter."""
    recorded = read_session(written(tmp_path, live))
    assert recorded.external is not None
    assert recorded.internal is not None
    assert {one.symbol: one.quantity for one in recorded.external.positions or ()} == {
        "ACME": 90, "BETA": 80, "BTC/USD": Decimal("0.05"), "GONE": 0,
    }  # fmt: skip
    assert {one.currency: format_amount(one.total) for one in recorded.external.cash or ()} == {
        "USD": "91708.474475",
        "BTC": "0.05",
    }
    assert recorded.external.keeps["BTC"] is View.BOTH
    assert recorded.mode is None
    assert recorded.internal.opening is None
    assert recorded.internal.positions is None
    assert checks(reconcile_session(tmp_path / SAMPLE.name))["coverage"] == "FAIL"


def test_a_result_without_events_is_one_sided(tmp_path: Path) -> None:
    """Its orders are the external side, and the report says which file is missing."""
    reconciliation = reconcile_session(written(tmp_path, events=False))
    assert checks(reconciliation)["coverage"] == "FAIL"
    expected = "fills are not reported: 1700000001-order-events.json is not beside the result"
    assert expected in reconciliation.notes


def test_a_backtest_without_a_trade(tmp_path: Path) -> None:
    """Nothing was filled, so no file of events is missing."""

    def nothing(result: dict[str, Any], _events: list[dict[str, Any]]) -> None:
        result["orders"] = {}
        result["state"]["OrderCount"] = "0"
        result["statistics"] = {"Total Orders": "0", "Total Fees": "$0.00"}
        result["runtimeStatistics"] = {"Equity": "$100,000.00", "Holdings": "$0.00"}

    found = reconcile_session(written(tmp_path, nothing, events=False))
    assert differing(found) == {}
    assert states(found) == {"cash::USD": "match"}


def test_two_securities_of_one_ticker_are_two_symbols(tmp_path: Path) -> None:
    """They are known by the ids that LEAN has for them."""

    def same(result: dict[str, Any], _events: list[dict[str, Any]]) -> None:
        order_of(result, "4")["symbol"]["value"] = "ACME"
        order_of(result, "5")["symbol"]["value"] = "ACME"

    found = states(reconcile_session(written(tmp_path, same)))
    assert {"position::ACME%20TEST0000001X", "position::BETA%20TEST0000002X"} <= set(found)
    assert set(found.values()) == {"match", "INFO"}


def test_a_result_is_found_by_its_words_and_by_its_events(tmp_path: Path) -> None:
    """A damaged one is found by the events beside it; other files of LEAN are none."""
    path = written(tmp_path)
    (tmp_path / "1700000001-summary.json").write_text(SAMPLE.read_text())
    (tmp_path / "config.json").write_text('{"algorithm-type-name": "long_only"}')
    assert find_sessions(tmp_path, extension_manager()) == [path]
    assert recon_anchor(tmp_path / EVENTS.name) == path
    assert read_session(tmp_path).session_id == "1700000001"
    path.write_text('{"orders": {"1"')
    assert find_sessions(tmp_path, extension_manager()) == [path]
    (tmp_path / EVENTS.name).unlink()
    assert find_sessions(tmp_path, extension_manager()) == []


REFUSED: dict[str, tuple[Change, str]] = {
    "no orders": (
        lambda result, _events: result.pop("orders"),
        "1700000001.json: orders: is missing or no object; expected the orders of a result",
    ),
    "an order that is none": (
        table("orders", **{"1": 5}),
        "1700000001.json: orders: row 1: row: is missing or no object",
    ),
    "a state": (
        order("2", status=4),
        "orders: row 2: status: '4'; expected one of 0 (new), 1 (submitted), 2 (partiallyfilled)",
    ),
    "a kind": (
        order("2", securityType="Bond"),
        "orders: row 2: securityType: 'Bond'; expected one of 0 (base), 1 (equity)",
    ),
    "no symbol": (
        lambda result, _events: order_of(result, "2").pop("symbol"),
        "orders: row 2: symbol: is missing or no object",
    ),
    "a quantity": (order("2", quantity="1e5"), "orders: row 2: quantity: '1e5' is not an amount"),
    "a number that is none": (order("2", price=float("nan")), "orders: row 2: price: "),
    "two spellings": (
        order("2", Price=1),
        "orders: row 2: row: has a name twice, with a small and with a capital letter",
    ),
    "a time": (
        order("2", lastFillTime="yesterday"),
        "orders: row 2: lastFillTime: 'yesterday' is not a time",
    ),
    "a sum": (
        table("runtimeStatistics", Equity="a lot"),
        "1700000001.json: Equity: 'a lot'; expected an amount like '$1,234.50'",
    ),
    "a fill without a price": (
        lambda _result, events: event_of(events, "1-2").pop("fillPrice"),
        "1700000001-order-events.json: row 2: fillPrice: is missing; expected a number",
    ),
    "a fee without a currency": (
        lambda _result, events: event_of(events, "1-2").pop("orderFeeCurrency"),
        "row 2: fill 1-2: fee 1 has no fee_currency",
    ),
    "a fill without a time": (
        lambda _result, events: event_of(events, "1-2").pop("time"),
        "row 2: time: is missing; expected a time",
    ),
    "a time beyond the calendar": (
        event("1-2", time=1e20),
        "row 2: time: 100000000000000000000 is no time; expected seconds",
    ),
    "cash that is none": (
        lambda result, _events: result.update(cash=[1]),
        "1700000001.json: cash: is missing or no object",
    ),
    "a holding that is none": (
        lambda result, _events: result.update(holdings={"ACME": 5}),
        "1700000001.json: holdings: row 1: 'ACME': is missing or no object",
    ),
}


@pytest.mark.parametrize(("change", "expected"), REFUSED.values(), ids=REFUSED)
def test_a_damaged_result_is_refused_in_one_line(
    tmp_path: Path, change: Change, expected: str
) -> None:
    """The line names the file, the row, the field, the value and what would be accepted."""
    assert expected in refusal(written(tmp_path, change))


@pytest.mark.parametrize("text", ["", "{", "[]", "5", '{"a": 1}', "\x00", '[{"a": 1}]'])
@pytest.mark.parametrize("name", [SAMPLE.name, EVENTS.name])
def test_a_file_that_is_none_is_refused(tmp_path: Path, name: str, text: str) -> None:
    """Whichever of the two files it is; an empty list of events is one."""
    path = written(tmp_path)
    (tmp_path / name).write_text(text)
    if (name, text) == (EVENTS.name, "[]"):
        assert reconcile_session(path).diffs
    else:
        assert name in refusal(path)


@pytest.mark.parametrize(
    "change",
    [*(one[0] for one in FAULTS.values()), *(one[0] for one in OBSTACLES.values()), live],
    ids=[*FAULTS, *OBSTACLES, "live"],
)
def test_a_conversion_has_the_same_verdicts(tmp_path: Path, change: Change) -> None:
    """Faulty results, those without cash, and that of a live algorithm."""
    path = written(tmp_path, change)
    native = tmp_path / "native.recon.json"
    native.write_text(session_text(read_session(path)))
    assert differing(reconcile_session(native)) == differing(reconcile_session(path))


@pytest.mark.parametrize(
    ("text", "amount"),
    [("$1,234.50", "1234.50"), ("-$1,234.50", "-1234.50"), ("$-0.5", "-0.5"), ("-$-0.5", None)],
)
def test_money_as_statistics_write_it(text: str, amount: str | None) -> None:
    """The sign is before or behind the currency, and not in both places."""
    if amount is None:
        with pytest.raises(SessionError, match=r"Fees: '-\$-0.5'; expected an amount like"):
            lean_rows.money({"Fees": text}, "Fees")
    else:
        assert lean_rows.money({"Fees": text}, "Fees") == Decimal(amount)
