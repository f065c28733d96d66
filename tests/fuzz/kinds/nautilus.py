"""Recordings of nautilus_trader, tables cut short."""

from collections.abc import Sequence
from pathlib import Path

from ..answer import Answer, judged
from ..changes import Files
from .kind import DATA, EXAMPLES, Kind, cut, files_in


def _seeds() -> Sequence[Files]:
    kept = files_in(EXAMPLES / "nautilus" / "recording", but=("orders.csv",))
    places = (
        "perp_ethusdt_bracket_all_rejected",
        "two_strategies_linear",
        "two_strategies_inverse",
        "hedge_mode_ethperp",
        "spot_btcusdt_cash",
        "spot_btcusdt_quotes_partial",
    )
    rejected = cut(files_in(DATA / "nautilus" / places[0]))
    return [kept, rejected, *(cut(files_in(DATA / "nautilus" / name)) for name in places)]


def _answer(directory: Path) -> Answer:
    return judged(directory)


KIND = Kind("nautilus", 40, _seeds, _answer)
