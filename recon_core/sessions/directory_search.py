"""Searching a directory for recorded sessions: native files, and what the formats recognise.

Nothing below a directory that was named is passed over in silence: it is a session, it is
searched, or it is an `UnjudgedPath`, by name and with the reason.
"""

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pluggy import PluginManager

from recon_core.sessions.unjudged_paths import Reason, UnjudgedPath

NATIVE_SUFFIX: Final = ".recon.json"
NATIVE_DIRECTORY_FILE: Final = "session.recon.json"
SIMILAR: Final = re.compile(r"\.recon\b.*json", re.IGNORECASE | re.DOTALL)
"""`x.recon.JSON`, `x.recon.json.bak`, `x.recon.jsonl`, `x.recon (1).json`."""


@dataclass(frozen=True, slots=True)
class Discovery:
    """The anchor files of sessions, sorted, and what was passed over on the way.

    `places` are the files and directories that were asked for.
    """

    anchors: list[Path]
    unjudged: list[UnjudgedPath] = field(default_factory=list)
    places: list[Path] = field(default_factory=list)


def search_directory(path: Path, manager: PluginManager) -> Discovery:
    """Find all sessions at a path of this machine; a file is always one.

    A directory is searched, with everything below it, for `*.recon.json` and for foreign
    recordings. Hidden directories and linked ones are passed over. A recording from which a
    session found here takes a side is a source of that session and none of its own. Raises
    `OSError` for a directory that cannot be read: a session in it must not be missed.
    """
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
        if not is_directory(entry):
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


def is_directory(entry: os.DirEntry[str]) -> bool:
    """True if an entry is a directory; a link that leads round in a circle is none."""
    try:
        return entry.is_dir()
    except OSError:
        return False
