"""Findings of past runs: waived, kept as a baseline, and compared with later ones."""

import shutil
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Final

import pytest

from recon_core.audit.past_runs import PastRun, PastSession
from recon_core.audit.run_comparison import ChangeKind, compare_runs
from recon_core.cli import baseline, waive
from recon_core.model import LedgerSide
from recon_core.model.comparison import ReconDiff
from recon_core.model.explanation import (
    Cause,
    CauseKind,
    Effect,
    Explanation,
    ExplanationVerdict,
)
from recon_core.policy import settings
from recon_core.policy.waiver_file import read_waivers
from recon_core.policy.waivers import literal
from recon_core.values.severity import Severity

from .audit_cases import batch, diff, summary, write_log
from .conftest import AS_OF, EXAMPLES, Answer, Recon, write_session

TODAY: Final = date(2026, 11, 28)
WHO: Final = ("--owner", "ops@desk", "--reason", "ticket 812", "--expires", "30d")
LOG: Final = ("--json", "a.jsonl")


@pytest.fixture(autouse=True)
def _today(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (settings, waive, baseline):
        monkeypatch.setattr(module, "today", lambda: TODAY)


def day(directory: Path, external: str = "4995.00", name: str = "day") -> None:
    """Write a session whose balance is off, by 5 EUR where nothing else is said."""
    write_session(directory / f"s/{name}.recon.json", external_cash={"EUR": external})


def check(recon: Recon, *words: str) -> Answer:
    """Judge all sessions, and append the run to the log."""
    return recon("check", "s", "--audit-log", "a.jsonl", *words)


def test_a_finding_is_waived(directory: Path, recon: Recon) -> None:
    """The entry has the amount of the finding as its ceiling, and covers it and no more."""
    day(directory)
    assert check(recon).code == 2
    answer = recon("waive", "day", "cash::EUR", *WHO, *LOG)
    assert answer.code == 0, answer.err
    said = "day-cash-EUR written: up to 5.00, until 2026-12-28, ops@desk"
    assert answer.out == f"recon-waivers.toml: {said}\n"
    (entry,) = read_waivers([directory / "recon-waivers.toml"], TODAY, 90).entries
    assert (entry.session, entry.item, str(entry.max_amount)) == ("day", "cash::EUR", "5.00")
    assert check(recon).code == 0
    day(directory, "4994.99")
    assert check(recon).code == 2


def test_a_proven_cause_is_part_of_the_entry(directory: Path, recon: Recon) -> None:
    """The finding of another cause is not covered."""
    (directory / "s").mkdir()
    for path in (EXAMPLES / "explain").glob("double_fee*"):
        shutil.copy(path, directory / "s" / path.name)
    check(recon)
    assert recon("waive", "double_fee", "cash USDT", *WHO, *LOG).code == 0
    (entry,) = read_waivers([directory / "recon-waivers.toml"], TODAY, 90).entries
    assert entry.cause == "duplicate_fee"
    assert (check(recon).code, check(recon, "--explain", "off").code) == (0, 2)


def test_a_finding_without_an_amount(directory: Path, recon: Recon) -> None:
    """The entry is for that finding alone; what the other side does not report grew."""
    external = {"as_of": "2026-01-01T12:00:00Z", "positions": {"BTC/EUR": "0.1", "ETH/EUR": "2"}}
    write_session(directory / "s/day.recon.json", external=external)
    assert check(recon).code == 2
    assert recon("waive", "day", "session::coverage", *WHO, *LOG).code == 0
    assert check(recon).code == 0
    del external["positions"]
    external["cash"] = {"EUR": "5000"}
    write_session(directory / "s/day.recon.json", external=external)
    assert check(recon).code == 2


def test_a_file_keeps_its_comments(directory: Path, recon: Recon) -> None:
    """A second entry follows the first one, and what a person wrote stays."""
    day(directory)
    day(directory, name="night")
    check(recon)
    path = directory / "recon-waivers.toml"
    path.write_text("# known to the desk\n", encoding="utf-8")
    assert recon("waive", "day", "cash::EUR", *WHO, *LOG).code == 0
    text = path.read_text(encoding="utf-8")
    assert recon("waive", "night", "cash::EUR", *WHO, *LOG, "--max-amount", "7.5").code == 0
    assert path.read_text(encoding="utf-8").startswith(text)
    assert text.startswith("# known to the desk\n\n[[waiver]]\n")
    entries = read_waivers([path], TODAY, 90).entries
    assert [(one.id, str(one.max_amount)) for one in entries] == [
        ("day-cash-EUR", "5.00"),
        ("night-cash-EUR", "7.5"),
    ]


def test_an_entry_has_the_name_that_it_is_given(directory: Path, recon: Recon) -> None:
    """No two have one name; without one a free one is found."""
    for name in ("day", "night", "day-cash"):
        day(directory, name=name)
    day(directory, "4994.00", "day.cash")
    check(recon)
    item = ("cash::EUR", *WHO, *LOG)
    assert recon("waive", "day", *item, "--id", "swap").code == 0
    said = "'swap' is there already; expected another one"
    recon("waive", "night", *item, "--id", "swap").refused(64, f"--id: {said}")
    assert recon("waive", "night", *item, "--id", "day-cash-cash-EUR").code == 0
    assert recon("waive", "day-cash", *item).code == 0
    entries = read_waivers([directory / "recon-waivers.toml"], TODAY, 90).entries
    named = ["swap", "day-cash-cash-EUR", "day-cash-cash-EUR-2"]
    assert [one.id for one in entries] == named


REFUSED: Final = (
    (
        ("day", "cash::EU", *WHO),
        1,
        "has no finding 'cash EU'; did you mean cash EUR?",
    ),
    (("dya", "cash::EUR", *WHO), 1, "no session 'dya'; did you mean day?"),
    (("cut", "session::readable", *WHO), 1, "is CRITICAL, which is never waived"),
    (("info", "cash::EUR", *WHO), 1, "is INFO, which blocks nothing"),
    (("same", "cash::EUR", *WHO), 1, "has no finding 'cash EUR'; it matched in every item"),
    (
        ("bare", "session::coverage", *WHO, "--max-amount", "4"),
        64,
        "the finding has no single amount",
    ),
    (("day", "cash::EUR", *WHO, "--run", "last~7"), 1, "has 1 commands; 'last~7' is before them"),
    (("day", "cash::EUR", *WHO, "--run", "abcd"), 1, "there is no run 'abcd'; expected last"),
    (("day", "cash::EUR", *WHO, "--max-amount", "4"), 64, "'4' does not cover the finding"),
    (("day", "cash::EUR", *WHO, "--max-amount", "x"), 64, "--max-amount"),
    (("day", "cash::EUR", *WHO, "--id", "a b"), 64, "--id: 'a b'; expected at most 80"),
    (("day", "cash::EUR", *WHO[:4]), 64, "Missing option '--expires'"),
    (("day", "cash::EUR", *WHO[2:]), 64, "Missing option '--owner'"),
    (("day", "cash::EUR", *WHO[:2], *WHO[4:]), 64, "Missing option '--reason'"),
    (("day", "cash::EUR", "--owner", " ", *WHO[2:]), 64, "--owner: is empty; expected text"),
    (("day", "cash::EUR", *WHO[:4], "--expires", "2026-11-27"), 64, "2026-11-27 is over"),
    (("day", "cash::EUR", *WHO[:4], "--expires", "91d"), 64, "is 91 days ahead; expected"),
    (("day", "cash::EUR", *WHO[:4], "--expires", "soon"), 64, "'soon'; expected a date"),
)


@pytest.mark.parametrize(("words", "code", "said"), REFUSED, ids=lambda value: str(value)[:50])
def test_what_is_not_waived(
    words: tuple[str, ...], code: int, said: str, directory: Path, recon: Recon
) -> None:
    """One line says why, and no file is written."""
    day(directory)
    day(directory, "4999.50", "info")
    day(directory, "5000.00", "same")
    write_session(directory / "s/bare.recon.json", external={"as_of": AS_OF})
    (directory / "s/cut.recon.json").write_text("{", encoding="utf-8")
    check(recon)
    recon("waive", *words, *LOG).refused(code, said)
    assert not (directory / "recon-waivers.toml").exists()


def test_a_finding_is_not_waived_twice(directory: Path, recon: Recon) -> None:
    """An entry of the file covers it, or the run says that it was waived."""
    day(directory)
    check(recon)
    words = ("waive", "day", "cash::EUR", *WHO, *LOG)
    assert recon(*words).code == 0
    recon(*words).refused(1, "recon-waivers.toml: day-cash-EUR covers the finding already")
    check(recon)
    recon(*words).refused(1, "is waived by day-cash-EUR until 2026-12-28 already")


def test_without_a_log_nothing_is_waived(directory: Path, recon: Recon) -> None:
    """The line says which setting names one."""
    day(directory)
    recon("waive", "day", "cash::EUR", *WHO).refused(1, "expected --json or the setting")
    recon("waive", "day", "cash::EUR", *WHO, *LOG).refused(1, "a.jsonl")


def test_a_baseline_blocks_only_what_is_new(directory: Path, recon: Recon) -> None:
    """All FAILs of a run are known then, up to their amounts; new and larger ones block."""
    day(directory)
    day(directory, "4990.00", "night")
    (directory / "s/cut.recon.json").write_text("{", encoding="utf-8")
    check(recon)
    answer = recon("baseline", "write", "--owner", "ops@desk", *LOG)
    assert answer.code == 0, answer.err
    assert answer.lines[0] == "recon-baseline.toml: 2 findings until 2027-02-26, ops@desk"
    assert answer.lines[1] == "note: 1 CRITICAL left out, which is never waived"
    (directory / "s/cut.recon.json").unlink()
    assert check(recon).code == 0
    day(directory, "4989.99", "night")
    grown = check(recon)
    assert (grown.code, grown.lines[-1]) == (2, "RECON: BLOCKED (1 FAIL, 1 WAIVED in 2 sessions)")
    day(directory, "4990.00", "night")
    day(directory, name="third")
    assert check(recon).code == 2


def test_a_baseline_shrinks(directory: Path, recon: Recon) -> None:
    """Written anew it keeps what its own entries waive, by today's amounts, and nothing healed."""
    day(directory, "4990.00")
    day(directory, name="night")
    check(recon)
    words = ("baseline", "write", "--owner", "ops@desk", *LOG)
    assert recon(*words).code == 0
    recon(*words).refused(64, "recon-baseline.toml: is there already; --overwrite replaces it")
    day(directory, "4992.00")
    day(directory, "5000.00", name="night")
    assert check(recon).code == 0
    assert recon(*words, "--overwrite").lines[0].startswith("recon-baseline.toml: 1 finding until")
    (entry,) = read_waivers([directory / "recon-baseline.toml"], TODAY, 90).entries
    assert (entry.session, str(entry.max_amount)) == ("day", "8.00")
    day(directory, "5000.00")
    check(recon)
    recon(*words, "--overwrite").refused(1, "has no FAIL to keep")


def test_a_baseline_of_a_run_that_was_cut_short(directory: Path, recon: Recon) -> None:
    """What did not run may differ, too; what is CRITICAL is never kept."""
    entries = [
        *batch(summary("a", {"FAIL": 1}, comparisons=2, ran=1), diff("a")),
        *batch(summary("b", {"CRITICAL": 1}, session_id="cut"), diff("b", "CRITICAL")),
        *batch(summary("c", session_id="whole")),
    ]
    for entry in entries:
        entry["details"]["invocation_id"] = "i"
    write_log(directory / "a.jsonl", entries)
    answer = recon("baseline", "write", "--owner", "ops@desk", *LOG)
    assert answer.code == 0, answer.err
    assert answer.lines[1:] == [
        "note: 1 CRITICAL left out, which is never waived",
        "note: 1 session did not run completely and may lack findings",
    ]


@pytest.mark.parametrize("option", ["--owner", "--reason"])
def test_a_baseline_is_of_somebody(directory: Path, recon: Recon, option: str) -> None:
    """An empty text names nobody, and no reason."""
    day(directory)
    check(recon)
    words = ("baseline", "write", "--owner", "ops@desk", *LOG, option, " ")
    recon(*words).refused(64, f"{option}: is empty; expected text")
    assert not (directory / "recon-baseline.toml").exists()


def test_entries_of_another_form_are_left_alone(directory: Path, recon: Recon) -> None:
    """A list in brackets is valid, and cannot get one more entry at its end."""
    day(directory)
    check(recon)
    path = directory / "recon-waivers.toml"
    path.write_text("waiver = []\n", encoding="utf-8")
    said = "waiver: a list in brackets; expected each entry as [[waiver]]"
    recon("waive", "day", "cash::EUR", *WHO, *LOG).refused(1, said)
    assert path.read_text(encoding="utf-8") == "waiver = []\n"


def test_a_baseline_leaves_out_what_another_file_waives(directory: Path, recon: Recon) -> None:
    """Each finding has one entry that somebody answers for."""
    day(directory)
    day(directory, name="night")
    check(recon)
    assert recon("waive", "day", "cash::EUR", *WHO, *LOG).code == 0
    check(recon)
    assert recon("baseline", "write", "--owner", "ops@desk", *LOG).code == 0
    (entry,) = read_waivers([directory / "recon-baseline.toml"], TODAY, 90).entries
    assert entry.session == "night"


def test_two_files_of_one_session_id(directory: Path, recon: Recon) -> None:
    """Their findings have entries of their own, and the baseline can be read."""
    for name in ("one", "two"):
        path = directory / f"s/{name}.recon.json"
        write_session(path, external_cash={"EUR": "4995.00"}, session_id="day")
    check(recon)
    assert recon("baseline", "write", "--owner", "ops@desk", *LOG).code == 0
    assert len(read_waivers([directory / "recon-baseline.toml"], TODAY, 90).entries) == 2
    assert check(recon).code == 0


def test_a_session_whose_name_is_a_pattern(directory: Path, recon: Recon) -> None:
    """A generated entry names the session itself, and no other one that its name would match."""
    for name, session in (("a", "day[1]*"), ("b", "day1x")):
        path = directory / f"s/{name}.recon.json"
        write_session(path, external_cash={"EUR": "4995.00"}, session_id=session)
    check(recon)
    assert recon("waive", "day[1]*", "cash::EUR", *WHO, *LOG).code == 0
    (entry,) = read_waivers([directory / "recon-waivers.toml"], TODAY, 90).entries
    assert entry.session == literal("day[1]*")
    assert check(recon).lines[-1] == "RECON: BLOCKED (1 FAIL, 1 WAIVED in 2 sessions)"


CHANGES: Final = (
    ("4995.00", "4995.00", "same", 0),
    ("5000.00", "4995.00", "came", 2),
    ("4995.00", "5000.00", "went", 0),
    ("4995.00", "4994.00", "grew", 2),
    ("4995.00", "4996.00", "shrank", 0),
    ("4995.00", "5005.00", "changed", 2),
    ("4995.00", "4999.50", "shrank", 0),
    ("4999.50", "4995.00", "grew", 2),
    ("5000.00", "4999.50", "came", 0),
)


@pytest.mark.parametrize(("before", "after", "change", "code"), CHANGES)
def test_two_runs_are_compared(
    before: str, after: str, change: str, code: int, directory: Path, recon: Recon
) -> None:
    """What came, went, grew: in text, in JSON, as a gate, and in a check against the last run."""
    day(directory, before)
    check(recon)
    day(directory, after)
    against = check(recon, "--against", "last")
    ask = ("audit", "compare", "last~1", "last", *LOG)
    answer = recon(*ask, "--exit-on-findings")
    assert answer.code == code
    assert answer.lines[-1] == f"last~1 -> last: 1 {change}"
    assert f"-> now: 1 {change}" in against.out
    (item,) = recon(*ask, "--format", "json").json["items"]
    assert (item["session"], item["key"], item["change"]) == ("day", "cash::EUR", change)


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        ("missing_fee", "missing_fee", ChangeKind.SAME),
        ("missing_fee", "wrong_fee", ChangeKind.CHANGED),
        ("missing_fee", "", ChangeKind.SAME),
        ("", "wrong_fee", ChangeKind.SAME),
    ],
)
def test_another_proven_cause_is_another_finding(before: str, after: str, kind: ChangeKind) -> None:
    """Though the amount is the same; a cause that is not known says nothing."""
    runs = []
    for name in (before, after):
        causes = [Cause(CauseKind(name), LedgerSide.INTERNAL, (), Effect(), "")] if name else []
        explanation = Explanation(
            ExplanationVerdict.UNIQUE, None, tuple(causes), Effect(), (), "", "", "", 0, ()
        )
        found = ReconDiff(
            "d", None, "CASH", Severity.FAIL, "EUR", "differs", delta=Decimal(5), unit="EUR",
            explanation=explanation if causes else None,
        )  # fmt: skip
        runs.append(PastRun("r", None, {"s": PastSession("s", "r", diffs={"cash::EUR": found})}))
    (change,) = compare_runs(*runs).changes
    assert change.kind is kind


def test_a_waiver_makes_no_difference_smaller(directory: Path, recon: Recon) -> None:
    """A finding that is waived in the second run is the same one."""
    day(directory)
    check(recon)
    recon("waive", "day", "cash::EUR", *WHO, *LOG)
    assert check(recon).code == 0
    answer = recon("audit", "compare", "last~1", "last", *LOG)
    assert answer.lines == ["last~1 -> last: 1 same"]


def test_a_run_is_a_report_too(directory: Path, recon: Recon) -> None:
    """A file of `recon check --format json` is compared, and anything else is refused."""
    day(directory)
    (directory / "r.json").write_text(recon("check", "s", "--format", "json").out, "utf-8")
    day(directory, "4990.00")
    day(directory, name="night")
    answer = recon("check", "s", "--against", "r.json")
    assert "recon: grew     FAIL day cash EUR: +5.00 EUR -> +10.00 EUR" in answer.lines
    assert "recon: came     FAIL night cash EUR: none -> +5.00 EUR" in answer.lines
    assert "recon: only in now: 1 session: night" in answer.lines
    report = recon("check", "s", "--against", "r.json", "--format", "json").json
    assert [one["change"] for one in report["against"]["changes"]] == ["came", "grew"]
    for text in ("", "[]", '{"sessions": 5}', '{"sessions": [{}]}', "[" * 100_000):
        (directory / "r.json").write_text(text, encoding="utf-8")
        recon("check", "s", "--against", "r.json").refused(64, "--against: r.json: is no report")
    recon("check", "s", "--against", "lost.json").refused(64, "lost.json: cannot be read")
    recon("check", "s", "--against", "last").refused(64, "--against: no audit log is named")


def test_a_run_is_named_by_its_ids(directory: Path, recon: Recon) -> None:
    """The id of a command or of a run, whole or its beginning, names the same command."""
    day(directory)
    report = check(recon, "--format", "json").json["sessions"][0]["summary"]
    day(directory, "4990.00")
    check(recon)
    for name in (report["invocation_id"], report["run_id"], report["run_id"][:13]):
        answer = recon("audit", "compare", name, "last", *LOG)
        assert answer.lines[-1].endswith("1 grew"), name
    recon("audit", "compare", report["run_id"][:3], "last", *LOG).refused(1, "there is no run")
    for _ in range(3):  # commands that nobody names are forgotten while the log is read
        check(recon)
    answer = recon("audit", "compare", report["run_id"], "last", *LOG)
    assert answer.lines[-1].endswith("1 grew")


def test_a_summary_is_of_commands(directory: Path, recon: Recon) -> None:
    """Each command has its verdict; sessions without a diff are one line of it."""
    day(directory)
    for number in range(7):
        day(directory, "5000.00", f"clear{number}")
    check(recon)
    day(directory, "5000.00")
    check(recon)
    lines = recon("audit", "summary", *LOG).lines
    commands = [place for place, line in enumerate(lines) if line.startswith("Command ")]
    assert len(commands) == 2
    first, second = commands
    assert lines[first + 2] == "  verdict     BLOCKED: 1 FAIL in 8 sessions"
    named = "clear0, clear1, clear2, clear3, clear4"
    assert lines[first + 3] == f"  clean       7 sessions: {named} and 2 more"
    assert lines[second + 2] == "  verdict     CLEAR in 8 sessions"
    assert sum(line.startswith("Run ") for line in lines) == 1
    assert lines[-1] == "16 runs, 1 with diffs"
    items = recon("audit", "summary", *LOG, "--format", "json").json["items"]
    assert [item["verdict"] for item in items] == ["BLOCKED"] * 8 + ["CLEAR"] * 8


def test_the_verdict_is_that_of_the_command(directory: Path, recon: Recon) -> None:
    """A WARN that blocks by --fail-on is recorded as what it was: BLOCKED."""
    positions = {"BTC/EUR": "0.0995", "ETH/EUR": "2"}
    write_session(directory / "s/day.recon.json", external_positions=positions)
    assert check(recon, "--fail-on", "warn").code == 2
    assert "  verdict     BLOCKED: 1 WARN in 1 session" in recon("audit", "summary", *LOG).lines


def test_a_trend_compares_a_session_with_itself(directory: Path, recon: Recon) -> None:
    """Two sessions of one suite have two trends: nothing changed, so nothing grows."""
    day(directory)
    day(directory, "4990.00", "night")
    for _ in range(4):
        check(recon)
    items = recon("audit", "trend", *LOG, "--format", "json").json["items"]
    assert [(item["session_id"], item["runs"]) for item in items] == [("day", 4), ("night", 4)]
    for item, size in zip(items, ("5", "10"), strict=True):
        (key,) = item["keys"]
        assert (key["delta_slope"], key["age_runs"], key["age_days"]) == ("0", 4, 0)
        assert key["sizes"] == [f"{size}.00"] * 4
    titles = [line for line in recon("audit", "trend", *LOG).lines if line.startswith("Strategy")]
    assert titles == [f"Strategy ma_crossover, session {name}: 4 runs" for name in ("day", "night")]


def test_a_trend_of_a_strategy_draws_what_grows(directory: Path, recon: Recon) -> None:
    """One session a command, each day another id: the strategy is followed."""
    for number, external in enumerate(("5000.00", "4995.00", "4990.00", "4980.00")):
        (directory / "s").mkdir(exist_ok=True)
        for path in (directory / "s").iterdir():
            path.unlink()
        day(directory, external, f"day{number}")
        check(recon)
    (item,) = recon("audit", "trend", *LOG, "--format", "json").json["items"]
    assert (item["session_id"], item["runs"]) == (None, 4)
    (key,) = item["keys"]
    assert (key["sizes"], key["age_runs"]) == ([None, "5.00", "10.00", "20.00"], 3)
    row = next(line for line in recon("audit", "trend", *LOG).lines if "cash EUR" in line)
    assert row.split("  ")[0:2] == ["", "cash EUR"]
    assert "3 runs, 0 days" in row
    assert row.endswith("▃▄█")


def test_a_baseline_that_no_run_would_read_is_not_written(directory: Path, recon: Recon) -> None:
    """The project's limits hold where a file is written, and the line names the limit."""
    day(directory)
    check(recon)
    words = ("baseline", "write", "--owner", "ops@desk", *LOG)
    (directory / "pytest.ini").write_text("[pytest]\nrecon_limits = toml_bytes = 300\n", "utf-8")
    recon(*words).refused(1, "a baseline of 1 finding ", "toml_bytes")
    assert not (directory / "recon-baseline.toml").exists()


def test_a_baseline_of_the_examples_covers_every_finding(directory: Path, recon: Recon) -> None:
    """Ceilings, causes and digests that went through the log are those of the next run."""
    shutil.copytree(EXAMPLES, directory / "s", ignore=shutil.ignore_patterns(".*"))
    check(recon)
    words = ("baseline", "write", "--owner", "ops@desk", "--min-severity", "WARN", *LOG)
    assert recon(*words).code == 0
    answer = check(recon)
    assert answer.lines[-1].startswith("RECON: BLOCKED (1 CRITICAL, ")
    assert " FAIL" not in answer.lines[-1]
    assert " WARN" not in answer.lines[-1]
    entries = read_waivers([directory / "recon-baseline.toml"], TODAY, 90).entries
    used = f"recon: waivers recon-baseline.toml: {len(entries)} used"
    assert used in answer.lines
    assert {entry.max_amount is None for entry in entries} == {True, False}
    assert any(entry.cause is not None for entry in entries)
