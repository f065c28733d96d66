"""Figures of structure that no line-by-line check sees, beside their goals.

    python -m tests.house.figures

Each figure is a count over the syntax trees of `recon_core`; a goal that is missed is marked.
The command always ends with 0: figures are for reading, the rules that hold are in `make lint`.
"""

import ast
import json
import re
import statistics
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final
from unittest import mock

from grimp import build_graph

from recon_core.engine.reconciliation import Reconciliation
from recon_core.explain import explain
from recon_core.explain.problem.hypotheses import Hypothesis
from recon_core.explain.proof.attempt import Answer
from recon_core.model.explanation import CauseKind, Explanation
from recon_core.plugins.manager import extension_manager
from recon_core.policy import Policy
from recon_core.sessions import read_session
from tests.house.prose import bare_bounds

ROOT: Final = Path(__file__).parents[2]
CORE: Final = ROOT / "recon_core"
EXPLAIN: Final = CORE / "explain"
COMPARABLE: Final = ("pluggy", "hypothesis", "attr", "importlinter", "grimp", "click", "pydantic")
"""Installed codebases whose words are taken as common."""

_FEES: Final = ("0.10", "0.21", "", "0.43", "0.54", "0.65")
"""A fee of 0.1 % of each fill of the ledger; the third one lacks it."""

_SESSION: Final = {
    "schema": "recon.session/1",
    "session_id": "fee",
    "currencies": {"EUR": {"precision": 2}},
    "instruments": {"BTC/EUR": {"kind": "spot", "base": "BTC", "quote": "EUR"}},
    "internal": {
        "as_of": "2026-01-01T12:00:00Z",
        "opening": {"cash": {"EUR": "10000.00"}},
        "fills": [
            {
                "fill_id": f"f{number}",
                "symbol": "BTC/EUR",
                "side": "BUY",
                "quantity": "1",
                "price": f"{100 + 110 * number}.00",
                "time": f"2026-01-01T11:00:0{number}Z",
                **({"fee": fee, "fee_currency": "EUR"} if fee else {}),
            }
            for number, fee in enumerate(_FEES)
        ],
    },
    "external": {
        "as_of": "2026-01-01T12:00:00Z",
        "positions": {"BTC/EUR": "6"},
        "cash": {"EUR": "7747.75"},
    },
}
"""A ledger without the fee of one fill, against the state of the exchange."""

Trees = dict[Path, ast.Module]


@dataclass(frozen=True, slots=True)
class Figure:
    """One measure: what it counts, its value, and the most (or least) that it should be."""

    name: str
    value: float
    most: float

    def __str__(self) -> str:
        mark = "" if self.value <= self.most else "  <- over the goal"
        return f"{self.name:<62}{self.value:>8g}{self.most:>8g}{mark}"


def trees(directory: Path) -> Trees:
    """The syntax trees of the modules below a directory."""
    return {
        path: ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(directory.rglob("*.py"))
    }


def nodes(of: Trees) -> Iterator[ast.AST]:
    """Every node of some trees."""
    return (node for tree in of.values() for node in ast.walk(tree))


def files_of_a_kind(of: Trees) -> float:
    """The median number of files that name one member of `CauseKind`."""
    named: Counter[str] = Counter()
    for tree in of.values():
        found = {
            node.attr
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id == "CauseKind"
        }
        named.update(found)
    return statistics.median(named[kind.name] for kind in CauseKind)


def branches_on(name: str, of: Trees) -> int:
    """Count of conditions that ask an attribute or a variable of a name."""
    tests = [node.test for node in nodes(of) if isinstance(node, ast.If | ast.IfExp)]
    return sum(any(_names(test, name)) for test in tests)


def _names(tree: ast.AST, name: str) -> Iterator[bool]:
    for node in ast.walk(tree):
        yield getattr(node, "attr", getattr(node, "id", None)) == name


def bare_ranks(of: Trees) -> int:
    """Count of calls and comparisons that give a strength of evidence as a number."""
    given: int = sum(
        keyword.arg == "rank" and isinstance(keyword.value, ast.Constant)
        for node in nodes(of)
        if isinstance(node, ast.Call)
        for keyword in node.keywords
    )
    compared: int = sum(
        isinstance(node, ast.Compare)
        and getattr(node.left, "attr", "") == "rank"
        and isinstance(node.comparators[0], ast.Constant)
        for node in nodes(of)
    )
    return given + compared


def parsed_prose(of: Trees) -> int:
    """Count of decisions that look into a text: `startswith` and the like on what people read.

    The module that writes the text of a dimension is the one that may read it again.
    """
    methods = {"startswith", "endswith", "removeprefix", "partition", "split"}
    return sum(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in methods
        and getattr(node.func.value, "attr", getattr(node.func.value, "id", ""))
        in {"detail", "how", "text", "words", "name", "identity"}
        for node in nodes({path: of[path] for path in of if path.name != "dimensions.py"})
    )


def interrogative_docstrings(of: Trees) -> float:
    """The percentage of docstrings that begin with a question word."""
    texts = [
        text
        for node in nodes(of)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and (text := ast.get_docstring(node))
    ]
    asked = sum(
        bool(re.match(r"(What|Whether|Which|That|How|Why|Where)\b", text)) for text in texts
    )
    return round(100 * asked / len(texts), 1)


def bounds_without_reason(directory: Path) -> int:
    """Count of numeric module constants with neither a comment nor a string below them."""
    texts = (path.read_text(encoding="utf-8") for path in directory.rglob("*.py"))
    return sum(len(list(bare_bounds(text))) for text in texts)


def circles(package: str) -> int:
    """1 if modules of a package import each other in a circle, also for type checkers; else 0.

    A package itself is left out: to import a module is to import the packages around it.
    """
    graph = build_graph(package, cache_dir=None)
    modules = {name for name in graph.modules if not graph.find_children(name)}
    imported = {name: graph.find_modules_directly_imported_by(name) & modules for name in modules}
    try:
        TopologicalSorter(imported).prepare()
    except CycleError:
        return 1
    return 0


def words_of(of: Trees) -> Counter[str]:
    """The words in the names that modules define, with their counts."""
    found: Counter[str] = Counter()
    for node in nodes(of):
        for name in _defined(node):
            found.update(word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", name))
    return found


def _defined(node: ast.AST) -> Iterable[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.arg):
        return [node.arg]
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        return [node.id]
    return []


def common_words() -> set[str]:
    """The words of the comparable codebases that are installed."""
    found: set[str] = set()
    for name in COMPARABLE:
        spec = find_spec(name)
        for place in (spec.submodule_search_locations or []) if spec else []:
            found |= words_of(trees(Path(place))).keys()
    return found


def private_words(of: Trees, others: Trees) -> float:
    """The percentage of words in names that neither other rooms nor comparable codebases have."""
    own, common = words_of(of).keys(), words_of(others).keys() | common_words()
    return round(100 * len(own - common) / len(own), 1)


def lines(directory: Path) -> int:
    """The lines of the modules below a directory."""
    return sum(len(path.read_text("utf-8").splitlines()) for path in directory.rglob("*.py"))


def files_on_the_way() -> int:
    """Count of the files of explain that lead from a session to the cause of a missing fee.

    Those whose functions are on the way to its hypothesis, its answer or its explanation.
    """
    found: set[str] = set()

    def noting(made: type, is_meant: Callable[[Any], bool]) -> Callable[..., None]:
        init = vars(made)["__init__"]

        def noted(self: Any, *args: Any, **kwargs: Any) -> None:
            init(self, *args, **kwargs)
            if is_meant(self):
                files = {Path(frame.filename) for frame in traceback.extract_stack()}
                found.update(str(path) for path in files if EXPLAIN in path.parents)

        return noted

    kind = CauseKind.MISSING_FEE
    watched: list[tuple[type, Callable[[Any], bool]]] = [
        (Hypothesis, lambda one: one.cause_kind is kind),
        (Answer, lambda one: any(part.hypothesis.cause_kind is kind for part in one.parts)),
        (Explanation, lambda _: True),
    ]
    with tempfile.TemporaryDirectory() as directory, ExitStack() as patches:
        path = Path(directory) / "fee.recon.json"
        path.write_text(json.dumps(_SESSION), encoding="utf-8")
        session = Reconciliation(read_session(path, extension_manager()), Policy())
        for made, is_meant in watched:
            patches.enter_context(mock.patch.object(made, "__init__", noting(made, is_meant)))
        (one,) = explain(session)
    assert [cause.cause_kind for cause in one.causes] == [kind]
    return len(found)


def figures() -> list[Figure]:
    """Every figure of the tree."""
    core, explain = trees(CORE), trees(EXPLAIN)
    others = {path: tree for path, tree in core.items() if path not in explain}
    loose = [path for path in CORE.glob("*.py") if path.name != "__init__.py"]
    measured: list[tuple[str, Callable[[], float], float]] = [
        ("files that name one kind of cause, median", lambda: files_of_a_kind(explain), 2),
        ("conditions on rows_right", lambda: branches_on("rows_right", explain), 10),
        ("strengths of evidence as bare numbers", lambda: bare_ranks(explain), 0),
        ("decisions that look into a text", lambda: parsed_prose(explain), 0),
        ("docstrings of explain that open with a question word, %",
         lambda: interrogative_docstrings(explain), 3),
        ("docstrings of the core that open with a question word, %",
         lambda: interrogative_docstrings(core), 3),
        ("words that only the names of explain have, %",
         lambda: private_words(explain, others), 20),
        ("numeric bounds of explain without a reason", lambda: bounds_without_reason(EXPLAIN), 0),
        ("import circles, those for type checkers included", lambda: circles(CORE.name), 0),
        ("loose modules of recon_core", lambda: len(loose), 4),
        ("files of explain on the way of a missing fee", files_on_the_way, 14),
        ("files of explain", lambda: len(explain), 70),
        ("lines of explain", lambda: lines(EXPLAIN), 10_000),
    ]  # fmt: skip
    return [Figure(name, value(), most) for name, value, most in measured]


def main() -> int:
    """Print the figures beside their goals."""
    sys.stdout.write(f"{'figure':<62}{'now':>8}{'goal':>8}\n")
    sys.stdout.write("".join(f"{figure}\n" for figure in figures()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
