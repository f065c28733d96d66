"""A hint where a side lists an asset elsewhere than where it is compared."""

import json
from pathlib import Path
from typing import Any

import pytest

from recon_core.engine.reconciliation import Reconciliation, reconcile_session
from recon_core.policy.toml_file import read_policy

TIME = "2026-01-01T09:00:00Z"
AS_OF = "2026-01-01T12:00:00Z"


def _fill(number: int, symbol: str, quantity: str) -> dict[str, str]:
    return {
        "fill_id": f"f{number}",
        "symbol": symbol,
        "side": "BUY",
        "quantity": quantity,
        "price": "100",
        "time": TIME,
    }


LEDGER: dict[str, Any] = {
    "as_of": AS_OF,
    "opening": {"cash": {"EUR": "1000"}},
    "fills": [_fill(1, "BTC/EUR", "0.10"), _fill(2, "ETH/EUR", "2")],
}
STATED: dict[str, Any] = {
    "as_of": AS_OF,
    "positions": {"BTC/EUR": "0.10", "ETH/EUR": "2"},
    "cash": {"EUR": "790", "BTC": "0.10", "ETH": "2"},
}
BALANCE = "external lists 0.10 as position BTC/EUR; if it keeps no balance of BTC, the policy says "
POSITION = "external lists 0.10 as balance BTC; if it keeps no position of BTC, the policy says "
KEEPS = '[keeps] external = {{ "BTC" = "{}" }}'
POSITIONS = {"BTC/EUR": "0.10", "ETH/EUR": "2"}


def _in_accounts(name: str, asset: str, **quantities: str) -> list[dict[str, str]]:
    """Rows of positions or balances, by their accounts."""
    field = "quantity" if name == "symbol" else "total"
    return [{name: asset, field: one, "account": of} for of, one in quantities.items()]


OF_ACCOUNTS: dict[str, Any] = {
    "as_of": AS_OF,
    "positions": _in_accounts("symbol", "BTC/EUR", a="0.10", b="0.30"),
    "cash": [
        *_in_accounts("currency", "ETH", a="2", b="2"),
        *_in_accounts("currency", "BTC", a="0.10", b="0.30"),
    ],
}
OTHER_COINS = _in_accounts("currency", "ETH", a="2", b="2")
CASES: dict[str, tuple[dict[str, Any], dict[str, Any], str, str]] = {
    "no balance, of a replay": (
        LEDGER,
        {"positions": POSITIONS, "cash": {"EUR": "790", "ETH": "2"}},
        "cash::BTC",
        BALANCE + KEEPS.format("position"),
    ),
    "no position, of a replay": (
        LEDGER,
        {"positions": {"ETH/EUR": "2"}, "cash": STATED["cash"]},
        "position::BTC/EUR",
        POSITION + KEEPS.format("balance"),
    ),
    "no balance, of a statement": (
        STATED,
        {"positions": POSITIONS, "cash": {"EUR": "790", "ETH": "2"}},
        "cash::BTC",
        BALANCE + KEEPS.format("position"),
    ),
    "no position of that quantity": (
        LEDGER,
        {"positions": {**POSITIONS, "BTC/EUR": "0.11"}, "cash": {"EUR": "790", "ETH": "2"}},
        "cash::BTC",
        "",
    ),
    "in neither list": (
        LEDGER,
        {"positions": {"ETH/EUR": "2"}, "cash": {"EUR": "790", "ETH": "2"}},
        "cash::BTC",
        "",
    ),
    "another amount of a balance": (
        LEDGER,
        {"positions": POSITIONS, "cash": {"EUR": "790", "ETH": "2", "BTC": "0.2"}},
        "cash::BTC",
        "",
    ),
    "positions of two accounts": (
        LEDGER,
        {
            "positions": [
                {"symbol": "BTC/EUR", "quantity": "0.04", "account": "a"},
                {"symbol": "BTC/EUR", "quantity": "0.06", "account": "b"},
                {"symbol": "ETH/EUR", "quantity": "2", "account": "a"},
            ],
            "cash": {"EUR": "790", "ETH": "2"},
        },
        "cash::BTC",
        BALANCE + KEEPS.format("position"),
    ),
    "a position of that account": (
        OF_ACCOUNTS,
        {"positions": _in_accounts("symbol", "BTC/EUR", a="0.10", b="0.30"), "cash": OTHER_COINS},
        "cash::BTC,account=a",
        BALANCE + KEEPS.format("position"),
    ),
    "a position of another account": (
        OF_ACCOUNTS,
        {"positions": _in_accounts("symbol", "BTC/EUR", b="0.10"), "cash": OTHER_COINS},
        "cash::BTC,account=a",
        "",
    ),
}


def _reconciled(
    directory: Path, internal: dict[str, Any], exchange: dict[str, Any], policy: str = ""
) -> Reconciliation:
    document = {
        "schema": "recon.session/1",
        "session_id": "s",
        "instruments": {
            f"{base}/EUR": {"kind": "spot", "base": base, "quote": "EUR"} for base in ("BTC", "ETH")
        },
        "internal": internal,
        "external": {"as_of": AS_OF, **exchange},
    }
    path = directory / "s.recon.json"
    path.write_text(json.dumps(document))
    (directory / "recon.toml").write_text(policy)
    return reconcile_session(path, read_policy(directory / "recon.toml"))


@pytest.mark.parametrize(("internal", "exchange", "identity", "hint"), CASES.values(), ids=CASES)
def test_an_asset_in_the_other_list_is_named(
    tmp_path: Path, internal: dict[str, Any], exchange: dict[str, Any], identity: str, hint: str
) -> None:
    """Where the amount is the same; the difference stays what it is."""
    reconciliation = _reconciled(tmp_path, internal, exchange)
    (diff,) = [one for one in reconciliation.diffs if one.identity == identity]
    assert [note for note in diff.notes if "keeps" in note] == ([hint] if hint else [])


@pytest.mark.parametrize("name", ["no balance, of a replay", "no position, of a replay"])
def test_the_policy_of_the_hint_clears_the_session(tmp_path: Path, name: str) -> None:
    """What it proposes can be pasted."""
    internal, exchange, _, hint = CASES[name]
    keeps, _, table = hint.partition("[keeps] ")[2].partition(" = ")
    policy = f"[keeps]\n{keeps} = {table}\n"
    assert _reconciled(tmp_path, internal, exchange, policy).diffs == []
