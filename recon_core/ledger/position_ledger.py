"""The internal ledger: positions and cash, booked from fills and movements."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from operator import attrgetter
from typing import Any, Final

from recon_core.ledger.arithmetic_average import ArithmeticHolding
from recon_core.ledger.bookings import (
    CashBooking,
    Category,
    Roundings,
    is_derivative,
    movement_booking,
    sum_booking,
)
from recon_core.ledger.daily_settlement import DailySettledHolding
from recon_core.ledger.derivative_holding import DerivativeHolding
from recon_core.ledger.holdings import Holding, SpotHolding, require_spot
from recon_core.ledger.timeline import tie_key
from recon_core.model import (
    CashBalance,
    Currency,
    Fill,
    Instrument,
    Leg,
    Movement,
    Opening,
    Position,
)
from recon_core.model.assets import unified_spot
from recon_core.model.fill_table import PositionSums
from recon_core.model.movement_table import MovementSum
from recon_core.values.amounts import EXACT, ZERO, exact_sum, require_amount
from recon_core.values.errors import ReplayError
from recon_core.values.printable import printable
from recon_core.values.suggestions import suggestion

TradedHolding = SpotHolding | DerivativeHolding | DailySettledHolding | ArithmeticHolding
PositionKey = tuple[str | None, str, Leg]
CashKey = tuple[str | None, str]
_KEY_FIELDS: Final = tuple(map(attrgetter, ("account", "symbol", "leg")))


class PositionLedger:
    """Positions and cash, exact, booked event by event.

    `initial_cash` is a mapping currency → amount, or one amount in `base_currency`.
    `instruments` says what the symbols trade; without it, symbols written `BASE/QUOTE` are
    read as spot pairs. `currencies` gives the decimal places that postings are rounded to,
    half-even; a currency that is not declared is posted exactly. `marks` are the mark prices
    of futures that settle daily, `settled_in` the currencies in which movements state what
    these have gained. A fill whose id was seen before is posted again, as given, and listed
    in `duplicate_fills` (design, "Ledger comparisons").

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
        marks: Mapping[str, Decimal] | None = None,
        settled_in: frozenset[str] = frozenset(),
    ) -> None:
        self._instruments = instruments
        self.marks = dict(marks or {})
        self._settled_in = settled_in
        self._roundings = Roundings(dict(currencies or {}))
        self._holdings: dict[PositionKey, Holding] = {}
        self._traded: dict[PositionKey, TradedHolding] = {}
        self._moved: dict[CashKey, dict[Category, Decimal]] = {}
        self._open(_initial(initial_cash, base_currency), opening or Opening(None))

    def _open(self, initial_cash: Mapping[str, Decimal], opening: Opening) -> None:
        for currency, amount in initial_cash.items():
            exact = require_amount(amount, f"initial cash {currency}")
            _post(self._moved, None, CashBooking(currency, exact, Category.OPENING))
        for balance in opening.cash:
            posting = CashBooking(balance.currency, balance.total, Category.OPENING)
            _post(self._moved, balance.account, posting)
        for position in opening.positions:
            key = (position.account, position.symbol, position.leg)
            self._holding(key).open(position)

    def apply_fill(self, fill: Fill) -> None:
        """Book one fill; raises `ReplayError` and books nothing where it cannot."""
        self._apply((fill.account, fill.symbol, fill.leg), (fill,))

    def apply_fills(self, fills: Iterable[Fill]) -> None:
        """Book fills in the given order."""
        for fill in fills:
            self.apply_fill(fill)

    def apply_together(self, fills: Sequence[Fill]) -> None:
        """Book fills position by position, each in the given order: quicker for many.

        The positions and the cash are those of `apply_fills`. Where a fill cannot be
        booked, the error may be about a later one than the first, and what was booked
        before is of no use.
        """
        for key, together in _by_position(fills).items():
            self._apply(key, together)

    def _apply(self, key: PositionKey, fills: Sequence[Fill]) -> None:
        holding = self._traded.get(key)
        if holding is None:
            holding = self._new(key)
            holding.apply(fills)
            self._holdings[key] = self._traded[key] = holding
        else:
            holding.apply(fills)

    def apply_sums(self, sums: PositionSums) -> None:
        """Book the sums of the fills of positions that are paid for, as `are_summed` has them."""
        for (account, symbol, leg), of_position in sums.items():
            key = (account, symbol, Leg(leg))
            holding = self._new(key)
            assert isinstance(holding, SpotHolding)  # noqa: S101  # as the caller says
            holding.add(of_position)
            self._holdings[key] = self._traded[key] = holding

    def post_by_position(self, parts: Iterable[Sequence[Fill]]) -> None:
        """Book fills and keep none of them: they are not among `fills` then.

        Each part has fills of one position, and those of a position are in the order in which they
        are posted. The positions and the cash are those of `apply_fills`; the errors are those of
        `apply_together`.
        """
        posted: dict[PositionKey, tuple[Any, TradedHolding]] = {}
        for fills in parts:
            first = fills[0]
            key = (first.account, first.symbol, first.leg)
            if key not in posted:
                posted[key] = (first.time, tie_key(first)), self._new(key)
            posted[key][1].post(fills)
        for key, (_, holding) in sorted(posted.items(), key=lambda one: one[1][0]):
            self._holdings[key] = self._traded[key] = holding

    def _new(self, key: PositionKey) -> TradedHolding:
        """Return the holding for fills of a position; raises `ReplayError` where none exists."""
        instrument = self.instrument(key[1])
        if not is_derivative(instrument):
            require_spot(instrument, key[2])
        known = self._holdings.get(key)
        if isinstance(known, TradedHolding):
            return known
        return self._holding_of(instrument)

    def _holding_of(self, instrument: Instrument) -> TradedHolding:
        if instrument.settles_daily:
            settled_in = self._settled_in
            return DailySettledHolding(instrument, self._roundings, self.marks, settled_in)
        if instrument.arithmetic_average:
            return ArithmeticHolding(instrument, self._roundings)
        if is_derivative(instrument):
            return DerivativeHolding(instrument, self._roundings)
        return SpotHolding(instrument, self._roundings)

    def _holding(self, key: PositionKey) -> Holding:
        """Return the existing holding, or a new one of the declared instrument."""
        holding = self._holdings.get(key)
        if holding is None:
            declared = self._declared(key[1])
            known = None if declared is None or declared.not_replayed else declared
            holding = Holding() if known is None else self._holding_of(known)
            self._holdings[key] = holding
        return holding

    def apply_movement(self, movement: Movement) -> None:
        """Book cash or quantity that moved without a fill.

        A split keeps what the position cost, so that its average price changes. The
        quantity belongs to the leg that is held; raises `ReplayError` where that may
        be more than one.
        """
        if movement.symbol is not None and movement.quantity is not None:
            self._holding(self._key_of_movement(movement, movement.symbol)).move(movement)
        posting = movement_booking(movement, self._roundings)
        if posting is not None:
            _post(self._moved, movement.account, posting)

    def apply_movement_sums(self, sums: Iterable[MovementSum]) -> None:
        """Book sums of movements of cash."""
        for moved in sums:
            _post(self._moved, moved.account, sum_booking(moved))

    def _key_of_movement(self, movement: Movement, symbol: str) -> PositionKey:
        keys = [(movement.account, symbol, leg) for leg in Leg]
        held = [key for key in keys if key in self._holdings and self._holdings[key].quantity]
        if len(held) > 1:
            raise ReplayError(
                f"movement {printable(movement.movement_id, 60)} moves a quantity of "
                f"{printable(symbol, 100)}, which is held on several legs; "
                "a movement names no leg"
            )
        return held[0] if held else (movement.account, symbol, Leg.NET)

    @property
    def positions(self) -> tuple[Position, ...]:
        """Every position that was ever booked, flat ones included."""
        return tuple(
            Position(symbol, holding.quantity, account=account, leg=leg)
            for (account, symbol, leg), holding in self._holdings.items()
        )

    @property
    def cash(self) -> tuple[CashBalance, ...]:
        """Every balance that was ever booked."""
        return tuple(
            CashBalance(currency, exact_sum(flows.values()), account=account)
            for (account, currency), flows in self.flows.items()
        )

    @property
    def flows(self) -> Mapping[CashKey, Mapping[Category, Decimal]]:
        """The sum of the postings of each balance by category, the opening included."""
        flows = {key: dict(sums) for key, sums in self._moved.items()}
        for (account, _, _), holding in self._holdings.items():
            for posting in holding.cash():
                _post(flows, account, posting)
        return flows

    @property
    def fills(self) -> tuple[Fill, ...]:
        """Every fill that was posted, by position, in the order of posting."""
        events = (event for holding in self._holdings.values() for event in holding.events)
        return tuple(event for event in events if isinstance(event, Fill))

    @property
    def duplicate_fills(self) -> list[Fill]:
        """Every fill whose account, symbol and id were booked before."""
        seen: set[tuple[str | None, str, str]] = set()
        again = []
        for fill in self.fills:
            identity = (fill.account, fill.symbol, fill.fill_id)
            if identity in seen:
                again.append(fill)
            seen.add(identity)
        return again

    def quantity(self, symbol: str, *, account: str | None = None, leg: Leg = Leg.NET) -> Decimal:
        """The signed quantity of a symbol on one leg; 0 where nothing was booked."""
        holding = self._holdings.get((account, symbol, leg))
        return ZERO if holding is None else holding.quantity

    def net_quantity(self, symbol: str, *, account: str | None = None) -> Decimal:
        """The signed quantity of a symbol over all its legs."""
        return exact_sum(self.quantity(symbol, account=account, leg=leg) for leg in Leg)

    def balance(self, currency: str, *, account: str | None = None) -> Decimal:
        """The balance of a currency; 0 where nothing was booked."""
        return exact_sum(self.flows.get((account, currency), {}).values())

    def average_price(
        self, symbol: str, *, account: str | None = None, leg: Leg = Leg.NET
    ) -> Decimal | None:
        """The average entry price in quote currency, half-even at the 30th decimal place.

        The harmonic one for an inverse instrument. `None` when flat, and where part
        of the position came without a price (an opening position, a movement).
        """
        holding = self._holdings.get((account, symbol, leg))
        return None if holding is None else holding.average_price()

    def realised_pnl(
        self, symbol: str, *, account: str | None = None, leg: Leg = Leg.NET
    ) -> Decimal | None:
        """Return the PnL of closing fills, without fees, in the currency they settle in.

        Rounded half-even per fill to the currency's declared precision; raises
        `ReplayError` where none is declared and the PnL has no finite decimal form. `None`
        where part of a spot position came without a price.
        """
        holding = self._holdings.get((account, symbol, leg))
        return ZERO if holding is None else holding.realised_pnl()

    def instrument(self, symbol: str) -> Instrument:
        """Return a symbol's instrument; raises `ReplayError` if it is unknown or not modelled."""
        instrument = self._declared(symbol)
        if instrument is None:
            raise undeclared(symbol, self._instruments or {})
        if instrument.not_replayed:
            raise ReplayError(f"instrument {printable(symbol, 100)} {instrument.not_replayed}")
        return instrument

    def _declared(self, symbol: str) -> Instrument | None:
        if self._instruments is not None:
            return self._instruments.get(symbol)
        return unified_spot(symbol)


def undeclared(symbol: str, instruments: Mapping[str, Instrument]) -> ReplayError:
    """The error of a symbol without an instrument, with the nearest that is declared."""
    return ReplayError(
        f"instrument {printable(symbol, 100)} is not declared; its fills cannot be replayed "
        f"without its kind, base and quote currency{suggestion(symbol, instruments)}"
    )


def _by_position(fills: Sequence[Fill]) -> Mapping[PositionKey, Sequence[Fill]]:
    """The fills of each position, in the given order."""
    if fills and all(len(set(map(field, fills))) == 1 for field in _KEY_FIELDS):
        account, symbol, leg = (field(fills[0]) for field in _KEY_FIELDS)
        return {(account, symbol, leg): fills}
    by_position: defaultdict[PositionKey, list[Fill]] = defaultdict(list)
    for fill in fills:
        by_position[(fill.account, fill.symbol, fill.leg)].append(fill)
    return by_position


def _post(
    flows: dict[CashKey, dict[Category, Decimal]], account: str | None, posting: CashBooking
) -> None:
    currency, amount, category = posting
    sums = flows.setdefault((account, currency), {})
    sums[category] = EXACT.add(sums.get(category, ZERO), amount)


def _initial(
    initial_cash: Mapping[str, Decimal] | Decimal | int | None, base_currency: str
) -> Mapping[str, Decimal]:
    if initial_cash is None:
        return {}
    if isinstance(initial_cash, Mapping):
        return initial_cash
    return {base_currency: require_amount(initial_cash, "initial cash")}
