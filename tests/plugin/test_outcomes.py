"""From verdict to outcome, properties, warning and failure text; the lines of a run."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .conftest import (
    AS_OF,
    BLOCKED_LINE,
    CLEAR_LINE,
    REPORTS_CONFTEST,
    WARN_LINE,
    final_line,
    read_reports,
    run_pytest,
    side_document,
    write_blocked,
    write_clear,
    write_session,
    write_warn,
)

PASSED, FAILED, XFAILED = "passed", "failed", "skipped"
WARN_MESSAGE = (
    "position BTC/EUR: WARN, ledger 0.1 BTC, exchange 0.0995 BTC, delta 0.0005 BTC, "
    "drift 0.5 % (INFO below 0.1 %, FAIL above 1 %)"
)
CASH_FAIL = """\
cash EUR: FAIL, ledger 5000.00 EUR, exchange 4995.00 EUR, delta 5.00 EUR, \
tolerance 1.00 EUR = min(1 EUR, 0.5 % of 5000.00)
  session     blocked
  item        blocked.recon.json::cash::EUR
  ledger      5000.00 EUR
  exchange    4995.00 EUR
  delta       5.00 EUR (ledger - exchange)
  tolerance   1.00 EUR = min(1 EUR, 0.5 % of 5000.00)"""
POSITION_FAIL = """\
position ETH/EUR: FAIL, ledger 1.0 ETH, exchange 0.95 ETH, delta 0.05 ETH, \
drift 5 % (INFO below 0.1 %, FAIL above 1 %)
  session     blocked
  item        blocked.recon.json::position::ETH/EUR
  ledger      1.0 ETH
  exchange    0.95 ETH
  delta       0.05 ETH (ledger - exchange)
  drift       5 %
  tolerance   INFO below 0.1 %, FAIL above 1 %"""
SHOWN = [
    "  FAIL  position ETH/EUR  +0.05 ETH: ledger 1, exchange 0.95",
    "  FAIL  cash EUR          +5 EUR: ledger 5000, exchange 4995",
    "  WARN  position BTC/EUR  +0.0005 BTC: ledger 0.1, exchange 0.0995",
]


def reports_of(pytester: pytest.Pytester, *arguments: str) -> dict[str, dict[str, Any]]:
    """Run pytest and return what its reports said, by node id."""
    pytester.makeconftest(REPORTS_CONFTEST)
    run_pytest(pytester, *arguments)
    return read_reports(pytester)


@pytest.mark.parametrize(
    ("internal", "external", "outcome", "severity", "drift"),
    [
        ("0.1", "0.1", PASSED, "match", "0"),
        ("0.10", "0.1", PASSED, "match", "0"),
        ("0", "-0", PASSED, "match", "0"),
        ("10000", "9999", PASSED, "INFO", "0.0001"),
        ("1000", "999", XFAILED, "WARN", "0.001"),
        ("0.1", "0.0995", XFAILED, "WARN", "0.005"),
        ("0.0995", "0.1", XFAILED, "WARN", "0.005"),
        ("100", "99", XFAILED, "WARN", "0.01"),
        ("1.0", "0.95", FAILED, "FAIL", "0.05"),
        ("-1.0", "-0.95", FAILED, "FAIL", "0.05"),
        ("1", "0", FAILED, "FAIL", "1"),
        ("1", "-1", FAILED, "FAIL", "2"),
    ],
)
def test_position(
    pytester: pytest.Pytester,
    internal: str,
    external: str,
    outcome: str,
    severity: str,
    drift: str,
) -> None:
    """Match and INFO pass, WARN is an xfail, FAIL fails; the properties say which."""
    write_session(
        pytester.path / "one.recon.json",
        positions={"BTC/EUR": internal},
        external_positions={"BTC/EUR": external},
    )
    report = reports_of(pytester, "--recon-session=one.recon.json", "--recon-explain=off")[
        "one.recon.json::position::BTC/EUR"
    ]
    assert report["outcome"] == outcome
    assert (report["expected"] is not None) == (outcome == XFAILED)
    assert report["properties"] == [
        ["recon.session_id", "one"],
        ["recon.kind", "position"],
        ["recon.key", "BTC/EUR"],
        ["recon.severity", severity],
        ["recon.drift", drift],
    ]


@pytest.mark.parametrize(
    ("internal", "external", "outcome", "severity", "drift"),
    [
        ("5000.00", "5000", PASSED, "match", "0"),
        ("5000.00", "4999.00", PASSED, "INFO", "0.0002"),
        ("5000.00", "4998.99", FAILED, "FAIL", "0.000202"),
        ("5000.00", "4995.00", FAILED, "FAIL", "0.001"),
        ("100", "99.5", PASSED, "INFO", "0.005"),
        ("100", "99.4", FAILED, "FAIL", "0.006"),
    ],
)
def test_cash(
    pytester: pytest.Pytester,
    internal: str,
    external: str,
    outcome: str,
    severity: str,
    drift: str,
) -> None:
    """Cash is INFO within the tolerance and FAIL above it, never WARN by its total."""
    write_session(
        pytester.path / "one.recon.json", cash={"EUR": internal}, external_cash={"EUR": external}
    )
    reports = reports_of(pytester, "--recon-session=one.recon.json", "--recon-explain=off")
    report = reports["one.recon.json::cash::EUR"]
    assert report["outcome"] == outcome
    assert report["properties"][3:] == [["recon.severity", severity], ["recon.drift", drift]]


@pytest.mark.parametrize(
    ("internal", "check", "outcome", "severity"),
    [
        (side_document({}, {"EUR": "1"}), "complete", PASSED, "match"),
        (side_document({}, {"EUR": "1"}, as_of="2026-01-01T12:01:00Z"), "as-of", PASSED, "match"),
        (side_document({}, {"EUR": "1"}, as_of="2026-01-01T12:01:01Z"), "as-of", XFAILED, "WARN"),
        (side_document(None, {"EUR": "1"}), "coverage", FAILED, "FAIL"),
        (side_document({}, {"EUR": "1"}, complete=False), "complete", FAILED, "CRITICAL"),
        (side_document({}, {"EUR": "1"}, counts={"cash": 2}), "complete", FAILED, "CRITICAL"),
    ],
)
def test_session_check(
    pytester: pytest.Pytester, internal: dict[str, Any], check: str, outcome: str, severity: str
) -> None:
    """Session checks have outcomes as comparisons have, and a drift that is empty."""
    external = side_document({}, {"EUR": "1"}, as_of=AS_OF)
    write_session(pytester.path / "one.recon.json", internal=internal, external=external)
    report = reports_of(pytester, "--recon-session=one.recon.json")[
        f"one.recon.json::session::{check}"
    ]
    assert report["outcome"] == outcome
    assert report["properties"] == [
        ["recon.session_id", "one"],
        ["recon.kind", "session"],
        ["recon.key", check],
        ["recon.severity", severity],
        ["recon.drift", ""],
    ]


@pytest.mark.usefixtures("blocked_session")
def test_properties_in_junitxml(pytester: pytest.Pytester) -> None:
    """Pytest's own JUnit file carries the properties."""
    run_pytest(pytester, "--recon-session=blocked.recon.json", "--junitxml=junit.xml")
    text = (pytester.path / "junit.xml").read_text()
    assert '<property name="recon.key" value="BTC/EUR"/>' in text.replace(" />", "/>")
    assert text.count('name="recon.severity" value="FAIL"') == 2
    assert text.count('name="recon.severity" value="WARN"') == 1
    assert text.count('name="recon.severity" value="match"') == 5
    assert text.count('name="recon.drift" value="0.005"') == 1


@pytest.mark.usefixtures("blocked_session")
def test_failure_text(pytester: pytest.Pytester) -> None:
    """The text is plain, complete, and of the runbook's scenarios 2 and 3 word for word."""
    reports = reports_of(pytester, "--recon-session=blocked.recon.json", "--recon-explain=off")
    assert all(report["is_text"] for report in reports.values())
    assert reports["blocked.recon.json::cash::EUR"]["text"] == CASH_FAIL
    assert reports["blocked.recon.json::position::ETH/EUR"]["text"] == POSITION_FAIL
    assert reports["blocked.recon.json::position::SOL/EUR"]["text"] == ""


@pytest.mark.parametrize("style", ["auto", "long", "short", "native", "line"])
@pytest.mark.usefixtures("blocked_session")
def test_failure_text_of_every_style(pytester: pytest.Pytester, style: str) -> None:
    """One item carries what is found, the other points to it; no line of the source shows."""
    result = run_pytest(pytester, "--recon-session=blocked.recon.json", f"--tb={style}")
    assert [line for line in result.outlines if line in SHOWN] == SHOWN
    if style != "line":
        result.stdout.fnmatch_lines(["*_ position ETH/EUR (blocked.recon.json) _*"])
        result.stdout.fnmatch_lines(["*_ cash EUR (blocked.recon.json): as position ETH/EUR _*"])
    assert "2 FAIL, 1 WARN  blocked (blocked.recon.json), shown above" in result.outlines
    assert "Traceback" not in result.stdout.str()
    assert "apply_outcome" not in result.stdout.str()


@pytest.mark.usefixtures("blocked_session")
def test_without_failures_the_last_section_says_it(pytester: pytest.Pytester) -> None:
    """`--tb=no` leaves pytest's section out, and each difference is still said once."""
    result = run_pytest(pytester, "--recon-session=blocked.recon.json", "--tb=no")
    assert [line[2:] for line in result.outlines if line[2:] in SHOWN] == SHOWN
    assert "2 FAIL, 1 WARN  blocked (blocked.recon.json)" in result.outlines


@pytest.mark.usefixtures("blocked_session")
def test_verbose_has_all_figures(pytester: pytest.Pytester) -> None:
    """With `-v` no figure is rounded, and the rule that was applied is there."""
    result = run_pytest(pytester, "--recon-session=blocked.recon.json", "-v")
    said = " ".join(result.stdout.str().split())
    assert said.count("ledger 5000.00 EUR, exchange 4995.00 EUR, delta 5.00 EUR") == 1
    assert "tolerance 1.00 EUR = min(1 EUR, 0.5 % of 5000.00)" in said


@pytest.mark.usefixtures("warn_session")
def test_warning_of_a_warn(pytester: pytest.Pytester) -> None:
    """One WARN is one `ReconDriftWarning` with its message, and no line of a file."""
    result = run_pytest(pytester, "--recon-session=warn.recon.json", "-v")
    result.assert_outcomes(passed=6, xfailed=1, warnings=1)
    assert result.ret == 0
    lines = result.outlines
    start = next(index for index, line in enumerate(lines) if "warnings summary" in line)
    assert lines[start + 1 : start + 4] == [
        "warn.recon.json::position::BTC/EUR",
        f"  warn.recon.json:0: ReconDriftWarning: {WARN_MESSAGE}",
        "",
    ]
    assert result.stdout.str().count("ReconDriftWarning") == 1


@pytest.mark.usefixtures("warn_session")
def test_a_warn_is_said_once(pytester: pytest.Pytester) -> None:
    """The last section has it; pytest's summary of warnings has those of other tests alone."""
    pytester.makepyfile("import warnings\ndef test_own(): warnings.warn('of a test')\n")
    result = run_pytest(pytester, "--recon-session=warn.recon.json", "test_a_warn_is_said_once.py")
    result.assert_outcomes(passed=7, xfailed=1, warnings=2)
    assert "UserWarning: of a test" in result.stdout.str()
    assert "ReconDriftWarning" not in result.stdout.str()
    assert result.stdout.str().count("position BTC/EUR") == 1


@pytest.mark.usefixtures("clear_session")
def test_no_warning_without_a_warn(pytester: pytest.Pytester) -> None:
    """Matches and INFO diffs do not warn."""
    write_session(
        pytester.path / "info.recon.json", external_positions={"BTC/EUR": "0.09999", "ETH/EUR": "2"}
    )
    result = run_pytest(pytester, f"--recon-session={pytester.path}")
    result.assert_outcomes(passed=14, warnings=0)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("--runxfail",), "RECON: BLOCKED (1 WARN in 1 session)"),
        (
            ("-W", "error::pytest_recon.ReconDriftWarning"),
            "RECON: BLOCKED (1 WARN in 1 session)",
        ),
        (("-W", "error"), "RECON: BLOCKED (1 WARN in 1 session)"),
        (("--recon-fail-on=warn",), "RECON: BLOCKED (1 WARN in 1 session)"),
        (("--recon-fail-on=warn", "-p", "no:warnings"), "RECON: BLOCKED (1 WARN in 1 session)"),
    ],
)
@pytest.mark.usefixtures("warn_session")
def test_warn_that_fails(pytester: pytest.Pytester, arguments: tuple[str, ...], line: str) -> None:
    """Where a WARN fails its item, the run fails and the severity stays WARN."""
    pytester.makeconftest(REPORTS_CONFTEST)
    result = run_pytest(pytester, "--recon-session=warn.recon.json", *arguments)
    assert result.ret == 1
    result.assert_outcomes(passed=6, failed=1, warnings=result.parseoutcomes().get("warnings", 0))
    assert final_line(result) == line
    report = read_reports(pytester)["warn.recon.json::position::BTC/EUR"]
    assert report["outcome"] == FAILED
    assert dict(report["properties"])["recon.severity"] == "WARN"
    assert report["text"].splitlines()[0] == WARN_MESSAGE


@pytest.mark.usefixtures("warn_session")
def test_fail_on_warn_from_the_ini(pytester: pytest.Pytester) -> None:
    """The ini says the same as the option, and the option wins."""
    pytester.makeini("[pytest]\nrecon_fail_on = warn\n")
    session = "--recon-session=warn.recon.json"
    assert run_pytest(pytester, session).ret == 1
    assert run_pytest(pytester, session, "--recon-fail-on=fail").ret == 0


@pytest.mark.usefixtures("warn_session")
def test_drift_warning_filtered_by_the_ini(pytester: pytest.Pytester) -> None:
    """A project's own filters hold: ignored, the item is an xfail without a warning."""
    pytester.makeini("[pytest]\nfilterwarnings = ignore::pytest_recon.ReconDriftWarning\n")
    result = run_pytest(pytester, "--recon-session=warn.recon.json")
    result.assert_outcomes(passed=6, xfailed=1, warnings=0)
    assert final_line(result) == WARN_LINE


@pytest.mark.usefixtures("warn_session")
def test_xfail_strict_changes_nothing(pytester: pytest.Pytester) -> None:
    """A project whose xfails are strict has a WARN as an xfail all the same."""
    pytester.makeini("[pytest]\nxfail_strict = true\n")
    result = run_pytest(pytester, "--recon-session=warn.recon.json")
    result.assert_outcomes(passed=6, xfailed=1, warnings=1)


@pytest.mark.parametrize(
    ("sessions", "line"),
    [
        ({"a": write_clear}, "RECON: CLEAR (1 session, 7 comparisons)"),
        (
            {"a": write_clear, "b": write_warn, "c": write_clear},
            "RECON: CLEAR (3 sessions, 21 comparisons, 1 WARN)",
        ),
        ({"a": write_blocked}, "RECON: BLOCKED (2 FAIL, 1 WARN in 1 session)"),
        (
            {"a": write_blocked, "b": write_warn, "c": write_clear},
            "RECON: BLOCKED (2 FAIL, 2 WARN in 3 sessions)",
        ),
    ],
)
def test_final_line(pytester: pytest.Pytester, sessions: dict[str, Any], line: str) -> None:
    """The line counts sessions and comparisons, or diffs by severity, zeros left out."""
    for name, write in sessions.items():
        write(pytester.path / f"{name}.recon.json")
    assert final_line(run_pytest(pytester, f"--recon-session={pytester.path}")) == line


def test_final_line_of_all_severities(pytester: pytest.Pytester) -> None:
    """CRITICAL comes first, and INFO diffs are not counted in the line."""
    write_session(
        pytester.path / "all.recon.json",
        positions={"A": "10000", "B": "1000", "C": "1", "D": "1"},
        external_positions={"A": "9999", "B": "999", "C": "2", "D": "2"},
        cash={"EUR": "1"},
    )
    write_clear(pytester.path / "clear.recon.json")
    (pytester.path / "cut.recon.json").write_text("{")
    result = run_pytest(pytester, f"--recon-session={pytester.path}")
    assert final_line(result) == "RECON: BLOCKED (1 CRITICAL, 2 FAIL, 1 WARN in 3 sessions)"


def test_final_line_of_one_comparison(pytester: pytest.Pytester) -> None:
    """A session that cannot be read is one comparison."""
    (pytester.path / "cut.recon.json").write_text("{")
    result = run_pytest(pytester, "--recon-session=cut.recon.json")
    result.stdout.fnmatch_lines(["recon: 1 session, 1 comparison, policy built-in"])
    assert final_line(result) == "RECON: BLOCKED (1 CRITICAL in 1 session)"


@pytest.mark.parametrize(
    "arguments",
    [(), ("-q",), ("-v",), ("-vv",), ("-ra",), ("--tb=no",), ("--durations=3",), ("-rA",)],
)
@pytest.mark.usefixtures("blocked_session")
def test_final_line_is_last(pytester: pytest.Pytester, arguments: tuple[str, ...]) -> None:
    """Only pytest's own closing line comes after the line, also with `-q`."""
    result = run_pytest(pytester, "--recon-session=blocked.recon.json", *arguments)
    lines = [line for line in result.outlines if line]
    assert lines[-2] == BLOCKED_LINE
    assert re.search(r"2 failed, 5 passed, 1 xfailed, 1 warning in ", lines[-1])


@pytest.mark.parametrize("arguments", [("--no-summary",), ("-qq",), ("-q", "--no-summary")])
@pytest.mark.usefixtures("blocked_session")
def test_final_line_without_a_summary(
    pytester: pytest.Pytester, arguments: tuple[str, ...]
) -> None:
    """The line is printed once where pytest prints no summary or no closing line."""
    result = run_pytest(pytester, "--recon-session=blocked.recon.json", *arguments)
    assert result.outlines.count(BLOCKED_LINE) == 1
    lines = [line for line in result.outlines if line]
    closing = lines[lines.index(BLOCKED_LINE) + 1 :]
    assert len(closing) <= 1
    assert result.ret == 1


@pytest.mark.usefixtures("clear_session", "blocked_session", "warn_session")
def test_header(pytester: pytest.Pytester) -> None:
    """The header says how much there is and by which policy."""
    (pytester.path / "recon.toml").write_text("")
    result = run_pytest(pytester, f"--recon-session={pytester.path}")
    assert "recon: 3 sessions, 22 comparisons, policy recon.toml" in result.outlines


@pytest.mark.usefixtures("clear_session", "blocked_session", "warn_session")
def test_the_worst_session_is_first(pytester: pytest.Pytester) -> None:
    """Then what matches is one line, and a rehearsal asks nobody to stop trading."""
    (pytester.path / "cut.recon.json").write_text("{")
    result = run_pytest(pytester, f"--recon-session={pytester.path}", "--tb=no", "-rN")
    titles = [line for line in result.outlines if re.match(r"\d+ (CRITICAL|FAIL|WARN)", line)]
    assert titles == [
        "1 CRITICAL  cut (cut.recon.json)",
        "2 FAIL, 1 WARN  blocked (blocked.recon.json)",
        "1 WARN  warn (warn.recon.json)",
    ]
    assert "1 session matches" in result.outlines
    assert "  Action: fix the file; nothing of it was compared" in result.outlines
    assert "stop trading" not in result.stdout.str()


@pytest.mark.parametrize(
    ("mode", "asks"), [("SIM", False), ("PAPER", False), ("LIVE", True), (None, True)]
)
def test_the_escalation_is_of_what_may_be_live(
    pytester: pytest.Pytester, mode: str | None, *, asks: bool
) -> None:
    """In the terminal and in the text of the item; a session without a mode may be live."""
    write_session(pytester.path / "s.recon.json", mode=mode, external_cash={"EUR": "1"})
    reports = reports_of(pytester, "--recon-session=s.recon.json")
    assert ("escalation  stop" in reports["s.recon.json::cash::EUR"]["text"]) is asks
    result = run_pytest(pytester, "--recon-session=s.recon.json")
    action = "  Action: stop trading; immediate incident response"
    assert (action in result.outlines) is asks


@pytest.mark.parametrize("write", [write_clear, write_blocked])
def test_the_section_begins_with_the_sessions(
    pytester: pytest.Pytester, write: Callable[[Path], Path]
) -> None:
    """They stand directly below its heading."""
    write(pytester.path / "desk.recon.json")
    lines = run_pytest(pytester, "--recon-session=desk.recon.json").outlines
    heading = lines.index(" recon ".center(80, "="))
    assert lines[heading + 1].startswith(("1 session matches", "2 FAIL, 1 WARN  desk"))


@pytest.mark.usefixtures("blocked_session")
def test_summary_of_a_narrowed_run(pytester: pytest.Pytester) -> None:
    """The section says what ran, and calls nothing a match that did not run."""
    for narrow, ran in (("SOL", 1), ("nothing", 0)):
        result = run_pytest(pytester, "--recon-session=blocked.recon.json", "-k", narrow)
        line = f"1 session not complete: {ran} of 8 comparisons ran, in blocked.recon.json"
        assert line in result.outlines
        assert "matches" not in result.stdout.str()
    result = run_pytest(pytester, "--recon-session=blocked.recon.json", "-k", "ETH", "--tb=no")
    assert "1 FAIL  blocked (blocked.recon.json), 1 of 8 comparisons ran" in result.outlines


@pytest.mark.parametrize(
    ("arguments", "shown", "more"),
    [
        ((), 3, None),
        (("--recon-top-n=2",), 2, "  and 1 more"),
        (("--recon-top-n=1",), 1, "  and 2 more"),
        (("--recon-top-n=0",), 0, "  and 3 more"),
    ],
)
@pytest.mark.usefixtures("blocked_session")
def test_worst_differences(
    pytester: pytest.Pytester, arguments: tuple[str, ...], shown: int, more: str | None
) -> None:
    """The worst come first, by severity and then by size, as many as asked for."""
    words = ("--recon-session=blocked.recon.json", "--recon-explain=off", *arguments)
    lines = [line.removeprefix("  ") for line in run_pytest(pytester, *words).outlines]
    expected = [line.strip() for line in SHOWN[:shown]]
    assert [line for line in lines if line in {each.strip() for each in SHOWN}] == expected
    assert ((more or "").strip() in lines) == (more is not None) or more is None


def test_info_differences_are_counted(pytester: pytest.Pytester, clear_session: Path) -> None:
    """An INFO passes and leaves a line; `-v` shows it."""
    write_session(clear_session, external_cash={"EUR": "4999.50"})
    result = run_pytest(pytester, f"--recon-session={clear_session}")
    result.assert_outcomes(passed=7)
    line = "1 session differs within the tolerance: 1 INFO, in clear.recon.json"
    assert line in result.outlines
    assert final_line(result) == CLEAR_LINE
    result = run_pytest(pytester, f"--recon-session={clear_session}", "-v")
    assert "INFO  cash EUR: ledger 5000.00 EUR" in result.stdout.str()


@pytest.mark.usefixtures("blocked_session")
def test_verbose_names(pytester: pytest.Pytester) -> None:
    """`-v` shows every item by its node id."""
    result = run_pytest(pytester, "--recon-session=blocked.recon.json", "-v")
    result.stdout.fnmatch_lines(
        [
            "blocked.recon.json::cash::EUR FAILED *",
            "blocked.recon.json::position::BTC/EUR XFAIL *",
            "blocked.recon.json::position::ETH/EUR FAILED *",
            "blocked.recon.json::position::SOL/EUR PASSED *",
            "blocked.recon.json::session::as-of PASSED *",
            "blocked.recon.json::session::complete PASSED *",
            "blocked.recon.json::session::coverage PASSED *",
            "blocked.recon.json::session::readable PASSED *",
        ]
    )
