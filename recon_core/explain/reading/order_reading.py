"""What an order report proves: orders whose fills do not add up to what they have filled.

Every order that disagrees has its own fault, so that many faults are read off here and not
searched for; the few readings of each order are tried against the whole vector.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import islice, product
from typing import Final

from recon_core.amounts import EXACT, ZERO, round_to_places
from recon_core.explain.budget import OF_A_READING, Budget
from recon_core.explain.effects.bookings import order_name
from recon_core.explain.effects.changes import Change
from recon_core.explain.effects.slips import slip
from recon_core.explain.effects.space import ORDER
from recon_core.explain.faults.changed_numbers import charged_along
from recon_core.explain.faults.cumulative import misread_order
from recon_core.explain.faults.edits import MISSING_ID, Edit, flip, together
from recon_core.explain.faults.fill_edits import FillEdits
from recon_core.explain.faults.spans import behind_detail
from recon_core.explain.grounds.ground import Ground
from recon_core.explain.reading.pair_habits import unit_or_rounding
from recon_core.explanation import CauseKind
from recon_core.ledger.bookings import signed_quantity
from recon_core.model import Fill, Order, OrderSide

_MOST_READINGS: Final = 64
_PRICE_PLACES: Final = 12
_OF_ORDERS: Final = frozenset(
    {CauseKind.MISSING_FILL, CauseKind.WRONG_QUANTITY, CauseKind.CUMULATIVE_QUANTITY}
)


@dataclass
class OrderReading:
    """Reads the disagreeing orders of one ground whose rows are at fault."""

    ground: Ground
    edits: FillEdits
    budget: Budget
    max_skew: timedelta = timedelta()

    def readings(self) -> Iterator[tuple[Edit, ...]]:
        """Edits of all disagreeing orders that together are what is needed."""
        disagreeing = {name for name in self.ground.need if name.startswith(ORDER)}
        if not disagreeing or self.ground.rows_right:
            return
        fills = self._fills_of(disagreeing)
        options = [list(self._of_order(name, fills.get(name, []))) for name in sorted(disagreeing)]
        for chosen in (*_alike(options), *islice(product(*options), _MOST_READINGS)):
            self.budget.spend(len(chosen) * OF_A_READING)
            if self.ground.reached_by(together(chosen)):
                yield self._behind(chosen) or self._as_one(chosen) or chosen

    def _behind(self, chosen: Sequence[Edit]) -> tuple[Edit] | None:
        """Missing fills that are all later than any that the side has: it is behind."""
        if not all(edit.cause_kind is CauseKind.MISSING_FILL for edit in chosen):
            return None
        added = [fill for edit in chosen for fill in edit.change.added]
        first = min(fill.time for fill in added)
        last = self.ground.fills[-1].time if self.ground.fills else first
        if len(added) < 2 or first <= last:  # noqa: PLR2004  # one is lost
            return None
        rows = tuple(sorted(added, key=lambda fill: fill.time))
        kind, detail = behind_detail(self.ground, first, last, self.max_skew)
        return (Edit(kind, Change(added=rows), rows, 0, detail),)

    def _as_one(self, chosen: Sequence[Edit]) -> tuple[Edit, ...] | None:
        """Many wrong quantities that are the right ones with fewer decimals are one fault."""
        wrong = [edit for edit in chosen if edit.cause_kind is CauseKind.WRONG_QUANTITY]
        pairs = [(edit.change.removed[0], edit.change.added[0]) for edit in wrong]
        if len(pairs) < 2:  # noqa: PLR2004  # one shows no habit
            return None
        symbols = {wrong.symbol for wrong, _ in pairs}
        fills = [fill for fill in self.ground.fills if fill.symbol in symbols]
        edit = unit_or_rounding(pairs, fills)
        if edit is None:
            return None
        return (edit, *(one for one in chosen if one.cause_kind is not CauseKind.WRONG_QUANTITY))

    def atoms(self) -> list[Edit]:
        """The readings of each order alone, for faults that come together with others."""
        disagreeing = {name for name in self.ground.need if name.startswith(ORDER)}
        if self.ground.rows_right or not disagreeing:
            return []
        fills = self._fills_of(disagreeing)
        return [
            edit
            for name in sorted(disagreeing)
            for edit in self._of_order(name, fills.get(name, []))
            if edit.cause_kind in _OF_ORDERS
        ]

    def _fills_of(self, names: set[str]) -> dict[str, list[Fill]]:
        found: dict[str, list[Fill]] = {}
        for fill in self.ground.fills:
            name = order_name(fill)
            if name in names:
                found.setdefault(name, []).append(fill)
        return found

    def _of_order(self, name: str, fills: list[Fill]) -> Iterator[Edit]:
        """What may be wrong with the fills of one order, the likeliest first."""
        need, order = self.ground.need[name], self.ground.orders.get(name)
        gone = [fill for fill in fills if signed_quantity(fill) == need.copy_negate()]
        gone.sort(key=lambda fill: not self.edits.twice(fill))
        for fill in gone:
            edit = self.edits.edit(fill, "remove")
            yield replace(edit, rank=0)
        for fill in fills:
            if EXACT.multiply(signed_quantity(fill), Decimal(-2)) == need:
                yield replace(flip(fill), rank=0)
        if order is None:
            return
        yield from self._missing(order, need, fills)
        cumulative = misread_order(self.ground, fills, need)
        if cumulative is not None:
            yield cumulative
            charged = charged_along(self.ground, self.edits, cumulative)
            yield from () if charged is None else (charged,)
        for fill in fills:
            yield from self._quantity(fill, need)

    def _quantity(self, fill: Fill, need: Decimal) -> Iterator[Edit]:
        step = need if fill.side is OrderSide.BUY else need.copy_negate()
        quantity = EXACT.add(fill.quantity, step)
        if quantity <= 0:
            return
        other = replace(fill, quantity=quantity)
        how = slip(fill.quantity, quantity) or ""
        for changed in (other, *self._charged(fill, other)):
            yield Edit(CauseKind.WRONG_QUANTITY, Change((fill,), (changed,)), (fill,), 0, how)

    def _charged(self, fill: Fill, other: Fill) -> Iterator[Fill]:
        model = self.edits.model(fill)
        for rate in () if model is None or not fill.fee else model.rates:
            fee = model.fee(self.ground.bookings, other, rate) if model is not None else fill.fee
            if fee != fill.fee:
                yield replace(other, fee=fee)

    def _missing(self, order: Order, need: Decimal, fills: list[Fill]) -> Iterator[Edit]:
        """The fill that the order lacks, at the price that its average leaves for it."""
        price = _missing_price(order, need.copy_abs(), fills)
        if price is None or (need > 0) != (order.side is OrderSide.BUY):
            return
        known = fills or [fill for fill in self.ground.fills if fill.symbol == order.symbol]
        bare = Fill(
            fill_id=MISSING_ID,
            symbol=order.symbol,
            side=order.side,
            quantity=need.copy_abs(),
            price=price,
            time=order.time,
            client_order_id=order.client_order_id,
            exchange_order_id=order.exchange_order_id,
            account=known[0].account if known else order.account,
        )
        for pattern in {fill.leg: fill for fill in reversed(known)}.values():
            yield from self._as_others(
                replace(bare, leg=pattern.leg, position_id=pattern.position_id)
            )
        if not known:
            yield from self._as_others(bare)

    def _as_others(self, bare: Fill) -> Iterator[Edit]:
        """A missing fill, with the fee that others are charged."""
        charged = list(self._with_fees(bare))
        for fill in charged:
            # Where others are charged, a fill without a fee is the less likely reading.
            rank = 2 if fill is bare and len(charged) > 1 else 0
            yield Edit(CauseKind.MISSING_FILL, Change(added=(fill,)), (fill,), rank)

    def _with_fees(self, bare: Fill) -> Iterator[Fill]:
        known = self.ground.bookings.position(bare) in self.ground.by_symbol
        model = self.edits.model(bare) if known else None
        for rate in () if model is None else model.rates:
            if model is not None:
                fee = model.fee(self.ground.bookings, bare, rate)
                yield replace(bare, fee=fee, fee_currency=model.currency)
        yield bare


def _alike(options: Sequence[Sequence[Edit]]) -> Iterator[tuple[Edit, ...]]:
    """The same reading of every order: the first of each, the second of each, and so on."""
    if all(options):
        for at in range(max(map(len, options))):
            yield tuple(each[min(at, len(each) - 1)] for each in options)


def _missing_price(order: Order, missing: Decimal, fills: list[Fill]) -> Decimal | None:
    """The price at which the missing quantity gives the order's average."""
    average: Decimal | None = getattr(order, "average_fill_price", None)
    if average is None or not missing:
        return None
    if not fills:
        return average
    paid = ZERO
    for fill in fills:
        paid = EXACT.add(paid, EXACT.multiply(fill.quantity, fill.price))
    total = EXACT.multiply(average, order.filled_quantity)
    price = Fraction(EXACT.subtract(total, paid)) / Fraction(missing)
    if price <= 0:
        return None
    rounded = Decimal(round(price * 10**_PRICE_PLACES)).scaleb(-_PRICE_PLACES, EXACT)
    places = max(-int(fill.price.normalize(EXACT).as_tuple().exponent) for fill in fills)
    return round_to_places(rounded, max(places, 0))
