"""Answers with one figure as evidence, or that fit by chance: each is named, and none is unique.

The sessions are shortened from sessions with known faults; each was once called unique, and what
is true of it is said beside it.
"""

import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from recon_core.engine.reconciliation import Reconciliation, reconcile_session
from recon_core.explain import entries_of, explain
from recon_core.explain.causes.strengths import is_far_larger, may_be_unique, of_one_amount
from recon_core.explain.problem.figures import common_lot, units_of
from recon_core.explain.problem.hypotheses import Strength
from recon_core.model import SideRecord
from recon_core.model.explanation import CauseKind, ExplanationVerdict
from recon_core.values.errors import ReconError
from tests.core.builders import SPOT, side
from tests.explain.real_sessions import books, moved, session, silent
from tests.explain.slips import Rows
from tests.explain.test_lost_digits import trades

SESSIONS = json.loads((Path(__file__).parents[1] / "data/explain/one_figure.json").read_text())
IN, OUT = "internal", "external"
Answer = tuple[str, list[str]]
EARLIER = moved("m0", "deposit", "3.19 EUR", -90)
LATER = moved("m2", "deposit", "7.13 EUR", -30)

BY_CHANCE: dict[str, list[Answer]] = {
    # A position that is wrong by any amount.
    "shares_or_split": [(IN, ["split"])],
    "contracts_or_split": [(OUT, ["split"])],
    "shares_or_unit": [(OUT, ["unit"])],
    "position_or_cut_digits": [(OUT, ["rounding"])],
    "coins_or_rounded_down": [(OUT, ["rounding"])],
    "contracts_or_rounded_up": [
        (OUT, ["rounding"]), (IN, ["wrong_quantity"]), (IN, ["wrong_quantity"]),
    ],
    # One fill of 503 is of 500.
    "contracts_or_rounded": [(OUT, ["rounding"]), (IN, ["wrong_quantity"])],
    # Two fills of an order whose cumulative quantities were booked.
    "cumulative_or_split": [(IN, ["split"]), (IN, ["cumulative_quantity"])],
    # The opening of the ledger lacks the coin that is held.
    "holding_counted_again": [(OUT, ["balance_kind"])],
    # A movement of as much is missing, or one was booked in part.
    "equal_deposit": [
        (IN, ["foreign_activity"]), (OUT, ["as_of_shift"]), (IN, ["opening_balance"]),
    ],
    "equal_deposit_of_coins": [(IN, ["foreign_activity"])],
    "equal_withdrawal": [(IN, ["foreign_activity"]), (OUT, ["as_of_shift"])],
    "two_fundings": [
        (IN, ["foreign_activity", "foreign_activity"]),
        ("None", ["foreign_activity", "stale_side"]),
        (IN, ["foreign_activity", "opening_balance"]),
    ],
    "deposit_and_withdrawal": [
        (IN, ["foreign_activity", "foreign_activity"]),
        ("None", ["foreign_activity", "stale_side"]),
    ],
    # Cumulative quantities, and a fee that is missing.
    "fee_movement_and_quantity": [
        (IN, ["foreign_activity", "wrong_quantity"]), ("None", ["wrong_quantity", "stale_side"]),
    ],
    # One fill is missing.
    "fee_signs_and_quantity": [
        (IN, ["fee_sign", "wrong_quantity"]), (IN, ["fee_sign", "missing_fill"]),
    ],
    # A fee with its number in another currency, and another balance that is wrong by any amount.
    "third_currency_and_random_cash": [(IN, ["fee_currency"])],
    # A price of ten times, and another fill of the order is missing.
    "price_and_larger_fill": [(IN, ["wrong_quantity", "wrong_price"])],
    # The order has one fill, of twice the quantity.
    "half_of_an_order": [(IN, ["missing_fill"])],
    "fill_or_larger_fill": [(IN, ["wrong_quantity"]), (IN, ["missing_fill"])],
    "which_fill_of_an_order": [(IN, ["wrong_quantity"]), (IN, ["wrong_quantity"])],
    # A fill is missing; its fee is as much as the other price of the larger fill earns.
    "average_against_quantity": [(IN, ["wrong_quantity"]), (IN, ["missing_fill"])],
    # One fill of 0.2 is of 0.1; the report gives the side of the order that was flipped against it.
    "flip_against_its_order": [(IN, ["side_flipped"]), (IN, ["wrong_quantity"])],
    # Ten times the multiplier; nothing shows the quantities, and the position is closed.
    "multiplier_of_closed_contracts": [(IN, ["multiplier"]), (IN, ["unit"])],
    # 10 came in, 12 went out, nothing is left: two large causes that cancel are no answer.
    "causes_that_cancel": [(OUT, ["clipped_balance"])],
    "zero_of_an_exchange": [(OUT, ["clipped_balance"])],
}  # fmt: skip
PROVEN: dict[str, Answer] = {
    "multiplier_of_open_contracts": (IN, ["multiplier"]),
    "multiplier_and_orders": (IN, ["multiplier"]),
    "multiplier_and_rows": (IN, ["multiplier"]),
    "multiplier_counted_by_a_ledger": (IN, ["multiplier"]),
    "clipped_balance": (IN, ["clipped_balance"]),
    "clipped_by_the_exchange": (OUT, ["clipped_balance"]),
}
CONVENTIONS = {
    CauseKind.SPLIT,
    CauseKind.UNIT,
    CauseKind.ROUNDING,
    CauseKind.SIGN_CONVENTION,
    CauseKind.BALANCE_KIND,
}


def of_file(directory: Path, name: str) -> Reconciliation:
    """One of the sessions, read as users give it."""
    path = directory / f"{name}.recon.json"
    path.write_text(json.dumps(SESSIONS[name]))
    return reconcile_session(path)


def test_every_session_has_its_answer() -> None:
    """None of the file is left out."""
    assert SESSIONS.keys() == {*BY_CHANCE, *PROVEN}


@pytest.mark.parametrize("name", BY_CHANCE)
def test_what_fits_by_chance_is_ambiguous(name: str, tmp_path: Path) -> None:
    """It is named with the alternatives that fit, and with what would decide."""
    found = explain(of_file(tmp_path, name))
    assert {one.verdict for one in found} == {ExplanationVerdict.AMBIGUOUS}
    assert [
        (str(one.side), [str(cause.cause_kind) for cause in one.causes]) for one in found
    ] == BY_CHANCE[name]
    assert all(one.decides and not one.repair for one in found)


@pytest.mark.parametrize("name", PROVEN)
def test_what_rows_or_figures_show_is_unique(name: str, tmp_path: Path) -> None:
    """A second witness makes it an answer."""
    (one,) = explain(of_file(tmp_path, name))
    assert one.verdict is ExplanationVerdict.UNIQUE
    assert (str(one.side), [str(cause.cause_kind) for cause in one.causes]) == PROVEN[name]


def test_no_entry_repairs_a_multiplier(tmp_path: Path) -> None:
    """Its text names both sizes of the contract; a booking would only hide the declaration."""
    before = of_file(tmp_path, "multiplier_of_open_contracts")
    (one,) = explain(before)
    assert one.text.endswith("counts with the multiplier 0.002 of XRPUSD (it is 0.0002)")
    with pytest.raises(ReconError, match="no booking repairs it"):
        entries_of(before, one)


def test_a_clipped_balance_is_stated_in_full(tmp_path: Path) -> None:
    """The entry gives the negative amount."""
    before = of_file(tmp_path, "clipped_balance")
    (one,) = explain(before)
    (entry,) = entries_of(before, one)
    assert (entry.action, entry.row["corrected"]) == ("adjust_cash", "-25.5254")


@pytest.mark.large
@given(trades(), st.data())
def test_an_error_of_one_figure_is_no_convention(rows: Rows, data: st.DataObject) -> None:
    """Whatever the error is, a figure that nothing else supports is not called proof."""
    ledger = books(*rows)
    external = silent(ledger, SPOT)
    digits = data.draw(st.integers(1, 10**6), label="units of the error")
    sign = data.draw(st.sampled_from((-1, 1)))
    error = sign * Decimal(digits).scaleb(-data.draw(st.integers(0, 8), label="decimals"))
    wrong = _with_error(external, error, data.draw(st.integers(0, 2)))
    found = explain(session(ledger, wrong, SPOT))
    for one in found:
        kinds = {cause.cause_kind for cause in one.causes}
        if one.verdict is ExplanationVerdict.UNIQUE:
            assert not kinds & CONVENTIONS, one.text


def _with_error(record: SideRecord, error: Decimal, at_figure: int) -> SideRecord:
    """The state with an error in one of its figures."""
    held = {row.symbol: row.quantity for row in record.positions or ()}
    cash = {row.currency: row.total for row in record.cash or ()}
    figures = held if at_figure == 0 and held else cash
    name = sorted(figures)[at_figure % len(figures)]
    figures[name] += error
    return side(
        {symbol: str(quantity) for symbol, quantity in held.items()},
        {currency: str(total) for currency, total in cash.items()},
    )


@pytest.mark.parametrize("amount", ["5000", "-250", "10.5", "1250"])
def test_a_round_movement_is_no_evidence_of_itself(amount: str) -> None:
    """The ledger has a deposit too many, or a withdrawal of as much is missing from it."""
    row = moved("m1", "withdrawal" if amount.startswith("-") else "deposit", f"{amount} EUR", -60)
    (one,) = explain(session(books(EARLIER, row, LATER), silent(books(EARLIER, LATER), SPOT), SPOT))
    assert one.verdict is ExplanationVerdict.AMBIGUOUS
    assert one.decides == "the movements of the external side"


@given(st.integers(10**4, 10**7))
def test_an_unusual_movement_is_its_own_evidence(cents: int) -> None:
    """An amount of many digits that is that of a row is no coincidence."""
    assume(cents % 10)
    row = moved("m1", "deposit", f"{Decimal(cents) / 100} EUR", -60)
    (one,) = explain(session(books(EARLIER, row, LATER), silent(books(EARLIER, LATER), SPOT), SPOT))
    assert one.verdict is ExplanationVerdict.UNIQUE


def test_the_newest_movement_may_be_on_its_way() -> None:
    """The exchange may be behind by it, whatever its amount is."""
    row = moved("m1", "deposit", "1234.56 EUR", -60)
    found = explain(session(books(EARLIER, row), silent(books(EARLIER), SPOT), SPOT))
    assert [(str(one.side), str(one.verdict)) for one in found] == [
        ("internal", "ambiguous"), ("external", "ambiguous"),
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ["funding", "interest"])
def test_a_payment_that_recurs_is_no_evidence_of_itself(kind: str) -> None:
    """The next payment, of the same amount with the other sign, may be missing."""
    row = moved("m1", kind, "-1.09207514 EUR", -60)
    (one,) = explain(session(books(EARLIER, row, LATER), silent(books(EARLIER, LATER), SPOT), SPOT))
    assert one.verdict is ExplanationVerdict.AMBIGUOUS


UNITS = [
    ("500", "0", 5),
    ("0.123", "0", 123),
    ("-1.50", "0", 15),
    ("0", "0", 0),
    ("0.123458", "0.061729", 2),
    ("232", "100", 58),
    ("300", "100", 3),
    ("1000", "0.01", 1),
]


@pytest.mark.parametrize(("amount", "lot", "units"), UNITS)
def test_units_are_of_digits_or_of_lots(amount: str, lot: str, units: int) -> None:
    """The larger unit counts, and a lot of which the amount is no multiple is a smaller one."""
    assert units_of(Decimal(amount), Decimal(lot)) == units


@given(st.lists(st.integers(-(10**6), 10**6)), st.integers(-8, 4))
def test_a_common_lot_divides_every_amount(numbers: list[int], exponent: int) -> None:
    """It is the largest amount that does."""
    amounts = [Decimal(number).scaleb(exponent) for number in numbers]
    lot = common_lot(amounts)
    assert bool(lot) == any(numbers)
    assert all(not amount % lot for amount in amounts if lot)


@pytest.mark.parametrize(
    ("amount", "forms", "strength"),
    [
        ("19", 1, Strength.CHANCE),
        ("21", 1, Strength.EXACT),
        ("0.0719", 36, Strength.CHANCE),
        ("0.0721", 36, Strength.EXACT),
    ],
)
def test_forms_ask_for_units(amount: str, forms: int, strength: Strength) -> None:
    """The more forms a cause may fit in, the more units its one amount has to have."""
    assert of_one_amount(Decimal(amount), forms) is strength
    assert may_be_unique(strength) is (strength is Strength.EXACT)


@pytest.mark.parametrize(
    ("effects", "total", "is_absurd"),
    [
        ([{"cash::A": "12"}, {"cash::A": "-10"}], {"cash::A": "2"}, True),
        ([{"cash::A": "2"}], {"cash::A": "2"}, False),
        ([{"cash::A": "5"}, {"cash::A": "-3"}], {"cash::A": "2"}, False),
        ([{"cash::A": "12.34"}, {"cash::A": "-10.01"}], {"cash::A": "2.33"}, False),
    ],
)
def test_causes_that_cancel(
    effects: list[dict[str, str]], total: dict[str, str], *, is_absurd: bool
) -> None:
    """Far more than they explain, of which a few units remain."""
    assert is_far_larger(list(map(_amounts, effects)), _amounts(total)) is is_absurd


def _amounts(texts: dict[str, str]) -> dict[str, Decimal]:
    return {name: Decimal(text) for name, text in texts.items()}
