"""How fills are charged: all alike, or each side in what it receives."""

import pytest

from recon_core.engine.reconciliation import Reconciliation
from recon_core.explain import explain
from recon_core.explain.problem.fee_schedule import fee_model, fee_models
from recon_core.explain.problem.postings import postings_of
from recon_core.model import OrderSide
from recon_core.model.explanation import ExplanationVerdict
from recon_core.policy.model import Policy
from tests.explain.problems import prover_of
from tests.explain.session_changes import FaultySession, causes_of, faulty_sessions
from tests.trials.bases import Evidence, base_session

FAULTS = faulty_sessions("sides of fees")


def test_each_side_in_what_it_receives() -> None:
    """BUY is charged in the base currency, SELL in the quote, both at one rate."""
    base = base_session("made_base_fees", Evidence.STATES)
    prover = prover_of(base.recorded)
    postings = postings_of(prover.recorded, prover.dimensions, base.book)
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
    postings = postings_of(prover.recorded, prover.dimensions, base.book)
    whole = fee_model(postings, base.fills)
    assert whole is not None
    assert fee_models(postings, base.fills) == dict.fromkeys(OrderSide, whole)


@pytest.mark.parametrize("session", FAULTS.values(), ids=FAULTS)
def test_a_fill_is_known_by_the_fee_of_its_side(session: FaultySession) -> None:
    """A missing fill, and a quantity that is a part of the right one."""
    (found,) = explain(Reconciliation(session.recorded, Policy()))
    assert found.verdict is ExplanationVerdict.UNIQUE
    assert causes_of(found) == session.causes
