"""The recorder of backtrader, on the real engine."""

import json
from pathlib import Path
from typing import Any

import pytest

from recon_core.model import RecordedSession
from recon_core.recorders import record_backtrader
from recon_core.values.errors import ReconError
from tests.engines.backtrader_runs import Trader, bt, cerebro, futures, stocks
from tests.engines.faults import is_clear, judged, recorded, wrongly_proven


def test_stocks_are_positions_and_cash_moves_by_their_worth(tmp_path: Path) -> None:
    """Fractions, long and short, filled in parts: everything agrees but dust of floats."""
    stocks(tmp_path / "run")
    session = recorded(tmp_path / "run")
    assert is_clear(session)
    assert session.internal is not None
    fills = session.internal.fills or ()
    orders = {fill.exchange_order_id for fill in fills}
    assert len(orders) > 50
    assert len(fills) > 2 * len(orders)
    assert {str(fill.side) for fill in fills} == {"BUY", "SELL"}


def test_margins_and_daily_gains_of_futures_are_cash(tmp_path: Path) -> None:
    """The broker sets margins aside and books gains after each bar; open contracts have a mark."""
    futures(tmp_path / "run")
    session = recorded(tmp_path / "run")
    assert is_clear(session)
    assert session.external is not None
    (cash,) = session.external.cash or ()
    assert cash.free is not None
    assert cash.total - cash.free == 20 * sum(
        abs(row.quantity) for row in session.external.positions or ()
    )


@pytest.mark.parametrize("is_in_commission", [True, False])
def test_interest_is_a_cost(tmp_path: Path, is_in_commission: bool) -> None:  # noqa: FBT001
    """Interest of what is open is a movement; the broker charges it with closing commissions."""
    made = cerebro(interest=0.3, interest_long=True)
    made.broker.set_int2pnl(is_in_commission)
    record_backtrader(made, tmp_path / "run")
    made.run()
    session = recorded(tmp_path / "run")
    assert is_clear(session)
    assert session.internal is not None
    charged = sum(row.amount or 0 for row in session.internal.movements or ())
    assert bool(charged) is not is_in_commission  # all is closed at the end


def test_strategies_share_one_recording(tmp_path: Path) -> None:
    """Each hears of its own orders; together they account for the broker's one position."""
    made = cerebro({"seed": 1}, {"seed": 2})
    record_backtrader(made, tmp_path / "run")
    made.run()
    assert is_clear(recorded(tmp_path / "run"))


class Deaf(Trader):
    """A strategy that one execution is never reported to."""

    def __init__(self) -> None:
        super().__init__()
        self.left = 50

    def _addnotification(self, order: Any, **how: Any) -> None:
        self.left -= bool(order.executed.getpending())
        if self.left or not order.executed.getpending():
            super()._addnotification(order, **how)


def cerebro_of(strategy: type[Any]) -> Any:
    """A cerebro that trades by a strategy of the test."""
    made = cerebro()
    made.strats.clear()
    made.addstrategy(strategy)
    return made


def test_an_execution_that_was_never_heard_of_is_found(tmp_path: Path) -> None:
    """The broker booked it and told nobody: the missing fill is named, with its order."""
    made = cerebro_of(Deaf)
    record_backtrader(made, tmp_path / "run")
    made.run()
    session = recorded(tmp_path / "run")
    assert not is_clear(session)
    (one,) = judged(session)[1]
    assert (str(one.verdict), [str(cause.cause_kind) for cause in one.causes]) == (
        "unique",
        ["missing_fill"],
    )


def test_a_deposit_during_the_run_is_a_difference_of_the_broker(tmp_path: Path) -> None:
    """No strategy hears of it and no row has it: cash is off by it, on both sides' rows."""

    class Depositing(Trader):
        """A strategy that pays in."""

        def next(self) -> None:
            super().next()
            if len(self) == 150:
                self.broker.add_cash(1000)

    made = cerebro_of(Depositing)
    record_backtrader(made, tmp_path / "run")
    made.run()
    session = recorded(tmp_path / "run")
    assert not is_clear(session)
    assert wrongly_proven(judged(session)[1], frozenset({"missing_movement"})) == []


def test_a_run_that_crashes_is_never_complete(tmp_path: Path) -> None:
    """What was heard up to then is on disk, and the gate is red."""

    class Crashing(Trader):
        """A strategy with a bug."""

        def next(self) -> None:
            super().next()
            if len(self) == 200:
                raise ZeroDivisionError

    made = cerebro_of(Crashing)
    record_backtrader(made, tmp_path / "run")
    with pytest.raises(ZeroDivisionError):
        made.run()
    session: RecordedSession = recorded(tmp_path / "run")
    assert session.internal is not None
    assert session.internal.fills
    assert not is_clear(session)
    document = json.loads((tmp_path / "run" / "session.recon.json").read_text())
    assert document["internal"]["complete"] is False


@pytest.mark.parametrize(
    ("scheme", "message"),
    [
        ({"leverage": 2.0}, "feed A: a stock with leverage=2.0 cannot be replayed; "),
        ({"mult": 10.0}, "feed A: a stock with mult=10.0 cannot be replayed; "),
    ],
)
def test_a_scheme_that_cannot_be_replayed_is_refused(
    tmp_path: Path, scheme: dict[str, float], message: str
) -> None:
    """One line says which feed and which setting, before anything was traded."""
    made = cerebro(**scheme)
    record_backtrader(made, tmp_path / "run")
    with pytest.raises(ReconError, match=message):
        made.run()
    assert not (tmp_path / "run").exists()


def test_feeds_of_one_name_are_two_symbols(tmp_path: Path) -> None:
    """The broker has a position for each feed, whatever their names are."""
    made = cerebro()
    for data in made.datas:
        data._name = "A"
    record_backtrader(made, tmp_path / "run")
    made.run()
    session = recorded(tmp_path / "run")
    assert sorted(session.instruments) == ["A", "A.2"]
    assert is_clear(session)


def test_what_is_no_cerebro_is_refused() -> None:
    """The mistake is a strategy in its place, most often."""
    with pytest.raises(ReconError, match="of type MetaStrategy; expected Cerebro of back"):
        record_backtrader(bt.Strategy, "run")
