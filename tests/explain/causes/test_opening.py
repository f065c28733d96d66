"""A side that began with another balance, shown by both openings or by a first snapshot."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest

from recon_core.engine.reconciliation import Reconciliation
from recon_core.explain import explain
from recon_core.explain.causes.opening import opening_differences
from recon_core.explain.problem.problems import problem_of
from recon_core.model import CashBalance, LedgerSide, Numbers, Opening, SideRecord
from recon_core.model.explanation import Effect, Explanation
from tests.core.builders import at, fill, recorded, scaled
from tests.explain.problems import prover_of
from tests.explain.real_sessions import books, linear, moved, session, silent
from tests.explain.spot_ledgers import ROWS, Rows, exchange, ledger_of, require_repaired, without

EARLY, LATER = -950, (-750, -450)
"""A time before the first row, and two after it."""
TOO_MUCH = "1000123.45"
PERP = linear("BTC-PERP", "EUR")


def told(internal: SideRecord, external: SideRecord) -> tuple[Explanation, ...]:
    """What is said of a session with a contract besides."""
    return explain(session(internal, external, PERP))


def claims(found: Sequence[Explanation]) -> bool:
    """Whether an opening is named as the one cause."""
    kinds = [str(cause.cause_kind) for one in found for cause in one.causes]
    return kinds == ["opening_balance"] and str(found[0].verdict) == "unique"


def is_either(found: Sequence[Explanation]) -> bool:
    """Whether an opening and a movement after it are named, and neither is proven."""
    told = [(str(one.verdict), str(one.causes[0].cause_kind), one.repair) for one in found]
    return told == [("ambiguous", "opening_balance", ()), ("ambiguous", "missing_movement", ())]


def with_opening(record: SideRecord, cash: str, seconds: float = -86400) -> SideRecord:
    """A side that says what it began with besides its state."""
    balance = CashBalance("EUR", scaled(int(cash), 0))
    return replace(record, opening=Opening(at(seconds), (), (balance,)))


def contracts() -> Rows:
    """Fills of a contract that is closed again."""
    more = {"symbol": PERP.symbol}
    return [
        fill("p1", "BUY", "2", "100", "0.2 EUR", time=at(-900), **more),
        fill("p2", "SELL", "2", "103", "0.2 EUR", time=at(-500), **more),
    ]


def of_contracts(opening: str) -> SideRecord:
    """A ledger with them."""
    return books(*contracts(), opening={"EUR": opening})


SHOWN: dict[str, tuple[SideRecord, SideRecord]] = {
    "a snapshot before the first row": (
        ledger_of(ROWS, opening=TOO_MUCH), exchange(ROWS, (EARLY,)),
    ),
    "a snapshot of the opening's time": (
        ledger_of(ROWS, opening=TOO_MUCH), exchange(ROWS, (-86400,)),
    ),
    "and others": (ledger_of(ROWS, opening=TOO_MUCH), exchange(ROWS, (EARLY, *LATER))),
    "snapshots of its own follow": (
        ledger_of(ROWS, (EARLY, *LATER), TOO_MUCH), exchange(ROWS, (EARLY, *LATER)),
    ),
    "both openings": (
        ledger_of(ROWS, opening=TOO_MUCH), with_opening(exchange(ROWS), "1000000"),
    ),
    "openings of two times": (
        ledger_of(ROWS, opening=TOO_MUCH), with_opening(exchange(ROWS), "1000000", EARLY),
    ),
    "contracts": (
        of_contracts(TOO_MUCH),
        with_opening(silent(of_contracts("1000000"), PERP), "1000000"),
    ),
}  # fmt: skip


MOVED_SINCE = {
    "a snapshot before the first row",
    "and others",
    "snapshots of its own follow",
    "openings of two times",
}
"""Where what shows it is later than the opening: a movement before that time may be missing."""


@pytest.mark.parametrize("name", SHOWN)
def test_it_is_the_opening(name: str) -> None:
    """By as much as at first and at the end; its opening is what is to be corrected."""
    before = session(*SHOWN[name], PERP)
    found = explain(before)
    effect = Effect(cash={"EUR": scaled(12345, 2)})
    assert all(one.causes[0].effect == effect for one in found)
    if name in MOVED_SINCE:
        assert is_either(found), found[0].text
        return
    (one,) = found
    assert claims([one]), one.text
    (booking,) = one.repair
    assert (booking.action, Decimal(booking.row["amount"])) == (
        "adjust_opening", scaled(-12345, 2),
    )  # fmt: skip
    assert require_repaired(before, one).diffs == []


@pytest.mark.parametrize("name", ["a snapshot before the first row", "both openings"])
def test_dust_of_floats_hides_no_opening(name: str) -> None:
    """The balances at the end differ by the opening and by the dust of all sums."""
    ledger, outer = SHOWN[name]
    cash = [replace(row, total=row.total + Decimal("0.0000000003")) for row in outer.cash or ()]
    dusty = replace(outer, cash=tuple(cash), numbers=Numbers.FLOAT)
    found = told(ledger, dusty)
    assert is_either(found) if name in MOVED_SINCE else claims(found)


def test_of_several_balances() -> None:
    """All that differs, and nothing besides."""
    internal = books(*ROWS, opening={"EUR": TOO_MUCH, "USDT": "7"})
    external = exchange(ROWS, (EARLY,))
    states = (*(external.cash or ()), CashBalance("USDT", scaled(5, 0)))
    first = replace((external.snapshots or ())[0], cash=(
        CashBalance("EUR", scaled(1000000, 0)), CashBalance("USDT", scaled(5, 0)),
    ))  # fmt: skip
    found = told(internal, replace(external, cash=states, snapshots=(first,)))
    assert is_either(found), found[0].text
    for one in found:
        assert one.causes[0].effect.cash == {"EUR": scaled(12345, 2), "USDT": scaled(2, 0)}
    then = "2026-01-01T11:44:10Z"
    lacking = f"2 rows (transfer (-123.45 EUR, {then}), transfer (-2 USDT, {then}))"
    assert [one.causes[0].text for one in found] == [
        "the internal side has a wrong opening balance of EUR, USDT",
        f"the internal side has not booked {lacking}",
    ]
    assert found[0].decides == "the movements of both sides before " + then


def test_a_ledger_without_rows_began_with_another_balance() -> None:
    """The exchange gives the rows, the ledger its states."""
    internal, external = exchange(ROWS, (EARLY, *LATER), TOO_MUCH), ledger_of(ROWS)
    before = session(internal, external)
    (one,) = explain(before)
    assert claims([one]), one.text
    assert str(one.side) == "internal"
    assert [each.action for each in one.repair] == ["adjust_cash"]


def without_positions(record: SideRecord) -> SideRecord:
    """A side whose snapshots are of its balances alone."""
    told = tuple(replace(one, positions=None) for one in record.snapshots or ())
    return replace(record, snapshots=told)


MOVED = moved("m1", "deposit", "-123.45 EUR", -905)

UNSHOWN: dict[str, Reconciliation] = {
    "nothing of before": session(ledger_of(ROWS, opening=TOO_MUCH), exchange(ROWS)),
    "a snapshot after the first row": session(
        ledger_of(ROWS, opening=TOO_MUCH), exchange(ROWS, LATER)
    ),
    "at first they agree": session(
        ledger_of(ROWS), exchange([MOVED, *ROWS], (EARLY, *LATER))
    ),
    "at first by another amount": session(
        ledger_of(ROWS, opening="1000100"), exchange([MOVED, *ROWS], (EARLY, *LATER))
    ),
    "the openings by another amount": session(
        ledger_of(ROWS, opening=TOO_MUCH), with_opening(exchange(ROWS), "1000001")
    ),
    "a row between the openings": session(
        ledger_of(ROWS, opening=TOO_MUCH), with_opening(exchange(ROWS), "1000000", -850)
    ),
    "the first fill is lost": session(ledger_of(without("f1")), exchange(ROWS, (-850,))),
    "no positions at first": session(
        ledger_of(ROWS, opening=TOO_MUCH), without_positions(exchange(ROWS, (EARLY,)))
    ),
    "a fill is lost besides": session(
        ledger_of(without("f2"), opening=TOO_MUCH), exchange(ROWS, (EARLY,))
    ),
    "no row at all": session(ledger_of([], opening=TOO_MUCH), exchange([], (EARLY,))),
}  # fmt: skip


@pytest.mark.parametrize("name", UNSHOWN)
def test_nothing_is_claimed_without_it(name: str) -> None:
    """Another time or another amount is another cause, or none that is shown."""
    assert not claims(explain(UNSHOWN[name]))


def test_openings_that_differ_in_several_figures() -> None:
    """In the order of their names, each on top of the previous; equal ones are none."""
    amounts = (
        {"USD": 3, "EUR": 1, "BTC": 2, "GBP": 4}, {"EUR": 5, "ETH": 6, "BTC": 2, "USD": 7},
    )  # fmt: skip
    first, second = (
        books(opening={name: str(amount) for name, amount in each.items()}) for each in amounts
    )
    prover, inner = prover_of(recorded(first, second)), LedgerSide.INTERNAL
    problem = problem_of(prover.recorded, prover.dimensions, inner, inner, rows_right=False)
    assert problem is not None
    found = list(opening_differences(problem, second))
    assert [one.detail for one in found] == ["ETH", "EUR", "GBP", "USD"]
    last = found[-1].patch.opening
    assert last is not None
    assert {row.currency: row.total for row in last.cash if row.total} == amounts[1]
    assert [one.patch.old_opening for one in found[1:]] == [one.patch.opening for one in found[:-1]]
