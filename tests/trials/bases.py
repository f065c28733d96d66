"""Base sessions: recordings and made ones, clean, so that an injected fault is the only one.

Three kinds of evidence: with `states` the exchange states what it has and no more; with
`rows` it also gives its opening, fills and movements, with a `statement` its movements alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from functools import cache, cached_property
from typing import TypeVar

from recon_core.engine.reconciliation import Reconciliation
from recon_core.model import CashBalance, Currency, Fill, RecordedSession, SideRecord
from recon_core.policy.model import Policy
from tests.core.test_fault_injection import RECORDINGS, recorded_session
from tests.trials.books import State, book_of, decimal_of, notional, state_of
from tests.trials.made_sessions import MADE, SMALL, of_family, small
from tests.trials.shapes import FAMILIES

_Row = TypeVar("_Row")


class Evidence(StrEnum):
    """What the exchange gives."""

    STATES = "states"
    ROWS = "rows"
    STATEMENT = "statement"


DRAWN = (Evidence.STATES, Evidence.ROWS)
"""The evidence that trials of recordings are drawn of; few of them have movements."""


@dataclass(frozen=True)
class Base:
    """A clean session: `book` are the right rows, which give what the exchange states.

    `is_dusty` keeps what the recording's own rounding leaves between the sides. `currencies` are
    those that the bookings are rounded by, whether the session declares them or not.
    """

    name: str
    evidence: Evidence
    recorded: RecordedSession
    is_dusty: bool = False
    currencies: Mapping[str, Currency] = field(default_factory=dict)

    @property
    def book(self) -> SideRecord:
        """The right rows."""
        assert self.recorded.internal is not None
        return self.recorded.internal

    @property
    def external(self) -> SideRecord:
        """What the exchange says."""
        assert self.recorded.external is not None
        return self.recorded.external

    @property
    def fills(self) -> tuple[Fill, ...]:
        """The right fills."""
        return tuple(self.book.fills or ())

    @cached_property
    def right(self) -> State:
        """The right state."""
        return state_of(self.recorded, self.book)

    def places(self, currency: str | None) -> int | None:
        """The decimal places that a booking is rounded to."""
        declared = self.currencies.get(currency or "")
        return None if declared is None else declared.precision

    @cached_property
    def rates(self) -> dict[str, Decimal]:
        """The fee rate of every symbol whose fees all follow one, to the last unit."""
        rates = {symbol: self._rate(symbol) for symbol in {fill.symbol for fill in self.fills}}
        return {symbol: rate for symbol, rate in rates.items() if rate is not None}

    def _rate(self, symbol: str) -> Decimal | None:
        fills = [fill for fill in self.fills if fill.symbol == symbol and fill.quantity]
        if not fills or any(fill.fee <= 0 for fill in fills):
            return None
        sizes = {fill.fill_id: self.size(fill) for fill in fills}
        largest = max(fills, key=lambda fill: sizes[fill.fill_id])
        rate = Decimal(f"{float(Fraction(largest.fee) / sizes[largest.fill_id]):.2g}")
        followed = all(
            abs(Fraction(fill.fee) - Fraction(rate) * sizes[fill.fill_id]) <= self.unit(fill)
            for fill in fills
        )
        return rate if followed else None

    def unit(self, fill: Fill) -> Fraction:
        """What the fee of a fill may be off by: the last decimal of its currency."""
        places = self.places(fill.fee_currency)
        return Fraction(1, 10 ** (12 if places is None else places))

    def size(self, fill: Fill) -> Fraction:
        """What the fee of a fill is charged on."""
        return notional(fill, self.recorded.instruments[fill.symbol])

    def fee_at(self, fill: Fill, rate: Decimal) -> Decimal:
        """The fee of a fill at a rate, rounded as its currency is."""
        return decimal_of(Fraction(rate) * self.size(fill), self.places(fill.fee_currency))

    @cached_property
    def has_exact_rates(self) -> bool:
        """Whether every fee is its rate times its size, rounded half-even."""
        rates = self.rates
        return bool(self.fills) and all(
            fill.symbol in rates and _is_fee(self, fill, rates[fill.symbol]) for fill in self.fills
        )


def _is_fee(base: Base, fill: Fill, rate: Decimal) -> bool:
    try:
        return base.fee_at(fill, rate) == fill.fee
    except ArithmeticError:
        return False


def _original(name: str) -> RecordedSession:
    if name.startswith(SMALL):
        return small(int(name.removeprefix(SMALL)))
    if name in MADE:
        return MADE[name]()
    return of_family(name) or _with_exact_averages(recorded_session(name))


def _with_exact_averages(recorded: RecordedSession) -> RecordedSession:
    """A recording in a world in which each inverse contract keeps what it was entered at."""
    instruments = {
        symbol: replace(one, arithmetic_average=False)
        for symbol, one in recorded.instruments.items()
    }
    return replace(recorded, instruments=instruments)


@cache
def base_session(name: str, evidence: Evidence, *, is_dusty: bool = False) -> Base:
    """A base session by its name; equal arguments give the same session."""
    original = _original(name)
    assert original.internal is not None
    assert original.external is not None
    as_of = max(original.internal.as_of, original.external.as_of)
    book = replace(book_of(original.internal), as_of=as_of)
    external = replace(original.external, as_of=as_of, notes=(), pending=())
    found = Reconciliation(replace(original, internal=book, external=external), Policy()).diffs
    if found and not is_dusty:
        state = state_of(original, book)
        external = replace(external, positions=state.positions, cash=_with_parts(state.cash))
    if evidence is Evidence.ROWS:
        external = _with_rows(external, book)
    elif evidence is Evidence.STATEMENT:
        external = replace(external, movements=_copied(book.movements or ()))
    recorded = replace(original, internal=book, external=external)
    family = FAMILIES.get(name.rpartition("-")[0])
    if family is not None and not family.is_declared:
        recorded = replace(recorded, currencies={})
    return Base(name, evidence, recorded, is_dusty, original.currencies)


def _with_parts(cash: tuple[CashBalance, ...]) -> tuple[CashBalance, ...]:
    return tuple(replace(row, free=row.total, locked=Decimal(0)) for row in cash)


def _with_rows(external: SideRecord, book: SideRecord) -> SideRecord:
    """The exchange gives rows of its own: equal ones, but never the same table."""
    return replace(
        external,
        opening=book.opening,
        fills=_copied(book.fills or ()),
        movements=None if book.movements is None else _copied(book.movements),
        orders=external.orders if book.orders is None else _copied(book.orders),
        snapshots=book.snapshots,
    )


def _copied(rows: tuple[_Row, ...]) -> tuple[_Row, ...]:
    return (*rows,)


RECORDED = tuple(RECORDINGS)
NAMES = (*RECORDED, *MADE)
