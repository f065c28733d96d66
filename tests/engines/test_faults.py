"""Every kind of fault of a ledger, in a session of every engine."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from recon_core.model import RecordedSession
from recon_core.values.severity import Severity
from tests.engines import (
    backtesting_runs,
    backtrader_runs,
    ccxt_runs,
    freqtrade_runs,
    nautilus_runs,
    vectorbt_runs,
)
from tests.engines.faults import FAULTS, judged, named, recorded, wrongly_proven

pytestmark = pytest.mark.filterwarnings("ignore")

RUNS: dict[str, Callable[[Path], object]] = {
    "backtrader, stocks": backtrader_runs.stocks,
    "backtrader, futures": backtrader_runs.futures,
    "backtesting.py": backtesting_runs.closed,
    "backtesting.py, open trades": backtesting_runs.hedged,
    "a bot on ccxt": ccxt_runs.market_orders,
    "freqtrade": freqtrade_runs.spot,
    "nautilus_trader, perpetual": nautilus_runs.perpetual,
    "nautilus_trader, cash account": nautilus_runs.pair,
    "vectorbt, shared cash": vectorbt_runs.shared,
    "vectorbt, two accounts": vectorbt_runs.separate,
}
"""A run of an engine, which records itself into a directory."""

UNNAMED = {
    ("backtesting.py, open trades", "a price of 1 % more"),
    ("a bot on ccxt", "an opening of 1000 more"),
    ("freqtrade", "three quarters of all fees"),
    ("nautilus_trader, perpetual", "an opening of 1000 more"),
    ("nautilus_trader, cash account", "an opening of 1000 more"),
    ("vectorbt, two accounts", "a price of 1 % more"),
    ("vectorbt, two accounts", "three quarters of all fees"),
}
"""Runs and faults that are found, and of which the data do not say what they are."""


@pytest.fixture(scope="session")
def session_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], RecordedSession]:
    """The session of a run, which is recorded once."""

    @cache
    def made(run: str) -> RecordedSession:
        directory = tmp_path_factory.mktemp("engine") / "run"
        RUNS[run](directory)
        return recorded(directory)

    return made


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("run", RUNS)
def test_a_fault_is_found_and_named(
    run: str, fault: str, session_of: Callable[[str], RecordedSession]
) -> None:
    """It is a WARN or a FAIL; its kind is among the explanations, and no other one is proven."""
    right, put = FAULTS[fault]
    severities, found = judged(put(session_of(run)))
    assert max(one.rank for one in severities) >= Severity.WARN.rank
    assert wrongly_proven(found, right) == []
    assert named(found, right) is ((run, fault) not in UNNAMED), found
