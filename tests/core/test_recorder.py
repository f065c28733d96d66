"""SessionRecorder: a simulator writes its own session, and a crash leaves a readable one."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

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

from .builders import checks
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


REFUSED: dict[str, Any] = {
    "a float": (lambda side: side.fill(**fill(quantity=0.1)), "quantity: 0.1 is not an exact"),
    "a float of cash": (lambda side: side.cash({"EUR": 0.1}), "cash EUR: 0.1 is not an exact"),
    "a text": (lambda side: side.fill(**fill(price="1e5")), "price: '1e5' is not an amount"),
    "no quantity": (lambda side: side.fill(**fill(quantity=0)), "fill f1: quantity 0 has no place"),
    "a naive time": (
        lambda side: side.fill(**fill(time=datetime(2026, 1, 1))),  # noqa: DTZ001
        "time: 2026-01-01T00:00:00 has no offset",
    ),
    "a naive movement": (
        lambda side: side.movement(movement_id="m", kind="fee", time=datetime(2026, 1, 1)),  # noqa: DTZ001
        "time: 2026-01-01T00:00:00 has no offset",
    ),
    "a side": (lambda side: side.fill(**fill(side="HOLD")), "side 'HOLD'; expected one of BUY"),
    "no id": (
        lambda side: side.order(**order(OrderState.FILLED, "1", client_order_id=None)),
        "an order has neither client_order_id nor exchange_order_id",
    ),
    "an empty id": (
        lambda side: side.fill(**fill(fill_id="")),
        "fills: : fill_id: ''; expected text that is not empty",
    ),
    "an id that is no text": (
        lambda side: side.fill(**fill(fill_id=5)),
        "fill 5: the name is '5'; expected text",
    ),
    "an id of nothing": (
        lambda side: side.fill(**fill(fill_id=None)),
        "the name is 'None'; expected text",
    ),
    "a symbol that is no text": (
        lambda side: side.fill(**fill(symbol=5)),
        "fills: f1: symbol: an object; expected text",
    ),
    "a time as text": (
        lambda side: side.fill(**fill(time="2026-01-01T09:30:00Z")),
        "time: '2026-01-01T09:30:00Z' is no time; expected an aware datetime",
    ),
    "a position without a symbol": (
        lambda side: side.positions({"": 1}),
        "positions: : symbol: ''; expected text that is not empty",
    ),
    "an opening without a currency": (
        lambda side: side.opening(cash={"": 1}),
        "cash: : currency: ''; expected text that is not empty",
    ),
}


@pytest.mark.parametrize(("call", "expected"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused_is_not_written(tmp_path: Path, call: Any, expected: str) -> None:
    """The error names the field, and the session stays readable, if not complete."""
    recorder = record(tmp_path)
    recorder.internal.cash({"EUR": 1})
    with pytest.raises(ReconError) as caught:
        call(recorder.internal)
    assert expected in str(caught.value)
    with pytest.warns(ReconWarning, match="1 call was refused, and the recording stays"):
        recorder.close()
    internal = read_session(tmp_path).internal
    assert internal is not None
    assert not internal.complete


@pytest.mark.filterwarnings("ignore::recon_core.ReconWarning")
def test_an_error_that_is_swallowed_leaves_the_recording_incomplete(tmp_path: Path) -> None:
    """The row is lost and the counts agree: without this a gate would be clear."""
    with record(tmp_path) as recorder:
        recorder.internal.fill(**fill())
        for wrong in ({"quantity": 0.1}, {"unknown": 1}):
            with suppress(Exception):
                recorder.internal.fill(**fill(2, **wrong))
        recorder.external.cash({"EUR": 1})
    assert checks(reconcile_session(tmp_path))["complete"] == "CRITICAL"
    assert recorder.refused == [
        "internal: quantity: 0.1 is not an exact amount; expected a Decimal or an int",
        "internal: Fill.__init__() got an unexpected keyword argument 'unknown'",
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
