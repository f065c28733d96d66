"""Shipped formats: each sample is read to exact rows, and what is not as declared is refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from recon_core.engine.reconciliation import reconcile_session
from recon_core.model import Fill, Movement, SideRecord
from recon_core.sessions import read_session
from recon_core.sessions.formats.shipped import (
    mapping_text,
    recognised,
    sample_of,
    shipped_mapping,
    shipped_names,
    statement_session,
)
from recon_core.sessions.native_text import session_text
from recon_core.values.amounts import format_amount
from recon_core.values.errors import SessionError
from recon_core.values.times import format_time

from .refusals import refusal


def placed(directory: Path, name: str, content: bytes | None = None) -> Path:
    """The sample of a format, or other bytes under its name, in a directory."""
    file, sample = sample_of(name)
    path = directory / file
    path.write_bytes(sample if content is None else content)
    return path


def session(directory: Path, name: str, **sides: Any) -> Path:
    """A session file that takes its external side from the sample."""
    source = {"from": {"format": name, "path": sample_of(name)[0]}}
    document = {"schema": "recon.session/1", "session_id": name, "external": source} | sides
    path = directory / f"{name}.recon.json"
    path.write_text(json.dumps(document))
    return path


def external(directory: Path, name: str, content: bytes | None = None) -> SideRecord:
    """The external side of `session`."""
    placed(directory, name, content)
    side = read_session(session(directory, name)).external
    assert side is not None
    return side


def fill(row: Fill) -> str:
    """A fill in words: what moved at what price and cost, and when."""
    amounts = " ".join(map(format_amount, (row.quantity, row.price, row.fee)))
    leg = "" if row.leg == "NET" else f" {row.leg}"
    end = f"{row.fee_currency or '-'} {format_time(row.time)}"
    return f"{row.fill_id}: {row.side} {row.symbol}{leg} {amounts} {end}"


def movement(row: Movement) -> str:
    """A movement in words."""
    assert row.amount is not None
    moved = f"{row.movement_kind} {format_amount(row.amount)} {row.currency}"
    return f"{row.movement_id}: {moved} {format_time(row.time)}"


FILLS = {
    "alpaca": [
        "20260303154501123::a3: SELL ACME 40 49.1 0 - 2026-03-03T20:45:01.123456Z",
        "20260302093015456::a2: BUY ACME 100 48.25 0 - 2026-03-02T14:30:15.456000Z",
    ],
    "binance_futures_income": [],
    "binance_spot": [
        "row 2: BUY SOL/USDT 2.4000000000 142.50 0.00240000 SOL 2026-03-02T09:15:01Z",
        "row 3: BUY 1INCH/USDT 1200.0000000000 0.3150 0.00061000 BNB 2026-03-02T11:40:22Z",
        "row 4: SELL SOL/USDT 1.2000000000 1140.00 1.36800000 USDT 2026-03-03T08:05:59Z",
    ],
    "bitvavo": [
        "b0000000-3: SELL ETH/EUR 0.04 2510.5 0.251050 EUR 2026-03-02T13:20:10.637000Z",
        "b0000000-2: BUY ETH/EUR 0.1 2500 0.625 EUR 2026-03-02T09:36:46.620000Z",
    ],
    "bybit": [
        "e0000000-1: BUY ETHUSDT 0.40 2499.50 0.54989 USDT 2026-03-02T10:00:00.123000Z",
        "e0000000-3: SELL ETHUSDT 0.15 2520.00 -0.00945 USDT 2026-03-02T17:00:00.456000Z",
    ],
    "coinbase": [
        "a000000000000000000000000002: BUY BTC/EUR 0.02 60010.5 18.00 EUR 2026-03-02T09:30:00Z",
        "a000000000000000000000000003: SELL BTC/EUR 0.005 61000 1.83 EUR 2026-03-02T10:00:00Z",
    ],
    "hummingbot": [
        "700001: BUY ETH/USDT 0.4 2499.5 0.9998 USDT 2026-03-02T10:00:00.123000Z",
        "700002: SELL ETH/USDT 0.1 2511.25 0.251125 USDT 2026-03-02T11:00:00.456000Z",
        "700003: BUY PEPE/USDT 1000000 0.0000077 0 USDT 2026-03-02T12:00:00.789000Z",
    ],
    "ibkr_flex": [
        "0000e000.00000001.01.01: BUY ACME 100 48.25 1 USD 2026-03-02T14:30:15Z",
        "0000e000.00000002.01.01: SELL ACME 40 49.1 1.05 USD 2026-03-03T20:45:01Z",
    ],
    "ibkr_flex_csv": [
        "0000e000.00000001.01.01: BUY ACME 100 48.25 1 USD 2026-03-02T14:30:15Z",
        "0000e000.00000002.01.01: SELL ACME 40 49.1 1.05 USD 2026-03-03T20:45:01Z",
    ],
    "kraken_ledgers": [
        "TAAAAA-000001: BUY BTC/EUR 0.0040000000 60000 0.6240 EUR 2026-03-02T09:30:05Z",
        "TAAAAA-000002: SELL BTC/EUR 0.0010000000 61250 0.1592 EUR 2026-03-02T10:15:44Z",
    ],
    "kraken_trades": [
        "TAAAAA-000001: BUY BTC/EUR 0.00400000 60000.00000 0.62400 EUR 2026-03-02T09:30:05Z",
        "TAAAAA-000002: SELL BTC/EUR 0.00100000 61250.00000 0.15925 EUR 2026-03-02T10:15:44Z",
        "TAAAAA-000003: BUY XTZ/EUR 10.00000000 0.95000 0.02470 EUR 2026-03-02T10:20:00.000100Z",
    ],
    "okx": [
        "90000001: BUY BTC/USDT 0.01 60000.1 0.00001 BTC 2026-03-02T10:00:00.123000Z",
        "90000002: SELL ETH-USDT-SWAP SHORT 3 2500.5 -0.015003 USDT 2026-03-02T11:00:00.456000Z",
    ],
}
MOVEMENTS = {
    "alpaca": [
        "20260304000000000::a4: dividend 12.60 USD 2026-03-04T05:00:00Z",
        "20260302000000000::a1: deposit 10000 USD 2026-03-02T05:00:00Z",
    ],
    "binance_futures_income": [
        "710000000000000001: transfer 250.00000000 USDT 2026-03-02T09:00:00Z",
        "710000000000000003: funding -0.01030000 USDT 2026-03-02T16:00:00Z",
        "710000000000000005: reward 0.00820000 USDT 2026-03-02T18:00:00Z",
    ],
    "bitvavo": [
        "b0000000-6: withdrawal -0.05 ETH 2026-03-04T08:00:00Z",
        "b0000000-4: reward 0.00001819 ETH 2026-03-03T00:10:30Z",
        "b0000000-1: deposit 300 EUR 2026-03-02T09:30:24Z",
    ],
    "bybit": [
        "e0000000-2: funding -0.1004 USDT 2026-03-02T16:00:00Z",
    ],
    "coinbase": [
        "a000000000000000000000000006: withdrawal -0.001 BTC 2026-03-04T15:45:10Z",
        "a000000000000000000000000001: deposit 1500 EUR 2026-03-01T08:00:00Z",
        "a000000000000000000000000004: reward 0.000037835729 ETH 2026-03-03T07:00:00Z",
        "a000000000000000000000000005: conversion -0.003 BTC 2026-03-03T12:00:00Z",
        "row 9: conversion 0.0731 ETH 2026-03-03T12:00:00Z",
    ],
    "ibkr_flex": [
        "900000002: dividend 18 USD 2026-03-05T01:20:00Z",
        "900000003: dividend -2.7 USD 2026-03-05T01:20:00Z",
        "900000001: deposit 10000 USD 2026-03-02T05:00:00Z",
    ],
    "kraken_ledgers": [
        "LAAAAA-000008: reward 0.0000001000 BTC 2026-03-03T01:00:00Z",
        "LAAAAA-000006: transfer -0.0020000000 BTC 2026-03-02T11:00:00Z",
        "LAAAAA-000007: transfer 0.0020000000 BTC 2026-03-02T11:00:00Z",
        "LAAAAA-000001: deposit 500.0000 EUR 2026-03-02T08:01:10Z",
        "LAAAAA-000009: withdrawal -100.0000 EUR 2026-03-03T12:20:31Z",
        "LAAAAA-000008 fee BTC: fee -0.0000000200 BTC 2026-03-03T01:00:00Z",
        "LAAAAA-000009 fee EUR: fee -0.9000 EUR 2026-03-03T12:20:31Z",
    ],
}


def test_every_shipped_format_has_its_rows_here() -> None:
    """The table lists the mappings of the package, each with a sample and what it cannot know."""
    assert tuple(FILLS) == shipped_names()
    for name in shipped_names():
        mapping = shipped_mapping(name)
        assert mapping.about
        assert mapping.source
        assert mapping.cannot_know
        assert sample_of(name)[1]


@pytest.mark.parametrize("name", shipped_names())
def test_a_sample_is_read_exactly(tmp_path: Path, name: str) -> None:
    """To the last digit, the unit and the second, in the order of the file."""
    side = external(tmp_path, name)
    assert [fill(row) for row in side.fills or ()] == FILLS[name]
    assert [movement(row) for row in side.movements or ()] == MOVEMENTS.get(name, [])
    assert (side.movements is None) == (name not in MOVEMENTS)
    assert len(side.notes) == 1
    assert side.notes[0].startswith(f"not told by {name}: ")


def test_the_states_of_the_samples(tmp_path: Path) -> None:
    """Balances of several wallets are one, and each row's balance is a state in between."""
    side = external(tmp_path, "kraken_ledgers")
    assert {row.currency: format_amount(row.total) for row in side.cash or ()} == {
        "EUR": "219.5668",
        "BTC": "0.0030000800",
    }
    states = [
        (format_time(one.as_of)[11:-1], {row.currency: row.total for row in one.cash or ()})
        for one in side.snapshots or ()
    ]
    assert [time for time, _ in states] == [
        "08:01:10", "09:30:05", "10:15:44", "11:00:00", "01:00:00", "12:20:31",
    ]  # fmt: skip
    assert states[1][1]["EUR"] - states[0][1]["EUR"] == -240 - fee_of(side)
    assert states[3][1]["BTC"] == states[2][1]["BTC"]
    side = external(tmp_path, "ibkr_flex")
    assert [(row.symbol, row.quantity, row.account) for row in side.positions or ()] == [
        ("ACME", 60, None)
    ]
    assert [(row.currency, format_amount(row.total)) for row in side.cash or ()] == [
        ("USD", "7152.25")
    ]


def fee_of(side: SideRecord) -> Any:
    assert side.fills is not None
    return side.fills[0].fee


@pytest.mark.parametrize("name", shipped_names())
def test_a_ledger_of_the_same_rows_is_clear_and_a_dropped_fill_blocks(
    tmp_path: Path, name: str
) -> None:
    """A statement meets a ledger by the ids that both have."""
    placed(tmp_path, name)
    converted = json.loads(session_text(statement_session(placed(tmp_path, name), name)))
    ledger = converted["external"] | {"source": "ledger"}
    path = session(tmp_path, name, internal=ledger)
    differing = {one.comparison.identity for one in reconcile_session(path).judgements if one.diff}
    assert differing <= {"session::coverage"}
    if FILLS[name]:
        assert differing == set()
        ledger["fills"] = ledger["fills"][1:]
        again = reconcile_session(session(tmp_path, name, internal=ledger))
        (judged,) = [one for one in again.judgements if one.diff is not None]
        assert (judged.comparison.identity[:6], str(judged.verdict)) == ("fill::", "FAIL")


@pytest.mark.parametrize("name", shipped_names())
def test_a_conversion_is_the_same_twice(tmp_path: Path, name: str) -> None:
    """Equal bytes, and the written session has the rows of the statement."""
    path = placed(tmp_path, name)
    text = session_text(statement_session(path, name))
    assert session_text(statement_session(path, name)) == text
    written = tmp_path / "written.recon.json"
    written.write_text(text)
    side, read = external(tmp_path, name), read_session(written).external
    assert read is not None
    assert (read.fills, read.movements, read.cash, read.positions, read.as_of) == (
        side.fills, side.movements, side.cash, side.positions, side.as_of,
    )  # fmt: skip


@pytest.mark.parametrize("name", shipped_names())
def test_a_sample_is_recognised(tmp_path: Path, name: str) -> None:
    """Only its own format reads it, under any name."""
    path = placed(tmp_path, name)
    moved = path.rename(tmp_path / "download")
    assert [one.name for one in recognised(moved) if not one.problem] == [name]


CHANGES: dict[str, tuple[str, str, str, str]] = {
    "alpaca kind": ("alpaca", '"CSD"', '"SPLIT"', "row 4: activity_type 'SPLIT': is in no section"),
    "alpaca side": ("alpaca", '"side": "sell"', '"side": "cross"', "row 2: column side: 'cross'"),
    "income kind": (
        "binance_futures_income", "REFERRAL_KICKBACK", "NEW_KIND",
        "row 5: column incomeType: 'NEW_KIND' is no kind; expected one of FUNDING_FEE, TRANSFER",
    ),
    "income number": ("binance_futures_income", '"250.00000000"', '"2.5e2"', "'2.5e2' is not an"),
    "spot unit": ("binance_spot", "2.4000000000SOL", "2.4000000000", "row 2: column Executed + "),
    "spot digit": (
        "binance_spot", "1INCH", "2INCH",
        "the units 'INCH', 'USDT' do not spell '2INCHUSDT'; expected a unit that begins",
    ),
    "spot column": (
        "binance_spot", "Executed", "Filled",
        "has no column 'Executed'; there are Amount, Date(UTC), Fee, Filled, Pair, Price, Side",
    ),
    "spot date": ("binance_spot", "2026-03-02 09", "02.03.2026 09", "row 2: column Date(UTC): "),
    "bitvavo status": (
        "bitvavo", "Canceled", "Unknown",
        "bitvavo.csv: row 3: Type 'buy', Status 'Unknown': is in no section; expected Awaiting",
    ),
    "bitvavo kind": ("bitvavo", "staking", "gift", "row 4: column Type: 'gift' is no kind"),
    "bitvavo zone": ("bitvavo", "Amsterdam,2026-03-04", "Nowhere,2026-03-04", "is not known"),
    "bybit kind": ("bybit", '"Funding"', '"Settle"', "row 2: execType 'Settle': is in no section"),
    "bybit currency": ("bybit", '"ETHUSDT"', '"ETHPERP"', "'ETHPERP' ends with no currency"),
    "bybit error": ("bybit", '"list"', '"rows"', "at '/result/list': has no 'list'; there are "),
    "coinbase kind": (
        "coinbase", "Staking Income", "Lottery",
        "row 8: Transaction Type 'Lottery': is in no section; expected Advance Trade Buy, ",
    ),
    "coinbase note": ("coinbase", "to 0.0731 ETH", "", "row 9: column Notes: 'Converted"),
    "coinbase header": ("coinbase", "Subtotal", "Sub", "none of the first 30 lines is the header"),
    "hummingbot price": ("hummingbot", "2511.25", "nan", "row 3: column price: 'nan' is not an"),
    "flex kind": ("ibkr_flex", '"Dividends"', '"Gift"', "row 12: column type: 'Gift' is no kind"),
    "flex time": ("ibkr_flex", "20260302;093015", "02/03/2026", "row 6: column dateTime: '02/03/"),
    "flex price": ("ibkr_flex", 'tradePrice="48.25"', "", "row 6: price: is missing"),
    "flex csv cells": ("ibkr_flex_csv", '"100","48.25"', '"100"', "row 5 has 14 cells"),
    "ledgers leg": (
        "kraken_ledgers", ",-240.0000,", ",240.0000,",
        "row 4: refid 'TAAAAA-000001': row 5 is received again",
    ),
    "ledgers kind": ("kraken_ledgers", '"withdrawal"', '"gift"', "row 11: column type: 'gift'"),
    "ledgers quote": ("kraken_ledgers", "XXBT", "ZEUR", "'EUR' for 'EUR': no currency is"),
    "trades pair": (
        "kraken_trades", "XXBTZEUR", "XXBTZZZZ", "row 2: column pair: 'XXBTZZZZ' ends with no",
    ),
    "okx kind": ("okx", '"SWAP"', '"EVENTS"', "row 2: instType 'EVENTS': is in no section"),
    "okx leg": ("okx", '"short"', '"both"', "row 2: column posSide: 'both' is no leg"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "old", "new", "expected"), CHANGES.values(), ids=CHANGES)
def test_a_statement_that_is_not_as_declared(
    tmp_path: Path, name: str, old: str, new: str, expected: str
) -> None:
    """One line names the file, the row, the column, the value and what would be accepted."""
    sample = sample_of(name)[1].decode()
    assert old in sample
    placed(tmp_path, name, sample.replace(old, new).encode())
    assert expected in refusal(session(tmp_path, name))


@pytest.mark.parametrize("name", shipped_names())
def test_a_cut_statement_is_refused(tmp_path: Path, name: str) -> None:
    """The end of a file that was cut in a row is no last row, except where it says nothing."""
    content = sample_of(name)[1]
    cut = content[: content.rstrip().rindex(b"\n")][:-3]
    with pytest.raises(SessionError):
        external(tmp_path, name, cut)


def test_a_section_that_a_query_leaves_out(tmp_path: Path) -> None:
    """It is not reported; a statement without any is refused."""
    sample = sample_of("ibkr_flex")[1].decode()
    head, _, rest = sample.partition("<CashReport>")
    side = external(tmp_path, "ibkr_flex", (head + rest.partition("</CashReport>")[2]).encode())
    assert side.cash is None
    assert side.positions is not None
    empty = b"<FlexQueryResponse><FlexStatements/></FlexQueryResponse>"
    placed(tmp_path, "ibkr_flex", empty)
    message = refusal(session(tmp_path, "ibkr_flex"))
    assert "none of the lists that the mapping names is there" in message


def test_several_accounts_are_named(tmp_path: Path) -> None:
    """A statement of one account names none, so that a ledger without accounts meets it."""
    sample = sample_of("ibkr_flex")[1].decode()
    other = '<OpenPosition accountId="U2" symbol="ACME" position="5" levelOfDetail="SUMMARY" />'
    two = sample.replace("<OpenPositions>", f"<OpenPositions>{other}")
    side = external(tmp_path, "ibkr_flex", two.encode())
    assert [row.account for row in side.positions or ()] == ["U2", "U0000001"]


def test_the_mapping_of_a_format_is_one_that_a_user_can_change(tmp_path: Path) -> None:
    """With a path in its tables, the printed mapping reads the same rows."""
    placed(tmp_path, "binance_spot")
    path = "[fills]\npath = 'binance_spot.csv'\n[fills.columns]"
    mapping = mapping_text("binance_spot").replace("[fills.columns]", path)
    (tmp_path / "mine.toml").write_text(mapping)
    source = {"from": {"format": "table", "path": "mine.toml"}}
    side = read_session(session(tmp_path, "binance_spot", external=source)).external
    assert side is not None
    assert [fill(row) for row in side.fills or ()] == FILLS["binance_spot"]


def test_the_nearest_format(tmp_path: Path) -> None:
    """A file that none reads is near to the one whose columns it has, with the reason."""
    sample = sample_of("kraken_trades")[1].replace(b"vol", b"volume")
    found = recognised(placed(tmp_path, "kraken_trades", sample))
    assert found[0].name == "kraken_trades"
    assert "has no column 'vol'; there are cost, fee, " in found[0].problem
    assert found[0].problem.endswith("did you mean volume?")
    other = tmp_path / "other.csv"
    other.write_text("a,b\n1,2\n")
    assert recognised(other) == []
