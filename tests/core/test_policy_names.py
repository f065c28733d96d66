"""Policy keys that match nothing in a run, said once and for all of its sessions."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from recon_core.engine.reconciliation import Reconciliation, reconcile_session
from recon_core.model import LedgerSide, View
from recon_core.policy import CashPolicy, Policy, PositionPolicy
from recon_core.policy.aliases import Aliases
from recon_core.policy.names import unmatched_line
from recon_core.policy.toml_file import read_policy
from recon_core.values.amounts import ZERO

HEAD = "policy keys that match nothing here: "


def session(directory: Path, name: str, sides: dict[str, Any], **more: Any) -> Path:
    """A session of two sides that agree in `sides`."""
    side = {"as_of": "2026-01-01T12:00:00Z", **sides}
    document = {"schema": "recon.session/1", "session_id": name, **more}
    path = directory / f"{name}.recon.json"
    path.write_text(json.dumps({**document, "internal": side, "external": side}))
    return path


def line(policy: Policy, *paths: Path) -> str | None:
    """The line of a run of these sessions."""
    run = [reconcile_session(path, policy) for path in paths]
    return unmatched_line(policy, (one.policy_names for one in run))


SPOT = {"positions": {"BTC/EUR": "1", "DOGE/EUR": "2"}, "cash": {"EUR": "5", "BTC": "1"}}
DELIVERED = {"cash": {"BTC": "1"}, "positions": {}}


def positions(*patterns: str) -> Policy:
    return Policy(position=PositionPolicy(absolute=dict.fromkeys(patterns, ZERO)))


def cash(**amounts: int) -> Policy:
    return Policy(cash=CashPolicy(absolute={code: Decimal(one) for code, one in amounts.items()}))


CASES: dict[str, tuple[Policy, str | None]] = {
    "the built-in policy": (Policy(), None),
    "a symbol": (positions("BTC/EUR"), None),
    "a pattern": (positions("DOGE/*"), None),
    "every symbol": (positions("*"), None),
    "another symbol": (positions("BTC/USD"), 'position.absolute "BTC/USD" (did you mean BTC/EUR?)'),
    "other letters": (positions("btc/eur"), 'position.absolute "btc/eur" (did you mean BTC/EUR?)'),
    "another pattern": (positions("*/USDC"), 'position.absolute "*/USDC"'),
    "a currency": (cash(BTC=1), None),
    "a default": (cash(USD=1), None),
    "a changed default": (cash(USD=2), 'cash.absolute "USD"'),
    "another currency": (cash(EURO=1), 'cash.absolute "EURO" (did you mean EUR?)'),
    "a name of the side": (Policy(aliases=Aliases(external={"BTC": "XBT"})), None),
    "a name of the other side": (
        Policy(aliases=Aliases(internal={"XBT": "BTC"})),
        'aliases.internal "XBT"',
    ),
    "an asset": (Policy(keeps={LedgerSide.INTERNAL: {"DOGE": View.BOTH, "*": View.BOTH}}), None),
    "another asset": (
        Policy(keeps={LedgerSide.INTERNAL: {"DOG": View.BOTH}}),
        'keeps.internal "DOG" (did you mean DOGE?)',
    ),
    "many keys": (
        positions(*(f"A{number}" for number in range(9))),
        ", ".join(f'position.absolute "A{number}"' for number in range(5)) + ", 4 more",
    ),
    "a hostile key": (positions("\x1b[2J\n::error::"), r'position.absolute "\x1b[2J\x0a\x3a:error'),
}


@pytest.mark.parametrize(("policy", "expected"), CASES.values(), ids=CASES)
def test_keys_that_match_nothing(tmp_path: Path, policy: Policy, expected: str | None) -> None:
    """By table and key, with a near name of the session."""
    found = line(policy, session(tmp_path, "s", SPOT))
    if expected is None:
        assert found is None
    else:
        assert found is not None
        assert found.startswith(HEAD + expected)
        assert "\n" not in found


def test_a_key_that_one_session_uses_is_used(tmp_path: Path) -> None:
    """A policy of many sessions names what only some of them trade."""
    first, second = session(tmp_path, "a", SPOT), session(tmp_path, "b", DELIVERED)
    policy = positions("BTC/EUR", "ETH/EUR")
    found = line(policy, first, second)
    assert found == f'{HEAD}position.absolute "ETH/EUR" (did you mean BTC/EUR?)'
    assert line(policy, second) == (
        f'{HEAD}position.absolute "BTC/EUR", position.absolute "ETH/EUR"'
    )


def test_a_holding_is_called_by_its_asset(tmp_path: Path) -> None:
    """What one side lists as a position and the other as a balance follows the symbol's rule."""
    path = session(
        tmp_path,
        "s",
        {"positions": {"BTC/EUR": "1"}, "keeps": {"BTC": "position"}},
        instruments={"BTC/EUR": {"kind": "spot", "base": "BTC", "quote": "EUR"}},
    )
    document = json.loads(path.read_text())
    document["external"] = {"as_of": document["internal"]["as_of"], "cash": {"BTC": "1"}}
    path.write_text(json.dumps(document))
    policy = positions("BTC")
    assert "holding::BTC" in {one.identity for one in reconcile_session(path, policy).comparisons}
    assert line(policy, path) is None


def test_nothing_is_said_where_a_session_cannot_be_read(tmp_path: Path) -> None:
    """Its names are not known: it may be the one that the key is for."""
    broken = tmp_path / "broken.recon.json"
    broken.write_text("{")
    assert line(positions("ETH/EUR"), session(tmp_path, "s", SPOT), broken) is None


def test_names_are_gathered_only_for_what_a_policy_names(tmp_path: Path) -> None:
    """A session of many rows costs nothing under a policy without names."""
    path = session(tmp_path, "s", SPOT)
    assert reconcile_session(path).policy_names == {}
    names = reconcile_session(path, positions("BTC/EUR")).policy_names
    assert names == {"position.absolute": ["BTC/EUR", "DOGE/EUR"]}
    assert Reconciliation.unreadable(path, "no", Policy()).policy_names is None


def test_a_pattern_of_currencies_is_refused(tmp_path: Path) -> None:
    """It would look as if it held."""
    path = tmp_path / "recon.toml"
    path.write_text('[cash.absolute]\n"USD*" = "5"\n')
    with pytest.raises(Exception, match=r"cash: absolute: 'USD\*': is a pattern; expected a cur"):
        read_policy(path)
