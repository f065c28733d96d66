"""Tables in general: a mapping in TOML turns columns into the fields of a session file."""

import hashlib
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from recon_core.engine.reconciliation import reconcile_session
from recon_core.model import LedgerSide, Leg, OrderSide, OrderState, SideRecord
from recon_core.sessions import read_session
from recon_core.values.errors import SessionError

from .builders import AS_OF_TEXT, checks, document, write_session
from .recordings import BESIDE, needs_recordings, states, writable_copy

EXAMPLES = Path(__file__).parents[2] / "examples" / "tables"
FILLS = "id,sym,when,qty,px,c1,c2,dir\n7,BTC,2026-01-01T10:00:00,-1.5,100,0.1,0.2,Sell\n"
COLUMNS = 'time = "when"\nsymbol = "sym"\nquantity = "qty"\nprice = "px"\n'
MAPPING = f'timezone = "UTC"\n[fills]\npath = "t.csv"\n[fills.columns]\n{COLUMNS}'


def take(directory: Path, mapping: str, **tables: str) -> SideRecord:
    """The side that a session takes by a mapping of the given tables."""
    for name, text in tables.items():
        (directory / f"{name}.csv").write_text(text)
    (directory / "map.toml").write_text(mapping)
    source = {"from": {"format": "table", "path": "map.toml"}}
    side = read_session(write_session(directory, document(internal=source))).internal
    assert side is not None
    return side


def fill_of(directory: Path, mapping: str, table: str = FILLS) -> Any:
    fills = take(directory, mapping, t=table).fills
    assert fills is not None
    return fills[0]


def test_the_least_mapping_of_fills(tmp_path: Path) -> None:
    """The sign of the quantity is the side, and a row without an id is numbered."""
    fill = fill_of(tmp_path, MAPPING)
    assert (fill.fill_id, fill.symbol, fill.side) == ("row 2", "BTC", OrderSide.SELL)
    assert (fill.quantity, fill.price, fill.fee) == (Decimal("1.5"), 100, 0)
    assert fill.time.isoformat() == "2026-01-01T10:00:00+00:00"


@pytest.mark.parametrize(
    ("more", "name", "expected"),
    [
        ('fill_id = "id"', "fill_id", "7"),
        ('side = "dir"', "side", "SELL"),
        ('fee = ["c1", "c2"]\n[fills.constants]\nfee_currency = "USD"', "fee", Decimal("0.3")),
        ('[fills.constants]\naccount = "main"', "account", "main"),
        ('[fills.constants]\nleg = "SHORT"', "leg", Leg.SHORT),
        ('[symbols]\nBTC = "BTC/USD"', "symbol", "BTC/USD"),
        ('side = "dir"\n[sides]\nBUY = "Buy"\nSELL = ["Sell", "Short"]', "side", "SELL"),
    ],
)
def test_what_a_mapping_may_say(tmp_path: Path, more: str, name: str, expected: object) -> None:
    """Columns, sums of columns, constants, and the source's own words."""
    assert getattr(fill_of(tmp_path, f"{MAPPING}{more}\n"), name) == expected


@pytest.mark.parametrize(
    ("setting", "cell", "expected"),
    [
        ("", "2026-01-01T10:00:00+02:00", "2026-01-01T08:00:00+00:00"),
        ('timezone = "UTC"', "2026-01-01", "2026-01-01T00:00:00+00:00"),
        ('timezone = "America/New_York"', "2026-07-01 09:30:00", "2026-07-01T13:30:00+00:00"),
        (
            'timezone = "America/New_York"\ntime_format = "%Y%m%d;%H%M%S"',
            "20260918;085905",
            "2026-09-18T12:59:05+00:00",
        ),
        ('time_format = "s"', "1767261600.25", "2026-01-01T10:00:00.250000+00:00"),
        ('time_format = "ms"', "1767261600250", "2026-01-01T10:00:00.250000+00:00"),
        ('time_format = "us"', "1767261600000001", "2026-01-01T10:00:00.000001+00:00"),
        ('time_format = "ns"', "1767261600000001999", "2026-01-01T10:00:00.000001+00:00"),
    ],
)
def test_times_of_a_table(tmp_path: Path, setting: str, cell: str, expected: str) -> None:
    """With an offset, in a named time zone, by a pattern, or counted since 1970."""
    mapping = f"{setting}\n{MAPPING.partition(chr(10))[2]}"
    fill = fill_of(tmp_path, mapping, FILLS.replace("2026-01-01T10:00:00", cell))
    assert fill.time.isoformat() == expected


def test_orders_positions_and_cash(tmp_path: Path) -> None:
    """Rows by a word, the last row of a table, and several tables in one section."""
    orders = "ref,sym,st,side,n,done,dt\n1,A,New,S,-2,0,\n1,A,Done,S,-2,-2,2026-01-01T10:00:00Z\n"
    states = "dt,usd,a,b\n2026-01-01T10:00:00Z,1,2,3\n2026-01-01T11:00:00Z,4,-5,6\n"
    side = take(
        tmp_path,
        """
source = "broker"
[orders]
path = "orders.csv"
where = { st = ["Done", "Filled"] }
columns = { exchange_order_id = "ref", symbol = "sym", side = "side", quantity = "n",
            filled_quantity = "done", state = "st", time = "dt" }
[states]
FILLED = "Done"
[[positions]]
path = "states.csv"
rows = "last"
constants = { symbol = "A" }
columns = { quantity = "a", time = "dt" }
[[positions]]
path = "states.csv"
rows = "last"
constants = { symbol = "B" }
columns = { quantity = "b" }
[cash]
path = "states.csv"
rows = "last"
constants = { currency = "USD" }
columns = { total = "usd" }
""".replace(",\n            filled", ", filled"),
        orders=orders,
        states=states,
    )
    (order,) = side.orders or ()
    assert (order.state, order.quantity, order.filled_quantity) == (OrderState.FILLED, 2, 2)
    assert {one.symbol: one.quantity for one in side.positions or ()} == {"A": -5, "B": 6}
    assert [(one.currency, one.total) for one in side.cash or ()] == [("USD", 4)]
    assert side.as_of.isoformat() == "2026-01-01T11:00:00+00:00"
    assert side.source == "broker"


@pytest.mark.parametrize(
    ("numbers", "cell", "expected"),
    [("float", "1.5e-05", "0.000015"), ("float", "0.10", "0.1"), ("decimal", "0.10", "0.10")],
)
def test_numbers_of_a_table(tmp_path: Path, numbers: str, cell: str, expected: str) -> None:
    """Exact amounts keep their text; floats are taken at their shortest."""
    mapping = f'numbers = "{numbers}"\n{MAPPING}'
    fill = fill_of(tmp_path, mapping, FILLS.replace("-1.5", cell))
    assert str(fill.quantity) == expected


REFUSED = {
    "no TOML": ("[fills", "is not TOML"),
    "an unknown key": (f"tolerance = 1\n{MAPPING}", "tolerance: unknown key"),
    "nothing mapped": ('source = "x"', "maps nothing; expected one of fills, orders"),
    "no column": (f'{MAPPING}fee = "comm"', "has no column 'comm'; there are c1, c2, dir, id"),
    "a field": (
        f'{MAPPING}amount = "qty"',
        "'amount' is no field; did you mean account?",
    ),
    "texts added up": (f'{MAPPING}fill_id = ["id", "sym"]', "fill_id comes from several columns"),
    "a field that is needed": (MAPPING.replace('price = "px"\n', ""), "row 2: price: is missing"),
    "text for an amount": (MAPPING.replace('"qty"', '"sym"'), "column sym: 'BTC' is not an amount"),
    "a time without offset": (MAPPING.replace('timezone = "UTC"', ""), "has no offset; expected"),
    "a time zone": (f"{MAPPING}".replace("UTC", "Mars/Base"), "timezone: 'Mars/Base' is not known"),
    "a path as time zone": (f"{MAPPING}".replace("UTC", "../etc"), "timezone: '../etc' is not"),
    "a side": (
        f'{MAPPING}side = "sym"',
        "row 2: column sym: 'BTC' is no side; expected one of BUY",
    ),
    "a side against the sign": (
        f'{MAPPING}[fills.constants]\nside = "BUY"',
        "row 2: quantity -1.5 is sold, and the side is BUY",
    ),
    "a word with two meanings": (
        f'{MAPPING}[sides]\nBUY = "x"\nSELL = ["x"]',
        "sides: 'x' has two meanings",
    ),
    "a fee in no currency": (f'{MAPPING}fee = "c1"', "a fee needs a fee_currency"),
    "a path that leads out": (MAPPING.replace("t.csv", "../t.csv"), "leads out of the session's"),
    "an absolute path": (MAPPING.replace("t.csv", "/etc/passwd"), "leads out of the session's"),
    "no table": (MAPPING.replace("t.csv", "u.csv"), "fills: u.csv: cannot be read"),
    "a column and a constant": (
        f'{MAPPING}[fills.constants]\nprice = "1"',
        "fills: t.csv: 'price' has a column and a constant",
    ),
    "two columns, the first of them": (
        f'{MAPPING}[fills.constants]\nprice = "1"\nsymbol = "BTC"',
        "fills: t.csv: 'symbol' has a column and a constant",
    ),
    "no column at all": (f"{MAPPING}fee = []", "fills[0].columns.fee.column: "),
    "an unknown key of a table": (f"{MAPPING}[fills.sheet]\n", "fills[0].sheet: unknown key"),
}


@pytest.mark.parametrize(("mapping", "expected"), REFUSED.values(), ids=REFUSED)
def test_a_mapping_that_is_refused(tmp_path: Path, mapping: str, expected: str) -> None:
    """The line names the mapping, the table and the column."""
    with pytest.raises(SessionError) as caught:
        take(tmp_path, mapping, t=FILLS)
    assert expected in str(caught.value)
    assert str(caught.value).startswith("bad.recon.json: internal.from: map.toml: ")


@pytest.mark.parametrize(
    ("cell", "zone", "expected"),
    [
        ("2026-03-29 02:30:00", "Europe/Berlin", "is no single moment in Europe/Berlin"),
        ("2026-10-25 02:30:00", "Europe/Berlin", "is no single moment in Europe/Berlin"),
        ("noon", "UTC", "'noon' is no time; expected ISO 8601"),
    ],
)
def test_a_time_that_the_clocks_never_showed_once(
    tmp_path: Path, cell: str, zone: str, expected: str
) -> None:
    """A local time that comes twice, or never, is no guess of ours."""
    with pytest.raises(SessionError, match=expected):
        take(
            tmp_path,
            MAPPING.replace("UTC", zone),
            t=FILLS.replace("2026-01-01T10:00:00", cell),
        )


def test_a_key_that_stands_twice_and_a_missing_time(tmp_path: Path) -> None:
    """As in a session file; and a side must be of some time."""
    table = 'path = "t.csv"\ncolumns = { symbol = "sym", quantity = "qty" }'
    with pytest.raises(SessionError, match="positions: duplicate BTC; expected each key once"):
        take(tmp_path, f"[positions]\n{table}", t=FILLS + FILLS.partition("\n")[2])
    with pytest.raises(SessionError, match="as_of: is missing, and no row of a table states"):
        take(tmp_path, f"[positions]\n{table}", t=FILLS)


def test_one_table_of_several_is_named_by_its_place(tmp_path: Path) -> None:
    """A key in two tables of a section is refused by the place of the second."""
    columns = 'columns = { symbol = "sym", quantity = "qty", time = "when" }'
    table = f'[[positions]]\npath = "t.csv"\n{columns}\n'
    with pytest.raises(SessionError, match=r"positions\[1\]: duplicate BTC"):
        take(tmp_path, f'timezone = "UTC"\n{table}{table}', t=FILLS)


def test_an_empty_column_is_there(tmp_path: Path) -> None:
    """A column that is empty in every row is an absent value, not a mistake."""
    table = FILLS.replace("0.1,0.2", ",")
    fill = fill_of(tmp_path, f'{MAPPING}fee = ["c1", "c2"]\n', table)
    assert fill.fee == 0


def test_json_lines_and_a_directory_of_their_own(tmp_path: Path) -> None:
    """A mapping may lie in a directory; its tables are seen from there and are evidence."""
    place = tmp_path / "run"
    place.mkdir()
    row = {"sym": "BTC", "when": "2026-01-01T10:00:00Z", "qty": 2.5, "px": "100", "fee": None}
    (place / "t.jsonl").write_text(f"{json.dumps(row)}\n")
    (place / "map.toml").write_text(MAPPING.replace("t.csv", "t.jsonl"))
    source = {"from": {"format": "table", "path": "run/map.toml", "as_of": AS_OF_TEXT}}
    path = write_session(tmp_path, document(internal=source))
    recorded = read_session(path)
    assert recorded.internal is not None
    assert [fill.quantity for fill in recorded.internal.fills or ()] == [Decimal("2.5")]
    assert {file.name: file.sha256 for file in recorded.inputs} == {
        name: hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()
        for name in (path.name, "run/map.toml", "run/t.jsonl")
    }


FIGURES = {
    "backtrader": {
        "cash::BTC": "match",
        "cash::USD": "-0.000000001333126",
        "position::BTC/USD": "match",
    },
    "vectorbt": {
        "cash::BTC": "match",
        "cash::ETH": "match",
        "cash::USD": "0.0000000000159835",
        "position::BTC/USD": "match",
        "position::ETH/USD": "match",
    },
}
ROWS = {"backtrader": (129, 129), "vectorbt": (111, None)}


def assert_reconciles(name: str, session: Path) -> None:
    reconciliation = reconcile_session(session)
    expected = {key: "match" if text == "match" else "INFO" for key, text in FIGURES[name].items()}
    assert states(reconciliation) == expected
    assert set(checks(reconciliation).values()) == {"match"}
    (diff,) = reconciliation.diffs
    assert diff.delta == Decimal(FIGURES[name][diff.identity])
    internal, external = (reconciliation.recorded.side(side) for side in LedgerSide)
    assert internal is not None
    assert external is not None
    assert len(internal.fills or ()) == ROWS[name][0]
    assert internal.orders is None  # an order that the ledger reports itself would be no evidence
    assert (None if external.orders is None else len(external.orders)) == ROWS[name][1]


@pytest.mark.parametrize("name", FIGURES)
def test_the_examples_reconcile_but_for_dust(name: str) -> None:
    """Backtrader and vectorbt compute in floats; what is left is far below float_dust."""
    assert_reconciles(name, EXAMPLES / name / "session.recon.json")


def test_a_fill_that_the_ledger_lost_is_missing_from_its_order(tmp_path: Path) -> None:
    """The orders of the example are the broker's, so they are held against the ledger's fills."""
    place = writable_copy(EXAMPLES / "backtrader", tmp_path / "run")
    rows = (place / "fills.csv").read_text().splitlines(keepends=True)
    (place / "fills.csv").write_text("".join([*rows[:20], *rows[21:]]))
    order = f"order::{rows[20].split(',')[0]}"
    diffs = {diff.identity: diff.severity for diff in reconcile_session(
        place / "session.recon.json").diffs}  # fmt: skip
    assert diffs[order] == "FAIL", diffs


@needs_recordings
@pytest.mark.parametrize(
    ("name", "recording"),
    [("backtrader", "stocklike_long_short"), ("vectorbt", "multi_cash_sharing")],
)
def test_the_examples_read_the_whole_recordings(name: str, recording: str, tmp_path: Path) -> None:
    """The examples' mappings on the tables as the engines wrote them, not cut to size."""
    place = writable_copy(EXAMPLES / name, tmp_path / "run")
    for table in place.glob("*.csv"):
        original = BESIDE / "recordings" / name / recording / table.name
        table.write_bytes(original.read_bytes())
    assert_reconciles(name, place / "session.recon.json")
