"""Session files that must not be believed: no JSON, no session, hostile names.

Each is one CRITICAL item with one clear line. What the file system can do is in
`test_hostile_files`, amounts, rows and times in `test_hostile_values`.
"""

import os
from pathlib import Path
from typing import Any

import pytest

from .builders import document, write_session
from .refusals import GOOD, SECRET, amount, internal, refusal, swap

NOT_JSON = {
    "empty": (b"", "is not JSON"),
    "white space": ("\n \t", "is not JSON"),
    "text": ("hello " + SECRET, "is not JSON: expecting value at line 1 column 1"),
    "cut in the middle": (GOOD[: len(GOOD) // 2], "is not JSON"),
    "cut before the last brace": (GOOD[:-1], "is not JSON"),
    "cut in a string": (GOOD[:20], "is not JSON"),
    "cut in an escape": (GOOD[:12] + "\\u12", "is not JSON"),
    "something after the end": (GOOD + "}", "is not JSON: extra data"),
    "two documents": (GOOD + "\n" + GOOD, "is not JSON: extra data"),
    "a comment": ("// note\n" + GOOD, "is not JSON"),
    "a trailing comma": (GOOD[:-1] + ",}", "is not JSON"),
    "single quotes": (GOOD.replace('"', "'"), "is not JSON"),
    "a raw newline in a string": (swap("session_123", "a\nb"), "is not JSON"),
    "a raw NUL": (swap("session_123", "a\0b"), "byte 46 is NUL; expected UTF-8 text"),
    "zero bytes": (b"\0" * 64, "byte 0 is NUL"),
    "a UTF-8 mark": (b"\xef\xbb\xbf" + GOOD.encode(), "starts with a UTF-8 byte order mark"),
    "UTF-16": (GOOD.encode("utf-16"), "starts with a UTF-16 byte order mark"),
    "UTF-16 without a mark": (GOOD.encode("utf-16-le"), "byte 1 is NUL"),
    "latin-1": (swap("session_123", "é").encode("latin-1"), "is not UTF-8; expected UTF-8 text"),
    "a surrogate in UTF-8": (
        swap("session_123", "\ud800").encode("utf-8", "surrogatepass"),
        "is not UTF-8",
    ),
    "a lone surrogate": (swap("session_123", r"\ud800"), r"holds the lone surrogate \ud800"),
    "a lone surrogate in a key": (swap("BTC/EUR", r"\udfff"), r"holds the lone surrogate \udfff"),
    "65 levels": ("[" * 65 + "]" * 65, "is nested deeper than 64 levels"),
    "65 levels of objects": ('{"a":' * 65 + "1" + "}" * 65, "is nested deeper than 64 levels"),
    "100000 levels": ("[" * 100_000, "is nested deeper than 64 levels"),
    "NaN": (amount("NaN"), "NaN is not an amount"),
    "Infinity": (amount("Infinity"), "Infinity is not an amount"),
    "minus Infinity": (amount("-Infinity"), "-Infinity is not an amount"),
    "a key twice": (swap('"session_id"', '"schema"'), "duplicate key 'schema'"),
    "a symbol twice": (
        swap('"BTC/EUR": "0.1"', '"BTC/EUR": "0.1", "BTC/EUR": "0.2"'),
        "duplicate key 'BTC/EUR' in one object",
    ),
    "a key twice by an escape": (
        swap('"EUR": ', r'"\u0045UR": "1", "EUR": '),
        "duplicate key 'EUR'",
    ),
}

FORMS = 'expected a list, an object, or a table like {"path": "fills.csv"}'
NO_SESSION = {
    "a list": ("[]", "is not a session; expected an object"),
    "a text": ('"recon.session/1"', "is not a session"),
    "null": ("null", "is not a session"),
    "a number": ("1", "is not a session"),
    "an empty object": ("{}", "schema: is missing; expected 'recon.session/1'"),
    "another schema": (swap("session/1", "session/2"), "schema: 'recon.session/2'; expected"),
    "schema as a number": (swap('"recon.session/1"', "1"), "schema: is not text"),
    "a schema that gives orders": (
        swap("recon.session/1", r"::error::\u001b[31m"),
        r"schema: '\x3a:error\x3a:\x1b[31m'",
    ),
    "no session id": (swap('"session_id": "session_123", ', ""), "session_id: is missing"),
    "an empty session id": (swap("session_123", ""), "session_id: ''; expected text that is not"),
    "session id as a number": (swap('"session_123"', "1"), "session_id: 1; expected text"),
    "another mode": (document(mode="DEMO"), "mode: 'DEMO'; expected 'SIM', 'PAPER' or 'LIVE'"),
    "an unknown key": (document(api_key=SECRET), "api_key: unknown key"),
    "an unknown key in a side": (internal(password=SECRET), "internal.password: unknown key"),
    "an unknown key in a row": (
        internal(cash=[{"currency": "EUR", "total": "1", "token": SECRET}]),
        "internal.cash[0].token: unknown key",
    ),
    "unknown keys of one wide row": (
        internal(cash=[{"currency": "EUR", "total": "1"}, {f"k{n}": "1" for n in range(200)}]),
        "internal.cash[1].k0: unknown key (and at least 65 more)",
    ),
    "an unknown key with a hostile name": (
        document(**{"a\u202eb\n::error": SECRET}),
        r"a\u202eb\x0a\x3a:error: unknown key",
    ),
    "an object where text stands": (document(strategy_id={"k": SECRET}), "strategy_id: an object"),
    "a side that is a list": (document(internal=[]), "internal: a list; expected an object"),
    "a side that is text": (document(external="x"), "external: 'x'; expected an"),
    "no as_of": (document(internal={"positions": {}}), "internal.as_of: is missing"),
    "a mirror inside": (document(internal={"mirror": "external"}), "mirror"),
    "a mirror of something else": (document(external={"mirror": "both"}), "external.mirror"),
    "a mirror and more": (
        document(external={"mirror": "internal", "cash": {}}),
        "external.cash: unknown key",
    ),
    "complete as text": (internal(complete="false"), "internal.complete: 'false'; expected true"),
    "numbers of another kind": (internal(numbers="double"), "internal.numbers: 'double'"),
    "positions as text": (internal(positions="none"), FORMS),
    "positions as a number": (internal(positions=0), FORMS),
    "a count below zero": (internal(counts={"fills": -1}), "internal.counts.fills: -1; expected"),
    "a count with decimals": (internal(counts={"fills": 1.5}), "internal.counts.fills: 1.5"),
    "a count of trades": (internal(counts={"trades": 1}), "internal.counts.trades: unknown key"),
    "a precision of 31": (
        document(currencies={"EUR": {"precision": 31}}),
        "currencies.EUR.precision: 31",
    ),
    "an instrument of another kind": (
        document(instruments={"X": {"kind": "swap", "base": "A", "quote": "B"}}),
        "kind: 'swap'; expected 'spot', 'equity', 'fx', 'option', 'linear', 'inverse' or 'future'",
    ),
    "a spot pair that settles daily": (
        document(
            instruments={"X": {"kind": "spot", "base": "A", "quote": "B", "settles": "daily"}}
        ),
        "instruments.X: settles is of a future; expected kind future",
    ),
    "a spot pair of an average": (
        document(
            instruments={"X": {"kind": "spot", "base": "A", "quote": "B", "average": "arithmetic"}}
        ),
        "instruments.X: average is of kind inverse; expected that kind",
    ),
    "a future of floats": (
        document(
            instruments={"X": {"kind": "future", "base": "A", "quote": "B", "notional": "float"}}
        ),
        "instruments.X: notional is of what is paid for; expected kind spot, equity, fx or option",
    ),
    "a multiplier of zero": (
        document(instruments={"X": {"kind": "spot", "base": "A", "quote": "B", "multiplier": "0"}}),
        "instruments.X.multiplier: '0'; expected an amount above 0",
    ),
}

CASES = {
    **{f"not JSON: {name}": case for name, case in NOT_JSON.items()},
    **{f"no session: {name}": case for name, case in NO_SESSION.items()},
}


@pytest.mark.parametrize(("content", "expected"), CASES.values(), ids=CASES)
def test_a_hostile_file_is_one_critical_item(tmp_path: Path, content: Any, expected: str) -> None:
    """One clear line names the file, the field, the value and what is accepted."""
    message = refusal(write_session(tmp_path, content))
    assert message.startswith("session readable: ")
    assert "bad.recon.json: " in message
    assert expected in message


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("\x1b[2J.recon.json", r"\x1b[2J.recon.json"),
        ("a\n::error::b.recon.json", r"a\x0a\x3a:error\x3a:b.recon.json"),
        ("::error::b.recon.json", r"\x3a:error\x3a:b.recon.json"),
        ("##[command].recon.json", r"\x23#[command].recon.json"),
        ("\u202enosj.recon.json", r"\u202enosj.recon.json"),
        ("x" * 200 + ".recon.json", "x" * 200 + "… (211 characters)"),
        (os.fsdecode(b"\xff.recon.json"), r"\udcff.recon.json"),
    ],
)
def test_a_hostile_name_is_made_visible(tmp_path: Path, name: str, shown: str) -> None:
    """A file's own name can carry an attack into the log; it is shown, not obeyed."""
    assert f" {shown}: is not JSON" in refusal(write_session(tmp_path, "", name))
