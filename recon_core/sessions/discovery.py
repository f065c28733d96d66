"""Finding the sessions that a name means: a file, a directory, a pattern or a URL."""

import glob
import os
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Final

from pluggy import PluginManager

from recon_core.sessions.directory_search import (
    NATIVE_SUFFIX,
    Discovery,
    is_directory,
    search_directory,
)
from recon_core.sessions.unjudged_paths import UnjudgedPath, notes_on
from recon_core.values.errors import SessionError
from recon_core.values.printable import printable, quoted
from recon_core.values.urls import is_url, url_of

_MOST_NEIGHBOURS: Final = 1000
"""Files and directories that a misspelt name is compared with."""


def find_sessions(path: Path, manager: PluginManager) -> list[Path]:
    """The anchor files of all sessions at `path`, sorted (see `search`)."""
    return search(path, manager).anchors


def search(path: Path, manager: PluginManager) -> Discovery:
    """Find all sessions at `path`, which may be made of a URL, as `search_directory` does."""
    url = url_of(path)
    return search_directory(path, manager) if url is None else _found(url, path, manager)


def named_sessions(name: str, directory: Path, manager: PluginManager) -> Discovery:
    """Find the sessions that a file, a directory or a pattern names.

    `name` is seen from `directory`, or is a URL. Raises `SessionError` where it matches nothing, or
    what it names cannot be searched.
    """
    try:
        found = _found(name, directory, manager)
    except SessionError:
        raise
    except Exception as error:  # noqa: BLE001  # a directory's, or a format plugin's fault
        reason = f"{type(error).__name__}: {printable(error)}"
        raise SessionError(f"{quoted(name, 200)}: {reason}") from None
    if not found.anchors:
        notes = "".join(f"; {note}" for note in notes_on(found.unjudged, directory))
        notes += "" if found.places else _near(name, directory)
        raise SessionError(
            f"{quoted(name, 200)} matches no recorded session; expected a file, "
            f"a directory that holds some, or a pattern{notes}"
        )
    return found


def _found(name: str, directory: Path, manager: PluginManager) -> Discovery:
    if not is_url(name):
        return joined(search(path, manager) for path in _matching(directory, name))
    from recon_core.sessions.remote import remote_search  # noqa: PLC0415  # only for a URL

    return remote_search(name, manager)


def _near(name: str, directory: Path) -> str:
    """Return `; did you mean suite/clear?` for a name beside one that is not there."""
    from recon_core.values.suggestions import nearest  # noqa: PLC0415  # for an error

    if not name:
        return ""
    path = Path(os.path.normpath(directory / name))
    try:
        with os.scandir(path.parent) as entries:
            known = [one.name for one in islice(entries, _MOST_NEIGHBOURS) if _may_be_meant(one)]
    except (OSError, ValueError):
        return ""
    # Without the ending, which makes any two names of sessions near.
    stems = {each.removesuffix(NATIVE_SUFFIX): each for each in known}
    near = nearest(path.name.removesuffix(NATIVE_SUFFIX), stems)
    if near is None:
        return ""
    meant = os.path.join(os.path.dirname(name.rstrip("/")), stems[near])  # noqa: PTH118, PTH120
    return f"; did you mean {printable(meant)}?"


def _may_be_meant(entry: os.DirEntry[str]) -> bool:
    is_hidden = entry.name.startswith(".")
    return not is_hidden and (is_directory(entry) or entry.name.endswith(NATIVE_SUFFIX))


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


def joined(discoveries: Iterable[Discovery]) -> Discovery:
    """Several searches as one: each session once, whichever way it was named first.

    What one of them passed over and another one found, or was to search, is not passed over.
    """
    found: dict[Path, Path] = {}
    unjudged: dict[Path, UnjudgedPath] = {}
    places: list[Path] = []
    for each in discoveries:
        places += each.places
        for anchor in each.anchors:
            found.setdefault(identity(anchor), anchor)
        for one in each.unjudged:
            unjudged.setdefault(identity(one.path), one)
    met = {*found, *map(identity, places)}
    kept = [one for path, one in unjudged.items() if path not in met]
    return Discovery(sorted(found.values()), kept, places)


def identity(path: Path) -> Path:
    """Return the identity of a file for all its paths; a dangling link or a loop is only itself."""
    try:
        return path.resolve(strict=True)
    except (OSError, RuntimeError, ValueError):
        return path.absolute()


def size_of(anchor: Path) -> int:
    """Return the bytes of an anchor, 0 of one that is not there: what it costs, roughly."""
    try:
        return anchor.stat().st_size
    except OSError:
        return 0
