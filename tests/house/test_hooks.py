"""The hooks of pre-commit and `make lint` run the same checks."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_hooks_run_what_make_lint_runs() -> None:
    """Every command of the target is the entry of a hook, in the same order, and no other is."""
    makefile = (ROOT / "Makefile").read_text()
    (recipe,) = re.findall(r"^lint: .*\n((?:\t.*\n)+)", makefile, re.MULTILINE)
    commands = [line.strip().replace("$(BIN)", ".venv/bin") for line in recipe.splitlines()]
    hooks = (ROOT / ".pre-commit-config.yaml").read_text()
    assert re.findall(r"^ +entry: (.*)$", hooks, re.MULTILINE) == commands


def test_no_hook_is_fetched() -> None:
    """All hooks are local: no network is asked, and no other version of a tool is used."""
    hooks = (ROOT / ".pre-commit-config.yaml").read_text()
    assert re.findall(r"repo: (.*)$", hooks, re.MULTILINE) == ["local"]
    assert set(re.findall(r"language: (.*)$", hooks, re.MULTILINE)) == {"system"}
