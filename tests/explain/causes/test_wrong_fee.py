"""Fee schedules as venues publish them, and the one fee, or fill, that is off the schedule."""

from collections.abc import Callable
from dataclasses import replace
from decimal import ROUND_HALF_EVEN, Decimal

import pytest

from recon_core.explain import explain
from recon_core.explain.problem.rows import Rows
from recon_core.model import Fill, Instrument, OrderSide
from recon_core.model.explanation import ExplanationVerdict
from tests.explain.charges import (
    LINEAR,
    SPOT,
    Charge,
    changed,
    in_quote,
    in_tiers,
    kinds,
    require_told,
    rounded,
    rows_of,
    session,
)


def with_fixed_part(fixed: str, rate: str) -> Charge:
    """A fixed amount and a share of what was traded."""
    return lambda _, quantity, price: (
        rounded(Decimal(fixed) + Decimal(rate) * quantity * price), "USDT",
    )  # fmt: skip


def flat(fee: str, currency: str) -> Charge:
    """The same amount for every fill."""
    return lambda *_: (Decimal(fee), currency)


def in_cents(rate: str) -> Charge:
    """A share of what was traded, in cents."""

    def charge(_: OrderSide, quantity: Decimal, price: Decimal) -> tuple[Decimal, str]:
        fee = Decimal(rate) * quantity * price
        return fee.quantize(Decimal("0.01"), ROUND_HALF_EVEN), "USDT"

    return charge


SCHEDULES: dict[str, Charge] = {
    "one rate": in_quote("0.001"),
    "taker and maker": in_tiers("0.0006", "0.0002"),
    "taker, and rebates of makers": in_tiers("0.0004", "-0.0001"),
    "a fixed part and a rate": with_fixed_part("1.5", "0.001"),
    "flat, in a third currency": flat("0.001234", "BNB"),
    "flat, in the quote": flat("1.00", "USDT"),
}
FAULTS: dict[str, tuple[str, Callable[[Fill], Decimal]]] = {
    "none": ("missing_fee", lambda _: Decimal(0)),
    "twice": ("duplicate_fee", lambda row: row.fee * 2),
    "turned": ("fee_sign", lambda row: -row.fee),
    "a third more": ("wrong_fee", lambda row: rounded(row.fee * Decimal("1.37"))),
    "a tenth": ("wrong_fee", lambda row: rounded(row.fee / 10)),
}
INSTRUMENTS = pytest.mark.parametrize("instrument", [SPOT, LINEAR], ids=lambda one: one.symbol)


@INSTRUMENTS
@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fee_off_the_schedule_is_named(name: str, fault: str, instrument: Instrument) -> None:
    """The schedule of the other fees gives the right one, and the books are equal with it."""
    right = rows_of(instrument, SCHEDULES[name])
    kind, fee = FAULTS[fault]
    require_told(session(right, changed(right, 11, fee=fee(right[11])), orders=False), kind, "f11")


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_lost_fill_is_charged_by_the_schedule(name: str) -> None:
    """Its price follows from the cash less the fee, fixed part included."""
    right = rows_of(SPOT, SCHEDULES[name])
    (one,) = explain(session(right, [*right[:11], *right[12:]], orders=False))
    assert kinds([one]) == [("unique", ["missing_fill"])], one.text
    lost = right[11]
    row = one.repair[0].row
    assert (Decimal(row["quantity"]), Decimal(row["price"])) == (lost.quantity, lost.price)
    assert (Decimal(row["fee"]), row["fee_currency"]) == (lost.fee, lost.fee_currency)


@INSTRUMENTS
@pytest.mark.parametrize("name", [name for name in SCHEDULES if "flat" not in name])
@pytest.mark.parametrize("share", ["0.5", "0.75", "1.5"])
def test_all_fees_in_one_proportion(name: str, share: str, instrument: Instrument) -> None:
    """A schedule changes as a whole: rebates with the rates, a fixed part with its rate."""
    right = rows_of(instrument, SCHEDULES[name])
    wrong = [replace(row, fee=rounded(row.fee * Decimal(share))) for row in right]
    (one,) = explain(session(right, wrong, orders=False))
    assert kinds([one]) == [("unique", ["fee_rate"])], one.text
    assert "instead of" in one.text


def test_twice_the_fees_may_have_been_paid_back() -> None:
    """Half of all fees in one sum has the effect of half the rate, so no rate is proven."""
    right = rows_of(SPOT, SCHEDULES["one rate"])
    wrong = [replace(row, fee=rounded(row.fee * 2)) for row in right]
    (one,) = explain(session(right, wrong, orders=False))
    assert kinds([one]) == [("ambiguous", ["fee_rate"])], one.text


def test_a_rate_that_leaves_the_fees_is_no_answer() -> None:
    """One wrong fee moves the sum of all: the rate of the others is what it was."""
    right = rows_of(SPOT, SCHEDULES["one rate"])
    (one,) = explain(session(right, changed(right, 3, fee=right[3].fee + Decimal("0.0000001"))))
    assert [cause.cause_kind for cause in one.causes] != ["fee_rate"], one.text


def test_the_text_of_a_rate_has_the_rates_of_all_fills() -> None:
    """Makers and takers were booked at two rates, and all of them are at one."""
    right, wrong = (
        rows_of(SPOT, charge) for charge in (in_quote("0.0005"), SCHEDULES["taker and maker"])
    )
    (one,) = explain(session(right, wrong, orders=False))
    assert "booked at the rates 0.0006, 0.0002 instead of the rate 0.0005" in one.text


@pytest.mark.parametrize(("rate", "is_one"), [("0.05", True), ("0.5", False), ("17.55", False)])
def test_an_absurd_rate_is_no_answer(rate: str, is_one: bool) -> None:  # noqa: FBT001
    """Nobody is charged half of what is traded: something else has that amount."""
    right, wrong = rows_of(SPOT, in_quote(rate)), rows_of(SPOT, in_quote("0.001"))
    (one,) = explain(session(right, wrong, orders=False))
    assert (kinds([one]) == [("unique", ["fee_rate"])]) is is_one, one.text


def _small(rows: list[Fill]) -> list[Fill]:
    """Fills of a tenth of the quantity: their fees are a few cents."""
    cents = in_cents("0.0004")
    return [
        replace(
            row, quantity=row.quantity / 10, fee=cents(row.side, row.quantity / 10, row.price)[0]
        )
        for row in rows
    ]


def test_fees_in_cents_have_a_rate() -> None:
    """Each fee allows many rates, all of them together one."""
    right = _small(rows_of(SPOT, in_cents("0.0004")))
    assert max(row.fee for row in right) < Decimal("0.25")
    wrong = changed(right, 11, fee=right[11].fee + Decimal("1.37"))
    (one,) = explain(session(right, wrong, orders=False, places=2))
    assert kinds([one]) == [("unique", ["wrong_fee"])], one.text
    assert "at the rate 0.0004" in one.text


def test_a_fee_of_each_order_is_not_missing_from_its_other_fills() -> None:
    """One US dollar an order is charged with its first fill; the others have no fee."""
    right = paid_by_order()
    (one,) = explain(session(right, changed(right, 10, fee=Decimal(0)), orders=False))
    assert one.verdict is ExplanationVerdict.UNIQUE, one.text
    assert (one.causes[0].cause_kind, one.causes[0].ids) == ("missing_fee", ("f10",)), one.text


def paid_by_order() -> list[Fill]:
    """Orders of two fills each, of which the first has a fee of 1 US dollar."""
    return [
        replace(row, client_order_id=f"o{at // 2}", fee=row.fee if at % 2 == 0 else Decimal(0))
        for at, row in enumerate(rows_of(SPOT, flat("1.00", "USDT")))
    ]


def test_no_order_is_looked_up_for_each_fill(monkeypatch: pytest.MonkeyPatch) -> None:
    """A look-up reads all rows: one for each fill without a fee would be quadratic."""
    asked: list[Fill] = []
    order_of = Rows.order_of

    def counted(rows: Rows, fill: Fill) -> list[Fill]:
        asked.append(fill)
        return order_of(rows, fill)

    monkeypatch.setattr(Rows, "order_of", counted)
    right = paid_by_order()
    bare = [row for row in right if not row.fee]
    explain(session(right, changed(right, 10, fee=Decimal(0)), orders=False))
    assert len(asked) * 4 < len(bare)
