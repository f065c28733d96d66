"""Standard output and error that take nothing more end no run early, and none green.

A full disk, a reader that went away or a stream that was closed before the process began
would raise in the middle of pytest's own reporting. Here the run continues to its reports
and its trail without the text, and the gate hears of it.
"""

import errno
import os
import sys
from collections.abc import Callable
from typing import Any, TextIO, cast

import pytest

from recon_core.values.errors import OUTPUT_LOST

STREAMS = pytest.StashKey[tuple["GuardedStream", "GuardedStream"]]()


class GuardedStream:
    """A text stream that never raises `OSError`; `lost` says why it took no more."""

    def __init__(self, stream: TextIO | None) -> None:
        self.lost: str | None = None
        self._stream = stream or open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
        self._is_missing = stream is None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write while the stream takes it."""
        if self._is_missing:
            self.lost = os.strerror(errno.EBADF)
        self._attempt(lambda: self._stream.write(text))
        return len(text)

    def flush(self) -> None:
        """Flush while the stream takes it."""
        self._attempt(self._stream.flush)

    def _attempt(self, action: Callable[[], object]) -> None:
        if self.lost is None:
            try:
                action()
            except OSError as error:
                self.lost = error.strerror or type(error).__name__


def guard_streams(config: pytest.Config) -> None:
    """Guard both streams until the run has ended, and for good where one was lost."""
    own = sys.stdout, sys.stderr
    guarded = config.stash[STREAMS] = GuardedStream(own[0]), GuardedStream(own[1])
    sys.stdout, sys.stderr = cast("tuple[TextIO, TextIO]", guarded)

    def release() -> None:
        for stream in guarded:
            stream.flush()
        if not any(stream.lost for stream in guarded) and None not in own:
            sys.stdout, sys.stderr = own

    config.add_cleanup(release)


def lost_output(config: pytest.Config) -> str | None:
    """Say what a stream did not take, `None` where both took everything."""
    reasons = [stream.lost for stream in config.stash.get(STREAMS, ()) if stream.lost]
    return f"recon: {OUTPUT_LOST.format(reasons[0])}" if reasons else None
