"""The mutation run itself: its operators, its keys, its score, and the list of equivalents."""

import argparse
import ast
import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from fractions import Fraction
from functools import partial
from itertools import islice
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import pytest

from tests.warm import warm_python

from . import type_check
from .__main__ import plan
from .children import in_children
from .equivalents import LIST, read_equivalents, unknown
from .functions import replace_codes
from .mutants import ROOT, Key, Mutant, code_of, mutants_of, noting_codes, sources
from .operators import OPERATORS, changes
from .processes import SINK, Notes, change_processes
from .score import Score
from .trial import TYPES, Outcome, Reached, in_turns, refuse_processes
from .type_check import text_of

RATIOS = "recon_core/ledger/ratios.py"


def changed(source: str) -> set[tuple[str, str]]:
    """Operator and new source of every change of the only statement."""
    (statement,) = ast.parse(source).body
    return {
        (change.operator, change.after) for node in ast.walk(statement) for change in changes(node)
    }


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a < b <= c", {("comparison", "a <= b <= c"), ("comparison", "a < b < c")}),
        ("a and b", {("boolean", "a or b"), ("operand", "a"), ("operand", "b")}),
        ("not a", {("sign", "a")}),
        ("a * b", {("arithmetic", "a + b")}),
        ("'%s' % a", set()),
        ("if a: b", {("condition", "not a")}),
        ("[a for a in b if a]", {("filter", "")}),
        ("a[1]", {("constant", "2")}),
        ("a = True", {("constant", "False")}),
        ("return a", {("result", "return None")}),
        ("return 0", {("result", "return None"), ("constant", "1")}),
        ("return False", {("constant", "True")}),
        ("return", set()),
        ("raise a", {("statement", "pass")}),
        ("max(a)", {("call", "min(a)"), ("statement", "pass")}),
        ("a = sorted(b, key=c)", {("call", "list(b)")}),
        ("a = abs(b)", {("call", "b")}),
    ],
)
def test_the_changes_of_a_statement(source: str, expected: set[tuple[str, str]]) -> None:
    """Each operator changes what it is for, and nothing else."""
    assert changed(source) == expected


def test_every_operator_is_in_use() -> None:
    """No operator is listed that the source never gives work to."""
    listed = {operator.__name__.removeprefix("_") for operator in OPERATORS}
    used: set[str] = set()
    for path in sources()[:60]:
        used |= {mutant.key.operator for mutant in mutants_of(path)}
        if used == listed:
            break
    assert used == listed


def test_an_assertion_on_two_lists_is_left_out() -> None:
    """`strict=True` refuses lists of two lengths, which no input makes."""
    found = {mutant.key.before for mutant in mutants_of("recon_core/explain/proof/attempt.py")}
    assert "True" not in found


def test_a_mutant_is_known_by_its_source() -> None:
    """Its key has no line, and no two mutants of a module share it."""
    mutants = list(mutants_of(RATIOS))
    keys = [mutant.key for mutant in mutants]
    assert len(set(keys)) == len(keys)
    (half,) = (key for key in keys if key[1:3] == ("comparison", "near > whole"))
    assert half == Key(f"{RATIOS}:Interval.units", "comparison", "near > whole", "near >= whole", 1)


def mutant(before: str, after: str) -> Mutant:
    """The mutant of the intervals with that change."""
    return next(one for one in mutants_of(RATIOS) if one.key[2:4] == (before, after))


def test_the_code_of_a_mutant_differs_in_its_change_only() -> None:
    """An interval that begins at a half is decided by the mutant, and not by the source."""
    code = code_of(mutant("near > whole", "near >= whole"))
    assert code is not None
    names: dict[str, Any] = {"_half_even": None}
    units = FunctionType(code, names)
    assert units((1, 2, 2), 1, 1) == 1
    assert units((2, 3, 4), 3, 2) == 1


def test_a_mutant_as_text_differs_in_its_change_only() -> None:
    """Comments stay, for they may be for the type checker."""
    one = mutant("near > whole", "near >= whole")
    right, wrong = (ROOT / RATIOS).read_text(), text_of(one)
    assert wrong == right.replace("near > whole", "(near >= whole)")


def test_a_condition_as_text_is_turned_round() -> None:
    """Of a statement only its test is written anew; a filter has no place in the text."""
    every = [one for path in sources()[:20] for one in mutants_of(path)]
    turned = next(one for one in every if one.key.operator == "condition")
    assert f"({turned.key.after})" in (text_of(turned) or "")
    filtered = next(one for one in every if one.key.operator == "filter")
    assert text_of(filtered) is None


def test_the_type_checker_is_asked_about_each_mutant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a copy, which is as before when it was asked."""
    asked: list[str] = []

    def is_typed(place: Path) -> bool:
        asked.append((place / RATIOS).read_text())
        return len(asked) > 1

    monkeypatch.setattr(type_check, "are_typed", is_typed)
    (tmp_path / RATIOS).parent.mkdir(parents=True)
    right = (ROOT / RATIOS).read_text()
    (tmp_path / RATIOS).write_text(right)
    both = [mutant("near > whole", "near >= whole"), mutant("units + 1", "units - 1")]
    assert list(type_check.refused(both, tmp_path)) == both[:1]
    assert asked == [text_of(one) for one in both]
    assert (tmp_path / RATIOS).read_text() == right


def noted(one: Mutant, *arguments: Any) -> list[str]:
    """The places that a function notes with these arguments, asked to note one mutant."""
    run: list[str] = []
    (code,) = noting_codes(RATIOS, [one], "sink")
    names: dict[str, Any] = {"sink": run.append, "_half_even": lambda *_: 0}
    FunctionType(code, names)(*arguments)
    return run


def test_a_statement_notes_that_it_is_run() -> None:
    """The code of the survey says so before the statement of the mutant, and only there."""
    always = mutant("near > whole", "near >= whole")
    above = mutant("units + 1", "units - 1")
    assert noted(always, (1, 2, 2), 1, 1) == [always.place]
    assert noted(above, (1, 2, 2), 1, 1) == []
    assert noted(above, (7, 8, 4), 1, 1) == [above.place]
    assert above.place.startswith(f"{RATIOS}:{above.function}: ")


def test_every_mutant_has_a_place_that_is_noted() -> None:
    """All places of a module are noted by the codes of its functions."""
    mutants = list(mutants_of(RATIOS))
    texts: set[object] = set()
    for code in noting_codes(RATIOS, mutants, "sink"):
        inner = [one for one in code.co_consts if isinstance(one, CodeType)]
        texts.update(text for one in [code, *inner] for text in one.co_consts)
    assert {one.place for one in mutants} <= texts


def test_kinds_of_tests_are_asked_in_turns() -> None:
    """The third of a group costs three times its seconds: a slower one of another kind is first."""
    groups = ["part-"] * 4 + ["other"]
    tests = [Reached(2.0, 0), Reached(1.0, 1), Reached(1.5, 2), Reached(1.2, 3), Reached(2.6, 4)]
    assert [test.item for test in in_turns(tests, groups, "module")] == [1, 3, 4, 2, 0]
    groups[4] = "test_module"
    assert [test.item for test in in_turns(tests, groups, "module")] == [4, 1, 3, 2, 0]


def outer_code(result: str) -> CodeType:
    """The code of a function that makes another one, which returns this."""
    source = f"def outer(x):\n    def inner():\n        return {result}\n    return inner\n"
    (code,) = (one for one in compile(source, "p", "exec").co_consts if isinstance(one, CodeType))
    return code


def test_a_function_that_was_made_before_is_replaced_too() -> None:
    """A table that was made at import holds functions of functions."""
    outer = FunctionType(outer_code("x"), {})
    inner = outer(1)
    functions = {"p:outer": [outer], "p:outer.<locals>.inner": [inner]}
    assert replace_codes("p", outer_code("x + 1"), functions) == 2
    assert (inner(), outer(5)()) == (2, 6)
    assert replace_codes("other", outer_code("x"), functions) == 0


def test_children_answer_or_end() -> None:
    """An answer comes back as it is; a child that was killed has none, and stops nobody."""
    works: list[tuple[str, Callable[[], Any]]] = [
        ("kept", lambda: [1, "a"]),
        ("killed", lambda: os.kill(os.getpid(), signal.SIGKILL)),
        ("ended", partial(os._exit, 3)),
        ("raised", partial(int, "x")),
        ("large", lambda: "x" * 300_000),
    ]
    answers = dict(in_children(works, at_once=2))
    assert answers == {
        "kept": [1, "a"],
        "killed": None,
        "ended": None,
        "raised": None,
        "large": "x" * 300_000,
    }


def refused(start: Callable[[], Any]) -> bool:
    """True if a process cannot be started in the survey."""
    refuse_processes(Path(warm_python()).parent)
    try:
        start()
    except PermissionError:
        return True
    return False


def test_no_process_is_started_in_the_survey() -> None:
    """Whatever starts it: such a test sees no mutant, and may wait for minutes."""
    command = [sys.executable, "-c", ""]
    starts: dict[str, Callable[[], Any]] = {
        "subprocess": partial(subprocess.run, command, check=True),
        "fork": os.fork,
        "spawn": lambda: multiprocessing.get_context("spawn").Process().start(),
        "forkserver": lambda: multiprocessing.get_context("forkserver").Process().start(),
    }
    works = [(name, partial(refused, start)) for name, start in starts.items()]
    assert dict(in_children(works, at_once=2)) == dict.fromkeys(starts, True)


def intervals(codes: Iterable[CodeType], file: str) -> str:
    """What a process of a test prints of an interval, under these codes."""
    change_processes(codes, file)
    refuse_processes(Path(warm_python()).parent)
    program = "from recon_core.ledger.ratios import Interval as I; print(I(7, 8, 4).units(1))"
    return subprocess.check_output([warm_python(), "-c", program], text=True)


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="no warm interpreters here")
def test_the_processes_of_a_test_have_the_code(tmp_path: Path) -> None:
    """They are mutated, and note what they run."""
    one, file = mutant("units + 1", "units - 1"), tmp_path / "notes"
    file.touch()
    codes = {"noted": [*noting_codes(RATIOS, [one], SINK)], "mutated": [code_of(one)]}
    works = [(name, partial(intervals, each, str(file))) for name, each in codes.items()]
    assert dict(in_children(works, at_once=1)) == {"noted": "2\n", "mutated": "0\n"}
    assert Notes(file).taken() == {one.place}
    assert Notes(file).taken() == set()


def outcome(one: Mutant, killer: str = "") -> Outcome:
    return Outcome(one, killer, ("test_a", "test_b"), 2)


def test_a_draw_outlives_other_changes() -> None:
    """Without some of the mutants, the others are drawn as before; another seed draws others."""
    mutants = list(mutants_of(RATIOS))
    options = argparse.Namespace(outside=10, inside=5, only="", seed=7)
    drawn = plan(mutants, options)
    assert len({one.key for one in drawn}) == 10
    gone = drawn[::3]
    left = plan([one for one in mutants if one not in gone], options)
    assert [one for one in drawn if one not in gone] == left[: 10 - len(gone)]
    options.seed = 8
    assert plan(mutants, options) != drawn


def test_the_score_counts_equivalents_nowhere() -> None:
    """Killed of what can be killed; the survivors are shown with the tests that call them."""
    first, second, third = list(mutants_of(RATIOS))[:3]
    outcomes = [outcome(first, "test_a"), outcome(second), outcome(third)]
    score = Score(outcomes, {third.key: "the same"})
    assert (score.share(explains=False), score.passes) == (Fraction(1, 2), False)
    lines = "\n".join(score.lines())
    assert f"survived: {second}\n    2 of 2 tests run: test_a, test_b" in lines
    assert str(third) not in lines
    assert "outside explain: 50.0 % killed, at least 95 %" in lines
    assert Score(outcomes[:1], {}).passes
    typed = Score([outcome(first, "test_a"), outcome(second, TYPES)], {})
    assert "of the killed, 1 by the type checker alone" in "\n".join(typed.lines())
    assert typed.passes


def test_the_list_of_equivalents_is_whole() -> None:
    """Every listed mutant exists, and has a reason that says something."""
    listed = read_equivalents()
    files = {key.function.partition(":")[0] for key in listed}
    assert unknown(listed, (one for path in sorted(files) for one in mutants_of(path))) == []
    assert all(len(reason) > 20 for reason in listed.values())
    assert set(files) <= set(sources())


def test_an_equivalent_that_is_gone_is_found(tmp_path: Path) -> None:
    """A source that has changed makes its entry an error, and so is an entry twice."""
    entry = """
    [[equivalent]]
    function = "recon_core/ledger/ratios.py:Interval.units"
    operator = "comparison"
    before = "nearly > whole"
    after = "nearly >= whole"
    reason = "the source does not have it"
    """
    path = tmp_path / LIST.name
    path.write_text(entry)
    (gone,) = unknown(read_equivalents(path), mutants_of(RATIOS))
    assert gone.before == "nearly > whole"
    path.write_text(entry * 2)
    with pytest.raises(ValueError, match="is listed twice"):
        read_equivalents(path)


def test_every_module_belongs_to_a_room() -> None:
    """A module is counted in its room, and the rooms of explanations by themselves."""
    assert next(mutants_of(RATIOS)).module == "recon_core/ledger"
    assert next(mutants_of("recon_core/values/amounts.py")).module == "recon_core/values"
    explaining = [path for path in sources() if path.startswith("recon_core/explain/")]
    assert all((ROOT / path).is_file() for path in explaining)
    drawn = [mutant for path in explaining for mutant in islice(mutants_of(path), 1)]
    assert drawn
    assert all(mutant.explains for mutant in drawn)
    rooms = {mutant.module.removeprefix("recon_core/explain/") for mutant in drawn}
    assert {"answers", "causes", "plan"} <= rooms
    assert not any("/" in room for room in rooms)
