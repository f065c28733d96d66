"""State of the exchange, given from Python instead of from a file."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from recon_core.model import CashBalance, Fill, Order, Position, SideRecord
from recon_core.model.state_rows import cash_of, positions_of
from recon_core.values.times import require_time


@dataclass(frozen=True, slots=True)
class ExternalSnapshot:
    """Positions, cash, orders and fills of an account at one time.

    `positions` maps symbols to signed quantities, `cash` currencies to totals;
    rows (`Position`, `CashBalance`) say more, such as a leg or free and locked.
    `orders` and `fills` are compared with those of the ledgers, where they are given.
    `None` means that the source does not report the section, which is not the same
    as empty. Raises `AmountError` for amounts that are not exact.
    """

    positions: Mapping[str, Decimal] | tuple[Position, ...] | None = None
    cash: Mapping[str, Decimal] | tuple[CashBalance, ...] | None = None
    as_of: datetime | None = None
    source: str | None = None
    orders: tuple[Order, ...] | None = None
    fills: tuple[Fill, ...] | None = None

    def record(self) -> SideRecord:
        """The snapshot as a side of a session; without `as_of` it is of now."""
        as_of = datetime.now(UTC) if self.as_of is None else require_time(self.as_of, "as_of")
        return SideRecord(
            as_of=as_of,
            source=self.source,
            positions=None if self.positions is None else positions_of(self.positions),
            cash=None if self.cash is None else cash_of(self.cash),
            orders=None if self.orders is None else tuple(self.orders),
            fills=None if self.fills is None else tuple(self.fills),
        )
