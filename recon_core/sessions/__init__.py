"""Recorded sessions: the native file, tables beside it, and foreign recordings."""

from pathlib import Path

from pluggy import PluginManager

from recon_core.model import RecordedSession
from recon_core.plugins.manager import extension_manager
from recon_core.sessions.directory_search import NATIVE_DIRECTORY_FILE, NATIVE_SUFFIX
from recon_core.sessions.discovery import find_sessions
from recon_core.values.errors import SessionError
from recon_core.values.printable import printable
from recon_core.values.urls import url_of

__all__ = ["find_sessions", "read_session"]


def read_session(path: Path, manager: PluginManager | None = None) -> RecordedSession:
    """Read one recorded session: a native file, a recording's anchor or its directory.

    A path that is made of a URL, `Path("s3://bucket/day.recon.json")`, is fetched for it.
    `manager` holds the formats, by default the built-in and the installed ones. A section
    that a side does not report is `None`. Raises `SessionError` where the session cannot be
    judged.
    """
    if url_of(path) is not None:
        from recon_core.sessions.remote import read_remote  # noqa: PLC0415  # only for a URL

        return read_remote(path, lambda local: read_session(local, manager))
    # pydantic is loaded where a file is read, not where pytest starts.
    from recon_core.sessions.native import read_native_session  # noqa: PLC0415

    if manager is None:
        manager = extension_manager()
    if path.name.endswith(NATIVE_SUFFIX):
        return read_native_session(path, manager)
    foreign = manager.hook.recon_read_session(path=path)
    if isinstance(foreign, RecordedSession):
        return foreign
    if not path.is_dir():
        return read_native_session(path, manager)
    if (path / NATIVE_DIRECTORY_FILE).is_file():
        return read_native_session(path / NATIVE_DIRECTORY_FILE, manager)
    raise SessionError(
        f"{printable(path.name)}: is a directory without a recording; "
        f"expected {NATIVE_DIRECTORY_FILE} or a foreign recording"
    )
