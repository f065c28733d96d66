"""Nothing that is held is left uncompared, whichever lists the two sides show it in."""

import json
from collections.abc import Mapping
from itertools import chain, combinations, product
from pathlib import Path
from typing import Any

import pytest

from recon_core.engine.reconciliation import reconcile_session
from recon_core.values.severity import Severity

Side = dict[str, Any]

AS_OF = "2026-01-01T12:00:00Z"
HELD = {"BTC": "1", "ETH": "2", "BNB": "0.5"}
"""BTC and ETH were bought, BNB was there before."""
INSTRUMENTS = {f"{one}/EUR": {"kind": "spot", "base": one, "quote": "EUR"} for one in HELD}
CONTRACT = {"kind": "linear", "base": "BTC", "quote": "EUR"}


def _fill(symbol: str, quantity: str) -> dict[str, str]:
    return {
        "fill_id": symbol,
        "symbol": symbol,
        "side": "BUY",
        "quantity": quantity,
        "price": "100",
        "time": "2026-01-01T09:00:00Z",
    }


def _forms(held: Mapping[str, str], contract: Mapping[str, str]) -> dict[str, Side]:
    """One account as sides list it."""
    bought = {asset: held[asset] for asset in ("BTC", "ETH") if asset in held}
    cash = {"EUR": str(1000 - sum(100 * int(quantity) for quantity in bought.values()))}
    positions = {f"{asset}/EUR": quantity for asset, quantity in held.items()}
    fills = [_fill(f"{asset}/EUR", quantity) for asset, quantity in bought.items()]
    fills += [_fill(symbol, quantity) for symbol, quantity in contract.items()]
    before = {asset: quantity for asset, quantity in held.items() if asset not in bought}
    return {
        "replay": {"opening": {"cash": {"EUR": "1000", **before}}, "fills": fills},
        "both lists": {"positions": {**positions, **contract}, "cash": {**cash, **held}},
        "balances": {"cash": {**cash, **held}},
        "positions": {"positions": {**positions, **contract}, "cash": cash},
        "no spot positions": {"positions": dict(contract), "cash": {**cash, **held}},
    }


def _without(side: Side, asset: str) -> Side:
    """The side without an asset in any list."""
    return {
        name: {key: row for key, row in rows.items() if key not in {asset, f"{asset}/EUR"}}
        if name in {"positions", "cash"}
        else rows
        for name, rows in side.items()
    }


def _blocks(directory: Path, internal: Side, external: Side, contract: Mapping[str, str]) -> bool:
    document = {
        "schema": "recon.session/1",
        "session_id": "s",
        "instruments": {**INSTRUMENTS, **dict.fromkeys(contract, CONTRACT)},
        "internal": {"as_of": AS_OF, **internal},
        "external": {"as_of": AS_OF, **external},
    }
    path = directory / "s.recon.json"
    path.write_text(json.dumps(document))
    return any(diff.severity.rank >= Severity.FAIL.rank for diff in reconcile_session(path).diffs)


CHOICES = chain.from_iterable(combinations(HELD, size) for size in (1, 2, 3))


@pytest.mark.large
@pytest.mark.parametrize("contract", [{}, {"P": "3"}], ids=["spot alone", "and a contract"])
@pytest.mark.parametrize("assets", list(CHOICES), ids="".join)
def test_what_one_side_alone_holds_blocks(
    tmp_path: Path, assets: tuple[str, ...], contract: dict[str, str]
) -> None:
    """An asset that a side shows in no list is missing from it, whatever list the other uses."""
    forms = _forms({asset: HELD[asset] for asset in assets}, contract)
    green = [
        (ours, theirs, asset, missing)
        for (ours, theirs), asset in product(product(forms, forms), assets)
        for missing in ("internal", "external")
        if forms[ours if missing == "internal" else theirs].get("opening") is None
        if not _blocks(
            tmp_path,
            _without(forms[ours], asset) if missing == "internal" else forms[ours],
            _without(forms[theirs], asset) if missing == "external" else forms[theirs],
            contract,
        )
    ]
    assert green == []
