"""Mutants that the type checker refuses: no test has to notice what `make lint` does.

`outer is None or outer.fills` without its first operand, and `return None` where a text is
promised, are errors of mypy. Such a change cannot land, whatever the tests say of it.

The packages are copied once. Each mutant is written into the copy as text, so that the comments
for the type checker stay, and mypy checks again what depends on its module.
"""

import ast
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from .mutants import PACKAGES, ROOT, Mutant, replacement_of


@contextmanager
def copied_packages() -> Iterator[Path]:
    """Copy both packages and their configuration to a directory of their own, and check them."""
    with tempfile.TemporaryDirectory(prefix="mutant-types-") as place:
        for package in PACKAGES:
            shutil.copytree(ROOT / package, Path(place) / package)
        shutil.copy(ROOT / "pyproject.toml", place)
        if not are_typed(Path(place)):
            raise RuntimeError("the source has errors of types: no mutant can be told by them")
        yield Path(place)


def are_typed(place: Path) -> bool:
    """True if mypy finds no error in the packages of a directory."""
    command = [sys.executable, "-m", "mypy", "--cache-dir", str(place / "cache"), *PACKAGES]
    return subprocess.run(command, cwd=place, capture_output=True, check=False).returncode == 0


def refused(mutants: Iterable[Mutant], place: Path) -> Iterator[Mutant]:
    """Yield the mutants with which the packages in `place` have errors of types."""
    for mutant in mutants:
        text = text_of(mutant)
        if text is None:
            continue
        path = place / mutant.path
        right = path.read_text(encoding="utf-8")
        path.write_text(text, encoding="utf-8")
        if not are_typed(place):
            yield mutant
        path.write_text(right, encoding="utf-8")


def text_of(mutant: Mutant) -> str | None:
    """Return the source of the module with the change.

    `None` for a filter, which has no place in it, and for code with a comment for the checker.
    """
    node, new = replacement_of(mutant)
    if isinstance(node, ast.If | ast.IfExp | ast.While):
        assert isinstance(new, ast.If | ast.IfExp | ast.While)  # the same kind
        node, new = node.test, new.test
    if not isinstance(node, ast.expr | ast.stmt):
        return None
    assert node.end_lineno is not None and node.end_col_offset is not None  # noqa: PT018
    lines = (ROOT / mutant.path).read_bytes().splitlines(keepends=True)
    before = lines[node.lineno - 1][: node.col_offset]
    after = lines[node.end_lineno - 1][node.end_col_offset :]
    if any(b"# type:" in line for line in lines[node.lineno - 1 : node.end_lineno]):
        return None
    source = ast.unparse(new)
    changed = (f"({source})" if isinstance(new, ast.expr) else source).encode()
    whole = [*lines[: node.lineno - 1], before + changed + after, *lines[node.end_lineno :]]
    return b"".join(whole).decode()
