"""One side of a session that a simulator records while it runs."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from recon_core.model import (
    CashBalance,
    Fill,
    LedgerSide,
    Movement,
    Numbers,
    Order,
    Position,
    SideRecord,
    View,
)
from recon_core.sessions.growing_table import GrowingTable
from recon_core.sessions.refused_calls import noted
from recon_core.values.errors import ReconError, SessionError
from recon_core.values.printable import printable

if TYPE_CHECKING:
    from recon_core.sessions.recorder_rows import CheckedRow

Number = Decimal | int | float | str
Fields = Mapping[str, Any]
Positions = Mapping[str, Number] | Iterable[Position | Fields]
Cash = Mapping[str, Number] | Iterable[CashBalance | Fields]


class Recording(Protocol):
    """The recorder of the whole session, as a side uses it."""

    directory: Path
    closed: bool
    refused: list[str]
    snapshot: str | None

    def write(self) -> None:
        """Write the session file as of now."""


class SideRecorder:
    """One side of a session that is being recorded; `as_of` is the time that it speaks of.

    Without `as_of` both sides are of the latest time in the recording. Rows are given as values
    of the model, or by the fields of the session file: amounts as `Decimal`, `int` or text, ids
    also as whole numbers, words such as `buy` in any case, times also as text. Every call
    raises `ReconError` for what the format does not hold, with the row, counted from 1 by its
    calls, the field, the value and what would be accepted.
    """

    def __init__(self, recorder: Recording, side: LedgerSide, *, floats: bool) -> None:
        self.name = str(side)
        self.source: str | None = None
        self.as_of: datetime | str | None = None
        self.used = False
        self.latest: datetime | None = None
        self._recorder = recorder
        self._floats = floats
        self._tables: dict[str, GrowingTable] = {}
        self._calls: Counter[str] = Counter()
        self._state: dict[str, Any] = {}
        self._keeps: Mapping[str, View] = {}
        self._orders: dict[tuple[str | None, str], Mapping[str, Any]] = {}

    @noted
    def opening(
        self,
        positions: Positions = (),
        cash: Cash = (),
        as_of: datetime | str | None = None,
    ) -> None:
        """The state before the first fill; an empty one is an opening too."""
        with self._named("opening: "):
            document = self._states(positions or None, cash or None, as_of)
        self._changed(opening=document)

    @noted
    def fill(self, fill: Fill | Fields | None = None, /, **fields: Any) -> None:
        """Append a fill, given as one or by its fields."""
        self._append("fills", fill, fields)

    @noted
    def order(self, order: Order | Fields | None = None, /, **fields: Any) -> None:
        """Append the state of an order; closing keeps the last one of each order."""
        state = self._append("orders", order, fields)
        order_id = state.row.client_order_id or state.row.exchange_order_id
        self._orders[(state.row.account, order_id)] = state.document

    @noted
    def movement(self, movement: Movement | Fields | None = None, /, **fields: Any) -> None:
        """Append cash or quantity that moved without a fill; `kind` says why."""
        self._append("movements", movement, fields)

    @noted
    def snapshot(
        self,
        as_of: datetime | str,
        *,
        positions: Positions | None = None,
        cash: Cash | None = None,
    ) -> None:
        """Append a state in between."""
        from recon_core.sessions.recorder_rows import time_of  # noqa: PLC0415  # as below

        with self._numbered("snapshots"):
            document = self._states(positions, cash, as_of)
            time = time_of(as_of)
        self._write("snapshots", document, time)

    @noted
    def positions(self, positions: Positions) -> None:
        """The positions at the end; a later call replaces an earlier one."""
        with self._named():
            document = self._states(positions, None)
        self._changed(**document)

    @noted
    def cash(self, cash: Cash) -> None:
        """The balances at the end; a later call replaces an earlier one."""
        with self._named():
            document = self._states(None, cash)
        self._changed(**document)

    @noted
    def keeps(self, views: Mapping[str, View | str]) -> None:
        """The view in which this side lists an asset, where its rows do not show it."""
        from recon_core.sessions.recorder_rows import views_of  # noqa: PLC0415  # as below

        with self._named("keeps: "):
            self._keeps = views_of(views)
        self._changed()

    def note_refusal(self, error: Exception) -> None:
        """Remember a call that raised: the recording is not complete without it."""
        self._recorder.refused.append(printable(error))

    def document(self, latest: datetime, *, complete: bool) -> dict[str, Any]:
        """Return the side as written in the session file, its tables by their paths."""
        from recon_core.sessions.native_text import side_document  # noqa: PLC0415  # brings pydantic
        from recon_core.sessions.recorder_rows import text_of, time_of  # noqa: PLC0415  # as that

        with self._named():
            record = SideRecord(
                as_of=latest if self.as_of is None else time_of(self.as_of),
                source=None if self.source is None else text_of(self.source, "source"),
                numbers=Numbers.FLOAT if self._floats else Numbers.DECIMAL,
                keeps=self._keeps,
            )
        document = side_document(record) | {"complete": complete} | self._state
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

    def _append(self, section: str, row: Any, fields: Fields) -> "CheckedRow":
        from recon_core.sessions.recorder_rows import checked_row  # noqa: PLC0415  # brings pydantic

        self._require_open()
        with self._numbered(section):
            if isinstance(row, Mapping):
                fields = {**row, **fields}
            elif row is not None and fields:
                raise SessionError("is given as a row and by fields; expected one of them")
            given = fields if row is None or isinstance(row, Mapping) else row
            checked = checked_row(section, given, floats=self._floats)
        self._write(section, checked.document, checked.row.time)
        return checked

    def _write(self, section: str, document: Mapping[str, Any], time: datetime) -> None:
        self._require_open()
        table = self._tables.get(section)
        if table is None:
            table = GrowingTable(self._recorder.directory / f"{self.name}-{section}.jsonl")
            self._tables[section] = table
            self._changed()
        table.append(document)
        self.latest = time if self.latest is None else max(time, self.latest)

    def _states(
        self,
        positions: Positions | None,
        cash: Cash | None,
        as_of: datetime | str | None = None,
    ) -> dict[str, Any]:
        """Return sections of a state as they are written; those that are `None` are absent."""
        from recon_core.sessions.recorder_rows import checked_states, time_of  # noqa: PLC0415  # as above
        from recon_core.values.times import format_time  # noqa: PLC0415

        document: dict[str, Any] = {}
        if as_of is not None:
            document["as_of"] = format_time(time_of(as_of))
        for section, given in (("positions", positions), ("cash", cash)):
            if given is not None:
                document[section] = checked_states(section, given, floats=self._floats)
        return document

    @contextmanager
    def _named(self, row: str = "") -> Iterator[None]:
        """Begin the message of an error with this side and the name of a row."""
        try:
            yield
        except ReconError as error:
            raise type(error)(f"{self.name}: {row}{error}") from None

    def _numbered(self, section: str) -> AbstractContextManager[None]:
        """Count a call, and name its row in the message of an error."""
        self._calls[section] += 1
        return self._named(f"{section.removesuffix('s')} {self._calls[section]}: ")

    def _changed(self, **sections: Any) -> None:
        self._require_open()
        self._state |= sections
        self.used = True
        self._recorder.write()

    def _require_open(self) -> None:
        if self._recorder.closed:
            raise ReconError("the recorder is closed; expected a call before that")
        if self.name == LedgerSide.EXTERNAL and self._recorder.snapshot is not None:
            raise ReconError(f"{self.name}: is that of the snapshot; expected no call of it")
