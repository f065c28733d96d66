"""The orders that the system believes in, in their latest state."""

from collections.abc import Iterable

from recon_core.model import Order, OrderState

_OPEN_STATES = frozenset(
    {
        OrderState.CREATED,
        OrderState.SUBMITTED,
        OrderState.ACKNOWLEDGED,
        OrderState.PARTIALLY_FILLED,
    }
)


class OrderLedger:
    """Orders by account and id; a later report of an order replaces the earlier one.

    The id is the client's, else the exchange's; of two reports of one time the last counts.
    """

    def __init__(self, orders: Iterable[Order] = ()) -> None:
        self._orders: dict[tuple[str | None, str], Order] = {}
        for order in orders:
            self.apply_order(order)

    def apply_order(self, order: Order) -> None:
        """Take the state of an order, unless a later one is known."""
        known = self._orders.get((order.account, order.order_id))
        if known is None or known.time <= order.time:
            self._orders[(order.account, order.order_id)] = order

    @property
    def orders(self) -> tuple[Order, ...]:
        """All orders, in the order in which they were first seen."""
        return tuple(self._orders.values())

    @property
    def open_orders(self) -> tuple[Order, ...]:
        """The orders that can still be filled."""
        return tuple(order for order in self.orders if order.state in _OPEN_STATES)

    def get(self, order_id: str, *, account: str | None = None) -> Order | None:
        """One order by its client id, or its exchange id where it has no other."""
        return self._orders.get((account, order_id))
