"""Native session files, changed section by section, on one side or alike on both."""

import json
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

from ..answer import Answer, judged
from ..changes import Files, changed_file, changed_json, json_bytes
from .kind import EXAMPLES, Kind

_NAME = "input.recon.json"
_TIME = "2026-01-01T12:00:00Z"


def _fill(number: int, **more: Any) -> dict[str, Any]:
    row = {"fill_id": f"f{number}", "client_order_id": f"o{number}", "symbol": "BTC/EUR"}
    row |= {"side": "BUY", "quantity": "0.10", "price": "42000.00", "fee": "4.20"}
    return row | {"fee_currency": "EUR", "time": f"2026-01-01T09:3{number}:00Z"} | more


def _order(number: int, **more: Any) -> dict[str, Any]:
    row = {"client_order_id": f"o{number}", "exchange_order_id": f"x{number}", "side": "BUY"}
    row |= {"symbol": "BTC/EUR", "quantity": "0.10", "filled_quantity": "0.10", "type": "limit"}
    row |= {"price": "42000.00", "state": "FILLED", "time": f"2026-01-01T09:3{number}:00Z"}
    return row | more


def _every_section() -> dict[str, Any]:
    """A clear session that has every section on both sides."""
    sell = {"side": "SELL", "quantity": "0.04", "fee": "1.70"}
    of_order = {"side": "SELL", "quantity": "0.04", "filled_quantity": "0.04"}
    opened = {"state": "ACKNOWLEDGED", "filled_quantity": "0"}
    side: dict[str, Any] = {
        "as_of": _TIME,
        "source": "ledger",
        "numbers": "decimal",
        "complete": True,
        "positions": [{"symbol": "BTC/EUR", "quantity": "0.06", "leg": "NET"}],
        "cash": [
            {"currency": "EUR", "total": "7574.10", "free": "7000.00", "locked": "574.10"},
            {"currency": "BTC", "total": "0.06"},
        ],
        "orders": [_order(1), _order(2, **of_order), _order(3, **opened)],
        "fills": [_fill(1), _fill(2, **sell)],
        "movements": [
            {
                "movement_id": "m1",
                "kind": "deposit",
                "time": _TIME,
                "currency": "EUR",
                "amount": "100",
            }
        ],
        "opening": {"as_of": "2026-01-01T00:00:00Z", "positions": {}, "cash": {"EUR": "10000.00"}},
        "snapshots": [{"as_of": "2026-01-01T10:00:00Z", "positions": {"BTC/EUR": "0.06"}}],
        "counts": {"fills": 2, "orders": 3},
    }
    # 10,000 + 100 - 4,200 - 4.20 + 1,680 - 1.70
    return _session(side)


def _session(side: dict[str, Any]) -> dict[str, Any]:
    return {
        "schema": "recon.session/1",
        "session_id": "input",
        "strategy_id": "s",
        "mode": "LIVE",
        "instruments": {"BTC/EUR": {"kind": "spot", "base": "BTC", "quote": "EUR"}},
        "currencies": {"EUR": {"precision": 2}},
        "internal": side,
        "external": json.loads(json.dumps(side)),
    }


def _few_sections(*names: str) -> dict[str, Any]:
    full = _every_section()["internal"]
    return _session({name: full[name] for name in ("as_of", *names)})


def _seeds() -> Sequence[Files]:
    made = [
        _every_section(),
        _few_sections("positions", "cash"),
        _few_sections("positions", "cash", "orders"),
        _few_sections("positions", "cash", "fills"),
        _few_sections("opening", "fills", "movements"),
        _few_sections("opening", "fills", "positions", "cash", "movements", "snapshots"),
    ]
    examples = [
        path.read_bytes()
        for path in sorted(EXAMPLES.rglob("*.recon.json"))
        if b'"path"' not in path.read_bytes()
    ]
    return [{_NAME: content} for content in [*map(json_bytes, made * 2), *examples]]


def _change(random: Random, files: Files) -> Files:
    content = files[_NAME]
    kind = random.random()
    try:
        document = json.loads(content)
        if kind < 0.2:
            document[random.choice(("internal", "external"))] = changed_json(
                random, document[random.choice(("internal", "external"))]
            )
            return {_NAME: json_bytes(document)}
        if kind < 0.55:
            return {_NAME: json_bytes(_alike(random, document))}
        if kind < 0.6:
            return {_NAME: _key_twice(random, content)}
    except (ValueError, KeyError, TypeError):
        pass  # an earlier change has left no session
    return {_NAME: changed_file(random, _NAME, content)}


def _alike(random: Random, document: dict[str, Any]) -> dict[str, Any]:
    """The same change on both sides: what was clear often stays so."""
    state = random.getstate()
    for side in ("internal", "external"):
        random.setstate(state)
        document[side] = changed_json(random, document[side])
    return document


def _key_twice(random: Random, content: bytes) -> bytes:
    places = [place for place, byte in enumerate(content) if byte == ord("{")]
    place = random.choice(places) + 1 if places else 0
    key = random.choice(
        (b'"as_of": null, ', b'"cash": {}, ', b'"quantity": "1", ', b'"BTC/EUR": "9", ')
    )
    return content[:place] + key + content[place:]


def _answer(directory: Path) -> Answer:
    path = directory / _NAME
    return judged(path, path.read_bytes())


KIND = Kind("native", 520, _seeds, _answer, _change)
