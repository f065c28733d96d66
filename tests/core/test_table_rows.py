"""Rows of a mapping: joined by a key, legs of a fill, one per column, JSON arrays and XML."""

import json
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recon_core.sessions.formats.table_amounts import shortest_price
from recon_core.values.amounts import EXACT, decimal_places, format_amount, round_to_places
from recon_core.values.errors import SessionError
from recon_core.values.limits import limits_in_force

from .mapped_tables import fills_of, recorded, side_of

JOINED = """
timezone = "UTC"
quotes = ["EUR", "BTC"]
pairs = { kind = "spot" }
[[fills]]
path = "t.csv"
where = { type = "trade" }
join = { key = "ref", amount = "amount" }
fees = [
    { amount = "paid.fee", currency = "paid.asset" },
    { amount = "received.fee", currency = "received.asset" },
]
[fills.columns]
fill_id = "ref"
time = "at"
paid = "paid.amount"
paid_currency = "paid.asset"
received = "received.amount"
received_currency = "received.asset"
"""
HEAD = "ref,at,type,asset,amount,fee\n"
BUY = (
    "T1,2026-01-01 10:00:00,trade,EUR,-400.0000,1.0000\nT1,2026-01-01 10:00:00,trade,BTC,0.0045,0\n"
)


def test_two_rows_of_a_key_are_one_fill(tmp_path: Path) -> None:
    """What was paid and received is a fill of the pair, at the shortest price that fits."""
    found = recorded(tmp_path, JOINED, t_csv=HEAD + BUY)
    assert found.internal is not None
    (fill,) = found.internal.fills or ()
    assert (fill.fill_id, fill.symbol, fill.side, fill.quantity) == (
        "T1", "BTC/EUR", "BUY", Decimal("0.0045"),
    )  # fmt: skip
    assert (format_amount(fill.price), fill.fee, fill.fee_currency) == ("88888.9", 1, "EUR")
    assert round_to_places(fill.price * fill.quantity, 4) == 400
    instrument = found.instruments["BTC/EUR"]
    assert (instrument.base, instrument.quote, instrument.instrument_kind) == ("BTC", "EUR", "spot")


def test_a_symbol_that_spells_no_two_currencies_is_no_pair(tmp_path: Path) -> None:
    """Of `BTC/` nobody knows what it is paid for."""
    mapping = """
pairs = { kind = "spot" }
[fills]
path = "t.csv"
[fills.columns]
symbol = "s"
quantity = "q"
price = "p"
time = "t"
"""
    names = ("BTC/", "/EUR", "BTC", "ETH/EUR")
    rows = "".join(f"{name},1,2,2026-01-01T10:00:00Z\n" for name in names)
    assert recorded(tmp_path, mapping, t_csv=f"s,q,p,t\n{rows}").instruments.keys() == {"ETH/EUR"}


def test_rows_of_a_key_need_not_be_neighbours(tmp_path: Path) -> None:
    """A sell has the quote among what was received; keys may be mixed."""
    first, second = BUY.splitlines()
    sell = "T2,2026-01-01 11:00:00,trade,{},{},0"
    rows = [sell.format("EUR", "50.0000"), first, sell.format("BTC", "-0.001"), second]
    found = fills_of(tmp_path, JOINED, t_csv=HEAD + "\n".join(rows) + "\n")
    assert [(fill.fill_id, str(fill.side), format_amount(fill.price)) for fill in found] == [
        ("T2", "SELL", "50000"),
        ("T1", "BUY", "88888.9"),
    ]


def test_a_second_fee_is_a_movement(tmp_path: Path) -> None:
    """The first fee is the fill's own; one in a further currency is a movement of its time."""
    side = side_of(tmp_path, JOINED, t_csv=HEAD + BUY.replace("0.0045,0\n", "0.0045,0.0001\n"))
    assert [(fill.fee, fill.fee_currency) for fill in side.fills or ()] == [(1, "EUR")]
    (fee,) = side.movements or ()
    assert (fee.movement_id, str(fee.movement_kind)) == ("T1 fee BTC", "fee")
    assert (fee.currency, fee.amount) == ("BTC", Decimal("-0.0001"))


def test_fees_of_a_movement_are_movements(tmp_path: Path) -> None:
    """A withdrawal and what it cost are two rows; a fee of 0 is none."""
    mapping = """
timezone = "UTC"
[movements]
path = "t.csv"
constants = { kind = "withdrawal" }
columns = { movement_id = "ref", time = "at", currency = "asset", amount = "amount" }
fees = [{ amount = "fee", currency = "asset" }]
"""
    side = side_of(tmp_path, mapping, t_csv=HEAD + BUY)
    assert [(row.movement_id, row.currency, row.amount) for row in side.movements or ()] == [
        ("T1", "EUR", -400), ("T1", "BTC", Decimal("0.0045")), ("T1 fee EUR", "EUR", -1),
    ]  # fmt: skip


def test_a_third_row_that_is_a_fee_alone(tmp_path: Path) -> None:
    """A row that moves nothing is no leg; its fee is one of the fill's."""
    credit = "T1,2026-01-01 10:00:00,trade,CREDIT,0.00,12.5\n"
    other = '    { amount = "other.fee", currency = "other.asset" },\n]\n[fills.columns]'
    mapping = JOINED.replace("]\n\n[fills.columns]", other).replace("]\n[fills.columns]", other)
    for rows in (credit + BUY, BUY + credit):
        side = side_of(tmp_path, mapping, t_csv=HEAD + rows)
        assert [(fill.fee, fill.fee_currency) for fill in side.fills or ()] == [(1, "EUR")]
        assert [(row.currency, row.amount) for row in side.movements or ()] == [
            ("CREDIT", Decimal("-12.5"))
        ]
    with pytest.raises(SessionError, match="row 5 is other again"):
        side_of(tmp_path, mapping, t_csv=HEAD + BUY + credit * 2)


BAD_GROUPS = {
    "one leg": (BUY.splitlines()[0] + "\n", "row 2: ref 'T1': no row is received"),
    "three legs": (BUY + BUY.splitlines()[1] + "\n", "row 2: ref 'T1': row 4 is received again"),
    "a leg of nothing": (BUY.replace("0.0045", "0"), "row 2: ref 'T1': no row is received"),
    "no key": (BUY.replace("T1", ""), "row 2: column ref: is empty; expected the key"),
    "no quote": (
        BUY.replace("EUR", "XRP").replace("BTC", "ADA"),
        "row 2: 'XRP' for 'ADA': no currency is the quote",
    ),
    "one currency": (BUY.replace("BTC", "EUR"), "row 2: 'EUR' for 'EUR': no currency is"),
    "no amount": (BUY.replace("-400.0000", "x"), "row 2: ref 'T1': 'x' is not an amount"),
}


@pytest.mark.parametrize(("rows", "expected"), BAD_GROUPS.values(), ids=BAD_GROUPS)
def test_rows_that_are_no_event(tmp_path: Path, rows: str, expected: str) -> None:
    """A key without both of its legs is refused by its row and its key."""
    with pytest.raises(SessionError) as caught:
        side_of(tmp_path, JOINED, t_csv=HEAD + rows)
    assert f"fills: t.csv: {expected}" in str(caught.value)


LEGS = """
timezone = "UTC"
quotes = ["USDT"]
[fills]
path = "t.csv"
[fills.columns]
time = "at"
paid = "sold"
paid_currency = "sold in"
received = "bought"
received_currency = "bought in"
"""


def test_two_legs_in_one_row(tmp_path: Path) -> None:
    """The same words read a row that has both legs."""
    table = "at,sold,sold in,bought,bought in\n2026-01-01T10:00:00,-3,ETH,9000,USDT\n"
    (fill,) = fills_of(tmp_path, LEGS, t_csv=table)
    assert (fill.symbol, str(fill.side), fill.quantity, fill.price) == ("ETH/USDT", "SELL", 3, 3000)


def test_a_leg_that_is_missing(tmp_path: Path) -> None:
    """Half a fill is refused by the field."""
    table = "at,sold,sold in,bought,bought in\n2026-01-01T10:00:00,3,ETH,,USDT\n"
    with pytest.raises(SessionError, match="row 2: received: is missing; expected both legs"):
        side_of(tmp_path, LEGS, t_csv=table)


amounts = st.decimals("0.00000001", "1000000", places=8)


@given(price=st.decimals("0.01", "200000", places=2), quantity=amounts)
def test_the_shortest_price_makes_the_value_again(price: Decimal, quantity: Decimal) -> None:
    """To its last digit, and no price of fewer decimals does."""
    value = round_to_places(EXACT.multiply(price, quantity), 8)
    found = shortest_price(value, quantity)
    assert round_to_places(EXACT.multiply(found, quantity), 8) == value
    places = decimal_places(found)
    assert places <= 2 or value != round_to_places(EXACT.multiply(price, quantity), 8)
    shorter = [round_to_places(found, fewer) for fewer in range(places)]
    assert all(round_to_places(EXACT.multiply(one, quantity), 8) != value for one in shorter)


def test_a_value_instead_of_a_price(tmp_path: Path) -> None:
    """A fill may be given by its value; a price that is given too holds."""
    mapping = (
        '[fills]\npath = "t.csv"\nconstants = { symbol = "A", time = "2026-01-01T10:00:00Z" }\n'
        'columns = { quantity = "q", value = "v", price = "p" }\n'
    )
    found = fills_of(tmp_path, mapping, t_csv="q,v,p\n-4,-10,\n4,10,2.6\n")
    assert [str(fill.price) for fill in found] == ["2.5", "2.6"]
    with pytest.raises(SessionError, match="row 2: quantity is 0; expected one that a value"):
        side_of(tmp_path, mapping, t_csv="q,v,p\n0,10,\n")
    with pytest.raises(SessionError, match="row 2: a value is no price without a quantity"):
        side_of(tmp_path, mapping, t_csv="q,v,p\n,10,\n")


@pytest.mark.parametrize(
    ("row", "fee"),
    [("0.5,BNB", ("0.5", "BNB")), ("0,", ("0", None)), (",", ("0", None)), ("0.5,", None)],
)
def test_a_fee_is_of_a_currency(tmp_path: Path, row: str, fee: tuple[str, str | None]) -> None:
    """One of an amount that names none is refused, and no fee needs none."""
    mapping = (
        '[fills]\npath = "t.csv"\nconstants = { symbol = "A", time = "2026-01-01T10:00:00Z" }\n'
        'columns = { quantity = "q", price = "p" }\nfees = [{ amount = "f", currency = "c" }]\n'
    )
    table = f"q,p,f,c\n4,2,{row}\n"
    if fee is None:
        with pytest.raises(SessionError, match=r"row 2: fee 0\.5 has no currency"):
            side_of(tmp_path, mapping, t_csv=table)
    else:
        (found,) = fills_of(tmp_path, mapping, t_csv=table)
        assert (str(found.fee), found.fee_currency) == fee


def test_one_column_per_symbol(tmp_path: Path) -> None:
    """Each column is a row of its own name; an empty cell is none."""
    mapping = """
timezone = "UTC"
[symbols]
ETH = "ETH/USD"
[positions]
path = "t.csv"
rows = "last"
wide = { columns = "pos_*", name = "symbol", value = "quantity" }
columns = { time = "dt" }
[snapshots.cash]
path = "t.csv"
wide = { columns = "*_cash", name = "currency", value = "total" }
columns = { time = "dt" }
"""
    table = "dt,pos_BTC,pos_ETH,pos_X,USD_cash,EUR_cash\n2026-01-01,1,2,,5,6\n2026-01-02,3,-4,,7,\n"
    side = side_of(tmp_path, mapping, t_csv=table)
    held = {row.symbol: row.quantity for row in side.positions or ()}
    assert held == {"BTC": 3, "ETH/USD": -4}
    every = mapping.replace("pos_*", "*").partition("[snapshots")[0]
    all_held = side_of(tmp_path, every, t_csv="dt,A,B\n2026-01-01,1,2\n").positions or ()
    assert {row.symbol: row.quantity for row in all_held} == {"A": 1, "B": 2}
    states = [{row.currency: row.total for row in one.cash or ()} for one in side.snapshots or ()]
    assert states == [{"USD": 5, "EUR": 6}, {"USD": 7, "EUR": 6}]
    with pytest.raises(SessionError, match=r"wide\.columns: 'pos_BTC'; expected one like pos_\*"):
        side_of(tmp_path, mapping.replace("pos_*", "pos_BTC"), t_csv=table)
    with pytest.raises(SessionError, match=r"has no column like 'held_\*'; there are EUR_cash, "):
        side_of(tmp_path, mapping.replace("pos_*", "held_*"), t_csv=table)


LISTED = """
[fills]
path = "{path}"
{at}
where = {{ kind = "fill" }}
optional = ["fee"]
constants = {{ fee_currency = "USD" }}
[fills.columns]
symbol = "s"
quantity = "q"
price = "p"
time = "t"
fee = "fee"
account = "/of/id"
"""
ROWS = (
    '[{"kind": "fill", "s": "A", "q": 1.50, "p": "2", "t": "2026-01-01T10:00:00Z", '
    '"of": {"id": "main"}}, {"kind": "other"}]'
)
DOCUMENTS = {
    "an array": ("t.json", "", ROWS),
    "at a place": ("t.json", 'at = "/result/list"', f'{{"result": {{"list": {ROWS}}}, "x": 1}}'),
}


@pytest.mark.parametrize(("path", "at", "content"), DOCUMENTS.values(), ids=DOCUMENTS)
def test_json_arrays(tmp_path: Path, path: str, at: str, content: str) -> None:
    """A list of objects, also inside a document; a number keeps its text."""
    (fill,) = fills_of(tmp_path, LISTED.format(path=path, at=at), t_json=content)
    assert (fill.fill_id, fill.symbol, str(fill.quantity), fill.account) == (
        "row 1", "A", "1.50", "main",
    )  # fmt: skip


BAD_DOCUMENTS = {
    "no list": ('{"a": 1}', "", "t.json: is no list of rows; expected one, or its place in at"),
    "no such key": ('{"a": 1}', 'at = "/b"', "t.json: at '/b': has no 'b'; there are a"),
    "no key among many": (
        json.dumps({f"k{number}": 1 for number in range(30)}),
        'at = "/b"',
        f"has no 'b'; there are {', '.join(f'k{number}' for number in range(20))}\n",
    ),
    "no object": ("[1]", 'at = "/b"', "t.json: at '/b': has no 'b'; no object"),
    "no list there": ('{"b": {}}', 'at = "/b"', "t.json: '/b': is no list of rows"),
    "no rows": ("[1]", "", "t.json: row 1 is no object; expected one like"),
    "no JSON": ("[1", "", "t.json: is not JSON: "),
    "a column that no row has": (ROWS.replace('"p"', '"P"'), "", "has no column 'p'; there are P"),
    "an amount": (ROWS.replace("1.50", '"x"'), "", "t.json: row 1: column q: 'x' is not an amount"),
    "an object as cell": (ROWS.replace("1.50", "{}"), "", "column q: holds no text and no number"),
}


@pytest.mark.parametrize(("content", "at", "expected"), BAD_DOCUMENTS.values(), ids=BAD_DOCUMENTS)
def test_json_that_is_refused(tmp_path: Path, content: str, at: str, expected: str) -> None:
    """One line names the file, the place and what would be accepted."""
    with pytest.raises(SessionError) as caught:
        side_of(tmp_path, LISTED.format(path="t.json", at=at), t_json=content)
    assert expected in f"{caught.value}\n"


MAY_MISS = """
[movements]
path = "t.json"
at = "/cash"
missing = "allowed"
constants = { kind = "fee", currency = "USD" }
columns = { amount = "a", time = "t" }
[orders]
path = "t.json"
at = "/orders"
missing = "allowed"
columns = { symbol = "s" }
"""


def test_a_list_that_may_be_missing(tmp_path: Path) -> None:
    """Its section is not reported; an empty list is reported, and has nothing."""
    row = '{"a": 1, "t": "2026-01-01T10:00:00Z"}'
    side = side_of(tmp_path, MAY_MISS, t_json=f'{{"cash": [{row}]}}')
    assert ([one.amount for one in side.movements or ()], side.orders) == ([1], None)
    side = side_of(tmp_path, MAY_MISS, t_json=f'{{"cash": [{row}], "orders": []}}')
    assert side.orders == ()
    with pytest.raises(SessionError, match="none of the lists that the mapping names is there"):
        side_of(tmp_path, MAY_MISS, t_json="{}")
    with pytest.raises(SessionError, match=r"t\.json: at '/orders': has no 'orders'"):
        side_of(tmp_path, MAY_MISS.replace('missing = "allowed"\n', ""), t_json="{}")


ELEMENTS = """
[[fills]]
path = "t.xml"
at = "{at}"
columns = {{ symbol = "s", quantity = "q", price = "p", time = "t" }}
"""
XML = (
    '<?xml version="1.0" encoding="ISO-8859-1"?>\n<Report>\n<Trades>\n'
    '<Trade s="Ä" q="-1.50" p="2" t="2026-01-01T10:00:00Z" unused="&lt;"/>\n'
    "</Trades><Empty/><Other><Trade s=\"B\" q='2' p='3' t='2026-01-01T11:00:00Z'>x</Trade></Other>"
    "</Report>\n"
)
PLACES = {
    "a path": ("Trades/Trade", ["Ä"]),
    "from the root": ("/Report/Trades/Trade", ["Ä"]),
    "a name": ("Trade", ["Ä", "B"]),
    "not the root": ("/Trades/Trade", None),
    "an empty list": ("Empty/Trade", []),
    "nowhere": ("Trade/Leg/Part", None),
}


@pytest.mark.parametrize(("at", "symbols"), PLACES.values(), ids=PLACES)
def test_attributes_of_xml(tmp_path: Path, at: str, symbols: list[str] | None) -> None:
    """Elements at a place are rows by their attributes; a missing list is no empty one."""
    mapping = f'as_of = "2026-01-02T00:00:00Z"\n{ELEMENTS.format(at=at)}'
    if symbols is None:
        with pytest.raises(SessionError, match=r"t\.xml: has no element at '.*/"):
            side_of(tmp_path, mapping, t_xml=XML)
    else:
        assert [one.symbol for one in fills_of(tmp_path, mapping, t_xml=XML)] == symbols


def test_the_line_of_an_element(tmp_path: Path) -> None:
    """A row of XML is named by the line that it begins in."""
    with pytest.raises(SessionError, match=r"t\.xml: row 4: column q: 'x' is not an amount"):
        side_of(tmp_path, ELEMENTS.format(at="Trade"), t_xml=XML.replace("-1.50", "x"))


ENTITIES = '<!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><r><Trade s="&b;"/></r>'
BAD_XML = {
    "entities": (ENTITIES, "declares a document type or an entity; expected plain elements"),
    "a document type": ('<!DOCTYPE r SYSTEM "file:///etc/passwd"><r/>', "declares a document type"),
    "an entity": ('<r><Trade s="&b;"/></r>', "is not XML: undefined entity in line 1"),
    "cut": (XML[:-20], "is not XML: "),
    "two roots": ("<r/><r/>", "is not XML: junk after document element in line 1"),
    "no XML": ("id,amount\n1,2\n", "is not XML: syntax error in line 1"),
    "nothing": ("", "is not XML: no element found in line 1"),
    "deep": ("<a>" * 65 + "</a>" * 65, "is nested deeper than 64 levels"),
    "twice": ('<r><Trade s="1" s="2"/></r>', "is not XML: duplicate attribute in line 1"),
}


@pytest.mark.parametrize("content", [f"<r>{'x' * 99}</r>", f"<r><Trade s='{'x' * 99}'/></r>"])
def test_a_long_part_of_xml_is_refused(tmp_path: Path, content: str) -> None:
    """A part without a tag is a line: it is in memory whole."""
    with limits_in_force({"line_bytes": 90}), pytest.raises(SessionError) as caught:
        side_of(tmp_path, ELEMENTS.format(at="Trade"), t_xml=content)
    assert "t.xml: a line has at least 91 bytes; expected at most 90" in str(caught.value)


@pytest.mark.parametrize(("content", "expected"), BAD_XML.values(), ids=BAD_XML)
def test_xml_that_is_refused(tmp_path: Path, content: str, expected: str) -> None:
    """Nothing is expanded or fetched, and a damaged file is named with its line."""
    with pytest.raises(SessionError) as caught:
        side_of(tmp_path, ELEMENTS.format(at="Trade"), t_xml=content)
    assert f"map.toml: fills[0]: t.xml: {expected}".replace("[0]", "") in str(caught.value)


def test_xml_without_its_place_and_without_its_parser(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line says what to add to the mapping, and what to install."""
    mapping = ELEMENTS.format(at="Trade")
    with pytest.raises(SessionError, match="an XML file has many lists; expected at = "):
        side_of(tmp_path, mapping.replace('at = "Trade"', ""), t_xml=XML)
    monkeypatch.setitem(sys.modules, "defusedxml", None)
    with pytest.raises(SessionError, match=r'installed: pip install "path/to/pytest-recon\[xml\]"'):
        side_of(tmp_path, mapping, t_xml=XML)
