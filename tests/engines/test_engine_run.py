"""The part that all recorders share, and the shapes of an engine without the engine."""

import importlib.util
from collections import deque
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from recon_core import recorders
from recon_core.recorders.backtrader import BrokerRun
from recon_core.recorders.engine_run import (
    EngineRun,
    paid_for,
    require_engine,
    require_object,
    signed,
    total,
    utc,
)
from recon_core.values.errors import ReconError
from tests.engines.faults import is_clear, judged, recorded

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


@pytest.mark.parametrize("name", recorders.__all__)
def test_every_recorder_can_be_loaded_without_its_engine(name: str) -> None:
    """The package and its modules import no engine."""
    assert callable(getattr(recorders, name))


def test_a_missing_engine_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says what to install."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    monkeypatch.setattr("recon_core.recorders.engine_run.find_spec", lambda _: None)
    with pytest.raises(ReconError) as refused:
        require_engine("backtrader")
    assert str(refused.value) == (
        "recording backtrader needs it, and it is not installed; pip install backtrader"
    )


def test_an_object_of_another_class_is_refused() -> None:
    """Subclasses are accepted, by the name of the class and of its package."""
    engine = type("Engine", (), {"__module__": "engines.core"})
    require_object(type("Mine", (engine,), {})(), "engines", "Engine", "Node")
    with pytest.raises(
        ReconError, match="an object of type dict; expected Engine or Node of engines"
    ):
        require_object({}, "engines", "Engine", "Node")


def test_sizes_times_and_sums() -> None:
    """A sign is a side, a float is its shortest text, a time without a zone is UTC."""
    assert signed(-1.5) == {"side": "SELL", "quantity": 1.5}
    assert signed(3) == {"side": "BUY", "quantity": 3}
    assert total(0.1, 0.2) == Decimal("0.3")
    assert total() == 0
    assert utc(datetime(2026, 1, 5, 12)) == NOON  # noqa: DTZ001  # as engines have it
    assert utc(datetime(2026, 1, 5, 14, tzinfo=timezone(timedelta(hours=2)))) == NOON


def test_a_run_is_incomplete_until_it_is_finished(tmp_path: Path) -> None:
    """A session of two sides, named after the parts of the engine."""
    run = EngineRun(
        tmp_path / "run",
        "engine",
        heard_by="strategy",
        stated_by="broker",
        instruments={"A": paid_for("A", "USD")},
    )
    run.ledger.opening(cash={"USD": 10.5})
    run.statement.cash({"USD": 10.5})
    run.statement.positions({"A": 0})
    assert not is_clear(recorded(tmp_path / "run"))
    assert run.finish(NOON) == tmp_path / "run" / "session.recon.json"
    session = recorded(tmp_path / "run")
    assert [record.source for record in session.own_records().values()] == [
        "engine strategy",
        "engine broker",
    ]


class Executed:
    """The executions of an order, those from `p1` to `p2` not reported yet."""

    def __init__(self, executions: deque[Any], p1: int, p2: int) -> None:
        self.exbits, self.p1, self.p2 = executions, p1, p2

    @property
    def size(self) -> float:
        return float(sum(one.size for one in self.exbits))

    def iterpending(self) -> Any:
        return islice(self.exbits, self.p1, self.p2)


def broker_run(directory: Path, *, is_reported: bool) -> None:
    """A broker of plain values: 2 A bought for 10 each in two parts, fees 0.1 and 0.2."""
    data = SimpleNamespace(_name="A", _id=1)
    scheme = SimpleNamespace(stocklike=True, p=SimpleNamespace(leverage=1.0, mult=1.0))
    held = SimpleNamespace(size=0, price=0.0)
    broker = SimpleNamespace(
        getcash=lambda: 100.0,
        getposition=lambda _: held,
        getcommissioninfo=lambda _: scheme,
        p=SimpleNamespace(shortcash=True),
    )
    lines = SimpleNamespace(datetime=[3.0])
    strategy = SimpleNamespace(broker=broker, datas=[data], lines=lines)
    parts = [(1.0, 0.1, 0.0), (2.0, 0.0, 0.2)]
    executions = deque(
        SimpleNamespace(dt=dt, size=1, price=10.0, closedcomm=one, openedcomm=other)
        for dt, one, other in parts
    )
    order = SimpleNamespace(
        ref=7,
        data=data,
        executed=Executed(executions, 0, 2 if is_reported else 1),
        created=SimpleNamespace(size=2, dt=0.0),
        getstatusname=lambda: "Completed",
        getordername=lambda: "Market",
    )
    run = BrokerRun(directory, "USD", {}, lambda days: NOON + timedelta(days=days))
    run.start(strategy)
    run.hear(order)
    broker.orders = [order]
    broker.getcash = lambda: 79.7
    held.size = 2
    run.stop(strategy)


def test_what_a_broker_reports_and_has(tmp_path: Path) -> None:
    """Executions are fills; the broker states cash, positions, orders and all executions."""
    broker_run(tmp_path / "run", is_reported=True)
    session = recorded(tmp_path / "run")
    assert is_clear(session)
    assert session.internal is not None
    assert [(one.fill_id, one.fee) for one in session.internal.fills or ()] == [
        ("7.1", Decimal("0.1")),
        ("7.2", Decimal("0.2")),
    ]


def test_what_a_broker_does_not_report_is_found(tmp_path: Path) -> None:
    """The second execution is in the broker's books alone."""
    broker_run(tmp_path / "run", is_reported=False)
    (one,) = judged(recorded(tmp_path / "run"))[1]
    assert [str(cause.cause_kind) for cause in one.causes] == ["missing_fill"]


def freqtrade_strategy(**config: Any) -> Any:
    """A strategy of plain values: 1000 USDT, callbacks that count, no trade yet."""
    base = type("IStrategy", (), {"__module__": "freqtrade.strategy.interface"})
    strategy: Any = type("Mine", (base,), {})()
    usual = {"stake_currency": "USDT", "runmode": "backtest", "trading_mode": "spot"}
    strategy.config = {**usual, "exchange": {"pair_whitelist": ["A/USDT"]}, **config}
    strategy.get_strategy_name = lambda: "Mine"
    strategy.balances = {"USDT": 1000.0, "A": 0.0}
    strategy.wallets = SimpleNamespace(
        update=lambda: None, get_total=lambda name: strategy.balances[name]
    )
    strategy.called = []
    strategy.order_filled = lambda **_: strategy.called.append("order_filled")
    strategy.bot_loop_start = lambda **_: strategy.called.append("bot_loop_start")
    return strategy


def test_wallets_are_recorded_in_the_iteration_after_an_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A simulated wallet owes the entry fee of what is open; callbacks are called as before."""
    opened: list[Any] = []
    monkeypatch.setattr("recon_core.recorders.freqtrade._open_trades", lambda: opened)
    strategy = freqtrade_strategy()
    recorders.record_freqtrade(strategy, tmp_path / "run")
    strategy.bot_loop_start(current_time=NOON)
    assert not is_clear(recorded(tmp_path / "run"))
    trade = SimpleNamespace(
        entry_side="buy", fee_open=0.001, fee_close=0.001, amount=2.0, open_rate=50.0
    )
    order = SimpleNamespace(
        order_id="o1",
        ft_order_side="buy",
        safe_price=50.0,
        safe_filled=2.0,
        order_filled_utc=NOON,
    )
    strategy.order_filled(pair="A/USDT", trade=trade, order=order, current_time=NOON)
    opened.append(trade)
    strategy.balances = {"USDT": 900.0, "A": 2.0}
    strategy.bot_loop_start(current_time=NOON + timedelta(hours=1))
    session = recorded(tmp_path / "run")
    assert judged(session) == ([], ())
    assert session.external is not None
    assert session.external.as_of == NOON + timedelta(hours=1)
    assert strategy.called == ["bot_loop_start", "order_filled", "bot_loop_start"]


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"trading_mode": "futures"}, "trading_mode is not spot; expected the result"),
        ({"runmode": "live"}, "runmode is live; expected a backtest or a dry run"),
        ({"runmode": "hyperopt"}, "runmode is hyperopt; expected a backtest or a dry run"),
    ],
)
def test_a_freqtrade_run_that_is_not_modelled_is_refused(
    config: dict[str, str], message: str, tmp_path: Path
) -> None:
    """One line, when the bot starts."""
    with pytest.raises(ReconError, match=message):
        recorders.record_freqtrade(freqtrade_strategy(**config), tmp_path / "run")


def test_a_checkpoint_is_whole_and_what_follows_is_not(tmp_path: Path) -> None:
    """A row after it is not in its counts, so that nobody takes the file for the whole."""
    run = EngineRun(
        tmp_path / "run",
        "engine",
        heard_by="strategy",
        stated_by="broker",
        instruments={"A": paid_for("A", "USD")},
    )
    for side in run.sides:
        side.opening(cash={"USD": 10})
    row = {"symbol": "A", "side": "BUY", "quantity": 1, "price": 1, "time": NOON}
    run.ledger.fill(row, fill_id=1)
    run.statement.cash({"USD": 9})
    run.statement.positions({"A": 1})
    run.checkpoint(NOON)
    assert is_clear(recorded(tmp_path / "run"))
    run.ledger.fill(row, fill_id=2)
    assert not is_clear(recorded(tmp_path / "run"))
