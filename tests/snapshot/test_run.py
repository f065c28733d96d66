"""`recon run` as cron types it: findings are confirmed by a second look at a real server."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from recon_core.audit.log_lock import locked
from recon_core.cli import main
from recon_core.cli import run as command
from tests.servers.binance import Account, Reply, serving, settings_of
from tests.servers.http import http_server
from tests.snapshot.accounts import KEYS, account, recorded, session_of

pytest.importorskip("ccxt", reason="needs the extra exchange: make exchange")
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

WORDS = ["run", "binance", "day.recon.json", "--account", "paper", "--settings", "ccxt.json"]
LOGGED = ("--audit-log", "audit.jsonl")
Printed = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with the ledger of seven trades, and the keys of an account."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pytest.ini").write_text("")
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    session = session_of(tmp_path, recorded(account(1), ("BTC/USDT",))[0])
    document = json.loads(session.read_text())
    document["external"]["from"]["path"] = "account/coverage.json"
    session.write_text(json.dumps(document))
    return tmp_path


def run(given: Account, *words: str, pause: str = "0s") -> int:
    """Type the command while an account is served; returns its status."""
    with serving(given) as address:
        Path("ccxt.json").write_text(json.dumps(settings_of(address)))
        with pytest.raises(SystemExit) as ending:
            main([*WORDS, "--pause", pause, *words])
    return int(ending.value.code or 0)


def balances(*looks: dict[str, str] | None) -> Account:
    """An account whose balances are other ones in some looks; `None` is an outage."""
    given = account()

    def fault(name: str, _number: int, _given: dict[str, str]) -> Reply | None:
        look = (given.counts["time"] + 1) // 2
        if name != "account" or look > len(looks):
            return None
        other = looks[look - 1]
        if other is None:
            return Reply({"code": -1002, "msg": "You are not authorized"}, 401)
        rows = [{**row, "free": other.get(row["asset"], row["free"])} for row in given.balances]
        return Reply({"updateTime": 1, "balances": rows})

    given.faults.append(fault)
    return given


def logged() -> list[tuple[str, str]]:
    """Key and severity of each difference in the audit log."""
    entries = [json.loads(line) for line in Path("audit.jsonl").read_text().splitlines()]
    diffs = [each["details"] for each in entries if each["event_type"] == "RECON_DIFF"]
    return [(each["key"], each["severity"]) for each in diffs]


LOSS = {"BTC": "6"}
CASES: dict[str, tuple[Account, int, int, str]] = {
    "clear": (account(), 0, 1, "RECON: CLEAR"),
    "a loss in both looks": (balances(LOSS, LOSS), 2, 2, "RECON: BLOCKED"),
    "a loss that is smaller": (balances(LOSS, {"BTC": "6.5"}), 2, 2, "RECON: BLOCKED"),
    "a loss that is gone": (
        balances(LOSS),
        0,
        2,
        "2 looks at the account; cleared since an earlier one: cash BTC",
    ),
    "another one in each look": (
        balances(LOSS, {"USDT": "1"}, {"BNB": "9"}),
        1,
        3,
        "not confirmed, in the last look only: cash BNB",
    ),
    "one that turns": (balances(LOSS, {"BTC": "8"}, LOSS), 1, 3, "RECON: INCOMPLETE"),
    "an outage that is over": (
        balances(None),
        0,
        2,
        "cleared since an earlier one: session complete",
    ),
    "an outage that stays": (balances(None, None), 2, 2, "does not cover balance: page 1"),
    "an outage between two losses": (balances(LOSS, None, LOSS), 2, 3, "RECON: BLOCKED (1 FAIL"),
    "an outage at the end": (balances(LOSS, {"BTC": "8"}, None), 2, 3, "BLOCKED (1 CRITICAL"),
}


@pytest.mark.parametrize("name", CASES)
def test_a_finding_is_what_two_looks_have(name: str, capsys: Printed) -> None:
    """A loss that stays blocks, one that goes does not, and what is not confirmed is said."""
    given, status, looks, text = CASES[name]
    given.counts.clear()
    assert run(given, *LOGGED) == status
    assert text in " ".join(capsys.readouterr().out.split())
    assert given.counts["time"] == 2 * looks
    assert Path("audit.jsonl").read_text().count('"RECON_SUMMARY"') == 1


def test_what_is_not_confirmed_is_in_the_log_as_info(capsys: Printed) -> None:
    """With its severity in its text, and the run says why it is no verdict."""
    assert run(balances(LOSS, {"USDT": "1"}, {"BNB": "9"}), *LOGGED, "--format", "json") == 1
    assert logged() == [("BNB", "INFO")]
    answer = json.loads(capsys.readouterr().out)
    assert answer["verdict"] == "INCOMPLETE"
    assert answer["problems"] == ["not confirmed, in the last look only: cash BNB"]
    found = answer["sessions"][0]["summary"]["top_diffs"][0]
    assert (found["softened_by"], found["severity"]) == ("one look only", "INFO")


def test_one_look_is_the_gate_alone(capsys: Printed) -> None:
    """Its findings are those of recon check, with nothing to confirm them."""
    assert run(balances(LOSS), "--looks", "1", *LOGGED) == 2
    assert "looks at the account" not in capsys.readouterr().out
    assert ("BTC", "FAIL") in logged()


def test_the_ledger_is_read_again_for_each_look() -> None:
    """A ledger that was behind in the first look is no finding."""
    session = Path("day.recon.json")
    whole = json.loads(session.read_text())
    behind = json.loads(session.read_text())
    behind["internal"]["cash"]["BTC"] = "6"
    session.write_text(json.dumps(behind))
    given = account()

    def fault(name: str, number: int, _given: dict[str, str]) -> None:
        if (name, number) == ("account", 2):
            session.write_text(json.dumps(whole))

    given.faults.append(fault)
    assert run(given) == 0


def interrupted_in_the_pause(given: Account, monkeypatch: pytest.MonkeyPatch) -> Account:
    """Press Ctrl-C while the command waits."""

    def interrupt(_seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "time", SimpleNamespace(sleep=interrupt))
    return given


def interrupted_while_asking(given: Account, _: pytest.MonkeyPatch) -> Account:
    """Press Ctrl-C while the exchange answers for the second time."""

    def fault(name: str, number: int, _given: dict[str, str]) -> None:
        if (name, number) == ("account", 2):
            os.kill(os.getpid(), signal.SIGINT)

    given.faults.append(fault)
    return given


@pytest.fixture
def _heard() -> Iterator[None]:
    """Hear Ctrl-C also where a shell has started the tests in the background, without it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_heard")
@pytest.mark.parametrize("interrupt", [interrupted_in_the_pause, interrupted_while_asking])
def test_ctrl_c_leaves_nothing_that_is_taken_for_a_run(
    interrupt: Callable[..., Account], monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    """No entry, a report that fails, one line; a snapshot is whole or refused."""
    given = interrupt(balances(LOSS), monkeypatch)
    assert run(given, *LOGGED, "--report", "json:run.json") == 130
    assert "recon: interrupted: no answer\n" in capsys.readouterr().err
    assert not Path("audit.jsonl").exists()
    assert json.loads(Path("run.json").read_text())["verdict"] == "INCOMPLETE"
    manifest = json.loads(Path("account/coverage.json").read_text())
    assert manifest["complete"] == (interrupt is interrupted_in_the_pause)
    with pytest.raises(SystemExit) as ending:
        main(["check", "day.recon.json"])
    assert ending.value.code == (2 if manifest["complete"] else 1)


def test_findings_are_alerted_once_they_are_confirmed(
    monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    """One message for what two looks have, none for what is gone, one when it is over."""
    pytest.importorskip("apprise", reason="apprise, of the extra alerts, is not installed")
    with http_server() as server:
        monkeypatch.setenv("PAGER", f"json://{server.address}")
        words = (*LOGGED, "--alert", "PAGER")
        assert run(balances({"BNB": "9"}), *words) == 0
        assert server.bodies == []
        assert run(balances(LOSS, LOSS), *words) == 2
        assert "new FAIL day cash BTC +1 BTC" in server.bodies[0]["message"]
        capsys.readouterr()
        assert run(account(), *words, "--format", "json") == 0
        assert "resolved day cash BTC" in server.bodies[1]["message"]
        printed = capsys.readouterr()
        assert json.loads(printed.out)["verdict"] == "CLEAR"
        assert printed.err == "recon: PAGER: 1 resolved\n"
        server.status = 500
        assert run(balances(LOSS, LOSS), *words) == 2
        assert "recon: PAGER: was not delivered: answer 500" in capsys.readouterr().err


def test_an_account_that_does_not_hold_still_is_alerted_as_that(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The run is incomplete, which is no difference; the next clear one is its end."""
    pytest.importorskip("apprise", reason="apprise, of the extra alerts, is not installed")
    with http_server() as server:
        monkeypatch.setenv("PAGER", f"json://{server.address}")
        words = (*LOGGED, "--alert", "PAGER")
        assert run(balances(LOSS, {"USDT": "1"}, {"BNB": "9"}), *words) == 1
        assert run(account(), *words) == 0
    first, second = (body["message"] for body in server.bodies)
    assert first.startswith("new FAIL day run incomplete: ")
    assert "not confirmed, in the last look only: cash BNB" in first
    assert "\n" not in first
    assert second == "resolved day run incomplete"


def test_two_runs_of_one_account_are_not_at_the_same_time(capsys: Printed) -> None:
    """The second one of a cron job that overlaps ends with a line, and touches nothing."""
    before = sorted(path.name for path in Path("account").iterdir())
    with locked(Path("account").absolute(), 0):
        assert run(account()) == 1
    assert capsys.readouterr().err == "recon: account: another process has held the lock\n"
    assert sorted(path.name for path in Path("account").iterdir()) == before
