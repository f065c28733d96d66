"""Lint of prose: docstrings begin with a noun or a verb, and every bound has its reason.

    python -m tests.house.prose

The exit status is 1 if a module of the packages has a problem.
"""

import ast
import re
import sys
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
PACKAGES: Final = ("recon_core", "pytest_recon")

Problem = tuple[int, str]
"""A line and its problem in words."""

_CLAUSE: Final = re.compile(r"\s*(what|whether|which|that|how|why|where)\b", re.IGNORECASE)
# Words with an ordinary meaning as well are allowed: change, charged, print, reading, solved.
_BANNED: Final = re.compile(
    r"\b(?:tells?|told|untold|need(?:s|ed)?|stands?|comes?|go|goes|gone|besides|apart|the\s+rest"
    r"|grounds?|prints|edits?|bookings?|habits?|sieves?|guessed|free\s+number|space\s+name)\b",
    re.IGNORECASE,
)
_IDENTIFIER: Final = re.compile(r"`[^`\n]*`")
_NUMBER: Final = re.compile(r"-?\d|(?:Decimal|Fraction|timedelta)\(|\w+ [-+*] ")
_NUMERAL: Final = re.compile(r"_?(?:ZERO|HALF|ONE|TWO)$")
_COMMENT: Final = re.compile(r"#\s*(?!noqa|fmt|type)\w")


def clauses(source: str) -> Iterator[Problem]:
    """Yield the docstrings that begin with a subordinate clause."""
    for line, text in _texts(source):
        if found := _CLAUSE.match(text):
            yield line, f'begins with "{found[1]}"; begin with a verb or a noun'


def banned_words(source: str) -> Iterator[Problem]:
    """Yield the words of docstrings, identifiers in backticks excepted, that the field avoids."""
    for line, text in _texts(source):
        words = _IDENTIFIER.sub("", text)
        for found in _BANNED.finditer(words):
            yield line + words.count("\n", 0, found.start()), f'says "{" ".join(found[0].split())}"'


def bare_bounds(source: str) -> Iterator[Problem]:
    """Yield the numeric constants with neither a string below them nor a comment beside them."""
    lines = source.splitlines()
    for node, below in pairwise([*_tree(source).body, ast.Pass()]):
        if _is_bound(node) and not (_text(below) or _COMMENT.search(lines[node.lineno - 1])):
            yield node.lineno, f'"{lines[node.lineno - 1]}" has no reason'


def _is_bound(node: ast.stmt) -> bool:
    """True for `_MOST: Final = 5`; not for a numeral, such as `_HALF: Final = Decimal("0.5")`."""
    match node:
        case ast.AnnAssign(target=ast.Name(name), annotation=kind, value=ast.expr() as value):
            is_constant = name.isupper() and "Final" in ast.unparse(kind)
            is_number = _NUMBER.match(ast.unparse(value)) and not _NUMERAL.match(name)
            return is_constant and bool(is_number)
    return False


@lru_cache(maxsize=1)
def _tree(source: str) -> ast.Module:
    """The tree of a module, which each rule asks for."""
    return ast.parse(source)


@lru_cache(maxsize=1)
def _texts(source: str) -> list[tuple[int, str]]:
    """Line and text of every docstring, and of every string below a constant."""
    nodes = (node for node in _statements(_tree(source)) if isinstance(node, ast.Expr))
    return [(node.lineno, text) for node in nodes if (text := _text(node))]


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what is in a statement, but not in an expression, which is most of a tree."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.expr):
            yield child
            yield from _statements(child)


def _text(node: ast.AST) -> str:
    match node:
        case ast.Expr(ast.Constant(str(text))):
            return text
    return ""


def problems(source: str) -> list[Problem]:
    """Return the problems of a module, by line."""
    return sorted([*clauses(source), *banned_words(source), *bare_bounds(source)])


def main() -> int:
    """Print the problems of the packages, and return the exit status."""
    found = [
        f"{path.relative_to(ROOT)}:{line}: {problem}\n"
        for name in PACKAGES
        for path in sorted((ROOT / name).rglob("*.py"))
        for line, problem in problems(path.read_text(encoding="utf-8"))
    ]
    sys.stdout.writelines(found)
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
