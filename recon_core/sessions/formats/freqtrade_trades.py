"""Meaning of freqtrade's trades: fills, funding, and the state of a futures account.

An order that was filled is one fill. Fees are the trade's rates times price times amount
(`fee_open` for entries, `fee_close` for exits), as freqtrade's own profit has them; a fee
that the exchange took from the base currency is `ft_fee_base`. Funding is given per trade
and booked when the trade was closed.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from operator import attrgetter
from typing import Final

from recon_core.model import (
    CashBalance,
    Currency,
    Fill,
    Instrument,
    InstrumentKind,
    Movement,
    MovementKind,
    OrderSide,
    Position,
)
from recon_core.values.amounts import (
    EXACT,
    MOST_DIGITS,
    ZERO,
    decimal_places,
    exact_sum,
    format_amount,
    round_to_places,
)
from recon_core.values.errors import SessionError
from recon_core.values.printable import printable, quoted

PRECISION: Final = 8
"""freqtrade rounds the profit of a trade to so many decimals."""

NOISE: Final = Decimal("0.000001")
"""Stake currency: a difference up to it is noise of freqtrade's binary floats."""
_MOST_NOTES: Final = 5
"""Trades that notes list one by one; more are counted."""
_PAIR = re.compile(r"([^/:\s]+)/([^/:\s]+?)(?::([^/:\s]+))?")
_MODES: Final = ("spot", "futures")


@dataclass(frozen=True, slots=True)
class FilledOrder:
    """Filled part of an order, at its average price; `base_fee` in base currency."""

    fill_id: str
    side: OrderSide
    is_entry: bool
    quantity: Decimal
    price: Decimal
    time: datetime
    base_fee: Decimal | None = None
    exchange_order_id: str | None = None


@dataclass(frozen=True, slots=True)
class Trade:
    """A trade of freqtrade: entries and exits of one pair until nothing is left.

    `open_quantity` is what freqtrade itself says is still open, signed; `stated_profit`
    is what it says that a closed trade earned.
    """

    trade_id: str
    pair: str
    mode: str
    entry_fee: Decimal
    exit_fee: Decimal
    funding: Decimal
    open_quantity: Decimal
    time: datetime
    orders: tuple[FilledOrder, ...]
    stated_profit: Decimal | None = None

    def __post_init__(self) -> None:
        assets(self.pair)  # refused where the trade is read, with its row

    def fills(self) -> list[Fill]:
        """Every filled order as one fill."""
        base, quote = assets(self.pair)
        return [self._fill(order, base, quote) for order in self.orders]

    def _fill(self, order: FilledOrder, base: str, quote: str) -> Fill:
        fee, currency = order.base_fee, base
        if fee is None:
            rate = self.entry_fee if order.is_entry else self.exit_fee
            fee = _at_precision(EXACT.multiply(EXACT.multiply(order.quantity, order.price), rate))
            currency = quote
        return Fill(
            fill_id=order.fill_id,
            symbol=self.pair,
            side=order.side,
            quantity=order.quantity,
            price=order.price,
            time=order.time,
            fee=fee,
            fee_currency=currency,
            exchange_order_id=order.exchange_order_id,
        )

    def open_entry_fee(self) -> Movement | None:
        """The entry fee of what is still open: a simulated wallet deducts it at the exit."""
        entries = [order for order in self.orders if order.is_entry and order.base_fee is None]
        bought = exact_sum(order.quantity for order in entries)
        if not self.open_quantity or not bought or not self.entry_fee:
            return None
        paid = exact_sum(EXACT.multiply(order.quantity, order.price) for order in entries)
        share = Fraction(self.open_quantity.copy_abs()) / Fraction(bought)
        fee = _rounded(share * Fraction(paid) * Fraction(self.entry_fee))
        return Movement(
            movement_id=f"{self.trade_id}.entry-fee",
            movement_kind=MovementKind.FEE,
            time=self.time,
            currency=assets(self.pair)[1],
            amount=fee.copy_negate(),
        )

    def funding_movement(self) -> Movement | None:
        """The funding of the whole trade, positive where the trade gained from it."""
        if not self.funding:
            return None
        return Movement(
            movement_id=f"{self.trade_id}.funding",
            movement_kind=MovementKind.FUNDING,
            time=self.time,
            currency=assets(self.pair)[1],
            amount=self.funding,
        )


def assets(pair: str) -> tuple[str, str]:
    """`BTC` and `USDT` of `BTC/USDT` or `BTC/USDT:USDT`; raises `SessionError`."""
    match = _PAIR.fullmatch(pair)
    if match is None:
        raise SessionError(f"pair: {quoted(pair)}; expected one like 'BTC/USDT'")
    if match[3] not in (None, match[2]):
        raise SessionError(f"pair: {quoted(pair)} settles in another currency than its quote")
    return match[1], match[2]


def trading_mode(word: str | None) -> str:
    """`spot` or `futures`; raises `SessionError` for what is not understood."""
    mode = (word or "spot").lower()
    if mode not in _MODES:
        raise SessionError(f"trading_mode: {quoted(mode)}; expected spot or futures")
    return mode


def order_side(word: str) -> OrderSide:
    """BUY or SELL; raises `SessionError` for another word."""
    if word not in ("buy", "sell"):
        raise SessionError(f"ft_order_side: {quoted(word)}; expected buy or sell")
    return OrderSide(word.upper())


def instruments(trades: Iterable[Trade]) -> dict[str, Instrument]:
    """Return the instruments of the pairs: spot, or linear with the quote currency to settle in."""
    found = {}
    for trade in trades:
        base, quote = assets(trade.pair)
        kind = InstrumentKind.SPOT if trade.mode == "spot" else InstrumentKind.LINEAR
        found[trade.pair] = Instrument(trade.pair, kind, base, quote, quote)
    return found


def currencies(trades: Iterable[Trade]) -> dict[str, Currency]:
    """Return the precision of postings of futures; spot has none and stays exact."""
    codes = {assets(trade.pair)[1] for trade in trades if trade.mode == "futures"}
    return {code: Currency(code, PRECISION) for code in sorted(codes)}


def open_positions(trades: Iterable[Trade]) -> tuple[Position, ...]:
    """Return the positions that freqtrade calls open: pairs that it does not name are flat."""
    sums: dict[str, Decimal] = {}
    for trade in trades:
        if trade.open_quantity:
            sums[trade.pair] = EXACT.add(sums.get(trade.pair, ZERO), trade.open_quantity)
    return tuple(Position(pair, quantity) for pair, quantity in sums.items())


def contradictions(trades: Iterable[Trade]) -> list[str]:
    """A note on every closed trade whose orders and fees give another profit than it says."""
    notes = []
    for trade in trades:
        left, earned = _result(trade)
        stated = trade.stated_profit
        if stated is None or any(order.base_fee for order in trade.orders):
            continue  # still open, or its profit is an estimate
        if left or EXACT.subtract(earned, stated).copy_abs() > NOISE:
            gives = f"leave {format_amount(left)} open and " if left else ""
            notes.append(
                f"trade {printable(trade.trade_id, 60)} is closed with a profit of "
                f"{format_amount(stated)}; its orders and fees {gives}give {format_amount(earned)}"
            )
    more = len(notes) - _MOST_NOTES
    return notes if more <= 0 else [*notes[:_MOST_NOTES], f"and {more} trades more like these"]


def futures_state(
    opening: Iterable[CashBalance], trades: Iterable[Trade]
) -> tuple[tuple[Position, ...], tuple[CashBalance, ...]]:
    """Positions and cash of a futures account: realised PnL, fees and funding per trade."""
    balances = {balance.currency: balance.total for balance in opening}
    quantities: dict[str, Decimal] = {}
    for trade in trades:
        quote = assets(trade.pair)[1]
        left, earned = _result(trade)
        balances[quote] = EXACT.add(balances.get(quote, ZERO), earned)
        quantities[trade.pair] = EXACT.add(quantities.get(trade.pair, ZERO), left)
    return (
        tuple(Position(pair, quantity) for pair, quantity in quantities.items()),
        tuple(CashBalance(currency, total) for currency, total in balances.items()),
    )


def _result(trade: Trade) -> tuple[Decimal, Decimal]:
    """Return a trade's remaining quantity, and its earnings so far; each posting rounded once."""
    quantity, cost, earned = Fraction(0), Fraction(0), _rounded(Fraction(trade.funding))
    left = ZERO
    for fill in sorted(trade.fills(), key=attrgetter("time")):
        signed = fill.quantity if fill.side is OrderSide.BUY else fill.quantity.copy_negate()
        left = EXACT.add(left, signed)
        quantity, cost, realised = _posting(quantity, cost, Fraction(signed), Fraction(fill.price))
        earned = EXACT.add(earned, EXACT.subtract(_rounded(realised), _rounded(Fraction(fill.fee))))
    return left, earned


def _posting(
    quantity: Fraction, cost: Fraction, signed: Fraction, price: Fraction
) -> tuple[Fraction, Fraction, Fraction]:
    """Quantity, entry cost and realised PnL after one fill; beyond flat it opens anew."""
    if quantity * signed >= 0:
        return quantity + signed, cost + signed * price, Fraction(0)
    closed = max(signed, -quantity) if signed < 0 else min(signed, -quantity)
    share = -closed * cost / quantity
    opened = signed - closed
    return quantity + signed, cost - share + opened * price, -closed * price - share


def _rounded(amount: Fraction) -> Decimal:
    scaled = round(amount * 10**PRECISION)  # half-even
    return EXACT.scaleb(Decimal(scaled), -PRECISION)


def _at_precision(amount: Decimal) -> Decimal:
    """A product of floats can be longer than an amount may be."""
    if decimal_places(amount) <= MOST_DIGITS:
        return amount
    return round_to_places(amount, MOST_DIGITS)
