"""`recon snapshot` as a user types it, on the real ccxt and a server of this machine."""

import json
from pathlib import Path

import pytest

from recon_core.cli import main
from tests.servers.binance import Account, Reply, serving, settings_of
from tests.snapshot.accounts import KEYS, account, recorded, session_of

pytest.importorskip("ccxt", reason="needs the extra exchange: make exchange")

WORDS = ["snapshot", "binance", "--account", "paper", "--settings", "ccxt.json", "-o", "account"]


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with the session of a ledger, and the keys of an account."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pytest.ini").write_text("")
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    session_of(tmp_path, recorded(account(1), ("BTC/USDT",))[0])
    for path in (tmp_path / "account").iterdir():
        path.unlink()
    (tmp_path / "account").rmdir()
    return tmp_path


def snapshot(given: Account, *words: str) -> int:
    """Type the command while an account is served; returns its status."""
    with serving(given) as address:
        Path("ccxt.json").write_text(json.dumps(settings_of(address)))
        with pytest.raises(SystemExit) as ending:
            main([*WORDS, *words])
    return int(ending.value.code or 0)


def check() -> int:
    """Type `recon check` on the session; returns its status."""
    with pytest.raises(SystemExit) as ending:
        main(["check", "day.recon.json"])
    return int(ending.value.code or 0)


def test_a_session_is_judged_against_its_snapshot(capsys: pytest.CaptureFixture[str]) -> None:
    """Its symbols and its start are asked for; the snapshot need not be there before."""
    assert snapshot(account(), "--for", "day.recon.json") == 0
    assert "account: " in capsys.readouterr().out
    manifest = json.loads(Path("account/coverage.json").read_text())
    assert manifest["symbols"] == ["BTC/USDT"]
    assert check() == 0
    assert "RECON: CLEAR" in capsys.readouterr().out


def test_what_is_not_covered_is_red_in_both_commands(capsys: pytest.CaptureFixture[str]) -> None:
    """Status 2 and the cause by its name; the next snapshot, which is whole, is green again."""
    given = account()
    given.faults.append(lambda name, *_: Reply({}, 403) if name == "myTrades" else None)
    assert snapshot(given, "--for", "day.recon.json") == 2
    assert "CRITICAL  my trades of BTC/USDT: page 1: " in capsys.readouterr().err
    assert check() == 2
    shown = " ".join(capsys.readouterr().out.split())
    assert "does not cover my trades of BTC/USDT: page 1" in shown
    assert snapshot(account(), "--for", "day.recon.json") == 0
    assert check() == 0


def test_named_symbols_and_times_win_over_the_session() -> None:
    """They are asked for in its place."""
    start = "2026-01-01T00:00:00Z"
    words = ("--symbol", "ETH/USDT", "--for", "day.recon.json")
    assert snapshot(account(), *words) == 0
    manifest = json.loads(Path("account/coverage.json").read_text())
    assert manifest["symbols"] == ["ETH/USDT"]
    assert manifest["since"] > start


def test_a_named_time_leaves_the_symbols_to_the_session() -> None:
    """Each of both is taken from it where it is not named."""
    start = "2026-01-01T00:00:00Z"
    assert snapshot(account(), "--since", start, "--for", "day.recon.json") == 0
    manifest = json.loads(Path("account/coverage.json").read_text())
    assert manifest["symbols"] == ["BTC/USDT"]
    assert manifest["since"] == start


def test_an_unknown_symbol_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """With the nearest, and what is left of the snapshot is not taken for an account."""
    assert snapshot(account(), "--symbol", "BTC/USDX", "--for", "day.recon.json") == 1
    assert "'BTC/USDX' is no symbol of binance; did you mean BTC/USDT?" in capsys.readouterr().err
    assert check() != 0
