"""Every example runs and ends as its README says; the CI snippets are real."""

import json
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
import yaml

from .blocks import environment
from .picture import PICTURE, WIDTH, end_of, plain, shown

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
CI_FILES = ["github-actions.yml", "gitlab-ci.yml", "Jenkinsfile"]


@pytest.fixture
def examples(tmp_path: Path) -> Path:
    """Return a copy of the examples, away from the settings of this repository."""
    return Path(
        shutil.copytree(EXAMPLES, tmp_path / "examples", ignore=shutil.ignore_patterns(".*"))
    )


def run(directory: Path, command: str) -> subprocess.CompletedProcess[str]:
    """Run a command line as a user types it."""
    return subprocess.run(
        ["sh", "-c", command],
        cwd=directory,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def table_rows() -> list[tuple[str, int]]:
    """The commands of the table in examples/README.md, with their status."""
    text = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"\| `([^`]+)` \| (\d) \|$", text, re.MULTILINE)
    return [(command, int(status)) for command, status in rows]


def test_the_table_was_read() -> None:
    """The table below is not empty by mistake, and shows both endings."""
    assert len(table_rows()) >= 10
    assert {status for _, status in table_rows()} == {0, 1}


@pytest.mark.parametrize(("command", "status"), table_rows())
def test_example_ends_as_its_table_says(examples: Path, command: str, status: int) -> None:
    """Clear examples end with 0 and blocked ones with 1, with the final line to it."""
    result = run(examples, command)
    assert result.returncode == status, result.stdout + result.stderr
    if "--recon-session" in command:
        lines = [line for line in result.stdout.splitlines() if line.startswith("RECON: ")]
        assert len(lines) == 1
        assert lines[0].startswith("RECON: BLOCKED (" if status else "RECON: CLEAR (")


FINAL_LINES = {
    "minimal/clear.recon.json": "RECON: CLEAR (1 session, 7 comparisons)",
    "minimal/blocked.recon.json": "RECON: BLOCKED (2 FAIL, 1 WARN in 1 session)",
    "suite/clear": "RECON: CLEAR (4 sessions, 26 comparisons, 1 WARN)",
    "suite/blocked": "RECON: BLOCKED (1 CRITICAL, 2 FAIL in 4 sessions)",
    "nautilus/recording": "RECON: CLEAR (1 session, 57 comparisons)",
}


@pytest.mark.parametrize(("session", "line"), FINAL_LINES.items())
def test_final_line(examples: Path, session: str, line: str) -> None:
    """The last line of a run says what the example is there to show."""
    assert line in run(examples, f"pytest -q --recon-session={session}").stdout.splitlines()


def test_every_session_file_is_used(examples: Path) -> None:
    """No session lies about that no command of the table runs."""
    named = " ".join(command for command, _ in table_rows())
    for path in examples.rglob("*.recon.json"):
        folder = path.parent.relative_to(examples)
        assert path.name in named or folder.name in named, path


@pytest.mark.parametrize(
    ("changed", "other"),
    [
        ("", ""),
        ("suite/clear/exact.recon.json", "suite/blocked/lost_fill.recon.json"),
        ("explain/lost_fill.recon.json", "suite/clear/exact.recon.json"),
    ],
)
def test_demo_ends_with_0_only_if_both_runs_end_rightly(
    examples: Path, changed: str, other: str
) -> None:
    """What ends otherwise than announced makes the demo fail; the README shows its output."""
    if changed:
        shutil.copy(examples / other, examples / changed)
    result = run(examples, f"COLUMNS={WIDTH} sh demo.sh")
    if changed:
        assert result.returncode == 1
        assert "demo: expected exit status" in result.stderr
    else:
        assert result.returncode == 0, result.stdout + result.stderr
        assert result.stdout.count("RECON: ") == 2
        assert "repair.json: 1 entry written" in result.stdout
        assert shown(PICTURE.read_text(encoding="utf-8")) == plain(end_of(result.stdout))


def gate_command(name: str) -> str:
    """The line of a CI snippet that runs the gate; there is one."""
    text = (EXAMPLES / "ci" / name).read_text(encoding="utf-8")
    folded = re.sub(r"\n +(?=--recon-report|--recon-session)", " ", text)
    found = re.findall(r"(?:\.venv/bin/)?(pytest --[^'\n]+)", folded)
    assert len(found) == 1
    return str(found[0])


@pytest.mark.parametrize("name", CI_FILES)
@pytest.mark.parametrize(("suite", "status"), [("clear", 0), ("blocked", 1)])
def test_the_gate_of_a_ci_snippet_decides(
    examples: Path, tmp_path: Path, name: str, suite: str, status: int
) -> None:
    """The snippet's own command passes a clear suite, stops a blocked one, and reports."""
    project = tmp_path / "project"
    shutil.copytree(examples / "suite" / suite, project / "sessions")
    result = run(project, gate_command(name))
    assert result.returncode == status, result.stdout + result.stderr
    suites = ET.parse(project / "recon" / "recon.xml").getroot().findall("testsuite")  # noqa: S314
    assert len(suites) == 4
    failures = sum(int(suite.get("failures", "0")) for suite in suites)
    assert (failures > 0) == (status > 0)
    kept = {path.name for path in (project / "recon").iterdir()}
    assert {"audit.jsonl", "run.json", "recon.html"} <= kept
    run_report = json.loads((project / "recon" / "run.json").read_text(encoding="utf-8"))
    assert len(run_report["audit"]["head"]) == 64


@pytest.mark.parametrize("name", CI_FILES[:2])
def test_yaml_snippets_are_indented_evenly(name: str) -> None:
    """No tabs, and steps of two spaces: what makes YAML unreadable does not happen."""
    for line in (EXAMPLES / "ci" / name).read_text(encoding="utf-8").splitlines():
        assert "\t" not in line
        assert (len(line) - len(line.lstrip(" "))) % 2 == 0, line


@pytest.mark.parametrize(
    ("name", "always", "blocks"),
    [
        ("github-actions.yml", r"if: always\(\)", r"(?s)\n  deploy:\n    needs: reconcile\n"),
        ("gitlab-ci.yml", r"when: always", r"(?s)\ndeploy:\n.*needs: \[reconcile\]"),
        ("Jenkinsfile", r"(?s)always \{.*'recon/recon.xml'", r"(?s)'Reconcile'.*'Deploy'"),
    ],
)
def test_ci_snippets_keep_the_report_and_block(name: str, always: str, blocks: str) -> None:
    """The report is kept of a blocked run too, and the deployment waits for the gate."""
    text = (EXAMPLES / "ci" / name).read_text(encoding="utf-8")
    assert re.search(always, text)
    assert re.search(blocks, text)
    assert "recon/recon.xml" in text
    assert not re.search(r"\|\| true|allow_failure: true|continue-on-error", text)


def github_workflow() -> Any:
    """The workflow of the examples; YAML takes its key `on` for a truth."""
    text = (EXAMPLES / "ci" / "github-actions.yml").read_text(encoding="utf-8")
    return yaml.safe_load(text)


def test_the_github_workflow_is_complete() -> None:
    """Pull requests, least permissions, a bound in time, and the summary of a blocked run."""
    workflow = github_workflow()
    assert set(workflow[True]) == {"push", "pull_request"}
    assert workflow["permissions"] == {"contents": "read"}
    gate, deploy = workflow["jobs"]["reconcile"], workflow["jobs"]["deploy"]
    assert gate["timeout-minutes"]
    assert deploy["if"] == "github.event_name == 'push'"
    summary = next(step for step in gate["steps"] if "GITHUB_STEP_SUMMARY" in step.get("run", ""))
    assert summary["if"] == "always()"


@pytest.mark.parametrize("path", [EXAMPLES / "ci" / "github-actions.yml", ROOT / "action.yml"])
def test_actions_are_pinned(path: Path) -> None:
    """By the hash of a commit: a tag can be moved."""
    used = re.findall(r"uses: (\S+)", path.read_text(encoding="utf-8"))
    assert used
    assert all(re.fullmatch(r"[\w/.-]+@[0-9a-f]{40}", each) for each in used)


def test_gitlab_reads_both_reports() -> None:
    """JUnit and Code Quality, kept of a blocked run too, below a folder that can be opened."""
    text = (EXAMPLES / "ci" / "gitlab-ci.yml").read_text(encoding="utf-8")
    artifacts = yaml.safe_load(text)["reconcile"]["artifacts"]
    assert artifacts["when"] == "always"
    assert set(artifacts["reports"]) == {"junit", "codequality"}
    assert all(each.startswith("recon/") for each in artifacts["reports"].values())
