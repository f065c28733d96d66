"""The recorder of freqtrade, by the command of the real one."""

from pathlib import Path

from tests.engines.faults import is_clear, judged, named, recorded
from tests.engines.freqtrade_runs import backtest, spot


def test_wallets_have_what_the_callbacks_brought(tmp_path: Path) -> None:
    """Entries in parts and exits in parts; profits of 8 decimals leave dust."""
    spot(tmp_path / "run")
    session = recorded(tmp_path / "run")
    assert is_clear(session)
    assert session.strategy_id == "Trader"
    assert session.internal is not None
    assert len(session.internal.fills or ()) > 150
    assert session.external is not None
    assert session.internal.as_of == session.external.as_of


def test_an_order_that_was_never_heard_of_is_found(tmp_path: Path) -> None:
    """The wallets have it: the missing fill is named."""
    ended = backtest(tmp_path / "run", "Deaf")
    assert ended.returncode == 0, ended.stderr
    session = recorded(tmp_path / "run")
    assert not is_clear(session)
    assert named(judged(session)[1], frozenset({"missing_fill"}))


def test_a_directory_in_use_stops_the_run(tmp_path: Path) -> None:
    """A second backtest into it is refused, with the reason in freqtrade's log."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "file").write_text("")
    ended = backtest(tmp_path / "run")
    assert ended.returncode != 0
    assert "is not empty; expected a new directory" in ended.stdout + ended.stderr
