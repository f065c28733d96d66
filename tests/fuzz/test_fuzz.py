"""A few inputs of every kind, those that were found before, and the oracle itself."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from .answer import judged
from .changes import Files
from .execution import drawn, execute
from .kinds import KINDS
from .kinds.kind import DATA, Kind
from .kinds.native import KIND as NATIVE
from .oracle import CannotTellError, contradiction

SOAK = settings().max_examples > 1000
EXECUTIONS = 2000 if SOAK else 30
CORPUS = DATA / "fuzz"
FOUND = sorted(path for path in CORPUS.glob("*/*") if path.is_dir())


def kind_named(name: str) -> Kind:
    """The kind of that name."""
    return next(kind for kind in KINDS if kind.name == name)


def files_of(case: Path) -> Files:
    """The files of a found input."""
    paths = (path for path in sorted(case.rglob("*")) if path.is_file())
    return {str(path.relative_to(case)): path.read_bytes() for path in paths}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_input_has_an_answer(kind: Kind) -> None:
    """No input raises, takes long, is answered in two ways, or is clear against the oracle."""
    for number in range(EXECUTIONS):
        _, _, broken = execute(kind, drawn(kind, number, seed=1), number)
        assert not broken, f"{kind.name} {number}: {broken}"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_good_inputs_are_understood(kind: Kind) -> None:
    """The seeds are no noise: some of every kind are neither refused nor broken."""
    answers = [execute(kind, files)[::2] for files in kind.seeds]
    assert not any(broken for _, broken in answers)
    assert any(answer is not None and not answer.refused for answer, _ in answers)


@pytest.mark.parametrize("case", FOUND, ids=lambda case: f"{case.parent.name}-{case.name}")
def test_found_inputs_stay_mended(case: Path) -> None:
    """An input that once broke a promise keeps it now."""
    assert not execute(kind_named(case.parent.name), files_of(case))[2]


def test_the_list_of_kinds_is_complete() -> None:
    """Every module of a kind is in the list, and the shares are the whole of a run."""
    modules = {path.stem for path in Path(__file__).parent.joinpath("kinds").glob("*.py")}
    assert {kind.name.replace("-", "_") for kind in KINDS} == modules - {"__init__", "kind"}
    assert sum(kind.share for kind in KINDS) == 1000


def test_an_input_is_drawn_by_its_number() -> None:
    """The same number and seed give the same bytes, another number gives others."""
    assert drawn(NATIVE, 5, seed=1) == drawn(NATIVE, 5, seed=1)
    assert drawn(NATIVE, 5, seed=1) != drawn(NATIVE, 6, seed=1)


def full() -> dict[str, Any]:
    """The clear session with every section, alike on both sides."""
    document: dict[str, Any] = json.loads(NATIVE.seeds[0]["input.recon.json"])
    return document


def test_the_oracle_agrees_with_a_clear_session(tmp_path: Path) -> None:
    """The full seed is clear, and the oracle finds nothing against it."""
    path = tmp_path / "input.recon.json"
    path.write_text(json.dumps(full()))
    answer = judged(path, path.read_bytes())
    assert (answer.clear, answer.wrong, answer.untold) == (True, "", False)


def _drifted(side: dict[str, Any]) -> None:
    side["positions"][0]["quantity"] = "0.061"


def _poorer(side: dict[str, Any]) -> None:
    side["cash"][0]["total"] = "7570.00"


def _dearer(side: dict[str, Any]) -> None:
    side["fills"][0]["price"] = "42000.01"


def _twice(side: dict[str, Any]) -> None:
    side["fills"].append(side["fills"][0])
    side["counts"]["fills"] = 3


def _cancelled(side: dict[str, Any]) -> None:
    side["orders"][0]["state"] = "CANCELLED"


def _in_part(side: dict[str, Any]) -> None:
    side["orders"][0]["filled_quantity"] = "0.05"


def _miscounted(side: dict[str, Any]) -> None:
    side["counts"]["fills"] = 3


def _unsaid(side: dict[str, Any]) -> None:
    del side["cash"]


@pytest.mark.parametrize(
    ("change", "sides", "reason"),
    [
        (_drifted, ["external"], "positions: ('BTC/EUR', 'NET') differs"),
        (_poorer, ["internal"], "cash: ('EUR',) differs"),
        (_dearer, ["external"], "fills: differ"),
        (_twice, ["internal", "external"], "states a fill twice"),
        (_cancelled, ["internal", "external"], "an order is CANCELLED and filled"),
        (_in_part, ["internal", "external"], "an order is FILLED in part"),
        (_miscounted, ["internal", "external"], "counts fills wrongly"),
    ],
)
def test_the_oracle_sees_what_must_not_be_clear(
    change: Callable[[dict[str, Any]], None], sides: list[str], reason: str
) -> None:
    """Each rule of the oracle can fail, alike on both sides where that hides nothing."""
    document = full()
    for side in sides:
        change(document[side])
    assert reason in contradiction(json.dumps(document).encode())


def test_the_oracle_replays_what_is_not_stated() -> None:
    """A section that one side leaves out is computed from its fills, or missing."""
    document = full()
    _unsaid(document["internal"])
    with pytest.raises(CannotTellError):  # a deposit moved as well
        contradiction(json.dumps(document).encode())
    del document["internal"]["movements"]
    assert "cash: ('EUR',) differs" in contradiction(json.dumps(document).encode())
    del document["internal"]["opening"]
    assert "cash: on one side only" in contradiction(json.dumps(document).encode())


def test_the_oracle_knows_the_dust_of_floats() -> None:
    """A millionth is no difference where a side computes in floats, and is one elsewhere."""
    document = full()
    document["external"]["cash"].append({"currency": "XYZ", "total": "0.000001"})
    assert contradiction(json.dumps(document).encode()) == "cash: ('XYZ',) differs"
    document["external"]["numbers"] = "float"
    assert contradiction(json.dumps(document).encode()) == ""
    document["external"]["cash"][-1]["total"] = "0.000002"
    assert "XYZ" in contradiction(json.dumps(document).encode())
