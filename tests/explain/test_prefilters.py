"""What is sieved by few numbers loses nothing: small sessions of coarse ones, where many meet."""

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice
from pathlib import Path

import pytest

from recon_core.engine.reconciliation import Reconciliation
from recon_core.explain.budget import Budget
from recon_core.explain.causes.cumulative import cumulative, misread
from recon_core.explain.causes.foreign import others
from recon_core.explain.problem.chances import decoys
from recon_core.explain.problem.dimensions import dimensions_of
from recon_core.explain.problem.hypotheses import flipped, with_fee
from recon_core.explain.problem.market import Paid
from recon_core.explain.problem.problem import Problem
from recon_core.explain.problem.problems import problems
from recon_core.explain.proof.prover import Prover
from recon_core.explain.search.fitted_faults import fitted
from recon_core.explain.search.pair_prefilter import PairPrefilter
from recon_core.explain.search.pair_search import PairSearch
from recon_core.explain.search.search import Search
from recon_core.ledger.replay import replay_sides
from recon_core.model import (
    CashBalance,
    Currency,
    Fill,
    Instrument,
    InstrumentKind,
    LedgerSide,
    Opening,
    OrderSide,
    RecordedSession,
    SideRecord,
)
from recon_core.model.explanation import CauseKind
from recon_core.policy.model import Policy
from tests.explain.problems import content_of
from tests.matrices import sample

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
SPOT = {
    f"{base}/EUR": Instrument(f"{base}/EUR", InstrumentKind.SPOT, base, "EUR", "EUR")
    for base in ("BTC", "ETH")
}
CHARGED = (("EUR",), ("BTC",), ("EUR", "BTC", "BNB"))
OPENING = Opening(None, (), tuple(CashBalance(name, Decimal(9999)) for name in ("EUR", "BNB")))
Fault = Callable[[Fill], Iterable[Fill]]
FAULTS: tuple[Fault, ...] = (
    lambda _: (),
    lambda fill: (fill, replace(fill)),
    lambda fill: (flipped(fill),),
    lambda fill: (replace(fill, fee=Decimal(0)),),
    lambda fill: (with_fee(fill, fill.fee + fill.fee),),
    lambda fill: (with_fee(fill, fill.fee.copy_negate()),),
    lambda fill: (with_fee(fill, fill.fee, "EUR" if fill.fee_currency != "EUR" else "BTC"),),
)


def fills_of(walk: random.Random) -> list[Fill]:
    """Fills with few different quantities and prices, fees in any currency or none."""
    charged, symbols = walk.choice(CHARGED), walk.choice([["BTC/EUR"], list(SPOT)])
    finest, some_bare = walk.choice([9, 10**6]), walk.choice([True, False])
    found = []
    for at in range(walk.choice([12, 40])):
        quantity, price = Decimal(walk.randint(0, finest)).scaleb(-2), Decimal(walk.randint(95, 99))
        currency, is_bare = walk.choice(charged), some_bare and not walk.randrange(8)
        value = quantity if currency == "BTC" else quantity * price
        found.append(
            Fill(
                fill_id=f"f{at}",
                symbol=walk.choice(symbols),
                side=walk.choice(list(OrderSide)),
                quantity=quantity,
                price=price,
                time=NOON + timedelta(seconds=at),
                fee=Decimal(0) if is_bare else value * Decimal("0.001"),
                fee_currency=currency,
                client_order_id=f"o{at // 2}",
            )
        )
    return found


def session_of(
    seed: int, faults: Sequence[Fault] | None = None, misread_orders: int = 0
) -> RecordedSession:
    """The ledger's rows with two faults, or the given ones, and the state of the right rows."""
    walk = random.Random(seed)  # noqa: S311
    right = fills_of(walk)
    rows = [[fill] for fill in right]
    chosen = [walk.choice(FAULTS), walk.choice(FAULTS)] if faults is None else list(faults)
    for at, fault in zip(walk.sample(range(len(rows)), len(chosen)), chosen, strict=True):
        rows[at] = list(fault(right[at]))
    for at in range(1, 2 * misread_orders, 2):
        quantity = right[at - 1].quantity + right[at].quantity
        rows[at] = [replace(right[at], quantity=quantity)]
    wrong = tuple(fill for each in rows for fill in each)
    places = walk.choice([None, 2, 8])
    record = SideRecord(NOON + timedelta(hours=1), fills=tuple(right), opening=OPENING)
    session = RecordedSession(
        session_id="pairs",
        anchor=Path("pairs.recon.json"),
        instruments=SPOT,
        currencies={} if places is None else {name: Currency(name, places) for name in walk.choice(
            [("EUR",), ("EUR", "BTC", "BNB")])},
        internal=record,
    )  # fmt: skip
    state = replay_sides(session)[LedgerSide.INTERNAL]
    stated = replace(record, fills=None, opening=None, positions=state.positions, cash=state.cash)
    return replace(session, internal=replace(record, fills=wrong), external=stated)


def problems_of(recorded: RecordedSession) -> list[Problem]:
    """The grounds whose rows are at fault."""
    found = Reconciliation(recorded, Policy())
    prover = Prover(found, dimensions_of(found.recorded, found.comparisons, Decimal(0)))
    every = problems(prover.recorded, prover.dimensions, prover.reconciliation.replays)
    return [problem for problem in every if not problem.rows_right]


def search_of(problem: Problem) -> Search:
    """A search with more edits than those of single rows."""
    extra = (*others(problem), *islice(misread(problem), 50))
    return Search(problem, Budget(10**9)).with_extra(extra)


@pytest.mark.parametrize("seed", [*sample(range(150), every=2), 2594, 2859, 3219, 4400])
def test_sieved_edits_lose_no_pair(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A look at every edit finds the same pairs, and as many a little beside the need."""
    for problem in problems_of(session_of(seed)):
        places, whole = (PairSearch(search_of(problem)) for _ in range(2))
        found, crowd = contents(places), places._chance_count
        monkeypatch.setattr(PairPrefilter, "places", lambda _: None)
        assert contents(whole) == found
        assert whole._chance_count == crowd


@pytest.mark.large
def test_the_sieve_leaves_few_fills() -> None:
    """Of many different fills hardly any meets another, and most sessions are sieved."""
    left = []
    for problem in (problem for seed in range(150) for problem in problems_of(session_of(seed))):
        search = search_of(problem)
        targets = [problem.required, *decoys(problem)]
        places = PairPrefilter(problem, search.fill_hypotheses, search.effects, targets).places()
        left.append(1.0 if places is None else len(places.places) / len(problem.fills))
    assert sum(share < 1 for share in left) > len(left) / 2
    assert sum(share < 1 / 2 for share in left) > len(left) / 4


@pytest.mark.parametrize("seed", range(60))
def test_prices_lose_no_wrong_quantity(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A look at every fill finds the quantities that are found by the price."""
    more = Decimal(seed % 7 - 3).scaleb(-2) or Decimal("0.5")
    rate = None if seed % 3 else Decimal("0.001")
    for problem in problems_of(session_of(seed, (lambda fill: (_of_quantity(fill, more, rate),),))):
        found = wrong_quantities(problem)
        with monkeypatch.context() as patched:
            patched.setattr(Paid, "candidates", lambda paid: iter(paid.market.fills))
            assert wrong_quantities(problem) == found


def wrong_quantities(problem: Problem) -> list[object]:
    """The quantities that are solved for."""
    found = fitted(problem)
    return [
        content_of(hypothesis)
        for hypothesis in found
        if hypothesis.cause_kind is CauseKind.WRONG_QUANTITY
    ]


def _of_quantity(fill: Fill, more: Decimal, rate: Decimal | None) -> Fill:
    """A fill of another quantity, charged on that where a rate is given."""
    quantity = fill.quantity + abs(more)
    value = quantity if fill.fee_currency == "BTC" else quantity * fill.price
    return replace(fill, quantity=quantity, fee=fill.fee if rate is None else value * rate)


@pytest.mark.parametrize("seed", range(60))
def test_sums_lose_no_misread_order(seed: int) -> None:
    """Of all orders that may have been misread, those that are what is needed are found."""
    for problem in problems_of(session_of(seed, (), misread_orders=seed % 3)):
        every = [one.hypothesis() for one in misread(problem)]
        required_count = [
            hypothesis
            for hypothesis in every
            if problem.reached_by_effect(hypothesis.patch.vector(problem.postings))
        ]
        found = [
            hypothesis
            for hypothesis in cumulative(problem)
            if problem.reached_by_effect(hypothesis.patch.vector(problem.postings))
        ]
        assert list(map(content_of, found)) == list(map(content_of, required_count))


def contents(search: PairSearch) -> list[list[object]]:
    """What a search finds in pairs."""
    return [[content_of(one), content_of(other)] for one, other in search.pairs()]
