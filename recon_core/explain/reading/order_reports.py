"""Order reports of a side as evidence on its fills: filled quantity against their sum."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from recon_core.ledger.bookings import signed_quantity
from recon_core.model import Fill, Order, OrderSide, OrderState
from recon_core.values.amounts import EXACT, ZERO

_Key = tuple[str | None, str, str]


@dataclass
class OrderReports:
    """Reports of one side by order id; two reports of one order are no evidence.

    `plain`: accounts are ignored.
    """

    plain: bool
    _by_id: dict[_Key, list[Order]] = field(default_factory=dict)

    @classmethod
    def of(cls, orders: Iterable[Order], *, plain: bool) -> "OrderReports":
        """Build the index of a side's reports."""
        reports = cls(plain)
        for order in orders:
            for key in reports._keys(order):
                reports._by_id.setdefault(key, []).append(order)
        return reports

    def _keys(self, row: Fill | Order) -> Iterator[_Key]:
        account = None if self.plain else row.account
        if row.client_order_id:
            yield account, "client", row.client_order_id
        if row.exchange_order_id:
            yield account, "exchange", row.exchange_order_id

    def of_fill(self, fill: Fill) -> Order | None:
        """Return the report of a fill's order, `None` if there is no report or more than one."""
        for key in self._keys(fill):
            found = self._by_id.get(key, ())
            if found:
                return found[0] if len(found) == 1 else None
        return None

    def sums(self, fills: Iterable[Fill]) -> dict[int, Decimal]:
        """Return the sum of the fills of each report, SELL negative, by the report's `id()`."""
        found: dict[int, Decimal] = {}
        for fill in fills if self._by_id else ():
            report = self.of_fill(fill)
            if report is not None:
                total = found.get(id(report), ZERO)
                found[id(report)] = EXACT.add(total, signed_quantity(fill))
        return found


def reported(order: Order) -> Decimal:
    """Return an order's filled quantity, SELL negative; a FILLED order has filled its quantity."""
    filled = order.filled_quantity
    if order.state is OrderState.FILLED and filled < order.quantity:
        filled = order.quantity
    return filled if order.side is OrderSide.BUY else filled.copy_negate()


def is_later(order: Order, fills: Sequence[Fill]) -> bool:
    """True if a report covers all these fills: it says FILLED, or no fill is later."""
    return order.state is OrderState.FILLED or all(fill.time <= order.time for fill in fills)
