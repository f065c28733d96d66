"""Every example runs and ends as its README says; the CI snippets are real."""

import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from .blocks import environment

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
    "suite/clear": "RECON: CLEAR (4 sessions, 26 comparisons)",
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


@pytest.mark.parametrize("wrong", ["", "suite/clear", "suite/blocked"])
def test_demo_ends_with_0_only_if_both_suites_end_rightly(examples: Path, wrong: str) -> None:
    """A suite that ends otherwise than announced makes the demo fail."""
    if wrong:
        other = "blocked" if wrong.endswith("clear") else "clear"
        shutil.rmtree(examples / wrong)
        shutil.copytree(examples / "suite" / other, examples / wrong)
    result = run(examples, "sh demo.sh")
    if wrong:
        assert result.returncode == 1
        assert "demo: expected exit status" in result.stderr
    else:
        assert result.returncode == 0, result.stdout + result.stderr
        assert result.stdout.count("RECON: ") == 2


def gate_command(name: str) -> str:
    """The line of a CI snippet that runs the gate; there is one."""
    text = (EXAMPLES / "ci" / name).read_text(encoding="utf-8")
    found = re.findall(r"(?:\.venv/bin/)?(pytest --[^'\n]+)", text)
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
    suites = ET.parse(project / "recon.xml").getroot().findall("testsuite")  # noqa: S314
    assert len(suites) == 4
    failures = sum(int(suite.get("failures", "0")) for suite in suites)
    assert (failures > 0) == (status > 0)


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
        ("Jenkinsfile", r"(?s)always \{\s+junit 'recon.xml'", r"(?s)'Reconcile'.*'Deploy'"),
    ],
)
def test_ci_snippets_keep_the_report_and_block(name: str, always: str, blocks: str) -> None:
    """The report is kept of a blocked run too, and the deployment waits for the gate."""
    text = (EXAMPLES / "ci" / name).read_text(encoding="utf-8")
    assert re.search(always, text)
    assert re.search(blocks, text)
    assert "recon.xml" in text
    assert not re.search(r"\|\| true|allow_failure: true|continue-on-error", text)
