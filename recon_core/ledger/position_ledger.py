"""The internal ledger: positions and cash, booked from fills and movements."""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal

from recon_core.amounts import EXACT, ZERO, require_amount
from recon_core.errors import ReplayError
from recon_core.ledger.bookings import (
    Booking,
    movement_booking,
    rounding_to,
    spot_booking,
)
from recon_core.ledger.cost_basis import realised_pnl
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

_PositionKey = tuple[str | None, str, Leg]
_CashKey = tuple[str | None, str]
_UNIFIED_SYMBOL = re.compile(r"([^/:\s]+)/([^/:\s]+)")


class PositionLedger:
    """Positions and cash of spot trading, exact, booked fill by fill.

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
        self._currencies = currencies or {}
        self._rounded = rounding_to(self._currencies)
        self._quantities: dict[_PositionKey, Decimal] = {}
        self._balances: dict[_CashKey, Decimal] = {}
        self._fills: dict[_PositionKey, list[Fill]] = {}
        self._opened: set[_PositionKey] = set()
        self._seen: set[tuple[str | None, str, str]] = set()
        self.duplicate_fills: list[Fill] = []
        self._open(_initial(initial_cash, base_currency), opening or Opening(None))

    def _open(self, initial_cash: Mapping[str, Decimal], opening: Opening) -> None:
        for currency, amount in initial_cash.items():
            self._balances[(None, currency)] = require_amount(amount, f"initial cash {currency}")
        for balance in opening.cash:
            self._add_cash((balance.account, balance.currency), balance.total)
        for position in opening.positions:
            key = (position.account, position.symbol, position.leg)
            self._add_quantity(key, position.quantity)
            self._opened.add(key)

    def apply_fill(self, fill: Fill) -> None:
        """Book one fill; raises `ReplayError` and books nothing where it cannot."""
        booking = spot_booking(fill, self.instrument(fill.symbol), self._rounded)
        identity = (fill.account, fill.symbol, fill.fill_id)
        if identity in self._seen:
            self.duplicate_fills.append(fill)
        self._seen.add(identity)
        self._fills.setdefault((fill.account, fill.symbol, fill.leg), []).append(fill)
        self._apply(booking)

    def apply_fills(self, fills: Iterable[Fill]) -> None:
        """Book fills in the given order."""
        for fill in fills:
            self.apply_fill(fill)

    def apply_movement(self, movement: Movement) -> None:
        """Book cash or quantity that moved without a fill."""
        self._apply(movement_booking(movement, self._rounded))
        if movement.symbol is not None:
            self._opened.add((movement.account, movement.symbol, Leg.NET))

    def _apply(self, booking: Booking) -> None:
        for cash in booking.cash:
            self._add_cash((cash.account, cash.currency), cash.amount)
        for position in booking.positions:
            key = (position.account, position.symbol, position.leg)
            self._add_quantity(key, position.quantity)

    def _add_cash(self, key: _CashKey, amount: Decimal) -> None:
        self._balances[key] = EXACT.add(self._balances.get(key, ZERO), amount)

    def _add_quantity(self, key: _PositionKey, quantity: Decimal) -> None:
        self._quantities[key] = EXACT.add(self._quantities.get(key, ZERO), quantity)

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
            CashBalance(currency, total, account=account)
            for (account, currency), total in self._balances.items()
        )

    @property
    def fills(self) -> tuple[Fill, ...]:
        """Every fill that was booked, by position, in the order of booking."""
        return tuple(fill for fills in self._fills.values() for fill in fills)

    def quantity(self, symbol: str, *, account: str | None = None, leg: Leg = Leg.NET) -> Decimal:
        """The signed quantity of a symbol; 0 where nothing was booked."""
        return self._quantities.get((account, symbol, leg), ZERO)

    def balance(self, currency: str, *, account: str | None = None) -> Decimal:
        """The balance of a currency; 0 where nothing was booked."""
        return self._balances.get((account, currency), ZERO)

    def average_price(
        self, symbol: str, *, account: str | None = None, leg: Leg = Leg.NET
    ) -> Decimal | None:
        """The average entry price in quote currency, half-even at the 30th decimal place.

        `None` when flat, and where part of the position came without a price
        (an opening position, a movement).
        """
        key = (account, symbol, leg)
        if key in self._opened or key not in self._fills:
            return None
        return realised_pnl(self._fills[key], self.instrument(symbol), 0)[0].average_price()

    def realised_pnl(
        self, symbol: str, *, account: str | None = None, leg: Leg = Leg.NET
    ) -> Decimal | None:
        """What closing fills realised, in quote currency and without fees.

        Rounded half-even per fill to the currency's declared precision; raises
        `ReplayError` where none is declared and the PnL has no finite decimal
        form. `None` where part of the position came without a price.
        """
        key = (account, symbol, leg)
        if key in self._opened:
            return None
        instrument = self.instrument(symbol)
        currency = self._currencies.get(instrument.quote)
        precision = None if currency is None else currency.precision
        return realised_pnl(self._fills.get(key, ()), instrument, precision)[1]

    def instrument(self, symbol: str) -> Instrument:
        """What a symbol trades; raises `ReplayError` where it is not declared."""
        if self._instruments is not None and symbol in self._instruments:
            return self._instruments[symbol]
        match = _UNIFIED_SYMBOL.fullmatch(symbol) if self._instruments is None else None
        if match is None:
            raise ReplayError(
                f"instrument {printable(symbol, 100)} is not declared; its fills cannot be "
                "replayed without its kind, base and quote currency"
            )
        return Instrument(symbol, InstrumentKind.SPOT, match[1], match[2], match[2])


def _initial(
    initial_cash: Mapping[str, Decimal] | Decimal | int | None, base_currency: str
) -> Mapping[str, Decimal]:
    if initial_cash is None:
        return {}
    if isinstance(initial_cash, Mapping):
        return initial_cash
    return {base_currency: require_amount(initial_cash, "initial cash")}
