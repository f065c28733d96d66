"""Recordings that are sources of a session: it reads them, and its verdict is theirs.

A session file names what it reads: `"from"` a recording, and tables by their `"path"`. What
it names there is read, or the session is CRITICAL; so a named recording is judged, although
only with its session.
"""

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from recon_core.sessions.files import inside, read_text_file
from recon_core.sessions.foreign import one_sided_module
from recon_core.sessions.json_text import parse_json
from recon_core.values.errors import SessionError


def sources(sessions: Collection[Path], recordings: Collection[Path]) -> dict[Path, Path]:
    """Find the recordings that are sources, each with the session that reads it.

    Both are anchors that one search found. A session file reads below its own directory
    only, so that most files are not opened here at all.
    """
    above = {folder for anchor in recordings for folder in anchor.parents}
    places = _Places(recordings)
    found: dict[Path, Path] = {}
    for session in sorted(sessions):
        if session.parent in above:
            for path, recording_format in named_paths(session):
                source = places.recording(path, is_directory=_is_recording(recording_format))
                if source is not None:
                    found.setdefault(source, session)
    return found


class _Places:
    """The recordings by the paths that may represent them in a session file."""

    def __init__(self, recordings: Iterable[Path]) -> None:
        self._files: dict[Path, Path] = {}
        self._folders: dict[Path, list[Path]] = {}
        for anchor in recordings:
            self._files[_real(anchor)] = anchor
            self._folders.setdefault(_real(anchor.parent), []).append(anchor)

    def recording(self, path: Path, *, is_directory: bool) -> Path | None:
        """The recording at a path: its anchor, or its directory where that holds no other.

        Of several in a directory the format takes its own, and which that is shows only
        when it is read: then each is judged by itself.
        """
        within = self._folders.get(path, []) if is_directory else []
        return self._files.get(path) or (within[0] if len(within) == 1 else None)


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))


def _is_recording(recording_format: str | None) -> bool:
    """True if a directory may represent a recording of both sides."""
    return recording_format is not None and one_sided_module(recording_format) is None


def named_paths(session: Path) -> Iterator[tuple[Path, str | None]]:
    """Yield the paths that a session names, and the format of a source; `None` for a table."""
    for name, table in _references(_sides(session)):
        try:
            path = inside(session.parent, table["path"])
        except SessionError:  # reading the session says so
            continue
        yield path, str(table.get("format")) if name == "from" else None


def _sides(session: Path) -> Mapping[str, Any]:
    """Return both sides as written in the file; nothing of a file that is no session."""
    try:
        content = read_text_file(session)
        if '"path"' not in content.text:
            return {}
        document = parse_json(content.text, content.name)
    except SessionError:  # reading the session says so
        return {}
    tables = document if isinstance(document, dict) else {}
    return {side: tables.get(side) for side in ("internal", "external")}


def _references(tables: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, table in tables.items():
        if isinstance(table, dict):
            if isinstance(table.get("path"), str):
                yield name, table
            yield from _references(table)
