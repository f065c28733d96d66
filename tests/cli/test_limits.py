"""Limits on an input for the commands that read sessions."""

from pathlib import Path

import pytest

from recon_core.values.limits import changed_limits

from .conftest import Recon, write_session

COMMANDS = {
    "check": ["check", "s.recon.json"],
    "explain": ["explain", "s.recon.json"],
    "repair": ["repair", "s.recon.json", "-o", "r.json"],
    "convert": ["convert", "s.recon.json", "-o", "o.recon.json"],
}


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
def test_every_command_that_reads_sessions_has_limits(
    recon: Recon, directory: Path, words: list[str]
) -> None:
    """By option and by setting, said in a line, and gone when the command has ended."""
    write_session(directory / "s.recon.json")
    assert recon(*words).code == 0
    refused = recon(*words, "--limit", "json_bytes=9")
    assert refused.code in (1, 2)
    text = " ".join((refused.out + refused.err).split())
    assert "expected at most 9 (the setting recon_limits raises it" in text
    said = "limits json_bytes = 9 (default 201326592)"
    assert said in refused.out + refused.err
    (directory / "pytest.ini").write_text("[pytest]\nrecon_limits =\n    json_bytes = 9\n")
    assert said in (by_setting := recon(*words)).out + by_setting.err
    raised = recon(*words, "--limit=json_bytes=201326592", "--limit", "toml_dots=40")
    assert raised.code == 0
    assert "limits toml_dots = 40 (default 32)" in raised.out + raised.err
    assert changed_limits() == {}


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
@pytest.mark.parametrize("where", ["option", "setting"])
def test_a_misspelt_limit_is_wrong_usage(
    recon: Recon, directory: Path, words: list[str], where: str
) -> None:
    """A name that is near is offered, whichever way it was given."""
    write_session(directory / "s.recon.json")
    if where == "setting":
        (directory / "pytest.ini").write_text("[pytest]\nrecon_limits =\n    jsonbytes = 9\n")
    options = ["--limit=jsonbytes=9"] if where == "option" else []
    name = "--limit" if where == "option" else "recon_limits"
    recon(*words, *options).refused(
        64, f"{name}: 'jsonbytes' is no limit; did you mean json_bytes?"
    )
