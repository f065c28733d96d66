"""Recordings and statements of every kind through the gate: a FAIL in them never ends 0."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from recon_core.sessions.formats.shipped import sample_of

from .conftest import final_line, run_pytest

DATA = Path(__file__).parents[1] / "data"
LEAN = DATA / "lean" / "backtest_long"


def lean(directory: Path) -> None:
    """A result of LEAN whose events lack a fill."""
    events = json.loads((LEAN / "1700000001-order-events.json").read_text())
    kept = [one for one in events if one["fillPrice"] != 48.25]
    (directory / "1700000001-order-events.json").write_text(json.dumps(kept))
    (directory / "1700000001.json").write_bytes((LEAN / "1700000001.json").read_bytes())


def freqtrade(directory: Path) -> None:
    """A plain result of freqtrade with another final balance than its trade gives."""
    trade = {"pair": "A/B", "fee_open": 0.001, "fee_close": 0.001, "is_open": False, "amount": 1.0}
    trade |= {"open_rate": 2.0, "close_rate": 2.0}
    trade |= {"open_timestamp": 1640995200000, "close_timestamp": 1640995260000}
    result = {"trades": [trade], "stake_currency": "B", "starting_balance": 10}
    document = {"strategy": {"S": result | {"final_balance": 9.5}}}
    (directory / "backtest-result.json").write_text(json.dumps(document))


def statement(directory: Path) -> None:
    """A statement with a fill that the ledger does not have."""
    file, content = sample_of("kraken_trades")
    (directory / file).write_bytes(content)
    external = {"from": {"format": "kraken_trades", "path": file}}
    ledger = {"as_of": "2026-03-02T10:20:00Z", "fills": []}
    session = {"schema": "recon.session/1", "session_id": "s", "external": external}
    (directory / "s.recon.json").write_text(json.dumps(session | {"internal": ledger}))


def damaged_statement(directory: Path) -> None:
    """A statement that was cut."""
    statement(directory)
    path = directory / "kraken_trades.csv"
    path.write_bytes(path.read_bytes()[:-30])


MAKERS = [lean, freqtrade, statement, damaged_statement]
ROUTES: dict[str, tuple[str, ...]] = {
    "plain": (),
    "keyword": ("-k", "as-of"),
    "marker": ("-m", "slow"),
    "collect only": ("--co",),
}


@pytest.mark.parametrize("words", ROUTES.values(), ids=ROUTES)
@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_a_fault_in_a_file_of_another_system_never_ends_0(
    pytester: pytest.Pytester, make: Callable[[Path], None], words: tuple[str, ...]
) -> None:
    """By whatever route the run is taken, a directory that holds it is not clear."""
    make(pytester.mkdir("s"))
    result = run_pytest(pytester, "--recon-session=s", *words)
    assert result.ret != 0
    line = final_line(result)
    assert line.startswith(("RECON: BLOCKED", "RECON: INCOMPLETE")), line


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_the_processes_of_a_run_agree(
    pytester: pytest.Pytester, make: Callable[[Path], None]
) -> None:
    """The last line is the same in one process and in two."""
    make(pytester.mkdir("s"))
    one = run_pytest(pytester, "--recon-session=s")
    two = run_pytest(pytester, "-q", "--recon-session=s", "-n2")
    assert final_line(one) == final_line(two)
