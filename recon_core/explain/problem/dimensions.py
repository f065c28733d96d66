"""Deltas of a session as one vector; every compared position and balance is a dimension.

An explanation accounts for the whole vector at full precision, its zeros included. A dimension
is named like its comparison, `position::BTC/EUR` (a quantity) or `cash::EUR` (an amount of the
currency). If a BUY of 0.5 BTC at 100 EUR is missing from the ledger, the deltas are -0.5 in
`position::BTC/EUR` and in `cash::BTC`, and +50 in `cash::EUR`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final

from recon_core.compare.accounts import accounts_are_one
from recon_core.compare.keys import encode_key, key_label, key_text
from recon_core.compare.views import compared_views
from recon_core.explain.problem.unlisted_figures import unlisted_figures
from recon_core.model import (
    CashBalance,
    Instrument,
    LedgerSide,
    Leg,
    Position,
    RecordedSession,
    SideRecord,
    View,
)
from recon_core.model.assets import delivering
from recon_core.model.comparison import Comparison, ItemKind
from recon_core.model.explanation import Effect
from recon_core.values.amounts import EXACT, ZERO

Vector = Mapping[str, Decimal]
"""Signed amounts by dimension; an absent dimension is 0."""

_POSITION: Final = "position::"

_CASH: Final = "cash::"

_STATES: Final = frozenset({ItemKind.POSITION, ItemKind.CASH, ItemKind.HOLDING})

ORDER: Final = "order::"
"""Prefix of the dimension of an order's filled quantity, if an order report is evidence."""


@dataclass(frozen=True, slots=True)
class Dimensions:
    """Compared dimensions of a session, and the names of its rows there.

    `compared`: the dimensions that both sides report. `plain`: names are without accounts.
    `dust`: the largest delta that counts as equal, 0 unless a side computed in binary floats.
    `held`: by symbol the assets of which an account has one amount, whatever list shows it;
    its dimension is that of the balance. `otherwise`: dimensions, without account, of assets that
    the sides compare in their other view: the amount is shown, though not under this name.
    `unlisted`: the figures that a side never lists, named without leg and account.
    """

    compared: frozenset[str]
    plain: bool
    dust: Decimal = ZERO
    held: Mapping[str, str] = field(default_factory=dict)
    otherwise: frozenset[str] = frozenset()
    unlisted: frozenset[str] = frozenset()

    def is_unlisted(self, name: str) -> bool:
        """True if a dimension is a figure that a side never lists."""
        return bool(self.unlisted) and bare_name(name) in self.unlisted

    def position(self, symbol: str, leg: Leg, account: str | None) -> str:
        """Return the dimension of a position."""
        return f"{_POSITION}{key_text(symbol, leg, None if self.plain else account)}"

    def cash(self, currency: str, account: str | None) -> str:
        """Return the dimension of a balance."""
        return f"{_CASH}{key_text(currency, Leg.NET, None if self.plain else account)}"

    def state(
        self, positions: Iterable[Position] | None, cash: Iterable[CashBalance] | None
    ) -> dict[str, Decimal]:
        """Return positions and balances as a vector."""
        found: dict[str, Decimal] = {}
        for balance in cash or ():
            add_to(found, self.cash(balance.currency, balance.account), balance.total)
        as_balance = found.keys() if not self.held else {*found}
        for row in positions or ():
            asset = self.held.get(row.symbol)
            if asset is None:
                add_to(found, self.position(row.symbol, row.leg, row.account), row.quantity)
            elif (name := self.cash(asset, row.account)) not in as_balance:
                add_to(found, name, row.quantity)
        return found

    def stated(self, record: SideRecord) -> dict[str, Decimal]:
        """Return the state of a side as a vector, its replayed sections included."""
        return self.state(record.positions, record.cash)

    def shows(self, name: str) -> bool:
        """True if an amount of a dimension is compared, under its name or in another view."""
        return name in self.compared or without_account(name) in self.otherwise

    def seen(self, vector: Vector) -> dict[str, Decimal]:
        """Return the part of a vector that is compared and not 0."""
        return {name: value for name, value in vector.items() if value and name in self.compared}

    def real(self, vector: Vector) -> dict[str, Decimal]:
        """Return the part of a vector that is compared and exceeds float dust."""
        return {
            name: value for name, value in self.seen(vector).items() if value.copy_abs() > self.dust
        }


def dimensions_of(
    recorded: RecordedSession, comparisons: Iterable[Comparison], float_dust: Decimal
) -> Dimensions:
    """Return the dimensions of a session whose sides have been replayed."""
    states = [one for one in comparisons if one.item_kind in _STATES]
    dust = float_dust if any(one.in_floats for one in states) else ZERO
    held = _held(recorded, states)
    unlisted = frozenset(name for each in unlisted_figures(recorded).values() for name in each)
    otherwise = frozenset(_otherwise(recorded, held))
    known = Dimensions(frozenset(), accounts_are_one(recorded), dust, held, otherwise, unlisted)
    compared = []
    for one in states:
        if bare_name(one.identity) in unlisted:
            continue
        asset = one.name if one.item_kind is ItemKind.HOLDING else held.get(one.name)
        row = one.internal or one.external
        if asset is None or row is None or one.item_kind is ItemKind.CASH:
            compared.append(one.identity)
        else:
            compared.append(known.cash(asset, row.account))
    return replace(known, compared=frozenset(compared))


def _otherwise(recorded: RecordedSession, held: Mapping[str, str]) -> Iterator[str]:
    """Yield the dimensions of assets that are compared in their other view."""
    views = compared_views(recorded)
    if views is None:
        return
    for asset in views.assets.kinds:
        if views.of(asset) == {View.POSITION}:
            yield f"{_CASH}{key_text(asset, Leg.NET, None)}"
    for symbol, instrument in views.assets.of_symbol.items():
        if symbol in held or views.of(instrument.base) != {View.POSITION, View.BALANCE}:
            yield f"{_POSITION}{key_text(symbol, Leg.NET, None)}"


def _held(recorded: RecordedSession, states: Iterable[Comparison]) -> dict[str, str]:
    """Return the assets by symbol of which an account has one amount in this session."""
    assets = {one.name for one in states if one.item_kind is ItemKind.HOLDING}
    records = recorded.own_records().values()
    assets = assets.union(*(record.held for record in records))
    if not assets:
        return {}
    symbols = {row.symbol for record in records for row in record.position_rows}
    delivered = {
        symbol: instrument.base
        for symbol in symbols
        if (instrument := delivering(symbol, recorded.instruments)) is not None
    }
    return {symbol: asset for symbol, asset in delivered.items() if asset in assets}


def deltas(dimensions: Dimensions, recorded: RecordedSession) -> dict[str, Decimal]:
    """Return internal minus external in every compared dimension where the sides differ."""
    if recorded.internal is None or recorded.external is None:
        return {}
    return dimensions.seen(
        minus(dimensions.stated(recorded.internal), dimensions.stated(recorded.external))
    )


def add_to(vector: dict[str, Decimal], name: str, amount: Decimal) -> None:
    """Add an amount to one dimension of a vector, in place."""
    vector[name] = EXACT.add(vector.get(name, ZERO), amount)


def plus(first: Vector, second: Vector) -> dict[str, Decimal]:
    """Return the sum of two vectors."""
    total = dict(first)
    for name, amount in second.items():
        add_to(total, name, amount)
    return total


def minus(first: Vector, second: Vector) -> dict[str, Decimal]:
    """Return the difference of two vectors."""
    return plus(first, negated(second))


def negated(vector: Vector) -> dict[str, Decimal]:
    """Return the vector with every sign reversed."""
    return {name: amount.copy_negate() for name, amount in vector.items()}


def signed(vector: Vector, side: LedgerSide) -> dict[str, Decimal]:
    """Return a delta (internal minus external) as that of a side: reversed for the exchange."""
    return dict(vector) if side is LedgerSide.INTERNAL else negated(vector)


def effect_of(vector: Vector) -> Effect:
    """Return a vector as an `Effect`: positions and cash separately, by key, zeros left out."""
    position = {name[len(_POSITION) :]: v for name, v in vector.items() if is_position(name) and v}
    cash = {name[len(_CASH) :]: v for name, v in vector.items() if is_cash(name) and v}
    return Effect(dict(sorted(position.items())), dict(sorted(cash.items())))


def vector_of(effect: Effect) -> dict[str, Decimal]:
    """Return an `Effect` as a vector."""
    positions = {f"{_POSITION}{key}": amount for key, amount in effect.position.items()}
    return positions | {f"{_CASH}{key}": amount for key, amount in effect.cash.items()}


def is_position(name: str) -> bool:
    """True if a dimension is a position."""
    return name.startswith(_POSITION)


def is_cash(name: str) -> bool:
    """True if a dimension is a balance."""
    return name.startswith(_CASH)


def is_order(name: str) -> bool:
    """True if a dimension is the filled quantity of an order."""
    return name.startswith(ORDER)


def key_of(name: str) -> str:
    """Return the key of a dimension as it is encoded: `BTC/EUR` of `position::BTC/EUR`."""
    return name.split("::", 1)[1]


def label_of(name: str) -> str:
    """Return a dimension as people read it: `XBTUSD PERP LONG` of `XBTUSD%20PERP,leg=LONG`."""
    return key_label(key_of(name))


def instruments_by_key(recorded: RecordedSession) -> dict[str, Instrument]:
    """Return the instruments by their symbols as keys of dimensions write them."""
    return {encode_key(one.symbol): one for one in recorded.instruments.values()}


def instrument_of(recorded: RecordedSession, name: str) -> Instrument | None:
    """Return the instrument of a position's dimension, `None` for a balance or without one."""
    return instruments_by_key(recorded).get(key_of(bare_name(name))) if is_position(name) else None


def without_account(name: str) -> str:
    """Return a dimension, or the identity of a comparison, without its account."""
    return name.partition(",account=")[0]


def account_of(name: str) -> str:
    """Return the account of a dimension as its key writes it, empty for an unnamed one."""
    return name.partition(",account=")[2]


def bare_name(name: str) -> str:
    """Return a dimension without its leg and account."""
    return name.split(",", maxsplit=1)[0]


def currency_of(name: str) -> str:
    """Return the currency of a balance's dimension."""
    return name.removeprefix(_CASH).split(",")[0]


def state_part(vector: Vector) -> dict[str, Decimal]:
    """Return the positions and balances of a vector that are not 0, without its orders."""
    return {name: v for name, v in vector.items() if v and not is_order(name)}
