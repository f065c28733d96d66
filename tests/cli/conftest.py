"""How these tests call `recon`: in this process, in a directory of their own."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from recon_core.cli import main, show_recon_audit

EXAMPLES = Path(__file__).parents[2] / "examples"
AS_OF = "2026-01-01T12:00:00Z"
POSITIONS = {"BTC/EUR": "0.1", "ETH/EUR": "2"}
CASH = {"EUR": "5000.00"}

CLEAR_LINE = "RECON: CLEAR (1 session, 7 comparisons)"
WARN_LINE = "RECON: CLEAR (1 session, 7 comparisons, 1 WARN)"
"""The last line for `write_session` with equal sides."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """Standard output line by line."""
        return self.out.splitlines()

    @property
    def json(self) -> Any:
        """Standard output, which is JSON and nothing else."""
        return json.loads(self.out)

    def refused(self, code: int, *parts: str) -> None:
        """The command printed nothing but one line on stderr that names `parts`."""
        assert (self.code, self.out) == (code, "")
        assert self.err.count("\n") == 1
        assert self.err.startswith("recon: ")
        assert [part for part in parts if part not in self.err] == []


Recon = Callable[..., Answer]


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory of a test, which is a project without settings."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NO_COLOR", raising=False)
    (tmp_path / "pytest.ini").write_text("", encoding="utf-8")
    return tmp_path


@pytest.fixture
def recon(capsys: pytest.CaptureFixture[str]) -> Recon:
    """Call `recon` with words, as the console script does."""
    return lambda *words: _called(main, words, capsys)


@pytest.fixture
def recon_audit(capsys: pytest.CaptureFixture[str]) -> Recon:
    """Call `show_recon_audit` with words, as the console script does."""
    return lambda *words: _called(show_recon_audit, words, capsys)


def _called(
    command: Callable[[list[str]], None],
    words: tuple[object, ...],
    capsys: pytest.CaptureFixture[str],
) -> Answer:
    capsys.readouterr()
    with pytest.raises(SystemExit) as ending:
        command([str(word) for word in words])
    printed = capsys.readouterr()
    assert "Traceback" not in printed.err
    assert isinstance(ending.value.code, int)
    return Answer(ending.value.code, printed.out, printed.err)


def write_session(
    path: Path,
    positions: Mapping[str, str] | None = POSITIONS,
    cash: Mapping[str, str] | None = CASH,
    *,
    external_positions: Mapping[str, str] | None = None,
    external_cash: Mapping[str, str] | None = None,
    **overrides: Any,
) -> Path:
    """Write a session file; the external side is equal where nothing else is said."""
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {
        "schema": "recon.session/1",
        "session_id": path.name.partition(".")[0],
        "strategy_id": "ma_crossover",
        "internal": _side(positions, cash),
        "external": _side(external_positions or positions, external_cash or cash),
        **overrides,
    }
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def _side(positions: Mapping[str, str] | None, cash: Mapping[str, str] | None) -> dict[str, object]:
    sections = {"as_of": AS_OF, "positions": positions, "cash": cash}
    return {name: value for name, value in sections.items() if value is not None}
