"""The words of a mapping for statements: movements, states, signs, cells, times, kinds, files."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from recon_core.values.amounts import format_amount
from recon_core.values.errors import SessionError

from .builders import AS_OF_TEXT
from .mapped_tables import fills_of, side_of

MOVEMENTS = """
timezone = "UTC"
[kinds]
deposit = ["Deposit", "In"]
interest = "Interest"
[movements]
path = "t.csv"
columns = { movement_id = "id", time = "at", kind = "what", currency = "cur", amount = "sum" }
"""
ROWS = "id,at,what,cur,sum\n1,2026-01-01 10:00:00,In,EUR,5.00\n2,2026-01-02,Interest,USD,-0.10\n"
CELLS = """
[amounts]
{shape}
[fills]
path = "t.jsonl"
constants = {{ symbol = "B", price = "1", time = "2026-01-01T00:00:00Z", side = "BUY" }}
[fills.columns]
{columns}
"""
TIMES = """
{setting}
[fills]
path = "t.jsonl"
constants = {{ symbol = "B", price = "1", quantity = "1" }}
columns.time = {column}
"""


def test_movements_with_the_source_s_kinds(tmp_path: Path) -> None:
    """A movement has a kind of the session format by the words of the source."""
    found = side_of(tmp_path, MOVEMENTS, t_csv=ROWS).movements or ()
    assert [(m.movement_id, str(m.movement_kind), m.currency, m.amount) for m in found] == [
        ("1", "deposit", "EUR", Decimal("5.00")),
        ("2", "interest", "USD", Decimal("-0.10")),
    ]


def test_a_movement_without_an_id_is_numbered_by_its_row(tmp_path: Path) -> None:
    """The number is that of the line in an editor."""
    mapping = MOVEMENTS.replace('movement_id = "id", ', "")
    found = side_of(tmp_path, mapping, t_csv=ROWS).movements or ()
    assert [movement.movement_id for movement in found] == ["row 2", "row 3"]


def test_snapshots_carry_what_a_row_does_not_state(tmp_path: Path) -> None:
    """A running balance is the state of its currency from its row on; the last row of a time."""
    mapping = """
[snapshots.cash]
path = "t.csv"
columns = { time = "at", currency = "cur", total = "balance" }
"""
    table = (
        "at,cur,balance\n2026-01-01T10:00:00Z,EUR,5\n2026-01-01T11:00:00Z,BTC,1\n"
        "2026-01-01T11:00:00Z,BTC,2\n2026-01-01T12:00:00Z,EUR,3\n"
    )
    side = side_of(tmp_path, mapping, t_csv=table)
    states = [{row.currency: row.total for row in one.cash or ()} for one in side.snapshots or ()]
    assert states == [{"EUR": 5}, {"EUR": 5, "BTC": 2}, {"EUR": 3, "BTC": 2}]
    assert [one.positions for one in side.snapshots or ()] == [None, None, None]
    assert side.as_of.isoformat() == "2026-01-01T12:00:00+00:00"


def test_an_opening_from_the_first_row(tmp_path: Path) -> None:
    """The state before the first fill may stand in a table; its time is not that of the side."""
    mapping = f"""
as_of = "{AS_OF_TEXT}"
[opening]
[[opening.cash]]
path = "t.csv"
rows = "first"
columns = {{ total = "eur" }}
constants = {{ currency = "EUR" }}
[opening.positions]
A = "7"
[cash]
path = "t.csv"
rows = "last"
columns = {{ total = "eur" }}
constants = {{ currency = "EUR" }}
"""
    side = side_of(tmp_path, mapping, t_csv="eur\n5.00\n6.00\n7.00\n")
    assert side.opening is not None
    assert [(row.currency, row.total) for row in side.opening.cash] == [("EUR", Decimal("5.00"))]
    assert [(row.symbol, row.quantity) for row in side.opening.positions] == [("A", 7)]
    assert [(row.currency, row.total) for row in side.cash or ()] == [("EUR", Decimal("7.00"))]


SHAPES = {
    "a unit after": ("unit = true", "0.1800000000SOL", "0.1800000000", "SOL"),
    "a unit and a space": ("unit = true", "-1.5 BTC", "-1.5", "BTC"),
    "a sign before": ('unit = true\nthousands = ","', "$1,259.59", "1259.59", "USD"),
    "a minus before it": ("unit = true", "-$694.48", "-694.48", "USD"),
    "a minus behind it": ("unit = true", "$-694.48", "-694.48", "USD"),
    "many digits": ("unit = true", "€39999.331136545", "39999.331136545", "€"),
    "thousands": ('thousands = ","', "1,234,567.80", "1234567.80", None),
    "no thousands": ('thousands = ","', "1234.5", "1234.5", None),
    "continental": ('thousands = "."\ndecimal = ","', "-1.234,56", "-1234.56", None),
    "swiss": ("thousands = \"'\"", "1'234.5", "1234.5", None),
    "trailing": ('signs = ["trailing"]', "5.00-", "-5.00", None),
    "trailing, none": ('signs = ["trailing"]', "5.00", "5.00", None),
    "parentheses": ('signs = ["parentheses"]', "(5.00)", "-5.00", None),
    "all of it": ('unit = true\nthousands = ","\nsigns = ["parentheses"]', "($1,005.00)",
                  "-1005.00", "USD"),
    "plus": ('signs = ["plus"]', "+5.00", "5.00", None),
    "exponent": ("exponent = true", "7.7E-7", "0.00000077", None),
    "exponent and unit": ("exponent = true\nunit = true", "1e2EUR", "100", "EUR"),
    "a unit of digits": ('unit = true\nunits = ["1INCH"]', "10.5001INCH", "10.500", "1INCH"),
}  # fmt: skip


@pytest.mark.parametrize(("shape", "cell", "amount", "unit"), SHAPES.values(), ids=SHAPES)
def test_amounts_as_statements_write_them(
    tmp_path: Path, shape: str, cell: str, amount: str, unit: str | None
) -> None:
    """An amount is exact, and the unit in the cell is the currency, by the source's word."""
    currency = '{ column = "c", part = "unit" }' if unit else '"x"'
    columns = f'fee = "c"\nquantity = "q"\nfee_currency = {currency}'
    mapping = '[assets]\n"$" = "USD"\n' + CELLS.format(shape=shape, columns=columns)
    (fill,) = fills_of(tmp_path, mapping, t_jsonl=f'{{"c": "{cell}", "q": "1", "x": "X"}}\n')
    assert format_amount(fill.fee) == amount
    assert fill.fee_currency == (unit or "X")


REFUSED_CELLS = {
    "an undeclared group": ("unit = false", "1,259", "'1,259' is not an amount"),
    "a group of two": ('thousands = ","', "1,25", "'1,25' is not an amount; expected digits"),
    "a group after four": ('thousands = ","', "1234,567", "is not an amount"),
    "two signs": ('signs = ["trailing"]', "-5-", "has two signs"),
    "an open parenthesis": ('signs = ["parentheses"]', "(5", "is not an amount"),
    "a minus in parentheses": ('signs = ["parentheses"]', "(-5)", "has two signs"),
    "two units": ("unit = true", "$5 USD USD", "is not an amount"),
    "a unit alone": ("unit = true", "USD", "is not an amount"),
    "an exponent": ("unit = true", "1e-7", "is not an amount"),
    "too many digits": ("exponent = true", "1e40", "is too long"),
    "an infinity": ("unit = true", "Infinity", "is not an amount"),
    "not a digit": ("unit = true", "٣", "is not an amount"),
}


@pytest.mark.parametrize(("shape", "cell", "expected"), REFUSED_CELLS.values(), ids=REFUSED_CELLS)
def test_a_cell_that_is_not_as_declared(
    tmp_path: Path, shape: str, cell: str, expected: str
) -> None:
    """Nothing is guessed: the line names row, column, value and what is declared."""
    mapping = CELLS.format(shape=shape, columns='quantity = "c"')
    with pytest.raises(SessionError) as caught:
        side_of(tmp_path, mapping, t_jsonl=f'{{"c": "{cell}"}}\n')
    assert "map.toml: fills: t.jsonl: row 1: column c: " in str(caught.value)
    assert expected in str(caught.value)


FIELDS = {
    "negate": ('fee = { column = "c", negate = true }', "fee", Decimal("0.5")),
    "absolute": ('fee = { column = "c", absolute = true }', "fee", Decimal("0.5")),
    "a sum, negated": ('fee = { column = ["c", "c"], negate = true }', "fee", Decimal("1.0")),
    "no minus zero": ('fee = { column = "z", negate = true }', "fee", Decimal(0)),
    "joined texts": (
        'symbol = { column = ["base", "quote"], join = "/" }', "symbol", "BTC/EUR",
    ),
    "replaced": ('symbol = { column = "pair", replace = { "-" = "/" } }', "symbol", "BTC/EUR"),
    "less another": ('fee = { column = "c", minus = "q", negate = true }', "fee", Decimal("2.5")),
    "a word of a sentence": ('symbol = { column = "note", word = 2 }', "symbol", "BTC"),
    "a number of a sentence": ('fee = { column = "note", word = 1 }', "fee", Decimal(7)),
    "another column": ('symbol = { column = "e", otherwise = "pair" }', "symbol", "BTC-EUR"),
    "a pair": ('symbol = { column = "pair", part = "pair" }', "symbol", "BTC/EUR"),
    "a base": ('symbol = { column = "pair", part = "base" }', "symbol", "BTC"),
    "a quote": ('symbol = { column = "pair", part = "quote" }', "symbol", "EUR"),
    "a pair without a mark": ('symbol = { column = "x", part = "pair" }', "symbol", "BTC/EUR"),
    "a base of the assets": ('symbol = { column = "y", part = "pair" }', "symbol", "XTZ/EUR"),
    "the longest quote": ('symbol = { column = "f", part = "pair" }', "symbol", "BTC/FDUSD"),
    "a leg": ('leg = "l"', "leg", "SHORT"),
    "a pointer": ('symbol = "/inner/names/1"', "symbol", "S"),
    "a pointer into text": ('symbol = "/text/a"', "symbol", "T"),
    "a pointer beyond a list": (
        'symbol = { column = "/inner/names/2", otherwise = "pair" }', "symbol", "BTC-EUR",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("column", "name", "expected"), FIELDS.values(), ids=FIELDS)
def test_words_of_a_field(tmp_path: Path, column: str, name: str, expected: object) -> None:
    """A field may be turned, added up, joined, or lie inside a cell."""
    top = 'quotes = ["EUR", "ZEUR", "USD", "FDUSD"]\n[legs]\nSHORT = "short"\n'
    top += '[assets]\nXXBT = "BTC"\nZEUR = "EUR"\nXTZ = "XTZ"\n'
    constants = 'price = "1", time = "2026-01-01T00:00:00Z", fee_currency = "X"'
    symbol = "" if name == "symbol" else 'symbol = "pair"\n'
    mapping = f'{top}[fills]\npath = "t.jsonl"\nconstants = {{ {constants} }}\n[fills.columns]\n'
    row = (
        '{"c": "-0.5", "z": "0", "q": 2, "base": "BTC", "quote": "EUR", "pair": "BTC-EUR", '
        '"x": "XXBTZEUR", "y": "XTZEUR", "f": "BTCFDUSD", "l": "short", "note": "7 BTC", "e": "", '
        '"inner": {"names": ["R", "S"]}, "text": "{\\"a\\": \\"T\\"}"}\n'
    )
    (fill,) = fills_of(tmp_path, f'{mapping}quantity = "q"\n{symbol}{column}\n', t_jsonl=row)
    assert getattr(fill, name) == expected
    assert str(fill.fee) != "-0"


CLOCKS = {
    "two columns": (
        'timezone = "UTC"', '{ column = ["d", "t"], join = " " }', "2026-01-02T10:30:05+00:00",
    ),
    "a pattern": (
        'timezone = "UTC"\ntime_format = "%d.%m.%Y %H:%M:%S"',
        '{ column = ["g", "t"], join = " " }',
        "2026-02-01T10:30:05+00:00",
    ),
    "several patterns": (
        'timezone = "UTC"\ntime_format = ["%d.%m.%Y", "iso"]', '"d"', "2026-01-02T00:00:00+00:00",
    ),
    "a word in the pattern": (
        'timezone = "UTC"\ntime_format = "%Y-%m-%d %H:%M:%S UTC"', '"u"',
        "2026-01-02T10:30:05+00:00",
    ),
    "its own pattern": (
        'time_format = "iso"', '{ column = "ms", time_format = "ms" }',
        "2026-01-01T10:00:00.250000+00:00",
    ),
    "its own zone": (
        'timezone = "UTC"', '{ column = ["d", "t"], join = "T", timezone = "Asia/Tokyo" }',
        "2026-01-02T01:30:05+00:00",
    ),
    "the zone of the row": (
        "", '{ column = ["d", "t"], join = " ", timezone_column = "zone" }',
        "2026-01-02T09:30:05+00:00",
    ),
}  # fmt: skip
CLOCK_ROW = (
    '{"d": "2026-01-02", "t": "10:30:05", "g": "01.02.2026", "ms": 1767261600250, '
    '"u": "2026-01-02 10:30:05 UTC", "zone": "Europe/Berlin"}\n'
)


@pytest.mark.parametrize(("setting", "column", "expected"), CLOCKS.values(), ids=CLOCKS)
def test_times_of_statements(tmp_path: Path, setting: str, column: str, expected: str) -> None:
    """A time may stand in two columns, in several patterns, and in the zone that a row names."""
    mapping = TIMES.format(setting=setting, column=column)
    (fill,) = fills_of(tmp_path, mapping, t_jsonl=CLOCK_ROW)
    assert fill.time.isoformat() == expected


def fills(columns: str, **more: str) -> str:
    """A mapping of t.csv with the least columns of a fill."""
    top = "".join(f"{name} = {value}\n" for name, value in more.items())
    return (
        f'timezone = "UTC"\n{top}[fills]\npath = "t.csv"\n'
        f'columns = {{ symbol = "s", quantity = "q", price = "p", time = "t"{columns} }}\n'
    )


TABLE = "s,q,p,t\nB,1,2,2026-01-01T10:00:00\n"
WRITTEN = {
    "semicolons": ('{ separator = ";" }', TABLE.replace(",", ";").encode()),
    "tabs": ('{ separator = "\\t" }', TABLE.replace(",", "\t").encode()),
    "a byte order mark": ("{ byte_order_mark = true }", b"\xef\xbb\xbf" + TABLE.encode()),
    "no mark after all": ("{ byte_order_mark = true }", TABLE.encode()),
    "no last line break": ('{ last_line = "open" }', TABLE.rstrip().encode()),
    "lines that are no rows": (
        '{ skip = ["BOS", "EOS"] }', b"BOS,x\n" + TABLE.encode() + b"EOS,1,y\n",
    ),
    "lines before the header": (
        '{ header = "found" }', b'\n"Report, of"\nUser,x,y\n' + TABLE.encode(),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("shape", "content"), WRITTEN.values(), ids=WRITTEN)
def test_files_as_programs_write_them(tmp_path: Path, shape: str, content: bytes) -> None:
    """A declared separator, mark, open end or header is read, and refused where undeclared."""
    (fill,) = fills_of(tmp_path, fills("", file=shape), t_csv=content)
    assert (fill.symbol, fill.quantity, fill.price) == ("B", 1, 2)
    if content != TABLE.encode():
        with pytest.raises(SessionError, match=r"^bad\.recon\.json: internal\.from: map\.toml: "):
            side_of(tmp_path, fills(""), t_csv=content)


KINDS_OF_ROWS = """
timezone = "UTC"
{more}
[fills]
path = "t.csv"
where = {{ type = ["buy", "sell"] }}
columns = {{ symbol = "s", side = "type", quantity = "q", price = "p", time = "t" }}
[kinds]
deposit = "deposit"
[movements]
path = "t.csv"
where = {{ type = "deposit" }}
columns = {{ kind = "type", currency = "s", amount = "q", time = "t" }}
"""
OF_KINDS = (
    "type,s,q,p,t\nbuy,B,1,2,2026-01-01T10:00:00\ndeposit,EUR,5,,2026-01-01T11:00:00\n"
    "airdrop,C,5,,2026-01-01T12:00:00\n"
)


def test_kinds_of_rows_in_one_file(tmp_path: Path) -> None:
    """Each section takes its rows, and a row that none takes is named in a note."""
    side = side_of(tmp_path, KINDS_OF_ROWS.format(more=""), t_csv=OF_KINDS)
    assert [fill.symbol for fill in side.fills or ()] == ["B"]
    assert [movement.amount for movement in side.movements or ()] == [5]
    assert side.notes[-1] == "t.csv: 1 rows are in no section: 1 of type 'airdrop'"


def test_rows_in_no_section_may_be_refused_or_left_out(tmp_path: Path) -> None:
    """A lost kind of row is no silence: it is refused by name, or left out by name."""
    mapping = KINDS_OF_ROWS.format(more='other_rows = "refused"')
    with pytest.raises(SessionError) as caught:
        side_of(tmp_path, mapping, t_csv=OF_KINDS)
    assert str(caught.value).endswith(
        "t.csv: row 4: type 'airdrop': is in no section; expected buy, deposit, sell"
    )
    left_out = '[[left_out]]\npath = "t.csv"\nwhere = { type = "airdrop" }\n'
    side = side_of(tmp_path, mapping + left_out, t_csv=OF_KINDS)
    assert len(side.notes) == 1


def test_the_truth_of_a_cell_is_a_word(tmp_path: Path) -> None:
    """JSON has values that are no text: a mapping names them as JSON writes them."""
    mapping = fills("").replace("t.csv", "t.jsonl") + 'where = { maker = ["true"] }\n'
    row = '{{"s": "B", "q": {}, "p": 2, "t": "2026-01-01T10:00:00", "maker": {}}}\n'
    table = row.format(1, "true") + row.format(3, "false")
    assert [fill.quantity for fill in fills_of(tmp_path, mapping, t_jsonl=table)] == [1]


def test_unless_and_absent_words(tmp_path: Path) -> None:
    """A repeated header and a cell of dashes are no rows and no values."""
    mapping = fills(', fee = "f", fee_currency = "c"', absent='["--"]')
    mapping += 'unless = { s = ["s", "total"], q = ["q"] }\n'
    table = (
        "s,q,p,t,f,c\nB,1,2,2026-01-01T10:00:00,--,--\ns,q,p,t,f,c\n"
        "B,3,2,2026-01-01T11:00:00,0.1,EUR\ntotal,4,,,,\n"
    )
    found = fills_of(tmp_path, mapping, t_csv=table)
    assert [(fill.fill_id, fill.quantity, str(fill.fee)) for fill in found] == [
        ("row 2", 1, "0"),
        ("row 4", 3, "0.1"),
    ]


def test_the_last_row_of_each_word(tmp_path: Path) -> None:
    """Balances are the last of each currency, with `per`."""
    mapping = (
        '[cash]\npath = "t.csv"\nrows = "last"\nper = "cur"\n'
        'columns = { currency = "cur", total = "b", time = "t" }\n'
    )
    table = (
        "cur,b,t\nEUR,1,2026-01-01T10:00:00Z\nBTC,2,2026-01-01T10:00:00Z\n"
        "EUR,3,2026-01-01T11:00:00Z\n"
    )
    side = side_of(tmp_path, mapping, t_csv=table)
    assert {row.currency: row.total for row in side.cash or ()} == {"EUR": 3, "BTC": 2}


NEWEST = """
[cash]
path = "t.csv"
rows = "last"
constants = { currency = "EUR" }
columns = { total = "b", time = "t" }
[opening.cash]
path = "t.csv"
rows = "first"
constants = { currency = "EUR" }
columns = { total = "b", time = "t" }
[snapshots.cash]
path = "t.csv"
constants = { currency = "EUR" }
columns = { total = "b", time = "t" }
"""
FALLING = "b,t\n3,2026-01-01T12:00:00Z\n2,2026-01-01T11:00:00Z\n1,2026-01-01T11:00:00Z\n"


def test_a_statement_that_begins_with_its_newest_row(tmp_path: Path) -> None:
    """The same rows the other way round are the same states, also those of one time."""
    lines = FALLING.splitlines()
    for rows in (lines[1:], lines[:0:-1]):
        side = side_of(tmp_path, NEWEST, t_csv="\n".join([lines[0], *rows, ""]))
        assert [row.total for row in side.cash or ()] == [3]
        assert side.opening is not None
        assert [row.total for row in side.opening.cash] == [1]
        states = [[row.total for row in one.cash or ()] for one in side.snapshots or ()]
        assert states == [[2], [3]]
    with pytest.raises(SessionError, match=r"cash: t\.csv: row 3: time: is missing"):
        side_of(tmp_path, NEWEST, t_csv=FALLING.replace("2,2026-01-01T11:00:00Z", "2,"))


BALANCES = (
    "wallet,cur,b,t\nspot,EUR,1,2026-01-01T10:00:00Z\nearn,EUR,2,2026-01-01T10:00:00Z\n"
    "spot,EUR,5,2026-01-01T11:00:00Z\n"
)
ADDED = """
[cash]
path = "t.csv"
rows = "last"
per = ["wallet", "cur"]
add = true
columns = { currency = "cur", total = "b", time = "t" }
[snapshots.cash]
path = "t.csv"
per = "wallet"
add = true
columns = { currency = "cur", total = "b", time = "t" }
"""


def test_balances_of_several_wallets_are_added_up(tmp_path: Path) -> None:
    """The last of each wallet, as one balance; the same for the states in between."""
    side = side_of(tmp_path, ADDED, t_csv=BALANCES)
    assert [(row.currency, row.total) for row in side.cash or ()] == [("EUR", 7)]
    assert [[row.total for row in one.cash or ()] for one in side.snapshots or ()] == [[3], [7]]
    with pytest.raises(SessionError, match="cash: duplicate EUR; expected each key once"):
        side_of(tmp_path, ADDED.replace("add = true", ""), t_csv=BALANCES)


NOTED = {
    "every fee negative": ("1,-0.1,X,10:00:00\n1,-0.2,X,11:00:00\n1,0,X,11:00:00\n", "negate"),
    "one fee positive": ("1,-0.1,X,10:00:00\n1,0.2,X,11:00:00\n", None),
    "every time midnight": ("1,0.1,X,00:00:00\n1,0.1,X,00:00:00\n", "midnight"),
    "one time midnight": ("1,0.1,X,00:00:00\n1,0.1,X,00:00:01\n", None),
    "one row": ("1,0.1,X,00:00:00\n", None),
}


@pytest.mark.parametrize(("rows", "expected"), NOTED.values(), ids=NOTED)
def test_notes_on_a_likely_mistake(tmp_path: Path, rows: str, expected: str | None) -> None:
    """Fees that are all rebates, and times that are all midnight, are named."""
    mapping = (
        'timezone = "UTC"\n[fills]\npath = "t.csv"\nconstants = { symbol = "B", price = "1" }\n'
        'columns = { quantity = "q", fee = "f", fee_currency = "c", '
        'time = { column = ["d", "t"], join = " " } }\n'
    )
    table = "d,q,f,c,t\n" + "".join(f"2026-01-01,{row}\n" for row in rows.splitlines())
    notes = side_of(tmp_path, mapping, t_csv=table).notes[1:]
    assert ([] if expected is None else [expected]) == [
        word for note in notes for word in ("negate", "midnight") if word in note
    ]


def test_a_state_of_every_day_is_no_mistake(tmp_path: Path) -> None:
    """Midnight is the time of a daily balance, and no note says otherwise."""
    mapping = (
        'timezone = "UTC"\n[snapshots.cash]\npath = "t.csv"\nconstants = { currency = "EUR" }\n'
        'columns = { total = "b", time = "t" }\n'
    )
    side = side_of(tmp_path, mapping, t_csv="b,t\n1,2026-01-01\n2,2026-01-02\n")
    assert len(side.snapshots or ()) == 2
    assert len(side.notes) == 1


AS_OF = {
    "external": ('as_of = "external"', "2026-01-01T12:00:00+00:00"),
    "last row": ('as_of = "last row"', "2026-01-01T10:00:00+00:00"),
    "nothing": ("", "2026-01-01T10:00:00+00:00"),
}


@pytest.mark.parametrize(("setting", "expected"), AS_OF.values(), ids=AS_OF)
def test_the_time_of_a_side(tmp_path: Path, setting: str, expected: str) -> None:
    """A ledger that ends at its last fill may be of the time that the exchange states."""
    mapping = f"{setting}\n{fills('')}"
    assert side_of(tmp_path, mapping, t_csv=TABLE).as_of.isoformat() == expected


def test_a_row_later_than_the_other_side_keeps_its_time(tmp_path: Path) -> None:
    """The time of the other side is never before a row of this one."""
    table = TABLE.replace("2026-01-01T10", "2026-01-01T13")
    side = side_of(tmp_path, f'as_of = "external"\n{fills("")}', t_csv=table)
    assert side.as_of.isoformat() == "2026-01-01T13:00:00+00:00"


REFUSED: dict[str, tuple[str, Any, str]] = {
    "itself as time": (f'as_of = "internal"\n{fills("")}', TABLE, "'internal' is no time of its"),
    "a word as time": (f'as_of = "now"\n{fills("")}', TABLE, "as_of: 'now'; expected a time like"),
    "a near key": (f'timezon = "UTC"\n{fills("")}', TABLE, "unknown key; did you mean timezone?"),
    "a near key of a table": (fills("") + 'wher = { s = "B" }', TABLE, "did you mean where?"),
    "a near column": (fills(', fee = "quantit"'), "quantity," + TABLE, "did you mean quantity?"),
    "a near field": (fills(', fees = "p"'), TABLE, "'fees' is no field; did you mean fee?"),
    "a near kind": (
        MOVEMENTS, ROWS.replace("Interest", "Intrest"),
        "row 3: column what: 'Intrest' is no kind; did you mean Interest?",
    ),
    "no kind": (
        MOVEMENTS.replace('"Interest"', '"x"').replace("interest", "bonus"),
        ROWS.replace("Interest", "x"), "row 3: kind: 'bonus'; expected ",
    ),
    "no path": (fills("").replace('path = "t.csv"\n', ""), TABLE, "fills: path: is missing"),
    "no time of a state": (
        '[snapshots.cash]\npath = "t.csv"\ncolumns = { currency = "s", total = "q" }', TABLE,
        "snapshots.cash[0]: columns.time: is missing",
    ),
    "an absent time of a state": (
        '[snapshots.cash]\npath = "t.csv"\ncolumns = { currency = "s", total = "q", time = "t" }',
        "s,q,t\nEUR,1,\n", "snapshots.cash[0]: t.csv: row 2: time: is missing",
    ),
    "texts added up": (
        fills("").replace('"s"', '["s", "t"]'), TABLE, "expected join = ",
    ),
    "a text negated": (
        fills("").replace('"s"', '{ column = "s", negate = true }'), TABLE,
        "symbol: negate, absolute and minus are for amounts",
    ),
    "an amount as unit": (
        fills("").replace('"q"', '{ column = "q", part = "unit" }'), TABLE, "'unit' is a text",
    ),
    "one of two texts": (
        fills("").replace('"s"', '{ column = ["s", "u"], join = "/" }'),
        TABLE.replace("s,q", "u,s,q").replace("B,1", ",B,1"), "row 2: column s + u: 1 of 2 cells",
    ),
    "no unit": (
        fills("").replace('"s"', '{ column = "s", part = "unit" }'), TABLE,
        "'B' has no unit; expected one like 0.18SOL",
    ),
    "one sign for two": (
        f'{fills("")}[amounts]\nthousands = "."', TABLE, "thousands and decimal are both '.'",
    ),
    "a header that is nowhere": (
        fills("", file='{ header = "found" }'), "a,b\n1,2\n",
        "none of the first 30 lines is the header; expected p, q, s, t",
    ),
    "a pair of no quote": (
        f'quotes = "EUR"\n{fills("")}'.replace('"s"', '{ column = "s", part = "pair" }'), TABLE,
        "row 2: column s: 'B' ends with no currency of quotes; expected one of EUR, or the pair",
    ),
    "a word too far": (
        fills("").replace('"s"', '{ column = "s", word = 2 }'), TABLE,
        "row 2: column s: 'B' has 1 words; expected 2",
    ),
    "a word of none": (fills("").replace('"s"', '{ column = "s", word = 0 }'), TABLE, ".word: 0; "),
    "a zone of a row": (
        fills("").replace('"t" }', '{ column = "t", timezone_column = "s" } }'), TABLE,
        "row 2: column t: timezone: 'B' is not known",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("mapping", "table", "expected"), REFUSED.values(), ids=REFUSED)
def test_a_mapping_that_is_refused(tmp_path: Path, mapping: str, table: str, expected: str) -> None:
    """One line names the place, the value, and what would be accepted or was meant."""
    with pytest.raises(SessionError) as caught:
        side_of(tmp_path, mapping, t_csv=table)
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("bad.recon.json: internal.from: ")
