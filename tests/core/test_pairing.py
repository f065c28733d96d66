"""Pairing: which keys are compared, and names that pytest, JUnit and a shell can carry."""

import re
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from recon_core.compare.keys import encode_key, pair
from recon_core.compare.views import compared_views
from recon_core.model import (
    CashBalance,
    Instrument,
    InstrumentKind,
    Leg,
    Opening,
    Position,
    RecordedSession,
    SideRecord,
)
from recon_core.model.comparison import Comparison, SessionCheck
from recon_core.values.severity import Severity

from .builders import AS_OF, at, fill, recorded, side

SESSION_KEYS = ["session::as-of", "session::complete", "session::coverage", "session::readable"]
ANY_TEXT = st.text(st.characters(codec=None), max_size=40)


def paired(session: RecordedSession, checks: Iterable[SessionCheck] = ()) -> tuple[Comparison, ...]:
    """The comparisons of a session in its own views."""
    return pair(session, compared_views(session), checks)


def keys(internal: SideRecord | None, external: SideRecord | None) -> list[str]:
    """The identities of everything but the session checks."""
    found = [comparison.identity for comparison in paired(recorded(internal, external))]
    assert found == sorted(found)
    assert [key for key in found if key.startswith("session::")] == SESSION_KEYS
    return [key for key in found if not key.startswith("session::")]


def position(symbol: str = "ETHUSDT", leg: Leg = Leg.NET, account: str | None = None) -> Position:
    return Position(symbol, Decimal(1), account=account, leg=leg)


@pytest.mark.parametrize(
    ("text", "encoded"),
    [
        ("BTC/EUR", "BTC/EUR"),
        ("BTC/USDT:USDT", "BTC/USDT:USDT"),
        ("ES.FUT-2026_03", "ES.FUT-2026_03"),
        ("a::b", "a%3A%3Ab"),
        ("a:::b", "a%3A%3A:b"),
        ("100%", "100%25"),
        ("a[0]", "a%5B0%5D"),
        ("a@group", "a%40group"),
        ("a,leg=LONG", "a%2Cleg=LONG"),
        ("a b", "a%20b"),
        ("a\tb\nc", "a%09b%0Ac"),
        ("\x1b[2J", "%1B%5B2J"),
        ("\x7f", "%7F"),
        ("ÄÖ€", "%C3%84%C3%96%E2%82%AC"),
        ("\u202e", "%E2%80%AE"),
        ("\ud800", "%ED%A0%80"),
        ("", ""),
    ],
)
def test_a_key_is_encoded_where_pytest_would_trip(text: str, encoded: str) -> None:
    """Percent-encoding; everything that is plain in a symbol stays as it is."""
    assert encode_key(text) == encoded


@given(ANY_TEXT)
@example("a" * 199 + "€")
def test_an_encoded_key_is_short_plain_text(text: str) -> None:
    """No white space, control, non-ASCII, bracket, at sign, comma or double colon."""
    encoded = encode_key(text)
    assert re.fullmatch(r"[!-~]*", encoded)
    assert not set(encoded) & set("[]@,")
    assert "::" not in encoded
    assert len(encoded) <= 200


@given(ANY_TEXT, ANY_TEXT)
@example("a%2Cb", "a,b")
@example(":::", "%3A%3A:")
@example("x" * 300, "x" * 301)
@example("€" * 300, "€" * 299 + "£")
def test_two_names_never_share_a_key(one: str, other: str) -> None:
    """The encoding can be undone, or ends in a hash of the whole name."""
    assume(one != other)
    assert encode_key(one) != encode_key(other)


@given(ANY_TEXT)
def test_a_short_key_can_be_read_back(text: str) -> None:
    """What was encoded is the name itself."""
    encoded = encode_key(text)
    if "~" not in encoded:
        assert unquote(encoded, errors="surrogatepass") == text


@pytest.mark.parametrize(
    ("internal", "external", "expected"),
    [
        ([position()], [position()], ["ETHUSDT"]),
        ([position()], [], ["ETHUSDT"]),
        ([], [position("A"), position("B")], ["A", "B"]),
        (
            [position(leg=Leg.LONG), position(leg=Leg.SHORT)],
            [position(leg=Leg.LONG)],
            ["ETHUSDT,leg=LONG", "ETHUSDT,leg=SHORT"],
        ),
        ([position()], [position(leg=Leg.LONG)], ["ETHUSDT", "ETHUSDT,leg=LONG"]),
        ([position()], [position(account="BINANCE-001")], ["ETHUSDT"]),
        ([position(account="a")], [position(account="b")], ["ETHUSDT"]),
        (
            [position(account="a"), position(account="b")],
            [position(account="a")],
            ["ETHUSDT,account=a", "ETHUSDT,account=b"],
        ),
        (
            [position(leg=Leg.LONG, account="s,1"), position(account=None)],
            [],
            ["ETHUSDT", "ETHUSDT,leg=LONG,account=s%2C1"],
        ),
    ],
)
def test_positions_are_paired_by_symbol_leg_and_account(
    internal: list[Position], external: list[Position], expected: list[str]
) -> None:
    """Legs are never netted; a side's only account is its default and goes unnamed."""
    sides = (side(tuple(rows), ()) for rows in (internal, external))
    assert keys(*sides) == [f"position::{key}" for key in expected]


def test_cash_is_paired_by_currency_and_account() -> None:
    """The same currency on two accounts is two balances."""
    rows = tuple(CashBalance("EUR", Decimal(1), account=name) for name in ("a", "b"))
    assert keys(side((), rows), side((), ())) == ["cash::EUR,account=a", "cash::EUR,account=b"]


def test_an_account_that_only_fills_name_counts() -> None:
    """Two accounts anywhere on a side make all its keys name theirs."""
    fills = (fill("1", "BUY", "1", "1", account="b"),)
    internal = side((position(account="a"),), (), fills=fills)
    assert keys(internal, side((), ())) == ["position::ETHUSDT,account=a"]


def test_what_one_side_does_not_list_is_none() -> None:
    """The comparison knows which side was silent."""
    (comparison,) = paired(recorded(side({"X": "1"}, {}), side({}, {})))[:1]
    assert comparison.internal == Position("X", Decimal(1))
    assert comparison.external is None


@pytest.mark.parametrize(
    ("internal", "external"),
    [
        (None, side({"X": "1"}, {"EUR": "1"})),
        (side({"X": "1"}, {"EUR": "1"}), None),
        (side(None, None), side({"X": "1"}, {"EUR": "1"})),
        (None, None),
    ],
)
def test_a_section_that_one_side_does_not_report_is_not_compared(
    internal: SideRecord | None, external: SideRecord | None
) -> None:
    """Absent is not zero; the session checks always exist."""
    assert keys(internal, external) == []


@given(st.permutations(["B/EUR", "A/EUR", "a", "Ä", "A,1", "Z"]))
def test_the_order_of_the_input_is_irrelevant(names: list[str]) -> None:
    """Every process finds the same names in the same order."""
    ordered = dict.fromkeys(sorted(names), "1")
    shuffled = dict.fromkeys(names, "1")
    one = keys(side(ordered, ordered), side({}, shuffled))
    assert one == keys(side(shuffled, shuffled), side({}, ordered))


def test_a_diff_has_the_time_of_the_external_side() -> None:
    """Also a session check; without an external side it is the internal one's."""
    times = {
        comparison.as_of
        for comparison in paired(recorded(side({"X": "1"}, {}), side({}, {}, as_of=at(5))))
    }
    assert times == {at(5)}
    assert {comparison.as_of for comparison in paired(recorded(side(), None))} == {AS_OF}


def test_units_are_what_a_quantity_counts() -> None:
    """The base of a spot pair, shares, contracts of a derivative, nothing where it is not known."""
    symbols = {"BTC/EUR": "1", "SPOT": "1", "PERP": "1", "AAPL": "1", "ACME": "1"}
    instruments = {
        "SPOT": Instrument("SPOT", InstrumentKind.SPOT, "ETH", "EUR", "EUR"),
        "PERP": Instrument("PERP", InstrumentKind.LINEAR, "ETH", "EUR", "EUR"),
        "ACME": Instrument("ACME", InstrumentKind.EQUITY, "ACME", "EUR", "EUR"),
    }
    session = recorded(
        side(symbols, {"EUR": "1"}), side({"X/EUR": "0"}, {}), instruments=instruments
    )
    units = {comparison.name: comparison.unit for comparison in paired(session)[:7]}
    assert units.pop("X/EUR") == "X"
    assert units.pop("ACME") == "shares"
    assert units == {"EUR": "EUR", "AAPL": "", "BTC/EUR": "BTC", "PERP": "contracts", "SPOT": "ETH"}


def test_a_doubled_fill_is_a_note_on_what_it_moves() -> None:
    """Position, base and quote name the fill that a side states twice."""
    one = fill("f1", "BUY", "1", "100")
    fields = {"fills": (one, one), "opening": Opening(None)}
    session = recorded(
        side({"BTC/EUR": "2", "X": "1"}, {"EUR": "-200", "BTC": "2"}, **fields),
        side({}, {"BTC": "0"}),
        instruments={"BTC/EUR": Instrument("BTC/EUR", InstrumentKind.SPOT, "BTC", "EUR", "EUR")},
    )
    note = ("internal lists fill f1 of BTC/EUR 2 times; each is counted",)
    notes = {comparison.identity: comparison.notes for comparison in paired(session)[:4]}
    assert notes == {
        "cash::BTC": note,
        "cash::EUR": note,
        "position::BTC/EUR": note,
        "position::X": (),
    }


def test_more_checks_have_names_of_their_own() -> None:
    """A plugin's check becomes an item; its name is encoded like any key."""
    check = SessionCheck("fees: paid, all", Severity.WARN, "message")
    found = paired(recorded(side(), side(), anchor=Path("x")), [check])
    assert "session::fees:%20paid%2C%20all" in [comparison.identity for comparison in found]
