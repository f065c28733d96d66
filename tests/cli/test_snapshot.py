"""`recon snapshot` before it asks anybody: its usage, and what a user lacks.

The command as a whole, on the real ccxt, is the subject of tests/snapshot.
"""

from pathlib import Path

import pytest

from recon_core.snapshot import exchange as exchanges

from .conftest import Recon, write_session

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
