"""Where amounts are missing or rounded an explanation says so, and never claims what is not so."""

from dataclasses import dataclass, replace
from decimal import Decimal

import pytest
from hypothesis import assume, event, given
from hypothesis import strategies as st

from recon_core.engine.reconciliation import Reconciliation
from recon_core.explain import explain
from recon_core.explain.answers.residuals import RoundedCash, rounded_cash
from recon_core.ledger.replay import replay
from recon_core.model import CashBalance, LedgerSide, OrderSide, SideRecord
from recon_core.model.explanation import Explanation
from recon_core.values.amounts import round_to_places
from tests.core.builders import SPOT, at, fill, recorded, scaled, side
from tests.explain.problems import prover_of
from tests.explain.real_sessions import books, session
from tests.explain.slips import SLIPS, Rows, Slip

RATE = Decimal("0.001")
CENTS = 2


@st.composite
def trades(draw: st.DrawFn) -> Rows:
    """A few spot trades of different times, their fees at one rate."""
    rows = []
    for number in range(draw(st.integers(1, 6))):
        quantity = scaled(draw(st.integers(1, 10**5)), 4)
        price = scaled(draw(st.integers(10**4, 10**5)), 2)
        row = fill(
            f"f{number}",
            draw(st.sampled_from(["BUY", "SELL"])),
            str(quantity),
            str(price),
            f"{quantity * price * RATE} EUR",
            time=at(-3600 + 60 * number),
            client_order_id=draw(st.sampled_from([f"o{number}", "o"])),
        )
        rows.append(row)
    return rows


@dataclass(frozen=True)
class Trial:
    """A fault in a ledger: what it states too much, and the sides before they lose anything."""

    slip: Slip
    internal: SideRecord
    external: SideRecord
    effect: dict[str, Decimal]


def _state(rows: Rows) -> tuple[SideRecord, dict[str, Decimal]]:
    record = books(*rows)
    ledger = replay(recorded(record, None, instruments={SPOT.symbol: SPOT}), record)
    found = {row.symbol: row.quantity for row in ledger.positions}
    found |= {row.currency: row.total for row in ledger.cash}
    return side(ledger.positions, ledger.cash), found


@st.composite
def trials(draw: st.DrawFn) -> Trial:
    """The fault in the ledger's rows, or in its state while the exchange gives the rows."""
    rows = draw(trades())
    slip = SLIPS[draw(st.sampled_from(sorted(SLIPS)))]
    wrong = slip.applied(rows, draw(st.integers(0, len(rows) - 1)))
    (right_state, right), (wrong_state, booked) = _state(rows), _state(wrong)
    names = right.keys() | booked.keys()
    effect = {name: booked.get(name, Decimal(0)) - right.get(name, Decimal(0)) for name in names}
    if draw(st.booleans()):
        return Trial(slip, books(*wrong), right_state, effect)
    return Trial(slip, wrong_state, books(*rows), effect)


def without_cash(trial: Trial) -> Reconciliation:
    """Both sides state positions alone."""
    return session(_positions_only(trial.internal), _positions_only(trial.external))


def _positions_only(record: SideRecord) -> SideRecord:
    return record if record.opening is not None else replace(record, cash=None)


def in_cents(trial: Trial) -> Reconciliation:
    """The side without rows states its EUR in cents."""
    return session(_rounded(trial.internal), _rounded(trial.external))


def _rounded(record: SideRecord) -> SideRecord:
    cash = tuple(map(_balance_in_cents, record.cash or ()))
    return record if record.opening is not None else replace(record, cash=cash)


def _balance_in_cents(row: CashBalance) -> CashBalance:
    return replace(row, total=round_to_places(row.total, CENTS)) if row.currency == "EUR" else row


def is_right(trial: Trial, one: Explanation, compared: set[str]) -> bool:
    """Whether what is claimed is the fault, with its amounts where they are compared."""
    if len(one.causes) != 1 or one.causes[0].cause_kind not in trial.slip.kinds:
        return False
    cause = one.causes[0]
    amounts = {**cause.effect.position, **cause.effect.cash}
    return all(amounts.get(name, 0) == trial.effect.get(name, 0) for name in compared)


def orders_have_one_side(record: SideRecord) -> bool:
    """Whether no order both buys and sells, which would show that one of its fills is turned."""
    sides: dict[str, set[OrderSide]] = {}
    for row in record.fills or ():
        sides.setdefault(row.order_id or row.fill_id, set()).add(row.side)
    return all(len(each) == 1 for each in sides.values())


@given(trials())
def test_positions_alone(trial: Trial) -> None:
    """Without cash no row is proven, unless the rows themselves show a duplicate, or a flip."""
    assume("side_flipped" in trial.slip.kinds or orders_have_one_side(trial.internal))
    found = explain(without_cash(trial))
    assert bool(found) == bool(trial.effect[SPOT.symbol])
    for one in found:
        event(one.verdict)
        if one.verdict == "unique":
            assert is_right(trial, one, {SPOT.symbol})
        else:
            assert one.verdict in {"ambiguous", "partial", "unexplained"}
            # Rows from a time on that a state lacks are decided by the rows of that side.
            is_span = one.causes and one.causes[0].cause_kind == "as_of_shift"
            words = ("cash", "at a later time", *(("the fills of",) if is_span else ()))
            assert any(word in one.decides for word in words)


@pytest.mark.large
@given(trials())
def test_cash_in_cents(trial: Trial) -> None:
    """What was rounded off would have told: a cause that fits without it is not proven."""
    exact = [trial.internal, trial.external]
    assume(any(_rounded(record) != record for record in exact))
    reconciliation = in_cents(trial)
    found = explain(reconciliation)
    assert bool(found) == bool(reconciliation.diffs)
    for one in found:
        event(one.verdict)
        kinds = [cause.cause_kind for cause in one.causes]
        if one.verdict == "unique":
            assert kinds == ["rounding"] or is_right(trial, one, {SPOT.symbol, "EUR"})
        else:
            assert one.verdict in {"ambiguous", "partial", "unexplained"}
            assert "digits" in one.decides or "fills" in one.decides


FAULTS = [name for name in SLIPS if name not in {"missing", "another quantity"}]
ROWS = [
    fill("f0", "BUY", "1.2345", "412.37", "0.509070765 EUR", time=at(-300), client_order_id="o0"),
    fill("f1", "BUY", "0.7213", "431.91", "0.311536683 EUR", time=at(-200), client_order_id="o1"),
    fill("f2", "SELL", "0.3171", "428.53", "0.135886863 EUR", time=at(-100), client_order_id="o2"),
]


@pytest.mark.parametrize("name", FAULTS)
def test_found_within_the_rounding(name: str) -> None:
    """The fault is among what fits, with what the cents leave; the digits are asked for."""
    slip = SLIPS[name]
    wrong = slip.applied(ROWS, 1)
    (state, right), (_, booked) = _state(ROWS), _state(wrong)
    trial = Trial(slip, books(*wrong), state, {key: booked[key] - right[key] for key in right})
    found = explain(in_cents(trial))
    (true,) = (one for one in found if is_right(trial, one, {SPOT.symbol, "EUR"}))
    assert true.verdict == ("ambiguous" if len(found) > 1 else "partial")
    left = true.residual.cash["EUR"]
    assert left == right["EUR"] - round_to_places(right["EUR"], CENTS)
    assert "cash::EUR" in true.explains
    assert true.decides == "the digits that the external side cut off its cash EUR"
    assert not true.repair


def test_a_figure_cut_off_beside_another_fault() -> None:
    """One figure at fewer decimals fits one amount in ten: beside another fault it is no proof."""
    row = fill("f0", "BUY", "0.0001", "100.00", "0.00001 EUR", time=at(-3600))
    internal = side({"BTC/EUR": "0.0010"}, {"EUR": "999999.90", "BTC": "0.0010"})
    found = explain(session(internal, books(row)))
    assert found
    assert "unique" not in [one.verdict for one in found]


@pytest.mark.parametrize(
    ("inner", "outer", "side_", "half"),
    [
        ("5.123", "5.1", LedgerSide.EXTERNAL, "0.05"), ("5", "5.123", LedgerSide.INTERNAL, "0.5"),
        ("5.12", "5.125", LedgerSide.INTERNAL, "0.005"), ("5.1", "5.2", None, ""),
    ],
)  # fmt: skip
def test_half_a_unit_of_a_rounded_balance(
    inner: str, outer: str, side_: LedgerSide | None, half: str
) -> None:
    """Of the last digit of the side that states fewer."""
    found = rounded_cash(prover_of(recorded(side((), {"EUR": inner}), side((), {"EUR": outer}))))
    given = None if side_ is None else RoundedCash(side_, {"cash::EUR": Decimal(half)})
    assert found == given


def test_three_rounded_balances_are_named() -> None:
    """The first of them, in alphabetical order."""
    halves = {f"cash::{name}": Decimal("0.5") for name in ("D", "B", "A", "C")}
    words = "the digits that the external side cut off its cash A, B, C"
    assert RoundedCash(LedgerSide.EXTERNAL, halves).digits == words
