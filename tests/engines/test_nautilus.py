"""The recorder of nautilus_trader, on the real engine."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from recon_core.recorders import record_nautilus
from recon_core.recorders.nautilus import BusRun
from recon_core.values.errors import ReconError
from tests.engines.faults import is_clear, judged, named, recorded
from tests.engines.nautilus_runs import pair, pair_engine, perpetual, perpetual_engine, recorded_run

pytestmark = pytest.mark.filterwarnings("ignore")

EXAMPLES = Path(__file__).parents[2] / "examples" / "nautilus"
PAPER = """
import sys
from recon_core.recorders import record_nautilus
from record_paper import TestInstrumentProvider, paper_node, random_quotes

instrument = TestInstrumentProvider.ethusdt_perp_binance()
node = paper_node(instrument)
record_nautilus(node, sys.argv[1])
feed = node.get_event_loop().create_task(random_quotes(node, instrument))
node.run()
feed.result()
node.dispose()
"""


@pytest.mark.parametrize("run", [perpetual, pair])
def test_a_healthy_run_is_clear(run: Any, tmp_path: Path) -> None:
    """Every fill was heard, those of the stop too; exact amounts leave no dust."""
    run(tmp_path / "run")
    session = recorded(tmp_path / "run")
    assert judged(session) == ([], ())
    assert session.internal is not None
    assert len(session.internal.fills or ()) > 40
    assert session.external is not None
    assert session.external.orders


def test_a_node_on_paper(tmp_path: Path) -> None:
    """A trading node is recorded by the same line, when it is disposed of."""
    ended = subprocess.run(
        [sys.executable, "-c", PAPER, str(tmp_path / "run")],
        cwd=EXAMPLES,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    session = recorded(tmp_path / "run")
    assert is_clear(session)
    assert session.internal is not None
    assert session.internal.fills


def test_a_fill_that_was_never_published_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The account has it: the missing fill is named, with its order."""
    hear, heard = BusRun.hear, []

    def deaf(run: BusRun, event: Any) -> None:
        heard.append(event)
        if len(heard) != 10:
            hear(run, event)

    monkeypatch.setattr(BusRun, "hear", deaf)
    perpetual(tmp_path / "run")
    found = judged(recorded(tmp_path / "run"))[1]
    assert [str(one.verdict) for one in found] == ["unique"]
    assert named(found, frozenset({"missing_fill"}))


def test_a_reset_drops_the_run_before(tmp_path: Path) -> None:
    """The engine has lost its account by then; the next run is recorded alone, or refused.

    nautilus_trader 1.221 keeps states of the account from before the reset.
    """
    made = pair_engine()
    record_nautilus(made, tmp_path / "run")
    made.run()
    made.reset()
    assert not (tmp_path / "run").exists()
    made.run()
    try:
        made.dispose()
    except ReconError as refused:
        assert "expected an engine that was not reset between two runs" in str(refused)  # noqa: PT017
        assert not (tmp_path / "run").exists()
    else:
        assert is_clear(recorded(tmp_path / "run"))


def test_an_engine_that_never_ran_writes_nothing(tmp_path: Path) -> None:
    """There is no recording that could be taken for a clear one."""
    made = perpetual_engine()
    record_nautilus(made, tmp_path / "run")
    made.dispose()
    assert not (tmp_path / "run").exists()


def test_a_directory_in_use_is_refused_before_the_run(tmp_path: Path) -> None:
    """Hours of a backtest are not spent for nothing."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ReconError, match="already exists"):
        record_nautilus(pair_engine(), tmp_path)


def test_what_is_no_engine_is_refused(tmp_path: Path) -> None:
    """The mistake is the strategy in its place, most often."""
    with pytest.raises(ReconError, match="of type dict; expected BacktestEngine or TradingNode"):
        record_nautilus({}, tmp_path / "run")


def test_one_line_records_both(tmp_path: Path) -> None:
    """Two engines in one process have a recording each."""
    for name in ("one", "two"):
        recorded_run(pair_engine(), tmp_path / name)
        assert is_clear(recorded(tmp_path / name))
