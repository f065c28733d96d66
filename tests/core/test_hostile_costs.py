"""Hostile files in a process of their own: refused or judged, in bounded time and memory.

Each case writes some bytes and is judged under a limit of address space; the process says
how much memory it held at most. A sample runs by default, all of them in soak.
"""

import json
import os
import shutil
import sqlite3
import struct
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from .builders import AS_OF_TEXT, document, write_session
from .recordings import DATA

# Processor time is counted in additions of this machine, which is sometimes busy: about 15 s.
MOST_MIB, MOST_ADDITIONS = 512, 300_000_000
SOAK = os.environ.get("RECON_TEST_SIZE") == "soak"
CHILD = """
import json, pathlib, resource, sys
resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
from recon_core.values.errors import ReconError
from recon_core.policy.toml_file import read_policy
from recon_core.engine.reconciliation import reconcile_session
from recon_core.policy.settings import find_settings
path = pathlib.Path(sys.argv[1])
try:
    if path.name == "recon.toml":
        text = f"read {len(read_policy(path).aliases.external)}"
    elif path.name == "pytest.ini":
        text = f"read {find_settings(path.parent).root.name}"
    else:
        found = reconcile_session(path)
        text = " ".join(f"{one.verdict} {one.message}" for one in found.judgements[:3])
except ReconError as error:
    text = str(error)
status = pathlib.Path("/proc/self/status").read_text()
held = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps([text, held // 1024, used.ru_utime + used.ru_stime]))
"""
Case = tuple[Callable[[Path], Path], str]
CASES: dict[str, Case] = {}
SAMPLE: list[str] = []


def case(expected: str, *, sampled: bool = False) -> Callable[[Callable[[Path], Path]], None]:
    def register(make: Callable[[Path], Path]) -> None:
        name = make.__name__.replace("_", " ").strip()
        CASES[name] = (make, expected)
        if sampled:
            SAMPLE.append(name)

    return register


def session(directory: Path, **internal: Any) -> Path:
    return write_session(directory, document(internal={"as_of": AS_OF_TEXT, **internal}))


def raw(directory: Path, internal: bytes, before: bytes = b"") -> Path:
    """A session whose internal side, or what stands before it, is these bytes."""
    path = directory / "bad.recon.json"
    head = b'{"schema":"recon.session/1","session_id":"x",' + before
    as_of = AS_OF_TEXT.encode()
    path.write_bytes(head + b'"internal":{"as_of":"' + as_of + b'"' + internal + b"}}")
    return path


def table(directory: Path, name: str, content: bytes) -> Path:
    (directory / name).write_bytes(content)
    return session(directory, fills={"path": name})


def mapping(directory: Path, content: str) -> Path:
    (directory / "m.toml").write_text(content)
    source = {"format": "table", "path": "m.toml", "as_of": AS_OF_TEXT}
    return write_session(directory, document(internal={"from": source}))


def keys(count: int, value: str = "1") -> bytes:
    return ",".join(f'"k{number}":{value}' for number in range(count)).encode()


# JSON


@case("positions[0].symbol: is missing (and at least 1 more)", sampled=True)
def a_million_empty_rows(directory: Path) -> Path:
    return raw(directory, b',"positions":[' + b"{}," * 1_000_000 + b"{}]")


@case("objects and lists; expected at most 2000000")
def thirty_million_empty_rows(directory: Path) -> Path:
    return raw(directory, b',"positions":[' + b"{}," * 30_000_000 + b"{}]")


@case("values; expected at most 8000000")
def nine_million_numbers(directory: Path) -> Path:
    return raw(directory, b',"positions":[' + b"11," * 9_000_000 + b"1]")


@case("an object has 1000001 keys; expected at most 100000 (the setting recon_limits raises it")
def a_million_unknown_keys(directory: Path) -> Path:
    return raw(directory, b"," + keys(1_000_000))


@case("internal.k0: unknown key (and at least")
def unknown_keys_just_below_the_limit(directory: Path) -> Path:
    return raw(directory, b"," + keys(99_000))


@case("instruments.I0.k0: unknown key")
def many_objects_of_many_unknown_keys(directory: Path) -> Path:
    wide = b"{" + keys(90_000) + b"}"
    instruments = b",".join(b'"I%d":%s' % (number, wide) for number in range(40))
    return raw(directory, b"", b'"instruments":{' + instruments + b"},")


@case("internal.orders[0].k0: unknown key")
def rows_of_many_unknown_keys(directory: Path) -> Path:
    row = b"{" + keys(90_000) + b"}"
    return raw(directory, b',"orders":[' + b",".join([row] * 40) + b"]")


@case("an object has 1000000 keys")
def a_million_currencies(directory: Path) -> Path:
    return raw(directory, b"", b'"currencies":{' + keys(1_000_000, '{"precision":2}') + b"},")


@case("currencies.k0: 1; expected an object (and at least 99 more)")
def currencies_that_are_all_wrong(directory: Path) -> Path:
    return raw(directory, b"", b'"currencies":{' + keys(99_000) + b"},")


@case("internal.cash.EUR: '1e999999999' is not an amount")
def an_exponent_of_nine_digits(directory: Path) -> Path:
    return raw(directory, b',"cash":{"EUR":1e999999999}')


@case("is not an amount")
def an_integer_of_ten_million_digits(directory: Path) -> Path:
    return raw(directory, b',"cash":{"EUR":' + b"1" * 10_000_000 + b"}")


@case("is nested deeper than 64 levels")
def a_million_levels(directory: Path) -> Path:
    return raw(directory, b',"cash":' + b'{"a":' * 1_000_000)


@case("as text with characters beyond U+FFFF has", sampled=True)
def a_text_that_is_four_times_as_large_in_memory(directory: Path) -> Path:
    return raw(directory, b',"source":"' + b"x" * 110_000_000 + "\U0001f600".encode() + b'"')


@case("has 419430400 bytes; expected at most 201326592")
def a_hole_of_400_mebibytes(directory: Path) -> Path:
    return hole(directory / "bad.recon.json", 400)


@case("byte 0 is NUL; expected UTF-8 text")
def a_hole_below_the_limit(directory: Path) -> Path:
    return hole(directory / "bad.recon.json", 190)


def hole(path: Path, mebibytes: int) -> Path:
    path.touch()
    os.truncate(path, mebibytes * 1024 * 1024)
    return path


# Tables


@case("f.csv: [0].symbol: is missing", sampled=True)
def csv_of_twenty_million_short_rows(directory: Path) -> Path:
    return table(directory, "f.csv", b"fill_id\n" + b"1\n" * 20_000_000)


@case("rows; expected at most 2000000 (the setting recon_limits raises it: table_rows = N)")
def csv_of_many_rows_that_are_left_out(directory: Path) -> Path:
    (directory / "f.csv").write_bytes(b"a\n" + b"1\n" * 2_100_000)
    return mapping(directory, '[fills]\npath = "f.csv"\nwhere = { a = "2" }\n')


@case("a line has at least 1048577 bytes")
def csv_of_a_million_columns(directory: Path) -> Path:
    header = b",".join(b"c%d" % number for number in range(1_000_000))
    return table(directory, "f.csv", header + b"\n" + b"," * 999_999 + b"\n")


@case("has 9000 columns; expected at most 1000")
def csv_of_nine_thousand_columns(directory: Path) -> Path:
    return table(directory, "f.csv", b",".join(b"c%d" % number for number in range(9000)) + b"\n")


@case("a cell in line 131074 has at least 131073 characters")
def csv_of_one_quoted_cell_of_line_ends(directory: Path) -> Path:
    return table(directory, "f.csv", b'fill_id\n"' + b"\n" * 50_000_000 + b'"\n')


@case("a line has at least 1048577 bytes")
def csv_of_one_cell_of_100_megabytes(directory: Path) -> Path:
    return table(directory, "f.csv", b"fill_id\n" + b"x" * 100_000_000 + "\U0001f600\n".encode())


@case("f.csv: byte 0 is NUL")
def csv_that_is_a_hole(directory: Path) -> Path:
    hole(directory / "f.csv", 250)
    return session(directory, fills={"path": "f.csv"})


@case("objects and lists; expected at most 2000000")
def json_lines_of_three_million_objects(directory: Path) -> Path:
    return table(directory, "f.jsonl", b"{}\n" * 3_000_000)


def parquet(directory: Path, columns: dict[str, Any], **options: Any) -> Path:
    import pyarrow as pa
    from pyarrow import parquet as pq

    pq.write_table(pa.table(columns), directory / "f.parquet", compression="zstd", **options)
    return session(directory, fills={"path": "f.parquet"})


def dictionary(rows: int, text: str) -> Any:
    import pyarrow as pa

    indices = pa.repeat(pa.scalar(0, pa.int32()), rows)
    return pa.DictionaryArray.from_arrays(indices, pa.array([text]))


@case("has 5000000 rows; expected at most 2000000")
def parquet_of_equal_numbers(directory: Path) -> Path:
    import pyarrow as pa

    return parquet(directory, dict.fromkeys("abcde", pa.repeat(0, 5_000_000)))


@case("[0].symbol: is missing")
def parquet_of_one_text_in_two_million_rows(directory: Path) -> Path:
    return parquet(directory, {"fill_id": dictionary(2_000_000, "x" * 1000)})


@case("(the setting recon_limits raises it", sampled=True)
def parquet_of_four_long_texts(directory: Path) -> Path:
    return parquet(directory, {"fill_id": ["x" * 100_000_000] * 4})


@case("a text has 200000 characters; expected at most 131072")
def parquet_of_a_long_text_in_many_rows(directory: Path) -> Path:
    return parquet(directory, {"fill_id": dictionary(1_000_000, "x" * 200_000)})


@case("column 'a': has type list<element: int64>; expected text, numbers or times")
def parquet_of_lists(directory: Path) -> Path:
    return parquet(directory, {"a": [[1] * 1_000_000]})


@case("column 'a': has type struct<")
def parquet_of_structures(directory: Path) -> Path:
    value: Any = 1
    for _ in range(60):
        value = {"a": value}
    return parquet(directory, {"a": [value]})


@case("has 20000 columns; expected at most 1000")
def parquet_of_twenty_thousand_columns(directory: Path) -> Path:
    return parquet(directory, {f"c{number}": [1] for number in range(20_000)})


@case("f.parquet: is not Parquet")
def parquet_whose_footer_lies(directory: Path) -> Path:
    path = parquet(directory, {"a": [1]})
    data = (directory / "f.parquet").read_bytes()
    (directory / "f.parquet").write_bytes(data[:-8] + struct.pack("<I", 2**31 - 1) + b"PAR1")
    return path


# Tables by a mapping: JSON arrays, XML, states and cells

LISTED = '[fills]\npath = "{}"\n{}columns = {{ symbol = "a", quantity = "b", time = "c" }}\n'


def listed(directory: Path, name: str, content: bytes, more: str = "") -> Path:
    (directory / name).write_bytes(content)
    return mapping(directory, LISTED.format(name, more))


@case("objects and lists; expected at most 2000000")
def json_array_of_three_million_rows(directory: Path) -> Path:
    return listed(directory, "f.json", b"[" + b"{}," * 3_000_000 + b"{}]")


@case("is nested deeper than 64 levels")
def json_array_of_a_million_levels(directory: Path) -> Path:
    return listed(directory, "f.json", b"[" * 1_000_000)


@case("f.json: row 1 is no object")
def json_array_of_numbers(directory: Path) -> Path:
    return listed(directory, "f.json", b"[" + b"1," * 1_000_000 + b"1]")


@case("declares a document type or an entity; expected plain elements", sampled=True)
def xml_of_a_billion_laughs(directory: Path) -> Path:
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "ha"}">' for n in range(12))
    content = f'<!DOCTYPE r [{entities}]><r><T a="&e11;"/></r>'
    return listed(directory, "f.xml", content.encode(), 'at = "r/T"\n')


@case("a line has at least 1048577 bytes")
def xml_of_an_attribute_of_100_megabytes(directory: Path) -> Path:
    content = b'<r><T a="' + b"x" * 100_000_000 + b'"/></r>'
    return listed(directory, "f.xml", content, 'at = "r/T"\n')


@case("a has 900000 characters; expected at most 131072")
def xml_of_a_long_attribute(directory: Path) -> Path:
    content = b'<r><T a="' + b"x" * 900_000 + b'"/></r>'
    return listed(directory, "f.xml", content, 'at = "r/T"\n')


@case("has at least 2000001 objects and lists; expected at most 2000000")
def xml_of_three_million_elements(directory: Path) -> Path:
    content = b"<r>" + b"<T/>" * 3_000_000 + b"</r>"
    return listed(directory, "f.xml", content, 'at = "r/T"\n')


@case("is nested deeper than 64 levels")
def xml_of_a_million_levels(directory: Path) -> Path:
    return listed(directory, "f.xml", b"<r>" * 1_000_000, 'at = "r/T"\n')


@case("snapshots: has at least")
def snapshots_of_ever_more_currencies(directory: Path) -> Path:
    times = (f"{n // 3600 % 24:02d}:{n // 60 % 60:02d}:{n % 60:02d}" for n in range(20_000))
    rows = (f"C{n},{n},2026-01-01T{time}Z" for n, time in enumerate(times))
    (directory / "f.csv").write_text("a,b,t\n" + "\n".join(rows) + "\n")
    columns = '{ currency = "a", total = "b", time = "t" }'
    return mapping(directory, f'[snapshots.cash]\npath = "f.csv"\ncolumns = {columns}\n')


@case("row 2: a 'x': row 3 is paid again")
def a_million_rows_of_one_key(directory: Path) -> Path:
    join = 'join = { key = "a", amount = "b" }\n'
    return listed(directory, "f.csv", b"a,b,c\n" + b"x,-1,2\n" * 1_000_000, join)


@case("is not an amount; expected digits")
def amounts_of_100_kilobytes(directory: Path) -> Path:
    words = '[amounts]\nunit = true\nthousands = ","\nsigns = ["parentheses", "trailing"]\n'
    cell = "(" + "1,111" * 20_000
    (directory / "f.csv").write_text("a,b,c\n" + f'x,"{cell}",2\n' * 100)
    return mapping(directory, LISTED.format("f.csv", "") + words)


@case("none of the first 30 lines is the header; expected a, b, c")
def a_header_that_no_line_is(directory: Path) -> Path:
    shape = 'file = { header = "found" }\n'
    (directory / "f.csv").write_bytes(b"a,b\n" * 2_000_000)
    return mapping(directory, shape + LISTED.format("f.csv", ""))


# SQLite

ORDERS = "create table orders (id integer primary key, ft_trade_id integer, ft_order_side text);"
NUMBERS = (
    "with recursive c(x) as (select 1 union all select x + 1 from c where x < {}) select {} from c"
)


def bot(directory: Path, *statements: str) -> Path:
    path = directory / "t.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(ORDERS + ";".join(statements))
        connection.commit()
    return path


def computed(directory: Path, expression: str) -> Path:
    """A bot with a column that only its reader computes: it is added when the rows are there."""
    create = "create table trades (id integer primary key, pair text)"
    insert = "insert into trades (pair) values ('A/B'), ('A/B')"
    column = f"stake_currency text generated always as ({expression}) virtual"
    return bot(directory, create, insert, f"alter table trades add column {column}")


@case("trades: stake_currency: is a computed column; expected a plain one", sampled=True)
def sqlite_that_prints(directory: Path) -> Path:
    return computed(directory, "printf('%.*c', 900000000, 'x')")


@case("is a computed column")
def sqlite_that_replaces(directory: Path) -> Path:
    return computed(directory, "replace(hex(zeroblob(20000)), '0', hex(zeroblob(10000)))")


INSERT = "insert into trades values (1, '{}')"  # the test's own text
TRADES = "create table trades (id integer primary key, stake_currency text)"


@case("trades: has at least 2000001 rows; expected at most 2000000")
def sqlite_of_five_million_rows(directory: Path) -> Path:
    insert = "insert into trades (stake_currency) " + NUMBERS.format(5_000_000, "'U'")
    return bot(directory, TRADES, insert)


@case("trades: texts: has at least")
def sqlite_of_a_long_default(directory: Path) -> Path:
    insert = "insert into trades (stake_currency) " + NUMBERS.format(100_000, "'U'")
    default = f"alter table trades add column note text default '{'x' * 100_000}'"
    return bot(directory, TRADES, insert, default)


@case("a value has at least 131073 characters; expected at most 131072")
def sqlite_of_a_long_value(directory: Path) -> Path:
    return bot(directory, TRADES, INSERT.format("x" * 10_000_000))


@case("trades: row 1: is_short")
def sqlite_of_a_check_that_never_ends(directory: Path) -> Path:
    check = f"check (stake_currency not glob '{'*a' * 40}b')"
    trades = f"create table trades (id integer primary key, stake_currency text {check})"
    ignored = "pragma ignore_check_constraints = on"
    return bot(directory, trades, ignored, INSERT.format("a" * 5000))


# Archives

NAME = "backtest-result-x"


def archive(directory: Path, blocks: Iterable[bytes]) -> Path:
    path = directory / f"{NAME}.zip"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as opened,
        opened.open(f"{NAME}.json", "w", force_zip64=True) as member,
    ):
        for block in blocks:
            member.write(block)
    return path


@case("has 1073741824 bytes; expected at most 201326592")
def zip_of_a_gibibyte_of_zeros(directory: Path) -> Path:
    return archive(directory, (bytes(1 << 20) for _ in range(1024)))


@case("is no readable zip: Bad CRC-32", sampled=True)
def zip_whose_member_is_larger_than_it_says(directory: Path) -> Path:
    path = archive(directory, (bytes(1 << 20) for _ in range(300)))
    data = bytearray(path.read_bytes())
    position = data.rindex(b"PK\1\2") + 24
    data[position : position + 4] = struct.pack("<I", 1000)
    path.write_bytes(data)
    return path


@case("its list of members has")
def zip_of_sixty_thousand_members(directory: Path) -> Path:
    path = directory / f"{NAME}.zip"
    with zipfile.ZipFile(path, "w") as opened:
        for number in range(60_000):
            opened.writestr(f"{NAME}_{number}.json", b"")
    return path


# TOML and ini


@case("m.toml: a key has at least 33 dots; expected at most 32", sampled=True)
def toml_of_a_key_of_fifty_thousand_dots(directory: Path) -> Path:
    return mapping(directory, "a" + ".a" * 50_000 + " = 1\n")


@case("a key has at least 33 dots")
def toml_of_a_quoted_key_of_many_dots(directory: Path) -> Path:
    return mapping(directory, 'x = "\'"\n' + " . ".join(['"a\\"b"'] * 20_000) + " = 1\n")


@case("m.toml: k0: unknown key (and at least 63 more)")
def toml_of_many_keys_of_as_many_dots_as_allowed(directory: Path) -> Path:
    return mapping(directory, "".join(f"k{number}{'.a' * 31} = 1\n" for number in range(14_000)))


@case("is nested too deep")
def toml_of_deep_lists(directory: Path) -> Path:
    return mapping(directory, "a = " + "[" * 100_000)


@case("holds an integer of 4000000 bits; expected 128")
def toml_of_a_long_hexadecimal(directory: Path) -> Path:
    return mapping(directory, f"a = 0x{'f' * 1_000_000}\n")


@case(
    "has 11888908 bytes; expected at most 1048576 (the setting recon_limits raises it: toml_bytes"
)
def policy_of_a_million_keys(directory: Path) -> Path:
    path = directory / "recon.toml"
    path.write_text("[aliases.external]\n" + "".join(f"k{n} = 1\n" for n in range(1_000_000))[:-1])
    return path


@case("recon.toml: aliases.external.k0: 1; expected text (and at least 99 more)")
def policy_of_aliases_that_are_all_wrong(directory: Path) -> Path:
    path = directory / "recon.toml"
    path.write_text("[aliases.external]\n" + "".join(f"k{n} = 1\n" for n in range(90_000)))
    return path


@case("pytest.ini: has 5000009 bytes; expected at most 1048576")
def ini_of_5_megabytes(directory: Path) -> Path:
    path = directory / "pytest.ini"
    path.write_text("[pytest]\n" + "x" * 5_000_000)
    return path


@case("pytest.ini: cannot be understood")
def ini_of_many_lines_that_are_none(directory: Path) -> Path:
    path = directory / "pytest.ini"
    path.write_text("[pytest]\n" + "\n".join(" x" for _ in range(300_000)) + "\n[")
    return path


# Foreign results


def ccxt(directory: Path, content: bytes) -> Path:
    (directory / "orders.json").write_bytes(content)
    source = {"format": "ccxt", "path": "orders.json", "as_of": AS_OF_TEXT}
    return write_session(directory, document(external={"from": source}))


@case("orders.json: a row is no unified position, trade or order of ccxt")
def ccxt_of_a_million_empty_orders(directory: Path) -> Path:
    return ccxt(directory, b"[" + b"{}," * 1_000_000 + b"{}]")


@case("fills.csv: row 1: commission: is missing or empty")
def nautilus_of_many_short_fills(directory: Path) -> Path:
    shutil.copytree(DATA / "nautilus" / "spot_btcusdt_cash", directory / "run")
    path = directory / "run" / "fills.csv"
    path.write_bytes(b"trade_id\n" + b"1\n" * 1_900_000)
    return directory / "run" / "meta.json"


@case("orders: row 1: symbol: is missing or no object", sampled=True)
def lean_of_a_million_empty_orders(directory: Path) -> Path:
    path = directory / "1.json"
    path.write_bytes(b'{"rollingWindow": {}, "orders": [' + b"{}," * 1_000_000 + b"{}]}")
    (directory / "1-order-events.json").write_text("[]")
    return path


@case("1-order-events.json: row 1: fillQuantity: is missing")
def lean_of_a_million_empty_events(directory: Path) -> Path:
    path = directory / "1.json"
    path.write_text('{"orders": {}}')
    (directory / "1-order-events.json").write_bytes(b"[" + b"{}," * 1_000_000 + b"{}]")
    return path


@case("FAIL position S0: FAIL, internal 1, external 0 (not listed)")
def lean_of_many_events_of_orders_that_are_not_there(directory: Path) -> Path:
    path = directory / "1.json"
    path.write_text('{"orders": {}}')
    event = (
        '{{"orderId": {0}, "orderEventId": 1, "symbol": "S{0}", "time": 1740978000, '
        '"fillQuantity": 1, "fillPrice": 1}}'
    )
    (directory / "1-order-events.json").write_text(
        "[" + ",".join(event.format(number) for number in range(50_000)) + "]"
    )
    return path


@case("backtest-result.json: trades: row 1: is_open: 'None'; expected true or false")
def freqtrade_of_a_million_empty_trades(directory: Path) -> Path:
    path = directory / "backtest-result.json"
    path.write_bytes(b'{"strategy": {"S": {"trades": [' + b"{}," * 1_000_000 + b"{}]}}}")
    return path


@case("backtest-result.json: has 209715200 bytes; expected at most 201326592", sampled=True)
def freqtrade_of_200_mebibytes(directory: Path) -> Path:
    path = directory / "backtest-result.json"
    with path.open("wb") as file:
        file.truncate(200 << 20)
    return path


def judged(path: Path) -> tuple[str, int, float]:
    """The messages of a case, the MiB that its process held, and its seconds of processor."""
    child = subprocess.run(
        [sys.executable, "-c", CHILD, str(path)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert child.returncode == 0, child.stderr[-1000:]
    text, held, seconds = json.loads(child.stdout)
    return text, held, seconds


@pytest.fixture(scope="module")
def addition() -> float:
    """Seconds of processor that one addition takes in a loop, now and on this machine."""
    started, total = time.process_time(), 0
    for number in range(2_000_000):
        total += number
    return (time.process_time() - started) / 2_000_000


@pytest.mark.large
@pytest.mark.parametrize("name", CASES if SOAK else SAMPLE)
def test_a_hostile_file_costs_little(tmp_path: Path, name: str, addition: float) -> None:
    """The process ends by itself, under 512 MiB and in seconds, with one line that says why."""
    make, expected = CASES[name]
    text, held, seconds = judged(make(tmp_path))
    assert expected in text
    assert str(tmp_path) not in text
    assert "while reading" not in text
    assert held < MOST_MIB
    assert seconds < MOST_ADDITIONS * addition


def test_one_hostile_file_leaves_the_others_judged(tmp_path: Path) -> None:
    """CRITICAL for the one, and every other session of the gate has its verdict."""
    count = 999 if SOAK else 30
    hostile = CASES["thirty million empty rows" if SOAK else "a million empty rows"][0](tmp_path)
    for number in range(count):
        write_session(tmp_path, document(session_id=f"s{number}"), f"s{number}.recon.json")
    command = [sys.executable, "-m", "recon_core.cli", "check", ".", "--format", "json"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    report = json.loads(ended.stdout)
    verdicts = {
        one["summary"]["session_id"]: one["summary"]["max_severity"] for one in report["sessions"]
    }
    name = hostile.name.removesuffix(".recon.json")
    assert verdicts.pop(name) == "CRITICAL"
    assert len(verdicts) == count
    assert set(verdicts.values()) == {"INFO"}
    assert ended.returncode == 2


FILL = "f{0},o{0},x{0}-0123456789abcdef,BTC/EUR,{1},1.{0:08},42000.{2:02},0.00000001,EUR,main,{3}\n"
FIELDS = (
    "fill_id,client_order_id,exchange_order_id,symbol,side,quantity,price,"
    "fee,fee_currency,account,time"
)


def rows(count: int) -> Iterable[str]:
    for number in range(count):
        time_text = f"2026-01-01T{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}Z"
        yield FILL.format(number, "BUY" if number % 2 else "SELL", number % 100, time_text)


@pytest.mark.skipif(not SOAK, reason="a minute of processor: long counts run with make soak")
@pytest.mark.large
@pytest.mark.parametrize(("kind", "count"), [("csv", 10**6), ("parquet", 10**6), ("json", 200_000)])
def test_a_large_honest_session_is_read(tmp_path: Path, kind: str, count: int) -> None:
    """Default limits let 1,000,000 fills a side pass as a table, 200,000 as JSON."""
    from pyarrow import csv, parquet  # an extra

    (tmp_path / "f.csv").write_text(f"{FIELDS}\n" + "".join(rows(count)))
    fills: Any = {"path": f"f.{kind}"}
    if kind == "parquet":
        types = dict.fromkeys(FIELDS.split(","), "string")
        convert = csv.ConvertOptions(column_types=types)
        parquet.write_table(
            csv.read_csv(tmp_path / "f.csv", convert_options=convert), tmp_path / "f.parquet"
        )
    if kind == "json":
        names = FIELDS.split(",")
        fills = [dict(zip(names, row.strip().split(","), strict=True)) for row in rows(count)]
    side = {"as_of": "2026-01-02T00:00:00Z", "fills": fills}
    path = write_session(tmp_path, document(internal=side, external=side))
    code = (
        "import sys, pathlib; from recon_core.sessions import read_session;"
        "one = read_session(pathlib.Path(sys.argv[1]));"
        "print(len(one.internal.fills), len(one.external.fills))"
    )
    started = time.monotonic()
    output = subprocess.check_output([sys.executable, "-c", code, str(path)], text=True)
    assert output.split() == [str(count), str(count)]
    assert time.monotonic() - started < 300
