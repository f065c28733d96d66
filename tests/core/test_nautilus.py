"""nautilus_trader recordings: exact where nothing is wrong, and each known fault is seen."""

import csv
import hashlib
import io
import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from recon_core.engine.reconciliation import Reconciliation, reconcile_session
from recon_core.model import CashBalance, Currency, Leg, Position
from recon_core.policy import Policy
from recon_core.sessions import read_session
from recon_core.sessions.formats import nautilus_rows
from recon_core.sessions.formats.nautilus_accounts import precisions
from recon_core.sessions.formats.nautilus_legs import Legs

from .builders import AS_OF_TEXT, at, checks, document, fill, verdicts, write_session
from .recordings import states
from .refusals import refusal

DATA = Path(__file__).parents[1] / "data" / "nautilus"
VARIANTS: list[dict[str, Any]] = json.loads((DATA / "faults.json").read_text())["variants"]
ALL_MATCH = dict.fromkeys(("as-of", "complete", "coverage", "readable"), "match")

FIGURES = {
    "spot_btcusdt_cash": {
        "cash::BTC": "1.00000000",
        "cash::USDT": "98679.83742698",
        "position::BTCUSDT.BINANCE": "0.000000",
    },
    "spot_btcusdt_quotes_partial": {
        "cash::BTC": "10.75000000",
        "cash::USDT": "469863.64430441",
        "position::BTCUSDT.BINANCE": "0.750000",
    },
    "multi_spot_cash": {
        "cash::ADA": "48500.000000",
        "cash::BTC": "3.13753739",
        "cash::ETH": "21.23456000",
        "cash::USDT": "189055.12023720",
        "position::ADABTC.BINANCE": "-1500",
        "position::BTCUSDT.BINANCE": "0.100000",
        "position::ETHUSDT.BINANCE": "1.23456",
    },
    "perp_inverse_xbtusd": {
        "cash::BTC": "1.96230879",
        "position::BTC/USD.BITMEX": "-5000",
    },
    "hedge_mode_ethperp": {
        "cash::USDT": "249947.75513314",
        "position::ETHUSDT-PERP.BINANCE,leg=LONG": "0.000",
        "position::ETHUSDT-PERP.BINANCE,leg=SHORT": "-0.333",
    },
    "perp_ethusdt_bracket_all_rejected": {"cash::USDT": "250000.00000000"},
    "two_strategies_linear": {
        "cash::USDT": "999929.73907752",
        "position::ETHUSDT-PERP.BINANCE": "4.700",
    },
}


def amount(value: Position | CashBalance | None) -> Decimal:
    assert value is not None
    return value.quantity if isinstance(value, Position) else value.total


def copy_of(name: str, directory: Path) -> Path:
    return Path(shutil.copytree(DATA / name, directory / name))


@pytest.mark.large
@pytest.mark.parametrize("name", FIGURES)
def test_a_recording_is_clear_to_the_last_digit(name: str) -> None:
    """Replaying the engine's fills gives the engine's own figures exactly."""
    reconciliation = reconcile_session(DATA / name)
    assert states(reconciliation) == dict.fromkeys(FIGURES[name], "match")
    assert set(verdicts(reconciliation).values()) == {"match"}
    assert checks(reconciliation) == ALL_MATCH
    for comparison in reconciliation.comparisons:
        if comparison.check is None and comparison.identity in FIGURES[name]:
            expected = Decimal(FIGURES[name][comparison.identity])
            assert amount(comparison.internal) == amount(comparison.external) == expected


FX = "fx_gbpusd_hedging_rollover"
FX_LEGS = {"position::GBP/USD.SIM,leg=LONG": "match", "position::GBP/USD.SIM,leg=SHORT": "match"}
SWAP = "movement_id,kind,time,currency,amount,account\n"
SWAP += "swap-1,interest,2012-02-03T00:00:00Z,USD,-3.34,SIM-001\n"


def test_swap_interest_is_the_diff_until_the_movement_is_given(tmp_path: Path) -> None:
    """The rollover moved cash with no fill: 3.34 USD, to the cent, until somebody says so."""
    directory = copy_of(FX, tmp_path)
    without = reconcile_session(directory)
    assert verdicts(without) == {"cash::USD": "FAIL", **FX_LEGS}
    assert [(diff.delta, diff.notes) for diff in without.diffs] == [
        (
            Decimal("3.34"),
            ("internal: 100000.00 opening + 1509.00 realised PnL - 1239.81 fees = 100269.19 USD",),
        )
    ]
    (directory / "movements.csv").write_text(SWAP)
    assert verdicts(reconcile_session(directory)) == {"cash::USD": "match", **FX_LEGS}


@pytest.mark.large
@pytest.mark.parametrize("name", [*FIGURES, FX])
def test_a_recording_in_parquet_is_the_same_recording(name: str, tmp_path: Path) -> None:
    """The same frames written with to_parquet give the same session, evidence aside."""
    csv_directory = DATA / name
    directory = tmp_path / name
    directory.mkdir()
    for file in csv_directory.iterdir():
        if file.suffix == ".csv":
            write_parquet(file, directory / f"{file.stem}.parquet")
        elif file.name not in {"orders.json", "account_final.json"}:
            shutil.copy(file, directory)
    expected, found = read_session(csv_directory), read_session(directory)
    assert replace(found, inputs=(), anchor=expected.anchor) == replace(expected, inputs=())
    assert {file.name for file in found.inputs} >= {"meta.json", "instruments.json"}


def test_each_strategy_has_its_own_average_price() -> None:
    """Pooled over both strategies, the engine's cash could not be reproduced."""
    recorded = read_session(DATA / "two_strategies_linear")
    assert recorded.internal is not None
    fills = recorded.internal.fills or ()
    assert len({one.position_id for one in fills}) == 2
    pooled = tuple(replace(one, position_id=None) for one in fills)
    internal = replace(recorded.internal, fills=pooled)
    found = verdicts(Reconciliation(replace(recorded, internal=internal), Policy()))
    assert found == {"cash::USDT": "INFO", "position::ETHUSDT-PERP.BINANCE": "match"}


def test_inverse_entries_are_averaged_as_the_engine_does() -> None:
    """By its arithmetic mean the cash is exact; by the harmonic one it is not."""
    found = reconcile_session(DATA / "two_strategies_inverse")
    assert set(verdicts(found).values()) == {"match"}
    recorded = found.recorded
    harmonic = {
        symbol: replace(one, arithmetic_average=False)
        for symbol, one in recorded.instruments.items()
    }
    assert recorded.internal is not None
    rows = replace(recorded.internal, positions=None, cash=None, derived=frozenset())
    other = replace(recorded, internal=rows, instruments=harmonic)
    (diff,) = Reconciliation(other, Policy()).diffs
    assert (diff.identity, diff.delta) == ("cash::BTC", Decimal("0.00000273"))


def test_two_venues_are_two_accounts(tmp_path: Path) -> None:
    """One recording of two venues: every key names its account."""
    directory = copy_of("hedge_mode_ethperp", tmp_path)
    other = DATA / "perp_inverse_xbtusd"
    shutil.copy(other / "account_BITMEX.csv", directory)
    for name in ("fills.csv", "positions.csv"):
        rows = (other / name).read_text().splitlines(keepends=True)[1:]
        (directory / name).write_text((directory / name).read_text() + "".join(rows))
    for name, merge in (("instruments.json", list.__add__), ("meta.json", venues_of_both)):
        both = [json.loads((where / name).read_text()) for where in (directory, other)]
        (directory / name).write_text(json.dumps(merge(*both)))
    found = reconcile_session(directory)
    assert set(verdicts(found).values()) == {"match"}
    assert states(found) == dict.fromkeys(
        (
            "cash::BTC,account=BITMEX-001",
            "cash::USDT,account=BINANCE-001",
            "position::BTC/USD.BITMEX,account=BITMEX-001",
            "position::ETHUSDT-PERP.BINANCE,leg=LONG,account=BINANCE-001",
            "position::ETHUSDT-PERP.BINANCE,leg=SHORT,account=BINANCE-001",
        ),
        "match",
    )


def venues_of_both(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    opening = "configured_starting_balances"
    return one | {opening: one[opening] | other[opening]}


TYPES: dict[str, Callable[[str], Any]] = {
    "is_snapshot": lambda text: text == "True",
    "ts_event": datetime.fromisoformat,
    "": datetime.fromisoformat,
    "avg_px_open": float,
    "avg_px": float,
    "ts_init": str,
    "ts_last": int,
}


def write_parquet(source: Path, target: Path) -> None:
    """A table as pandas writes it: bools, times and floats typed, an index without a name."""
    pa, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    with source.open(newline="") as file:
        rows = list(csv.DictReader(file))
    columns = {
        name or "__index_level_0__": [
            TYPES.get(name, str)(row[name]) if row[name] else None for row in rows
        ]
        for name in rows[0]
    }
    parquet.write_table(pa.table(columns), target)


def test_parquet_without_pyarrow_is_one_clear_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever has only CSV needs no pyarrow; whoever needs it is told how to get it."""
    directory = copy_of("hedge_mode_ethperp", tmp_path)
    (directory / "fills.csv").rename(directory / "fills.parquet")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert refusal(directory) == (
        "session readable: CRITICAL, fills.parquet: reading Parquet needs pyarrow; "
        "install pytest-recon[parquet], or write the table as CSV"
    )


@pytest.mark.parametrize(
    ("column", "values", "expected"),
    [
        ("last_qty", [0.333], "fills.parquet: row 1: last_qty: 'float 0.333' is not an amount"),
        ("last_qty", [None], "fills.parquet: row 1: last_qty: is missing or empty"),
        ("ts_event", [datetime(2022, 1, 1)], "'2022-01-01T00:00:00' has no offset"),  # noqa: DTZ001
    ],
)
def test_a_parquet_cell_is_read_exactly_or_refused(
    column: str, values: list[object], expected: str, tmp_path: Path
) -> None:
    """No binary float becomes an amount, and no naive time a time."""
    pa, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    directory = copy_of("hedge_mode_ethperp", tmp_path)
    with (directory / "fills.csv").open(newline="") as file:
        first = next(csv.DictReader(file))
    (directory / "fills.csv").unlink()
    table = {name: [text] for name, text in first.items()} | {column: values}
    parquet.write_table(pa.table(table), directory / "fills.parquet")
    assert expected in refusal(directory)


def test_what_is_called_parquet_and_is_none_is_refused(tmp_path: Path) -> None:
    """One clear line, and no traceback of another library."""
    pytest.importorskip("pyarrow")
    directory = copy_of("hedge_mode_ethperp", tmp_path)
    (directory / "fills.csv").rename(directory / "fills.parquet")
    assert "fills.parquet: is not Parquet: " in refusal(directory)


OBSTACLES = {
    "options pay a premium": ("perp_inverse_xbtusd", {"type": "CryptoOption"}, {}, "is of type"),
    "a contract on a cash account": (
        "spot_btcusdt_cash",
        {"type": "Cfd"},
        {},
        "is of type 'Cfd' on a cash account; only a CurrencyPair or Equity can be replayed there",
    ),
    "a margin account of another currency": (
        "perp_inverse_xbtusd",
        {},
        {"MARGIN,BTC": "MARGIN,USD"},
        "settles in BTC on an account that keeps USD; the exchange rates are not recorded",
    ),
    "a cash account of one currency": (
        "spot_btcusdt_cash",
        {},
        {"CASH,,": "CASH,USDT,"},
        "trades on a cash account that keeps USDT only",
    ),
    "a betting account": (
        "spot_btcusdt_cash",
        {},
        {",CASH,": ",BETTING,"},
        "trades on an account of type 'BETTING'; expected CASH or MARGIN",
    ),
}


@pytest.mark.parametrize(
    ("name", "changed", "replaced", "expected"), OBSTACLES.values(), ids=OBSTACLES
)
def test_what_is_not_modelled_is_refused_by_name(
    name: str, changed: dict[str, str], replaced: dict[str, str], expected: str, tmp_path: Path
) -> None:
    """Cash is never booked by a rule that the engine does not follow."""
    directory = copy_of(name, tmp_path)
    instruments = json.loads((directory / "instruments.json").read_text())
    (directory / "instruments.json").write_text(json.dumps([instruments[0] | changed]))
    (account,) = directory.glob("account_*.csv")
    for old, new in replaced.items():
        account.write_text(account.read_text().replace(old, new))
    assert f"internal side: instrument {instruments[0]['id']} {expected}" in refusal(directory)


@pytest.mark.parametrize(
    ("position_id", "sides", "leg"),
    [
        ("X.SIM-S-1", ["BUY", "SELL", "SELL"], Leg.NET),
        ("X.SIM-LONG", ["BUY"], Leg.LONG),
        ("X.SIM-SHORT", ["SELL", "BUY"], Leg.SHORT),
        ("X.SIM-BOTH", ["SELL"], Leg.NET),
        ("SIM-1-001", ["BUY", "SELL"], Leg.LONG),
        ("SIM-1-001", ["SELL", "BUY"], Leg.SHORT),
        ("SIM-1-001", ["SELL", "BUY", "BUY"], Leg.NET),
        ("SIM-1-001", ["SELL", "BUY", "BUY", "SELL", "SELL"], Leg.NET),
        ("", ["BUY"], Leg.NET),
    ],
)
def test_the_leg_of_a_position_follows_from_its_id_and_its_fills(
    position_id: str, sides: list[str], leg: Leg
) -> None:
    """A hedging position never turns; both reports give it the same leg."""
    row = {"instrument_id": "X.SIM", "strategy_id": "S-1", "position_id": position_id}
    fills = [
        fill(str(number), order_side, "1", "1", time=at(number), position_id=position_id or None)
        for number, order_side in enumerate(sides)
    ]
    legs = Legs([row] * len(fills), fills)
    assert {one.leg for one in legs.fills} == {leg}
    held = sides.count("BUY") - sides.count("SELL")
    side_of = "LONG" if held > 0 else "SHORT" if held else "FLAT"
    report = {**row, "account_id": "A", "side": side_of, "quantity": str(abs(held))}
    assert legs.position(report) == (("A", "X.SIM", leg), Decimal(held))


def test_an_empty_cell_of_a_fill_is_no_name() -> None:
    """CSV has no other way to say that there is no order or position."""
    row = {"trade_id": "1", "instrument_id": "X.SIM", "order_side": "BUY", "last_qty": "1"}
    row |= {"last_px": "2", "ts_event": "2026-01-01 10:00:00+00:00", "commission": "0.1 USD"}
    row |= dict.fromkeys(("client_order_id", "venue_order_id", "position_id"), "")
    found = nautilus_rows.fill(row | {"account_id": "A"})
    assert (found.client_order_id, found.exchange_order_id, found.position_id) == (None,) * 3


def test_a_position_without_fills_is_of_the_direction_that_it_states() -> None:
    """What no fill explains is reported on the leg that the engine says."""
    row = {"instrument_id": "X.SIM", "position_id": "SIM-1-009", "account_id": "A"}
    legs = Legs([], [])
    for stated, entry, leg, quantity in (
        ("LONG", "BUY", Leg.LONG, "2"),
        ("SHORT", "SELL", Leg.SHORT, "2"),
        ("FLAT", "SELL", Leg.SHORT, "0"),
    ):
        report = {**row, "side": stated, "entry": entry, "quantity": quantity}
        assert legs.position(report)[0] == ("A", "X.SIM", leg)


def test_a_recording_is_named_by_its_meta_file() -> None:
    """Anchor, identity and evidence of a recording of several files."""
    recorded = read_session(DATA / "spot_btcusdt_quotes_partial")
    assert recorded.anchor == DATA / "spot_btcusdt_quotes_partial" / "meta.json"
    assert (recorded.session_id, recorded.strategy_id, recorded.recording_format) == (
        "spot_btcusdt_quotes_partial",
        "EMACross-000",
        "nautilus",
    )
    assert recorded == read_session(recorded.anchor)
    assert {file.name: file.sha256 for file in recorded.inputs} == {
        name: hashlib.sha256((recorded.anchor.parent / name).read_bytes()).hexdigest()
        for name in (
            "meta.json",
            "account_BINANCE.csv",
            "fills.csv",
            "orders.csv",
            "positions.csv",
            "instruments.json",
        )
    }


@pytest.mark.large
@pytest.mark.parametrize(("change", "clear"), [(0, True), (None, False), (1, False), (-1, False)])
def test_rounding_per_fill_decides_whether_the_cash_is_exact(
    change: int | None,
    clear: bool,  # noqa: FBT001
) -> None:
    """Three pairs, four currencies: only half-even at the declared precision is exact."""
    recorded = read_session(DATA / "multi_spot_cash")
    currencies = (
        {}
        if change is None
        else {
            code: Currency(code, currency.precision + change)
            for code, currency in recorded.currencies.items()
        }
    )
    found = verdicts(Reconciliation(replace(recorded, currencies=currencies), Policy()))
    assert (set(found.values()) == {"match"}) == clear


def test_the_precision_of_a_currency_is_that_of_its_balances() -> None:
    """The most decimals that one is printed with, none where all are whole."""
    printed = [("JPY", "1000"), ("USDT", "5"), ("USDT", "1.50"), ("USDT", "0.5"), ("JPY", "0")]
    found = precisions(CashBalance(currency, Decimal(total)) for currency, total in printed)
    assert found == {"JPY": Currency("JPY", 0), "USDT": Currency("USDT", 2)}


def faulty_fills(variant: dict[str, Any]) -> bytes:
    """The fills report with the variant's fault, checked against the recorded file's hash."""
    text = (DATA / variant["base"] / "fills.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(io.StringIO(text)))
    FAULTS[variant["fault"]](rows, variant.get("row", 0))
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    content = file.getvalue().encode()
    assert hashlib.sha256(content).hexdigest() == variant["fills_sha256"]
    return content


def flip_side(rows: list[dict[str, str]], at: int) -> None:
    rows[at]["order_side"] = {"BUY": "SELL", "SELL": "BUY"}[rows[at]["order_side"]]


def drop_all_fees(rows: list[dict[str, str]], _at: int) -> None:
    for row in rows:
        row["commission"] = "0 USDT"


def round_quantities(rows: list[dict[str, str]], _at: int) -> None:
    for row in rows:
        rounded = Decimal(row["last_qty"]).quantize(Decimal("0.0001"))
        if rounded != Decimal(row["last_qty"]):
            row["last_qty"] = str(rounded)


FAULTS: dict[str, Callable[[list[dict[str, str]], int], Any]] = {
    "drop_fill": lambda rows, at: rows.pop(at),
    "duplicate_fill": lambda rows, at: rows.insert(at, dict(rows[at])),
    "drop_fee": lambda rows, at: rows[at].update(commission="0 USDT"),
    "drop_all_fees": drop_all_fees,
    "round_qty_4dp": round_quantities,
    "flip_sign": flip_side,
}


@pytest.mark.parametrize(
    "variant", [one for one in VARIANTS if "fills_sha256" in one], ids=lambda one: one["id"]
)
def test_a_fault_in_the_recording_is_seen(variant: dict[str, Any], tmp_path: Path) -> None:
    """The faulty fills report beside the engine's other reports gives the known verdicts."""
    directory = copy_of(variant["base"], tmp_path)
    (directory / "fills.csv").write_bytes(faulty_fills(variant))
    assert states(reconcile_session(directory)) == variant["expected_verdicts"]


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda one: one["id"])
def test_a_fault_is_seen_in_a_session_file(variant: dict[str, Any], tmp_path: Path) -> None:
    """The same states, written as a native session, give the same verdicts."""
    sides = {
        name: {"as_of": AS_OF_TEXT, **state} for name, state in variant["derived_pair"].items()
    }
    reconciliation = reconcile_session(write_session(tmp_path, document(**sides)))
    assert verdicts(reconciliation) == variant["expected_verdicts"]


def test_a_duplicate_fill_is_booked_twice_and_named(tmp_path: Path) -> None:
    """The diffs that a duplicate fill causes name it as one."""
    variant = next(one for one in VARIANTS if one["id"].endswith("_cash/duplicate_fill"))
    directory = copy_of(variant["base"], tmp_path)
    (directory / "fills.csv").write_bytes(faulty_fills(variant))
    note = (
        "internal lists fill T-a3c249d4dc295481-18800 of BTCUSDT.BINANCE 2 times; each is counted"
    )
    diffs = [diff for diff in reconcile_session(directory).diffs if diff.diff_type != "ORDER"]
    assert [diff.notes[0] for diff in diffs] == [note] * 3


@pytest.mark.parametrize(("cell", "account"), [("SIM-001", "SIM-001"), ("", None)])
def test_a_movement_belongs_to_its_account(tmp_path: Path, cell: str, account: str | None) -> None:
    """The account of `movements.csv` is the row's; without one it is the side's only one."""
    directory = copy_of(FX, tmp_path)
    (directory / "movements.csv").write_text(SWAP.replace("SIM-001", cell))
    internal = read_session(directory).internal
    assert internal is not None
    assert [row.account for row in internal.movements or ()] == [account]


@pytest.mark.parametrize("value", ["", None, 7])
def test_a_name_in_the_instruments_is_a_text_that_is_not_empty(
    tmp_path: Path, value: object
) -> None:
    """An instrument without an id is refused by its row."""
    directory = copy_of(FX, tmp_path)
    (row,) = json.loads((directory / "instruments.json").read_text())
    (directory / "instruments.json").write_text(json.dumps([{**row, "id": value}]))
    assert "instruments.json: row 1: id: is missing; expected text" in refusal(directory)
