"""One side of a session that a simulator records while it runs."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from recon_core.amounts import parse_amount, require_amount, shortest_amount
from recon_core.errors import AmountError, ReconError
from recon_core.given_state import cash_of, positions_of
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
from recon_core.sessions.growing_table import GrowingTable
from recon_core.times import require_time

if TYPE_CHECKING:
    from recon_core.sessions.recorder import SessionRecorder

Number = Decimal | int | float | str
Positions = Mapping[str, Number] | Iterable[Position]
Cash = Mapping[str, Number] | Iterable[CashBalance]

_AMOUNTS: Final = frozenset(
    {"quantity", "filled_quantity", "price", "average_fill_price", "fee", "amount"}
)


class SideRecorder:
    """One side of a session that is being recorded; `as_of` is the time that it speaks of.

    Without `as_of` both sides are of the latest time in the recording.
    """

    def __init__(self, recorder: "SessionRecorder", side: LedgerSide, *, floats: bool) -> None:
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

    def opening(
        self,
        positions: Positions = (),
        cash: Cash = (),
        as_of: datetime | None = None,
    ) -> None:
        """The state before the first fill; an empty one is an opening too."""
        held, balances = positions_of(positions, self._amount), cash_of(cash, self._amount)
        self._opening = Opening(as_of, held, balances)
        self._changed()

    def fill(self, fill: Fill | None = None, /, **fields: Any) -> None:
        """Append a fill, given as one or by its fields."""
        self._append("fills", Fill(**self._exact(fields)) if fill is None else fill)

    def order(self, order: Order | None = None, /, **fields: Any) -> None:
        """Append the state of an order; closing keeps the last one of each order."""
        state = Order(**self._exact(fields)) if order is None else order
        self._orders[(state.account, state.order_id)] = self._append("orders", state)

    def movement(self, movement: Movement | None = None, /, **fields: Any) -> None:
        """Append cash or quantity that moved without a fill; `kind` says why."""
        if movement is None:
            exact = self._exact(fields)
            movement = Movement(movement_kind=MovementKind(exact.pop("kind")), **exact)
        self._append("movements", replace(movement, time=require_time(movement.time, "time")))

    def snapshot(
        self, as_of: datetime, *, positions: Positions | None = None, cash: Cash | None = None
    ) -> None:
        """Append a state in between."""
        held = None if positions is None else positions_of(positions, self._amount)
        balances = None if cash is None else cash_of(cash, self._amount)
        self._append("snapshots", Snapshot(require_time(as_of, "as_of"), held, balances))

    def positions(self, positions: Positions) -> None:
        """The positions at the end; a later call replaces an earlier one."""
        self._state["positions"] = positions_of(positions, self._amount)
        self._changed()

    def cash(self, cash: Cash) -> None:
        """The balances at the end; a later call replaces an earlier one."""
        self._state["cash"] = cash_of(cash, self._amount)
        self._changed()

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
        from recon_core.sessions.native_text import row_document, snapshot_document  # noqa: PLC0415

        self._require_open()
        is_snapshot = isinstance(row, Snapshot)
        document = snapshot_document(row) if is_snapshot else row_document(section, row)
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
