"""`--recon-explain`: the items of a session say why the two sides differ."""

import shutil
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from .conftest import PLAIN, REPORTS_CONFTEST, final_line, read_reports, run_pytest, write_session

EXAMPLES = Path(__file__).parents[2] / "examples" / "explain"
LOST = "--recon-session=lost_fill.recon.json"
OWN = "junit.xml"
SUITES = "suites.xml"
FILL = "a fill, or several of this sum: BUY 0.061729 BTC/USDT at 42032.61, fee 2.59463098 USDT"
SENTENCE = f"unique: the ledger lacks {FILL}"
FULL_TEXT = f"""\
  Cause, proven (ledger): missing {FILL}
  Off by: position BTC/USDT -0.061729, cash BTC -0.06172900, cash USDT +2597.22561367
  Checked: reconciled again with 1 fill added: 3 diffs disappear, none appears"""
BLOCKED = "RECON: BLOCKED (3 FAIL in 1 session)"
WAYS = [(), ("-n2",), ("-p", "no:xdist")]
DIFFERING = ("cash::BTC", "cash::USDT", "position::BTC/USDT")


@pytest.fixture(autouse=True)
def sessions(pytester: pytest.Pytester) -> None:
    """The example sessions where pytest runs, and one that nothing explains."""
    for path in EXAMPLES.iterdir():
        shutil.copy(path, pytester.path / path.name)
    write_session(
        pytester.path / "odd.recon.json",
        positions={"BTC/EUR": "1.23456789"},
        cash={"EUR": "5000.00"},
        external_positions={"BTC/EUR": "1.11111111"},
        external_cash={"EUR": "4321.09"},
    )
    pytester.makeconftest(REPORTS_CONFTEST)


def texts(pytester: pytest.Pytester) -> dict[str, str]:
    """The failure texts of the last run, by kind and key."""
    reports = read_reports(pytester)
    return {
        node_id.partition("::")[2]: report["text"]
        for node_id, report in reports.items()
        if report["text"]
    }


@pytest.mark.parametrize("way", WAYS, ids=" ".join)
def test_the_failure_text_says_why(pytester: pytest.Pytester, way: tuple[str, ...]) -> None:
    """After the diff, the same with workers; so do the property and the summary."""
    result = run_pytest(pytester, LOST, *way)
    assert final_line(result) == BLOCKED
    found = texts(pytester)
    assert set(found) == set(DIFFERING)
    assert all(text.endswith(f"\n{FULL_TEXT}") for text in found.values())
    assert " ".join(result.outlines).count("Cause, proven (ledger): missing a fill") == 1
    for node_id, report in read_reports(pytester).items():
        properties = dict(report["properties"])
        explained = node_id.partition("::")[2] in DIFFERING
        assert properties.get("recon.explanation") == (SENTENCE if explained else None)


@pytest.mark.parametrize("way", WAYS, ids=" ".join)
def test_off_says_nothing(pytester: pytest.Pytester, way: tuple[str, ...]) -> None:
    """The verdicts are the same, and no word of an explanation appears."""
    result = run_pytest(pytester, LOST, "--recon-explain=off", *way)
    assert final_line(result) == BLOCKED
    assert "Cause" not in result.stdout.str()
    assert not any("Cause" in text for text in texts(pytester).values())


@pytest.mark.parametrize(
    ("option", "ini", "explained"),
    [
        ("", "", True),
        ("", "off", False),
        ("", "full", True),
        ("--recon-explain=off", "full", False),
        ("--recon-explain=fast", "off", True),
        ("--recon-explain=full", "", True),
    ],
)
def test_the_option_comes_before_the_ini(
    pytester: pytest.Pytester, option: str, ini: str, *, explained: bool
) -> None:
    """Without either the effort is fast."""
    pytester.makeini(f"[pytest]\nrecon_explain = {ini}\n" if ini else "[pytest]\n")
    result = run_pytest(pytester, LOST, *filter(None, [option]))
    assert final_line(result) == BLOCKED
    assert ("Cause, proven (ledger): missing a fill" in result.stdout.str()) == explained


def test_a_wrong_value_is_wrong_usage(pytester: pytest.Pytester) -> None:
    """Of the option and of the ini, before anything runs."""
    result = run_pytest(pytester, LOST, "--recon-explain=much", subprocess=True)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    pytester.makeini("[pytest]\nrecon_explain = much\n")
    result = run_pytest(pytester, LOST, subprocess=True)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*recon_explain: 'much'; expected off, fast or full*"])


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        (
            "positions_only",
            [
                "Possible cause, 1 of * (ledger): *",
                "  To find out: the cash USDT of the exchange",
            ],
        ),
        (
            "odd",
            [
                "No cause found",
                "  FAIL  cash EUR          +678.9 EUR: ledger 5000, exchange 4321.1",
                "  FAIL  position BTC/EUR  +0.1235 BTC: ledger 1.2346, exchange 1.1111",
                "  To find out: the fills and movements of both sides",
            ],
        ),
    ],
)
def test_what_is_not_proven_is_not_claimed(
    pytester: pytest.Pytester, name: str, lines: list[str]
) -> None:
    """An ambiguous and an unexplained session say what is missing."""
    result = run_pytest(pytester, f"--recon-session={name}.recon.json")
    assert "RECON: BLOCKED" in final_line(result)
    result.stdout.fnmatch_lines(lines)


@pytest.mark.parametrize("way", WAYS[:2], ids=" ".join)
def test_both_junit_files_say_why(pytester: pytest.Pytester, way: tuple[str, ...]) -> None:
    """A property where there is an explanation, and none elsewhere; the text is whole."""
    words = [LOST, f"--junitxml={OWN}", f"--recon-junit={SUITES}", *way]
    run_pytest(pytester, *words)
    root = ET.parse(pytester.path / OWN)  # noqa: S314  # written here
    values = [
        each.get("value")
        for each in root.iter("property")
        if each.get("name") == "recon.explanation"
    ]
    assert values == [SENTENCE] * 3
    cases = list(ET.parse(pytester.path / SUITES).iter("testcase"))  # noqa: S314  # as that
    told = [c for c in cases if f"recon.explanation={SENTENCE}" in c.findtext("system-out", "")]
    assert len(told) == 3
    for case in told:
        failure = case.find("failure")
        assert failure is not None
        assert (failure.text or "").endswith(FULL_TEXT)
        assert "\n" not in str(failure.get("message"))


@pytest.mark.parametrize("way", WAYS[:2], ids=" ".join)
def test_the_audit_log_is_told(pytester: pytest.Pytester, way: tuple[str, ...]) -> None:
    """Also what a worker found: verdict, side and causes of each of the three diffs."""
    words = [LOST, "--recon-audit-log=audit.jsonl", *way]
    run_pytest(pytester, *words)
    log = (pytester.path / "audit.jsonl").read_text()
    assert log.count('"explanation":{"causes":[{"effect":') == 3
    assert log.count('"verdict":"unique"') == 3
    assert '"proof"' not in log


@pytest.mark.parametrize(
    ("words", "loaded"),
    [
        ((LOST, "--recon-explain=off"), "NOT"),
        (("--recon-session=clear.recon.json",), "NOT"),
        ((LOST,), "LOADED"),
    ],
    ids=str,
)
def test_the_search_is_loaded_where_it_is_needed(
    pytester: pytest.Pytester, words: tuple[str, ...], loaded: str
) -> None:
    """Without a diff, and where it is off, nothing of it is imported."""
    write_session(pytester.path / "clear.recon.json")
    pytester.makeconftest(
        "import sys\n"
        "def pytest_unconfigure():\n"
        "    print('LOADED' if 'recon_core.explain.explainer' in sys.modules else 'NOT')\n"
    )
    result = pytester.runpytest_subprocess(*PLAIN, *words)  # a new interpreter
    assert loaded in result.outlines


def test_an_error_of_the_search_changes_no_verdict(pytester: pytest.Pytester) -> None:
    """It is named, on one line, and the run goes on."""
    pytester.makeconftest(
        "import recon_core.explain\n"
        "def explain(reconciliation, effort, **more):\n"
        "    raise RuntimeError('\\x1b[2Jboom\\n::error::x')\n"
        "recon_core.explain.explain = explain\n"
    )
    result = run_pytest(pytester, LOST, subprocess=True)
    assert final_line(result) == BLOCKED
    result.stdout.fnmatch_lines(
        ["No cause found: the search failed, which changes no verdict: RuntimeError:*"]
    )
    assert "\x1b[2J" not in result.stdout.str()
    assert "::error" not in result.stdout.str()


@pytest.mark.parametrize("words", [("-q",), ("-v",), ("--tb=line",), ("-rA",)], ids=" ".join)
def test_no_line_is_a_wall(pytester: pytest.Pytester, words: tuple[str, ...]) -> None:
    """In every style of output."""
    result = run_pytest(pytester, f"--recon-session={pytester.path}", *words)
    assert max(map(len, result.outlines)) < 600
