"""Figures of the structure of the code that no change may lose."""

import ast
from pathlib import Path

from . import figures


def test_no_module_imports_itself_by_way_of_others() -> None:
    """Imports in functions and those for type checkers count as well."""
    assert figures.circles(figures.trees(figures.CORE)) == 0


def test_a_circle_is_seen() -> None:
    """Also where one of both imports is in a function."""
    first, second = figures.ROOT / "recon_core" / "a.py", figures.ROOT / "recon_core" / "b.py"
    texts: dict[Path, str] = {
        first: "from recon_core.b import x",
        second: "def f():\n    from recon_core.a import y",
    }
    assert figures.circles({path: ast.parse(text) for path, text in texts.items()}) == 1
