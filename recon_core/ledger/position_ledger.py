"""The internal ledger: positions and cash, booked from fills and movements."""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal

from recon_core.amounts import EXACT, ZERO, exact_sum, require_amount
from recon_core.errors import ReplayError
from recon_core.ledger.bookings import (
    CashBooking,
    Category,
    held_quantity,
    is_derivative,
    movement_booking,
    require_spot,
    rounding_to,
    signed_quantity,
    spot_bookings,
)
from recon_core.ledger.derivative_book import DerivativeBook
from recon_core.ledger.derivatives import average_price
from recon_core.ledger.spot_history import Event, spot_history
from recon_core.model import (
    CashBalance,
    Currency,
    Fill,
    Instrument,
    InstrumentKind,
    Leg,
    Movement,
    Opening,
    Position,
)
from recon_core.printable import printable

PositionKey = tuple[str | None, str, Leg]
CashKey = tuple[str | None, str]
_UNIFIED_SYMBOL = re.compile(r"([^/:\s]+)/([^/:\s]+)")


class PositionLedger:
    """Positions and cash, exact, booked event by event.

    `initial_cash` is a mapping currency → amount, or one amount in
    `base_currency`. `instruments` says what the symbols trade; without it, symbols
    written `BASE/QUOTE` are read as spot pairs. `currencies` gives the decimal
    places that bookings are rounded to, half-even; a currency that is not declared
    is booked exactly. A fill whose id was seen before is booked again, as given,
    and listed in `duplicate_fills` (design, "Ledger comparisons").

    Raises `AmountError` for amounts that are not exact.
    """

    def __init__(
        self,
        initial_cash: Mapping[str, Decimal] | Decimal | int | None = None,
        *,
        base_currency: str = "EUR",
        instruments: Mapping[str, Instrument] | None = None,
        currencies: Mapping[str, Currency] | None = None,
        opening: Opening | None = None,
    ) -> None:
        self._instruments = instruments
        self._currencies = dict(currencies or {})
        self._rounded = rounding_to(self._currencies)
        self._derivatives = DerivativeBook(self._currencies, self._rounded)
        self._quantities: dict[PositionKey, Decimal] = {}
        self._flows: dict[CashKey, dict[Category, Decimal]] = {}
        self._history: dict[PositionKey, list[Event]] = {}
        self._seen: set[tuple[str | None, str, str]] = set()
        self.duplicate_fills: list[Fill] = []
        self._open(_initial(initial_cash, base_currency), opening or Opening(None))

    def _open(self, initial_cash: Mapping[str, Decimal], opening: Opening) -> None:
        for currency, amount in initial_cash.items():
            exact = require_amount(amount, f"initial cash {currency}")
            self._book(None, CashBooking(currency, exact, Category.OPENING))
        for balance in opening.cash:
            booking = CashBooking(balance.currency, balance.total, Category.OPENING)
            self._book(balance.account, booking)
        for position in opening.positions:
            key = (position.account, position.symbol, position.leg)
            instrument = self._declared(position.symbol)
            if instrument is not None and is_derivative(instrument):
                self._derivatives.open(position, instrument)
            self._change(key, position.quantity, position)

    def apply_fill(self, fill: Fill) -> None:
        """Book one fill; raises `ReplayError` and books nothing where it cannot."""
        instrument = self.instrument(fill.symbol)
        if is_derivative(instrument):
            bookings = self._derivatives.apply(fill, instrument)
            quantity = signed_quantity(fill)
        else:
            require_spot(fill, instrument)
            bookings = spot_bookings(fill, instrument, self._rounded)
            quantity = held_quantity(fill, instrument.base)
        identity = (fill.account, fill.symbol, fill.fill_id)
        if identity in self._seen:
            self.duplicate_fills.append(fill)
        self._seen.add(identity)
        self._change((fill.account, fill.symbol, fill.leg), quantity, fill)
        for booking in bookings:
            self._book(fill.account, booking)

    def apply_fills(self, fills: Iterable[Fill]) -> None:
        """Book fills in the given order."""
        for fill in fills:
            self.apply_fill(fill)

    def apply_movement(self, movement: Movement) -> None:
        """Book cash or quantity that moved without a fill.

        A split keeps what the position cost, so that its average price changes. The
        quantity belongs to the leg that is held; raises `ReplayError` where that may
        be more than one.
        """
        if movement.symbol is not None and movement.quantity is not None:
            key = self._moved(movement)
            instrument = self._declared(movement.symbol)
            if instrument is not None and is_derivative(instrument):
                self._derivatives.move(movement, key)
            self._change(key, movement.quantity, movement)
        booking = movement_booking(movement, self._rounded)
        if booking is not None:
            self._book(movement.account, booking)

    def _moved(self, movement: Movement) -> PositionKey:
        held = [
            key
            for key, quantity in self._quantities.items()
            if key[:2] == (movement.account, movement.symbol) and quantity
        ]
        if len(held) > 1:
            raise ReplayError(
                f"movement {printable(movement.movement_id, 60)} moves a quantity of "
                f"{printable(movement.symbol, 100)}, which is held on several legs; "
                "a movement names no leg"
            )
        assert movement.symbol is not None  # noqa: S101  # the caller's condition
        return held[0] if held else (movement.account, movement.symbol, Leg.NET)

    def _book(self, account: str | None, booking: CashBooking) -> None:
        currency, amount, category = booking
        flows = self._flows.setdefault((account, currency), {})
        flows[category] = EXACT.add(flows.get(category, ZERO), amount)

    def _change(self, key: PositionKey, quantity: Decimal, event: Event) -> None:
        self._quantities[key] = EXACT.add(self._quantities.get(key, ZERO), quantity)
        self._history.setdefault(key, []).append(event)

    @property
    def positions(self) -> tuple[Position, ...]:
        """Every position that was ever booked, flat ones included."""
        return tuple(
            Position(symbol, quantity, account=account, leg=leg)
            for (account, symbol, leg), quantity in self._quantities.items()
        )

    @property
    def cash(self) -> tuple[CashBalance, ...]:
        """Every balance that was ever booked."""
        return tuple(
            CashBalance(currency, exact_sum(flows.values()), account=account)
            for (account, currency), flows in self._flows.items()
        )

    @property
    def flows(self) -> Mapping[CashKey, Mapping[Category, Decimal]]:
        """The sum of the bookings of each balance by category, the opening included."""
        return self._flows

    @property
    def fills(self) -> tuple[Fill, ...]:
        """Every fill that was booked, by position, in the order of booking."""
        events = (event for events in self._history.values() for event in events)
        return tuple(event for event in events if isinstance(event, Fill))

    def quantity(self, symbol: str, *, account: str | None = None, leg: Leg = Leg.NET) -> Decimal:
        """The signed quantity of a symbol on one leg; 0 where nothing was booked."""
        return self._quantities.get((account, symbol, leg), ZERO)

    def net_quantity(self, symbol: str, *, account: str | None = None) -> Decimal:
        """The signed quantity of a symbol over all its legs."""
        return exact_sum(self._quantities.get((account, symbol, leg), ZERO) for leg in Leg)

    def balance(self, currency: str, *, account: str | None = None) -> Decimal:
        """The balance of a currency; 0 where nothing was booked."""
        return exact_sum(self._flows.get((account, currency), {}).values())

    def average_price(
        self, symbol: str, *, account: str | None = None, leg: Leg = Leg.NET
    ) -> Decimal | None:
        """The average entry price in quote currency, half-even at the 30th decimal place.

        The harmonic one for an inverse instrument. `None` when flat, and where part
        of the position came without a price (an opening position, a movement).
        """
        key = (account, symbol, leg)
        if key not in self._history:
            return None
        instrument = self.instrument(symbol)
        if is_derivative(instrument):
            value = self._derivatives.average(key)
        else:
            value = spot_history(self._history[key], instrument, None)[0].average()
        return None if value is None else average_price(value, instrument)

    def realised_pnl(
        self, symbol: str, *, account: str | None = None, leg: Leg = Leg.NET
    ) -> Decimal | None:
        """What closing fills realised, without fees, in the currency they settle in.

        Rounded half-even per fill to the currency's declared precision; raises
        `ReplayError` where none is declared and the PnL has no finite decimal
        form. `None` where part of a spot position came without a price.
        """
        key, instrument = (account, symbol, leg), self.instrument(symbol)
        if is_derivative(instrument):
            return self._derivatives.realised(key)
        return spot_history(self._history.get(key, ()), instrument, self._currencies)[1]

    def instrument(self, symbol: str) -> Instrument:
        """What a symbol trades; raises `ReplayError` where it is unknown or not modelled."""
        instrument = self._declared(symbol)
        if instrument is None:
            raise ReplayError(
                f"instrument {printable(symbol, 100)} is not declared; its fills cannot be "
                "replayed without its kind, base and quote currency"
            )
        if instrument.not_replayed:
            raise ReplayError(f"instrument {printable(symbol, 100)} {instrument.not_replayed}")
        return instrument

    def _declared(self, symbol: str) -> Instrument | None:
        if self._instruments is not None:
            return self._instruments.get(symbol)
        return unified_spot(symbol)


def unified_spot(symbol: str) -> Instrument | None:
    """The spot pair that a symbol written `BASE/QUOTE` means, `None` for any other."""
    match = _UNIFIED_SYMBOL.fullmatch(symbol)
    if match is None:
        return None
    return Instrument(symbol, InstrumentKind.SPOT, match[1], match[2], match[2])


def _initial(
    initial_cash: Mapping[str, Decimal] | Decimal | int | None, base_currency: str
) -> Mapping[str, Decimal]:
    if initial_cash is None:
        return {}
    if isinstance(initial_cash, Mapping):
        return initial_cash
    return {base_currency: require_amount(initial_cash, "initial cash")}
