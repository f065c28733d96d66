"""A second ledger, written with fractions and nothing of the first: what tests compare with."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from fractions import Fraction

from recon_core.model import Fill, Instrument, Movement

from .builders import half_even


class FractionLedger:
    """Cash by (account, currency) and quantity by (account, symbol, leg), as fractions.

    Every open unit is remembered with the price it was entered at on average, so that a
    position is a pair of a quantity and that price.
    """

    def __init__(self, instruments: Mapping[str, Instrument], places: Mapping[str, int]) -> None:
        self.instruments = instruments
        self.places = places
        self.cash: dict[tuple[str | None, str], Fraction] = defaultdict(Fraction)
        self.quantities: dict[tuple[str | None, str, str], Fraction] = defaultdict(Fraction)
        self._entries: dict[tuple[object, ...], tuple[Fraction, Fraction]] = {}

    def replay(self, fills: Iterable[Fill], movements: Iterable[Movement]) -> None:
        """By time; at one time fills by the number of their id, then movements as given."""
        events: list[tuple[object, int, int, Fill | Movement]] = []
        events += [(one.time, 0, int(one.fill_id), one) for one in fills]
        events += [(one.time, 1, number, one) for number, one in enumerate(movements)]
        for *_, event in sorted(events, key=lambda row: row[:3]):
            if isinstance(event, Fill):
                self._fill(event)
            else:
                self._movement(event)

    def _fill(self, one: Fill) -> None:
        instrument = self.instruments[one.symbol]
        quantity = Fraction(one.quantity) * (1 if one.side == "BUY" else -1)
        price = Fraction(one.price)
        fee = Fraction(one.fee)
        if instrument.instrument_kind == "spot":
            self._pay(one.account, instrument.base, quantity)
            self._pay(one.account, instrument.quote, -quantity * price)
            quantity -= fee if one.fee_currency == instrument.base else 0
        else:
            gained = self._trade(one, quantity, price, instrument)
            self._pay(one.account, instrument.settlement, gained)
        self._pay(one.account, str(one.fee_currency), -fee)
        self.quantities[(one.account, one.symbol, one.leg)] += quantity

    def _trade(
        self, one: Fill, quantity: Fraction, price: Fraction, instrument: Instrument
    ) -> Fraction:
        key = (one.account, one.symbol, one.leg, one.position_id)
        held, entry = self._entries.get(key, (Fraction(0), price))
        left = held + quantity
        inverse = instrument.instrument_kind == "inverse"
        if held * quantity >= 0:
            entry = mean(inverse, (abs(held), entry), (abs(quantity), price))
            self._entries[key] = (left, entry)
            return Fraction(0)
        closed = min(abs(held), abs(quantity)) * (1 if held > 0 else -1)
        self._entries[key] = (left, price if left * held < 0 else entry)
        points = 1 / entry - 1 / price if inverse else price - entry
        return closed * points * Fraction(instrument.multiplier)

    def _movement(self, one: Movement) -> None:
        if one.currency is not None and one.amount is not None:
            self._pay(one.account, one.currency, Fraction(one.amount))
        if one.symbol is None or one.quantity is None:
            return
        self.quantities[(one.account, one.symbol, "NET")] += Fraction(one.quantity)
        key = (one.account, one.symbol, "NET", None)
        held, entry = self._entries.get(key, (Fraction(0), Fraction(1)))
        left = held + Fraction(one.quantity)
        inverse = self.instruments[one.symbol].instrument_kind == "inverse"
        if one.movement_kind == "split":
            entry = entry * left / held if inverse else entry * held / left
        self._entries[key] = (left, entry)

    def _pay(self, account: str | None, currency: str, amount: Fraction) -> None:
        if amount:
            self.cash[(account, currency)] += half_even(amount, self.places.get(currency))


def mean(
    harmonic: bool,  # noqa: FBT001
    *parts: tuple[Fraction, Fraction],
) -> Fraction:
    """The mean price of quantities, arithmetic or harmonic."""
    quantity = sum((part[0] for part in parts), Fraction(0))
    if not quantity:
        return parts[-1][1]
    if harmonic:
        return quantity / sum((part[0] / part[1] for part in parts), Fraction(0))
    return sum((part[0] * part[1] for part in parts), Fraction(0)) / quantity
