"""A third party's recording format, as a plugin of the core."""

from pathlib import Path

import pytest
from pluggy import PluginManager

from recon_core import hookimpl
from recon_core.engine.reconciliation import reconcile_session
from recon_core.model import RecordedSession
from recon_core.plugins.manager import extension_manager
from recon_core.values.errors import SessionError

from .builders import AS_OF_TEXT, document, recorded, side, verdicts, write_session
from .refusals import refusal


class TextFormat:
    """A third party's format: `NAME.balance` holds one total."""

    @hookimpl
    def recon_anchor(self, path: Path) -> Path | None:
        return path if path.suffix == ".balance" else None

    @hookimpl
    def recon_read_session(self, path: Path) -> RecordedSession | None:
        if path.suffix != ".balance":
            return None
        text = path.read_text()
        if text == "broken":
            raise SessionError(f"{path.name}: is broken")
        if text == "raise":
            raise KeyError("a\nb")
        balance = side({}, {"EUR": text})
        return recorded(balance, balance, anchor=path, recording_format="balance")


@pytest.fixture
def manager() -> PluginManager:
    made = extension_manager()
    made.register(TextFormat())
    return made


def test_a_third_party_format_is_read(tmp_path: Path, manager: PluginManager) -> None:
    """The manager's plugins read what the core does not know."""
    path = tmp_path / "run.balance"
    path.write_text("5000.00")
    reconciliation = reconcile_session(path, None, manager)
    assert verdicts(reconciliation) == {"cash::EUR": "match"}
    assert reconciliation.recorded.recording_format == "balance"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("broken", "run.balance: is broken"),
        ("raise", "run.balance: KeyError while reading: 'a"),
        ("not a number", "run.balance: InvalidOperation while reading"),
    ],
)
def test_a_format_that_fails_is_critical(
    tmp_path: Path, manager: PluginManager, text: str, expected: str
) -> None:
    """Whatever a format raises becomes one item of that session."""
    path = tmp_path / "run.balance"
    path.write_text(text)
    assert expected in refusal(path, manager)


def test_a_side_may_be_taken_from_a_third_party_format(
    tmp_path: Path, manager: PluginManager
) -> None:
    """`from` asks the same plugins, and an error of theirs names the session file."""
    (tmp_path / "run.balance").write_text("5000.00")
    internal = {"as_of": AS_OF_TEXT, "cash": {"EUR": "5000"}, "positions": {}}
    source = {"from": {"format": "balance", "path": "run.balance"}}
    path = write_session(tmp_path, document(internal=internal, external=source))
    assert verdicts(reconcile_session(path, None, manager)) == {"cash::EUR": "match"}
    (tmp_path / "run.balance").write_text("raise")
    assert "bad.recon.json" in refusal(path, manager)
