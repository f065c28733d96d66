"""`recon mutate`: the table, the lines that let faults pass, the share that is caught."""

import json
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click import style

from recon_core import hookimpl
from recon_core.plugins.manager import extension_manager
from recon_core.policy.waivers import today

from .conftest import CLEAR_LINE, EXAMPLES, Recon, write_session

REPLAYED = EXAMPLES / "suite/clear/replayed.recon.json"
FAST = ("--explain", "off")


@pytest.fixture
def clear(directory: Path) -> Path:
    """A session of two equal statements."""
    return write_session(directory / "day.recon.json")


def passing(answer: Any) -> dict[str, list[str]]:
    """What passes by each reason, as printed on a wide screen."""
    found: dict[str, list[str]] = {}
    for line in answer.lines:
        if line.startswith("  passes by  "):
            below = found.setdefault(line.removeprefix("  passes by  "), [])
        elif line.startswith("    "):
            below.append(line.strip())
    return found


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """A screen on which no line is wrapped."""
    monkeypatch.setenv("COLUMNS", "200")


def test_the_table_names_the_smallest_that_is_caught(recon: Recon, clear: Path) -> None:
    """Beside the counts, and below it the line of the policy that lets smaller ones pass."""
    answer = recon("mutate", clear, *FAST)
    assert answer.code == 0, answer.err
    row = next(line for line in answer.lines if line.startswith("  opening_balance, cash"))
    assert row.split()[2:] == ["6", "1.01", "EUR"]
    opening, locked = passing(answer)["built-in: cash.absolute.EUR = 1"]
    edge = "1 EUR is INFO, 1.01 EUR is caught"
    assert opening == f"ledger and exchange: opening balance too high by {edge}"
    assert "stated balance without 1 EUR that are locked is INFO" in locked
    assert answer.lines[-1].startswith("MUTATE: ")


POLICIES = {
    "recon.toml": "[cash]\nabsolute = { EUR = '7' }\n",
    "pyproject.toml": "[tool.recon.cash]\nabsolute = { EUR = '7' }\n",
}


@pytest.mark.parametrize("name", POLICIES)
def test_the_file_of_a_line_is_named(recon: Recon, directory: Path, clear: Path, name: str) -> None:
    """The file for a key that it sets, the built-in policy for one that it leaves out."""
    (directory / name).write_text(POLICIES[name], encoding="utf-8")
    found = passing(recon("mutate", clear, *FAST))
    assert set(found) == {f"{name}: cash.absolute.EUR = 7", "built-in: position.fail_above = 0.01"}


def test_a_warn_that_blocks_is_caught(recon: Recon, clear: Path) -> None:
    """With `--fail-on warn` the line that lets smaller ones pass is that of INFO."""
    found = passing(recon("mutate", clear, *FAST, "--fail-on", "warn"))
    assert "built-in: position.info_below = 0.001" in found
    assert not [reason for reason in found if "fail_above" in reason]


def test_a_waiver_lets_faults_pass(recon: Recon, directory: Path, clear: Path) -> None:
    """Up to its ceiling, and it is named with its file."""
    day: date = today() + timedelta(days=30)
    text = (
        '[[waiver]]\nid = "w1"\nsession = "day"\nitem = "cash::EUR"\nmax_amount = "9.00"\n'
        f'owner = "ops"\nreason = "known"\nexpires = {day}\n'
    )
    (directory / "recon-waivers.toml").write_text(text, encoding="utf-8")
    answer = recon("mutate", clear, *FAST, "--fault", "opening_balance")
    assert passing(answer)["recon-waivers.toml: waiver w1"] == [
        "ledger and exchange: opening balance too high by 9 EUR is WAIVED, 9.01 EUR is caught"
    ]


class Plugin:
    """A plugin that tolerates five of every currency, and counts what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    @hookimpl
    def recon_tolerance(self, comparison: Any) -> Decimal | None:
        """Five, of a balance."""
        return Decimal(5) if comparison.item_kind == "cash" else None

    @hookimpl
    def recon_reconciled(self, reconciliation: Any) -> None:
        """Remember the session."""
        self.told.append(reconciliation.recorded.session_id)


def test_a_hook_lets_faults_pass(
    recon: Recon, clear: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is named, and nobody is told of a copy."""
    manager, plugin = extension_manager(), Plugin()
    manager.register(plugin, "house_rules")
    monkeypatch.setattr("recon_core.plugins.manager.extension_manager", lambda: manager)
    answer = recon("mutate", clear, *FAST, "--fault", "opening_balance")
    assert passing(answer)["house_rules: recon_tolerance"] == [
        "ledger and exchange: opening balance too high by 5 EUR is INFO, 5.01 EUR is caught"
    ]
    assert plugin.told == ["day"]


@pytest.mark.large
@pytest.mark.parametrize(
    ("share", "code", "words"),
    [
        ("0", 0, "at least the 0 %"),
        ("83.3", 0, "at least the 83.3 %"),
        ("83.4", 2, "below the 83.4 %"),
        ("100", 2, "below the 100 %"),
    ],
)
def test_a_share_that_is_demanded(
    recon: Recon, clear: Path, share: str, code: int, words: str
) -> None:
    """Of 12 faults 10 are caught, 83.33 %; the status says if that is enough."""
    words_of = ("--fault", "opening_balance", "--fail-under", share)
    answer = recon("mutate", clear, *FAST, *words_of)
    assert answer.code == code
    assert answer.lines[-1].endswith(f"{words} of --fail-under")
    painted = recon("mutate", clear, *FAST, *words_of, "--color", "always").lines[-1]
    assert painted.startswith(style("MUTATE:", bold=True, fg="red" if code else "green"))


USAGE = {
    "no session": ([], "Missing argument 'SESSION...'"),
    "no such session": (["day1.recon.json"], "did you mean day.recon.json?"),
    "a share in words": (["day.recon.json", "--fail-under", "all"], "'all'; expected a percentage"),
    "too large a share": (["day.recon.json", "--fail-under", "101"], "from 0 to 100"),
    "a share below 0": (["day.recon.json", "--fail-under", "-1"], "from 0 to 100"),
    "an unknown kind": (["day.recon.json", "--fault", "x"], "'x'; expected one of missing_fill, "),
    "a kind misspelt": (["day.recon.json", "--fault", "mising_fee"], "did you mean missing_fee?"),
    "a seed in words": (["day.recon.json", "--seed", "x"], "--seed"),
}


@pytest.mark.parametrize(("given", "part"), USAGE.values(), ids=USAGE)
def test_wrong_usage(recon: Recon, clear: Path, given: list[str], part: str) -> None:
    """One line, and status 64."""
    assert clear.exists()
    recon("mutate", *given).refused(64, part)


def test_a_session_that_is_red_already(recon: Recon, directory: Path, clear: Path) -> None:
    """No fault is put into it, which is said in one line; the others have their table."""
    write_session(directory / "red.recon.json", external_cash={"EUR": "4000.00"})
    answer = recon("mutate", directory, *FAST)
    assert answer.code == 2
    assert answer.lines[0] == (
        "not mutated  red.recon.json: blocked already (1 FAIL): no fault is put in; see recon check"
    )
    assert "day (day.recon.json): " in answer.out
    assert clear.exists()


def test_a_session_that_cannot_be_read(recon: Recon, directory: Path) -> None:
    """Nothing is compared: there is no answer."""
    (directory / "half.recon.json").write_text("{", encoding="utf-8")
    answer = recon("mutate", "half.recon.json", *FAST)
    assert answer.code == 1
    assert "blocked already (1 CRITICAL)" in answer.out


def test_a_mirror_catches_nothing(recon: Recon, directory: Path) -> None:
    """Both sides are one: no fault changes anything, and no share is reached by that."""
    write_session(directory / "m.recon.json", external={"mirror": "internal"})
    answer = recon("mutate", "m.recon.json", *FAST, "--fail-under", "0")
    assert answer.code == 1
    assert "recon: no fault changes anything that is compared" in answer.lines
    assert answer.lines[-1].startswith("MUTATE: 0 of 0 faults caught, ")


@pytest.mark.large
def test_the_json_has_every_copy(recon: Recon) -> None:
    """With its counts, the same bytes for one seed, and other rows for another seed."""
    kinds = ("wrong_price", "wrong_fee", "as_of_shift", "missing_fee")
    named = [word for kind in kinds for word in ("--fault", kind)]
    words = ("mutate", REPLAYED, *FAST, "--format", "json", *named)
    answer = recon(*words)
    assert answer.code == 0, answer.err
    document = answer.json
    faults = document["sessions"][0]["faults"]
    results = [mutant["result"] for fault in faults for mutant in fault["mutants"]]
    for result in ("caught", "passed", "unchanged"):
        assert document[result] == results.count(result) > 0
    assert Decimal(document["percent"]) <= Decimal(100 * document["caught"]) / (
        document["caught"] + document["passed"]
    )
    assert recon(*words).out == answer.out
    assert any(
        recon(*words, "--seed", seed).json["sessions"] != document["sessions"] for seed in "1234"
    )


def test_a_proven_cause_is_told(recon: Recon) -> None:
    """A balance in another unit is explained as one, on either side."""
    answer = recon("mutate", REPLAYED, "--fault", "unit", "--explain", "fast")
    row = next(line for line in answer.lines if line.startswith("  unit, balance"))
    assert row.split()[2:] == ["3", "1", "of", "1", "10", "times"]
    off = recon("mutate", REPLAYED, "--fault", "unit", *FAST)
    assert " of 1 " not in off.out


@pytest.mark.large
def test_the_page_has_the_faults(recon: Recon, directory: Path, clear: Path) -> None:
    """A section of the usual page, and the JSON report makes it again."""
    reports = ("--report", "html:now.html", "--report", "json:now.json")
    answer = recon("mutate", clear, *FAST, *reports)
    assert answer.code == 0, answer.err
    page = (directory / "now.html").read_text(encoding="utf-8")
    assert "<h2>Would the gate have caught it?</h2>" in page
    assert "Passes by built-in: cash.absolute.EUR = 1" in page
    assert CLEAR_LINE in page
    recon("report", "now.json", "--format", "html", "-o", "again.html")
    assert (directory / "again.html").read_text(encoding="utf-8") == page
    recon("check", clear, "--report", "html:check.html")
    assert "caught it?" not in (directory / "check.html").read_text(encoding="utf-8")


def test_a_report_on_standard_output_is_alone_there(recon: Recon, clear: Path) -> None:
    """The table goes to standard error then."""
    answer = recon("mutate", clear, *FAST, "--fault", "opening_balance", "--report", "github:-")
    assert answer.code == 0, answer.err
    assert [line.partition(" ")[0] for line in answer.lines] == ["::notice"]
    assert "faults caught" in answer.err.splitlines()[-1]


def test_nothing_is_appended_to_the_log(recon: Recon, directory: Path, clear: Path) -> None:
    """Copies are no runs of the project, whatever its settings say of recon check."""
    settings = "[pytest]\nrecon_audit_log = audit.jsonl\nrecon_check_audit_log = true\n"
    (directory / "pytest.ini").write_text(settings, encoding="utf-8")
    before = sorted(directory.iterdir())
    assert recon("mutate", clear, *FAST).code == 0
    assert sorted(directory.iterdir()) == before


@pytest.mark.large
def test_many_sessions_are_one_table(recon: Recon, directory: Path) -> None:
    """Six sessions fill one screen, not six."""
    for number in range(6):
        write_session(directory / f"day{number}.recon.json")
    words = ("mutate", directory, *FAST, "--fault", "unit")
    answer = recon(*words)
    assert "6 sessions: " in answer.out
    assert len([line for line in answer.lines if line.startswith("  fault")]) == 1
    json_answer = recon(*words, "--format", "json")
    assert len(json.loads(json_answer.out)["sessions"]) == 6
