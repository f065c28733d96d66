"""Faults put into copies of sessions: real ones, of every kind, and each edge is true."""

import random
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from functools import cache
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recon_core.explain.causes import CAUSES, family_of
from recon_core.model import (
    CashBalance,
    LedgerSide,
    Movement,
    MovementKind,
    Opening,
    RecordedSession,
)
from recon_core.model.explanation import CauseKind
from recon_core.model.policy_line import PolicyLine
from recon_core.mutate.fault import listed, steps
from recon_core.mutate.faults import FAULTS
from recon_core.mutate.gate import Answer, Gate, Result
from recon_core.mutate.mutation import Mutant, Trial, trials_of
from recon_core.mutate.scene import Scene, scenes_of
from recon_core.plugins.manager import extension_manager
from recon_core.policy.aliases import Aliases
from recon_core.policy.model import CashPolicy, Policy
from recon_core.policy.toml_file import read_policy
from recon_core.sessions import find_sessions, read_session
from recon_core.values.errors import ReconError
from recon_core.values.severity import Severity

from .builders import at, fill, recorded, side

ROOT = Path(__file__).parents[2]
IS_LONG = settings().max_examples > 1000
SMALL = (
    "examples/suite/clear",
    "examples/minimal",
    "examples/policy",
    "tests/data/nautilus/hedge_mode_ethperp",
    "tests/data/lean",
)
PLACES = (
    (
        "examples",
        "tests/data/nautilus",
        "tests/data/freqtrade",
        "tests/data/lean",
        "tests/data/engines",
        "tests/data/accounts",
    )
    if IS_LONG
    else SMALL
)
POLICIES = {"examples/policy": "examples/policy/recon.toml"}
"""Policies of sessions that are red without theirs."""


def anchors() -> dict[str, tuple[Path, str]]:
    """Every session below the places, by its path, with its place."""
    manager = extension_manager()
    return {
        str(anchor.relative_to(ROOT)): (anchor, place)
        for place in PLACES
        for anchor in find_sessions(ROOT / place, manager)
    }


SESSIONS = anchors()


@cache
def gate_of(place: str, lowest: Severity = Severity.FAIL) -> Gate:
    """The gate by the policy of a place."""
    policy = read_policy(ROOT / POLICIES[place]) if place in POLICIES else Policy()
    return Gate(policy, extension_manager(), lowest, 20_000)


@cache
def session_of(name: str) -> tuple[RecordedSession, Gate, Answer] | None:
    """A session with its gate, `None` for one that is red without any fault."""
    anchor, place = SESSIONS[name]
    gate = gate_of(place)
    try:
        session = read_session(anchor, gate.manager)
    except ReconError:
        return None
    answer = gate.answer(session)
    return None if answer.blocks else (session, gate, answer)


@cache
def trials(name: str) -> tuple[Trial, ...]:
    """All trials of a session, none of one that is red."""
    found = session_of(name)
    return () if found is None else tuple(trials_of(*found[:2], seed=1))


def passed_of(trial: Trial) -> Iterable[Mutant]:
    """Every mutant of a trial that passes, the largest one included."""
    edge = () if trial.edge is None or trial.edge.passes is None else (trial.edge.passes,)
    return (*edge, *(one for one in trial.mutants if one.result is Result.PASSED))


def test_every_kind_of_cause_has_a_fault() -> None:
    """No kind that an explanation can name is left out, and each name is one fault."""
    assert {fault.cause_kind for fault in FAULTS} == set(CauseKind)
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)
    assert all(family_of(kind) in CAUSES for fault in FAULTS for kind in fault.causes)


LEDGER = side(
    opening=Opening(None, cash=(CashBalance("EUR", Decimal(1000)),)),
    fills=(
        fill("f1", "BUY", "1.25", "100", "0.125 EUR", time=at(-5400)),
        fill("f2", "BUY", "2", "100", "0.5 EUR", time=at(-1800)),
    ),
    movements=(
        Movement("m1", MovementKind.DEPOSIT, at(-7200), currency="EUR", amount=Decimal("50.00")),
        Movement("m2", MovementKind.SPLIT, at(-3600), symbol="BTC/EUR", quantity=Decimal("1.25")),
    ),
)
"""A ledger whose fees, and times, are not alike."""
OF_ROWS = [
    ("missing_movement", 0, "50 EUR", "f1 1.25 0.125, f2 2 0.5, m2 1.25"),
    (
        "duplicate_movement",
        0,
        "50 EUR",
        "f1 1.25 0.125, f2 2 0.5, m1 50.00, m2 1.25, m1-recon-mutate 50.00",
    ),
    ("wrong_movement", 49, "0.05 EUR", "f1 1.25 0.125, f2 2 0.5, m1 50.050, m2 1.25"),
    ("split", 0, "1.25 BTC/EUR", "f1 1.25 0.125, f2 2 0.5, m1 50.00"),
    ("fee_rate", 999, "10 %", "f1 1.25 0.138, f2 2 0.550, m1 50.00, m2 1.25"),
    ("stale_side", 0, "1 fill", "f1 1.25 0.125, m1 50.00"),
    ("as_of_shift, state", 0, "1 h", "f1 1.25 0.125, m1 50.00, m2 1.25"),
    ("rounding, rows", 0, "1 decimal", "f1 1.2 0.125, f2 2.0 0.5, m1 50.00, m2 1.25"),
]
"""What a fault leaves of the ledger's rows at one of its sizes."""


@pytest.mark.parametrize(("name", "place", "words", "rows"), OF_ROWS)
def test_what_a_fault_of_rows_does(name: str, place: int, words: str, rows: str) -> None:
    """To which rows, and how its size is said."""
    scene = Scene(recorded(LEDGER, side(cash={"EUR": "1"})), LedgerSide.INTERNAL, Aliases())
    (fault,) = (one for one in FAULTS if one.name == name)
    injection = fault.inject(scene, random.Random(0))  # noqa: S311  # rows, no secrets
    assert injection is not None
    assert injection.scale.words(place) == words
    spoiled = injection.put(place).internal
    assert spoiled is not None
    left = [f"{one.fill_id} {one.quantity} {one.fee}" for one in spoiled.fill_rows]
    left += [f"{one.movement_id} {one.amount or one.quantity}" for one in spoiled.movement_rows]
    assert ", ".join(left) == rows


@pytest.mark.parametrize("name", SESSIONS)
def test_a_fault_is_real(name: str) -> None:
    """A copy differs from the session, and one whose rows are equal changes nothing."""
    found = session_of(name)
    for trial in trials(name):
        assert found is not None
        for mutant in trial.mutants:
            same = trial.injection.put(mutant.place) == found[0]
            assert not same or mutant.result is Result.UNCHANGED, trial.fault.name


@pytest.mark.parametrize("name", SESSIONS)
def test_an_edge_is_true(name: str) -> None:
    """The size that passes is green with a difference, the next one is red."""
    found = session_of(name)
    for trial in trials(name):
        assert found is not None
        _, gate, before = found
        edge, put = trial.edge, trial.injection.put
        if edge is None:
            continue
        if edge.passes is not None:
            answer = gate.answer(put(edge.passes.place), before)
            assert not answer.blocks, trial.fault.name
            assert answer.result is Result.PASSED, trial.fault.name
            assert edge.passes.size == trial.injection.scale.words(edge.passes.place)
        if edge.caught is not None:
            assert gate.answer(put(edge.caught.place), before).blocks, trial.fault.name
        if edge.passes is not None and edge.caught is not None:
            assert edge.caught.place == edge.passes.place + 1, trial.fault.name


def strict(policy: Policy, lines: Iterable[PolicyLine]) -> Policy:
    """The policy with some of its lines as strict as they can be."""
    for line in lines:
        match line.key:
            case ("cash", "absolute", currency):
                absolute = {**policy.cash.absolute, currency: Decimal(0)}
                policy = replace(policy, cash=replace(policy.cash, absolute=absolute))
            case ("position", "absolute", pattern):
                named = {k: v for k, v in policy.position.absolute.items() if k != pattern}
                policy = replace(policy, position=replace(policy.position, absolute=named))
            case (("cash" | "position") as table, name):
                changed = replace(getattr(policy, table), **{name: Decimal(0)})
                policy = replace(policy, **{table: changed})
            case ("severity", case):
                policy = replace(policy, severity={**policy.severity, case: Severity.FAIL})
            case ("float_dust",):
                policy = replace(policy, float_dust=Decimal(0))
    return policy


def test_a_row_that_differs_is_judged_anew() -> None:
    """Its verdict in the session without the fault is that of other figures."""
    gate = Gate(Policy(), extension_manager(), Severity.FAIL, 20_000)
    ours, theirs = (
        side({"BTC/EUR": "1"}, {}, fills=(fill("f", "BUY", "1", price),)) for price in ("10", "11")
    )
    session = recorded(theirs, theirs)
    before = gate.answer(session)
    assert not before.blocks
    assert gate.answer(recorded(ours, theirs), before).result is Result.CAUGHT
    assert gate.answer(session, before).result is Result.UNCHANGED


STATED = {
    "alias, balance", "alias, position", "balance_kind", "conversion", "opening_balance, cash",
    "opening_balance, position", "sign_convention", "unit, balance", "unit, position",
}  # fmt: skip
OF_FILLS = {
    "as_of_shift, clock", "as_of_shift, state", "duplicate_fee", "duplicate_fill, one id",
    "duplicate_fill, two ids", "fee_currency", "fee_rate", "fee_sign", "foreign_activity",
    "missing_fee", "missing_fill", "orphan_fill", "side_flipped", "unit, rows", "wrong_fee",
    "wrong_price", "wrong_quantity",
}  # fmt: skip


@pytest.mark.large
@pytest.mark.parametrize(
    ("symbols", "expected"),
    [
        ([], STATED),
        (["BTC/EUR"], STATED | OF_FILLS | {"alias, rows"}),
        # No fill can be renamed: the other name is that of another symbol.
        (["BTC/EUR", "btceur"], STATED | OF_FILLS),
    ],
)
def test_every_fault_that_the_data_allow_is_tried(symbols: list[str], expected: set[str]) -> None:
    """On both sides; one that is left out would look as if it were caught."""
    fills = tuple(
        fill(symbol, "BUY", "3", "10", "0.1 EUR", symbol=symbol, client_order_id=symbol)
        for symbol in symbols
    )
    one = side({"BTC/EUR": "3"}, {"EUR": "100"}, fills=fills or None)
    gate = Gate(Policy(), extension_manager(), Severity.FAIL, 20_000)
    found = [(trial.side, trial.fault.name) for trial in trials_of(recorded(one, one), gate, 1)]
    for side_of in LedgerSide:
        assert {name for each, name in found if each is side_of} == expected


@pytest.mark.parametrize(
    ("own", "usual"),
    [
        ("25.00", ["0.25", "2.5", "25"]),
        ("-0.55", ["0.01", "0.05", "0.55"]),
        ("0.05", ["0.01", "0.05"]),
        ("0", ["0.01"]),
    ],
)
def test_an_amount_is_wrong_by_a_part_of_itself(own: str, usual: list[str]) -> None:
    """By 1 %, 10 % and all of it in whole steps, by a step at least; each size once."""
    scale = steps(Decimal("0.01"), Decimal(own), "EUR")
    assert [scale.words(place) for place in scale.usual] == [f"{one} EUR" for one in usual]
    assert scale.words(0) == "0.01 EUR"


@pytest.mark.parametrize(
    ("count", "thirds"), [(9, [range(3), range(3, 6), range(6, 9)]), (2, [range(1), range(1, 2)])]
)
def test_of_rows_one_of_each_third_is_usual(count: int, thirds: list[range]) -> None:
    """A small one, a middle one, a large one, as far as there are so many."""
    amounts = [Decimal(number) for number in range(count)]
    for seed in range(20):
        places = listed(amounts, "EUR", Random(seed)).usual  # noqa: S311  # no secret
        assert len(places) == len(thirds)
        assert all(place in third for place, third in zip(places, thirds, strict=True))


def test_a_side_that_lost_a_row_counts_one_less() -> None:
    """Without this its count would show the loss, and no fault would pass."""
    rows = tuple(fill(f"f{number}", "BUY", "1", "10") for number in range(3))
    ours = side(fills=rows, counts={"fills": 3, "orders": 2})
    (scene, _) = scenes_of(recorded(ours, side(fills=rows)), Policy().aliases)
    changed = scene.with_rows(replace(scene.book, fills=rows[1:])).internal
    assert changed is not None
    assert changed.counts == {"fills": 2, "orders": 2}


@pytest.mark.parametrize("name", SESSIONS)
def test_a_line_lets_it_through(name: str) -> None:
    """With the named lines as strict as they can be the same fault is caught."""
    found = session_of(name)
    for trial in trials(name):
        assert found is not None
        for mutant in passed_of(trial):
            lines = [one.line for one in mutant.passes if one.line is not None]
            if lines:
                gate = replace(found[1], policy=strict(found[1].policy, lines))
                answer = gate.answer(trial.injection.put(mutant.place))
                assert answer.blocks, (trial.fault.name, mutant.size, lines)


@pytest.mark.large
def test_what_the_default_sessions_show() -> None:
    """Both sides, faults that pass, and lines of every table are among the sessions above."""
    found = [trial for name in SESSIONS for trial in trials(name)]
    assert {trial.side for trial in found} == set(LedgerSide)
    lines = {
        one.line.key[0]
        for trial in found
        for mutant in passed_of(trial)
        for one in mutant.passes
        if one.line is not None
    }
    assert {"cash", "position"} <= lines


@pytest.mark.large
def test_a_seed_gives_one_answer() -> None:
    """The same rows and sizes, whatever other faults are tried."""
    name = "examples/suite/clear/replayed.recon.json"
    found = session_of(name)
    assert found is not None
    kind = CauseKind.MISSING_FEE
    whole = [_shown(trial) for trial in trials(name) if trial.fault.cause_kind is kind]
    alone = [_shown(trial) for trial in trials_of(*found[:2], seed=1, kinds=[kind])]
    assert whole == alone != []
    priced = [CauseKind.WRONG_PRICE]
    others = [[_shown(one) for one in trials_of(*found[:2], seed, priced)] for seed in range(5)]
    assert any(one != others[0] for one in others)


@pytest.mark.large
@given(cents=st.integers(0, 10**5), held=st.integers(10**7, 10**9))
@settings(max_examples=20)
def test_the_smallest_that_is_caught_is_one_step_above_the_tolerance(cents: int, held: int) -> None:
    """Exactly, whatever tolerance the policy gives a balance."""
    total, limit = Decimal(held).scaleb(-2), Decimal(cents).scaleb(-2)
    policy = Policy(cash=CashPolicy(Decimal(1), {"EUR": limit}))
    sides = [side(cash=(CashBalance("EUR", total),)) for _ in LedgerSide]
    gate = Gate(policy, extension_manager(), Severity.FAIL, 20_000)
    found = list(trials_of(recorded(*sides), gate, 0, [CauseKind.OPENING_BALANCE]))
    assert [trial.side for trial in found] == list(LedgerSide)
    for trial in found:
        assert trial.edge is not None
        assert trial.edge.caught is not None
        assert trial.injection.scale.at(trial.edge.caught.place) == limit + Decimal("0.01")
        assert (trial.edge.passes is None) == (not cents)


def _shown(trial: Trial) -> tuple[object, ...]:
    return trial.fault.name, trial.side, trial.injection.place, trial.mutants, trial.edge
