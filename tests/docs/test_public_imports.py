"""Docs and examples import what the project promises to keep, and nothing else."""

import re
from importlib import import_module
from pathlib import Path

import pytest

import recon_core.explain
import recon_core.formats

ROOT = Path(__file__).parents[2]
PUBLIC = {
    "pytest_recon",
    "recon_core",
    "recon_core.explain",
    "recon_core.formats",
    "recon_core.recorders",
}
IMPORT = re.compile(r"^\s*(?:from|import) ((?:recon_core|pytest_recon)[\w.]*)", re.MULTILINE)
SHOWN = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "examples").rglob("*.py")),
]
OLDER = {
    "recon_core.amounts": ("parse_amount",),
    "recon_core.times": ("parse_time",),
    "recon_core.sessions.files": ("read_text_file",),
    "recon_core.sessions.tables": ("csv_rows",),
    "recon_core.sessions.formats.nautilus_writer": ("write_nautilus_recording",),
}
"""Imports that earlier pages named."""


@pytest.mark.parametrize("path", SHOWN, ids=lambda path: path.name)
def test_only_public_modules_are_imported(path: Path) -> None:
    """A reader who copies a snippet depends on nothing that may change without notice."""
    assert set(IMPORT.findall(path.read_text(encoding="utf-8"))) <= PUBLIC


@pytest.mark.parametrize(("module", "names"), OLDER.items())
def test_imports_of_earlier_pages_keep_working(module: str, names: tuple[str, ...]) -> None:
    """Plugins that followed them are not broken by a new layout."""
    assert all(hasattr(import_module(module), name) for name in names)


@pytest.mark.parametrize("face", [recon_core.formats, recon_core.explain])
def test_a_face_lists_all_that_it_offers(face: object) -> None:
    """`__all__` is sorted and every name of it is there."""
    names: list[str] = face.__all__  # type: ignore[attr-defined]
    assert names == sorted(names)
    assert all(hasattr(face, name) for name in names)
