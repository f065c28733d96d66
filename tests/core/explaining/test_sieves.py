"""What is sieved by few numbers loses nothing: small sessions of coarse ones, where many meet."""

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice
from pathlib import Path

import pytest

from recon_core.explain.budget import Budget
from recon_core.explain.effects.space import space_of
from recon_core.explain.faults.chances import decoys
from recon_core.explain.faults.cumulative import cumulative, misread
from recon_core.explain.faults.edits import Edit, flipped, with_fee
from recon_core.explain.faults.market import Paid
from recon_core.explain.faults.solved import solved
from recon_core.explain.faults.spans import others
from recon_core.explain.grounds.ground import Ground
from recon_core.explain.grounds.grounds import grounds
from recon_core.explain.proving.proof import Prover
from recon_core.explain.searching.pair_search import PairSearch
from recon_core.explain.searching.pair_sieve import PairSieve
from recon_core.explain.searching.search import Search
from recon_core.explanation import CauseKind
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
from recon_core.policy.model import Policy
from recon_core.reconciliation import Reconciliation

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


def grounds_of(recorded: RecordedSession) -> list[Ground]:
    """The grounds whose rows are at fault."""
    found = Reconciliation(recorded, Policy())
    prover = Prover(found, space_of(found.recorded, found.comparisons, Decimal(0)))
    every = grounds(prover.recorded, prover.space, prover.reconciliation.replays)
    return [ground for ground in every if not ground.rows_right]


def search_of(ground: Ground) -> Search:
    """A search with more edits than those of single rows."""
    extra = (*others(ground), *islice(misread(ground), 50))
    return Search(ground, Budget(10**9)).also_of(extra)


@pytest.mark.parametrize("seed", [*range(150), 2594, 2859, 3219, 4400])
def test_sieved_edits_lose_no_pair(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A look at every edit finds the same pairs, and as many a little beside the need."""
    for ground in grounds_of(session_of(seed)):
        sieved, whole = (PairSearch(search_of(ground)) for _ in range(2))
        found, crowd = contents(sieved), sieved._crowd_size
        monkeypatch.setattr(PairSieve, "sieved", lambda _: None)
        assert contents(whole) == found
        assert whole._crowd_size == crowd


def test_the_sieve_leaves_few_fills() -> None:
    """Of many different fills hardly any meets another, and most sessions are sieved."""
    left = []
    for ground in (ground for seed in range(150) for ground in grounds_of(session_of(seed))):
        search = search_of(ground)
        targets = [ground.need, *decoys(ground)]
        sieved = PairSieve(ground, search.fill_edits, search.effects, targets).sieved()
        left.append(1.0 if sieved is None else len(sieved.places) / len(ground.fills))
    assert sum(share < 1 for share in left) > len(left) / 2
    assert sum(share < 1 / 2 for share in left) > len(left) / 4


@pytest.mark.parametrize("seed", range(60))
def test_prices_lose_no_wrong_quantity(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A look at every fill finds the quantities that are found by the price."""
    more = Decimal(seed % 7 - 3).scaleb(-2) or Decimal("0.5")
    rate = None if seed % 3 else Decimal("0.001")
    for ground in grounds_of(session_of(seed, (lambda fill: (_of_quantity(fill, more, rate),),))):
        found = wrong_quantities(ground)
        with monkeypatch.context() as patched:
            patched.setattr(Paid, "candidates", lambda paid: iter(paid.market.fills))
            assert wrong_quantities(ground) == found


def wrong_quantities(ground: Ground) -> list[object]:
    """The quantities that are solved for."""
    found = solved(ground, Search(ground, Budget(10**9)).fill_edits)
    return [_content(edit) for edit in found if edit.cause_kind is CauseKind.WRONG_QUANTITY]


def _of_quantity(fill: Fill, more: Decimal, rate: Decimal | None) -> Fill:
    """A fill of another quantity, charged on that where a rate is given."""
    quantity = fill.quantity + abs(more)
    value = quantity if fill.fee_currency == "BTC" else quantity * fill.price
    return replace(fill, quantity=quantity, fee=fill.fee if rate is None else value * rate)


@pytest.mark.parametrize("seed", range(60))
def test_sums_lose_no_misread_order(seed: int) -> None:
    """Of all orders that may have been misread, those that are what is needed are found."""
    for ground in grounds_of(session_of(seed, (), misread_orders=seed % 3)):
        every = [one.edit() for one in misread(ground)]
        needed = [edit for edit in every if ground.reaches(edit.change.vector(ground.bookings))]
        found = [edit for edit in cumulative(ground)
                 if ground.reaches(edit.change.vector(ground.bookings))]  # fmt: skip
        assert list(map(_content, found)) == list(map(_content, needed))


def contents(search: PairSearch) -> list[list[object]]:
    """What a search finds in pairs."""
    return [[_content(one), _content(other)] for one, other in search.pairs()]


def _content(edit: Edit) -> tuple[object, ...]:
    return edit.cause_kind, [id(row) for row in edit.rows], edit.change.added, edit.rank
