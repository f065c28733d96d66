"""One writer at a time: the lock beside an audit log, on `NAME.lock`.

filelock falls back to a lock *file* where the system has no locks, and takes a name that
cannot be made for a lock that is held. Both would blame another process, after a long wait;
so the lock is tried once by hand, which distinguishes them.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from recon_core.audit.durable import SAFE_FLAGS, make_directories
from recon_core.values.errors import AuditError
from recon_core.values.printable import printable

try:
    import fcntl
except ImportError:  # no POSIX: filelock has locks of that system
    fcntl = None  # type: ignore[assignment]

_HELD: Final = frozenset({errno.EACCES, errno.EAGAIN, errno.EWOULDBLOCK})
_NO_LOCKS: Final = frozenset(
    {errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, getattr(errno, "ENOTSUP", errno.EOPNOTSUPP)}
)


@contextmanager
def locked(path: Path, timeout: float) -> Iterator[None]:
    """Hold the lock of a log; raises `AuditError` that says why it cannot be had."""
    place, shown = Path(f"{path}.lock"), printable(path.name)
    lock = FileLock(place, timeout=timeout, mode=0o600)
    try:
        make_directories(path.parent)
        _try(place)
        lock.acquire()
    except Timeout:
        since = f" for {timeout:g} s" if timeout else ""
        raise AuditError(f"{shown}: another process has held the lock{since}") from None
    except (OSError, RuntimeError, ValueError, NotImplementedError) as error:
        raise AuditError(f"{shown}: its lock cannot be taken: {_reason(error, place)}") from None
    try:
        yield
    finally:
        lock.release()


def settle(path: Path, timeout: float = 10.0) -> None:
    """Wait until no writer is in the middle of a line, where its lock can be had."""
    place = Path(f"{path}.lock")
    if not place.is_file():
        return
    # What cannot be locked, as on a read-only disk, is read without a lock.
    with suppress(Timeout, OSError, RuntimeError, NotImplementedError):
        _try(place)
        with FileLock(place, timeout=timeout, mode=0o600):
            return


def _try(place: Path) -> None:
    """Raise `OSError` where the lock cannot be had, whoever holds it."""
    if fcntl is None:
        return
    handle = os.open(place, os.O_RDWR | os.O_CREAT | os.O_NONBLOCK | SAFE_FLAGS, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in _HELD:
            raise
    finally:
        os.close(handle)


def _reason(error: Exception, place: Path) -> str:
    if not isinstance(error, OSError) or not error.strerror:
        return printable(error)
    reason = printable(error.strerror)
    if error.errno in _NO_LOCKS:
        return f"{reason}: this disk has no locks; expected a local disk, or one whose locks hold"
    if error.errno == errno.ENOENT and place.parent.is_dir():
        return f"{reason}: its directory takes no new files"
    return reason
