"""Finding recorded sessions under a path: native files, and what the formats recognise.

Nothing below a directory that was named is passed over in silence: it is a session, it is
searched, or it is an `UnjudgedPath`, by name and with the reason.
"""

import glob
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Final

from pluggy import PluginManager

from recon_core.sessions.unjudged_paths import Reason, UnjudgedPath, notes_on
from recon_core.values.errors import SessionError
from recon_core.values.printable import printable, quoted
from recon_core.values.urls import is_url, url_of

NATIVE_SUFFIX: Final = ".recon.json"
NATIVE_DIRECTORY_FILE: Final = "session.recon.json"
SIMILAR: Final = re.compile(r"\.recon\b.*json", re.IGNORECASE | re.DOTALL)
"""`x.recon.JSON`, `x.recon.json.bak`, `x.recon.jsonl`, `x.recon (1).json`."""

_MOST_NEIGHBOURS: Final = 1000
"""Files and directories that a misspelt name is compared with."""


@dataclass(frozen=True, slots=True)
class Discovery:
    """The anchor files of sessions, sorted, and what was passed over on the way.

    `places` are the files and directories that were asked for.
    """

    anchors: list[Path]
    unjudged: list[UnjudgedPath] = field(default_factory=list)
    places: list[Path] = field(default_factory=list)


def find_sessions(path: Path, manager: PluginManager) -> list[Path]:
    """The anchor files of all sessions at `path`, sorted (see `search`)."""
    return search(path, manager).anchors


def search(path: Path, manager: PluginManager) -> Discovery:
    """Find all sessions at `path`, which may be made of a URL; a file is always one.

    A directory is searched, with everything below it, for `*.recon.json` and for foreign
    recordings. Hidden directories and linked ones are passed over. A recording from which a
    session found here takes a side is a source of that session and none of its own. Raises
    `OSError` for a directory that cannot be read: a session in it must not be missed.
    """
    url = url_of(path)
    if url is not None:
        return _found(url, path, manager)
    if not path.is_dir():
        anchor = manager.hook.recon_anchor(path=path)
        return Discovery([path if anchor is None else anchor], places=[path])
    found = _Search(path, manager)
    folders = [path]
    while folders:
        folders += found.look(folders.pop())
    return found.discovery()


@dataclass(slots=True)
class _Search:
    """Collects what one search of a directory finds."""

    root: Path
    manager: PluginManager
    native: set[Path] = field(default_factory=set)
    foreign: set[Path] = field(default_factory=set)
    unjudged: list[UnjudgedPath] = field(default_factory=list)

    def look(self, place: Path) -> list[Path]:
        """Look at one directory; returns those in it that are to be searched."""
        self._recognise(place)
        with os.scandir(place) as entries:
            return [Path(entry.path) for entry in entries if self._is_next(entry)]

    def _is_next(self, entry: os.DirEntry[str]) -> bool:
        """Take a file; True if it is a directory to be searched."""
        if not _is_directory(entry):
            self._take(Path(entry.path), entry)
        elif entry.name.startswith("."):
            self._pass_over(entry, Reason.HIDDEN)
        elif not entry.is_symlink():
            return True
        elif not self._is_searched(entry):
            self._pass_over(entry, Reason.LINKED)
        return False

    def _take(self, path: Path, entry: os.DirEntry[str]) -> None:
        if path.name.endswith(NATIVE_SUFFIX):
            self.native.add(path)
        elif not self._recognise(path):
            if SIMILAR.search(path.name):
                self._pass_over(entry, Reason.SIMILAR)
            elif entry.is_symlink() and not os.path.exists(path):  # noqa: PTH110  # never raises
                # It may have led to a directory.
                self._pass_over(entry, Reason.LINKED)

    def _recognise(self, path: Path) -> bool:
        anchor = self.manager.hook.recon_anchor(path=path)
        if anchor is not None:
            self.foreign.add(anchor)
        return anchor is not None

    def _is_searched(self, link: os.DirEntry[str]) -> bool:
        """True if a link leads to a directory that this search meets anyway."""
        target, root = Path(os.path.realpath(link.path)), Path(os.path.realpath(self.root))
        inside = target.is_relative_to(root)
        return inside and not any(part.startswith(".") for part in target.relative_to(root).parts)

    def _pass_over(self, entry: os.DirEntry[str], reason: Reason) -> None:
        self.unjudged.append(UnjudgedPath(Path(entry.path), reason))

    def discovery(self) -> Discovery:
        """The sessions that were found, without recordings that are sources of a session."""
        sources = _sources(self.native, self.foreign) if self.native and self.foreign else {}
        unjudged = [UnjudgedPath(path, Reason.SOURCE, reader) for path, reader in sources.items()]
        return Discovery(
            sorted((self.native | self.foreign) - sources.keys()),
            [*self.unjudged, *unjudged],
            [self.root],
        )


def _sources(native: set[Path], foreign: set[Path]) -> dict[Path, Path]:
    # Only here is a file read; most directories hold one kind of session.
    from recon_core.sessions.sources import sources  # noqa: PLC0415

    return sources(native, foreign)


def _is_directory(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads round in a circle
        return False


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
    return not is_hidden and (_is_directory(entry) or entry.name.endswith(NATIVE_SUFFIX))


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
