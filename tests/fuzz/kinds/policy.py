"""Policies in TOML."""

from collections.abc import Sequence
from pathlib import Path

from recon_core.policy.toml_file import read_policy
from recon_core.values.errors import PolicyError

from ..answer import Answer
from ..changes import Files
from .kind import EXAMPLES, Kind

_NAME = "recon.toml"
_MORE = b"""
require = ["positions", "cash", "fills"]
max_skew = "PT60S"
[position]
info_below = "0.002"
[cash.absolute]
"U*" = "2"
[aliases]
external = { "XBT.F" = "BTC", "BTCUSDT.BINANCE" = "BTC/USDT" }
[severity]
fill_fee = "INFO"
order_time = "FAIL"
"""


def _seeds() -> Sequence[Files]:
    example = (EXAMPLES / "policy" / _NAME).read_bytes()
    plain = b"\n".join(line for line in example.splitlines() if not line.startswith(b"#"))
    return [{_NAME: plain}, {_NAME: example}, {_NAME: _MORE}]


def _answer(directory: Path) -> Answer:
    try:
        policy = read_policy(directory / _NAME)
    except PolicyError as error:
        return Answer(str(error), refused=True)
    return Answer(repr(policy.to_dict()))


KIND = Kind("policy", 90, _seeds, _answer)
