"""One side of a session that a simulator records while it runs."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

from recon_core.model import (
    CashBalance,
    Fill,
    LedgerSide,
    Movement,
    MovementKind,
    Numbers,
    Opening,
    Order,
    Position,
    SideRecord,
    Snapshot,
)
from recon_core.model.state_rows import cash_of, positions_of
from recon_core.sessions.growing_table import GrowingTable
from recon_core.sessions.refused_calls import noted
from recon_core.values.amounts import parse_amount, require_amount, shortest_amount
from recon_core.values.errors import AmountError, ReconError
from recon_core.values.printable import printable
from recon_core.values.times import require_time

_Row = TypeVar("_Row")

Number = Decimal | int | float | str
Positions = Mapping[str, Number] | Iterable[Position]
Cash = Mapping[str, Number] | Iterable[CashBalance]

_AMOUNTS: Final = frozenset(
    {"quantity", "filled_quantity", "price", "average_fill_price", "fee", "amount"}
)


class Recording(Protocol):
    """The recorder of the whole session, as a side uses it."""

    directory: Path
    closed: bool
    refused: list[str]

    def write(self) -> None:
        """Write the session file as of now."""


class SideRecorder:
    """One side of a session that is being recorded; `as_of` is the time that it speaks of.

    Without `as_of` both sides are of the latest time in the recording.
    """

    def __init__(self, recorder: Recording, side: LedgerSide, *, floats: bool) -> None:
        self.name = str(side)
        self.source: str | None = None
        self.as_of: datetime | None = None
        self.used = False
        self.latest: datetime | None = None
        self._recorder = recorder
        self._floats = floats
        self._tables: dict[str, GrowingTable] = {}
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
        held, balances = self._positions(positions), self._cash(cash)
        self._opening = Opening(as_of, held, balances)
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
        """Return the side as written in the session file, its tables by their paths."""
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
            table = GrowingTable(self._recorder.directory / f"{self.name}-{section}.jsonl")
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

    def _positions(self, given: Positions) -> tuple[Position, ...]:
        return _all_readable("positions", positions_of(given, self._amount))

    def _cash(self, given: Cash) -> tuple[CashBalance, ...]:
        return _all_readable("cash", cash_of(given, self._amount))

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


def _readable(section: str, row: Any) -> dict[str, Any]:
    """A row as it is written; one that nobody could read is refused while it can be put right."""
    from recon_core.sessions.native_text import require_readable, row_document  # noqa: PLC0415

    document = row_document(section, row)
    require_readable(section, document)
    return document


def _all_readable(section: str, rows: tuple[_Row, ...]) -> tuple[_Row, ...]:
    for row in rows:
        _readable(section, row)
    return rows
