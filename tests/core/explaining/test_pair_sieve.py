"""The sieve of pairs loses none: small spot sessions of coarse numbers, where many meet."""

import random
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice
from pathlib import Path

import pytest

from recon_core.explain.budget import Budget
from recon_core.explain.cumulative import misread
from recon_core.explain.edits import Edit, flipped, with_fee
from recon_core.explain.ground import Ground
from recon_core.explain.grounds import grounds
from recon_core.explain.pair_sieve import PairSieve
from recon_core.explain.proof import Prover
from recon_core.explain.search import Search
from recon_core.explain.space import space_of
from recon_core.explain.spans import others
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
FAULTS: tuple[Callable[[Fill], Iterable[Fill]], ...] = (
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


def session_of(seed: int) -> RecordedSession:
    """The ledger's rows with two faults, and the state that the right rows give."""
    walk = random.Random(seed)  # noqa: S311
    right = fills_of(walk)
    rows = [[fill] for fill in right]
    for at in walk.sample(range(len(rows)), 2):
        rows[at] = list(walk.choice(FAULTS)(right[at]))
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


@pytest.mark.parametrize("seed", range(150))
def test_sieved_edits_lose_no_pair(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A look at every edit finds the same pairs, and as many a little beside the need."""
    for ground in grounds_of(session_of(seed)):
        sieved, whole = search_of(ground), search_of(ground)
        found, crowd = contents(sieved), sieved._crowd_size
        monkeypatch.setattr(PairSieve, "sieved", lambda _: None)
        assert contents(whole) == found
        assert whole._crowd_size == crowd


def test_the_sieve_leaves_few_fills() -> None:
    """Of many different fills hardly any meets another, and most sessions are sieved."""
    left = []
    for ground in (ground for seed in range(150) for ground in grounds_of(session_of(seed))):
        search = search_of(ground)
        targets = [ground.need, *search._decoys]
        sieved = PairSieve(ground, search.fill_edits, search._effects, targets).sieved()
        left.append(1.0 if sieved is None else len(sieved.places) / len(ground.fills))
    assert sum(share < 1 for share in left) > len(left) / 2
    assert sum(share < 1 / 2 for share in left) > len(left) / 4


def contents(search: Search) -> list[list[object]]:
    """What a search finds in pairs."""
    return [[_content(one), _content(other)] for one, other in search.pairs()]


def _content(edit: Edit) -> tuple[object, ...]:
    return edit.cause_kind, [id(row) for row in edit.rows], edit.change.added, edit.rank
