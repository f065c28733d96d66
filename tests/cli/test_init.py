"""`recon init` and `recon policy check`: a project that begins, and its files without a run."""

import re
import tomllib
from datetime import date
from pathlib import Path
from typing import Final

import pytest

from recon_core.cli import policy as policy_module
from recon_core.cli.init import WORKFLOWS, forge_of
from recon_core.policy.model import Policy
from recon_core.policy.toml_file import PolicyFile, read_policy

from .conftest import Recon
from .test_waivers import CASH, write_waivers

SESSION: Final = "tests/sessions/example.recon.json"
FORGES: Final[tuple[tuple[dict[str, str], str], ...]] = (
    ({".github/x": ""}, "github"),
    ({".gitlab-ci.yml": ""}, "gitlab"),
    ({"Jenkinsfile": ""}, "jenkins"),
    ({".git/config": '[remote "origin"]\nurl = git@github.com:desk/acme.git\n'}, "github"),
    ({".git/config": "url = https://gitlab.acme.example/desk/acme.git\n"}, "gitlab"),
    ({".git/config": "url = https://git.acme.example/acme.git\n"}, "none"),
    ({".github/x": "", ".git/config": "gitlab"}, "github"),
    ({}, "none"),
)


def write(directory: Path, files: dict[str, str]) -> None:
    """Write files with the directories that they are in."""
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


@pytest.mark.parametrize(("files", "forge"), FORGES)
def test_a_project_begins(files: dict[str, str], forge: str, directory: Path, recon: Recon) -> None:
    """Policy, session and the workflow of the forge; the first check is clear."""
    write(directory, files)
    assert forge_of(directory) == forge
    answer = recon("init")
    assert answer.code == 0, answer.err
    expected = ["recon.toml", SESSION, *([WORKFLOWS[forge][1]] if forge in WORKFLOWS else [])]
    assert [line.removesuffix(" written") for line in answer.lines[: len(expected)]] == expected
    assert all((directory / name).is_file() for name in expected)
    assert answer.lines[-1] == "next: recon check tests/sessions"
    assert ("no forge found" in answer.out) is (forge == "none")
    check = recon("check", "tests/sessions")
    assert (check.code, check.lines[-2]) == (0, "recon: policy recon.toml")
    assert recon("policy", "check").lines == ["recon.toml: policy"]


@pytest.mark.parametrize("forge", WORKFLOWS)
def test_a_workflow_runs(forge: str, directory: Path, recon: Recon) -> None:
    """Each command of ours in the workflow of each forge ends with 0 in the new project."""
    assert recon("init", "--forge", forge).code == 0
    text = (directory / WORKFLOWS[forge][1]).read_text(encoding="utf-8")
    commands = re.findall(r"\brecon ((?:policy )?check[^'\n]*)", text)
    assert [words.split()[0] for words in commands] == ["policy", "check"]
    for words in commands:
        assert recon(*words.split()).code == 0, words
    assert (directory / "recon.xml").is_file()
    assert (directory / "audit.jsonl").is_file()


@pytest.mark.parametrize("name", ["recon.toml", SESSION, ".github/workflows/recon.yml"])
def test_nothing_is_replaced(name: str, directory: Path, recon: Recon) -> None:
    """One file that exists keeps all of them from being written."""
    write(directory, {".github/x": "", name: "mine"})
    recon("init").refused(1, f"{name}: there already; nothing is written")
    assert (directory / name).read_text(encoding="utf-8") == "mine"
    others = {"recon.toml", SESSION, ".github/workflows/recon.yml"} - {name}
    assert not any((directory / other).exists() for other in others)


def test_a_dangling_link_is_not_written_through(directory: Path, recon: Recon) -> None:
    """A link that leads nowhere is a file that is there."""
    (directory / "recon.toml").symlink_to("elsewhere.toml")
    recon("init").refused(1, "recon.toml: there already")
    assert not (directory / "elsewhere.toml").exists()


def test_where_to_begin(directory: Path, recon: Recon) -> None:
    """A directory can be named, and has to exist."""
    (directory / "acme").mkdir()
    assert recon("init", "acme", "--forge", "none").code == 0
    assert (directory / "acme" / SESSION).is_file()
    recon("init", "gone").refused(64, "gone: is no directory")


def test_the_policy_has_the_defaults(directory: Path, recon: Recon) -> None:
    """Each key of a policy is in the file, and none of them changes a verdict."""
    assert recon("init", "--forge", "none").code == 0
    path = directory / "recon.toml"
    assert read_policy(path).to_dict() == Policy().to_dict()
    assert set(tomllib.loads(path.read_text(encoding="utf-8"))) == set(PolicyFile.model_fields)


CHECKED: Final[tuple[tuple[object, ...], ...]] = (
    ({}, (), 0, ["policy built-in"], ""),
    ({"recon.toml": "max_skew = 'PT5M'"}, (), 0, ["recon.toml: policy"], ""),
    ({"recon.toml": "max_skw = 'PT5M'"}, (), 1, [], "recon.toml: max_skw: unknown key; did you"),
    ({"pyproject.toml": "[tool.recon]\n"}, (), 0, ["pyproject.toml: policy"], ""),
    ({"pyproject.toml": "[tool.x]\n"}, (), 0, ["pyproject.toml: no [tool.recon]"], ""),
    ({"one.toml": "[cash]\n", "recon.toml": "x"}, ("one.toml",), 0, ["one.toml: policy"], ""),
    ({}, ("lost.toml",), 1, [], "recon policy: lost.toml: cannot be read"),
    ({"recon-waivers.toml": "x"}, (), 1, ["policy built-in"], "recon-waivers.toml: is not TOML"),
    ({"recon-waivers.toml": ""}, (), 0, ["policy built-in", "recon-waivers.toml: 0 waivers"], ""),
)


@pytest.mark.parametrize(("files", "words", "code", "out", "err"), CHECKED)
def test_files_are_checked_without_a_run(
    files: dict[str, str],
    words: tuple[str, ...],
    code: int,
    out: list[str],
    err: str,
    directory: Path,
    recon: Recon,
) -> None:
    """A line for each file that can be used, and one on standard error for any other."""
    write(directory, files)
    answer = recon("policy", "check", *words)
    assert (answer.code, answer.lines) == (code, out)
    assert answer.err.count("\n") == bool(err)
    assert err in answer.err


def test_waivers_that_want_attention(
    directory: Path, recon: Recon, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that are over and those that will be soon are named; all problems are said."""
    monkeypatch.setattr(policy_module, "today", lambda: date(2026, 11, 28))
    rows = [("over", "2026-11-27"), ("soon", "2026-12-12"), ("later", "2026-12-13")]
    entries = tuple({**CASH, "id": name, "expires": day} for name, day in rows)
    write_waivers(directory / "mine.toml", entries)
    assert recon("policy", "check", "mine.toml").lines == [
        "policy built-in",
        "mine.toml: 3 waivers",
        "note: 1 expired: over (2026-11-27)",
        "note: 1 expire within 14 days: soon (2026-12-12)",
    ]
    write_waivers(directory / "recon-waivers.toml", ({**CASH, "id": "over"},))
    write(directory, {"recon.toml": "x = 1"})
    answer = recon("policy", "check", "recon.toml", "mine.toml", "recon-waivers.toml")
    assert answer.code == 1
    policy, waivers = answer.err.splitlines()
    assert policy.startswith("recon: recon policy: recon.toml: x: unknown key")
    assert "recon-waivers.toml: waiver 1: id: 'over' is that of mine.toml" in waivers
