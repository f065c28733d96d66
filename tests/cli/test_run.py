"""`recon run` before it asks anybody: its usage, and what a user lacks.

The command as a whole, on the real ccxt, is the subject of tests/snapshot.
"""

import json
from pathlib import Path

import pytest

from recon_core.audit.alerts import delivery
from recon_core.snapshot import exchange as exchanges

from .conftest import Recon, write_session

RUN = ("run", "binance", "day.recon.json", "--account", "paper")
PLACE = {"from": {"format": "ccxt", "path": "account/coverage.json"}}

WRONG: dict[str, tuple[list[str], str]] = {
    "no account": (["run", "binance", "day.recon.json"], "Missing option '--account'"),
    "no session": (["run", "binance"], "Missing argument 'SESSION'"),
    "a pause without unit": ([*RUN, "--pause", "30"], "expected a time such as 30s or 2m"),
    "no look": ([*RUN, "--looks", "0"], "--looks"),
    "alerts without a log": ([*RUN, "--alert", "PAGER"], "--alert: what was sent is kept in an"),
    "no such session": (["run", "binance", "gone", "--account", "a"], "gone"),
    "several sessions": (["run", "binance", ".", "--account", "a"], "names several sessions"),
}


@pytest.fixture(autouse=True)
def session(directory: Path) -> Path:
    """A session that takes its external side from a snapshot, and another one."""
    write_session(directory / "other.recon.json")
    return write_session(directory / "day.recon.json", external=PLACE)


@pytest.mark.parametrize(("words", "part"), WRONG.values(), ids=WRONG)
def test_wrong_usage_is_one_line(recon: Recon, words: list[str], part: str) -> None:
    """With status 64, and no directory is made."""
    recon(*words).refused(64, part)
    assert not Path("account").exists()


OTHER: dict[str, tuple[dict[str, object], str]] = {
    "its own rows": ({}, "external: is no snapshot; expected"),
    "another format": (
        {"external": {"from": {"format": "table", "path": "a.csv"}}},
        '{"from": {"format": "ccxt", "path": "account/coverage.json"}}',
    ),
    "a place outside": (
        {"external": {"from": {"format": "ccxt", "path": "../account"}}},
        "external.from: path '../account' leads out of the session's directory",
    ),
}


@pytest.mark.parametrize(("changes", "part"), OTHER.values(), ids=OTHER)
def test_a_session_names_its_snapshot(
    recon: Recon, session: Path, changes: dict[str, object], part: str
) -> None:
    """It is said how, and nothing is asked for."""
    write_session(session, **changes)
    recon(*RUN).refused(1, "day.recon.json: external", part)


def test_without_an_extra_a_line_says_what_to_install(
    recon: Recon, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything is asked for, that of alerts too."""
    monkeypatch.setattr(exchanges, "find_spec", lambda _: None)
    recon(*RUN).refused(1, "pip install 'pytest-recon[exchange]'")
    monkeypatch.setattr(delivery, "find_spec", lambda _: None)
    alerted = recon(*RUN, "--alert", "PAGER", "--audit-log", "audit.jsonl")
    alerted.refused(1, "pip install 'pytest-recon[alerts]'")
    assert not Path("account").exists()
    assert not Path("audit.jsonl").exists()


def test_a_target_that_is_not_set_is_one_line(
    recon: Recon, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cron job without its variable does not find that out when it has something to say."""
    pytest.importorskip("apprise", reason="apprise, of the extra alerts, is not installed")
    monkeypatch.delenv("PAGER", raising=False)
    alerted = recon(*RUN, "--alert", "PAGER", "--audit-log", "audit.jsonl")
    alerted.refused(1, "PAGER: is not set")


def test_reports_of_an_earlier_run_are_withdrawn(recon: Recon, session: Path) -> None:
    """Whatever ends the command, as in recon check."""
    recon("check", "other.recon.json", "--report", "json:run.json")
    report = session.with_name("run.json")
    assert json.loads(report.read_text())["verdict"] == "CLEAR"
    assert recon(*RUN, "--report", "json:run.json", "--pause", "soon").code == 64
    assert json.loads(report.read_text())["verdict"] != "CLEAR"
