"""nautilus_trader's orders report: evidence of the external side for the fills."""

import csv
import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from recon_core.engine.reconciliation import Reconciliation, reconcile_session
from recon_core.model import Order, OrderState, RecordedSession
from recon_core.sessions import read_session
from recon_core.sessions.formats.nautilus_accounts import Report
from recon_core.sessions.formats.nautilus_orders import orders
from recon_core.values.errors import SessionError

from .builders import at, checks, found_cases, verdicts
from .recordings import BESIDE, DATA, needs_recordings, states, writable_copy
from .test_nautilus import FIGURES, FX, FX_LEGS, VARIANTS, faulty_fills

NAUTILUS = DATA / "nautilus"
BESIDE_NAUTILUS = BESIDE / "recordings" / "nautilus_trader"
ROW = {
    "client_order_id": "O-1",
    "venue_order_id": "V-1",
    "instrument_id": "BTCUSDT.BINANCE",
    "account_id": "BINANCE-001",
    "type": "LIMIT",
    "side": "BUY",
    "quantity": "3",
    "price": "100.50",
    "filled_qty": "1",
    "avg_px": "100.25",
    "is_quote_quantity": "False",
    "status": "PARTIALLY_FILLED",
    "ts_last": "1767268800000000000",
}


def order_of(**changes: str) -> Order:
    """The order that a row of the report gives."""
    (order,) = orders(Report("orders.csv", [ROW | changes]))
    return order


def listed(recorded: RecordedSession) -> Sequence[Order]:
    """The orders of the external side, which must report them."""
    assert recorded.internal is not None
    assert recorded.external is not None
    assert recorded.internal.orders is None
    assert recorded.external.orders is not None
    return recorded.external.orders


def test_every_column_that_is_read() -> None:
    """A row of the report, and the order that it is."""
    assert order_of() == Order(
        symbol="BTCUSDT.BINANCE",
        side="BUY",
        quantity=Decimal(3),
        filled_quantity=Decimal(1),
        state=OrderState.PARTIALLY_FILLED,
        time=at(0),
        client_order_id="O-1",
        exchange_order_id="V-1",
        order_type="LIMIT",
        price=Decimal("100.50"),
        account="BINANCE-001",
        average_fill_price=Decimal("100.25"),
    )


@pytest.mark.parametrize("column", ["venue_order_id", "account_id", "price", "avg_px", "type"])
def test_what_an_order_may_lack(column: str) -> None:
    """A market order has no price, a rejected one no venue's id: absent, not empty."""
    field = {"venue_order_id": "exchange_order_id", "account_id": "account"}
    field |= {"avg_px": "average_fill_price", "type": "order_type", "price": "price"}
    assert getattr(order_of(**{column: ""}), field[column]) is None


@pytest.mark.parametrize(
    ("status", "filled", "state"),
    [
        ("INITIALIZED", "0", "CREATED"),
        ("EMULATED", "0", "CREATED"),
        ("RELEASED", "0", "CREATED"),
        ("SUBMITTED", "0", "SUBMITTED"),
        ("ACCEPTED", "0", "ACKNOWLEDGED"),
        ("TRIGGERED", "0", "ACKNOWLEDGED"),
        ("PENDING_UPDATE", "0", "ACKNOWLEDGED"),
        ("PENDING_CANCEL", "1", "PARTIALLY_FILLED"),
        ("PARTIALLY_FILLED", "1", "PARTIALLY_FILLED"),
        ("FILLED", "3", "FILLED"),
        ("CANCELED", "0", "CANCELLED"),
        ("CANCELED", "1", "CANCELLED"),
        ("EXPIRED", "0", "EXPIRED"),
        ("REJECTED", "0", "REJECTED"),
        ("DENIED", "0", "REJECTED"),
        ("VOIDED", "0", "FAILED"),
    ],
)
def test_the_engine_calls_its_states_otherwise(status: str, filled: str, state: str) -> None:
    """Every state of the engine has one here; one that works on after a part is partial."""
    assert order_of(status=status, filled_qty=filled).state == state


@pytest.mark.parametrize(
    ("text", "price"),
    [
        ("2.8919299395e-05", "0.000028919299395"),
        ("39454.73999998667", "39454.73999998667"),
        ("46476.0", "46476"),
        ("float 46476.5", "46476.5"),
        ("1e+22", "10000000000000000000000"),
    ],
)
def test_an_average_price_is_a_float_at_its_shortest_text(text: str, price: str) -> None:
    """The engine divides in binary floats, and prints small ones with an exponent."""
    found = order_of(avg_px=text).average_fill_price
    assert found is not None
    assert format(found, "f") == price


@pytest.mark.parametrize(
    "text", ["1767268800000000000", "1767268800000000999", "2026-01-01 12:00:00+00:00"]
)
def test_a_time_is_nanoseconds_or_text(text: str) -> None:
    """The index of one report, the pandas time of another."""
    assert order_of(ts_last=text).time == at(0)


def test_a_filled_order_in_quote_currency_is_left_out(tmp_path: Path) -> None:
    """0.001 BTC of 100 USDT is not partially filled; the session says what is left out."""
    directory = writable_copy(NAUTILUS / "spot_btcusdt_quotes_partial", tmp_path / "run")
    path = directory / "orders.csv"
    text = path.read_text().replace("GTC,False,False,0.750000", "GTC,False,True,0.750000", 1)
    path.write_text(text)
    found = reconcile_session(directory)
    note = "orders.csv: 1 order states its quantity in the quote currency; not compared"
    assert note in found.notes
    assert "order::O-20210108-000003-001-000-1" not in verdicts(found)
    assert set(verdicts(found).values()) == {"match"}
    unfilled = orders(Report("o", [ROW | {"is_quote_quantity": "True", "filled_qty": "0"}]))
    assert len(unfilled) == 1


@pytest.mark.parametrize("row", [{"filled_qty": "-1"}, {"price": "float 1.5"}, {"ts_last": "1e18"}])
def test_what_is_no_figure_is_refused(row: dict[str, str]) -> None:
    """No sign that the side says already, no float for an amount, no guessed time."""
    with pytest.raises(SessionError, match=r"^orders\.csv: row 1: "):
        order_of(**row)


def test_an_engine_without_orders_says_so(tmp_path: Path) -> None:
    """`[]` is a report without rows; no file at all reports nothing."""
    directory = writable_copy(NAUTILUS / "perp_inverse_xbtusd", tmp_path / "run")
    external = read_session(directory).external
    assert external is not None
    assert external.orders is None
    (directory / "orders.json").write_text("[]\n")
    assert listed(read_session(directory)) == ()


def test_the_states_of_real_orders() -> None:
    """Cancelled after a part, rejected with nothing filled, no price at the market."""
    cancelled = [
        order
        for order in listed(read_session(NAUTILUS / "spot_btcusdt_cash"))
        if order.state is OrderState.CANCELLED
    ]
    filled = [(order.filled_quantity, order.quantity) for order in cancelled]
    assert filled == [
        (Decimal("0.093500"), Decimal("0.123457")),
        (Decimal("0.063500"), Decimal("0.123457")),
    ]
    rejected = listed(read_session(NAUTILUS / "perp_ethusdt_bracket_all_rejected"))
    assert {(order.state, order.filled_quantity) for order in rejected} == {
        (OrderState.REJECTED, Decimal("0.000"))
    }
    assert {order.order_type for order in rejected if order.price is None} == {"STOP_MARKET"}
    assert {order.exchange_order_id for order in rejected} == {None}


def order_named_by(variant: dict[str, Any], directory: Path) -> str:
    """The order of the fill that a fault changed."""
    with (directory / variant["base"] / "fills.csv").open(newline="") as file:
        rows: list[dict[str, str]] = list(csv.DictReader(file))
    number: int = variant["row"]
    return rows[number]["client_order_id"]


def rounded_orders(directory: Path) -> set[str]:
    """The orders whose fills add up to something else where each has four decimals."""
    exact, rounded = defaultdict[str, Decimal](Decimal), defaultdict[str, Decimal](Decimal)
    with (directory / "fills.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            quantity = Decimal(row["last_qty"])
            exact[row["client_order_id"]] += quantity
            rounded[row["client_order_id"]] += quantity.quantize(Decimal("0.0001"))
    return {order for order in exact if exact[order] != rounded[order]}


FAULTS: dict[str, Callable[[dict[str, Any], Path], set[str]]] = {
    "drop_fill": lambda variant, data: {order_named_by(variant, data)},
    "duplicate_fill": lambda variant, data: {order_named_by(variant, data)},
    "flip_sign": lambda variant, data: {order_named_by(variant, data)},
    "drop_fee": lambda _variant, _data: set(),
    "drop_all_fees": lambda _variant, _data: set(),
    "round_qty_4dp": lambda variant, data: rounded_orders(data / variant["base"]),
}
CASES = {
    "drop_fill": {"order_fills"},
    "duplicate_fill": {"order_fills", "order_overfilled, order_fills"},
    "flip_sign": {"order_fills"},
    "round_qty_4dp": {"order_fills", "order_overfilled, order_fills"},
}


@pytest.mark.parametrize(
    "variant", [one for one in VARIANTS if "fills_sha256" in one], ids=lambda one: one["id"]
)
def test_a_fault_in_the_fills_is_seen_on_their_order(
    variant: dict[str, Any], tmp_path: Path
) -> None:
    """Exactly the orders whose fills were changed differ, and the states as before."""
    directory = writable_copy(NAUTILUS / variant["base"], tmp_path / "run")
    (directory / "fills.csv").write_bytes(faulty_fills(variant))
    found = reconcile_session(directory)
    cases = found_cases(found)
    expected = FAULTS[variant["fault"]](variant, NAUTILUS)
    assert cases.keys() == {f"order::{order}" for order in expected}
    assert set(cases.values()) <= CASES.get(variant["fault"], set())
    assert states(found) == variant["expected_verdicts"]


def test_the_words_of_a_dropped_and_of_a_turned_fill(tmp_path: Path) -> None:
    """What the order says, and what its fills say instead."""
    directory = writable_copy(NAUTILUS / "spot_btcusdt_cash", tmp_path / "run")
    lines = (directory / "fills.csv").read_text().splitlines(keepends=True)
    turned = lines[2].replace(",SELL,", ",BUY,")
    (directory / "fills.csv").write_text("".join([lines[0], turned, *lines[3:]]))
    described = {diff.key: diff.description for diff in reconcile_session(directory).diffs}
    assert (
        "external says 0.123457 filled, internal's 0 fills of it sum to 0: internal reports no "
        "orders; external BUY 0.123457 BTCUSDT.BINANCE MARKET, 0.123457 filled, FILLED"
    ) in described["O-20211231-233400-001-000-1"]
    assert (
        "FAIL, external's order cannot have internal's fill T-b2bde56e9dfca2ea-183, "
        "a BUY of BTCUSDT.BINANCE: internal reports no orders"
    ) in described["O-20211231-235000-001-000-2"]


BASES = {**FIGURES, FX: {"cash::USD": "", **FX_LEGS}}


@needs_recordings
@pytest.mark.parametrize("name", [name for name in BASES if not name.startswith("two_")])
def test_the_whole_recordings_beside_the_project(name: str) -> None:
    """Every order of every recording agrees with the fills that name it."""
    found = reconcile_session(BESIDE_NAUTILUS / name / "meta.json")
    reported = verdicts(found)
    with (BESIDE_NAUTILUS / name / "orders.csv").open(newline="") as file:
        ids = {row["client_order_id"] for row in csv.DictReader(file)}
    assert {key for key in reported if key.startswith("order::")} == {
        f"order::{one}" for one in ids
    }
    assert reported.keys() == {*(f"order::{one}" for one in ids), *BASES[name]}
    faults = {key: verdict for key, verdict in reported.items() if verdict != "match"}
    assert faults == ({"cash::USD": "FAIL"} if name == FX else {})
    assert set(checks(found).values()) == {"match"}


def faults_beside() -> list[dict[str, Any]]:
    """The variants that replace the fills of a recording, or nothing."""
    manifest = BESIDE / "faults" / "manifest.json"
    variants = json.loads(manifest.read_text())["variants"] if manifest.is_file() else []
    return [
        one
        for one in variants
        if one["engine"] == "nautilus_trader" and not one["external_changed"]
    ]


@needs_recordings
@pytest.mark.parametrize("variant", faults_beside(), ids=lambda one: one["id"])
def test_the_faults_beside_the_project(variant: dict[str, Any], tmp_path: Path) -> None:
    """The states of the manifest; orders differ where a quantity or a side was changed."""
    session = variant["base_session"].partition("/")[2]
    directory = writable_copy(BESIDE_NAUTILUS / session, tmp_path / "run")
    for name in variant["replaced_files"]:
        content = (BESIDE / "faults" / variant["id"] / name).read_bytes()
        (directory / name).write_bytes(content)
    found: Reconciliation = reconcile_session(directory)
    assert states(found) == variant["expected_verdicts"]
    differing = found_cases(found)
    if variant["fault"] in ("control", "drop_fee", "drop_all_fees"):
        assert differing == {}
    elif variant["fault"] == "round_qty_4dp":
        expected = rounded_orders(BESIDE_NAUTILUS / session)
        assert differing.keys() == {f"order::{one}" for one in expected}
        assert len(differing) == {"spot_btcusdt_cash": 216}.get(session, len(expected))
    else:
        changed = {"base": session, "row": variant["injected"]["row"]}
        assert differing.keys() == {f"order::{order_named_by(changed, BESIDE_NAUTILUS)}"}
