"""The snippets of docs/engines.md, run with the real engines as a reader would."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from recon_core import recorders
from tests.docs.blocks import Block, blocks_of
from tests.engines import (
    backtesting_runs,
    backtrader_runs,
    ccxt_runs,
    freqtrade_runs,
    nautilus_runs,
    vectorbt_runs,
)
from tests.engines.faults import is_clear, recorded

pytestmark = pytest.mark.filterwarnings("ignore")

PAGE = Path(__file__).parents[2] / "docs" / "engines.md"


def a_bot(stack: ExitStack) -> dict[str, Any]:
    """A bot on an exchange of this machine, which is there as long as the snippet."""
    account, exchange = stack.enter_context(ccxt_runs.paper())
    return {"exchange": exchange, "trade": lambda: ccxt_runs.trade(exchange, account, 9)}


GIVEN: dict[str, Callable[[ExitStack], dict[str, Any]]] = {
    "record_backtesting": lambda _: {"backtest": backtesting_runs.backtest()},
    "record_backtrader": lambda _: {"cerebro": backtrader_runs.cerebro()},
    "record_ccxt": a_bot,
    "record_nautilus": lambda _: {"engine": nautilus_runs.pair_engine()},
    "record_vectorbt": lambda _: {
        "vbt": vectorbt_runs.vbt,
        "close": vectorbt_runs.prices(),
        "size": vectorbt_runs.np.where(vectorbt_runs.prices() < 100, 1.5, -2.5),
    },
}
"""The names that a reader has before a snippet, by the recorder that it calls."""


def run_strategy(text: str, place: Path) -> None:
    """Run a backtest whose strategy is a snippet, on what the strategy of the tests does."""
    file = place / "strategies" / "mine.py"
    file.parent.mkdir()
    trading = "from tests.engines.freqtrade_strategy import Trading as IStrategy\n"
    file.write_text(f"{trading}{text}")
    ended = freqtrade_runs.backtest(place / "run", "Mine", file.parent)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert is_clear(recorded(place / "run"))


def snippets() -> list[Block]:
    """The Python blocks of the page."""
    return [block for block in blocks_of(PAGE) if block.language == "python"]


@pytest.mark.parametrize("block", snippets(), ids=lambda block: f"line {block.line}")
def test_a_snippet_records_a_clear_session(
    block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It writes into `run`, where it stands."""
    monkeypatch.chdir(tmp_path)
    if "record_freqtrade" in block.text:
        run_strategy(block.text, tmp_path)
        return
    (given,) = (names for recorder, names in GIVEN.items() if recorder in block.text)
    code = compile(block.text, f"{PAGE.name}:{block.line}", "exec")
    with ExitStack() as stack:
        exec(code, given(stack))  # noqa: S102  # the page is ours
    assert is_clear(recorded(tmp_path / "run"))


def test_every_recorder_is_in_a_snippet() -> None:
    """No engine is without its line."""
    text = "".join(block.text for block in snippets())
    assert all(name in text for name in recorders.__all__)
