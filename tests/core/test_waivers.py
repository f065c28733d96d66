"""Waivers: properties of matching and of ceilings, and findings that have no amount."""

import string
from datetime import date, timedelta
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recon_core.judging.waiving import account, amount_of, digest_of, waived, whole_account
from recon_core.model import CashBalance
from recon_core.model.comparison import Judgement, ReconDiff
from recon_core.model.waivers import WaiverState
from recon_core.policy.waivers import Waiver, Waivers, literal
from recon_core.values.amounts import format_amount
from recon_core.values.severity import JUDGED, Severity

from .builders import amounts, cash_comparison

DAY = date(2026, 11, 28)
NAMES = st.text(string.ascii_lowercase + "*?[]!-", min_size=1, max_size=6)


def waiver(**more: Any) -> Waiver:
    """A waiver of `cash::EUR` of session `day` up to 5 EUR, whose last day is `DAY`."""
    values = {"id": "w", "session": "day", "item": "cash::EUR", "owner": "o", "reason": "r"}
    return Waiver(**{**values, "expires": DAY, "max_amount": Decimal(5), **more})


def diff(severity: Severity = Severity.FAIL, **more: Any) -> ReconDiff:
    """A diff of `cash::EUR` by 5 EUR."""
    values = {"diff_id": "d", "timestamp": None, "diff_type": "CASH", "key": "EUR"}
    values |= {"description": "cash EUR", "delta": Decimal(5), "unit": "EUR"}
    return ReconDiff(**{**values, "severity": severity, **more})


def judged(found: ReconDiff, *entries: Waiver, session: str = "day") -> ReconDiff:
    """The diff after these waivers."""
    comparison = cash_comparison(CashBalance("EUR", Decimal(5)), CashBalance("EUR", Decimal(0)))
    result = waived(Judgement(comparison, found, ""), Waivers(DAY, entries), session)
    assert result.diff is not None
    return result.diff


@given(amounts(), amounts(), st.sampled_from(JUDGED), st.integers(-3, 3))
def test_nothing_above_the_ceiling_is_waived(
    delta: Decimal, ceiling: Decimal, severity: Severity, days: int
) -> None:
    """Exactly: at or under the ceiling, on its last day or before, WARN or FAIL."""
    entry = waiver(max_amount=abs(ceiling), expires=DAY + timedelta(days=days))
    found = judged(diff(severity, delta=delta), entry)
    covers = (
        severity in (Severity.WARN, Severity.FAIL)
        and days >= 0
        and delta != 0
        and abs(delta) <= abs(ceiling)
    )
    assert (found.severity is Severity.WAIVED) is covers
    assert covers or found.severity is severity
    said = "".join([found.description, *found.notes])
    assert said.startswith("cash EUR (WAIVED by w until") is covers
    assert ("waiver w does not cover it" in said) is (found.waivers != () and not covers)


@given(st.lists(st.tuples(NAMES, NAMES), max_size=6), NAMES, NAMES)
def test_the_index_finds_what_the_patterns_name(
    patterns: list[tuple[str, str]], session: str, key: str
) -> None:
    """The index answers as trying every pattern does, in the order of the files."""
    entries = tuple(
        waiver(id=f"w{number}", session=one, item=f"cash::{other}")
        for number, (one, other) in enumerate(patterns)
    )
    identity = f"cash::{key}"
    named = [
        each
        for each in entries
        if fnmatchcase(session, each.session) and fnmatchcase(identity, each.item)
    ]
    waivers = Waivers(DAY, entries)
    assert waivers.naming(session, identity) == named
    assert set(named) <= set(waivers.of_session(session))
    assert Waivers.from_dict(waivers.to_dict()).naming(session, identity) == named


@pytest.mark.large
@given(st.text(max_size=8), st.text(max_size=8))
def test_a_literal_names_itself_and_no_other(name: str, other: str) -> None:
    """Whatever signs a name has."""
    waivers = Waivers(DAY, (waiver(session=literal(name)),))
    assert bool(waivers.naming(name, "cash::EUR"))
    assert bool(waivers.naming(other, "cash::EUR")) is (name == other)


@given(amounts(), amounts())
def test_a_digest_is_of_the_finding(delta: Decimal, other: Decimal) -> None:
    """Equal figures give an equal digest, whatever zeros they have; another figure another one."""
    first, second = digest_of(diff(delta=delta)), digest_of(diff(delta=other))
    assert (first == second) is (format_amount(delta) == format_amount(other))


ROWS = {"cases": "fill_fee", "internal_fee": "1", "external_fee": "2"}
MEASURED = [
    ("a balance", {"diff_details": {"currency": "EUR"}}, "5"),
    ("no delta", {"delta": None}, None),
    ("a delta of 0", {"delta": Decimal(0)}, None),
    ("parts of a balance", {"diff_details": {"remark": "free: 1, 2"}}, None),
    ("snapshots", {"diff_details": {"snapshots": "2 of 3 snapshots"}}, None),
    ("one figure of a row", {"diff_details": ROWS}, "5"),
    ("two cases of a row", {"diff_details": {**ROWS, "cases": "fill_fee, fill_time"}}, None),
    ("two figures of a row", {"diff_details": {**ROWS, "internal_price": "7"}}, None),
    ("a state besides", {"diff_details": {**ROWS, "internal_state": "OPEN"}}, None),
    ("no figure of a row", {"diff_details": {"cases": "order_state"}}, None),
]


@pytest.mark.parametrize(("name", "more", "amount"), MEASURED, ids=lambda value: str(value)[:24])
def test_what_has_one_amount(name: str, more: dict[str, Any], amount: str | None) -> None:
    """Where more than the delta is wrong, no `max_amount` covers it, and its `finding` does."""
    found = diff(**more)
    assert amount_of(found) == (None if amount is None else Decimal(amount)), name
    generous = judged(found, waiver(max_amount=Decimal(10**9)))
    assert (generous.severity is Severity.WAIVED) is (amount is not None)
    exact = judged(found, waiver(max_amount=None, finding=digest_of(found)))
    assert exact.severity is Severity.WAIVED
    assert digest_of(exact) == digest_of(found)


def test_a_diff_crosses_a_process_with_its_waivers() -> None:
    """The waiver that covers it has id, owner, reason and expiry there."""
    found = judged(diff(), waiver(id="a", max_amount=Decimal(1)), waiver(id="b"))
    again = ReconDiff.from_dict(found.to_dict())
    assert again == found
    assert again.waiver is not None
    assert (again.waiver.id, again.waiver.owner, again.waiver.expires) == ("b", "o", DAY)
    assert [use.state for use in again.waivers] == [WaiverState.EXCEEDED, WaiverState.USED]


def test_accounts_of_sessions_make_that_of_a_run() -> None:
    """A waiver that covers one diff and not another is both; one of no session is unused."""
    entries = (
        waiver(id="wide", session="*"),
        waiver(id="day"),
        waiver(id="nowhere", session="x"),
        waiver(id="over", session="x", expires=DAY - timedelta(days=1)),
    )
    waivers = Waivers(DAY, entries)
    small, large = diff(), diff(delta=Decimal(6))
    accounts = [
        account(waivers, "day", [judged(small, *entries)]),
        account(waivers, "night", [judged(large, *entries, session="night")]),
        account(waivers, "clear", []),
    ]
    assert accounts == [{"used": ["wide", "day"]}, {"exceeded": ["wide"]}, {"unused": ["wide"]}]
    found = whole_account(waivers, accounts)
    assert {str(state): [each.id for each in named] for state, named in found.items()} == {
        "exceeded": ["wide"],
        "expired": ["over"],
        "unused": ["nowhere"],
        "used": ["wide", "day"],
    }


@pytest.mark.large
def test_many_waivers_cost_no_more_than_their_diffs() -> None:
    """A baseline of 20,000 entries is indexed once: each diff is looked up in it."""
    entries = tuple(waiver(id=f"w{number}", item=f"cash::C{number}") for number in range(20_000))
    waivers = Waivers(DAY, entries)
    assert not waivers._wild  # nothing is tried one by one
    assert [each.id for each in waivers.naming("day", "cash::C19999")] == ["w19999"]
