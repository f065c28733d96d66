"""The rooms of the house: who imports whom, and what a start of pytest costs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import recon_core

ROOT = Path(__file__).parents[2]
HEAVY = {"pydantic", "pydantic_core", "csv", "junit_xml", "tabulate", "xml.etree.ElementTree"}


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"},
    )


def test_each_room_imports_only_rooms_above_it() -> None:
    """The contracts in pyproject.toml hold, and the core never imports pytest."""
    command = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    result = python("-c", command, "--no-cache")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "0 broken" in result.stdout


def loaded_by(module: str) -> set[str]:
    """The modules that importing `module` adds to a bare interpreter's."""
    code = (
        f"import sys; before = set(sys.modules); import {module}; print(*set(sys.modules) - before)"
    )
    result = python("-c", code)
    assert result.returncode == 0, result.stderr
    return set(result.stdout.split())


def test_importing_the_core_is_cheap() -> None:
    """Every pytest start imports it: no pydantic, no parsers, no pytest."""
    loaded = loaded_by("recon_core")
    assert not loaded & (HEAVY | {"pytest", "_pytest"})


def test_importing_the_plugin_loads_nothing_heavy() -> None:
    """Every project that has the plugin installed pays for its import."""
    loaded = loaded_by("pytest_recon.plugin")
    pytests_own = loaded_by("pytest")
    assert not (loaded - pytests_own) & HEAVY
    assert "recon_core.engine.reconciliation" not in loaded


@pytest.mark.parametrize("name", sorted(recon_core.__all__))
def test_every_public_name_can_be_loaded(name: str) -> None:
    """The lazy names exist where the package says they are."""
    assert getattr(recon_core, name) is not None


def test_the_public_names_are_the_ones_that_can_be_loaded() -> None:
    """`__all__`, the table of lazy names and the names for type checkers agree."""
    lazy = set(recon_core._MODULE_OF)
    eager = {"__version__", "hookimpl"}
    assert sorted(lazy | eager) == recon_core.__all__
    source = Path(recon_core.__file__).read_text(encoding="utf-8")
    typed = source.partition("if TYPE_CHECKING:")[2].partition("__version__")[0]
    assert all(name in typed for name in lazy)


def test_an_unknown_name_is_an_attribute_error() -> None:
    """As with any module."""
    with pytest.raises(AttributeError, match="module 'recon_core' has no attribute 'Reconciler'"):
        recon_core.Reconciler  # noqa: B018
