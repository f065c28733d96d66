"""What a verdict rests on is said, and what would hide a verdict is refused."""

import os
import shutil
from pathlib import Path

import pytest

from .conftest import (
    BLOCKED_LINE,
    CASH,
    CLEAR_LINE,
    POSITIONS,
    final_line,
    run_pytest,
    side_document,
    write_blocked,
    write_clear,
    write_session,
)

RECORDING = Path(__file__).parents[2] / "examples" / "nautilus" / "recording"
LENIENT = '[position]\nfail_above = "0.9"\n[cash]\nabsolute = { EUR = "100" }\n'


@pytest.fixture(params=["pipe", "link", "directory", "session"])
def taken(request: pytest.FixtureRequest, pytester: pytest.Pytester) -> Path:
    """A path that a report must not replace."""
    path = pytester.path / ("taken.recon.json" if request.param == "session" else "taken")
    if request.param == "pipe":
        os.mkfifo(path)
    elif request.param == "link":
        path.symlink_to("elsewhere.xml")
    elif request.param == "directory":
        path.mkdir()
    else:
        write_clear(path)
    return path


@pytest.mark.usefixtures("clear_session")
def test_a_report_replaces_nothing_but_a_report(pytester: pytest.Pytester, taken: Path) -> None:
    """A device, a pipe, a link, a directory and a session are refused before anything runs."""
    before = taken.lstat()
    result = run_pytest(pytester, "--recon-session=clear.recon.json", f"--recon-junit={taken.name}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    after = taken.lstat()
    assert (after.st_ino, after.st_mode) == (before.st_ino, before.st_mode)
    result.stderr.fnmatch_lines(["ERROR: --recon-junit: *; expected a new or a regular file *"])


@pytest.mark.usefixtures("blocked_session")
def test_a_policy_that_leads_nowhere_is_an_error(pytester: pytest.Pytester) -> None:
    """A dangling `recon.toml` does not fall back to the built-in policy."""
    (pytester.path / "recon.toml").symlink_to("gone.toml")
    result = run_pytest(pytester, "--recon-session=blocked.recon.json")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: recon policy: recon.toml: cannot be read: *"])


@pytest.mark.usefixtures("blocked_session")
@pytest.mark.parametrize("quiet", [(), ("-q",)])
def test_the_policy_is_named_in_the_summary(
    pytester: pytest.Pytester, quiet: tuple[str, ...]
) -> None:
    """Also with -q, and with its directory: a test argument may move the rootdir."""
    (pytester.path / "lenient").mkdir()
    (pytester.path / "lenient" / "recon.toml").write_text(LENIENT)
    result = run_pytest(pytester, "--recon-session=blocked.recon.json", "--rootdir=lenient", *quiet)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["recon: policy lenient/recon.toml", "RECON: CLEAR *"])


@pytest.mark.parametrize("quiet", [(), ("-q",), ("-q", "-n1")])
def test_the_built_in_policy_is_named_and_one_beside_a_session_noted(
    pytester: pytest.Pytester, quiet: tuple[str, ...]
) -> None:
    """A strict policy that pytest does not find is not lost without a word."""
    write_clear(pytester.path / "days" / "clear.recon.json")
    (pytester.path / "days" / "recon.toml").write_text(LENIENT)
    result = run_pytest(pytester, "--recon-session=days", *quiet)
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        ["recon: policy built-in", "recon: policy not used: days/recon.toml", CLEAR_LINE]
    )


@pytest.mark.parametrize("how", [("-n0",), ("-n2",)])
@pytest.mark.parametrize("named", [("--recon-session=days",), ("days", "--no-recon-gate")])
def test_a_policy_key_that_matches_nothing_is_said_once(
    pytester: pytest.Pytester, how: tuple[str, ...], named: tuple[str, ...]
) -> None:
    """Once for all sessions, in whichever process they were read; what one uses is used."""
    policy = '[position]\nabsolute = { "BTC/EUR" = "0.1", "ETH/EUR" = "1", "BTC/USD" = "0.1" }\n'
    (pytester.path / "recon.toml").write_text(policy)
    for day, symbol in (("1", "BTC/EUR"), ("2", "ETH/EUR")):
        path = pytester.path / "days" / f"{day}.recon.json"
        write_session(path, positions={symbol: "1"}, external_positions={symbol: "1"})
    result = run_pytest(pytester, *named, *how)
    begins = "recon: policy keys that match nothing here: "
    said = [line.removeprefix(begins) for line in result.outlines if line.startswith(begins)]
    assert said == ['position.absolute "BTC/USD" (did you mean BTC/EUR?)']


@pytest.mark.parametrize("quiet", [(), ("-q",), ("-q", "-n1")])
def test_what_a_search_passes_over_is_noted(
    pytester: pytest.Pytester, quiet: tuple[str, ...]
) -> None:
    """By name, and without a run that is red for it."""
    write_clear(pytester.path / "days" / "clear.recon.json")
    write_blocked(pytester.path / "days" / ".old" / "blocked.recon.json")
    write_blocked(pytester.path / "days" / "blocked.recon.json.bak")
    result = run_pytest(pytester, "--recon-session=days", *quiet)
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            "recon: not searched (hidden): days/.old",
            "recon: not read (expected a name like NAME.recon.json): days/blocked.recon.json.bak",
            CLEAR_LINE,
        ]
    )


def test_a_session_below_a_recording_blocks(pytester: pytest.Pytester) -> None:
    """A directory that is a recording is searched on."""
    shutil.copytree(RECORDING, pytester.path / "run")
    write_blocked(pytester.path / "run" / "sub" / "blocked.recon.json")
    result = run_pytest(pytester, "--recon-session=run")
    assert result.ret == 1
    assert final_line(result) == "RECON: BLOCKED (2 FAIL, 1 WARN in 2 sessions)"


@pytest.mark.parametrize(
    ("ini", "arguments", "by"),
    [
        ("", ("--recon-require-policy",), "--recon-require-policy"),
        ("recon_require_policy = true", (), "recon_require_policy"),
    ],
)
@pytest.mark.parametrize("sessions", [("--recon-session=clear.recon.json",), ("--recon-gate",)])
@pytest.mark.usefixtures("clear_session")
def test_the_built_in_policy_can_be_refused(
    pytester: pytest.Pytester,
    sessions: tuple[str, ...],
    ini: str,
    arguments: tuple[str, ...],
    by: str,
) -> None:
    """Before anything runs; any policy file will do."""
    pytester.makeini(f"[pytest]\n{ini}\n")
    result = run_pytest(pytester, *sessions, *arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: recon policy: built-in, and {by} asks for *"])
    (pytester.path / "recon.toml").write_text("")
    assert run_pytest(pytester, *sessions, *arguments).ret == 0


@pytest.mark.usefixtures("clear_session")
def test_the_gate_says_that_it_is_off(pytester: pytest.Pytester) -> None:
    """A run that cannot fail for being narrowed says so."""
    result = run_pytest(
        pytester, "--recon-session=clear.recon.json", "--no-recon-gate", "-k", "cash"
    )
    assert result.ret == 0
    result.stdout.fnmatch_lines(["recon: the gate is off: *", "RECON: INCOMPLETE *"])


@pytest.mark.usefixtures("clear_session")
@pytest.mark.parametrize("word", ["-h", "--help"])
@pytest.mark.parametrize("by_environment", [False, True])
def test_help_before_the_session_is_no_green_run(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, word: str, *, by_environment: bool
) -> None:
    """Pytest reads no word after it, and the gate looks for itself."""
    if by_environment:
        monkeypatch.setenv("PYTEST_ADDOPTS", word)
    words = () if by_environment else (word,)
    result = run_pytest(pytester, *words, "--recon-session=clear.recon.json")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert final_line(result).startswith("RECON: INCOMPLETE")


@pytest.mark.usefixtures("blocked_session")
def test_a_plugin_that_exits_with_0_is_not_the_last_word(pytester: pytest.Pytester) -> None:
    """`sys.exit(0)` in a summary hook leaves the run red."""
    pytester.makeconftest("import sys\ndef pytest_terminal_summary():\n    sys.exit(0)\n")
    result = run_pytest(pytester, "--recon-session=blocked.recon.json", subprocess=True)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert final_line(result) == BLOCKED_LINE


@pytest.mark.usefixtures("clear_session")
def test_a_recomputed_side_is_announced(pytester: pytest.Pytester) -> None:
    """Whoever reads CLEAR sees that a hook gave the internal side, and which one."""
    pytester.makeconftest(
        "import recon_core\n"
        "@recon_core.hookimpl\n"
        "def recon_internal_side(recorded):\n"
        "    return recorded.external\n"
    )
    result = run_pytest(pytester, "--recon-session=clear.recon.json")
    assert final_line(result) == CLEAR_LINE
    result.stdout.fnmatch_lines(
        ["note  clear: the ledger recomputed by recon_internal_side of", "    */conftest.py"]
    )


@pytest.mark.parametrize("top_n", [0, 1])
def test_a_softened_diff_is_never_left_out(pytester: pytest.Pytester, top_n: int) -> None:
    """However few diffs are asked for."""
    write_session(
        pytester.path / "soft.recon.json",
        positions={"A/EUR": "1", "B/EUR": "1"},
        external_positions={"A/EUR": "0.995", "B/EUR": "0.5"},
    )
    pytester.makeconftest(
        "import decimal, recon_core\n"
        "@recon_core.hookimpl\n"
        "def recon_tolerance(comparison):\n"
        "    return decimal.Decimal(1) if comparison.name == 'B/EUR' else None\n"
    )
    result = run_pytest(pytester, "--recon-session=soft.recon.json", f"--recon-top-n={top_n}")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["  *INFO  position B/EUR *", "*/conftest.py)"])


def test_a_required_section_that_nobody_reports_is_noted(pytester: pytest.Pytester) -> None:
    """It is no finding by the rules, and nobody should take it for compared."""
    write_session(pytester.path / "thin.recon.json", cash=None)
    result = run_pytest(pytester, "--recon-session=thin.recon.json")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["note  thin: cash: required, and reported by neither side"])


def test_fills_outside_of_the_covered_time_are_noted(pytester: pytest.Pytester) -> None:
    """A fill after the as-of, or before the opening, is booked and said."""
    fill = {"symbol": "BTC/EUR", "side": "BUY", "quantity": "0.1", "price": "1"}
    fills = [
        {**fill, "fill_id": "early", "time": "2026-01-01T10:00:00Z"},
        {**fill, "fill_id": "late", "time": "2026-01-01T13:00:00Z"},
    ]
    opening = {"as_of": "2026-01-01T11:00:00Z"}
    write_session(
        pytester.path / "times.recon.json",
        internal=side_document(POSITIONS, CASH, fills=fills, opening=opening),
    )
    result = run_pytest(pytester, "--recon-session=times.recon.json")
    result.stdout.fnmatch_lines(
        [
            "note  times: ledger: 1 of 2 fills are after its as_of; each is counted",
            "note  times: ledger: 1 of 2 fills are before its opening; each is counted",
        ]
    )
