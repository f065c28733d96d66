"""The list of causes: a family is one file and one row, and every kind has its family."""

from decimal import Decimal
from itertools import chain

import pytest

from recon_core.engine.reconciliation import Reconciliation
from recon_core.explain import causes, explain
from recon_core.model.explanation import CauseKind
from tests.core.builders import SPOT, fill, reconciled, side

from . import late_fee


def late_fee_session() -> Reconciliation:
    """A ledger of two fills without fees, and an exchange that has 7.77 EUR less."""
    fills = (fill("f1", "BUY", "0.01", "50000"), fill("f2", "SELL", "0.004", "51000"))
    ledger = side({"BTC/EUR": "0.006"}, {"EUR": "704", "BTC": "0.006"}, fills=fills)
    exchange = side({"BTC/EUR": "0.006"}, {"EUR": "696.23", "BTC": "0.006"})
    return reconciled(ledger, exchange, instruments={SPOT.symbol: SPOT})


def test_a_cause_is_one_file_and_one_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """With its row the toy cause is proposed, proven and told; without it, it is not."""
    assert "late_fee" not in str([one.to_dict() for one in explain(late_fee_session())])
    monkeypatch.setattr(causes, "CAUSES", (*causes.CAUSES, late_fee.FAMILY))
    found = explain(late_fee_session())
    assert found
    (cause,) = found[0].causes
    assert cause.cause_kind == "late_fee"
    assert cause.effect.cash == {"EUR": Decimal("7.77")}
    assert "the internal side has not booked the late fee of fill f" in cause.text
    assert "reconciled again" in found[0].proof


def test_every_kind_has_one_family() -> None:
    """A kind belongs to the one family that has its sentence."""
    kinds = sorted(chain.from_iterable(family.sentences for family in causes.CAUSES))
    assert kinds == sorted(CauseKind)


@pytest.mark.parametrize("kind", CauseKind)
def test_a_kind_is_found_by_its_family(kind: CauseKind) -> None:
    """The family of a kind says its sentence."""
    assert kind in causes.family_of(kind).sentences


def test_operators_have_names_of_their_own() -> None:
    """A look-up by name finds one operator."""
    names = [operator.name for family in causes.CAUSES for operator in family.operators]
    assert len(set(names)) == len(names)
