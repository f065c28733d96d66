"""The snippets of docs/engines.md, run with the real engines as a reader would."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.docs.blocks import Block, blocks_of
from tests.engines import backtesting_runs, backtrader_runs, vectorbt_runs
from tests.engines.faults import is_clear, recorded

pytestmark = pytest.mark.filterwarnings("ignore")

PAGE = Path(__file__).parents[2] / "docs" / "engines.md"
GIVEN: dict[str, Callable[[], dict[str, Any]]] = {
    "record_backtesting": lambda: {"backtest": backtesting_runs.backtest()},
    "record_backtrader": lambda: {"cerebro": backtrader_runs.cerebro()},
    "record_vectorbt": lambda: {
        "vbt": vectorbt_runs.vbt,
        "close": vectorbt_runs.prices(),
        "size": vectorbt_runs.np.where(vectorbt_runs.prices() < 100, 1.5, -2.5),
    },
}
"""The names that a reader has before a snippet, by the recorder that it calls."""


def snippets() -> list[Block]:
    """The Python blocks of the page."""
    return [block for block in blocks_of(PAGE) if block.language == "python"]


@pytest.mark.parametrize("block", snippets(), ids=lambda block: f"line {block.line}")
def test_a_snippet_records_a_clear_session(
    block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It writes into `run`, where it stands."""
    monkeypatch.chdir(tmp_path)
    (given,) = (names for recorder, names in GIVEN.items() if recorder in block.text)
    exec(compile(block.text, f"{PAGE.name}:{block.line}", "exec"), given())  # noqa: S102  # ours
    assert is_clear(recorded(tmp_path / "run"))


def test_every_recorder_is_in_a_snippet() -> None:
    """No engine is without its line."""
    text = "".join(block.text for block in snippets())
    assert all(name in text for name in GIVEN)
