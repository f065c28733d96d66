"""What is worked out the quick way is what the long way gives."""

import random
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recon_core.explain.budget import Budget
from recon_core.explain.causes import sign, unit
from recon_core.explain.causes.sign import turned_trades
from recon_core.explain.causes.unit import in_other_unit, multipliers
from recon_core.explain.problem.dimensions import add_to
from recon_core.explain.problem.fill_group import FillGroup
from recon_core.explain.problem.hypotheses import flipped
from recon_core.explain.problem.open_positions import open_bases
from recon_core.explain.problem.patches import Patch, in_sequence
from recon_core.explain.problem.postings import postings_of
from recon_core.explain.proof.prover import Prover
from recon_core.explain.search.search import Search
from recon_core.ledger.amended import amended
from recon_core.ledger.replay import SideReplay, replay, replay_sides
from recon_core.model import Fill, LedgerSide, RecordedSession, SideRecord
from recon_core.model.explanation import CauseKind
from recon_core.values.amounts import EXACT, ZERO, decimal_places, shortest, shortest_places
from tests.explain.problems import content_of, problems_of, prover_of
from tests.matrices import matrix
from tests.trials.bases import Evidence, base_session
from tests.trials.drawing import Trial, Wanted, drawn
from tests.trials.placing import Placement

SEEDS = range(40)
SCALED = [
    (CauseKind.UNIT, None),
    (CauseKind.UNIT, Placement.ROW),
    (CauseKind.SIGN_CONVENTION, None),
]
DERIVATIVES = (
    "hedge_mode_ethperp",
    "two_strategies_inverse",
    "two_strategies_linear",
    "bt_futures_ema_funding",
    "made_hedge",
    "made_margin",
)


def trial_of(seed: int) -> Trial:
    """The trial of a seed, or a skip."""
    trial = drawn(seed, Wanted())
    if trial is None:
        pytest.skip("nothing of that kind is possible there")
    return trial


@given(st.decimals(allow_nan=False, allow_infinity=False, places=12))
def test_places_without_zeros_are_read_off_the_text(amount: Decimal) -> None:
    """Digits after the point, as those of the shortest form."""
    for one in (amount, amount.normalize(), amount.scaleb(9), amount.scaleb(-9)):
        assert shortest_places(one) == decimal_places(shortest(one))


@pytest.mark.parametrize("seed", SEEDS)
def test_sieved_fills_lose_no_single_fault(seed: int) -> None:
    """Every edit that alone is what is needed is found among the fills that are left."""
    for problem in problems_of(prover_of(trial_of(seed).placed.recorded)):
        search = Search(problem, Budget(10**9))
        wanted = set(search.fingerprints.within_tolerance(problem.required))
        whole = [
            search.hypothesis(code)
            for value, code in (
                *search.codes_of_fills(range(len(problem.fills))),
                *search.codes_of_others(range(len(search.effects))),
            )
            if value in wanted
        ]
        found = [hypothesis for hypothesis in whole if problem.reached_by(hypothesis.patch)]
        assert list(map(content_of, search.single_faults())) == list(map(content_of, found))


@pytest.mark.parametrize("seed", SEEDS)
def test_many_fills_book_what_each_books(seed: int) -> None:
    """The sums of many fills at once are those of one after the other."""
    prover = prover_of(trial_of(seed).placed.recorded)
    for record in prover.recorded.own_records().values():
        postings = postings_of(prover.recorded, prover.dimensions, record)
        total: dict[str, Decimal] = {}
        for fill in record.fills or ():
            for name, amount in postings.fill(fill).items():
                add_to(total, name, amount)
        many = postings.fills(record.fills or ())
        assert {name: many.get(name, 0) for name in total} == total
        assert not any(many[name] for name in many.keys() - total.keys())


@pytest.mark.parametrize(("name", "seed"), matrix(DERIVATIVES, SEEDS))
def test_what_is_open_is_followed_without_a_replay(name: str, seed: int) -> None:
    """Changes of two fills move the cash that a replay of the changed rows gives."""
    base = base_session(name, Evidence.STATES)
    prover = prover_of(base.recorded)
    record = base.book
    postings = postings_of(prover.recorded, prover.dimensions, record)
    dice = random.Random(seed)  # noqa: S311  # rows, no secrets
    bases = open_bases(postings, record)
    assert bases is not None
    first, second = dice.sample(record.fills or (), 2)
    pair = _changed(first, dice), _changed(second, dice)
    before = _cash(prover, record)
    after = _cash(prover, pair[0].joined(pair[1]).applied(record))
    for cash in {*before, *after}:
        moved = EXACT.subtract(after.get(cash, ZERO), before.get(cash, ZERO))
        found = bases.amount([bases.balance_patch(patch, cash) for patch in pair])
        unit = postings.resolution(cash.removeprefix("cash::").split(",")[0])
        most = EXACT.multiply(unit, Decimal(len(record.fills or ()) + 2))
        assert EXACT.subtract(moved, found).copy_abs() <= most, (name, seed, cash)
        again = bases.amount([bases.balance_patch(patch, cash) for patch in pair])
        assert again == found  # what was kept of the first look changes nothing


def _changed(fill: Fill, dice: random.Random) -> Patch:
    """A fill that goes, turns, comes again, costs more or is another size."""
    options = (
        Patch(removed=(fill,)),
        Patch((fill,), (flipped(fill),)),
        Patch(added=(replace(fill, fill_id=f"{fill.fill_id}-again"),)),
        Patch((fill,), (replace(fill, fee=EXACT.add(fill.fee, fill.fee)),)),
        Patch((fill,), (replace(fill, quantity=EXACT.add(fill.quantity, fill.quantity)),)),
    )
    return dice.choice(options)


@pytest.mark.parametrize("seed", SEEDS)
def test_changes_in_sequence_are_one_after_the_other(seed: int) -> None:
    """Several changes as one leave the rows that they leave one by one."""
    record = base_session("made_hedge", Evidence.STATES).book
    dice = random.Random(seed)  # noqa: S311  # rows, no secrets
    patches, rows = list[Patch](), record
    for _ in range(6):
        patch = _changed(dice.choice(rows.fills or ()), dice)
        patches.append(patch)
        rows = patch.applied(rows)
    joined = in_sequence(patches)
    assert list(map(id, joined.applied(record).fills or ())) == list(map(id, rows.fills or ()))
    known = set(map(id, record.fills or ()))
    assert all(id(fill) in known for fill in joined.removed)
    assert not any(id(fill) in known for fill in joined.added)


@pytest.mark.large
@pytest.mark.parametrize(("scaled", "seed"), matrix(SCALED, range(20)))
def test_no_factor_of_all_trades_is_lost(
    scaled: tuple[CauseKind, Placement | None], seed: int
) -> None:
    """Every unit of all quantities that is what is needed is found."""
    kind, placement = scaled
    evidence = None if placement is None else Evidence.STATES
    trial = drawn(seed, Wanted(cause_kind=kind, evidence=evidence, placement=placement))
    if trial is None:
        pytest.skip("nothing of that kind is possible there")
    for problem in problems_of(prover_of(trial.placed.recorded)):
        for fills in filter(None, (problem.fills, *problem.by_symbol.values())):
            powers = [Decimal(1).scaleb(at) for at in range(-9, 10) if at]
            hypotheses = [in_other_unit(problem, fills, each)
                     for each in (*powers, *multipliers(problem, fills))]  # fmt: skip
            hypotheses.append(turned_trades(fills))
            some = any(problem.dimensions.seen(problem.postings.trades(fills)).values())
            reached = {
                (hypothesis.cause_kind, hypothesis.detail)
                for hypothesis in hypotheses
                if hypothesis.rows and some and problem.reached_by(hypothesis.patch)
            }
            found = {
                (hypothesis.cause_kind, hypothesis.detail)
                for family in (sign.FAMILY, unit.FAMILY)
                for hypothesis in family.of_all(FillGroup(problem, fills))
            }
            assert reached <= found


def _cash(prover: Prover, record: SideRecord) -> dict[str, Decimal]:
    ledger = replay(prover.recorded, record)
    return prover.dimensions.state((), ledger.cash)


@pytest.mark.parametrize("seed", SEEDS)
def test_an_amended_replay_is_the_replay(seed: int) -> None:
    """Without some fills and with others instead, or no answer."""
    recorded = trial_of(seed).placed.recorded
    for side, replayed in replay_sides(recorded).items():
        record = recorded.side(side)
        assert record is not None
        fills = record.fills or ()
        removed = fills[1:7:2]
        added = (*map(flipped, removed[:2]), *(replace(fill) for fill in fills[:1]))
        found = amended(recorded, replayed, removed, added)
        rows = tuple(fill for fill in fills if not any(fill is gone for gone in removed))
        again = _replayed(recorded, side, (*rows, *added))
        assert found is None or _state(found) == _state(again)


def _replayed(recorded: RecordedSession, side: LedgerSide, fills: tuple[Fill, ...]) -> SideReplay:
    record = recorded.side(side)
    assert record is not None
    changed = replace(record, fills=fills)
    if side is LedgerSide.INTERNAL:
        return replay_sides(replace(recorded, internal=changed))[side]
    return replay_sides(replace(recorded, external=changed))[side]


def _state(replayed: SideReplay) -> tuple[dict[object, Decimal], dict[object, Decimal]]:
    positions, cash = replayed.positions or (), replayed.cash or ()
    return (
        {(row.account, row.symbol, row.leg): row.quantity for row in positions},
        {(row.account, row.currency): row.total for row in cash},
    )
