"""The changes that a mutant may have: one function per kind of node, all in one list.

An operator takes a node and yields `Change`s: a word for the kind of change, the part of
the source that is changed and its replacement. A statement is replaced by `pass`; a node
that keeps its parts (`if`, a comprehension) is copied with one part changed.

    if filled < whole:      condition    filled < whole  ->  not filled < whole
                            comparison   filled < whole  ->  filled <= whole
"""

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
_CALLS = {
    "max": "min",
    "min": "max",
    "any": "all",
    "all": "any",
    "sorted": "list",
    "sum": "len",
}
_WITHOUT_OPTIONS = ("list", "len")


@dataclass(frozen=True, slots=True)
class Change:
    """One changed node: `replacement` takes its place, `before` and `after` say it in source."""

    operator: str
    before: str
    after: str
    replacement: ast.AST


def changes(node: ast.AST) -> list[Change]:
    """All changes of one node, without those of the nodes inside it."""
    return [change for operator in OPERATORS for change in operator(node)]


def _comparison(node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.Compare):
        for place, operator in enumerate(node.ops):
            if type(operator) in _COMPARISONS:
                changed = copy.deepcopy(node)
                changed.ops[place] = _COMPARISONS[type(operator)]()
                yield _whole("comparison", node, changed)


def _boolean(node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.BoolOp):
        changed = copy.deepcopy(node)
        changed.op = ast.And() if isinstance(node.op, ast.Or) else ast.Or()
        yield _whole("boolean", node, changed)


def _operand(node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.BoolOp):
        for place in range(len(node.values)):
            kept = [copy.deepcopy(value) for at, value in enumerate(node.values) if at != place]
            changed = kept[0] if len(kept) == 1 else ast.BoolOp(copy.deepcopy(node.op), kept)
            yield _whole("operand", node, changed)


def _sign(node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub):
        yield _whole("sign", node, copy.deepcopy(node.operand))


def _arithmetic(node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC and not _is_text(node.left):
        changed = copy.deepcopy(node)
        changed.op = _ARITHMETIC[type(node.op)]()
        yield _whole("arithmetic", node, changed)


def _is_text(node: ast.expr) -> bool:
    text = isinstance(node, ast.Constant) and isinstance(node.value, str)
    return text or isinstance(node, ast.JoinedStr)


def _condition(node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.If | ast.IfExp | ast.While):
        changed = copy.deepcopy(node)
        changed.test = ast.UnaryOp(ast.Not(), changed.test)
        yield Change("condition", ast.unparse(node.test), ast.unparse(changed.test), changed)


def _filter(node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.comprehension):
        for place, condition in enumerate(node.ifs):
            changed = copy.deepcopy(node)
            del changed.ifs[place]
            yield Change("filter", f"if {ast.unparse(condition)}", "", changed)


def _constant(node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield _whole("constant", node, ast.Constant(not node.value))
    elif isinstance(node, ast.Constant) and isinstance(node.value, int):
        yield _whole("constant", node, ast.Constant(node.value + 1))


def _result(node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.Return) and not _is_nothing(node.value):
        yield _whole("result", node, ast.Return(ast.Constant(None)))


def _is_nothing(node: ast.expr | None) -> bool:
    """True for no value, and for `False`: a predicate that gives `None` is as false.

    `False` is turned round by another operator.
    """
    empty = isinstance(node, ast.Constant) and (node.value is None or node.value is False)
    return node is None or empty


def _statement(node: ast.AST) -> Iterator[Change]:
    calls = isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
    if calls or isinstance(node, ast.Raise | ast.Continue | ast.Break | ast.AugAssign):
        yield _whole("statement", node, ast.Pass())


def _call(node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
        if node.func.id == "abs":
            yield _whole("call", node, copy.deepcopy(node.args[0]))
        elif node.func.id in _CALLS:
            changed = copy.deepcopy(node)
            changed.func = ast.Name(_CALLS[node.func.id], ast.Load())
            if changed.func.id in _WITHOUT_OPTIONS:
                changed.keywords = []
            yield _whole("call", node, changed)


def _whole(operator: str, node: ast.AST, replacement: ast.AST) -> Change:
    return Change(operator, ast.unparse(node), ast.unparse(replacement), replacement)


OPERATORS = (
    _comparison,
    _boolean,
    _operand,
    _sign,
    _arithmetic,
    _condition,
    _filter,
    _constant,
    _result,
    _statement,
    _call,
)
