"""The composite action and the hook for pre-commit: their steps run as a workflow runs them."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.warm import warm_commands

from .blocks import environment

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
ACTION: Any = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
STEPS = {step.get("name"): step for step in ACTION["runs"]["steps"]}


class Workflow:
    """A workflow that uses the action with some inputs, in a directory of its own."""

    def __init__(self, directory: Path, **inputs: str) -> None:
        self.directory = directory
        defaults = {name: each.get("default", "") for name, each in ACTION["inputs"].items()}
        self.inputs = {**defaults, **{name.replace("_", "-"): v for name, v in inputs.items()}}
        self.output, self.summary = directory / "output", directory / "summary"
        for file in (self.output, self.summary):
            file.touch()
        # Instead of the step that installs: the environment of these tests.
        place = directory / "temp" / "recon-venv" / "bin"
        place.mkdir(parents=True)
        for name in ("python", "recon"):
            (place / name).symlink_to(warm_commands() / name)

    def value(self, text: str) -> str:
        """An expression of the workflow, replaced by its value as the runner does."""
        known = {f"inputs.{name}": value for name, value in self.inputs.items()}
        known |= {"runner.temp": str(self.directory / "temp"), "github.action_path": str(ROOT)}
        return re.sub(r"\$\{\{ *([\w.-]+) *\}\}", lambda match: known[match[1]], text)

    def check(self) -> subprocess.CompletedProcess[str]:
        """Run the step `check`."""
        step = STEPS["check"]
        own = {name: self.value(value) for name, value in step["env"].items()}
        files = {"GITHUB_OUTPUT": str(self.output), "GITHUB_STEP_SUMMARY": str(self.summary)}
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", step["run"]],
            cwd=self.directory,
            env={**environment(), **files, **own},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    @property
    def outputs(self) -> dict[str, str]:
        """The outputs that the step wrote."""
        lines = self.output.read_text(encoding="utf-8").splitlines()
        return dict(line.split("=", 1) for line in lines)


@pytest.mark.parametrize(
    ("suite", "status", "verdict"), [("clear", 0, "CLEAR"), ("blocked", 2, "BLOCKED")]
)
def test_the_step_decides(tmp_path: Path, suite: str, status: int, verdict: str) -> None:
    """Its status is that of the gate; outputs, annotations, summary and reports are there."""
    (tmp_path / "sessions").symlink_to(EXAMPLES / "suite" / suite)
    workflow = Workflow(tmp_path, sessions="sessions", audit_log="audit.jsonl")
    done = workflow.check()
    assert done.returncode == status, done.stderr
    assert workflow.outputs["verdict"] == verdict
    assert workflow.outputs["line"].startswith(f"RECON: {verdict}")
    assert re.fullmatch("[0-9a-f]{64}", workflow.outputs["head"])
    assert f"RECON: {verdict}" in workflow.summary.read_text(encoding="utf-8")
    assert ("::error " in done.stdout) == (status != 0)
    names = {path.name for path in (tmp_path / "recon-report").iterdir()}
    assert names == {
        "run.json", "recon.html", "recon.xml", "recon.sarif", "summary.md", "annotations.txt"
    }  # fmt: skip


@pytest.mark.parametrize(
    "inputs",
    [
        {"sessions": "nothing"},
        {"sessions": ""},
        {"sessions": "sessions", "policy": "missing.toml"},
        {"sessions": "sessions", "fail_on": "never"},
        {"sessions": "sessions", "report_dir": "file"},
    ],
)
def test_whatever_goes_wrong_fails_the_step(tmp_path: Path, inputs: dict[str, str]) -> None:
    """Nothing that was mistyped is a green step, and no output says CLEAR."""
    (tmp_path / "sessions").symlink_to(EXAMPLES / "suite" / "clear")
    (tmp_path / "file").touch()
    workflow = Workflow(tmp_path, **inputs)
    assert workflow.check().returncode != 0
    assert workflow.outputs.get("verdict", "INCOMPLETE") == "INCOMPLETE"


@pytest.mark.parametrize(
    "name", ["$(touch gone)", "`touch gone`", "a; touch gone", "--help", "' touch gone '"]
)
def test_an_input_is_never_a_command(tmp_path: Path, name: str) -> None:
    """Nor an option: it is the name of a session that is not there."""
    workflow = Workflow(tmp_path, sessions=name)
    assert workflow.check().returncode == 64
    assert not (tmp_path / "gone").exists()


def test_several_sessions_and_names_with_spaces(tmp_path: Path) -> None:
    """One on each line."""
    (tmp_path / "first one").symlink_to(EXAMPLES / "suite" / "clear")
    (tmp_path / "other").symlink_to(EXAMPLES / "minimal")
    workflow = Workflow(tmp_path, sessions="first one\nother/clear.recon.json\n")
    assert workflow.check().returncode == 0
    assert workflow.outputs["line"] == "RECON: CLEAR (5 sessions, 33 comparisons, 1 WARN)"


def test_no_expression_is_in_a_script() -> None:
    """What the runner would paste into a script could be a command."""
    for step in ACTION["runs"]["steps"]:
        assert "${{" not in step.get("run", "")
    assert STEPS["keep the reports"]["if"].startswith("${{ always()")


def test_the_install_step_takes_the_action_itself() -> None:
    """The version that the workflow pins, with the library of the page."""
    assert '"$ACTION[report]"' in STEPS["install"]["run"]
    assert STEPS["install"]["env"]["ACTION"] == "${{ github.action_path }}"


def test_the_hook_checks_sessions() -> None:
    """Its pattern takes session files, and its command ends with 2 for a blocked one."""
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    (hook,) = (each for each in hooks if each["id"] == "recon-check")
    pattern = re.compile(hook["files"])
    assert pattern.search("sessions/day.recon.json")
    assert not pattern.search("package.json")
    words = hook["entry"].split()
    for name, status in (("clear", 0), ("blocked", 2)):
        path = EXAMPLES / "minimal" / f"{name}.recon.json"
        done = subprocess.run(
            [warm_commands() / words[0], *words[1:], path],
            cwd=ROOT / "docs",
            env={**os.environ, **environment()},
            capture_output=True,
            check=False,
        )
        assert done.returncode == status
