"""Finding recorded sessions under a path: native files, and what the formats recognise."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from pluggy import PluginManager

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
