"""From the names on the command line and in the ini to the anchors of sessions."""

import glob
import os
from collections.abc import Iterable
from pathlib import Path

import pytest
from pluggy import PluginManager

from pytest_recon.options import Settings
from recon_core.pairing import encode_key
from recon_core.printable import printable, quoted


def declared_sessions(
    settings: Settings, invocation_directory: Path, manager: PluginManager
) -> list[Path]:
    """The anchors of all sessions that were named, each once, sorted.

    Raises `pytest.UsageError` where a name matches nothing, before anything runs.
    """
    found: dict[Path, Path] = {}
    for option, directory, names in (
        ("--recon-session", invocation_directory, settings.command_line_sessions),
        ("recon_sessions", settings.ini_directory, settings.ini_sessions),
    ):
        for name in names:
            for anchor in _anchors(option, directory, name, manager):
                found.setdefault(identity(anchor), anchor)
    return sorted(found.values())


def _anchors(option: str, directory: Path, name: str, manager: PluginManager) -> list[Path]:
    from recon_core.sessions import find_sessions  # noqa: PLC0415  # not at pytest's start

    try:
        paths = _matching(directory, name)
        anchors = [anchor for path in paths for anchor in find_sessions(path, manager)]
    except Exception as error:  # noqa: BLE001  # a directory's, or a format plugin's fault
        reason = f"{type(error).__name__}: {printable(error)}"
        raise pytest.UsageError(f"{option}: {quoted(name, 200)}: {reason}") from None
    if not anchors:
        raise pytest.UsageError(
            f"{option}: {quoted(name, 200)} matches no recorded session; expected a file, "
            "a directory that holds some, or a pattern"
        )
    return anchors


def _matching(directory: Path, name: str) -> Iterable[Path]:
    """The path itself where it exists, as a dangling link too; else what the pattern gives."""
    path = Path(os.path.normpath(directory / name)) if name else None
    if path is None:
        return []
    if os.path.lexists(path):
        return [path]
    # Path.glob refuses absolute patterns.
    matches = glob.glob(name, root_dir=directory, recursive=True)  # noqa: PTH207
    return [directory / match for match in sorted(matches)]


def identity(path: Path) -> Path:
    """What makes two ways to one file the same; a dangling link or a loop is only itself."""
    try:
        return path.resolve(strict=True)
    except (OSError, RuntimeError, ValueError):
        return path.absolute()


def named_by_arguments(config: pytest.Config) -> frozenset[Path]:
    """The files that positional arguments name, with or without a part of them."""
    directory = config.invocation_params.dir
    return frozenset(identity(directory / argument.split("::")[0]) for argument in config.args)


def is_named(anchor: Path, named: frozenset[Path]) -> bool:
    """Whether a positional argument names the anchor of a session."""
    return identity(anchor) in named


def node_path(anchor: Path, rootpath: Path) -> str:
    """The anchor relative to the rootdir as it stands in node ids, made safe to print."""
    try:
        relative = os.path.relpath(anchor, rootpath)
    except ValueError:  # another drive
        relative = str(anchor)
    return "/".join(encode_key(part) for part in Path(relative).parts)
