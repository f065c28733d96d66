"""Figures of the structure of the code that no change may lose."""

from pathlib import Path

import pytest

from . import figures


def test_no_module_imports_itself_by_way_of_others() -> None:
    """Imports in functions and those for type checkers count as well."""
    assert figures.circles("recon_core") == 0


@pytest.mark.parametrize(
    "back",
    [
        "def f():\n    from circled.b import x",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import circled.b",
    ],
)
def test_a_circle_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, back: str) -> None:
    """Also where one of both imports is in a function, or for type checkers."""
    package = tmp_path / "circled"
    package.mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    for name, text in {"__init__": "", "a": back, "b": "from circled import a"}.items():
        (package / f"{name}.py").write_text(text, encoding="utf-8")
    assert figures.circles("circled") == 1
    (package / "a.py").write_text("", encoding="utf-8")
    assert figures.circles("circled") == 0


def test_few_files_lead_to_a_cause() -> None:
    """Whoever follows one cause from a session to its explanation opens at most 14 of them."""
    assert 5 < figures.files_on_the_way() <= 14
