"""Files and directories that a search for sessions passed over, and the notes on them."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from recon_core.values.printable import printable
from recon_core.values.urls import url_of

MOST_NAMES: Final = 5
"""Names of a note; one line holds five paths, and all beyond them are counted."""


class Reason(StrEnum):
    """Reason why a file below a named directory is not judged, in the order of the notes."""

    HIDDEN = "not searched (hidden)"
    LINKED = "not searched (linked)"
    SIMILAR = "not read (expected a name like NAME.recon.json)"
    REMOTE = "not looked at (by URL only session files are found)"
    SOURCE = "not judged by itself (a session reads it)"


@dataclass(frozen=True, slots=True)
class UnjudgedPath:
    """A file or directory that was not judged; `reader` is the session that reads a source."""

    path: Path
    reason: Reason
    reader: Path | None = None


def notes_on(unjudged: Iterable[UnjudgedPath], directory: Path) -> Iterator[str]:
    """One line for each reason, safe to print, with paths as seen from `directory`.

    `not searched (hidden): runs/.a, runs/.b, runs/.c, runs/.d, runs/.e and 3 more`.
    """
    everything = list(unjudged)
    for reason in Reason:
        names = sorted(_named(each, directory) for each in everything if each.reason is reason)
        if names:
            yield f"{reason}: {listed(names)}"


def listed(names: list[str]) -> str:
    """The first names, and how many there are more."""
    more = len(names) - MOST_NAMES
    return ", ".join(names[:MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def _named(each: UnjudgedPath, directory: Path) -> str:
    name = shown_path(each.path, directory)
    return name if each.reader is None else f"{name} by {shown_path(each.reader, directory)}"


def shown_path(path: Path, directory: Path) -> str:
    """A path as seen from `directory`, or the URL that it is, safe to print."""
    url = url_of(path)
    if url is not None:
        return printable(url)
    try:
        return printable(Path(os.path.relpath(path, directory)).as_posix())
    except ValueError:  # another drive
        return printable(path.name)
