"""From the names on the command line and in the ini to the anchors of sessions."""

from pathlib import Path

import pytest
from pluggy import PluginManager

from pytest_recon.options import Settings
from recon_core.sessions.directory_search import Discovery
from recon_core.sessions.discovery import identity, joined, named_sessions
from recon_core.values.errors import SessionError


def declared_sessions(
    settings: Settings, invocation_directory: Path, manager: PluginManager
) -> Discovery:
    """Find all sessions that were named, each once, sorted.

    Raises `pytest.UsageError` where a name matches nothing, before anything runs.
    """
    found: list[Discovery] = []
    for option, directory, names in (
        ("--recon-session", invocation_directory, settings.command_line_sessions),
        ("recon_sessions", settings.ini_directory, settings.ini_sessions),
    ):
        for name in names:
            try:
                found.append(named_sessions(name, directory, manager))
            except SessionError as error:
                raise pytest.UsageError(f"{option}: {error}") from None
    return joined(found)


def named_by_arguments(config: pytest.Config) -> frozenset[Path]:
    """The files that positional arguments name, with or without a part of them."""
    directory = config.invocation_params.dir
    return frozenset(identity(directory / argument.split("::")[0]) for argument in config.args)


def is_named(anchor: Path, named: frozenset[Path]) -> bool:
    """True if a positional argument names the anchor of a session."""
    return identity(anchor) in named
