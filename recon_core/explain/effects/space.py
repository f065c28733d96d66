"""The deltas of a session as one vector: every compared position and balance is a dimension.

An explanation has to account for the whole vector at full precision, the zeros in it
included. A dimension is named like its comparison, `position::BTC/EUR` or `cash::EUR`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from recon_core.amounts import EXACT, ZERO
from recon_core.comparison import Comparison, ItemKind
from recon_core.explanation import Effect
from recon_core.model import CashBalance, LedgerSide, Leg, Position, RecordedSession, SideRecord
from recon_core.pairing import key_text, single_accounts

Vector = Mapping[str, Decimal]
"""Signed amounts by dimension; a dimension that is absent is 0."""

_POSITION: Final = "position::"
_CASH: Final = "cash::"
ORDER: Final = "order::"
"""What an order has filled is a dimension too, where an order report is evidence."""


@dataclass(frozen=True, slots=True)
class Space:
    """What is compared in a session, and how its rows are named there.

    `compared` are the dimensions that both sides report; `dust` is what a delta may be
    where a side computed in binary floats, 0 elsewhere. `plain`: accounts go unnamed.
    """

    compared: frozenset[str]
    plain: bool
    dust: Decimal = ZERO

    def position(self, symbol: str, leg: Leg, account: str | None) -> str:
        """The dimension of a position."""
        return f"{_POSITION}{key_text(symbol, leg, None if self.plain else account)}"

    def cash(self, currency: str, account: str | None) -> str:
        """The dimension of a balance."""
        return f"{_CASH}{key_text(currency, Leg.NET, None if self.plain else account)}"

    def state(
        self, positions: Iterable[Position] | None, cash: Iterable[CashBalance] | None
    ) -> dict[str, Decimal]:
        """Positions and balances as a vector."""
        found: dict[str, Decimal] = {}
        for row in positions or ():
            add_to(found, self.position(row.symbol, row.leg, row.account), row.quantity)
        for balance in cash or ():
            add_to(found, self.cash(balance.currency, balance.account), balance.total)
        return found

    def stated(self, record: SideRecord) -> dict[str, Decimal]:
        """The state of a side, replayed where it does not state it."""
        return self.state(record.positions, record.cash)

    def seen(self, vector: Vector) -> dict[str, Decimal]:
        """The part of a vector that is compared and not 0."""
        return {name: value for name, value in vector.items() if value and name in self.compared}

    def real(self, vector: Vector) -> dict[str, Decimal]:
        """The part that is compared and more than float dust."""
        return {
            name: value for name, value in self.seen(vector).items() if value.copy_abs() > self.dust
        }


def space_of(
    recorded: RecordedSession, comparisons: Iterable[Comparison], float_dust: Decimal
) -> Space:
    """The dimensions of a session whose sides have been replayed."""
    compared, in_floats = [], False
    for comparison in comparisons:
        if comparison.item_kind in {ItemKind.POSITION, ItemKind.CASH}:
            compared.append(comparison.identity)
            in_floats = in_floats or comparison.in_floats
    dust = float_dust if in_floats else ZERO
    return Space(frozenset(compared), single_accounts(recorded), dust)


def deltas(space: Space, recorded: RecordedSession) -> dict[str, Decimal]:
    """Internal minus external in every compared dimension that is not 0."""
    if recorded.internal is None or recorded.external is None:
        return {}
    return space.seen(minus(space.stated(recorded.internal), space.stated(recorded.external)))


def add_to(vector: dict[str, Decimal], name: str, amount: Decimal) -> None:
    """Add an amount in one dimension."""
    vector[name] = EXACT.add(vector.get(name, ZERO), amount)


def plus(first: Vector, second: Vector) -> dict[str, Decimal]:
    """The sum of two vectors."""
    total = dict(first)
    for name, amount in second.items():
        add_to(total, name, amount)
    return total


def minus(first: Vector, second: Vector) -> dict[str, Decimal]:
    """The difference of two vectors."""
    return plus(first, negated(second))


def negated(vector: Vector) -> dict[str, Decimal]:
    """The same amounts with the other sign."""
    return {name: amount.copy_negate() for name, amount in vector.items()}


def signed(vector: Vector, side: LedgerSide) -> dict[str, Decimal]:
    """What a difference internal minus external means for a side."""
    return dict(vector) if side is LedgerSide.INTERNAL else negated(vector)


def effect_of(vector: Vector) -> Effect:
    """The vector as an explanation gives it: by key, positions and cash apart."""
    position = {name[len(_POSITION) :]: v for name, v in vector.items() if is_position(name) and v}
    cash = {name[len(_CASH) :]: v for name, v in vector.items() if is_cash(name) and v}
    return Effect(dict(sorted(position.items())), dict(sorted(cash.items())))


def is_position(name: str) -> bool:
    """Whether a dimension is a position."""
    return name.startswith(_POSITION)


def is_cash(name: str) -> bool:
    """Whether a dimension is a balance."""
    return name.startswith(_CASH)


def currency_of(name: str) -> str:
    """The currency of a balance's dimension."""
    return name.removeprefix(_CASH).split(",")[0]


def state_part(vector: Vector) -> dict[str, Decimal]:
    """The positions and balances of a vector, without what its orders have filled."""
    return {name: v for name, v in vector.items() if v and not name.startswith(ORDER)}
