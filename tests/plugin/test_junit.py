"""The two JUnit files: pytest's own with properties, and one suite per session.

What CI servers read is held to what they document: Jenkins and GitLab take the
name, the class name and the time of a case, and the counts of a suite.
"""

import os
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from recon_core.reports.formats import JUNIT
from recon_core.reports.junit import CaseReport, SuiteReport, junit_text

from .conftest import (
    BLOCKED_COMPARISONS,
    CASH,
    CLEAR_COMPARISONS,
    POSITIONS,
    final_line,
    run_pytest,
    write_blocked,
    write_clear,
    write_session,
    write_warn,
)

OWN = "items.xml"
SUITES = "sessions.xml"
PROPERTIES = ["recon.session_id", "recon.kind", "recon.key", "recon.severity", "recon.drift"]
DECIMAL = re.compile(r"\d+(\.\d+)?")


def parsed(path: Path) -> ET.Element:
    return ET.parse(path).getroot()  # noqa: S314  # written by the run


def own_cases(path: Path) -> dict[str, ET.Element]:
    """The cases of pytest's own report by kind and key."""
    cases = {}
    for case in parsed(path).iter("testcase"):
        properties = properties_of(case)
        cases[f"{properties['recon.kind']}::{properties['recon.key']}"] = case
    return cases


def properties_of(element: ET.Element) -> dict[str, str]:
    found = element.findall("properties/property")
    names = [each.attrib["name"] for each in found]
    assert len(set(names)) == len(names)
    return {each.attrib["name"]: each.attrib["value"] for each in found}


def suite(root: ET.Element, name: str) -> ET.Element:
    found = [each for each in root.findall("testsuite") if each.attrib["name"] == name]
    assert len(found) == 1
    return found[0]


def outcome(case: ET.Element) -> str:
    """The one outcome of a case; a case with two is a defect in every CI server."""
    found = [name for name in ("failure", "skipped", "error") if case.find(name) is not None]
    assert len(found) <= 1
    return found[0] if found else "passed"


def stated_properties(case: ET.Element) -> dict[str, str]:
    """The properties that stand in `system-out`, one in a line."""
    text = case.findtext("system-out")
    assert text is not None
    return dict(line.split("=", 1) for line in text.splitlines())


def write_all_verdicts(path: Path) -> Path:
    """A match, an INFO, a WARN and a FAIL, and a session check that is a WARN."""
    return write_session(
        path,
        positions={"A/EUR": "1", "B/EUR": "1", "C/EUR": "1", "D/EUR": "1"},
        external_positions={"A/EUR": "1", "B/EUR": "0.9995", "C/EUR": "0.995", "D/EUR": "0.9"},
    )


class TestOwnReport:
    """`--junitxml` is pytest's; each case carries the five properties."""

    @pytest.mark.parametrize("workers", [0, 2])
    def test_every_case_has_the_five_properties(
        self, pytester: pytest.Pytester, workers: int
    ) -> None:
        """In the order of severities, as text, with and without workers."""
        write_all_verdicts(pytester.path / "desk.recon.json")
        run_pytest(
            pytester,
            "--recon-session=desk.recon.json",
            "--recon-explain=off",
            f"--junitxml={OWN}",
            f"-n{workers}",
        )
        cases = own_cases(pytester.path / OWN)
        assert len(cases) == 4 + 1 + 4
        for case in cases.values():
            assert list(properties_of(case)) == PROPERTIES
            assert properties_of(case)["recon.session_id"] == "desk"

    @pytest.mark.parametrize(
        ("identity", "severity", "drift", "found"),
        [
            ("position::A/EUR", "match", "0", "passed"),
            ("position::B/EUR", "INFO", "0.0005", "passed"),
            ("position::C/EUR", "WARN", "0.005", "skipped"),
            ("position::D/EUR", "FAIL", "0.1", "failure"),
            ("cash::EUR", "match", "0", "passed"),
            ("session::readable", "match", "", "passed"),
        ],
    )
    def test_severity_and_drift(
        self, pytester: pytest.Pytester, identity: str, severity: str, drift: str, found: str
    ) -> None:
        """A drift is a plain fraction, 0 on a match, empty where it has no meaning."""
        write_all_verdicts(pytester.path / "desk.recon.json")
        run_pytest(pytester, "--recon-session=desk.recon.json", f"--junitxml={OWN}")
        case = own_cases(pytester.path / OWN)[identity]
        assert properties_of(case)["recon.severity"] == severity
        assert properties_of(case)["recon.drift"] == drift
        assert outcome(case) == found

    def test_a_rerun_leaves_each_property_once(self, blocked_session: Path, pytester: Any) -> None:
        """pytest-rerunfailures runs no item twice, and repeats no property."""
        run_pytest(
            pytester,
            f"--recon-session={blocked_session}",
            "--recon-explain=off",
            f"--junitxml={OWN}",
            "--reruns=2",
        )
        cases = own_cases(pytester.path / OWN)
        assert len(cases) == BLOCKED_COMPARISONS
        assert len(parsed(pytester.path / OWN).findall(".//testcase")) == BLOCKED_COMPARISONS
        assert [list(properties_of(case)) for case in cases.values()] == [PROPERTIES] * len(cases)

    def test_an_unreadable_session_is_one_failed_case(self, pytester: pytest.Pytester) -> None:
        """The severity is CRITICAL, the message says why."""
        (pytester.path / "cut.recon.json").write_text("{", encoding="utf-8")
        run_pytest(pytester, "--recon-session=cut.recon.json", f"--junitxml={OWN}")
        (case,) = own_cases(pytester.path / OWN).values()
        assert properties_of(case)["recon.severity"] == "CRITICAL"
        assert properties_of(case)["recon.session_id"] == "cut"
        failure = case.find("failure")
        assert failure is not None
        assert "cut.recon.json: is not JSON" in str(failure.text)


@pytest.fixture
def three_sessions(pytester: pytest.Pytester) -> Path:
    """A clear session, a blocked one, and one that cannot be read."""
    sessions = pytester.path / "sessions"
    write_clear(sessions / "clear.recon.json")
    write_blocked(sessions / "blocked.recon.json")
    (sessions / "cut.recon.json").write_text("{", encoding="utf-8")
    return sessions


ALL_CASES = BLOCKED_COMPARISONS + CLEAR_COMPARISONS + 1


class TestSuites:
    """`--recon-junit`: one suite per session."""

    @pytest.fixture
    def root(self, pytester: pytest.Pytester, three_sessions: Path) -> ET.Element:
        """The parsed report of the three sessions."""
        result = run_pytest(
            pytester, f"--recon-session={three_sessions}", f"--recon-junit={SUITES}"
        )
        assert result.ret == 1
        return parsed(pytester.path / SUITES)

    def test_one_suite_per_session(self, root: ET.Element) -> None:
        """Named by the anchor, sorted."""
        assert root.tag == "testsuites"
        assert [each.attrib["name"] for each in root.findall("testsuite")] == [
            "sessions/blocked.recon.json",
            "sessions/clear.recon.json",
            "sessions/cut.recon.json",
        ]

    def test_properties_of_a_suite(self, root: ET.Element) -> None:
        """Session, strategy, run id and how many diffs of each severity."""
        properties = properties_of(suite(root, "sessions/blocked.recon.json"))
        run_id = properties.pop("recon.run_id")
        assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", run_id)
        assert properties == {
            "recon.session_id": "blocked",
            "recon.strategy_id": "ma_crossover",
            "recon.max_severity": "FAIL",
            "recon.comparisons": str(BLOCKED_COMPARISONS),
            "recon.ran": str(BLOCKED_COMPARISONS),
            "recon.count.CRITICAL": "0",
            "recon.count.FAIL": "2",
            "recon.count.WARN": "1",
            "recon.count.WAIVED": "0",
            "recon.count.INFO": "0",
        }

    def test_every_session_has_a_run_id_of_its_own(self, root: ET.Element) -> None:
        """`run_id` is per session (design, "Audit")."""
        ids = {properties_of(each)["recon.run_id"] for each in root.findall("testsuite")}
        assert len(ids) == 3

    def test_cases_of_all_items(self, root: ET.Element) -> None:
        """The session checks are cases too."""
        cases = suite(root, "sessions/blocked.recon.json").findall("testcase")
        assert {case.attrib["name"]: outcome(case) for case in cases} == {
            "BTC/EUR": "skipped",
            "ETH/EUR": "failure",
            "SOL/EUR": "passed",
            "EUR": "failure",
            "as-of": "passed",
            "complete": "passed",
            "coverage": "passed",
            "readable": "passed",
        }

    def test_counts_of_every_suite(self, root: ET.Element) -> None:
        """What a suite says of itself is what is in it; so is the total."""
        for each in [root, *root.findall("testsuite")]:
            outcomes = [outcome(case) for case in each.iter("testcase")]
            for attribute, name in (("failures", "failure"), ("errors", "error")):
                assert int(each.attrib[attribute]) == outcomes.count(name)
            assert int(each.attrib["tests"]) == len(outcomes)
            if each is not root:
                assert int(each.attrib["skipped"]) == outcomes.count("skipped")

    def test_what_ci_servers_read(self, root: ET.Element) -> None:
        """Name, class name and time of a case; name and time of a suite."""
        seen = set()
        for case in root.iter("testcase"):
            assert case.attrib["name"]
            assert case.attrib["classname"]
            assert DECIMAL.fullmatch(case.get("time", "0"))
            seen.add((case.attrib["classname"], case.attrib["name"]))
        assert len(seen) == ALL_CASES
        for each in root.findall("testsuite"):
            assert each.attrib["name"]
            assert DECIMAL.fullmatch(each.attrib["time"])

    def test_a_class_name_has_session_and_kind(self, root: ET.Element) -> None:
        """With the name it is the node id."""
        cases = suite(root, "sessions/clear.recon.json").findall("testcase")
        assert sorted(f"{case.attrib['classname']}::{case.attrib['name']}" for case in cases) == [
            f"sessions/clear.recon.json::{identity}"
            for identity in (
                "cash::EUR",
                "position::BTC/EUR",
                "position::ETH/EUR",
                "session::as-of",
                "session::complete",
                "session::coverage",
                "session::readable",
            )
        ]

    def test_a_failure_has_the_whole_text(self, root: ET.Element) -> None:
        """What, both sides, delta, tolerance, severity, escalation; the message is in short."""
        cases = suite(root, "sessions/blocked.recon.json").findall("testcase")
        (failure,) = [case.find("failure") for case in cases if case.attrib["name"] == "EUR"]
        assert failure is not None
        text = str(failure.text)
        assert text.startswith("cash EUR: FAIL, ")
        assert failure.attrib["message"].startswith("cash EUR: FAIL, ledger 5000.00 EUR, ")
        for part in ("cash EUR: FAIL", "5000.00 EUR", "4995.00 EUR", "5.00 EUR", "tolerance"):
            assert part in text
        assert "tolerance   1.00 EUR = min(1 EUR, 0.5 % of 5000.00)" in text

    def test_a_warn_is_skipped_with_its_message(self, root: ET.Element) -> None:
        """It does not block, and it is not silent."""
        cases = suite(root, "sessions/blocked.recon.json").findall("testcase")
        (skipped,) = [case.find("skipped") for case in cases if outcome(case) == "skipped"]
        assert skipped is not None
        assert skipped.attrib["message"].startswith("position BTC/EUR: WARN, ledger 0.1 BTC")
        assert str(skipped.text).startswith("position BTC/EUR: WARN, ")

    def test_properties_of_a_case_stand_in_system_out(self, root: ET.Element) -> None:
        """Of matches too."""
        cases = suite(root, "sessions/blocked.recon.json").findall("testcase")
        stated = {case.attrib["name"]: stated_properties(case) for case in cases}
        assert stated["SOL/EUR"] == {
            "recon.session_id": "blocked",
            "recon.kind": "position",
            "recon.key": "SOL/EUR",
            "recon.severity": "match",
            "recon.drift": "0",
        }
        assert stated["BTC/EUR"]["recon.severity"] == "WARN"
        assert stated["BTC/EUR"]["recon.drift"] == "0.005"
        assert stated["readable"]["recon.drift"] == ""

    def test_an_unreadable_session(self, root: ET.Element) -> None:
        """One case, CRITICAL, under the stem of the file's name."""
        cut = suite(root, "sessions/cut.recon.json")
        assert properties_of(cut)["recon.session_id"] == "cut"
        assert properties_of(cut)["recon.count.CRITICAL"] == "1"
        (case,) = cut.findall("testcase")
        assert case.attrib["name"] == "readable"
        assert outcome(case) == "failure"


@pytest.mark.parametrize(
    "arguments",
    [("--recon-fail-on=warn",), ("--runxfail",), ("-Werror::pytest_recon.ReconDriftWarning",)],
    ids=" ".join,
)
def test_a_warn_that_fails_is_a_failure(
    pytester: pytest.Pytester, warn_session: Path, arguments: tuple[str, ...]
) -> None:
    """Its severity stays WARN; it is a failure and not skipped, in both reports."""
    run_pytest(
        pytester,
        f"--recon-session={warn_session}",
        f"--junitxml={OWN}",
        f"--recon-junit={SUITES}",
        *arguments,
    )
    own = own_cases(pytester.path / OWN)["position::BTC/EUR"]
    assert outcome(own) == "failure"
    assert properties_of(own)["recon.severity"] == "WARN"
    root = parsed(pytester.path / SUITES)
    (case,) = [each for each in root.iter("testcase") if each.attrib["name"] == "BTC/EUR"]
    assert outcome(case) == "failure"
    assert stated_properties(case)["recon.severity"] == "WARN"
    assert "position BTC/EUR: WARN" in str(case.findtext("failure"))


def test_a_time_is_never_in_exponent_notation() -> None:
    """Not every reader takes `5e-05` for a number; a comparison can be that fast."""
    case = CaseReport("desk::cash", "EUR", 0.00001, "passed", "", "", {})
    root = ET.fromstring(junit_text([SuiteReport("desk", {}, [case])]))  # noqa: S314  # our own
    for element in root.iter():
        assert DECIMAL.fullmatch(element.get("time", "0"))


def comparable(root: ET.Element) -> list[Any]:
    """A report without what differs between two runs: times and run ids."""

    def plain(element: ET.Element) -> Any:
        attributes = {
            name: value
            for name, value in element.attrib.items()
            if name not in ("time", "timestamp", "hostname")
        }
        if attributes.get("name") == "recon.run_id":
            del attributes["value"]
        children = sorted((plain(child) for child in element), key=repr)
        return element.tag, attributes, element.text, children

    return [plain(each) for each in root.findall("testsuite")]


def test_workers_change_nothing(pytester: pytest.Pytester, three_sessions: Path) -> None:
    """The same cases, texts and properties from two workers as from one process."""
    found = []
    for number, more in enumerate([(), ("-n2",), ("-n2", "--dist=loadfile")]):
        run_pytest(
            pytester,
            f"--recon-session={three_sessions}",
            f"--junitxml={number}{OWN}",
            f"--recon-junit={number}{SUITES}",
            *more,
        )
        reports = (f"{number}{OWN}", f"{number}{SUITES}")
        found.append([comparable(parsed(pytester.path / report)) for report in reports])
    assert found[0] == found[1] == found[2]
    assert len(found[0][1]) == 3


def test_a_narrowed_run_still_writes(pytester: pytest.Pytester, blocked_session: Path) -> None:
    """What ran is in the report; the suite says how much was promised."""
    result = run_pytest(
        pytester, f"--recon-session={blocked_session}", f"--recon-junit={SUITES}", "-k", "SOL"
    )
    assert result.ret == 1
    root = parsed(pytester.path / SUITES)
    assert {case.attrib["name"]: outcome(case) for case in root.iter("testcase")} == {
        "SOL/EUR": "passed",
        "gate": "error",
    }
    properties = properties_of(root[0])
    assert properties["recon.ran"] == "1"
    assert properties["recon.comparisons"] == str(BLOCKED_COMPARISONS)


def test_a_collect_only_run_writes_the_gate_alone(
    pytester: pytest.Pytester, clear_session: Path
) -> None:
    """Nothing ran, and the report does not look as if something had."""
    run_pytest(pytester, f"--recon-session={clear_session}", f"--recon-junit={SUITES}", "--co")
    root = parsed(pytester.path / SUITES)
    (case,) = root.iter("testcase")
    assert (case.attrib["name"], outcome(case)) == ("gate", "error")
    assert properties_of(root[0])["recon.ran"] == "0"


@pytest.mark.parametrize("gate", [(), ("--no-recon-gate",)])
def test_sessions_of_a_plain_collection_are_suites_too(
    pytester: pytest.Pytester, gate: tuple[str, ...]
) -> None:
    """Without `--recon-session`, and with ordinary tests beside, which are no cases."""
    write_clear(pytester.path / "clear.recon.json")
    write_warn(pytester.path / "warn.recon.json")
    pytester.makepyfile("def test_other(): pass")
    result = run_pytest(pytester, ".", f"--recon-junit={SUITES}", *gate)
    assert result.ret == 0
    root = parsed(pytester.path / SUITES)
    assert [each.attrib["name"] for each in root] == ["clear.recon.json", "warn.recon.json"]
    assert len(list(root.iter("testcase"))) == 2 * CLEAR_COMPARISONS


def test_the_directory_of_a_report_is_made(pytester: pytest.Pytester, clear_session: Path) -> None:
    """As pytest does for its own."""
    result = run_pytest(
        pytester, f"--recon-session={clear_session}", f"--recon-junit=out/ci/{SUITES}"
    )
    assert result.ret == 0
    assert len(list(parsed(pytester.path / "out" / "ci" / SUITES))) == 1


def test_a_report_is_replaced_whole(pytester: pytest.Pytester, clear_session: Path) -> None:
    """A second run leaves its own report and nothing besides."""
    (pytester.path / "out").mkdir()
    report = pytester.path / "out" / SUITES
    report.write_text("<testsuites/>", encoding="utf-8")
    run_pytest(pytester, f"--recon-session={clear_session}", f"--recon-junit={report}")
    assert parsed(report).tag == "testsuites"
    assert [path.name for path in report.parent.iterdir()] == [SUITES]


def test_a_report_is_as_readable_as_any_file(
    pytester: pytest.Pytester, clear_session: Path
) -> None:
    """A temporary file is private; the report of a CI run must not be."""
    before = os.umask(0o022)
    try:
        run_pytest(pytester, f"--recon-session={clear_session}", f"--recon-junit={SUITES}")
    finally:
        os.umask(before)
    assert (pytester.path / SUITES).stat().st_mode & 0o777 == 0o644


BAD_PLACES = {
    "a file where a directory should be": "file/report.xml",
    "a name that is too long": "x" * 300,
    "a directory that does not exist in /proc": "/proc/no/report.xml",
}


@pytest.mark.parametrize("place", BAD_PLACES.values(), ids=BAD_PLACES)
@pytest.mark.parametrize(("gate", "status"), [((), 1), (("--no-recon-gate",), 0)])
def test_a_report_that_cannot_be_written(
    pytester: pytest.Pytester,
    clear_session: Path,
    place: str,
    gate: tuple[str, ...],
    status: int,
) -> None:
    """A clear session is red, and one line says why; with the gate off the status stays."""
    (pytester.path / "file").write_text("kept", encoding="utf-8")
    before = sorted(path.name for path in pytester.path.iterdir())
    result = run_pytest(
        pytester, f"--recon-session={clear_session}", f"--recon-junit={place}", *gate
    )
    lines = [line for line in result.outlines + result.errlines if "--recon-junit" in line]
    assert len(lines) == 1
    assert "was not written: " in lines[0]
    assert result.ret == status
    assert final_line(result).startswith("RECON: INCOMPLETE")
    assert sorted(path.name for path in pytester.path.iterdir()) == before
    assert (pytester.path / "file").read_text(encoding="utf-8") == "kept"


def test_a_directory_in_the_place_of_the_report(
    pytester: pytest.Pytester, clear_session: Path
) -> None:
    """Seen before anything runs: a usage error."""
    (pytester.path / "out").mkdir()
    result = run_pytest(pytester, f"--recon-session={clear_session}", "--recon-junit=out")
    assert result.ret == 4
    assert list((pytester.path / "out").iterdir()) == []


@pytest.mark.parametrize("failing", ["replace", "fsync"])
def test_a_failing_write_leaves_no_earlier_report(
    pytester: pytest.Pytester,
    clear_session: Path,
    monkeypatch: pytest.MonkeyPatch,
    failing: str,
) -> None:
    """A full disk leaves a report that fails, and no temporary file."""

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    (pytester.path / "out").mkdir()
    report = pytester.path / "out" / SUITES
    report.write_text("<testsuites/>", encoding="utf-8")
    with monkeypatch.context() as patched:
        if failing == "fsync":
            patched.setattr(os, "fsync", fail)
        else:
            patched.setattr(Path, "replace", fail)
        result = run_pytest(pytester, f"--recon-session={clear_session}", f"--recon-junit={report}")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["recon: --recon-junit=*No space left on device"])
    assert report.read_text(encoding="utf-8") == JUNIT.not_ended
    assert [path.name for path in report.parent.iterdir()] == [SUITES]


def test_a_blocked_run_keeps_its_line_without_a_report(
    pytester: pytest.Pytester, blocked_session: Path
) -> None:
    """BLOCKED comes first where a report failed besides."""
    (pytester.path / "file").write_text("", encoding="utf-8")
    result = run_pytest(
        pytester, f"--recon-session={blocked_session}", "--recon-junit=file/report.xml"
    )
    assert final_line(result).startswith("RECON: BLOCKED (2 FAIL, 1 WARN")
    result.stdout.fnmatch_lines(["recon: --recon-junit=*"])


def test_names_of_both_reports_agree_on_hostile_keys(pytester: pytest.Pytester) -> None:
    """The key stands encoded in names and properties of both."""
    symbol = "A&B]]><c> ::\x1b[1m\u202e"
    write_session(
        pytester.path / "desk.recon.json",
        positions={**POSITIONS, symbol: "1"},
        cash={**CASH, symbol: "1"},
    )
    run_pytest(
        pytester,
        "--recon-session=desk.recon.json",
        f"--junitxml={OWN}",
        f"--recon-junit={SUITES}",
    )
    own = own_cases(pytester.path / OWN)
    suites = {
        f"{stated_properties(case)['recon.kind']}::{case.attrib['name']}"
        for case in parsed(pytester.path / SUITES).iter("testcase")
    }
    assert set(own) == suites
    encoded = "A&B%5D%5D><c>%20%3A%3A%1B%5B1m%E2%80%AE"
    assert {f"position::{encoded}", f"cash::{encoded}"} <= suites
