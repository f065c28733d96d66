"""`recon snapshot` before it asks anybody: its usage, and what a user lacks.

The command as a whole, on the real ccxt, is the subject of tests/snapshot.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from recon_core.snapshot import exchange as exchanges
from recon_core.snapshot import queries, writing
from recon_core.snapshot.asking import Asked
from recon_core.snapshot.recording import Recording

from .conftest import AS_OF, Recon, write_session

NAMED = ("snapshot", "binance", "--account", "paper", "-o", "account")

WRONG: dict[str, tuple[list[str], str]] = {
    "no account": (["snapshot", "binance", "-o", "a"], "Missing option '--account'"),
    "no symbol": ([*NAMED], "expected --for SESSION or --symbol NAME"),
    "no start": ([*NAMED, "--symbol", "BTC/USDT"], "expected --for SESSION or --since TIME"),
    "no time": ([*NAMED, "--symbol", "A/B", "--since", "noon"], "--since: "),
    "a time to come": (
        [*NAMED, "--symbol", "A/B", "--since", "2999-01-01T00:00:00Z"],
        "'2999-01-01T00:00:00Z' is in the future",
    ),
}


@pytest.mark.parametrize(("words", "part"), WRONG.values(), ids=WRONG)
def test_wrong_usage_is_one_line(recon: Recon, words: list[str], part: str) -> None:
    """With status 64, and no directory is made."""
    recon(*words).refused(64, part)
    assert not Path("account").exists()


def test_without_ccxt_a_line_says_what_to_install(
    recon: Recon, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The extra is looked for when the command runs, and not before."""
    monkeypatch.setattr(exchanges, "find_spec", lambda _: None)
    write_session(directory / "day.recon.json")
    recon(*NAMED, "--for", "day.recon.json").refused(
        1, "needs ccxt, which is not installed; pip install 'pytest-recon[exchange]'"
    )
    assert not Path("account").exists()


def test_a_session_without_a_ledger_asks_for_nothing(recon: Recon, directory: Path) -> None:
    """Neither one that cannot be read, nor one that names no symbol."""
    (directory / "day.recon.json").write_text("{}")
    recon(*NAMED, "--for", "day.recon.json").refused(1, "schema: is missing")
    recon(*NAMED, "--for", "gone.recon.json").refused(1, "gone.recon.json")


BEGUN = datetime(2026, 1, 1, tzinfo=UTC)
BALANCE = Asked(queries.BALANCE, rows=[{}])
TRADES = Asked(queries.MY_TRADES, "BTC/USDT", rows=[{}, {}])
CUT = Asked(queries.ORDERS, "BTC/USDT", status="failed", error="page 2: timed out", rows=[{}])
NEVER = Asked(queries.LEDGER, status="not offered")
SUMMED: dict[str, tuple[dict[str, Any], int, str, str]] = {
    "whole": ({"asked": [BALANCE, TRADES, NEVER]}, 0, "2 answers whole, 3 rows", ""),
    "cut": (
        {"asked": [BALANCE, CUT, NEVER], "gaps": ["deposits: a day"]},
        2,
        "1 answer whole, 1 row, 2 not covered",
        "CRITICAL  orders of BTC/USDT: page 2: timed out\nCRITICAL  deposits: a day\n",
    ),
    "late": (
        {"asked": [BALANCE, TRADES], "rolled_off": [{}]},
        0,
        "2 answers whole, 3 rows, 1 row after the balance rolled off",
        "",
    ),
}


@pytest.mark.parametrize(("fields", "code", "summed", "faults"), SUMMED.values(), ids=SUMMED)
def test_what_was_asked_is_summed_in_a_line(
    recon: Recon,
    monkeypatch: pytest.MonkeyPatch,
    fields: dict[str, Any],
    code: int,
    summed: str,
    faults: str,
) -> None:
    """What is not covered is named before, and makes the status 2."""
    monkeypatch.setattr(exchanges, "open_exchange", lambda *_, **__: None)
    recording = Recording(("BTC/USDT",), BEGUN, BEGUN, **fields)
    monkeypatch.setattr(writing, "take_snapshot", lambda *_: recording)
    answer = recon(*NAMED, "--symbol", "BTC/USDT", "--since", "2026-01-01T00:00:00Z")
    assert (answer.code, answer.out, answer.err) == (code, f"account: {summed}\n", faults)


@pytest.mark.parametrize(
    ("internal", "scope"),
    [
        ({}, "its ledger names no symbol; expected --symbol"),
        (None, "has no internal side; expected a ledger"),
        ({"positions": {"B/C": "1"}}, (["B/C"], AS_OF)),
        (
            {
                "positions": {"B/C": "1"},
                "opening": {"as_of": "2026-01-01T05:00:00Z", "positions": {"A/B": "2"}},
            },
            (["A/B", "B/C"], "2026-01-01T05:00:00Z"),
        ),
        (
            {
                "orders": [
                    {"client_order_id": "o", "symbol": "A/B", "side": "BUY", "quantity": "1"}
                    | {"filled_quantity": "0", "state": "CANCELLED", "time": "2026-01-01T07:00:00Z"}
                ],
                "movements": [
                    {"movement_id": "m", "kind": "deposit", "currency": "EUR", "amount": "1"}
                    | {"time": "2026-01-01T06:00:00Z"}
                ],
            },
            (["A/B"], "2026-01-01T06:00:00Z"),
        ),
    ],
)
def test_the_scope_of_a_session(
    recon: Recon,
    directory: Path,
    monkeypatch: pytest.MonkeyPatch,
    internal: dict[str, Any] | None,
    scope: str | tuple[list[str], str],
) -> None:
    """All symbols of its ledger, from its opening, else from its first row."""
    side = None if internal is None else {"as_of": AS_OF, **internal}
    write_session(directory / "day.recon.json", internal=side)
    taken: list[Any] = []
    monkeypatch.setattr(exchanges, "open_exchange", lambda *_, **__: None)

    def take(*asked: Any) -> Recording:
        taken.extend(asked[-2:])
        return Recording((), BEGUN, BEGUN)

    monkeypatch.setattr(writing, "take_snapshot", take)
    answer = recon(*NAMED, "--for", "day.recon.json")
    if isinstance(scope, str):
        answer.refused(1, f"day.recon.json: {scope}")
    else:
        assert answer.code == 0, answer.err
        assert taken == [scope[0], datetime.fromisoformat(scope[1])]


@pytest.mark.parametrize(
    ("content", "reason"),
    [(None, "No such file or directory"), ("{", "is no JSON"), ("[]", "is no object")],
)
def test_settings_of_ccxt_that_are_refused(
    recon: Recon, directory: Path, content: str | None, reason: str
) -> None:
    """By their file, before anything is asked."""
    if content is not None:
        (directory / "ccxt.json").write_text(content)
    words = ("--symbol", "A/B", "--since", "2026-01-01T00:00:00Z", "--settings", "ccxt.json")
    recon(*NAMED, *words).refused(1, f"ccxt.json: {reason}; expected settings of ccxt")
