"""Bytes and names that are on the disk before success is reported."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

# O_NOFOLLOW and O_CLOEXEC are not there on every system.
SAFE_FLAGS: Final = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)


def attempt(action: Callable[[], object]) -> None:
    """Do what helps where it can be done."""
    with suppress(OSError):
        action()


def sync_directory(directory: Path) -> None:
    """See new names on the disk, where the system can do that for directories."""

    def sync() -> None:
        handle = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    attempt(sync)


def make_directories(directory: Path) -> None:
    """Make a directory and those above it, each of them on the disk; raises `OSError`."""
    missing = []
    while not directory.exists():
        missing.append(directory)
        directory = directory.parent
    for each in reversed(missing):
        each.mkdir(exist_ok=True)
        sync_directory(each.parent)


def write_all(handle: int, content: bytes) -> None:
    """Write all of `content` to an open file; raises `OSError`."""
    written = 0
    while written < len(content):
        written += os.write(handle, memoryview(content)[written:])


def write_file(path: Path, content: bytes, *, synced: bool = True) -> os.stat_result:
    """Write a file of its owner only, over an old one; raises `OSError`, and leaves none then."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | SAFE_FLAGS, 0o600)
    try:
        write_all(handle, content)
        if synced:
            os.fsync(handle)
        return os.fstat(handle)
    except OSError:
        attempt(path.unlink)
        raise
    finally:
        os.close(handle)
