"""`recon check`: the gate's verdicts, reports and status, without pytest."""

import json
import shutil
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from recon_core import hookimpl
from recon_core.audit.log import AuditLog
from recon_core.cli.check_run import Check
from recon_core.plugins.manager import extension_manager
from recon_core.reports.formats import JUNIT

from .conftest import (
    AS_OF,
    CASH,
    CLEAR_LINE,
    EXAMPLES,
    POSITIONS,
    WARN_LINE,
    Recon,
    write_session,
)

CLEAR_TWO = "RECON: CLEAR (2 sessions, 14 comparisons)"
BLOCKED_LINE = "RECON: BLOCKED (1 FAIL in 1 session)"
UNREADABLE_LINE = "RECON: BLOCKED (1 CRITICAL in 1 session)"
CLEAR_NAUTILUS = "RECON: CLEAR (1 session, 57 comparisons)"
INCOMPLETE_LINE = "RECON: INCOMPLETE (7 of 7 comparisons ran, 1 problem above)"


def write_failing(path: Path, **more: Any) -> Path:
    """A session with one FAIL: cash is off by 5 EUR."""
    return write_session(path, external_cash={"EUR": "4995.00"}, **more)


def write_drifting(path: Path) -> Path:
    """A session with one WARN: a position is off by 0.5 %."""
    return write_session(path, external_positions={"BTC/EUR": "0.0995", "ETH/EUR": "2"})


def write_unreadable(path: Path) -> Path:
    """Half of a session file."""
    path.write_text('{"schema": "recon.session/1", "sess', encoding="utf-8")
    return path


def write_empty(path: Path) -> Path:
    """A session whose sides report nothing."""
    return write_session(path, None, None)


SESSIONS: dict[str, Callable[[Path], Path]] = {
    "clear": write_session,
    "failing": write_failing,
    "drifting": write_drifting,
    "unreadable": write_unreadable,
    "empty": write_empty,
}


@pytest.mark.parametrize(
    ("names", "options", "code", "line"),
    [
        ("clear", "", 0, CLEAR_LINE),
        ("drifting", "", 0, WARN_LINE),
        ("drifting", "--fail-on=fail", 0, WARN_LINE),
        ("drifting", "--fail-on=warn", 2, "RECON: BLOCKED (1 WARN in 1 session)"),
        ("failing", "", 2, BLOCKED_LINE),
        ("clear failing", "", 2, "RECON: BLOCKED (1 FAIL in 2 sessions)"),
        ("unreadable", "", 1, UNREADABLE_LINE),
        ("empty", "", 1, BLOCKED_LINE),
        ("empty unreadable", "", 1, "RECON: BLOCKED (1 CRITICAL, 1 FAIL in 2 sessions)"),
        ("clear unreadable", "", 2, "RECON: BLOCKED (1 CRITICAL in 2 sessions)"),
        ("empty failing", "", 2, "RECON: BLOCKED (2 FAIL in 2 sessions)"),
    ],
)
@pytest.mark.parametrize("output_format", ["text", "json"])
def test_the_verdict_decides_the_status(
    recon: Recon,
    directory: Path,
    names: str,
    options: str,
    code: int,
    line: str,
    output_format: str,
) -> None:
    """0 clear, 2 blocked, 1 where nothing at all was compared (design, "The `recon` command")."""
    paths = [SESSIONS[name](directory / f"{name}.recon.json") for name in names.split()]
    answer = recon("check", *paths, *options.split(), "--format", output_format)
    assert (answer.code, answer.err) == (code, "")
    if output_format == "text":
        assert answer.lines[-1] == line
    else:
        assert answer.json["verdict"] == line.split()[1]


@pytest.mark.parametrize(
    ("names", "line"),
    [
        (["a.recon.json"], CLEAR_LINE),
        (["a.recon.json", "./a.recon.json", "link.recon.json"], CLEAR_LINE),
        (["sub"], CLEAR_LINE),
        (["."], CLEAR_TWO),
        (["**/*.recon.json"], CLEAR_TWO),
        (["sub/b.recon.json", "a.*.json"], CLEAR_TWO),
        ([EXAMPLES / "nautilus" / "recording"], CLEAR_NAUTILUS),
        ([EXAMPLES / "nautilus" / "r*" / "meta.json"], CLEAR_NAUTILUS),
    ],
    ids=lambda value: " ".join(name for name in value if isinstance(name, str)),
)
def test_a_session_is_a_file_a_directory_or_a_pattern(
    recon: Recon, directory: Path, names: list[str | Path], line: str
) -> None:
    """A file that is reached twice is one."""
    write_session(directory / "a.recon.json")
    write_session(directory / "sub" / "b.recon.json")
    (directory / "link.recon.json").symlink_to("a.recon.json")
    answer = recon("check", *names)
    assert (answer.code, answer.lines[-1]) == (0, line)


@pytest.mark.parametrize("name", ["", "gone.recon.json", "*.nothing", "leer", "no\x1bthing"])
def test_a_name_that_matches_nothing_is_wrong_usage(
    recon: Recon, directory: Path, name: str
) -> None:
    """Before anything is judged; the report that was named says that the run did not end."""
    (directory / "leer").mkdir()
    session = write_session(directory / "a.recon.json")
    answer = recon("check", session, name, "--junit=j.xml", "--audit-log=a.jsonl")
    answer.refused(64, "matches no recorded session")
    assert (directory / "j.xml").read_text(encoding="utf-8") == JUNIT.not_ended
    assert not (directory / "a.jsonl").exists()


EXAMPLE_RUNS = [
    ["minimal/clear.recon.json"],
    ["minimal/blocked.recon.json"],
    ["suite/clear"],
    ["suite/blocked"],
    ["suite/blocked", "suite/clear", "--TOP-N=1"],
    ["policy", "--POLICY=policy/recon.toml"],
    ["policy"],
    ["nautilus/recording", "--FAIL-ON=warn"],
    ["suite/clear", "--FAIL-ON=warn"],
]


@pytest.mark.parametrize("words", EXAMPLE_RUNS, ids=" ".join)
def test_pytest_says_the_same(
    recon: Recon,
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
) -> None:
    """Causes, notes and last line character for character; JUnit but for times and run ids."""
    monkeypatch.chdir(EXAMPLES)
    names = [word for word in words if not word.startswith("--")]
    options = [word.replace("--", "").lower() for word in words if word.startswith("--")]
    ours, theirs = pytester.path / "ours.xml", pytester.path / "theirs.xml"
    checked = recon("check", *names, f"--junit={ours}", *(f"--{word}" for word in options))
    ran = pytester.runpytest_inprocess(
        *(f"--recon-session={name}" for name in names),
        *(f"--recon-{word}" for word in options),
        f"--recon-junit={theirs}",
        "-pno:randomly",
        "-pno:cacheprovider",
        "-q",
        "--tb=no",
        "-rN",
    )
    assert (checked.code == 0) is (ran.ret == 0)
    assert checked.lines == from_causes(ran.outlines)
    assert cases(ours) == cases(theirs)


def from_causes(lines: list[str]) -> list[str]:
    """What pytest prints from the end of its progress to the last line of the gate."""
    start = next(index for index, line in enumerate(lines) if line.endswith("[100%]")) + 1
    end = next(index for index, line in enumerate(lines) if line.startswith("RECON: "))
    return lines[start : end + 1]


def cases(path: Path) -> list[Any]:
    """Everything in a JUnit file, sorted, but times and the ids of runs."""
    return sorted(
        (
            [suite.get(name) for name in ("name", "tests", "failures", "skipped", "errors")],
            [
                (each.get("name"), each.get("value"))
                for each in suite.iter("property")
                if each.get("name") != "recon.run_id"
            ],
            sorted(
                [case.get("classname"), case.get("name")]
                + [(part.tag, part.get("message"), part.text) for part in case]
                for case in suite.iter("testcase")
            ),
        )
        for suite in ET.parse(path).getroot()  # noqa: S314  # written by ourselves
    )


def test_json_has_every_comparison(recon: Recon, directory: Path) -> None:
    """Whatever the text leaves out."""
    failing = write_failing(directory / "day.recon.json")
    report = recon("check", failing, "--format=json", "--top-n=0").json
    assert list(report) == ["verdict", "problems", "policy", "notes", "audit_log", "sessions"]
    assert (report["policy"], report["notes"]) == ("built-in", [])
    (session,) = report["sessions"]
    assert session["path"] == "day.recon.json"
    assert session["summary"]["counts_by_severity"] == {"FAIL": 1}
    assert len(session["comparisons"]) == session["summary"]["comparisons"] == 7
    cash = next(each for each in session["comparisons"] if each["kind"] == "cash")
    assert (cash["key"], cash["verdict"], cash["diff"]["delta"]) == ("EUR", "FAIL", "5.00")


def test_top_n_limits_the_text(recon: Recon, directory: Path) -> None:
    """And says how many were left out."""
    cash = {"EUR": "4995.00", "USD": "1"}
    session = write_session(directory / "s.recon.json", external_cash=cash)
    assert "    and 1 more" in recon("check", session, "--top-n", "1").lines
    assert "    and 2 more" in recon("check", session, "--top-n", "0").lines


@pytest.mark.parametrize(
    ("environment", "options", "coloured"),
    [
        ({}, [], False),
        ({"FORCE_COLOR": "1"}, [], True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, [], False),
        ({"NO_COLOR": "1"}, ["--color=always"], True),
        ({"FORCE_COLOR": "1"}, ["--color", "never"], False),
    ],
)
def test_colour_is_for_those_who_see_it(
    recon: Recon,
    directory: Path,
    monkeypatch: pytest.MonkeyPatch,
    environment: dict[str, str],
    options: list[str],
    *,
    coloured: bool,
) -> None:
    """The option, then NO_COLOR, then FORCE_COLOR, then the terminal; JSON has never any."""
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    session = write_failing(directory / "s.recon.json")
    answer = recon("check", session, *options)
    verdict = "RECON: BLOCKED (1 FAIL in 1 session)"
    bold = f"\x1b[31m\x1b[1m{verdict}\x1b[0m"
    assert answer.lines[-1] == (bold if coloured else verdict)
    assert ("\x1b" in answer.out) is coloured
    assert recon("check", session, "--format=json", *options).json["verdict"] == "BLOCKED"


@pytest.mark.parametrize("columns", [20, 40, 80, 120, 400])
def test_lines_fit_the_terminal(
    recon: Recon, directory: Path, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    """From 40 columns to 250; a command to copy and the verdict are whole."""
    monkeypatch.setenv("COLUMNS", str(columns))
    write_failing(directory / "s.recon.json")
    write_session(directory / "t.recon.json", session_id="x" * 300, external_cash={"EUR": "1"})
    lines = recon("check", ".").lines
    wrapped = [line for line in lines if "recon explain" not in line and "RECON: " not in line]
    assert max(map(len, wrapped)) <= min(max(columns, 40), 250)
    assert "  Next: recon explain s.recon.json" in lines


def test_verbose_shows_exact_figures(recon: Recon, directory: Path) -> None:
    """Without it four significant digits, and what is within the tolerance is counted."""
    cash = {"EUR": "4995.123456"}
    session = write_session(
        directory / "s.recon.json",
        external_cash=cash,
        external_positions={"BTC/EUR": "0.09999", "ETH/EUR": "2"},
    )
    brief = " ".join(recon("check", session).out.split())
    assert "+4.877 EUR: ledger 5000, exchange 4995.123" in brief
    assert "1 INFO, within the tolerance" in brief
    whole = " ".join(recon("check", session, "-v").out.split())
    assert "ledger 5000.00 EUR, exchange 4995.123456 EUR, delta 4.876544 EUR" in whole
    assert "INFO position BTC/EUR: ledger 0.1 BTC" in whole


def write_fills(path: Path) -> Path:
    """Four fills on each side, of which one differs in its price."""
    row = {"symbol": "BTC/EUR", "side": "BUY", "quantity": "0.1", "time": AS_OF}
    fills = [{**row, "fill_id": name, "price": "42000"} for name in "abcd"]
    others = [*fills[:3], {**fills[3], "price": "42001"}]
    side = {"as_of": AS_OF, "positions": POSITIONS, "cash": CASH}
    return write_session(
        path, internal={**side, "fills": fills}, external={**side, "fills": others}
    )


@pytest.mark.parametrize(
    ("ini", "options", "folds_above"),
    [
        ("", [], None),
        ("", ["--max-items=4"], None),
        ("", ["--max-items=3"], 3),
        ("", ["--max-items", "0"], 0),
        ("2", [], 2),
        ("2", ["--max-items=4"], None),
        ("20000", ["--max-items=3"], 3),
    ],
)
def test_above_the_number_equal_fills_are_one_item(
    recon: Recon, directory: Path, ini: str, options: list[str], folds_above: int | None
) -> None:
    """The option before the setting; what differs stays an item, the digest is reported."""
    (directory / "pytest.ini").write_text(f"[pytest]\nrecon_max_items = {ini}\n", encoding="utf-8")
    session = write_fills(directory / "s.recon.json")
    note = (
        "note s: fills: 3 that are equal on both sides are one item, called 'equal': "
        f"there are more than {folds_above}"
    )
    said = " ".join(recon("check", session, *options).out.split())
    assert (note in said) is (folds_above is not None)
    answer = recon("check", session, "--format=json", "--junit=j.xml", *options)
    assert answer.code == 2
    (judged,) = answer.json["sessions"]
    found = {each["key"]: each for each in judged["comparisons"] if each["kind"] == "fill"}
    equal = {"equal": "match"}
    if folds_above is None:
        equal = {f"BTC/EUR,{name}": "match" for name in "abc"}
    assert {key: each["verdict"] for key, each in found.items()} == {**equal, "BTC/EUR,d": "FAIL"}
    stated = [text.splitlines() for text in texts_of(directory / "j.xml", "system-out")]
    digests = [line.partition("=")[2] for lines in stated for line in lines if "sha256" in line]
    assert len(digests) == (folds_above is not None)
    assert all(each in found["equal"]["message"] for each in digests)
    assert sum("recon.folded=3" in lines for lines in stated) == len(digests)


def texts_of(path: Path, tag: str) -> list[str]:
    """What stands in all elements of one name of a JUnit file."""
    return [each.text or "" for each in ET.parse(path).iter(tag)]  # noqa: S314  # written by the run


@pytest.mark.parametrize(
    ("ini", "options", "part"),
    [
        ("", ["--max-items=-1"], "--max-items"),
        ("", ["--max-items=many"], "--max-items"),
        ("-1", [], "recon_max_items: '-1'; expected a whole number of 0 or more"),
        ("1e3", [], "recon_max_items: '1e3'; expected a whole number of 0 or more"),
    ],
)
def test_what_the_number_of_items_may_not_be(
    recon: Recon, directory: Path, ini: str, options: list[str], part: str
) -> None:
    """Wrong usage, before anything is judged."""
    (directory / "pytest.ini").write_text(f"[pytest]\nrecon_max_items = {ini}\n", encoding="utf-8")
    session = write_session(directory / "s.recon.json")
    recon("check", session, *options).refused(64, part)


def test_a_policy_key_that_matches_nothing_is_said(recon: Recon, directory: Path) -> None:
    """As a line of the text and as a note of the JSON, once for all sessions."""
    (directory / "p.toml").write_text('[cash.absolute]\nEURO = "5"\n', encoding="utf-8")
    paths = [write_session(directory / f"{name}.recon.json") for name in "ab"]
    expected = 'policy keys that match nothing here: cash.absolute "EURO" (did you mean EUR?)'
    text = recon("check", *paths, "--policy=p.toml").out
    assert text.splitlines().count(f"recon: {expected}") == 1
    answer = recon("check", *paths, "--policy=p.toml", "--format=json")
    assert json.loads(answer.out)["notes"] == [expected]


def policy_text(relative: str) -> str:
    return f'[cash]\nrelative = "{relative}"\n[cash.absolute]\nEUR = "10"\n'


@pytest.mark.parametrize(
    ("files", "options", "shown"),
    [
        ({}, [], ["built-in"]),
        ({"p.toml": policy_text("0.5")}, ["--policy=p.toml"], ["p.toml"]),
        ({"recon.toml": policy_text("0.5")}, [], ["recon.toml"]),
        ({"pyproject.toml": "[tool.recon.cash]\nabsolute = { EUR = 10 }"}, [], ["pyproject.toml"]),
        ({"pyproject.toml": "[tool.other]"}, [], ["built-in"]),
        (
            {"p.toml": policy_text("0.5"), "recon.toml": ""},
            ["--policy=p.toml"],
            ["p.toml", "not used: recon.toml"],
        ),
        (
            {"pytest.ini": "[pytest]\nrecon_policy = p.toml", "p.toml": policy_text("0.5")},
            [],
            ["p.toml"],
        ),
        ({"s/recon.toml": "nonsense"}, [], ["built-in", "not used: s/recon.toml"]),
    ],
    ids=str,
)
def test_the_policy_in_force(
    recon: Recon, directory: Path, files: dict[str, str], options: list[str], shown: list[str]
) -> None:
    """Option, setting, `recon.toml`, `pyproject.toml`; the output names it, built-in or not."""
    (directory / "s").mkdir()
    for name, text in files.items():
        (directory / name).write_text(text, encoding="utf-8")
    session = write_failing(directory / "s" / "s.recon.json")
    answer = recon("check", session, *options)
    assert answer.code == (2 if shown[0] == "built-in" else 0)
    policy = "recon: policy "
    assert [line.removeprefix(policy) for line in answer.lines if line.startswith(policy)] == shown
    report = recon("check", session, *options, "--format=json").json
    assert report["policy"] == shown[0]
    assert report["notes"] == [f"policy {note}" for note in shown[1:]]


@pytest.mark.parametrize(
    ("ini", "options", "by"),
    [
        ("", ["--require-policy"], "--require-policy"),
        ("recon_require_policy = true", [], "recon_require_policy"),
        ("recon_require_policy = no", ["--require-policy"], "--require-policy"),
    ],
)
def test_the_built_in_policy_can_be_refused(
    recon: Recon, directory: Path, ini: str, options: list[str], by: str
) -> None:
    """By an option or a setting; any policy file will do."""
    (directory / "pytest.ini").write_text(f"[pytest]\n{ini}\n", encoding="utf-8")
    session = write_session(directory / "s.recon.json")
    recon("check", session, *options).refused(64, "recon policy: built-in", by, "recon.toml")
    (directory / "recon.toml").write_text("", encoding="utf-8")
    assert recon("check", session, *options).code == 0


def test_what_was_passed_over_is_noted(recon: Recon, directory: Path) -> None:
    """Below the figures, in JSON too; it makes no run red."""
    write_session(directory / "s" / "a.recon.json")
    write_failing(directory / "s" / ".old" / "b.recon.json")
    write_failing(directory / "s" / "c.recon.JSON")
    notes = [
        "not searched (hidden): s/.old",
        "not read (expected a name like NAME.recon.json): s/c.recon.JSON",
    ]
    answer = recon("check", "s")
    assert answer.code == 0
    assert [line for line in answer.lines if line.startswith("recon: not")] == [
        f"recon: {note}" for note in notes
    ]
    assert recon("check", "s", "--format=json").json["notes"] == notes


def test_a_recording_is_judged_once(recon: Recon, directory: Path) -> None:
    """By itself or as the source of a session that reads it."""
    shutil.copytree(EXAMPLES / "nautilus" / "recording", directory / "s" / "run")
    assert recon("check", "s").lines[-1] == CLEAR_NAUTILUS
    sides = {side: {"from": {"format": "nautilus", "path": "run"}} for side in SIDES}
    document = {"schema": "recon.session/1", "session_id": "s", **sides}
    (directory / "s" / "a.recon.json").write_text(json.dumps(document), encoding="utf-8")
    answer = recon("check", "s")
    assert answer.lines[-1].startswith("RECON: CLEAR (1 session, ")
    note = "recon: not judged by itself (a session reads it): s/run/meta.json by s/a.recon.json"
    assert note in answer.lines


SIDES = ("internal", "external")


def test_settings_hold_below_their_directory(
    recon: Recon, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Paths in them are seen from their file, names in the output from here."""
    settings = (
        "[pytest]\nrecon_fail_on = warn\nrecon_audit_log = trail/a.jsonl\n"
        "recon_check_audit_log = true\n"
    )
    (directory / "pytest.ini").write_text(settings, encoding="utf-8")
    (directory / "recon.toml").write_text("", encoding="utf-8")
    (directory / "below").mkdir()
    session = write_drifting(directory / "s.recon.json")
    monkeypatch.chdir(directory / "below")
    answer = recon("check", session)
    assert answer.code == 2
    assert "recon: policy ../recon.toml" in answer.lines
    assert AuditLog(directory / "trail" / "a.jsonl").get_all_entries()
    assert recon("check", session, "--fail-on", "fail").code == 0


@pytest.mark.parametrize(
    ("files", "options", "parts"),
    [
        ({}, ["--policy=gone.toml"], ["recon policy: gone.toml", "cannot be read"]),
        ({"recon.toml": "[postion]"}, [], ["recon policy: recon.toml", "postion: unknown key"]),
        ({"p.toml": "x ="}, ["--policy=p.toml"], ["recon policy: p.toml", "is not TOML"]),
        ({"pytest.ini": "[pytest]\nrecon_fail_on = info"}, [], ["recon_fail_on", "'info'"]),
        ({"pytest.ini": "[pytest"}, [], ["pytest.ini: cannot be understood"]),
        ({}, ["--junit="], ["--junit", "expected a new or a regular file"]),
        ({}, ["--junit=."], ["--junit"]),
        ({}, ["--junit=other.recon.json"], ["--junit", "no session"]),
        ({}, ["--junit=link"], ["--junit"]),
        ({}, ["--audit-log="], ["--audit-log"]),
        ({}, ["--audit-log=."], ["--audit-log"]),
        ({}, ["--audit-log=s.recon.json"], ["--audit-log", "no session"]),
        ({}, ["--junit=out", "--audit-log=./out"], ["--junit: names the audit log"]),
        (
            {"pytest.ini": "[pytest]\nrecon_audit_log = .\nrecon_check_audit_log = yes"},
            [],
            ["recon_audit_log"],
        ),
        (
            {"pytest.ini": "[pytest]\nrecon_check_audit_log = yes"},
            [],
            ["recon_check_audit_log: is on; expected a file in recon_audit_log too"],
        ),
        (
            {"pytest.ini": "[pytest]\nrecon_check_audit_log = maybe"},
            [],
            ["recon_check_audit_log: 'maybe'; expected true or false"],
        ),
    ],
    ids=str,
)
def test_what_cannot_be_used_is_wrong_usage(
    recon: Recon, directory: Path, files: dict[str, str], options: list[str], parts: list[str]
) -> None:
    """A policy, a setting or a place to write to: said before anything is judged."""
    session = write_session(directory / "s.recon.json")
    (directory / "link").symlink_to("target")
    for name, text in files.items():
        (directory / name).write_text(text, encoding="utf-8")
    recon("check", session, *options).refused(64, *parts)


def test_the_audit_log_takes_every_session(recon: Recon, directory: Path) -> None:
    """One batch each, in one command; the head is printed, and put into JUnit and JSON."""
    write_failing(directory / "a.recon.json")
    write_session(directory / "b.recon.json")
    answer = recon("check", ".", "--audit-log=a.jsonl", "--junit=j.xml")
    assert answer.code == 2
    entries = AuditLog("a.jsonl").get_all_entries()
    last = json.loads((directory / "a.jsonl").read_bytes().splitlines()[-1])
    line = f"recon: audit log a.jsonl (new): {len(entries)} entries, head {last['hash']}"
    assert answer.lines[-2:] == [line, "RECON: BLOCKED (1 FAIL in 2 sessions)"]
    properties = [
        {each.get("name"): each.get("value") for each in suite.iter("property")}
        for suite in ET.parse(directory / "j.xml").getroot()  # noqa: S314  # the same
    ]
    summaries = [entry.details for entry in entries if entry.event_type == "RECON_SUMMARY"]
    assert [each["recon.audit_head"] for each in properties] == [last["hash"]] * 2
    assert [each["recon.audit_entries"] for each in properties] == [str(len(entries))] * 2
    assert [each["recon.run_id"] for each in properties] == [each["run_id"] for each in summaries]
    assert [(each["session_id"], each["ran"]) for each in summaries] == [("a", 7), ("b", 7)]
    assert len({each["invocation_id"] for each in summaries}) == 1
    (diff,) = [entry.details for entry in entries if entry.event_type == "RECON_DIFF"]
    assert (diff["key"], diff["run_id"]) == ("EUR", summaries[0]["run_id"])
    assert f"1 FAIL  a (a.recon.json), run {diff['run_id']}" in answer.lines


@pytest.mark.parametrize(
    ("setting", "options", "written"),
    [
        ("", [], False),
        ("recon_check_audit_log = false", [], False),
        ("recon_check_audit_log = true", [], True),
        ("", ["--audit-log=a.jsonl"], True),
    ],
)
def test_the_log_of_the_project_is_written_when_asked(
    recon: Recon, directory: Path, setting: str, options: list[str], *, written: bool
) -> None:
    """A look at a session leaves no trace in it, unless an option or a setting says so."""
    text = f"[pytest]\nrecon_audit_log = a.jsonl\n{setting}\n"
    (directory / "pytest.ini").write_text(text, encoding="utf-8")
    assert recon("check", write_session(directory / "s.recon.json"), *options).code == 0
    assert (directory / "a.jsonl").exists() is written


def test_a_second_check_is_another_invocation(recon: Recon, directory: Path) -> None:
    """Appended to the first."""
    session = write_session(directory / "a.recon.json")
    reports = [
        recon("check", session, "--audit-log=a.jsonl", "--format=json").json for _ in range(2)
    ]
    assert [report["audit_log"]["entries"] for report in reports] == [3, 6]
    ids = [report["sessions"][0]["summary"]["invocation_id"] for report in reports]
    assert ids[0] != ids[1]


def test_all_diffs_are_recorded_not_only_those_shown(recon: Recon, directory: Path) -> None:
    """`recon audit detailed` answers with all of them."""
    session = write_failing(directory / "a.recon.json")
    recon("check", session, "--audit-log=a.jsonl", "--top-n=0")
    assert len(AuditLog("a.jsonl").get_entries_by_event_type("RECON_DIFF")) == 1


@pytest.mark.parametrize("option", ["--junit", "--audit-log"])
@pytest.mark.parametrize(
    ("write", "line"), [(write_session, INCOMPLETE_LINE), (write_failing, BLOCKED_LINE)]
)
def test_a_report_that_is_not_written_is_never_clear(
    recon: Recon, directory: Path, option: str, write: Any, line: str
) -> None:
    """Status 1, the reason, and the verdict all the same."""
    (directory / "taken").write_text("", encoding="utf-8")
    answer = recon("check", write(directory / "a.recon.json"), f"{option}=taken/report")
    assert (answer.code, answer.err) == (1, "")
    assert answer.lines[-2].startswith(f"recon: {option}=")
    assert answer.lines[-1] == line


def test_a_damaged_log_takes_nothing_more(recon: Recon, directory: Path) -> None:
    """Its damage is named, in JSON too."""
    (directory / "a.jsonl").write_text("{}\n", encoding="utf-8")
    session = write_session(directory / "a.recon.json")
    answer = recon("check", session, "--audit-log=a.jsonl", "--format=json")
    assert answer.code == 1
    report = answer.json
    assert (report["verdict"], report["audit_log"]) == ("INCOMPLETE", None)
    assert "--audit-log=a.jsonl: a.jsonl: line 1: " in report["problems"][0]
    assert (directory / "a.jsonl").read_text(encoding="utf-8") == "{}\n"


class Plugin:
    """An installed plugin."""

    def __init__(self) -> None:
        self.told: list[str] = []

    @hookimpl
    def recon_tolerance(self, comparison: Any) -> Any:
        """Five more."""
        return comparison.internal.total - comparison.external.total

    @hookimpl
    def recon_reconciled(self, reconciliation: Any) -> None:
        """Remember the session, and fail for one of them."""
        self.told.append(reconciliation.recorded.session_id)
        if self.told[-1] == "bad":
            raise ValueError("no\nmore")


@pytest.fixture
def plugin(monkeypatch: pytest.MonkeyPatch) -> Plugin:
    """A plugin that is found as installed ones are."""
    manager, plugin = extension_manager(), Plugin()
    manager.register(plugin, "house_rules")
    monkeypatch.setattr("recon_core.plugins.manager.extension_manager", lambda: manager)
    return plugin


def test_hooks_of_installed_plugins_are_called(
    recon: Recon, directory: Path, plugin: Plugin
) -> None:
    """A softened diff says by whom, and who wants to be told is told once."""
    answer = recon("check", write_failing(directory / "good.recon.json"))
    assert answer.code == 0
    assert "(softened by house_rules)" in answer.out
    assert plugin.told == ["good"]


def test_a_plugin_that_fails_makes_the_run_unsure(
    recon: Recon, directory: Path, plugin: Plugin
) -> None:
    """As in pytest's gate."""
    answer = recon("check", write_session(directory / "bad.recon.json"))
    assert plugin.told == ["bad"]
    assert answer.code == 1
    assert answer.lines[-2] == "recon: recon_reconciled: bad.recon.json: ValueError: no\\x0amore"
    assert answer.lines[-1] == INCOMPLETE_LINE


def test_hostile_names_are_made_safe(recon: Recon, directory: Path) -> None:
    """A session's id, its file's name and its directory's, in every place."""
    path = directory / "a\x1b[2J" / "b\nc.recon.json"
    write_failing(path, session_id="x\x1b]0;pwned\x07")
    for output_format in ("text", "json"):
        answer = recon("check", path, f"--format={output_format}", "--audit-log=l", "--junit=j")
        assert answer.code == 2
        assert not set("\x1b\x07") & set(answer.out)
    assert "a%1B%5B2J/b%0Ac.recon.json" in answer.json["sessions"][0]["path"]
    for name in ("l", "j"):
        assert not set("\x1b\x07") & set((directory / name).read_text(encoding="utf-8"))


class Terminal:
    """Standard error with somebody in front of it."""

    encoding = "utf-8"

    def __init__(self) -> None:
        self.written = ""

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.written += text
        return len(text)

    def flush(self) -> None:
        pass


@pytest.mark.parametrize(("no_color", "bar"), [("", True), ("1", False)])
def test_a_bar_is_for_a_terminal_only(
    recon: Recon, directory: Path, monkeypatch: pytest.MonkeyPatch, no_color: str, *, bar: bool
) -> None:
    """On stderr, and not with NO_COLOR, since it moves the cursor."""
    terminal = Terminal()
    write_session(directory / "a.recon.json")
    monkeypatch.setenv("NO_COLOR", no_color)
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stderr", terminal)
        answer = recon("check", ".")
    assert answer.lines[-1] == CLEAR_LINE
    assert "\x1b" not in answer.out
    assert ("recon" in terminal.written) is bar


@pytest.mark.parametrize("jobs", [1, 2])
def test_the_bar_shows_what_blocks_so_far(
    recon: Recon, directory: Path, monkeypatch: pytest.MonkeyPatch, jobs: int
) -> None:
    """Nobody waits for the end of a run that is red already."""
    terminal = Terminal()
    write_failing(directory / "a.recon.json")
    write_session(directory / "b.recon.json")
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stderr", terminal)
        assert recon("check", ".", "-j", jobs).code == 2
    assert "1 blocked, latest a.recon.json" in terminal.written


EARLIER = '<?xml version="1.0" ?>\n<testsuites><testsuite name="desk" /></testsuites>\n'


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["desk.recon.json", "--polizy=strict.toml"], 64),
        (["desk.recon.json", "--fail-on=critical"], 64),
        (["desk.recon.json", "--policy=strict.toml"], 64),
        (["nothing/"], 64),
        ([], 64),
        (["desk.recon.json", "--help"], 0),
    ],
)
@pytest.mark.parametrize("named", [["--junit=j.xml"], ["--junit", "j.xml"]], ids=" ".join)
def test_no_report_of_an_earlier_run_holds(
    recon: Recon, directory: Path, named: list[str], words: list[str], code: int
) -> None:
    """A command line that is refused, or only answered, leaves a report that fails."""
    write_session(directory / "desk.recon.json")
    (directory / "j.xml").write_text(EARLIER, encoding="utf-8")
    assert recon("check", *named, *words).code == code
    assert (directory / "j.xml").read_text(encoding="utf-8") == JUNIT.not_ended


def test_a_run_that_is_stopped_leaves_no_earlier_report(
    recon: Recon, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The report is withdrawn before a session is read."""

    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Check, "judge", stopped)
    write_session(directory / "desk.recon.json")
    (directory / "j.xml").write_text(EARLIER, encoding="utf-8")
    assert recon("check", "desk.recon.json", "--junit=j.xml").code == 130
    assert (directory / "j.xml").read_text(encoding="utf-8") == JUNIT.not_ended


def test_problems_of_a_run_fail_its_report(recon: Recon, directory: Path) -> None:
    """A consumer of failing cases sees what the text and the status say."""
    write_session(directory / "desk.recon.json")
    answer = recon("check", "desk.recon.json", "--junit=j.xml", "--audit-log=/proc/no/log.jsonl")
    assert answer.code == 1
    problems = [line.removeprefix("recon: ") for line in answer.lines if "recon: --audit" in line]
    root = ET.parse(directory / "j.xml").getroot()  # noqa: S314  # written by the run
    (case,) = [case for case in root.iter("testcase") if case.attrib["name"] == "gate"]
    assert case.attrib["classname"] == "recon"
    assert str(case.findtext("error")).splitlines() == problems
    assert len(problems) == 1


@pytest.mark.parametrize(
    ("ini", "options", "files"),
    [
        ("", [], 1),
        ("1MiB", [], 1),
        ("1 KiB", [], 2),
        ("1", [], 2),
        ("100", ["--audit-rotate=1GiB"], 1),
        ("1GiB", ["--audit-rotate=100B"], 2),
    ],
)
def test_the_size_of_an_audit_log(
    recon: Recon, directory: Path, ini: str, options: list[str], files: int
) -> None:
    """At that size a new file begins; the option comes before the setting."""
    text = (
        f"[pytest]\nrecon_audit_log = a.jsonl\nrecon_audit_rotate = {ini}\n"
        "recon_check_audit_log = on\n"
    )
    (directory / "pytest.ini").write_text(text, encoding="utf-8")
    session = write_session(directory / "s.recon.json")
    for _ in range(2):
        assert recon("check", session, *options).code == 0
    assert (
        len([each for each in directory.glob("a.jsonl*") if each.suffix in (".jsonl", ".1")])
        == files
    )
    assert len(AuditLog("a.jsonl").get_entries_by_event_type("RECON_SUMMARY")) == 2


@pytest.mark.parametrize("size", ["0", "-1", "1.5MiB", "1MB", "MiB", "1 000", "\u0661", "9" * 13])
def test_what_the_size_may_not_be(recon: Recon, directory: Path, size: str) -> None:
    """Wrong usage, as an option and as a setting, before anything is judged."""
    session = write_session(directory / "s.recon.json")
    message = "; expected a size of 1 or more such as 256MiB"
    recon("check", session, f"--audit-rotate={size}").refused(64, "recon_audit_rotate: ", message)
    text = f"[pytest]\nrecon_audit_rotate = {size}\n"
    (directory / "pytest.ini").write_text(text, encoding="utf-8")
    recon("check", session).refused(64, "recon_audit_rotate: ", message)
