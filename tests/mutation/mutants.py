"""The mutants of the source: every change of every function, and its code.

Changes are looked for inside functions only. Left out: what runs at import (tables,
decorators, default values), annotations, the parts of f-strings, which are messages, the length
at which `printable` cuts a text, and `strict=True` of a `zip`, which refuses what the code around
it never gives.
"""

import ast
import copy
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import CodeType
from typing import NamedTuple

from .operators import Change, changes

ROOT = Path(__file__).parents[2]
PACKAGES = ("recon_core", "pytest_recon")

_Step = tuple[str, int | None]
_Function = ast.FunctionDef | ast.AsyncFunctionDef
_SHOWING = {"printable", "quoted"}
"""Functions that cut a text from outside at a length, which no reader counts."""
_LEFT_OUT = {"decorator_list", "annotation", "returns", "args", "type_params"}


class Key(NamedTuple):
    """The identity of a mutant over time: it has no line number.

    `occurrence` counts equal changes of one function, from 1.
    """

    function: str
    operator: str
    before: str
    after: str
    occurrence: int = 1


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of one function; `steps` lead from the module's tree to the node."""

    path: str
    line: int
    function: str
    first_line: int
    key: Key
    steps: tuple[_Step, ...]

    @property
    def module(self) -> str:
        """The room that it counts for: the package below `recon_core`, or the module.

        The rooms of the explanations count one by one.
        """
        parts = Path(self.path).parts
        return "/".join(parts[: 3 if self.explains else 2]).removesuffix(".py")

    @property
    def place(self) -> str:
        """The statement that holds it, as tests note that they run it.

        It has no line, so that a kept survey outlives changes elsewhere in the file.
        """
        statement = _node(tree_of(self.path), self.steps[: _to_statement(self)])
        line = lines_of(self.path)[getattr(statement, "lineno", self.line) - 1].strip()
        return f"{self.path}:{self.function}: {line}"

    @property
    def explains(self) -> bool:
        """True if it is a mutant of the explanations, which have a bar of their own."""
        return self.path.startswith("recon_core/explain/")

    def __str__(self) -> str:
        key = self.key
        after = key.after or "(nothing)"
        return f"{self.path}:{self.line}: {key.operator}: {_short(key.before)} -> {_short(after)}"


def _short(source: str) -> str:
    line = " ".join(source.split())
    return line if len(line) <= 120 else f"{line[:117]}..."


def all_mutants() -> list[Mutant]:
    """Every mutant of the project, in the order of the files."""
    return [mutant for path in sources() for mutant in mutants_of(path)]


def sources() -> list[str]:
    """The modules of both packages, relative to the project."""
    found = (path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
    return sorted(str(path.relative_to(ROOT)) for path in found)


@cache
def tree_of(path: str) -> ast.Module:
    """The syntax tree of a module."""
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


@cache
def lines_of(path: str) -> list[str]:
    """The lines of a module."""
    return (ROOT / path).read_text(encoding="utf-8").splitlines()


def mutants_of(path: str) -> Iterator[Mutant]:
    """The mutants of one module."""
    seen: Counter[Key] = Counter()
    for function, name, steps in _functions(tree_of(path), (), ""):
        first = _first_line(function)
        for node, inner in _nodes(function, steps):
            for change in changes(node):
                key = Key(f"{path}:{name}", change.operator, change.before, change.after)
                seen[key] += 1
                line = getattr(node, "lineno", function.lineno)
                yield Mutant(path, line, name, first, key._replace(occurrence=seen[key]), inner)


def _functions(
    node: ast.AST, steps: tuple[_Step, ...], prefix: str
) -> Iterator[tuple[_Function, str, tuple[_Step, ...]]]:
    """Outermost functions with their qualified names."""
    for place, child in enumerate(getattr(node, "body", [])):
        inner = (*steps, ("body", place))
        if isinstance(child, _Function):
            yield child, prefix + child.name, inner
        elif isinstance(child, ast.ClassDef):
            yield from _functions(child, inner, f"{prefix}{child.name}.")


def _nodes(node: ast.AST, steps: tuple[_Step, ...]) -> Iterator[tuple[ast.AST, tuple[_Step, ...]]]:
    """The nodes below a function that may be changed."""
    for name, value in ast.iter_fields(node):
        if name in _LEFT_OUT and isinstance(node, _Function | ast.AnnAssign):
            continue
        for place, child in enumerate(value) if isinstance(value, list) else ((None, value),):
            if isinstance(child, ast.AST) and not _is_left_out(child, node):
                inner = (*steps, (name, place))
                yield child, inner
                yield from _nodes(child, inner)


def _is_left_out(node: ast.AST, parent: ast.AST) -> bool:
    """True for a message, the length of a text in it, and `strict=True`.

    That is an assertion on two lists of one length.
    """
    is_assertion = isinstance(node, ast.keyword) and node.arg == "strict"
    is_length = (
        isinstance(parent, ast.Call)
        and isinstance(parent.func, ast.Name)
        and parent.func.id in _SHOWING
        and node in parent.args[1:]
    )
    return is_assertion or is_length or isinstance(node, ast.JoinedStr)


def replacement_of(mutant: Mutant) -> tuple[ast.AST, ast.AST]:
    """The node that is changed, and the node that takes its place."""
    node = _node(tree_of(mutant.path), mutant.steps)
    return node, copy.deepcopy(_change(mutant, node).replacement)


def code_of(mutant: Mutant) -> CodeType | None:
    """The code of the changed function; `None` where the module has no such function."""
    tree = copy.deepcopy(tree_of(mutant.path))
    *outer, (name, place) = mutant.steps
    parent, (_, new) = _node(tree, outer), replacement_of(mutant)
    _locate(new, mutant.line)
    if place is None:
        setattr(parent, name, new)
    else:
        getattr(parent, name)[place] = new
    return _find(_compiled(mutant.path, tree), mutant.function, mutant.first_line)


def noting_codes(path: str, mutants: Iterable[Mutant], sink: str) -> Iterator[CodeType]:
    """The code of each function with mutants: before the statement of one it calls `sink(PLACE)`.

    The statements are noted from the last to the first, so that the steps to the others hold.
    """
    tree = copy.deepcopy(tree_of(path))
    mutants = list(mutants)
    places = {mutant.steps[: _to_statement(mutant)]: mutant.place for mutant in mutants}
    for steps in sorted(places, reverse=True):
        *outer, (name, place) = steps
        parent = _node(tree, outer)
        note = ast.Expr(ast.Call(ast.Name(sink, ast.Load()), [ast.Constant(places[steps])], []))
        _locate(note, getattr(parent, name)[place].lineno)
        getattr(parent, name).insert(place, note)
    code = _compiled(path, tree)
    for name, first_line in {(mutant.function, mutant.first_line): None for mutant in mutants}:
        found = _find(code, name, first_line)
        if found is not None:
            yield found


def _to_statement(mutant: Mutant) -> int:
    """The number of steps to the innermost statement that holds the change."""
    nodes = (_node(tree_of(mutant.path), mutant.steps[:count]) for count in _lengths(mutant))
    return max(
        count
        for count, node in zip(_lengths(mutant), nodes, strict=True)
        if isinstance(node, ast.stmt)
    )


def _lengths(mutant: Mutant) -> range:
    return range(1, len(mutant.steps) + 1)


def _node(tree: ast.AST, steps: Iterable[_Step]) -> ast.AST:
    for step in steps:
        tree = _part(tree, step)
    return tree


def _compiled(path: str, tree: ast.Module) -> CodeType:
    return compile(tree, str(ROOT / path), "exec")


def _first_line(function: _Function) -> int:
    return min(node.lineno for node in [function, *function.decorator_list])


def _change(mutant: Mutant, node: ast.AST) -> Change:
    key = mutant.key
    return next(
        change
        for change in changes(node)
        if (change.operator, change.before, change.after) == (key.operator, key.before, key.after)
    )


def _part(node: ast.AST, step: _Step) -> ast.AST:
    name, place = step
    value = getattr(node, name)
    part: ast.AST = value if place is None else value[place]
    return part


def _locate(new: ast.AST, line: int) -> None:
    for node in ast.walk(new):
        if isinstance(node, ast.expr | ast.stmt) and not hasattr(node, "lineno"):
            node.lineno = node.end_lineno = line
            node.col_offset = node.end_col_offset = 0


def _find(code: CodeType, name: str, first_line: int) -> CodeType | None:
    inner = [constant for constant in code.co_consts if isinstance(constant, CodeType)]
    for constant in inner:
        if (constant.co_qualname, constant.co_firstlineno) == (name, first_line):
            return constant
    return next(filter(None, (_find(constant, name, first_line) for constant in inner)), None)
