"""Every edit of one fill without a free number: its print, its change, what speaks for it."""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from operator import attrgetter
from typing import Any, Final

from recon_core.amounts import EXACT, ZERO
from recon_core.explain.effects.fees import FeeModel, fee_models
from recon_core.explain.effects.space import currency_of, is_cash
from recon_core.explain.faults.edits import (
    NEAR_TWIN,
    UNPROVEN,
    Edit,
    fee_change,
    flip,
    half,
    removal,
    repetition,
)
from recon_core.explain.faults.told_in_parts import told_in_parts
from recon_core.explain.grounds.ground import Ground
from recon_core.explain.grounds.prints import Prints
from recon_core.explanation import CauseKind
from recon_core.model import Fill, OrderSide

_ID: Final = attrgetter("fill_id")
_KEY: Final = attrgetter("account", "symbol", "fill_id", "side", "quantity", "price")
_TIME: Final = attrgetter("time")


@dataclass
class FillEdits:
    """The edits of the fills of one ground, by name: `remove`, `flip`, `negate` and so on."""

    ground: Ground
    prints: Prints
    _currencies: dict[tuple[str | None, ...], tuple[str, ...]] = field(default_factory=dict)
    _models: dict[str, Mapping[OrderSide, FeeModel | None]] = field(default_factory=dict)
    _moments: dict[datetime, Counter[tuple[Any, ...]]] = field(default_factory=dict)
    _executions: dict[str, dict[tuple[Any, ...], list[Fill]]] = field(default_factory=dict)

    def offers(self, fill: Fill, trade: int, fee: int) -> Iterator[tuple[str, int]]:
        """The names of a fill's edits with their prints, from those of its trade and its fee."""
        yield "remove", -trade - fee
        yield "flip", -2 * trade
        if self.ground.rows_right:
            yield "repeat", trade + fee
        if fee:
            yield "negate", -2 * fee
            yield from self._fee_amounts(fill, fee)
            for currency in self._other_currencies(fill):
                yield currency, self.prints.of_fee(fill, fill.fee, currency) - fee
        elif not fill.fee and not self.ground.rows_right:
            for at in range(len(self._rates(fill))):
                charged = self.charged(fill, at)
                currency = charged.fee_currency or ""
                yield f"rate {at}", self.prints.of_fee(fill, charged.fee, currency)

    def _fee_amounts(self, fill: Fill, fee: int) -> Iterator[tuple[str, int]]:
        if self.ground.rows_right:
            yield "nofee", -fee
            yield "double", fee
        else:
            yield "half", self.prints.of_fee(fill, half(fill.fee), fill.fee_currency or "") - fee

    def edit(self, fill: Fill, name: str) -> Edit:
        """The edit of a name."""
        right = self.ground.rows_right
        if name == "remove":
            told = "" if right else self._in_parts.get(id(fill), "")
            close = bool(told) or self._close(fill)
            edit = removal(fill, rows_right=right, twice=self.twice(fill), close=close)
            edit = replace(edit, detail=told) if told else edit
            return replace(edit, rank=UNPROVEN) if self._may_be_unseen(edit, fill) else edit
        if name in _WHOLE:
            return self._ranked(_WHOLE[name](fill))
        if name.startswith("rate "):
            charged = self.charged(fill, int(name.removeprefix("rate ")))
            return fee_change(fill, CauseKind.MISSING_FEE, charged.fee, charged.fee_currency, 0)
        return self._ranked(fee_change(fill, CauseKind.FEE_CURRENCY, fill.fee, name))

    def _ranked(self, edit: Edit) -> Edit:
        """The edit of one row; a fee that is wrong in the row is told by the others' rate."""
        change = edit.change
        if self.ground.rows_right or not change.removed:
            return edit
        old, new = (_charge(fill) for fill in (*change.removed, *change.added))
        model = None if old == new else self.model(change.removed[0])
        if model is None:
            return edit
        bookings, fill = self.ground.bookings, change.removed[0]
        usual = {(model.fee(bookings, fill, rate), model.currency) for rate in model.rates}
        return replace(edit, rank=0) if new in usual and old not in usual else edit

    def _may_be_unseen(self, edit: Edit, fill: Fill) -> bool:
        """Whether the other side may not have seen the last fill yet: no row tells."""
        orphan = edit.cause_kind is CauseKind.ORPHAN_FILL and not self.ground.orders
        gives_rows = all(
            record.fills is not None for record in self.ground.recorded.own_records().values()
        )
        return orphan and not gives_rows and fill.time == self.ground.fills[-1].time

    def charged(self, fill: Fill, at: int) -> Fill:
        """A fill without a fee as the others of its symbol are charged."""
        model = self.model(fill)
        assert model is not None  # noqa: S101  # only models with rates are offered
        fee = model.fee(self.ground.bookings, fill, model.rates[at])
        return replace(fill, fee=self._as_needed(fill, fee, model.currency),
                       fee_currency=model.currency)  # fmt: skip

    def _as_needed(self, fill: Fill, fee: Decimal, currency: str) -> Decimal:
        """What is needed itself, where a fee computed in floats is that to their dust."""
        ground = self.ground
        need = ground.need.get(ground.bookings.cash(currency, fill.account), ZERO).copy_negate()
        off = EXACT.subtract(need, fee).copy_abs()
        return need if ground.space.dust and off <= ground.space.dust else fee

    def model(self, fill: Fill) -> FeeModel | None:
        """How the fills of the same position and side are charged."""
        return self.models(self.ground.bookings.position(fill))[fill.side]

    def models(self, name: str) -> Mapping[OrderSide, FeeModel | None]:
        """How the fills of a position are charged, by their side."""
        if name not in self._models:
            self._models[name] = fee_models(self.ground.bookings, self.ground.by_symbol[name])
        return self._models[name]

    def _rates(self, fill: Fill) -> tuple[Any, ...]:
        model = self.model(fill)
        return () if model is None else model.rates

    def _other_currencies(self, fill: Fill) -> tuple[str, ...]:
        """The currencies that a fee may have been meant in: base, quote, those of other fees."""
        key = (fill.symbol, fill.account, fill.fee_currency)
        known = self._currencies.get(key)
        if known is None:
            instrument = self.ground.bookings.instruments.get(fill.symbol)
            traded = set() if instrument is None else {instrument.base, instrument.quote}
            cash, compared = self.ground.bookings.cash, self.ground.space.compared
            known = self._currencies[key] = tuple(
                currency
                for currency in sorted(traded | self._charged_in)
                if currency != fill.fee_currency and cash(currency, fill.account) in compared
            )
        return known

    @cached_property
    def _charged_in(self) -> set[str]:
        """The currencies of fees, and those that something is needed in."""
        needed = {currency_of(name) for name in self.ground.need if is_cash(name)}
        return needed | {fill.fee_currency for fill in self.ground.fills if fill.fee_currency}

    def twice(self, fill: Fill) -> bool:
        """Whether a fill stands more than once under its id."""
        if self._ids[fill.fill_id] == 1:
            return False
        return self._repeated[_KEY(fill)] > 1

    @cached_property
    def _ids(self) -> Counter[str]:
        return Counter(map(_ID, self.ground.fills))

    @cached_property
    def _repeated(self) -> Counter[tuple[object, ...]]:
        return Counter(_KEY(fill) for fill in self.ground.fills if self._ids[fill.fill_id] > 1)

    @cached_property
    def _in_parts(self) -> Mapping[int, str]:
        return told_in_parts(self.ground.fills)

    def _close(self, fill: Fill) -> bool:
        """Whether another fill of the same order, price and quantity stands close by."""
        near = self._executions_of(_order(fill)).get(twin(fill), [])
        if sum(abs(other.time - fill.time) <= NEAR_TWIN for other in near) > 1:
            return True
        return self._at(fill.time)[twin(fill)] > 1

    def _at(self, time: datetime) -> Counter[tuple[Any, ...]]:
        """How often each fill is told for one moment, whatever its order."""
        if time not in self._moments:
            fills = self.ground.fills
            start, end = bisect_left(fills, time, key=_TIME), bisect_right(fills, time, key=_TIME)
            self._moments[time] = Counter(map(twin, fills[start:end]))
        return self._moments[time]

    def _executions_of(self, order: str) -> dict[tuple[Any, ...], list[Fill]]:
        """The fills of one order, those together that may be one execution told twice."""
        if order not in self._executions:
            found: dict[tuple[Any, ...], list[Fill]] = {}
            for fill in self._orders.get(order, ()):
                found.setdefault(twin(fill), []).append(fill)
            self._executions[order] = found
        return self._executions[order]

    @cached_property
    def _orders(self) -> dict[str, list[Fill]]:
        found: dict[str, list[Fill]] = {}
        for fill in self.ground.fills:
            order = fill.client_order_id or fill.exchange_order_id
            if order:
                found.setdefault(order, []).append(fill)
        return found


_WHOLE: Final[dict[str, Callable[[Fill], Edit]]] = {
    "repeat": repetition,
    "flip": flip,
    "nofee": lambda fill: fee_change(fill, CauseKind.MISSING_FEE, ZERO),
    "double": lambda fill: fee_change(fill, CauseKind.DUPLICATE_FEE, EXACT.add(fill.fee, fill.fee)),
    "half": lambda fill: fee_change(fill, CauseKind.DUPLICATE_FEE, half(fill.fee)),
    "negate": lambda fill: fee_change(fill, CauseKind.FEE_SIGN, fill.fee.copy_negate()),
}


def _charge(fill: Fill) -> tuple[Decimal, str | None]:
    return fill.fee, fill.fee_currency


def _order(fill: Fill) -> str:
    return fill.client_order_id or fill.exchange_order_id or ""


def twin(fill: Fill) -> tuple[Any, ...]:
    """What two interchangeable fills have in common."""
    return (
        fill.account,
        fill.symbol,
        fill.leg,
        fill.side,
        fill.quantity,
        fill.price,
        fill.fee,
        fill.fee_currency if fill.fee else None,
    )
