"""Sessions whose ledger is read from tables by a mapping."""

from collections.abc import Sequence
from pathlib import Path

from ..answer import Answer, judged
from ..changes import Files, json_bytes
from .kind import EXAMPLES, Kind, cut, files_in

_NAME = "session.recon.json"


def _small() -> Files:
    stated = {
        "as_of": "2026-01-01T10:00:00Z",
        "positions": {"BTC/EUR": "1"},
        "cash": {"EUR": "5000.00", "BTC": "1"},
    }
    session = {
        "schema": "recon.session/1",
        "session_id": "s",
        "internal": {"from": {"format": "table", "path": "map.toml"}},
        "external": stated,
    }
    mapping = """numbers = "decimal"
timezone = "UTC"
[[cash]]
path = "cash.csv"
columns = { currency = "code", total = "sum", time = "when" }
[[positions]]
path = "held.csv"
columns = { symbol = "sym", quantity = "qty", time = "when" }
"""
    return {
        _NAME: json_bytes(session),
        "map.toml": mapping.encode(),
        "cash.csv": b"code,sum,when\nEUR,5000.00,2026-01-01T10:00:00\nBTC,1,2026-01-01T10:00:00\n",
        "held.csv": b"sym,qty,when\nBTC/EUR,1,2026-01-01T10:00:00\n",
    }


def _seeds() -> Sequence[Files]:
    tables = EXAMPLES / "tables"
    return [*[_small()] * 3, *(cut(files_in(tables / name)) for name in ("backtrader", "vectorbt"))]


def _answer(directory: Path) -> Answer:
    return judged(directory / _NAME)


KIND = Kind("table", 40, _seeds, _answer)
