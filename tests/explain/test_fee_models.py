"""How fills are charged: all alike, or each side in what it receives."""

import pytest

from recon_core.explain.effects.fees import fee_model, fee_models
from recon_core.explain.effects.postings import bookings_of
from recon_core.model import OrderSide
from tests.explain.problems import prover_of
from tests.trials.bases import Evidence, base_session
from tests.trials.drawing import Wanted, drawn
from tests.trials.outcomes import answered
from tests.trials.scoring import Score


def test_each_side_in_what_it_receives() -> None:
    """BUY is charged in the base currency, SELL in the quote, both at one rate."""
    base = base_session("made_base_fees", Evidence.STATES)
    prover = prover_of(base.recorded)
    postings = bookings_of(prover.recorded, prover.dimensions)
    fills = [fill for fill in base.fills if fill.symbol == base.fills[0].symbol]
    instrument = base.recorded.instruments[fills[0].symbol]
    assert fee_model(postings, fills) is None
    models = fee_models(postings, fills)
    buy, sell = models[OrderSide.BUY], models[OrderSide.SELL]
    assert buy is not None
    assert sell is not None
    assert (buy.currency, buy.in_base) == (instrument.base, True)
    assert (sell.currency, sell.in_base) == (instrument.quote, False)
    assert buy.rates == sell.rates


def test_both_sides_alike() -> None:
    """Where one rule charges all fills, it is that of either side."""
    base = base_session("spot_btcusdt_cash", Evidence.STATES)
    prover = prover_of(base.recorded)
    postings = bookings_of(prover.recorded, prover.dimensions)
    whole = fee_model(postings, base.fills)
    assert whole is not None
    assert fee_models(postings, base.fills) == dict.fromkeys(OrderSide, whole)


@pytest.mark.parametrize("seed", [25, 34])
def test_a_fill_is_told_by_the_fee_of_its_side(seed: int) -> None:
    """A missing fill, and a quantity that is a part of the right one."""
    trial = drawn(seed, Wanted(name="made_base_fees"))
    assert trial is not None
    assert answered(trial).score is Score.RIGHT
