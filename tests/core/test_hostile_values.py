"""Values that must not be believed: amounts, rows and times of a session file.

Each makes the session one CRITICAL item with one clear line.
"""

from pathlib import Path
from typing import Any

import pytest

from .builders import AS_OF_TEXT, document, write_session
from .refusals import SECRET, amount, fill, internal, order, refusal

AMOUNTS = {
    "null": ("null", "null; expected an amount as text"),
    "true": ("true", "true; expected an amount as text"),
    "a list": ('["1"]', "a list; expected an amount as text"),
    "an object": (f'{{"value": "{SECRET}"}}', "an object; expected an amount as text"),
    "empty": ('""', "'' is not an amount"),
    "an exponent": ("1e3", "'1e3' is not an amount"),
    "an exponent as text": ('"5E3"', "'5E3' is not an amount"),
    "leading zeros": ('"05000"', "'05000' is not an amount"),
    "a plus sign": ('"+5000"', "'+5000' is not an amount"),
    "grouping": ('"5,000.00"', "'5,000.00' is not an amount"),
    "an underscore": ('"5_000"', "'5_000' is not an amount"),
    "a comma": ('"5000,00"', "'5000,00' is not an amount"),
    "arabic digits": ('"٥"', "'٥' is not an amount"),
    "full-width digits": ('"５"', "'５' is not an amount"),
    "a line end": ('"5000\\n"', r"'5000\x0a' is not an amount"),
    "a space": ('" 5000"', "' 5000' is not an amount"),
    "a currency": ('"5000 EUR"', "'5000 EUR' is not an amount"),
    "31 digits": (f'"{"1" * 31}"', "is not an amount"),
    "31 decimals": (f'"0.{"1" * 31}"', "is not an amount"),
    "a million digits": (f'"{"1" * 1_000_000}"', "… (1000000 characters)' is not an amount"),
    "a million digits, bare": ("1" * 1_000_000, "is not an amount"),
    "NaN as text": ('"NaN"', "'NaN' is not an amount"),
    "no digit before the point": ('".5"', "'.5' is not an amount"),
    "no digit after the point": ('"5."', "'5.' is not an amount"),
    "hexadecimal": ('"0x10"', "'0x10' is not an amount"),
}

ROWS = {
    "a quantity below zero": (fill(quantity="-1"), "internal.fills[0].quantity: '-1'; expected"),
    "a quantity of zero": (fill(quantity="0"), "internal.fills[0].quantity: '0'; expected"),
    "a fill without id": (fill(fill_id=None), "internal.fills[0].fill_id: is missing"),
    "a fill of no side": (fill(side="buy"), "internal.fills[0].side: 'buy'; expected 'BUY' or"),
    "a fee without currency": (fill(fee="1"), "internal.fills[0]: a fee needs a fee_currency"),
    "a leg of nowhere": (fill(leg="BOTH"), "internal.fills[0].leg: 'BOTH'; expected 'NET'"),
    "an order without id": (order(client_order_id=None), "client_order_id or exchange_order_id"),
    "an order of no state": (order(state="OPEN"), "internal.orders[0].state: 'OPEN'; expected"),
    "a movement of nothing": (
        internal(movements=[{"movement_id": "m", "kind": "fee", "time": AS_OF_TEXT}]),
        "expected an amount or a quantity that moves",
    ),
    "a position twice": (
        internal(positions=[{"symbol": "B", "quantity": "1"}, {"symbol": "B", "quantity": "2"}]),
        "internal.positions: duplicate B, NET; expected each key once",
    ),
    "a balance twice": (
        internal(cash=[{"currency": "EUR", "total": "1"}] * 2),
        "internal.cash: duplicate EUR",
    ),
    "a balance twice in the opening": (
        internal(opening={"cash": [{"currency": "EUR", "total": "1"}] * 2}),
        "internal.opening.cash: duplicate EUR",
    ),
    "a hostile name twice": (
        internal(cash=[{"currency": "\x1b[2J\n::error::x", "total": "1"}] * 2),
        r"internal.cash: duplicate \x1b[2J\x0a\x3a:error\x3a:x",
    ),
    "an inverse contract that settles in its quote": (
        document(
            internal=fill()["internal"] | {"opening": {}},
            instruments={
                "BTC/EUR": {"kind": "inverse", "base": "BTC", "quote": "EUR", "settlement": "EUR"}
            },
        ),
        "internal side: instrument BTC/EUR is inverse and settles in EUR; expected its base",
    ),
    "a fill of an instrument that is not declared": (
        document(internal=fill()["internal"] | {"opening": {}}),
        "instrument BTC/EUR is not declared",
    ),
}

TIMES = {
    "naive": ("2026-01-01T12:00:00", "has no offset"),
    "a date": ("2026-01-01", "is not a time"),
    "the 30th of February": ("2026-02-30T12:00:00Z", "is no time of the calendar"),
    "hour 24": ("2026-01-01T24:00:00Z", "is no time of the calendar"),
    "second 60": ("2026-01-01T12:00:60Z", "is no time of the calendar"),
    "before the calendar": ("0001-01-01T00:00:00+14:00", "is no time of the calendar"),
    "a week": ("2026-W01-1T12:00:00Z", "is not a time"),
    "arabic digits": ("٢٠٢٦-01-01T12:00:00Z", "is not a time"),
    "a line end": ("2026-01-01T12:00:00Z\n", "is not a time"),
    "an escape": ("\x1b]0;x\x07", r"'\x1b]0;x\x07' is not a time"),
}


CASES = {
    **{
        f"amount: {name}": (amount(text), f"internal.cash.EUR: {expected}")
        if not expected.startswith(("is ", "…"))
        else (amount(text), expected)
        for name, (text, expected) in AMOUNTS.items()
    },
    **{f"row: {name}": case for name, case in ROWS.items()},
    **{
        f"time: {name}": (document(internal={"as_of": text}), expected)
        for name, (text, expected) in TIMES.items()
    },
    "time: a number": (document(internal={"as_of": 1767268800}), "internal.as_of: 1767268800; exp"),
}


@pytest.mark.parametrize(("content", "expected"), CASES.values(), ids=CASES)
def test_a_hostile_value_is_one_critical_item(tmp_path: Path, content: Any, expected: str) -> None:
    """One clear line names the file, the field, the value and what is accepted."""
    message = refusal(write_session(tmp_path, content))
    assert message.startswith("session readable: ")
    assert "bad.recon.json: " in message
    assert expected in message
