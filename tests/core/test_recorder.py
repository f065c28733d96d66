"""SessionRecorder: a simulator writes its own session, and a crash leaves a readable one."""

import errno
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recon_core import (
    Fill,
    Instrument,
    InstrumentKind,
    Movement,
    MovementKind,
    Order,
    OrderSide,
    OrderState,
    Position,
    ReconError,
    ReconWarning,
    SessionRecorder,
    read_session,
)
from recon_core.engine.reconciliation import reconcile_session
from recon_core.model import View
from recon_core.sessions.growing_table import GrowingTable
from recon_core.sessions.native_text import ROW_TYPES, row_document
from recon_core.sessions.schema import FillRow, InstrumentTable
from recon_core.values.amounts import EXACT

from .builders import amounts, checks
from .recordings import states

START = datetime(2026, 1, 1, 9, tzinfo=UTC)
BTC = Instrument("BTC/EUR", InstrumentKind.SPOT, "BTC", "EUR", "EUR")


def fill(number: int = 1, **changes: Any) -> dict[str, Any]:
    fields = {"fill_id": f"f{number}", "symbol": "BTC/EUR", "side": "BUY", "quantity": "0.10"}
    fields |= {"price": Decimal(40000), "fee": 4, "fee_currency": "EUR"}
    return fields | {"time": START + timedelta(minutes=number)} | changes


def order(state: OrderState, filled: str, **changes: Any) -> dict[str, Any]:
    fields = {"client_order_id": "o1", "symbol": "BTC/EUR", "side": OrderSide.BUY}
    fields |= {"quantity": "0.1", "filled_quantity": filled, "state": state}
    return fields | {"time": START} | changes


def record(directory: Path, **settings: Any) -> SessionRecorder:
    return SessionRecorder(directory, instruments=[BTC], currencies={"EUR": 2}, **settings)


def test_a_run_is_a_session_that_reconciles(tmp_path: Path) -> None:
    """Both sides, every kind of row; the ledger is replayed and agrees with the exchange."""
    with record(tmp_path / "run", strategy_id="s", mode="SIM") as recorder:
        internal, external = recorder.internal, recorder.external
        internal.source, external.source = "ledger", "simulated exchange"
        internal.opening(cash={"EUR": "10000.00"})
        internal.order(**order(OrderState.SUBMITTED, "0"))
        internal.fill(**fill())
        internal.order(**order(OrderState.FILLED, "0.10", time=START + timedelta(minutes=1)))
        internal.movement(
            movement_id="m1",
            kind="deposit",
            time=START + timedelta(hours=1),
            currency="EUR",
            amount="500",
        )
        external.snapshot(START, positions={}, cash={"EUR": 10000})
        external.positions({"BTC/EUR": Decimal("0.1")})
        external.cash({"BTC": "0.1", "EUR": "6496.00"})
    reconciliation = reconcile_session(tmp_path / "run")
    recorded = reconciliation.recorded
    assert set(checks(reconciliation).values()) == {"match"}
    assert states(reconciliation) == {
        "position::BTC/EUR": "match",
        "cash::BTC": "match",
        "cash::EUR": "match",
    }
    assert (recorded.session_id, recorded.strategy_id, str(recorded.mode)) == ("run", "s", "SIM")
    assert recorded.internal is not None
    assert recorded.external is not None
    assert recorded.internal.as_of == recorded.external.as_of == START + timedelta(hours=1)
    assert recorded.internal.counts == {"orders": 1, "fills": 1, "movements": 1}
    assert [str(one.state) for one in recorded.internal.orders or ()] == ["FILLED"]
    assert [one.as_of for one in recorded.external.snapshots or ()] == [START]
    assert {path.name for path in (tmp_path / "run").iterdir()} == {
        "session.recon.json",
        "internal-fills.jsonl",
        "internal-movements.jsonl",
        "internal-orders.jsonl",
        "external-snapshots.jsonl",
    }


def test_a_snapshot_may_be_the_side_of_the_exchange(tmp_path: Path) -> None:
    """It is named by its manifest, and need not be there before; `external` is no side then."""
    with SessionRecorder(tmp_path / "day", snapshot="account/coverage.json") as recorder:
        recorder.internal.cash({"EUR": 5})
        with pytest.raises(ReconError, match="external: is that of the snapshot"):
            recorder.external.cash({"EUR": 5})
        recorder.refused.clear()
    written = json.loads(recorder.path.read_text())
    assert written["external"] == {"from": {"format": "ccxt", "path": "account/coverage.json"}}
    assert written["internal"]["complete"] is True


def test_rows_may_be_given_as_values(tmp_path: Path) -> None:
    """Fill, Order, Movement and Position of the model are taken as they are."""
    moved = Movement("m", MovementKind.INTEREST, START, "EUR", Decimal(-1))
    with record(tmp_path) as recorder:
        recorder.internal.fill(Fill(**fill(quantity=Decimal(1), fee=Decimal(0))))
        state = order(OrderState.FILLED, "1")
        amounts = {"quantity": Decimal(1), "filled_quantity": Decimal(1)}
        recorder.internal.order(Order(**state | amounts))
        recorder.internal.movement(moved)
        recorder.internal.positions([Position("BTC/EUR", Decimal(1), Decimal(40000))])
        recorder.internal.cash([])
        recorder.internal.as_of = START + timedelta(days=1)
    side = read_session(tmp_path).internal
    assert side is not None
    assert side.movements == (moved,)
    assert (side.positions or ())[0].average_price == 40000
    assert (side.cash, side.as_of) == ((), START + timedelta(days=1))


@pytest.mark.parametrize("ending", ["raise", "kill"])
def test_a_crash_leaves_what_was_recorded(tmp_path: Path, ending: str) -> None:
    """Every row that was recorded is there, and the session says that it was cut off."""
    script = f"""
import os, signal
from datetime import datetime, UTC
from recon_core import Instrument, InstrumentKind, SessionRecorder
pair = Instrument("BTC/EUR", InstrumentKind.SPOT, "BTC", "EUR", "EUR")
with SessionRecorder({str(tmp_path / "run")!r}, instruments=[pair]) as recorder:
    recorder.internal.opening(cash={{"EUR": "10"}})
    for number in range(1000):
        recorder.internal.fill(fill_id=str(number), symbol="BTC/EUR", side="BUY", quantity="1",
                               price="2", time=datetime(2026, 1, 1, tzinfo=UTC))
    recorder.external.cash({{"EUR": "10"}})
    {"raise RuntimeError" if ending == "raise" else "os.kill(os.getpid(), signal.SIGKILL)"}
"""
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert ended.returncode == (1 if ending == "raise" else -signal.SIGKILL)
    recorded = read_session(tmp_path / "run")
    assert recorded.internal is not None
    assert recorded.external is not None
    assert len(recorded.internal.fills or ()) == 1000
    assert (recorded.internal.complete, recorded.external.complete) == (False, False)
    assert recorded.internal.counts == {}
    assert checks(reconcile_session(tmp_path / "run"))["complete"] == "CRITICAL"


def test_the_session_is_readable_after_every_call(tmp_path: Path) -> None:
    """Whoever looks while the simulator runs sees a session that is not complete."""
    recorder = record(tmp_path)
    calls: list[Callable[[], None]] = [
        recorder.internal.opening,
        lambda: recorder.internal.fill(**fill()),
        lambda: recorder.external.positions({}),
        lambda: recorder.external.snapshot(START, cash={}),
    ]
    for call in calls:
        call()
        assert json.loads(recorder.path.read_text())["internal"]["complete"] is False
        assert read_session(tmp_path).internal is not None
    recorder.close()
    recorder.close()
    assert json.loads(recorder.path.read_text())["internal"]["complete"] is True


def test_what_follows_a_checkpoint_is_not_whole(tmp_path: Path) -> None:
    """A side that speaks after it may say more until the recorder is closed."""
    recorder = record(tmp_path)
    recorder.internal.fill(**fill())
    recorder.checkpoint()
    assert json.loads(recorder.path.read_text())["internal"]["complete"] is True
    recorder.external.cash({"EUR": 1})
    document = json.loads(recorder.path.read_text())
    assert [document[side]["complete"] for side in ("internal", "external")] == [False, False]


def test_half_a_row_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would spoil all others; the row is refused, and not counted."""
    table, write = GrowingTable(tmp_path / "t.jsonl"), os.write
    table.append({"number": 1})

    def write_half(handle: int, line: bytes) -> int:
        if len(line) < 5:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(handle, line[:-4])

    with monkeypatch.context() as full:
        full.setattr(os, "write", write_half)
        with pytest.raises(ReconError, match=r"t\.jsonl: cannot be written: No space left"):
            table.append({"number": 2})
    assert (table.rows, table.path.read_text()) == (1, '{"number": 1}\n')
    table.append({"number": 3})
    assert (table.rows, table.path.read_text()) == (2, '{"number": 1}\n{"number": 3}\n')
    table.close()


def test_a_side_that_is_never_used_is_not_in_the_session(tmp_path: Path) -> None:
    """Nobody asked an exchange: a coverage FAIL, and nothing is mirrored."""
    with record(tmp_path) as recorder:
        recorder.internal.cash({"EUR": 1})
    assert checks(reconcile_session(tmp_path))["coverage"] == "FAIL"


def test_a_simulator_of_floats_says_so(tmp_path: Path) -> None:
    """Its values are taken at their shortest text, and dust is told from faults."""
    with SessionRecorder(tmp_path, instruments=[BTC], floats=True) as recorder:
        recorder.internal.opening(cash={"EUR": 1000.0})
        for number in range(3):
            recorder.internal.fill(**fill(number, quantity=0.1, price=1.1, fee=1e-05))
        recorder.external.positions({"BTC/EUR": 0.1 + 0.2})
        recorder.external.cash({"BTC": 0.1 + 0.2, "EUR": 999.66997})
    found = states(reconcile_session(tmp_path))
    assert found == {
        "position::BTC/EUR": "INFO",
        "cash::BTC": "INFO",
        "cash::EUR": "match",
    }


WRITTEN: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "fills": (
        fill(
            fill_id=7,
            side="buy",
            quantity=Decimal("1E+3"),
            price="7.7E-7",
            fee=-1,
            client_order_id=8,
            exchange_order_id=2**70,
            account=12,
            leg="long",
            position_id=3,
            time="2026-01-01T10:00:00+01:00",
        ),
        {
            "fill_id": "7",
            "side": "BUY",
            "quantity": "1000",
            "price": "0.00000077",
            "fee": "-1",
            "client_order_id": "8",
            "exchange_order_id": "1180591620717411303424",
            "account": "12",
            "leg": "LONG",
            "position_id": "3",
            "time": "2026-01-01T10:00:00+01:00",
        },
    ),
    "orders": (
        order(
            OrderState.FILLED,
            "0",
            client_order_id=None,
            exchange_order_id=5,
            side="Sell",
            type="limit",
            price=Decimal("0E-8"),
            average_fill_price="12",
            account="a",
        )
        | {"state": "partially_filled"},
        {
            "exchange_order_id": "5",
            "side": "SELL",
            "state": "PARTIALLY_FILLED",
            "type": "limit",
            "price": "0.00000000",
            "average_fill_price": "12",
            "account": "a",
        },
    ),
    "movements": (
        {
            "movement_id": 1,
            "kind": "Assignment",
            "time": START,
            "currency": "USD",
            "amount": Decimal("-5E+4"),
            "symbol": 7203,
            "quantity": 100,
            "account": "a",
            "group": 9,
        },
        {
            "movement_id": "1",
            "kind": "assignment",
            "time": "2026-01-01T09:00:00Z",
            "amount": "-50000",
            "symbol": "7203",
            "quantity": "100",
            "group": "9",
        },
    ),
    "positions": (
        {
            "symbol": "BTC/EUR",
            "quantity": Decimal("-1E+1"),
            "average_price": "1.5",
            "mark_price": 2,
            "leg": "Short",
            "account": 1,
        },
        {
            "quantity": "-10",
            "average_price": "1.5",
            "mark_price": "2",
            "leg": "SHORT",
            "account": "1",
        },
    ),
    "cash": (
        {
            "currency": "EUR",
            "total": Decimal("1E+4"),
            "free": 1,
            "locked": "2",
            "debt": "3",
            "settled": 4,
            "unrealised": "-5",
            "account": "margin",
        },
        {"total": "10000", "free": "1", "settled": "4", "unrealised": "-5", "account": "margin"},
    ),
}


def _record_row(recorder: SessionRecorder, section: str, row: dict[str, Any]) -> Any:
    """Record one row, and return it from the files of the session."""
    side = recorder.internal
    if section in {"positions", "cash"}:
        getattr(side, section)([row])
        return json.loads(recorder.path.read_text())["internal"][section][0]
    getattr(side, section.removesuffix("s"))(**row)
    line = (recorder.directory / f"internal-{section}.jsonl").read_text()
    return json.loads(line)


@pytest.mark.parametrize("section", WRITTEN)
def test_every_field_of_the_format_is_taken(tmp_path: Path, section: str) -> None:
    """Amounts, ids as numbers, words in any case and times are written as the file has them."""
    given, expected = WRITTEN[section]
    recorder = record(tmp_path)
    written = _record_row(recorder, section, given)
    assert {name: written[name] for name in expected} == expected
    recorder.close()
    internal = read_session(tmp_path).internal
    assert internal is not None
    (row,), row_type = internal.rows(section) or (), ROW_TYPES[section]
    assert row_document(section, row).keys() == written.keys()
    alternatives = {"client_order_id"} if section == "orders" else set()
    assert row_type.model_fields.keys() - written.keys() == alternatives


def test_a_row_and_the_fields_of_the_model_mean_the_same(tmp_path: Path) -> None:
    """A row may be a mapping, and carry the names that the model's own values have."""
    with record(tmp_path) as recorder:
        recorder.internal.order(order(OrderState.FILLED, "0.1", order_type="limit"))
        moved = {"movement_id": "m", "movement_kind": MovementKind.FEE, "time": START}
        recorder.internal.movement(moved, currency="EUR", amount=-1)
        recorder.internal.positions([Position("A", Decimal(1)), {"symbol": "B", "quantity": 2}])
    internal = read_session(tmp_path).internal
    assert internal is not None
    assert [one.order_type for one in internal.orders or ()] == ["limit"]
    assert [one.movement_kind for one in internal.movements or ()] == [MovementKind.FEE]
    assert [(one.symbol, one.quantity) for one in internal.positions or ()] == [("A", 1), ("B", 2)]


@given(amount=amounts(), form=st.sampled_from([Decimal.normalize, str, lambda one: one]))
def test_an_amount_is_recorded_exactly(amount: Decimal, form: Callable[[Decimal], Any]) -> None:
    """As a `Decimal` with any exponent, or as the text of one."""
    with localcontext(EXACT), TemporaryDirectory() as directory:
        with record(Path(directory) / "run") as recorder:
            recorder.internal.cash({"EUR": form(amount)})
        internal = read_session(Path(directory) / "run").internal
    assert internal is not None
    assert [row.total for row in internal.cash or ()] == [amount]


def test_what_a_side_keeps_is_recorded(tmp_path: Path) -> None:
    """Views by asset, words in any case."""
    with record(tmp_path) as recorder:
        recorder.internal.keeps({"BTC": "Balance", "*": View.BOTH})
    internal = read_session(tmp_path).internal
    assert internal is not None
    assert internal.keeps == {"BTC": View.BALANCE, "*": View.BOTH}


INSTRUMENTS: dict[str, dict[str, Any]] = {
    "BTC/EUR": {"kind": "spot", "base": "BTC", "quote": "EUR", "notional": "float"},
    "ACME": {"kind": "Equity", "base": "ACME", "quote": "USD"},
    "EUR.USD": {"kind": "fx", "base": "EUR", "quote": "USD", "quantity_increment": Decimal("1E-2")},
    "ACME C": {"kind": "OPTION", "base": "ACME", "quote": "USD", "multiplier": Decimal("1E+2")},
    "PERP": {"kind": "linear", "base": "BTC", "quote": "USDT", "settlement": "USDC"},
    "XBT": {"kind": "inverse", "base": "BTC", "quote": "USD", "average": "Arithmetic"},
    "ES": {"kind": "future", "base": "ES", "quote": "USD", "settles": "daily", "multiplier": 50},
}


def test_instruments_are_declared_as_in_the_file(tmp_path: Path) -> None:
    """Every kind and every field; instruments of the model give the same session."""
    with SessionRecorder(tmp_path / "fields", instruments=INSTRUMENTS) as recorder:
        recorder.internal.cash({})
    recorded = read_session(tmp_path / "fields")
    assert {str(one.instrument_kind) for one in recorded.instruments.values()} == set(
        InstrumentKind
    )
    fields = {name for one in INSTRUMENTS.values() for name in one}
    assert fields == InstrumentTable.model_fields.keys()
    assert recorded.instruments["ACME C"].multiplier == 100
    assert recorded.instruments["XBT"].settlement == "BTC"
    values = recorded.instruments.values()
    with SessionRecorder(tmp_path / "values", instruments=values) as recorder:
        recorder.internal.cash({})
    assert read_session(tmp_path / "values").instruments == recorded.instruments


_KINDS = ", ".join(InstrumentKind)
DECLARATIONS: dict[str, tuple[dict[str, Any], str]] = {
    "a kind": (
        {"instruments": {"X": {"kind": "sport", "base": "X", "quote": "EUR"}}},
        f"instruments: X: kind: 'sport'; expected one of {_KINDS}; did you mean spot?",
    ),
    "a field": (
        {"instruments": {"X": {"kind": "spot", "base": "X", "qoute": "EUR"}}},
        "instruments: X: qoute: unknown field; did you mean quote?",
    ),
    "no instrument": (
        {"instruments": ["BTC/EUR"]},
        "instruments: 1: is of type str; expected an Instrument or its fields",
    ),
    "decimal places": (
        {"currencies": {"EUR": 2.5}},
        "currencies: EUR: precision: 2.5; expected a whole number",
    ),
    "too many places": ({"currencies": {"EUR": 31}}, "currencies: EUR: precision: 31; "),
    "a mode": (
        {"mode": "papers"},
        "mode: 'papers'; expected one of SIM, PAPER, LIVE; did you mean PAPER?",
    ),
    "a session id": ({"session_id": 1.5}, "session_id: 1.5; expected text"),
}


@pytest.mark.parametrize(("settings", "expected"), DECLARATIONS.values(), ids=DECLARATIONS)
def test_a_wrong_declaration_is_refused_at_once(
    tmp_path: Path, settings: dict[str, Any], expected: str
) -> None:
    """The error says what would be accepted, and the directory is left alone."""
    with pytest.raises(ReconError) as caught:
        SessionRecorder(tmp_path / "run", **settings)
    assert str(caught.value).startswith(expected)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run").exists()


_FLOAT = "is a binary float; expected a Decimal, an int or text such as '0.1'; a simulator"
REFUSED: dict[str, Any] = {
    "a float": (
        lambda side: side.fill(**fill(quantity=0.1)),
        f"internal: fill 1: quantity: 0.1 {_FLOAT}",
    ),
    "a float of cash": (
        lambda side: side.cash({"EUR": 0.1}),
        f"internal: cash EUR: total: 0.1 {_FLOAT}",
    ),
    "a float in a list": (
        lambda side: side.positions([{"symbol": "A", "quantity": 1}, {"quantity": 0.1}]),
        f"internal: position 2: quantity: 0.1 {_FLOAT}",
    ),
    "a text": (
        lambda side: side.fill(**fill(price="1,5")),
        "internal: fill 1: price: '1,5' is not an amount; expected a plain decimal",
    ),
    "what is no number": (
        lambda side: side.fill(**fill(price=True)),
        "internal: fill 1: price: True; expected a Decimal, an int or text such as '5000.00'",
    ),
    "a ratio": (
        lambda side: side.fill(**fill(price=Fraction(1, 3))),
        "internal: fill 1: price: Fraction(1, 3); expected a Decimal, an int or text such as",
    ),
    "an endless number": (
        lambda side: side.fill(**fill(price=Decimal("NaN"))),
        "internal: fill 1: price: Decimal('NaN') is not an exact amount",
    ),
    "a long number": (
        lambda side: side.fill(**fill(price=Decimal("1E+999999"))),
        "internal: fill 1: price: 1E+999999 is too long",
    ),
    "no quantity": (
        lambda side: side.fill(**fill(quantity=0)),
        "internal: fill 1: quantity: '0'; expected an amount above 0",
    ),
    "no quantity of a fill": (
        lambda side: side.fill(Fill(**fill(quantity=Decimal(0), fee=Decimal(0)))),
        "internal: fill 1: fill f1: quantity 0 has no place",
    ),
    "a naive time": (
        lambda side: side.fill(**fill(time=datetime(2026, 1, 1))),  # noqa: DTZ001
        "internal: fill 1: time: 2026-01-01T00:00:00 has no offset",
    ),
    "a naive movement": (
        lambda side: side.movement(movement_id="m", kind="fee", time=datetime(2026, 1, 1)),  # noqa: DTZ001
        "internal: movement 1: time: 2026-01-01T00:00:00 has no offset",
    ),
    "a side": (
        lambda side: side.fill(**fill(side="SEL")),
        "internal: fill 1: side: 'SEL'; expected one of BUY, SELL; did you mean SELL?",
    ),
    "a kind": (
        lambda side: side.movement(movement_id="m", kind="fundng", time=START),
        "internal: movement 1: kind: 'fundng'; expected one of deposit, ",
    ),
    "a movement of nothing": (
        lambda side: side.movement(movement_id="m", kind="fee", time=START),
        "internal: movement 1: the row: expected an amount or a quantity that moves",
    ),
    "no id": (
        lambda side: side.order(**order(OrderState.FILLED, "1", client_order_id=None)),
        "internal: order 1: the row: expected client_order_id or exchange_order_id",
    ),
    "an empty id": (
        lambda side: side.fill(**fill(fill_id="")),
        "internal: fill 1: fill_id: ''; expected text that is not empty",
    ),
    "an id that is no text": (
        lambda side: side.fill(**fill(fill_id=5.0)),
        "internal: fill 1: fill_id: 5.0; expected text",
    ),
    "an id of nothing": (
        lambda side: side.fill(**fill(fill_id=None)),
        "internal: fill 1: fill_id: is missing",
    ),
    "half a character": (
        lambda side: side.fill(**fill(fill_id="\ud800")),
        "internal: fill 1: fill_id: '\\ud800'; ",
    ),
    "an unknown field": (
        lambda side: side.fill(**fill(fee_curency="EUR")),
        "internal: fill 1: fee_curency: unknown field; did you mean fee_currency?",
    ),
    "a time as text": (
        lambda side: side.fill(**fill(time="2026-01-01 09:30")),
        "internal: fill 1: time: '2026-01-01 09:30' is not a time; expected RFC 3339",
    ),
    "a time as a number": (
        lambda side: side.fill(**fill(time=1767225600)),
        "internal: fill 1: time: 1767225600 is no time; expected an aware datetime, or text",
    ),
    "another row": (
        lambda side: side.fill(Position("A", Decimal(1))),
        "internal: fill 1: is of type Position; expected a Fill or its fields",
    ),
    "a row and fields": (
        lambda side: side.fill(Fill(**fill(quantity=Decimal(1), fee=Decimal(0))), price=1),
        "internal: fill 1: is given as a row and by fields; expected one of them",
    ),
    "a position without a symbol": (
        lambda side: side.positions({"": 1}),
        "internal: position : symbol: ''; expected text that is not empty",
    ),
    "a position twice": (
        lambda side: side.positions([{"symbol": "A", "quantity": 1}] * 2),
        "internal: positions: duplicate A, NET; expected each key once",
    ),
    "positions as text": (
        lambda side: side.positions("A"),
        "internal: positions: is of type str; expected names with amounts, or a list of rows",
    ),
    "an opening without a currency": (
        lambda side: side.opening(cash={"": 1}),
        "internal: opening: cash : currency: ''; expected text that is not empty",
    ),
    "a snapshot": (
        lambda side: side.snapshot(START, cash={"EUR": "x"}),
        "internal: snapshot 1: cash EUR: total: 'x' is not an amount",
    ),
    "a time of a snapshot": (
        lambda side: side.snapshot("yesterday", cash={}),
        "internal: snapshot 1: as_of: 'yesterday' is not a time; expected RFC 3339",
    ),
    "a view": (
        lambda side: side.keeps({"BTC": "ballance"}),
        "internal: keeps: BTC: 'ballance'; expected one of position, balance, both; did you mean",
    ),
}


@pytest.mark.parametrize(("call", "expected"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused_is_not_written(tmp_path: Path, call: Any, expected: str) -> None:
    """The error names the field, and the session stays readable, if not complete."""
    recorder = record(tmp_path)
    recorder.internal.cash({"EUR": 1})
    with pytest.raises(ReconError) as caught:
        call(recorder.internal)
    assert str(caught.value).startswith(expected)
    assert "\n" not in str(caught.value)
    with pytest.warns(ReconWarning, match="1 call was refused, and the recording stays"):
        recorder.close()
    internal = read_session(tmp_path).internal
    assert internal is not None
    assert not internal.complete


def test_a_checkpoint_is_complete_until_the_next_row(tmp_path: Path) -> None:
    """For a program that has no end: both sides are of one moment, and said to be so."""
    recorder = record(tmp_path / "run")
    for number in (1, 2):
        recorder.internal.fill(**fill(number))
        recorder.external.fill(**fill(number))
        assert checks(reconcile_session(tmp_path / "run"))["complete"] == "CRITICAL"
        recorder.checkpoint()
        found = reconcile_session(tmp_path / "run")
        assert checks(found)["complete"] == "match"
        assert not found.diffs
    recorder.external.snapshot(START, cash={"EUR": "1"})
    assert checks(reconcile_session(tmp_path / "run"))["complete"] == "CRITICAL"
    recorder.close()
    assert checks(reconcile_session(tmp_path / "run"))["complete"] == "match"


def test_a_checkpoint_after_a_refused_row_is_not_complete(tmp_path: Path) -> None:
    """A row is missing, whoever swallowed its error, until it is said to be settled."""
    recorder = record(tmp_path / "run")
    recorder.internal.fill(**fill(1))
    with pytest.raises(ReconError):
        recorder.internal.fill(**fill(2, side="HOLD"))
    recorder.checkpoint()
    assert checks(reconcile_session(tmp_path / "run"))["complete"] == "CRITICAL"
    recorder.refused.clear()
    recorder.checkpoint()
    assert checks(reconcile_session(tmp_path / "run"))["complete"] == "match"
    recorder.close()


@pytest.mark.filterwarnings("ignore::recon_core.ReconWarning")
def test_an_error_that_is_swallowed_leaves_the_recording_incomplete(tmp_path: Path) -> None:
    """The row is lost and the counts agree: without this a gate would be clear."""
    with record(tmp_path) as recorder:
        recorder.internal.fill(**fill())
        for wrong in ({"quantity": 0.1}, {"qty": 1}):
            with suppress(Exception):
                recorder.internal.fill(**fill(2, **wrong))
        recorder.external.cash({"EUR": 1})
    assert checks(reconcile_session(tmp_path))["complete"] == "CRITICAL"
    assert recorder.refused == [
        f"internal: fill 2: quantity: 0.1 {_FLOAT} that computes in floats says floats=True",
        f"internal: fill 3: qty: unknown field; expected one of {', '.join(FillRow.model_fields)}",
    ]


def test_a_directory_that_is_in_use_is_refused(tmp_path: Path) -> None:
    """A recording is never mixed with another one, nor written over a file."""
    with record(tmp_path / "run"):
        pass
    with pytest.raises(ReconError, match="run: is not empty; expected a new directory"):
        record(tmp_path / "run")
    (tmp_path / "file").write_text("")
    with pytest.raises(ReconError, match="file: cannot be used: File exists"):
        record(tmp_path / "file")


def test_of_two_recorders_at_one_moment_one_gets_the_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both looked and found it empty: mixed, each would be the other's damage."""
    with record(tmp_path) as first:
        first.internal.cash({"EUR": 1})
        monkeypatch.setattr(Path, "iterdir", lambda _: iter(()))
        with pytest.raises(ReconError, match="cannot be used: File exists"):
            record(tmp_path)
    assert read_session(tmp_path / "session.recon.json").internal is not None


def test_a_closed_recorder_takes_nothing_more(tmp_path: Path) -> None:
    """A row that came too late is an error, not a silent loss."""
    with record(tmp_path) as recorder:
        recorder.internal.fill(**fill())
    with pytest.raises(ReconError, match="the recorder is closed"):
        recorder.internal.fill(**fill(2))
    with pytest.raises(ReconError, match="the recorder is closed"):
        recorder.external.cash({})
    assert os.listdir(tmp_path).count("internal-fills.jsonl") == 1  # noqa: PTH208
