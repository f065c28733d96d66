"""Results of LEAN, with their order events beside or inside."""

import json
from collections.abc import Sequence
from pathlib import Path

from ..answer import Answer, judged
from ..changes import Files, json_bytes
from .kind import DATA, Kind, files_in

_NAME = "1700000001.json"
_EVENTS = "1700000001-order-events.json"


def _seeds() -> Sequence[Files]:
    beside = files_in(DATA / "lean" / "backtest_long")
    document, events = json.loads(beside[_NAME]), json.loads(beside[_EVENTS])
    document["orderEvents"] = events
    document["holdings"] = {"ACME TEST0000001X": {"q": 90}, "BETA TEST0000002X": {"q": 80}}
    document["cash"] = {"USD": {"amount": 91708.474475}}
    return [beside, beside, {_NAME: json_bytes(document)}]


def _answer(directory: Path) -> Answer:
    return judged(directory / _NAME)


KIND = Kind("lean", 20, _seeds, _answer)
