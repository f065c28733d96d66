"""Sums and counts that a result of LEAN states, and what they say of its orders and events.

A backtest states no balance. Where everything that it holds is long, paid for in the currency of
the account, cash is its equity less its holdings: 103,600.00 - 13,680.00 = 89,920.00 USD.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import cached_property
from typing import Any, Final

from recon_core.model import OrderState
from recon_core.sessions.formats import rows
from recon_core.sessions.formats.lean_rows import FillEvent, LeanOrder, fields, money, signed
from recon_core.values.amounts import EXACT, ZERO, exact_sum, format_amount
from recon_core.values.printable import printable

_HALF_A_CENT: Final = Decimal("0.005")
"""Units of the account: LEAN writes sums in hundredths."""
_HUNDREDTHS: Final = frozenset({"USD", "EUR", "GBP", "CHF", "USDT", "USDC"})
"""Currencies of which a hundredth more or less is under the tolerance that a policy has unasked."""
_FILLED: Final = (OrderState.FILLED, OrderState.PARTIALLY_FILLED)


class Totals:
    """Figures of a result: start equity, fees, numbers of orders, and what is left of cash."""

    def __init__(
        self, document: rows.Row, orders: Sequence[LeanOrder], events: Sequence[FillEvent]
    ) -> None:
        self._document = document
        self._orders = orders
        self._events = events
        self.configuration = self._table(document, "algorithmConfiguration")
        self._printed = self._table(document, "runtimeStatistics", renamed=False)
        self._statistics = self._table(document, "statistics", renamed=False)
        self.start = self._start_equity()
        self.currency = self._account_currency()

    @staticmethod
    def _table(row: rows.Row, name: str, *, renamed: bool = True) -> rows.Row:
        value: Any = row.get(name)
        if value is None:
            return {}
        return fields(value, name) if renamed else rows.table(value, name)

    def _start_equity(self) -> Decimal | None:
        performance = self._table(self._document, "totalPerformance")
        portfolio = self._table(performance, "portfolioStatistics")
        stated = rows.optional_number(portfolio, "startEquity")
        return money(self._statistics, "Start Equity") if stated is None else stated

    def _account_currency(self) -> str:
        """The currency that is stated, or the only one of all prices; empty where neither is."""
        for row in (self.configuration, self._document):
            stated = rows.optional_text(row, "accountCurrency")
            if stated is not None:
                return stated
        priced = {order.symbol.currency for order in self._orders}
        return priced.pop() if len(priced) == 1 else ""

    @cached_property
    def _unlisted(self) -> list[str]:
        """The orders that events filled and that the result does not list."""
        listed = {order.order_id for order in self._orders}
        return [order_id for order_id in self._by_order if order_id not in listed]

    @cached_property
    def _by_order(self) -> dict[str, Decimal]:
        sums: dict[str, Decimal] = {}
        for event in self._events:
            order_id = event.fill.order_id
            sums[order_id] = EXACT.add(sums.get(order_id, ZERO), signed(event.fill))
        return sums

    def filled_by_events(self, order: LeanOrder) -> Decimal:
        """The sum of the fills of an order, signed."""
        return self._by_order.get(order.order_id, ZERO)

    def cash_left(self) -> Decimal:
        """Equity less holdings, to the hundredth; only where there is no obstacle."""
        equity = money(self._printed, "Equity") or ZERO
        return EXACT.subtract(equity, money(self._printed, "Holdings") or ZERO)

    def obstacle(self) -> str:
        """The reason why cash is not equity less holdings, empty where it is."""
        return next(self._obstacles(), "")

    def _obstacles(self) -> Iterator[str]:
        if self.start is None:
            yield "the result states no start equity"
        if None in (money(self._printed, "Equity"), money(self._printed, "Holdings")):
            yield "the result prints no equity and no holdings"
        if self.currency not in _HUNDREDTHS:
            shown = printable(self.currency, 20) or "a currency that is not stated"
            yield f"equity and holdings are printed in hundredths of {shown}"
        if self._unlisted:
            yield "orders lists not all orders of its events"
        for order in self._orders:
            if order.symbol.instrument_kind is None:
                ticker = printable(order.symbol.ticker, 60)
                yield f"{ticker} ({order.symbol.security}) has a multiplier that is not stated"
            if order.raw_prices and order.symbol.security == "equity":
                yield f"prices of {printable(order.symbol.ticker, 60)} are raw, without dividends"
        yield from self._other_currencies()
        yield from self._shorts()

    def _other_currencies(self) -> Iterator[str]:
        used = {order.symbol.currency for order in self._orders}
        used |= {event.currency for event in self._events if event.currency is not None}
        used |= {event.fill.fee_currency or self.currency for event in self._events}
        others = sorted(used - {self.currency})
        if others:
            yield f"the account is in {self.currency}, and {printable(others[0], 20)} is paid too"

    def _shorts(self) -> Iterator[str]:
        sums: dict[str, Decimal] = {}
        for order in self._orders:
            filled = self.filled_by_events(order) if order.filled is None else order.filled
            ticker = order.symbol.ticker
            sums[ticker] = EXACT.add(sums.get(ticker, ZERO), filled)
        for ticker, quantity in sums.items():
            if quantity < 0:
                yield f"{printable(ticker, 60)} is held short"

    def miscounts(self) -> Iterator[str]:
        """Yield the counts and sums of the result that its orders and events do not give."""
        counted = rows.optional_number(self._table(self._document, "state"), "orderCount")
        if counted is not None and counted != len(self._orders):
            yield f"OrderCount is {format_amount(counted)}, and orders lists {len(self._orders)}"
        filled = sum(order.state in _FILLED for order in self._orders)
        for name in ("Total Orders", "Total Trades"):
            stated = money(self._statistics, name)
            if stated is not None and stated != filled:
                yield f"{name} is {format_amount(stated)}, and orders lists {filled} filled"
        for order_id in self._unlisted[:1]:
            more = len(self._unlisted) - 1
            others = f" and {more} more" if more else ""
            yield f"order events fill order {printable(order_id, 20)}{others}, not in orders"
        yield from self._wrong_fees()

    def _wrong_fees(self) -> Iterator[str]:
        stated = money(self._statistics, "Total Fees")
        fees = [event.fill for event in self._events if event.fill.fee]
        if stated is None or any(fill.fee_currency != self.currency for fill in fees):
            return
        paid = exact_sum(fill.fee for fill in fees)
        if EXACT.subtract(stated, paid).copy_abs() > _HALF_A_CENT:
            shown, own = format_amount(stated), format_amount(paid)
            yield f"Total Fees is {shown}, and the fees of the order events give {own}"
