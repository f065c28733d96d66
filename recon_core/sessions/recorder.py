"""`SessionRecorder`: a simulator writes its own session while it runs.

The result is a native session: `session.recon.json` with tables in JSON Lines beside it.
Rows are appended as they arrive, each with one write, so that a crash loses none of them;
the session file says `"complete": false` until the recorder is closed, and then how many
rows it wrote (`counts`).
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from recon_core.model import (
    Instrument,
    LedgerSide,
    RecordedSession,
    SessionMode,
)
from recon_core.sessions.directory_search import NATIVE_DIRECTORY_FILE
from recon_core.sessions.refused_calls import warn_of
from recon_core.sessions.side_recorder import Fields, SideRecorder
from recon_core.values.errors import ReconError
from recon_core.values.files import refusing, write_atomically
from recon_core.values.printable import printable


class SessionRecorder:
    """Writes one session into `directory`, which must be new or empty.

    Use it as a context manager. `internal` and `external` take what each side says; a
    side that is never used is not in the session. Amounts are `Decimal`, `int` or text;
    with `floats` the simulator computes in binary floats, which are then taken at their
    shortest decimal text. `instruments` are `Instrument`s, or symbols with the fields of the
    session file; `currencies` maps codes to decimal places. `snapshot` is the manifest of a
    `recon snapshot`, seen from `directory`, that is the exchange's side in place of `external`.

    Leaving the context by an exception keeps `"complete": false`, and so does a call that was
    refused, even where its error was swallowed (`ReconWarning`). Raises `ReconError`
    for a directory that is in use, declarations that the format does not hold, files that cannot
    be written, and calls after closing.
    """

    def __init__(
        self,
        directory: Path | str,
        *,
        session_id: str | None = None,
        strategy_id: str = "",
        mode: SessionMode | str | None = None,
        instruments: Iterable[Instrument] | Mapping[str, Instrument | Fields] = (),
        currencies: Mapping[str, int] | None = None,
        floats: bool = False,
        snapshot: str | None = None,
    ) -> None:
        from recon_core.sessions.recorder_rows import (  # noqa: PLC0415  # brings pydantic
            currencies_of,
            instruments_of,
            mode_of,
            text_of,
        )

        declared = instruments_of(instruments, floats=floats)
        codes, trading = currencies_of(currencies or {}), mode_of(mode)
        names = text_of(session_id or "", "session_id"), text_of(strategy_id, "strategy_id")
        self.snapshot = None if snapshot is None else text_of(snapshot, "snapshot")
        self.directory = _new_directory(Path(directory))
        self.path = self.directory / NATIVE_DIRECTORY_FILE
        self._session = RecordedSession(
            session_id=names[0] or self.directory.resolve().name,
            anchor=self.path,
            strategy_id=names[1],
            mode=trading,
            instruments=declared,
            currencies=codes,
        )
        self._started = datetime.now(UTC)
        self._complete = False
        self.closed = False
        self.refused: list[str] = []
        self.internal = SideRecorder(self, LedgerSide.INTERNAL, floats=floats)
        self.external = SideRecorder(self, LedgerSide.EXTERNAL, floats=floats)
        self.write()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not self.closed:
            self._end(complete=kind is None)

    def close(self) -> None:
        """Mark the session complete, with the number of rows of each table."""
        if not self.closed:
            self._end(complete=True)

    def checkpoint(self) -> None:
        """Mark the session complete as of now; a row that follows is not in its counts."""
        self._complete = not self.refused
        self.write()
        self._complete = False

    def _end(self, *, complete: bool) -> None:
        self.internal.release(fold=complete)
        self.external.release(fold=complete)
        self._complete = complete and not self.refused
        self.write()
        self.closed = True
        warn_of(self.refused if complete else (), self.directory)

    def write(self) -> None:
        """Write the session file as of now; tables are written row by row."""
        from recon_core.sessions.native_text import document_text, session_document  # noqa: PLC0415

        times = [side.latest for side in (self.internal, self.external) if side.latest is not None]
        latest = max(times, default=self._started)
        document = session_document(self._session)
        for side in (self.internal, self.external):
            if side.used:
                document[side.name] = side.document(latest, complete=self._complete)
        if self.snapshot is not None:
            document["external"] = {"from": {"format": "ccxt", "path": self.snapshot}}
        with refusing(self.path.name):
            write_atomically(self.path, document_text(document))


def _new_directory(directory: Path) -> Path:
    try:
        directory.mkdir(parents=True, exist_ok=True)
        if any(directory.iterdir()):
            raise ReconError(f"{printable(directory)}: is not empty; expected a new directory")
        # Of two recorders that found it empty, one gets it.
        (directory / NATIVE_DIRECTORY_FILE).touch(exist_ok=False)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ReconError(f"{printable(directory)}: cannot be used: {reason}") from None
    return directory
