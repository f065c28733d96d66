"""`SessionRecorder`: a simulator writes its own session while it runs.

The result is a native session: `session.recon.json` with tables in JSON Lines beside
it. Rows are appended as they come, each with one write, so that a crash loses none of
them; the session file says `"complete": false` until the recorder is closed, and then
how many rows it wrote (`counts`).
"""

import json
import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from recon_core.amounts import parse_amount, require_amount, shortest_amount
from recon_core.atomic import write_atomically
from recon_core.errors import AmountError, ReconError
from recon_core.model import (
    CashBalance,
    Currency,
    Fill,
    Instrument,
    LedgerSide,
    Movement,
    MovementKind,
    Numbers,
    Opening,
    Order,
    Position,
    RecordedSession,
    SessionMode,
    SideRecord,
    Snapshot,
)
from recon_core.printable import printable
from recon_core.sessions.discovery import NATIVE_DIRECTORY_FILE
from recon_core.sessions.refused_calls import noted, warn_of
from recon_core.times import require_time

_Row = TypeVar("_Row")

Number = Decimal | int | float | str
Positions = Mapping[str, Number] | Iterable[Position]
Cash = Mapping[str, Number] | Iterable[CashBalance]

_AMOUNTS: Final = frozenset({"quantity", "filled_quantity", "price", "fee", "amount"})


class SessionRecorder:
    """Writes one session into `directory`, which must be new or empty.

    Use it as a context manager. `internal` and `external` take what each side says; a
    side that is never used is not in the session. Amounts are `Decimal`, `int` or text;
    with `floats` the simulator computes in binary floats, which are then taken at their
    shortest decimal text. `currencies` maps codes to decimal places.

    Leaving the context by an exception keeps `"complete": false`, and so does a call that was
    refused, even where its error was swallowed (`ReconWarning`). Raises `ReconError`
    for a directory that is in use, amounts that are not exact, and calls after closing.
    """

    def __init__(
        self,
        directory: Path | str,
        *,
        session_id: str | None = None,
        strategy_id: str = "",
        mode: SessionMode | str | None = None,
        instruments: Iterable[Instrument] = (),
        currencies: Mapping[str, int] | None = None,
        floats: bool = False,
    ) -> None:
        self.directory = _new_directory(Path(directory))
        self.path = self.directory / NATIVE_DIRECTORY_FILE
        codes = {} if currencies is None else currencies
        self._session = RecordedSession(
            session_id=session_id or self.directory.resolve().name,
            anchor=self.path,
            strategy_id=strategy_id,
            mode=None if mode is None else SessionMode(mode),
            instruments={one.symbol: one for one in instruments},
            currencies={code: Currency(code, places) for code, places in codes.items()},
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

    def _end(self, *, complete: bool) -> None:
        self.internal.release(fold=complete)
        self.external.release(fold=complete)
        self._complete = complete and not self.refused
        self.write()
        self.closed = True
        warn_of(self.refused if complete else (), self.directory)

    def write(self) -> None:
        """Write the session file as it stands; tables are written as rows come."""
        from recon_core.sessions.native_text import document_text, session_document  # noqa: PLC0415

        times = [side.latest for side in (self.internal, self.external) if side.latest is not None]
        latest = max(times, default=self._started)
        document = session_document(self._session)
        for side in (self.internal, self.external):
            if side.used:
                document[side.name] = side.document(latest, complete=self._complete)
        write_atomically(self.path, document_text(document))


class SideRecorder:
    """One side of a session that is being recorded; `as_of` is the time that it speaks of.

    Without `as_of` both sides are of the latest time in the recording.
    """

    def __init__(self, recorder: SessionRecorder, side: LedgerSide, *, floats: bool) -> None:
        self.name = str(side)
        self.source: str | None = None
        self.as_of: datetime | None = None
        self.used = False
        self.latest: datetime | None = None
        self._recorder = recorder
        self._floats = floats
        self._tables: dict[str, _TableFile] = {}
        self._opening: Opening | None = None
        self._state: dict[str, tuple[Any, ...]] = {}
        self._orders: dict[tuple[str | None, str], Mapping[str, Any]] = {}

    @noted
    def opening(
        self,
        positions: Positions = (),
        cash: Cash = (),
        as_of: datetime | None = None,
    ) -> None:
        """The state before the first fill; an empty one is an opening too."""
        self._opening = Opening(as_of, self._positions(positions), self._cash(cash))
        self._changed()

    @noted
    def fill(self, fill: Fill | None = None, /, **fields: Any) -> None:
        """Append a fill, given as one or by its fields."""
        self._append("fills", Fill(**self._exact(fields)) if fill is None else fill)

    @noted
    def order(self, order: Order | None = None, /, **fields: Any) -> None:
        """Append the state of an order; closing keeps the last one of each order."""
        state = Order(**self._exact(fields)) if order is None else order
        self._orders[(state.account, state.order_id)] = self._append("orders", state)

    @noted
    def movement(self, movement: Movement | None = None, /, **fields: Any) -> None:
        """Append cash or quantity that moved without a fill; `kind` says why."""
        if movement is None:
            exact = self._exact(fields)
            movement = Movement(movement_kind=MovementKind(exact.pop("kind")), **exact)
        self._append("movements", replace(movement, time=require_time(movement.time, "time")))

    @noted
    def snapshot(
        self, as_of: datetime, *, positions: Positions | None = None, cash: Cash | None = None
    ) -> None:
        """Append a state in between."""
        held = None if positions is None else self._positions(positions)
        balances = None if cash is None else self._cash(cash)
        self._append("snapshots", Snapshot(require_time(as_of, "as_of"), held, balances))

    @noted
    def positions(self, positions: Positions) -> None:
        """The positions at the end; a later call replaces an earlier one."""
        self._state["positions"] = self._positions(positions)
        self._changed()

    @noted
    def cash(self, cash: Cash) -> None:
        """The balances at the end; a later call replaces an earlier one."""
        self._state["cash"] = self._cash(cash)
        self._changed()

    def note_refusal(self, error: Exception) -> None:
        """Remember a call that raised: the recording is not complete without it."""
        self._recorder.refused.append(f"{self.name}: {printable(error)}")

    def document(self, latest: datetime, *, complete: bool) -> dict[str, Any]:
        """The side as it stands in the session file, its tables by their paths."""
        from recon_core.sessions.native_text import side_document  # noqa: PLC0415  # brings pydantic

        record = SideRecord(
            as_of=latest if self.as_of is None else require_time(self.as_of, "as_of"),
            source=self.source,
            numbers=Numbers.FLOAT if self._floats else Numbers.DECIMAL,
            opening=self._opening,
            positions=self._state.get("positions"),
            cash=self._state.get("cash"),
        )
        document = side_document(record) | {"complete": complete}
        for name, table in self._tables.items():
            document[name] = {"path": table.path.name}
        if complete:
            counted = {name: table.rows for name, table in self._tables.items()}
            counted.pop("snapshots", None)
            document["counts"] = counted
        return document

    def release(self, *, fold: bool) -> None:
        """Close the files; `fold` keeps the last state of each order only."""
        for table in self._tables.values():
            table.close()
        orders = self._tables.get("orders")
        if fold and orders is not None and orders.rows > len(self._orders):
            orders.replace(self._orders.values())

    def _append(self, section: str, row: Any) -> Mapping[str, Any]:
        from recon_core.sessions.native_text import snapshot_document  # noqa: PLC0415

        self._require_open()
        is_snapshot = isinstance(row, Snapshot)
        document = snapshot_document(row) if is_snapshot else _readable(section, row)
        table = self._tables.get(section)
        if table is None:
            table = _TableFile(self._recorder.directory / f"{self.name}-{section}.jsonl")
            self._tables[section] = table
            self._changed()
        table.append(document)
        time = row.as_of if is_snapshot else row.time
        self.latest = time if self.latest is None else max(time, self.latest)
        return document

    def _changed(self) -> None:
        self._require_open()
        self.used = True
        self._recorder.write()

    def _require_open(self) -> None:
        if self._recorder.closed:
            raise ReconError("the recorder is closed; expected a call before that")

    def _exact(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        return {
            name: self._amount(value, name) if name in _AMOUNTS and value is not None else value
            for name, value in fields.items()
        }

    def _amount(self, value: Any, name: str) -> Decimal:
        try:
            if isinstance(value, float) and self._floats:
                return shortest_amount(value)
            if isinstance(value, str):
                return shortest_amount(value) if self._floats else parse_amount(value)
        except AmountError as error:
            raise AmountError(f"{name}: {error}") from None
        return require_amount(value, name)

    def _positions(self, given: Positions) -> tuple[Position, ...]:
        if isinstance(given, Mapping):
            given = [
                Position(symbol, self._amount(quantity, f"position {printable(symbol, 60)}"))
                for symbol, quantity in given.items()
            ]
        return _all_readable("positions", given)

    def _cash(self, given: Cash) -> tuple[CashBalance, ...]:
        if isinstance(given, Mapping):
            given = [
                CashBalance(code, self._amount(total, f"cash {printable(code, 60)}"))
                for code, total in given.items()
            ]
        return _all_readable("cash", given)


class _TableFile:
    """A table in JSON Lines that only grows, each row by one write."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows = 0
        self._handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o666)

    def append(self, document: Mapping[str, Any]) -> None:
        """Add a row; what the system did not take at once is written after it."""
        line = _line(document).encode()
        while line:
            line = line[os.write(self._handle, line) :]
        self.rows += 1

    def close(self) -> None:
        """Give the file to the disk, so that counts never promise more than there is."""
        os.fsync(self._handle)
        os.close(self._handle)

    def replace(self, documents: Collection[Mapping[str, Any]]) -> None:
        """Write the closed file anew."""
        write_atomically(self.path, "".join(map(_line, documents)))
        self.rows = len(documents)


def _readable(section: str, row: Any) -> dict[str, Any]:
    """A row as it is written; one that nobody could read is refused while it can be put right."""
    from recon_core.sessions.native_text import require_readable, row_document  # noqa: PLC0415

    document = row_document(section, row)
    require_readable(section, document)
    return document


def _all_readable(section: str, rows: Iterable[_Row]) -> tuple[_Row, ...]:
    listed = tuple(rows)
    for row in listed:
        _readable(section, row)
    return listed


def _line(document: Mapping[str, Any]) -> str:
    return f"{json.dumps(document)}\n"


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
