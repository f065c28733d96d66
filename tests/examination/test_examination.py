"""The examination itself: its ledger, its judge, and a sample of its sessions."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from recon_core import reconcile_session

from .__main__ import main
from .faults import Case, drawn
from .judge import _unique, asked, judged
from .ledger import Books, Fill, Instrument, replay
from .session import document, written
from .shrink import shrunken
from .worlds import WORLDS, draw

D = Decimal
TIME = datetime(2026, 1, 5, 9, tzinfo=UTC)
SAMPLE = range(40, 62)


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("seed", range(2))
def test_a_session_without_a_fault_has_no_difference(world: str, seed: int, tmp_path: Path) -> None:
    """Both ledgers agree on every kind of account: what then differs is a fault."""
    case = Case(draw(seed, world), ())
    path = tmp_path / "true.recon.json"
    path.write_text(written(document(case.world, *case.sides(), {})))
    found = [diff for diff in reconcile_session(path).diffs if diff.delta]
    dust = D("0.000001") if case.world.ledger.floats else D(0)
    assert [diff for diff in found if abs(diff.delta) > dust] == []


@pytest.mark.parametrize(
    ("kind", "multiplier", "gain"),
    [("linear", "1", "10.00"), ("linear", "0.1", "1.00"), ("inverse", "1000", "0.85")],
)
def test_a_contract_gains_when_it_is_closed(kind: str, multiplier: str, gain: str) -> None:
    """One contract bought at 100 and at 110 each, one of the two sold at 115."""
    prices = [("BUY", "100"), ("BUY", "110"), ("SELL", "115")]
    thing = Instrument("X", kind, "B", "Q", D(100), D(1), D(1), D(multiplier))
    fills = tuple(Fill(str(k), "X", s, D(1), D(p), TIME) for k, (s, p) in enumerate(prices))
    state = replay({"X": thing}, {"B": 2, "Q": 2}, Books(fills=fills))
    assert state.positions == {("X", "NET"): 1}
    assert state.cash == {thing.settlement: D(gain)}


@pytest.mark.parametrize("seed", SAMPLE)
def test_no_unique_answer_of_the_sample_is_wrong(seed: int) -> None:
    """A proven cause is the true one, in every kind of account of the sample."""
    verdict = judged(drawn(seed, draw(seed)))
    assert verdict.outcome != "wrong", verdict.reason


@cache
def _lost_fill() -> tuple[Case, list[dict[str, Any]]]:
    """A session whose ledger lost a fill, and its answer, which is right."""
    for seed in range(500):
        case = drawn(seed, draw(seed))
        names = [fault.name for fault in case.faults]
        if names == ["lost_fill"] and len(case.world.books.fills) < 9:
            _, answers = asked(case)
            if [answer["verdict"] for answer in answers] == ["unique"]:
                return case, [dict(answer) for answer in answers]
    raise AssertionError


@pytest.mark.parametrize(
    ("field", "value"), [("price", "1"), ("quantity", "7"), ("side", "?"), ("symbol", "other")]
)
def test_another_row_than_the_lost_one_is_a_wrong_answer(field: str, value: str) -> None:
    """The judge takes the repair by its books: one field of the added row decides."""
    case, answers = _lost_fill()
    assert _unique(case, answers) == ("right", "")
    (entry,) = answers[0]["repair"]
    false = {**entry, "row": {**entry["row"], field: value}}
    assert _unique(case, [{**answers[0], "repair": [false]}])[0] == "wrong"


@pytest.mark.parametrize("action", ["remove_fill", "adjust_cash"])
def test_another_side_or_row_is_a_wrong_answer(action: str) -> None:
    """An entry for the exchange, or for a row that is not there, is no repair of the ledger."""
    case, answers = _lost_fill()
    row = {"currency": "USD", "amount": "1", **answers[0]["repair"][0]["row"], "fill_id": "none"}
    entry = {"action": action, "side": "external", "row": row}
    assert _unique(case, [{**answers[0], "repair": [entry]}])[0] == "wrong"


def test_a_smaller_session_has_the_same_outcome() -> None:
    """The shrinker leaves rows out, and keeps the answer."""
    case, _ = _lost_fill()
    small = shrunken(case)
    assert judged(small).outcome == judged(case).outcome
    assert len(small.world.books.fills) <= len(case.world.books.fills)


def test_the_command_prints_a_table_and_writes_a_session(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--seeds` counts outcomes by world and fault, `--show` writes the file of a seed."""
    assert main(["--seeds", "0:2", "--jobs", "1"]) in {0, 1}
    assert "right" in capsys.readouterr().out
    assert main(["--show", "3", "--output", str(tmp_path)]) == 0
    assert reconcile_session(tmp_path / "examination-3.recon.json").judgements


def test_a_seed_gives_one_session() -> None:
    """Nothing but the seed decides what is drawn."""
    made = [drawn(11, draw(11)) for _ in range(2)]
    files = [document(case.world, *case.sides(), case.multipliers) for case in made]
    assert files[0] == files[1]
    assert replace(made[0].world, seed=12) != made[0].world
