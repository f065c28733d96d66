"""A session file may take each side from another source, and says what it read."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from recon_core.engine.reconciliation import reconcile_session
from recon_core.model import Numbers
from recon_core.sessions import read_session

from .builders import AS_OF_TEXT, checks, document, source, write_session
from .recordings import DATA, states, writable_copy
from .refusals import refusal

ROOT = Path(__file__).parents[2]
NAUTILUS = DATA / "nautilus" / "spot_btcusdt_quotes_partial"
BOT = DATA / "freqtrade" / "dry_spot_dca"


def session(directory: Path, **sides: Any) -> Path:
    return write_session(directory, document(**sides), "taken.recon.json")


@pytest.mark.parametrize("place", ["bot", "bot/tradesv3.dryrun.sqlite"])
def test_both_sides_of_one_recording_give_its_verdicts(tmp_path: Path, place: str) -> None:
    """Taken apart and put together again, by the directory or by the file."""
    writable_copy(BOT, tmp_path / "bot")
    path = session(
        tmp_path, internal=source("freqtrade", place), external=source("freqtrade", place)
    )
    expected = reconcile_session(BOT / "tradesv3.dryrun.sqlite")
    found = reconcile_session(path)
    assert states(found) == states(expected)
    assert set(checks(found).values()) == {"match"}
    assert [note.partition(":")[0] for note in found.notes] == ["internal", "external"]


def test_a_ledger_of_one_system_meets_the_report_of_another(tmp_path: Path) -> None:
    """The external side's instruments come along; each side keeps its own numbers."""
    shutil.copytree(NAUTILUS, tmp_path / "run")
    writable_copy(BOT, tmp_path / "bot")
    path = session(
        tmp_path,
        internal=source("nautilus", "run", side="external"),
        external=source("freqtrade", "bot", side="external"),
    )
    recorded = read_session(path)
    assert recorded.internal is not None
    assert recorded.external is not None
    assert (recorded.internal.numbers, recorded.external.numbers) == (
        Numbers.DECIMAL,
        Numbers.FLOAT,
    )
    assert set(recorded.instruments) >= {"BTCUSDT.BINANCE", "BTC/USDT"}
    found = states(reconcile_session(path))
    assert set(found) >= {"cash::BTC", "cash::USDT", "position::BTCUSDT.BINANCE"}


def test_every_file_is_evidence_under_its_own_path(tmp_path: Path) -> None:
    """Two recordings with files of equal names stay two in the evidence."""
    for name in ("first", "second"):
        shutil.copytree(NAUTILUS, tmp_path / name)
    with (tmp_path / "second" / "fills.csv").open("a") as fills:
        fills.write("\n")
    sides = {"internal": source("nautilus", "first"), "external": source("nautilus", "second/")}
    inputs = reconcile_session(session(tmp_path, **sides)).summary().evidence["inputs"]
    assert isinstance(inputs, dict)
    names = [
        "taken.recon.json",
        *(
            f"{run}/{name}"
            for run in ("first", "second")
            for name in ("meta.json", "instruments.json", "account_BINANCE.csv")
        ),
        *(
            f"{run}/{name}.csv"
            for run in ("first", "second")
            for name in ("fills", "orders", "positions")
        ),
    ]
    assert inputs == {
        name: hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() for name in names
    }


def test_evidence_has_its_path_as_seen_from_the_session(tmp_path: Path) -> None:
    """A recording beside the session has none before its name, one further down all of it."""
    shutil.copytree(NAUTILUS, tmp_path, dirs_exist_ok=True)
    shutil.copytree(NAUTILUS, tmp_path / "runs" / "monday")
    sides = {
        "internal": source("nautilus", "."),
        "external": source("nautilus", "runs/monday"),
    }
    inputs = reconcile_session(session(tmp_path, **sides)).summary().evidence["inputs"]
    assert isinstance(inputs, dict)
    assert {"fills.csv", "runs/monday/fills.csv"} <= set(inputs)


REFUSED = {
    "another format": (source("freqtrade", "run"), "'run' is no recording of format 'freqtrade'"),
    "an unknown format": (source("zipline", "run"), "no recording of format 'zipline'"),
    "a near format": (source("nautilu", "run"), "of format 'nautilu'; did you mean nautilus?"),
    "a near statement": (source("kraken_ledger", "run"), "; did you mean kraken_ledgers?"),
    "a format that a folder has not": (
        source("freqtrade", "runs/monday"),
        "'runs/monday' is no recording of format 'freqtrade'",
    ),
    "a path that leads out": (source("nautilus", "../run"), "leads out of the session's directory"),
    "an absolute path": (source("ccxt", "/etc/passwd"), "leads out of the session's directory"),
    "a time for a recording": (
        source("nautilus", "run", as_of=AS_OF_TEXT),
        "as_of: a nautilus recording has one",
    ),
    "no such mapping": (source("table", "map.toml"), "map.toml: cannot be read"),
    "no such results": (source("ccxt", "gone"), "gone: cannot be read"),
    "a side that is not there": (
        source("freqtrade", "bot", side="external"),
        "the recording has no external side",
    ),
}


@pytest.mark.parametrize(("side", "expected"), REFUSED.values(), ids=REFUSED)
def test_a_source_that_is_refused(tmp_path: Path, side: dict[str, Any], expected: str) -> None:
    """One line that names the session file, the side and the path."""
    for place in ("run", "runs/monday"):
        shutil.copytree(NAUTILUS, tmp_path / place)
    (writable_copy(BOT, tmp_path / "bot") / "rpc_balance.json").unlink()
    message = refusal(session(tmp_path, external=side))
    assert "taken.recon.json: external.from: " in message
    assert expected in message


def test_the_nautilus_example_records_while_it_runs(tmp_path: Path) -> None:
    """Fill by fill, by a strategy of nautilus_trader; the account agrees in the end."""
    pytest.importorskip("nautilus_trader")
    script = ROOT / "examples" / "nautilus" / "record_while_running.py"
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path / "run")],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert set(checks(reconcile_session(tmp_path / "run")).values()) == {"match"}
    assert json.loads((tmp_path / "run" / "session.recon.json").read_text())["internal"]["counts"]
