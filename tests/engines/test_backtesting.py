"""The recorder of backtesting.py, on the real engine."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from recon_core.recorders import record_backtesting
from recon_core.values.errors import ReconError
from tests.engines.backtesting_runs import backtest, closed, data, hedged, pandas
from tests.engines.faults import is_clear, judged, named, recorded

pytestmark = pytest.mark.filterwarnings("ignore")


def test_all_trades_give_the_last_equity(tmp_path: Path) -> None:
    """Closed in parts, stopped and turned, on margin: everything agrees but dust of floats."""
    closed(tmp_path / "run")
    session = recorded(tmp_path / "run")
    assert is_clear(session)
    assert session.strategy_id == "Trader"
    assert session.internal is not None
    assert len(session.internal.fills or ()) > 100


def test_open_trades_are_entries(tmp_path: Path) -> None:
    """They have no row in the table; their entry commission is part of the equity."""
    hedged(tmp_path / "run")
    session = recorded(tmp_path / "run")
    assert is_clear(session)
    assert session.internal is not None
    exits = [fill for fill in session.internal.fills or () if "exit" in fill.fill_id]
    assert len(session.internal.fills or ()) > 2 * len(exits)


def test_equity_between_trades_is_recorded(tmp_path: Path) -> None:
    """Where nothing is open the curve is cash, and each such point agrees with the rows."""
    stats = backtest().run()
    record_backtesting(stats, tmp_path / "run")
    session = recorded(tmp_path / "run")
    assert session.external is not None
    assert len(session.external.snapshots or ()) > 3


def test_a_row_that_the_table_lacks_is_found(tmp_path: Path) -> None:
    """The statistics are of a table without it, the equity has its gain."""
    stats = backtest().run()
    lost = stats["_trades"]["PnL"].abs().idxmax()
    stats["_trades"] = stats["_trades"].drop(index=lost)
    record_backtesting(stats, tmp_path / "run")
    assert not is_clear(recorded(tmp_path / "run"))


def test_a_lost_entry_is_explained(tmp_path: Path) -> None:
    """Its size is the difference of positions, its price that of cash."""
    closed(tmp_path / "run")
    session = recorded(tmp_path / "run")
    assert session.internal is not None
    fills = list(session.internal.fills or ())
    lost = fills.pop(100)
    found = judged(replace(session, internal=replace(session.internal, fills=tuple(fills))))[1]
    assert named(found, frozenset({"missing_fill"}))
    assert any(f"{lost.side} {lost.quantity} " in one.text for one in found)


def test_a_fixed_fee_of_parts_contradicts_the_engine(tmp_path: Path) -> None:
    """The table has it for the entry of each part, the broker has charged it once."""
    stats = backtest(commission=(5, 0.0)).run()
    record_backtesting(stats, tmp_path / "run")
    assert not is_clear(recorded(tmp_path / "run"))


def test_a_formula_of_commissions(tmp_path: Path) -> None:
    """A function of size and price, which may pay a rebate."""
    stats = backtest(commission=lambda size, price: -0.0001 * abs(size) * price).run()
    record_backtesting(stats, tmp_path / "run", symbol="BTC", currency="EUR")
    session = recorded(tmp_path / "run")
    assert is_clear(session)
    assert session.internal is not None
    assert all(fill.fee < Decimal(0) for fill in session.internal.fills or ())


def test_data_without_times_are_refused(tmp_path: Path) -> None:
    """Fills without times could be booked in any order."""
    made = backtest()
    made._data = data().reset_index(drop=True)
    with pytest.raises(ReconError, match="the index is a RangeIndex; expected times, a Datetime"):
        record_backtesting(made.run(), tmp_path / "run")


@pytest.mark.parametrize("given", [None, {}, pandas.Series(dtype=float)])
def test_what_is_no_result_is_refused(given: object, tmp_path: Path) -> None:
    """The mistake is the backtest in its place, most often."""
    with pytest.raises(ReconError, match="expected the result of Backtest"):
        record_backtesting(given, tmp_path / "run")
