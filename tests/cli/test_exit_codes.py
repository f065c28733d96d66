"""The table of exit codes in the README, a test per cell."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from recon_core import cli

ROOT = Path(__file__).parents[2]
SUITE = ROOT / "examples" / "suite"
EXPORTS = Path(__file__).parents[1] / "data" / "audit-exports"
CLEAN, FOUND = EXPORTS / "b_zero_diffs_one_run.json", EXPORTS / "c_engine_warn_fail_mix.json"
GATE = "--exit-on-findings"

Cells = dict[int, dict[str, tuple[object, ...]]]

AUDIT: Cells = {
    0: {
        "answered": ("summary", "--json", FOUND),
        "answered, empty": ("summary", "--json", EXPORTS / "a_empty.json"),
        "answered, no log": ("summary",),
        "no finding": ("summary", "--json", CLEAN, GATE),
        "no finding left": ("diffs", "--json", CLEAN, GATE, "--severity", "CRITICAL"),
        "help": ("--help",),
        "help of a mode": ("trend", "--help"),
    },
    1: {
        "no arguments": (),
        "no log": ("summary", GATE),
        "empty log": ("diffs", "--json", EXPORTS / "a_empty.json", GATE),
        "no run left": ("summary", "--json", CLEAN, GATE, "--session-id", "another"),
        "missing log": ("summary", "--json", "missing.json"),
        "damaged log": ("diffs", "--json", EXPORTS / "bad_truncated.json"),
        "no log at all": ("trend", "--json", EXPORTS / "bad_object.json"),
        "unknown run": ("detailed", "--json", FOUND, "--run-id", "unknown"),
        "an export has no chain": ("verify", "--json", FOUND),
    },
    2: {
        "findings in a summary": ("summary", "--json", FOUND, GATE),
        "findings in diffs": ("diffs", "--json", FOUND, GATE, "--limit", "1"),
        "findings in detail": ("detailed", "--json", FOUND, GATE),
        "findings in a trend": ("trend", "--json", FOUND, GATE),
        "findings in an export": ("export", "--json", FOUND, GATE),
    },
    64: {
        "unknown option": ("summary", "--formt", "json"),
        "unknown mode": ("sumary",),
        "unknown choice": ("summary", "--format", "xml"),
        "unknown severity": ("diffs", "--severity", "BAD"),
        "no time": ("diffs", "--since", "yesterday"),
        "no number": ("diffs", "--limit", "x"),
        "a limit of nothing": ("diffs", "--limit", "0"),
        "no hash": ("verify", "--expect-head", "abc"),
        "an argument too many": ("summary", "more"),
    },
}
CHECK: Cells = {
    0: {"clear": (SUITE / "clear",), "help": ("--help",)},
    1: {
        "nothing readable": (SUITE / "blocked" / "truncated.recon.json",),
        "nothing compared": ("empty.recon.json",),
        "report not written": (SUITE / "clear", "--junit", "file/recon.xml"),
        "trail not written": (SUITE / "clear", "--audit-log", "file/audit.jsonl"),
        "trail damaged": (SUITE / "clear", "--audit-log", "file"),
    },
    2: {
        "blocked": (SUITE / "blocked",),
        "blocked by a WARN": (SUITE / "clear", "--fail-on", "warn"),
        "one of several unreadable": (
            SUITE / "clear",
            SUITE / "blocked" / "truncated.recon.json",
        ),
    },
    64: {
        "no session": (),
        "matches nothing": ("missing.recon.json",),
        "unknown option": (SUITE / "clear", "--polcy", "x"),
        "policy missing": (SUITE / "clear", "--policy", "missing.toml"),
        "policy of no use": (SUITE / "clear", "--policy", "file"),
        "unknown choice": (SUITE / "clear", "--fail-on", "info"),
    },
}


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A directory with a session in which nothing is, and a file that is no report."""
    (tmp_path / "empty.recon.json").write_text(
        '{"schema": "recon.session/1", "session_id": "empty",'
        ' "internal": {"as_of": "2026-01-01T12:00:00Z", "positions": {}, "cash": {}},'
        ' "external": {"as_of": "2026-01-01T12:00:00Z", "positions": {}, "cash": {}}}'
    )
    (tmp_path / "file").write_text("no log\n")
    monkeypatch.chdir(tmp_path)


def status_of(command: Callable[[list[str]], None], *arguments: object) -> int:
    """The exit status of a command."""
    with pytest.raises(SystemExit) as ending:
        command([str(argument) for argument in arguments])
    code = ending.value.code
    assert code is None or isinstance(code, int)
    return code or 0


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param(arguments, expected, id=f"{expected} {name}")
        for expected, cell in AUDIT.items()
        for name, arguments in cell.items()
    ],
)
def test_recon_audit(
    capsys: pytest.CaptureFixture[str], arguments: tuple[object, ...], expected: int
) -> None:
    """A cell of the column `recon audit`; `show_recon_audit` ends the same way."""
    assert status_of(cli.main, "audit", *arguments) == expected
    assert status_of(cli.show_recon_audit, *arguments) == expected
    assert "Traceback" not in "".join(capsys.readouterr())


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param(arguments, expected, id=f"{expected} {name}")
        for expected, cell in CHECK.items()
        for name, arguments in cell.items()
    ],
)
def test_recon_check(
    capsys: pytest.CaptureFixture[str], arguments: tuple[object, ...], expected: int
) -> None:
    """A cell of the column `recon check`."""
    assert status_of(cli.main, "check", *arguments) == expected
    assert "Traceback" not in "".join(capsys.readouterr())


def test_the_readme_has_these_codes() -> None:
    """One table, with a row for each status."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    head = "| status | `recon audit`, `recon explain` | `recon check` |"
    table = text.partition(head)[2].partition("\n\n")[0]
    assert [int(code) for code in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)] == [*AUDIT]
    assert [*AUDIT] == [*CHECK]
