"""Finding recorded sessions under a path: native files, and what the formats recognise."""

import glob
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from pluggy import PluginManager

from recon_core.errors import SessionError
from recon_core.printable import printable, quoted

NATIVE_SUFFIX: Final = ".recon.json"
NATIVE_DIRECTORY_FILE: Final = "session.recon.json"


def find_sessions(path: Path, manager: PluginManager) -> list[Path]:
    """The anchor files of all sessions at `path`, sorted; a file is always one.

    A directory is searched for `*.recon.json` and for foreign recordings. Hidden
    directories are left out, linked ones are not entered. The inside of a foreign
    recording is not searched further. Raises `OSError` for a directory that cannot be
    read: what might be in it must not go unseen.
    """
    if path.is_dir():
        return sorted(set(_search(path, manager)))
    anchor = manager.hook.recon_anchor(path=path)
    return [path if anchor is None else anchor]


def _search(directory: Path, manager: PluginManager) -> Iterator[Path]:
    for folder, subfolders, files in os.walk(directory, onerror=_refuse):
        place = Path(folder)
        recording = manager.hook.recon_anchor(path=place)
        if recording is not None:
            subfolders.clear()
            yield recording
        else:
            subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        for name in files:
            if name.endswith(NATIVE_SUFFIX):
                yield place / name
            elif recording is None:
                anchor = manager.hook.recon_anchor(path=place / name)
                if anchor is not None:
                    yield anchor


def _refuse(error: OSError) -> None:
    raise error


def named_sessions(name: str, directory: Path, manager: PluginManager) -> list[Path]:
    """The anchors of the sessions that a file, a directory or a pattern names.

    `name` is seen from `directory`. Raises `SessionError` where it matches nothing, or
    what it names cannot be searched.
    """
    try:
        paths = _matching(directory, name)
        anchors = [anchor for path in paths for anchor in find_sessions(path, manager)]
    except Exception as error:  # noqa: BLE001  # a directory's, or a format plugin's fault
        reason = f"{type(error).__name__}: {printable(error)}"
        raise SessionError(f"{quoted(name, 200)}: {reason}") from None
    if not anchors:
        raise SessionError(
            f"{quoted(name, 200)} matches no recorded session; expected a file, "
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


def each_once(anchors: Iterable[Path]) -> list[Path]:
    """The anchors sorted, each file once, whichever way it was named first."""
    found: dict[Path, Path] = {}
    for anchor in anchors:
        found.setdefault(identity(anchor), anchor)
    return sorted(found.values())


def identity(path: Path) -> Path:
    """What makes two ways to one file the same; a dangling link or a loop is only itself."""
    try:
        return path.resolve(strict=True)
    except (OSError, RuntimeError, ValueError):
        return path.absolute()
