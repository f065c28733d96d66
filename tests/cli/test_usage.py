"""The command as a whole: help, version, wrong usage, exit codes, closed pipes."""

import errno
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from itertools import cycle, product
from pathlib import Path

import click
import pytest
from click.shell_completion import ShellComplete

import recon_core
from recon_core.cli import app
from recon_core.values.errors import AuditError, ReconError
from tests.warm import warm_python

from .conftest import EXAMPLES, Recon, write_session

ESCAPE = "\x1b"


def run(*words: str, **settings: object) -> subprocess.CompletedProcess[str]:
    """`python -m recon_core.cli` with `words`."""
    command = [warm_python(), "-m", "recon_core.cli", *words]
    settings = {"capture_output": True, "text": True, **settings}
    return subprocess.run(command, check=False, **settings)  # type: ignore[call-overload, no-any-return]


@pytest.mark.parametrize("words", [[], ["audit"]], ids=" ".join)
def test_without_arguments_the_usage_is_printed(recon: Recon, words: list[str]) -> None:
    """On standard output, with status 1: nothing was asked, so nothing is clear."""
    answer = recon(*words)
    assert answer.code == 1
    assert answer.lines[0].startswith(" ".join(["Usage: recon", *words]))
    assert "Commands:" in answer.out
    assert answer.err == ""


def test_the_runbooks_command_without_arguments_prints_its_usage(recon_audit: Recon) -> None:
    """Under its own name, with the modes and options (design, "The runbook")."""
    answer = recon_audit()
    assert answer.code == 1
    assert answer.lines[0].startswith("Usage: show_recon_audit")
    assert "summary" in answer.out


MISSPELT: dict[str, tuple[list[str], str]] = {
    "a command": (["chek"], "no such command 'chek'; did you mean check?"),
    "no command": (
        ["xyz"],
        "no such command 'xyz'; expected one of check, audit, alert, explain, ",
    ),
    "a sub-command": (["audit", "sumary"], "Did you mean 'summary'?"),
    "an option": (["check", "a", "--explan=off"], "Did you mean '--explain'?"),
    "a format": (["formats", "kraken_trade"], "did you mean kraken_trades?"),
    "a session": (["check", "day0.recon.json"], "; did you mean day01.recon.json?;"),
    "a session below": (["check", "./day0.recon.json"], "; did you mean ./day01.recon.json?;"),
    "a directory": (["check", "sesions"], "; did you mean sessions?;"),
    "a path": (["explain", "sessions/a/dya.recon.json"], "mean sessions/a/day.recon.json?;"),
    "nothing near": (["check", "xyz"], "or a pattern; see recon check"),
    "nothing there": (["check", "there/xyz"], "or a pattern; see recon check"),
}


@pytest.mark.parametrize(("words", "part"), MISSPELT.values(), ids=MISSPELT)
def test_a_misspelt_name_is_answered_with_the_nearest(
    recon: Recon, directory: Path, words: list[str], part: str
) -> None:
    """In one line, for commands, options, formats, session files and directories."""
    write_session(directory / "day01.recon.json")
    write_session(directory / "sessions" / "a" / "day.recon.json")
    (directory / "xyz.txt").touch()
    recon(*words).refused(64, part)


@pytest.mark.parametrize("option", ["--help", "-h"])
@pytest.mark.parametrize("command", ["", "check", "audit", "formats", "schema", "completion"])
def test_help_names_examples(recon: Recon, command: str, option: str) -> None:
    """Every command has some, and its help is no error."""
    answer = recon(*command.split(), option)
    assert (answer.code, answer.err) == (0, "")
    assert "Examples:" in answer.out
    assert f"recon {command}".strip() in answer.out
    assert ESCAPE not in answer.out


def test_the_help_lists_every_command(recon: Recon) -> None:
    """With one line each."""
    listed = recon("--help").out.partition("Commands:\n")[2].partition("\n\n")[0]
    assert [line.split()[0] for line in listed.splitlines()] == list(app.COMMANDS)
    assert all(len(line.split()) > 2 for line in listed.splitlines())


def test_the_help_of_check_says_whose_hooks_are_called() -> None:
    """Those in a conftest belong to pytest; a reader must not believe otherwise."""
    help_text = " ".join(run("check", "--help").stdout.split())
    assert "those in a conftest.py belong to pytest and are not loaded" in help_text


def test_the_version_is_the_packages(recon: Recon) -> None:
    """On one line."""
    assert recon("--version").out == f"recon {recon_core.__version__}\n"


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["chek"], ["chek", "recon --help"]),
        (["--verbos"], ["--verbos"]),
        (["check"], ["SESSION", "recon check --help"]),
        (["check", "x", "--polcy", "p"], ["--polcy"]),
        (["check", "x", "--format", "xml"], ["xml", "text", "json"]),
        (["check", "x", "--fail-on", "info"], ["info", "fail", "warn"]),
        (["check", "x", "--top-n", "-1"], ["-1"]),
        (["check", "x", "--top-n", "ten"], ["ten"]),
        (["check", "x", "--policy"], ["--policy"]),
        (["schema"], ["NAME", "audit-entry"]),
        (["schema", "sessions"], ["sessions", "audit-entry"]),
        (["schema", "session", "policy"], ["policy"]),
        (["completion", "csh"], ["csh", "bash"]),
        (["audit", "sumary"], ["sumary"]),
        (["check", "a\x1b[2Jb\nc"], ["\\x1b[2Jb"]),
        (["--\x1b[2J"], ["\\x1b"]),
    ],
    ids=" ".join,
)
def test_wrong_usage_is_64(recon: Recon, words: list[str], parts: list[str]) -> None:
    """One line on stderr that names what was wrong, made safe, and where help is."""
    recon(*words).refused(64, *parts)


@pytest.mark.parametrize(
    ("raised", "code", "line"),
    [
        (ReconError("no such thing"), 1, "recon: no such thing\n"),
        (AuditError("log: line 2: is cut off"), 1, "recon: log: line 2: is cut off\n"),
        (click.UsageError("No such thing."), 64, "recon: No such thing; see recon --help\n"),
        (click.FileError("f", "gone"), 1, "recon: Could not open file 'f': gone\n"),
        (OSError(errno.ENOSPC, "No space"), 1, "recon: output cannot be written: No space\n"),
        (OSError(errno.ENOENT, "No such file"), 1, "recon: No such file\n"),
        (ZeroDivisionError("a\nb\x1b"), 1, "recon: internal error: ZeroDivisionError: a b\\x1b\n"),
        (KeyboardInterrupt(), 130, "\nrecon: interrupted: no answer\n"),
        (click.Abort(), 130, "recon: interrupted: no answer\n"),
        (SystemExit(2), 2, ""),
        (SystemExit(None), 0, ""),
        (SystemExit("no number"), 1, "recon: no number\n"),
        (click.exceptions.Exit(3), 3, ""),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_how_a_command_ends_decides_the_status(
    capsys: pytest.CaptureFixture[str], raised: BaseException, code: int, line: str
) -> None:
    """Never with a traceback; only an exit with 0 or a plain return is 0."""

    @click.command()
    def command() -> None:
        raise raised

    with pytest.raises(SystemExit) as ending:
        app.run(command, "recon", [])
    assert ending.value.code == code
    assert capsys.readouterr() == ("", line)


def test_a_command_that_returns_is_answered(capsys: pytest.CaptureFixture[str]) -> None:
    """Status 0."""
    with pytest.raises(SystemExit) as ending:
        app.run(click.command()(lambda: click.echo("yes")), "recon", [])
    assert (ending.value.code, capsys.readouterr().out) == (0, "yes\n")


CLEAR = str(EXAMPLES / "minimal" / "clear.recon.json")
WHO = ("--owner", "desk", "--reason", "known", "--expires", "30d")
COMMANDS: dict[str, tuple[list[str], int]] = {
    "check": (["check", CLEAR], 0),
    "blocked": (["check", str(EXAMPLES / "suite")], 2),
    "json": (["check", CLEAR, "--format=json"], 0),
    "report": (["check", CLEAR, "--report=json:-"], 0),
    "explain": (["explain", CLEAR], 0),
    "repair": (["repair", CLEAR, "-o", "repair.json"], 0),
    "convert": (["convert", CLEAR, "-o", "c.recon.json"], 0),
    "formats": (["formats"], 0),
    "init": (["init", "--forge", "none"], 0),
    "policy": (["policy", "check"], 0),
    "waive": (["waive", "gone", "cash::EUR", *WHO, "--json", "log.jsonl"], 1),
    "baseline": (["baseline", "write", *WHO, "--json", "log.jsonl"], 1),
    "compare": (["audit", "compare", "last", "last", "--json", "log.jsonl"], 0),
    "audit": (["audit", "summary", "--json", "log.jsonl"], 0),
    "export": (["audit", "export", "--json", "log.jsonl", "--output", "e.json"], 0),
    "verify": (["audit", "verify", "--json", "log.jsonl"], 0),
    "head": (["audit", "head", "--json", "log.jsonl"], 0),
    "load": (["audit", "load", "sqlite:///audit.db", "--json", "log.jsonl"], 0),
    "alert": (["alert", "--json", "log.jsonl", "--dry-run"], 0),
    "schema": (["schema", "session"], 0),
    "completion": (["completion", "bash"], 0),
    "help": (["--help"], 0),
    "version": (["--version"], 0),
    "usage": (["check", "gone"], 64),
    "unjudged": (["audit", "verify", "--json", "gone.jsonl"], 1),
}
"""Words of the command line, and the code where both streams take everything."""

FULL = pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
STREAMS = {
    ">&-": "Bad file descriptor",
    ">/dev/full": "No space left on device",
    "": "Broken pipe",  # of which nobody reads
}
"""What takes no answer, and why not."""

PAIRS = list(product(COMMANDS, STREAMS))
if os.environ.get("RECON_TEST_SIZE") != "soak":
    # Each command once, each stream with some of them.
    PAIRS = list(zip(COMMANDS, cycle(STREAMS), strict=False))


@pytest.fixture(scope="module")
def written_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An audit log of one run."""
    log = tmp_path_factory.mktemp("log") / "log.jsonl"
    assert run("check", CLEAR, "--audit-log", str(log)).returncode == 0
    return log


def redirected(words: list[str], redirection: str) -> subprocess.CompletedProcess[str]:
    """Run a command whose standard output is a pipe that nobody reads, or is redirected."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        command = shlex.join([warm_python(), "-m", "recon_core.cli", *words])
        return subprocess.run(
            ["sh", "-c", f"{command} {redirection}"],
            check=False,
            text=True,
            stdout=writing,
            stderr=subprocess.PIPE,
        )
    finally:
        os.close(writing)


@FULL
@pytest.mark.parametrize(("command", "redirection"), PAIRS)
def test_an_answer_that_is_not_taken_is_one_line(
    written_log: Path, directory: Path, command: str, redirection: str
) -> None:
    """An answer that could not be written is none: 1, and 64 for wrong usage."""
    shutil.copy(written_log, directory)
    words, code = COMMANDS[command]
    result = redirected(words, redirection)
    assert result.returncode == (code if code == app.WRONG_USAGE else app.CANNOT_JUDGE)
    assert result.stderr.count("\n") == 1
    if code in (app.CLEAR, app.FINDINGS):
        assert result.stderr == f"recon: output cannot be written: {STREAMS[redirection]}\n"


@pytest.mark.parametrize("redirection", ["2>&-", pytest.param("2>/dev/full", marks=FULL)])
@pytest.mark.parametrize("command", ["check", "blocked", "usage", "unjudged"])
def test_standard_error_is_missed_where_it_is_written_to(
    directory: Path, command: str, redirection: str
) -> None:
    """A clear run says nothing there; the code of any other is not 0."""
    words, code = COMMANDS[command]
    result = redirected(words, f">out {redirection}")
    assert (result.returncode, result.stderr) == (code, "")
    assert bool((directory / "out").read_text(encoding="utf-8")) is (code in (0, 2))


@pytest.mark.parametrize("redirection", ["2>&-", pytest.param("2>/dev/full", marks=FULL)])
def test_a_remark_that_is_not_taken_is_not_0(
    written_log: Path, directory: Path, redirection: str
) -> None:
    """Why an answer is empty is said on standard error alone."""
    shutil.copy(written_log, directory)
    words = ["audit", "diffs", "--json", "log.jsonl", "--session-id", "other"]
    assert redirected(words, ">out").returncode == 0
    assert redirected(words, f">out {redirection}").returncode == app.CANNOT_JUDGE


def test_text_that_a_terminal_cannot_show_is_escaped(tmp_path: Path) -> None:
    """A narrow encoding is no reason to fail."""
    cash = {"EUR": "1"}
    session = write_session(tmp_path / "s.recon.json", session_id="späť", external_cash=cash)
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    result = run("check", str(session), env=environment, encoding="latin-1")
    assert (result.returncode, result.stderr) == (2, "")
    assert "spä\\u0165" in result.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script(recon: Recon, shell: str) -> None:
    """For each shell that click knows."""
    answer = recon("completion", shell)
    assert answer.code == 0
    assert "_RECON_COMPLETE" in answer.out


@pytest.mark.parametrize(
    ("words", "word", "expected"),
    [
        (
            "recon ",
            "1",
            {*app.COMMANDS},
        ),
        ("recon check --f", "2", {"--fail-on", "--format"}),
        ("recon schema a", "2", {"audit-entry"}),
    ],
)
def test_completion_knows_the_words(words: str, word: str, expected: set[str]) -> None:
    """What the script asks for when a key is pressed."""
    asked = {"_RECON_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": word}
    result = run(env={**os.environ, **asked})
    assert result.stderr == ""
    assert {line.partition(",")[2] for line in result.stdout.splitlines()} == expected


def loaded_by(code: str) -> set[str]:
    """The modules that a fresh interpreter has after `code`."""
    command = [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"]
    result = subprocess.run(command, capture_output=True, check=True, text=True)
    return set(result.stdout.split())


HEAVY = {
    "pydantic",
    "recon_core.engine.reconciliation",
    "tabulate",
    "junit_xml",
    "rfc8785",
    "filelock",
}


@pytest.mark.parametrize(
    "module", ["recon_core.cli", "recon_core.cli.check", "recon_core.cli.schema"]
)
def test_the_help_loads_nothing_heavy(module: str) -> None:
    """Completion runs the command at every key press."""
    assert not loaded_by(f"import {module}") & HEAVY


def test_a_session_loads_nothing_that_others_are_read_by() -> None:
    """Columns are for tables beside a session, formats of one side for a side that names one."""
    loaded = loaded_by(
        "from recon_core.cli.app import recon\n"
        f"recon.main(['check', '-j1', {CLEAR!r}], standalone_mode=False)"
    )
    assert "recon_core.sessions.native" in loaded
    assert not {name for name in loaded if name.startswith("recon_core.columns.")}
    assert not loaded & {"recon_core.sessions.column_tables", "recon_core.sessions.foreign"}


def test_a_sub_command_is_loaded_when_it_is_asked_for() -> None:
    """`recon schema` does not wait for what the audit needs."""
    assert not loaded_by("import recon_core.cli") & {"recon_core.cli.check", "recon_core.cli.audit"}


@pytest.mark.parametrize(
    "written", [app.main, app.show_recon_audit], ids=lambda main: main.__name__
)
def test_the_console_scripts_take_the_process_arguments(
    written: Callable[[], None], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Called without any, as an entry point is."""
    monkeypatch.setattr(sys, "argv", ["recon", "--help"])
    with pytest.raises(SystemExit) as ending:
        written()
    assert ending.value.code == 0
    assert capsys.readouterr().out.startswith(f"Usage: {written.__name__.replace('main', 'recon')}")


def test_completion_of_the_first_word_names_the_commands() -> None:
    """Without a word the shell is offered the commands, and no help is printed into its line."""
    completer = ShellComplete(app.recon, {}, "recon", "_RECON_COMPLETE")
    names = [item.value for item in completer.get_completions([], "")]
    assert {"audit", "check", "explain"} <= set(names)
