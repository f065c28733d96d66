"""Reading `recon.session/1`: every valid form, exactly as it is written."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from recon_core.engine.reconciliation import reconcile_session
from recon_core.model import (
    CashBalance,
    InstrumentKind,
    Leg,
    Position,
    SessionMode,
)
from recon_core.sessions import read_session

from .builders import (
    checks,
    document,
    read,
    read_side,
    verdicts,
    write_session,
)

RECORDING = Path(__file__).parents[1] / "data" / "nautilus" / "spot_btcusdt_quotes_partial"


def test_a_session_says_what_it_is(tmp_path: Path) -> None:
    """Every field of the head arrives; the file itself is the evidence."""
    session = read(
        tmp_path,
        strategy_id="ma_crossover",
        mode="PAPER",
        instruments={
            "XBTUSD": {
                "kind": "inverse",
                "base": "BTC",
                "quote": "USD",
                "settlement": "BTC",
                "multiplier": "1",
                "quantity_increment": "100",
            },
            "BTC/EUR": {"kind": "spot", "base": "BTC", "quote": "EUR"},
        },
        currencies={"EUR": {"precision": 2}},
    )
    assert (session.session_id, session.strategy_id) == ("session_123", "ma_crossover")
    assert session.mode is SessionMode.PAPER
    assert session.instruments["XBTUSD"].instrument_kind is InstrumentKind.INVERSE
    assert session.instruments["XBTUSD"].quantity_increment == 100
    assert session.instruments["BTC/EUR"].settlement == "EUR"
    assert session.currencies["EUR"].precision == 2
    assert [file.name for file in session.inputs] == ["good.recon.json"]


def test_the_smallest_session_has_an_id_and_no_side(tmp_path: Path) -> None:
    """Both sides are optional: that nothing is reported is a finding, not an error."""
    session = read_session(
        write_session(tmp_path, {"schema": "recon.session/1", "session_id": "s"})
    )
    assert (session.internal, session.external, session.mode) == (None, None, None)


POSITIONS = (Position("BTC/EUR", Decimal("0.1")), Position("ETH/EUR", Decimal(-2)))
LEGS = (
    Position("ETHUSDT", Decimal("0.002"), Decimal("1800.5"), "sub1", Leg.LONG),
    Position("ETHUSDT", Decimal("-0.001"), None, "sub1", Leg.SHORT),
)


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ({"BTC/EUR": "0.1", "ETH/EUR": "-2"}, POSITIONS),
        (
            [
                {"symbol": "BTC/EUR", "quantity": "0.1"},
                {"symbol": "ETH/EUR", "quantity": "-2", "leg": "NET"},
            ],
            POSITIONS,
        ),
        (
            [
                {
                    "symbol": "ETHUSDT",
                    "quantity": "0.002",
                    "average_price": "1800.5",
                    "account": "sub1",
                    "leg": "LONG",
                },
                {"symbol": "ETHUSDT", "quantity": "-0.001", "account": "sub1", "leg": "SHORT"},
            ],
            LEGS,
        ),
        ({"path": "5"}, (Position("path", Decimal(5)),)),  # a symbol may be called path
        ([], ()),
        ({}, ()),
        (None, None),
    ],
)
def test_positions_are_a_mapping_or_rows(tmp_path: Path, section: Any, expected: Any) -> None:
    """Both ways of writing give the same rows; absent and empty stay apart."""
    assert read_side(tmp_path, positions=section).positions == expected


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ({"EUR": "5000.00"}, (CashBalance("EUR", Decimal("5000.00")),)),
        (
            [{"currency": "EUR", "total": "5", "free": "3", "locked": "2", "account": "a"}],
            (CashBalance("EUR", Decimal(5), Decimal(3), Decimal(2), "a"),),
        ),
        ([], ()),
    ],
)
def test_cash_is_a_mapping_or_rows(tmp_path: Path, section: Any, expected: Any) -> None:
    """Totals alone, or rows with free, locked and account."""
    assert read_side(tmp_path, cash=section).cash == expected


@pytest.mark.parametrize(
    "number",
    ["0.1", "5000.00", "-12345678901234567890.123456789012345678", "1" * 30 + "." + "1" * 30, "-0"],
)
def test_a_json_number_is_read_from_its_text(tmp_path: Path, number: str) -> None:
    """No digit is lost to a binary float, and a number equals the same text."""
    text = json.dumps(document())
    for written in (number, f'"{number}"'):
        side = read_session(write_session(tmp_path, text.replace('"0.1"', written))).internal
        assert side is not None
        assert side.positions == (Position("BTC/EUR", Decimal(number)),)


def test_a_directory_with_a_session_file_is_a_session(tmp_path: Path) -> None:
    """`session.recon.json` stands for its directory."""
    path = write_session(tmp_path, document(), "session.recon.json")
    assert read_session(tmp_path) == read_session(path)


def test_nesting_of_64_levels_is_still_read(tmp_path: Path) -> None:
    """The limit is on containers; what stops such a file is its unknown key."""
    text = json.dumps(document())[:-1] + ', "deep": ' + "[" * 63 + "]" * 63 + "}"
    (judgement,) = reconcile_session(write_session(tmp_path, text)).judgements
    assert "deep: unknown key" in judgement.message


def test_whole_unicode_characters_are_kept(tmp_path: Path) -> None:
    """A pair of surrogates in JSON is one character; only a lone one is refused."""
    text = json.dumps(document()).replace("session_123", r"\ud83d\ude00 ü")
    assert read_session(write_session(tmp_path, text)).session_id == "😀 ü"


def test_the_mock_is_written_as_a_mirror(tmp_path: Path) -> None:
    """`{"mirror": "internal"}` compares the internal side with itself, and coverage says so."""
    path = write_session(tmp_path, document(external={"mirror": "internal"}))
    reconciliation = reconcile_session(path)
    assert set(verdicts(reconciliation).values()) == {"match"}
    assert checks(reconciliation)["coverage"] == "WARN"
