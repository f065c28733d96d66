"""Backtest results of freqtrade: the JSON inside, and the archive around it."""

import io
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

from ..answer import Answer, judged
from ..changes import Files, changed_bytes, changed_json_file
from .kind import DATA, Kind

_NAME = "backtest-result-input.zip"
_MEMBER = "backtest-result-input.json"
_TIME = 1767268800000


def backtest() -> bytes:
    """One closed trade: 10 - 0.002 - 0.002 of fees."""
    enter: dict[str, Any] = {"amount": 1.0, "safe_price": 2.0, "order_filled_timestamp": _TIME}
    enter |= {"ft_order_side": "buy", "ft_is_entry": True}
    leave = {**enter, "ft_order_side": "sell", "ft_is_entry": False}
    trade = {"pair": "A/B", "fee_open": 0.001, "fee_close": 0.001, "is_open": False}
    trade |= {"amount": 1.0, "is_short": False, "open_timestamp": _TIME, "orders": [enter, leave]}
    result = {
        "trades": [trade],
        "stake_currency": "B",
        "starting_balance": 10,
        "final_balance": 9.996,
    }
    return json.dumps({"strategy": {"S": result}}).encode()


def _packed(content: bytes) -> Files:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(zipfile.ZipInfo(_MEMBER), content)
    return {_NAME: out.getvalue()}


def _seeds() -> Sequence[Files]:
    recorded = next((DATA / "freqtrade" / "bt_spot_ema").glob("*.zip"))
    return [*[_packed(backtest())] * 30, {_NAME: recorded.read_bytes()}]


def _change(random: Random, files: Files) -> Files:
    content = files[_NAME]
    if random.random() < 0.15:
        return {_NAME: changed_bytes(random, content)}
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            inner = archive.read(_MEMBER)
    except Exception:  # noqa: BLE001  # no archive of ours any more
        return {_NAME: changed_bytes(random, content)}
    return _packed(changed_json_file(random, inner))


def _answer(directory: Path) -> Answer:
    return judged(directory / _NAME)


KIND = Kind("freqtrade-zip", 30, _seeds, _answer, _change)
