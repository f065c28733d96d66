"""Options of `recon audit`: what is wrong usage, which source is asked, what is written."""

import gc
import json
import os
import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest

from .audit_cases import EXPORTS, asked, batch, diff, entry, summary, write_export, write_log
from .conftest import Answer, Recon

MODES = ("summary", "diffs", "detailed", "trend", "verify", "export")
SOURCE = EXPORTS / "z_suffix.json"
WRONG = [
    (["--sevrity", "FAIL"], "No such option"),
    (["--severity", "HIGH"], "--severity"),
    (["--severity"], "--severity"),
    (["--min-severity", ""], "--min-severity"),
    (["--format", "xml"], "--format"),
    (["--limit", "0"], "--limit"),
    (["--limit", "-1"], "--limit"),
    (["--limit", "ten"], "--limit"),
    (["--since", "yesterday"], "'yesterday' is no time"),
    (["--until", "2026-02-30"], "'2026-02-30' is no time"),
    (["--until", ""], "'' is no time"),
    (["--since", "2026-01-02", "--until", "2026-01-01"], "--until is before --since"),
    (["--severity", "INFO", "--min-severity", "WARN"], "no severity named is as high"),
    (["run_456"], "unexpected extra argument"),
    (["--json"], "--json"),
]


@pytest.mark.parametrize(
    ("mode", "words", "problem"), [(mode, *case) for mode, case in product(MODES, WRONG)]
)
def test_wrong_usage(mode: str, words: list[str], problem: str) -> None:
    """64 and one line, in every mode, whatever the log holds."""
    asked(mode, "--json", SOURCE, *words).refused(64, problem)


@pytest.mark.parametrize("words", [["sumary"], ["--format", "json"], ["check"]])
def test_an_unknown_mode(words: list[str]) -> None:
    """Wrong usage too."""
    assert asked(*words).code == 64


def test_recon_audit_is_the_same_command(recon: Recon, recon_audit: Recon) -> None:
    """Under both names, help included; only the usage names itself."""
    for mode in MODES:
        words = [mode, "--json", SOURCE, "--exit-on-findings"]
        assert recon("audit", *words) == recon_audit(*words)
    shown, named = recon_audit(), recon("audit")
    assert (shown.code, named.code) == (1, 1)
    assert shown.out.replace("show_recon_audit ", "recon audit ", 1) == named.out


@pytest.mark.parametrize("mode", MODES)
def test_help_of_every_mode(mode: str) -> None:
    """0, every option with its meaning."""
    answer = asked(mode, "--help")
    assert (answer.code, answer.err) == (0, "")
    for option in ("--format", "--exit-on-findings", "--json", "--since", "--until", "--limit"):
        assert option in answer.out


def test_the_setting_names_the_log(directory: Path) -> None:
    """From wherever in the project the command is called; --json comes first."""
    (directory / "pytest.ini").write_text("[pytest]\nrecon_audit_log = logs/audit.jsonl\n")
    (directory / "logs").mkdir()
    write_log(directory / "logs" / "audit.jsonl", batch(summary("run_of_the_setting")))
    os.chdir(directory / "logs")
    assert asked("summary").lines[0] == "Run run_of_the_setting"
    assert "run_of_the_setting" not in asked("summary", "--json", SOURCE).out


@pytest.mark.parametrize(("mode", "gate"), list(product(MODES, ([], ["--exit-on-findings"]))))
def test_a_log_of_the_setting_that_is_missing(mode: str, gate: list[str], directory: Path) -> None:
    """It was named; that nobody wrote it, or somebody deleted it, is no empty answer."""
    (directory / "pytest.ini").write_text("[pytest]\nrecon_audit_log = audit.jsonl\n")
    asked(mode, *gate).refused(
        1, "recon: audit.jsonl: there is no such file; expected an audit log"
    )


@pytest.mark.parametrize("mode", ["summary", "diffs", "detailed", "trend", "export"])
def test_no_log_at_all(mode: str) -> None:
    """An empty answer, and nothing to judge."""
    for words in ([], ["--format", "json"]):
        plain = asked(mode, *words)
        judged = asked(mode, *words, "--exit-on-findings")
        assert (plain.code, plain.err) == (0, "")
        assert judged.out == plain.out
        assert judged.code == 1
        assert judged.err == (
            "recon: no audit log is named, so there is nothing to judge; expected --json or the "
            "setting recon_audit_log\n"
        )


@pytest.mark.parametrize(
    ("words", "runs"),
    [
        (["--since", "2026-01-01"], ["b", "c", "d", "e"]),
        (["--since", "2026-01-01T00:00:00.000001Z"], ["c", "d", "e"]),
        (["--since", "2026-01-01T01:00:00+01:00"], ["b", "c", "d", "e"]),
        (["--since", "2026-01-01T12"], ["c", "d", "e"]),
        (["--until", "2025-12-31"], ["a"]),
        (["--until", "2026-01-01"], ["a", "b", "c", "d"]),
        (["--until", "2026-01-01T12:00:00"], ["a", "b", "c"]),
        (["--since", "2026-01-01", "--until", "2026-01-01"], ["b", "c", "d"]),
        (["--since", "2026-01-01T12:00:00Z", "--until", "2026-01-01T12:00:00Z"], ["c"]),
    ],
)
def test_times_and_dates(words: list[str], runs: list[str], tmp_path: Path) -> None:
    """Both ends are included; a date is the whole of its day in UTC."""
    times = {
        "a": "2025-12-31T23:59:59.999999Z",
        "b": "2026-01-01T00:00:00Z",
        "c": "2026-01-01T12:00:00",
        "d": "2026-01-01T23:59:59.999999Z",
        "e": "2026-01-02T00:30:00+00:00",
    }
    path = write_export(
        tmp_path / "a.json", [summary(run, {}, time) for run, time in times.items()]
    )
    answer = asked("summary", "--json", path, "--format", "json", *words).json
    assert [item["run_id"] for item in answer["items"]] == runs


def test_an_export_is_written_whole(tmp_path: Path) -> None:
    """As it would be printed; what stood there before is replaced."""
    entries = [*batch(summary("run_1", {"FAIL": 1}), diff()), entry("ORDER_FILLED", {"x": 1})]
    log, target = write_log(tmp_path / "audit.jsonl", entries), tmp_path / "export.json"
    target.write_text("[old]")
    printed = asked("export", "--json", log)
    assert asked("export", "--json", log, "--output", target) == Answer(
        0, "5 entries written to export.json\n", ""
    )
    assert target.read_text() == printed.out
    loaded = json.loads(printed.out)
    assert [list(each) for each in loaded] == [list(entry("", {}))] * 5
    named = asked("export", "--json", log, "--output", target, "--format", "json").json
    assert named["items"] == [{"output": str(target), "entries": 5}]
    # The verdict comes after the answer.
    judged = asked("export", "--json", log, "--output", target, "--exit-on-findings")
    assert (judged.code, judged.err) == (2, "recon: 1 finding in 1 run\n")


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        ([], [1, 2, 3, 4, 5, 6, 7, 8, 9]),
        (["--run-id", "run_1"], [1, 2, 3, 4]),
        (["--run-id", "run_2"], [6, 7, 8, 9]),
        (["--severity", "WARN"], [1, 2, 4, 6, 7, 8, 9]),
        (["--min-severity", "CRITICAL"], [1, 2, 4, 6, 7, 9]),
        (["--limit", "1"], [6, 7, 8, 9]),
        (["--limit", "2"], [1, 2, 3, 4, 6, 7, 8, 9]),
        (["--session-id", "session_A", "--limit", "9"], [1, 2, 3, 4, 6, 7, 8, 9]),
    ],
)
def test_what_an_export_holds(words: list[str], kept: list[int], tmp_path: Path) -> None:
    """Whole runs with their brackets; entries of no run where nothing is left out."""
    entries = [
        *batch(summary("run_1", {"FAIL": 1}), diff("run_1")),
        entry("ORDER_FILLED", {}),
        *batch(summary("run_2", {"WARN": 1}), diff("run_2", "WARN")),
    ]
    log = write_log(tmp_path / "audit.jsonl", entries)
    answer = asked("export", "--json", log, *words)
    assert [each["sequence"] for each in json.loads(answer.out)] == kept
    assert answer.err == ("recon: --limit left out 1 of 2\n" if words == ["--limit", "1"] else "")


def test_an_export_keeps_the_order_of_mixed_runs(tmp_path: Path) -> None:
    """A foreign log may have the diffs of several runs after all their summaries."""
    entries = [diff("b"), summary("a"), summary("b"), diff("a"), diff("b"), summary("c")]
    path = write_export(tmp_path / "audit.json", entries)
    answer = asked("export", "--json", path, "--strategy-id", "ma_crossover")
    assert [each["sequence"] for each in json.loads(answer.out)] == [1, 2, 3, 4, 5, 6]


def test_an_export_keeps_a_trace_of_a_run_without_a_summary(tmp_path: Path) -> None:
    """Or the export could be called clear, and the log could not."""
    entries = [summary("clean"), diff("lost", "INFO"), diff("lost", "INFO")]
    path = write_export(tmp_path / "audit.json", entries)
    words = ["--min-severity", "WARN"]
    part = asked("export", "--json", path, *words).out.encode()
    assert [each["details"]["run_id"] for each in json.loads(part)] == ["clean", "lost"]
    for source, content in ((path, b""), ("-", part)):
        judged = asked("diffs", "--json", source, "--exit-on-findings", *words, stdin=content)
        assert judged.code == 1
        assert "run lost has no summary" in judged.err


def test_where_an_export_may_not_be_written(tmp_path: Path) -> None:
    """Not over the log that is read, over a device or a directory, and not half."""
    log = write_log(tmp_path / "audit.jsonl", batch(summary()))
    content = log.read_bytes()
    link = tmp_path / "link.json"
    link.symlink_to(log)
    for target in (log, link, tmp_path, Path(os.devnull), ""):
        asked("export", "--json", log, "--output", target).refused(64, "--output")
    asked("export", "--json", log, "--output", tmp_path / "no" / "x").refused(
        1, "recon: x: cannot be written: No such file or directory\n"
    )
    assert log.read_bytes() == content
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"audit.jsonl", "link.json", "pytest.ini"}


@pytest.mark.large
def test_nothing_is_printed_of_an_export_of_a_damaged_log(tmp_path: Path) -> None:
    """Also where thousands of lines before the damage are in order."""
    log = write_log(tmp_path / "audit.jsonl", batch(summary()) * 3000)
    target = tmp_path / "export.json"
    log.write_bytes(log.read_bytes() + b"{}\n")
    asked("export", "--json", log).refused(1, "audit.jsonl: line 9001: is no entry of an audit log")
    asked("export", "--json", log, "--output", target).refused(1, "line 9001")
    assert not target.exists()


def test_the_console_script_in_a_pipe(tmp_path: Path) -> None:
    """A reader that goes away is no traceback; what an encoding lacks is escaped."""
    log = write_log(tmp_path / "audit.jsonl", batch(summary("größe 数", {"INFO": 60})) * 500)
    code = "from recon_core.cli import main; main()"
    words = [sys.executable, "-c", code, "audit", "summary", "--json", str(log)]
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == b"Run gr\xf6\xdfe \\u6570\n"
        process.stdout.close()
        assert process.stderr.read() == b"recon: output cannot be written: Broken pipe\n"
    charted = subprocess.run(
        [*words[:4], "trend", *words[5:]], capture_output=True, env=environment, check=True
    )
    assert b"\\u2588" in charted.stdout
    assert b"\x1b" not in charted.stdout


def test_standard_input_of_a_process(tmp_path: Path) -> None:
    """`-` reads a log or an export from a pipe, and verifies it."""
    code = "from recon_core.cli import show_recon_audit; show_recon_audit()"
    log = write_log(tmp_path / "audit.jsonl", batch(summary("run_1", {"WARN": 1})))
    ended = subprocess.run(
        [sys.executable, "-c", code, "verify", "--json", "-", "--exit-on-findings"],
        input=log.read_bytes(),
        capture_output=True,
        check=False,
    )
    assert ended.returncode == 2
    assert ended.stdout.startswith(b"OK: 3 entries, 1 run, head ")
    assert ended.stderr == b"recon: 1 finding in 1 run\n"


@pytest.mark.parametrize("enabled", [True, False])
def test_a_question_leaves_the_garbage_collector_as_it_was(enabled: bool) -> None:  # noqa: FBT001
    """It is paused while entries are read, for a program that asks as well."""
    before = gc.isenabled()
    try:
        (gc.enable if enabled else gc.disable)()
        assert asked("summary", "--json", EXPORTS / "a_empty.json").code == 0
        assert gc.isenabled() is enabled
    finally:
        (gc.enable if before else gc.disable)()
