"""Every report as the programs that read it do: GitLab, Jenkins, GitHub and its actions."""

import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from recon_core.reports.formats import FORMATS, NOT_ENDED
from recon_core.reports.run_json import read_run, run_json, run_schema
from recon_core.reports.run_report import RunReport

from . import consumers, runs

SARIF_SCHEMA = Path(__file__).parents[1] / "data" / "sarif" / "sarif-2.1.0-rtm.5.json"
CONSUMERS: dict[str, Callable[[str], list[consumers.Case]]] = {
    "gitlab": consumers.gitlab_cases,
    "jenkins": consumers.jenkins_cases,
    "dorny": consumers.dorny_cases,
    "mikepenz": consumers.mikepenz_cases,
}


@cache
def everything() -> RunReport:
    """A run over the examples."""
    return runs.examples()


def rendered(name: str, run: RunReport | None = None) -> str:
    return FORMATS[name].render(run or everything())


@cache
def sarif_validator() -> Any:
    return jsonschema.Draft4Validator(json.loads(SARIF_SCHEMA.read_text(encoding="utf-8")))


class TestJunit:
    """One case for each comparison, whose text and place every consumer finds."""

    @pytest.mark.parametrize("consumer", CONSUMERS)
    def test_every_comparison_is_one_case_with_its_outcome(self, consumer: str) -> None:
        """A match and an INFO pass, a WARN is skipped, what blocks fails."""
        expected = [
            "failure" if each.blocks else "skipped" if each.verdict == "WARN" else "passed"
            for session in everything().sessions
            for each in session.comparisons
        ]
        assert [case.outcome for case in CONSUMERS[consumer](rendered("junit"))] == expected
        assert {"failure", "skipped", "passed"} == set(expected)

    @pytest.mark.parametrize("consumer", ["gitlab", "jenkins", "mikepenz"])
    def test_a_warn_says_what_differs(self, consumer: str) -> None:
        """GitLab shows the content of a skipped case, the others its message."""
        skipped = [
            case for case in CONSUMERS[consumer](rendered("junit")) if case.outcome == "skipped"
        ]
        assert skipped
        for case in skipped:
            assert "position BTC/EUR: WARN, " in case.text
            assert " 0.0995 BTC, delta 0.0005 BTC" in case.text

    def test_the_message_of_a_failure_has_its_cause(self) -> None:
        """Jenkins' table and GitHub's annotations show the message alone."""
        messages = [case.text for case in consumers.mikepenz_cases(rendered("junit"))]
        assert any(
            "cash USDT: FAIL" in each and "booked the fee of fill" in each for each in messages
        )

    @pytest.mark.parametrize("consumer", ["gitlab", "dorny", "mikepenz"])
    def test_a_case_names_a_file_that_is_there(self, consumer: str) -> None:
        """As seen from where the run was started."""
        for case in CONSUMERS[consumer](rendered("junit")):
            assert (runs.EXAMPLES / case.file).is_file()

    @pytest.mark.parametrize("consumer", ["dorny", "mikepenz"])
    def test_a_case_that_fails_names_the_line_of_its_row(self, consumer: str) -> None:
        """The line holds the name of what differs."""
        lines = [
            (runs.EXAMPLES / case.file).read_text(encoding="utf-8").splitlines()[int(case.line) - 1]
            for case in CONSUMERS[consumer](rendered("junit"))
            if case.outcome == "failure" and case.name in ("ETH/EUR", "BTC/USDT", "USDT")
        ]
        assert len(lines) == 9
        assert all("ETH/EUR" in line or "USDT" in line for line in lines)


class TestGitlab:
    """Code Quality, which stops at the first issue that lacks a field."""

    def test_every_finding_is_an_issue(self) -> None:
        """The severities are those of the widget."""
        found = consumers.gitlab_degradations(rendered("gitlab"))
        assert len(found) == sum(sum(session.counts.values()) for session in everything().sessions)
        assert [each.severity for each in found[:2]] == ["blocker", "critical"]
        assert {each.severity for each in found} == {"blocker", "critical", "minor", "info"}

    def test_paths_are_relative_and_lines_are_those_of_the_rows(self) -> None:
        """GitLab joins them with the root of the project."""
        for issue in consumers.gitlab_degradations(rendered("gitlab")):
            assert (runs.EXAMPLES / issue.path).is_file()
            assert not issue.path.startswith(("./", "/"))

    def test_a_fingerprint_outlives_another_amount(self, tmp_path: Path) -> None:
        """So GitLab knows the issue of the target branch again; another session is another."""
        fingerprints = []
        for quantity in ("0.95", "0.90"):
            document = runs.session(
                internal={"positions": {"ETH/EUR": "1"}, "cash": {}},
                external={"positions": {"ETH/EUR": quantity}, "cash": {}},
            )
            for name in ("a", "b"):
                path = runs.write(tmp_path, name, document)
                text = rendered("gitlab", runs.judged(tmp_path, path))
                fingerprints.append(json.loads(text)[0]["fingerprint"])
        assert fingerprints[:2] == fingerprints[2:]
        assert fingerprints[0] != fingerprints[1]

    def test_a_clear_run_has_no_issue(self, tmp_path: Path) -> None:
        """An empty list removes those of the target branch."""
        run = runs.judged(tmp_path, runs.write(tmp_path, "clear", runs.CLEAR))
        assert json.loads(rendered("gitlab", run)) == []


class TestSarif:
    """SARIF by the official schema and by what GitHub asks for."""

    def test_the_file_fits_the_official_schema(self) -> None:
        """With findings of every severity."""
        sarif_validator().validate(json.loads(rendered("sarif")))

    def test_results_point_to_rows(self) -> None:
        """Exactly one location each; rules, levels and fingerprints as GitHub reads them."""
        (run,) = json.loads(rendered("sarif"))["runs"]
        rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
        assert {result["level"] for result in run["results"]} == {"error", "warning", "note"}
        for result in run["results"]:
            assert rules[result["ruleIndex"]] == result["ruleId"]
            (location,) = result["locations"]
            place = location["physicalLocation"]
            assert (runs.EXAMPLES / place["artifactLocation"]["uri"]).is_file()
            assert place["region"]["startLine"] >= 1
            assert len(result["partialFingerprints"]["primaryLocationLineHash"]) == 64

    def test_the_row_of_the_other_side_is_a_related_location(self, tmp_path: Path) -> None:
        """A position that both sides list has two places."""
        run = runs.judged(tmp_path, runs.write(tmp_path, "desk", runs.BLOCKED))
        (first, *_) = json.loads(rendered("sarif", run))["runs"][0]["results"]
        (other,) = first["relatedLocations"]
        own = first["locations"][0]["physicalLocation"]["region"]["startLine"]
        assert other["physicalLocation"]["region"]["startLine"] > own

    def test_an_incomplete_run_was_no_success(self) -> None:
        """A reader must not take missing results for a clean state."""
        run = replace(everything(), verdict="INCOMPLETE", problems=("a file was not there",))
        document = json.loads(rendered("sarif", run))
        sarif_validator().validate(document)
        (invocation,) = document["runs"][0]["invocations"]
        assert invocation["executionSuccessful"] is False
        assert document["runs"][0]["results"][0]["level"] == "error"


class TestGithub:
    """Annotations, as the runner reads them."""

    def test_each_cause_is_one_annotation(self) -> None:
        """At the row of its worst difference; the others are named in it."""
        found = consumers.github_commands(rendered("github"))
        titles = [each.properties["title"] for each in found if each.name == "error"]
        assert len(titles) == 9
        assert "recon FAIL cash BTC and 2 more" in titles
        for each in found:
            assert (runs.EXAMPLES / each.properties["file"]).is_file()
            assert int(each.properties["line"]) >= 1
            assert len(each.message) <= 4096

    def test_a_cause_is_annotated_at_a_row(self, tmp_path: Path) -> None:
        """Where the balances were replayed, at the fill that is missing."""
        path = runs.write(tmp_path, "desk", runs.trading(3))
        (only,) = consumers.github_commands(rendered("github", runs.judged(tmp_path, path)))
        lines = path.read_text(encoding="utf-8").splitlines()
        assert '"fill_id": "t3"' in lines[int(only.properties["line"])]

    def test_a_clear_run_says_so(self, tmp_path: Path) -> None:
        """A notice, so that a missing step shows."""
        run = runs.judged(tmp_path, runs.write(tmp_path, "clear", runs.CLEAR))
        (only,) = consumers.github_commands(rendered("github", run))
        assert (only.name, only.message) == ("notice", run.line)

    def test_with_the_gate_off_a_problem_is_a_warning(self) -> None:
        """What does not change the status fails no report either."""
        run = replace(everything(), problems=("something",), gate=False)
        first = consumers.github_commands(rendered("github", run))
        assert any(each.name == "warning" and "something" in each.message for each in first)


class TestJson:
    """The JSON report, its schema and its reader."""

    def test_the_report_fits_its_schema(self) -> None:
        """As `recon schema report` prints it."""
        jsonschema.Draft202012Validator(run_schema()).validate(json.loads(rendered("json")))

    def test_reading_gives_what_was_written(self) -> None:
        """So every other format can be made from it later."""
        assert read_run(rendered("json"), "run.json") == everything()

    @pytest.mark.parametrize("name", FORMATS)
    def test_a_format_made_later_is_the_same(self, name: str) -> None:
        """Byte by byte."""
        again = read_run(run_json(everything()), "run.json")
        assert rendered(name, again) == rendered(name)


@pytest.mark.parametrize("name", FORMATS)
def test_a_run_that_has_not_ended_fails_in_every_format(name: str) -> None:
    """The report that stands in for one that is not written yet, read as its consumers do."""
    text = FORMATS[name].not_ended
    assert NOT_ENDED in text
    assert FORMATS[name].begins.match(text.encode())
    match name:
        case "json":
            assert read_run(text, "run.json").verdict == "INCOMPLETE"
        case "github":
            assert [each.name for each in consumers.github_commands(text)] == ["error"]
        case "gitlab":
            assert [each.severity for each in consumers.gitlab_degradations(text)] == ["blocker"]
        case "sarif":
            sarif_validator().validate(json.loads(text))
            assert json.loads(text)["runs"][0]["results"][0]["level"] == "error"
        case "junit":
            assert [each.outcome for each in consumers.gitlab_cases(text)] == ["error"]
        case _:
            assert "RECON: INCOMPLETE" in text


@pytest.mark.parametrize("name", FORMATS)
def test_an_earlier_report_is_known_again(name: str) -> None:
    """A file of any verdict may be replaced by the next run."""
    for run in (everything(), replace(everything(), sessions=(), problems=())):
        assert FORMATS[name].begins.match(rendered(name, run).encode())


def test_the_list_of_formats_is_complete() -> None:
    """Every module of the folder is in the list, and has the one function."""
    folder = Path(__file__).parents[2] / "recon_core" / "reports" / "formats"
    modules = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    assert modules == {each.module for each in FORMATS.values()}
