"""Nothing to compare, or too little, is never clear."""

from pathlib import Path
from typing import Any

import pytest

from recon_core.reports.side_names import SideNames

from .conftest import (
    CLEAR_COMPARISONS,
    WARN_LINE,
    final_line,
    run_pytest,
    side_document,
    write_session,
)

RECORDING_CONFTEST = """
def pytest_runtest_logstart(nodeid):
    with open("ran.txt", "a") as file:
        file.write(nodeid)

def pytest_collection():
    with open("ran.txt", "a") as file:
        file.write("collected")
"""

EMPTY: dict[str, Any] = side_document([], [])


@pytest.mark.parametrize(
    "name",
    ["missing.recon.json", "empty", "", "*.recon.json", "**/*.recon.json", "missing/", "clear[.]x"],
)
def test_session_that_matches_nothing(pytester: pytest.Pytester, name: str) -> None:
    """A name that matches nothing is a usage error, before anything is collected or run."""
    pytester.mkdir("empty")
    pytester.makeconftest(RECORDING_CONFTEST)
    pytester.makepyfile(test_project="def test_passes(): pass")
    result = run_pytest(pytester, f"--recon-session={name}", "test_project.py")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    error = (
        f"ERROR: --recon-session: {name!r} matches no recorded session; expected a file, "
        "a directory that holds some, or a pattern"
    )
    assert [line for line in result.errlines if line] == [error]
    assert not (pytester.path / "ran.txt").exists()


@pytest.mark.usefixtures("clear_session")
def test_one_name_of_two_matches_nothing(pytester: pytest.Pytester) -> None:
    """A good session beside it does not make up for a name that matches nothing."""
    sessions = ["--recon-session=clear.recon.json", "--recon-session=typo.recon.json"]
    result = run_pytest(pytester, *sessions)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --recon-session: 'typo.recon.json' matches no *"])


@pytest.mark.parametrize("arguments", [(), ("--no-recon-gate",), ("-n2",)])
def test_ini_session_that_matches_nothing(
    pytester: pytest.Pytester, arguments: tuple[str, ...]
) -> None:
    """The ini's names are held to the same."""
    pytester.makeini("[pytest]\nrecon_sessions = typo.recon.json\n")
    result = run_pytest(pytester, *arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: recon_sessions: 'typo.recon.json' matches no *"])


@pytest.mark.parametrize(
    ("overrides", "severity", "message"),
    [
        (
            {"internal": EMPTY, "external": EMPTY},
            "FAIL",
            "both sides are empty or report nothing in common: nothing was compared",
        ),
        ({"external": None}, "FAIL", "the session has no external side"),
        ({"internal": None}, "FAIL", "the session has no internal side"),
        (
            {"internal": None, "external": None},
            "FAIL",
            "the session has no internal and no external side",
        ),
        (
            {"external_positions": None},
            "FAIL",
            "positions: reported by internal, not by external",
        ),
        ({"external_cash": None}, "FAIL", "cash: reported by internal, not by external"),
        (
            {"positions": None, "external_positions": {"BTC/EUR": "1"}},
            "FAIL",
            "positions: reported by external, not by internal",
        ),
        (
            {"cash": None, "external_cash": {"EUR": "1"}},
            "FAIL",
            "cash: reported by external, not by internal",
        ),
        (
            {"positions": None, "cash": None},
            "FAIL",
            "both sides are empty or report nothing in common: nothing was compared",
        ),
        (
            {"external": {"mirror": "internal"}},
            "WARN",
            "the external side mirrors the internal one: no exchange was asked",
        ),
        (
            {"internal": EMPTY, "external": {"mirror": "internal"}},
            "FAIL",
            "both sides are empty or report nothing in common: nothing was compared",
        ),
        (
            {"internal": None, "external": {"mirror": "internal"}},
            "FAIL",
            "the session has no internal and no external side",
        ),
    ],
)
def test_coverage(
    pytester: pytest.Pytester, overrides: dict[str, Any], severity: str, message: str
) -> None:
    """What one side does not report is a finding of `session::coverage`."""
    write_session(pytester.path / "thin.recon.json", **overrides)
    result = run_pytest(pytester, "--recon-session=thin.recon.json", "-rxf")
    warned = severity == "WARN"
    assert result.ret == (0 if warned else 1)
    outcome = "XFAIL" if warned else "FAILED"
    result.stdout.fnmatch_lines([f"{outcome} thin.recon.json::session::coverage*"])
    said = " ".join(result.stdout.str().split())
    assert f"{severity} session coverage {SideNames().said(message)}" in said
    if not warned:
        assert final_line(result) == "RECON: BLOCKED (1 FAIL in 1 session)"


def test_mirror_is_expected_to_fail(pytester: pytest.Pytester) -> None:
    """A mirror compares everything, and one xfail says that no exchange was asked."""
    write_session(pytester.path / "mock.recon.json", external={"mirror": "internal"})
    result = run_pytest(pytester, "--recon-session=mock.recon.json")
    result.assert_outcomes(passed=CLEAR_COMPARISONS - 1, xfailed=1, warnings=1)
    assert final_line(result) == WARN_LINE


def test_section_that_the_policy_does_not_require(pytester: pytest.Pytester) -> None:
    """A one-sided section is a note where the policy does not require it."""
    (pytester.path / "recon.toml").write_text('require = ["cash"]\n')
    write_session(pytester.path / "thin.recon.json", external_positions=None)
    result = run_pytest(pytester, "--recon-session=thin.recon.json")
    assert result.ret == 0
    assert final_line(result) == "RECON: CLEAR (1 session, 5 comparisons)"


@pytest.mark.parametrize("workers", [(), ("-n2",)])
@pytest.mark.usefixtures("clear_session")
def test_truncated_file(pytester: pytest.Pytester, workers: tuple[str, ...]) -> None:
    """A file that is cut off is one CRITICAL item; the good session beside it still runs."""
    path = write_session(pytester.path / "cut.recon.json")
    path.write_text(path.read_text()[:-40])
    result = run_pytest(pytester, *workers, f"--recon-session={pytester.path}")
    result.assert_outcomes(passed=CLEAR_COMPARISONS, failed=1)
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            "*_ session readable (cut.recon.json) _*",
            "CRITICAL  session readable  cut.recon.json: *",
            "1 CRITICAL  cut (cut.recon.json), shown above",
        ]
    )
    assert final_line(result) == "RECON: BLOCKED (1 CRITICAL in 2 sessions)"


@pytest.mark.parametrize("content", ["", "{}", "[]", "null", "0", '"text"', "{\n", "\0" * 100])
@pytest.mark.usefixtures("clear_session")
def test_file_without_a_session(pytester: pytest.Pytester, content: str) -> None:
    """A file that holds no session is CRITICAL, however little it holds."""
    (pytester.path / "empty.recon.json").write_text(content)
    result = run_pytest(pytester, f"--recon-session={pytester.path}")
    result.assert_outcomes(passed=CLEAR_COMPARISONS, failed=1)
    assert final_line(result) == "RECON: BLOCKED (1 CRITICAL in 2 sessions)"


@pytest.mark.parametrize("workers", [(), ("-n2",)])
@pytest.mark.parametrize(
    ("arguments", "ini"), [(("--recon-gate",), ""), ((), "[pytest]\nrecon_gate = true\n")]
)
def test_gate_without_a_session(
    pytester: pytest.Pytester, arguments: tuple[str, ...], ini: str, workers: tuple[str, ...]
) -> None:
    """A gate that was asked for is an error where no session was collected."""
    pytester.makeini(ini or "[pytest]\n")
    pytester.makepyfile(test_project="def test_passes(): pass")
    result = run_pytest(pytester, *arguments, *workers)
    result.assert_outcomes(passed=1)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["recon: the gate is on and no recorded session was collected"])
    assert final_line(result) == "RECON: INCOMPLETE (no comparison ran, 1 problem above)"


@pytest.mark.parametrize("arguments", [("--recon-gate",), ("--recon-gate", "-n2")])
def test_gate_without_anything(pytester: pytest.Pytester, arguments: tuple[str, ...]) -> None:
    """With no test at all the status is the gate's, not pytest's 5."""
    result = run_pytest(pytester, *arguments)
    assert result.ret == 1
    assert final_line(result) == "RECON: INCOMPLETE (no comparison ran, 1 problem above)"


@pytest.mark.parametrize(
    ("arguments", "ini", "status", "line"),
    [
        ((), "", 0, "RECON: INCOMPLETE (1 of 7 comparisons ran)"),
        (("--recon-gate",), "", 1, "RECON: INCOMPLETE (1 of 7 comparisons ran)"),
        ((), "recon_gate = true", 1, "RECON: INCOMPLETE (1 of 7 comparisons ran)"),
        (("--no-recon-gate",), "recon_gate = true", 0, "RECON: INCOMPLETE (1 of 7 comparisons *"),
    ],
)
@pytest.mark.usefixtures("clear_session")
def test_gate_over_plain_collection(
    pytester: pytest.Pytester, arguments: tuple[str, ...], ini: str, status: int, line: str
) -> None:
    """Plain collection has no gate until it is asked for; the option wins over the ini."""
    pytester.makeini(f"[pytest]\n{ini}\n")
    result = run_pytest(pytester, "clear.recon.json", "-k", "BTC", *arguments)
    assert result.ret == status
    result.stdout.fnmatch_lines([line])


@pytest.mark.parametrize("workers", [(), ("-n2",)])
def test_gate_turned_off(
    pytester: pytest.Pytester, clear_session: Path, workers: tuple[str, ...]
) -> None:
    """`--no-recon-gate` keeps pytest's status for a narrowed run, and says INCOMPLETE."""
    session = f"--recon-session={clear_session}"
    result = run_pytest(pytester, *workers, session, "--no-recon-gate", "-k", "BTC")
    assert result.ret == 0
    assert final_line(result) == "RECON: INCOMPLETE (1 of 7 comparisons ran)"


def test_gate_turned_off_and_nothing_selected(
    pytester: pytest.Pytester, clear_session: Path
) -> None:
    """With the gate off, a run that selects nothing has pytest's own status for that."""
    session = f"--recon-session={clear_session}"
    result = run_pytest(pytester, session, "--no-recon-gate", "-k", "nothing")
    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED
    assert final_line(result) == "RECON: INCOMPLETE (0 of 7 comparisons ran)"


def test_gate_turned_off_and_a_fail(pytester: pytest.Pytester, blocked_session: Path) -> None:
    """With the gate off, a failing item still fails the run, as in any pytest."""
    result = run_pytest(pytester, f"--recon-session={blocked_session}", "--no-recon-gate")
    assert result.ret == 1
    assert final_line(result) == "RECON: BLOCKED (2 FAIL, 1 WARN in 1 session)"


def test_without_sessions_nothing_is_said(pytester: pytest.Pytester) -> None:
    """A run that is not about reconciliation shows nothing of it."""
    pytester.makepyfile(test_project="def test_passes(): pass")
    result = run_pytest(pytester)
    assert result.ret == 0
    assert "recon:" not in result.stdout.str()
    assert final_line(result) == ""
