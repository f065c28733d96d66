"""Pytest's output as a whole: each cause once, few lines for many sessions, other plugins whole."""

import re
from pathlib import Path

import pytest

from .conftest import final_line, run_pytest, write_blocked, write_clear, write_session

WORKERS = [(), ("-n2",)]
MOST_LINES = 60
"""Lines of a whole run at default verbosity, however many sessions have differences."""


def write_many(directory: Path, bad: int, good: int) -> None:
    """Sessions of three differences each, and sessions of none."""
    for number in range(bad):
        write_blocked(directory / "many" / f"bad{number:02}.recon.json")
    for number in range(good):
        write_clear(directory / "many" / f"good{number:02}.recon.json")


def section_of(result: pytest.RunResult) -> list[str]:
    """The lines from the heading of the last section to the line of the gate."""
    start = next(n for n, line in enumerate(result.outlines) if re.fullmatch("=+ recon =+", line))
    end = result.outlines.index(final_line(result))
    return result.outlines[start : end + 1]


@pytest.mark.parametrize("way", WORKERS, ids=" ".join)
def test_many_sessions_fit_a_screen(pytester: pytest.Pytester, way: tuple[str, ...]) -> None:
    """21 bad of 30: at most 60 lines, a row for each of the 20 worst, the same with workers."""
    write_many(pytester.path, 21, 9)
    result = run_pytest(pytester, "--recon-session=many", *way)
    assert result.ret == 1
    assert final_line(result) == "RECON: BLOCKED (42 FAIL, 21 WARN in 30 sessions)"
    assert len(result.outlines) <= MOST_LINES
    rows = [line for line in section_of(result) if re.match(r"FAIL  bad\d\d ", line)]
    assert len(rows) == len({row.split()[1] for row in rows}) == 20
    assert "1 more session: 2 FAIL, 1 WARN, in many/bad20.recon.json" in result.outlines
    assert "9 sessions match" in result.outlines
    assert "FAILURES" not in result.stdout.str()
    assert "short test summary" not in result.stdout.str()
    result.assert_outcomes(failed=42, passed=30 * 7 + 21 - 42 - 21, xfailed=21, warnings=21)


def test_many_sessions_have_a_letter_each(pytester: pytest.Pytester) -> None:
    """That of their worst item, on a line of their own; the tests of the project keep theirs."""
    write_many(pytester.path, 2, 5)
    pytester.makepyfile("def test_own(): pass\n")
    result = run_pytest(pytester, "--recon-session=many", pytester.path)
    assert any(re.match(r"7 recorded sessions FF\.{5}", line) for line in result.outlines)
    assert any(re.match(r"test_\w+\.py \. ", line) for line in result.outlines)
    quiet = run_pytest(pytester, "--recon-session=many", "-q")
    assert quiet.outlines[0].startswith("FF..... ")
    verbose = run_pytest(pytester, "--recon-session=many", "-v")
    assert "many/bad00.recon.json::cash::EUR FAILED" in verbose.stdout.str()


@pytest.mark.parametrize(("bad", "way"), [(1, ()), (3, ()), (6, ()), (3, ("-n2",))], ids=str)
def test_each_difference_is_said_once(
    pytester: pytest.Pytester, bad: int, way: tuple[str, ...]
) -> None:
    """In pytest's failures, or below them where there are too many."""
    write_many(pytester.path, bad, 1)
    result = run_pytest(pytester, "--recon-session=many", *way)
    assert result.stdout.str().count("+0.05 ETH: ledger 1, exchange 0.95") == bad
    pointers = [line for line in result.outlines if "): as position ETH/EUR" in line]
    assert len(pointers) == (bad if bad <= 5 else 0)


def test_other_plugins_have_every_report(pytester: pytest.Pytester) -> None:
    """Their parts of the summary see all failures and warnings, with their whole texts."""
    write_many(pytester.path, 6, 0)
    pytester.makeconftest(
        "def pytest_terminal_summary(terminalreporter):\n"
        "    failed = terminalreporter.stats['failed']\n"
        "    texts = [str(each.longrepr) for each in failed]\n"
        "    whole = [text for text in texts if '  delta  ' in text]\n"
        "    print('HEARD', len(failed), len(whole), len(terminalreporter.stats['warnings']))\n"
    )
    result = run_pytest(pytester, "--recon-session=many")
    assert "HEARD 12 12 6" in result.outlines
    result.assert_outcomes(failed=12, passed=6 * 5, xfailed=6, warnings=6)


def test_a_failure_of_a_plugin_is_shown_whole(pytester: pytest.Pytester) -> None:
    """What is no difference is in no table: it keeps its place in pytest's failures."""
    write_many(pytester.path, 12, 0)
    pytester.makeconftest(
        "import pytest\n"
        "@pytest.hookimpl(wrapper=True)\n"
        "def pytest_runtest_call(item):\n"
        "    try:\n"
        "        return (yield)\n"
        "    finally:\n"
        "        if item.name == 'SOL/EUR':\n"
        "            raise RuntimeError('of a plugin')\n"
    )
    result = run_pytest(pytester, "--recon-session=many")
    assert result.stdout.str().count("RuntimeError: of a plugin") >= 12
    assert "FAILURES" in result.stdout.str()


@pytest.mark.parametrize(
    ("words", "sessions"),
    [
        ((), 2),
        ((".",), 2),
        (("test_x.py",), 0),
        (("test_x.py::test_a",), 0),
        (("test_x.py::test_a", "."), 2),
        (("--recon-session=other.recon.json",), 1),
        (("test_x.py", "--recon-session=other.recon.json"), 1),
        (("-k", "test_a"), 2),
        (("-n2",), 2),
        (("test_x.py", "-n2"), 0),
    ],
    ids=str,
)
def test_the_sessions_of_the_ini(
    pytester: pytest.Pytester, words: tuple[str, ...], sessions: int
) -> None:
    """Sessions of the command line replace them; a test that is named runs alone."""
    for name in ("a", "b"):
        write_clear(pytester.path / "kept" / f"{name}.recon.json")
    write_clear(pytester.path / "other.recon.json")
    (pytester.path / "test_x.py").write_text("def test_a(): pass\n")
    pytester.makeini("[pytest]\nrecon_sessions = kept\n")
    pytester.makeconftest("collect_ignore_glob = ['*.json']\n")
    result = run_pytest(pytester, *words)
    line = final_line(result)
    found = re.search(r"(\d+) sessions?,", line)
    if "-k" in words:
        assert line == "RECON: INCOMPLETE (0 of 14 comparisons ran)"
    else:
        assert (int(found[1]) if found else 0) == sessions, line
    said = "recon: recon_sessions is not read: the command line names sessions or tests"
    assert (said in result.outlines) is (sessions == 1)


def test_the_verdict_is_bold_and_coloured(pytester: pytest.Pytester) -> None:
    """With `--color=yes`; `NO_COLOR` and a pipe have plain text."""
    write_session(pytester.path / "s.recon.json", external_cash={"EUR": "1"})
    result = run_pytest(pytester, "--recon-session=s.recon.json", "--color=yes")
    assert "\x1b[31m\x1b[1mRECON: BLOCKED (1 FAIL in 1 session)\x1b[0m" in result.stdout.str()
    assert "\x1b[31m\x1b[1mFAIL\x1b[0m  cash EUR" in result.stdout.str()
    plain = run_pytest(pytester, "--recon-session=s.recon.json")
    assert "\x1b[" not in plain.stdout.str()
