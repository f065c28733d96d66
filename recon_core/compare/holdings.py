"""Holdings: what an account has of one asset, whichever list of a side shows it.

Source of the rules: rules, "Holdings".
"""

from collections import deque
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from operator import itemgetter

from recon_core.compare.views import BOTH, Assets, ComparedViews, State, Views, compared_views
from recon_core.model import (
    CashBalance,
    LedgerSide,
    Leg,
    Movement,
    Opening,
    Position,
    RecordedSession,
    SideRecord,
    View,
)
from recon_core.model.movement_table import movement_table_of
from recon_core.values.amounts import EXACT, ZERO, exact_sum

_Key = tuple[str, str | None]
"""Asset and account."""


def holdings(
    recorded: RecordedSession, views: ComparedViews, side: LedgerSide, *, plain: bool
) -> list[Position]:
    """Return what a side holds of the assets that the sides keep in different views, by account.

    A holding is a position that is called like its asset.
    """
    record = recorded.side(side)
    if record is None:
        return []
    sums: dict[_Key, Decimal] = {}
    apart = set(views.apart())

    def add(asset: str, account: str | None, amount: Decimal) -> None:
        key = asset, None if plain else account
        sums[key] = EXACT.add(sums.get(key, ZERO), amount)

    as_balance = {asset for asset in apart if View.BALANCE in views.kept[side][asset]}
    for balance in record.cash or ():
        if balance.currency in as_balance:
            add(balance.currency, balance.account, balance.total)
    for row in record.positions or ():
        instrument = views.assets.of_symbol.get(row.symbol)
        if instrument is not None and instrument.base in apart - as_balance:
            add(instrument.base, row.account, row.quantity)
    return [Position(asset, amount, account=account) for (asset, account), amount in sums.items()]


@dataclass(frozen=True, slots=True)
class Replayed:
    """Result of a replay as another state means it.

    `held` are the assets whose positions are what the account holds, and not what the fills
    of a symbol traded.
    """

    state: State
    held: frozenset[str] = frozenset()


class Meaning:
    """Reading of a record's replay as the states of `side` mean their rows.

    A replay knows what the fills of a symbol traded, and what the account holds of its
    asset: fees by other symbols, rewards and transfers are in the second only. A side whose
    positions sum up to its balance of the asset means what is held; so does one that lists one
    of both, unless the record's opening has a balance of it and no position. What the record
    lists as a quantity only, in its opening or in a movement, is held as well. With `plain` all
    accounts are one.
    """

    def __init__(
        self, record: SideRecord, views: ComparedViews, side: LedgerSide, *, plain: bool
    ) -> None:
        self._assets = views.assets
        self._kept = views.kept[side]
        self._plain = plain
        opening = record.opening or Opening(None)
        opened = self._held(State(opening.positions, opening.cash))
        self._only_balance = {
            key for key, total in opened.balances.items() if total
        } - opened.positions.keys()
        self._quantities = {
            key: exact_sum(listed.values())
            for key, listed in opened.positions.items()
            if key not in opened.balances
        }
        moved = [
            (movement.time, key, movement.quantity)
            for movement in movement_table_of(record.movements).with_quantity()
            if movement.quantity and (key := self._key_of_quantity_alone(movement)) is not None
        ]
        self._waiting = deque(sorted(moved, key=itemgetter(0)))

    def _held(self, state: State) -> "_Held":
        return _Held(state, self._assets, plain=self._plain)

    def _key_of_quantity_alone(self, movement: Movement) -> _Key | None:
        """Return what a movement moves a quantity of; `None` where it gives the balance, too."""
        instrument = self._assets.of_symbol.get(movement.symbol or "")
        if instrument is None or instrument.base == movement.currency:
            return None
        return instrument.base, None if self._plain else movement.account

    def _advance(self, until: datetime | None) -> None:
        """Add the quantities that moved up to a time, all of them where it is `None`."""
        while self._waiting and (until is None or self._waiting[0][0] <= until):
            _, key, quantity = self._waiting.popleft()
            self._quantities[key] = EXACT.add(self._quantities.get(key, ZERO), quantity)

    def read(self, replayed: State, other: State, until: datetime | None = None) -> Replayed:
        """Return a replayed state as `other` means it; the replay of all rows up to `until`.

        Successive calls name no earlier time.
        """
        self._advance(until)
        if replayed.cash is None:
            return Replayed(replayed)
        ours, theirs = self._held(replayed), self._held(other)
        quantities = self._quantities
        held = {
            key: EXACT.add(ours.balances.get(key, ZERO), quantities.get(key, ZERO))
            for key in {*ours.balances, *ours.positions, *theirs.positions, *quantities}
        }
        meant = {
            key: amount
            for key, amount in held.items()
            if _means_held(key, theirs, self._kept.get(key[0], frozenset()), self._only_balance)
        }
        positions, changed = replayed.positions, frozenset[str]()
        if positions is not None and other.positions is not None:
            positions, changed = _held_positions(positions, ours, theirs, meant)
        wallets = {
            key: amount
            for key, amount in meant.items()
            if key in quantities and amount != ours.balances.get(key)
        }
        cash = _with_balances(replayed.cash, wallets, plain=self._plain)
        return Replayed(State(positions, cash), changed)


def _means_held(key: _Key, theirs: "_Held", kept: Views, apart: AbstractSet[_Key]) -> bool:
    """True if a side means by its rows of an asset what the account holds of it."""
    if kept == BOTH:
        listed = exact_sum(theirs.positions.get(key, {}).values())
        return theirs.balances.get(key, ZERO) == listed
    return key not in apart or View.POSITION not in kept


def _held_positions(
    positions: tuple[Position, ...], ours: "_Held", theirs: "_Held", meant: Mapping[_Key, Decimal]
) -> tuple[tuple[Position, ...], frozenset[str]]:
    """Return the positions with those of the meant holdings, and the assets that changed."""
    found = {(row.account, row.symbol, row.leg): row for row in positions}
    changed: set[str] = set()
    for key, held in meant.items():
        asset, account = key
        traded, listed = ours.positions.get(key, {}), theirs.positions.get(key, {})
        missing = EXACT.subtract(held, exact_sum(traded.values()))
        names = sorted({*traded, *listed})
        if not missing or not names:
            continue
        changed.add(asset)
        # Of one holding under several symbols, the other side says which has what part.
        is_equal = exact_sum(listed.values()) == held
        amounts = {name: (listed if is_equal else traded).get(name, ZERO) for name in names}
        if not is_equal:
            amounts[names[0]] = EXACT.add(amounts[names[0]], missing)
        for name, amount in amounts.items():
            row_key = ours.rows.get((key, name), (account, name, Leg.NET))
            known = found.get(row_key, Position(name, amount, account=account))
            found[row_key] = replace(known, quantity=amount)
    return tuple(found.values()), frozenset(changed)


def _with_balances(
    cash: tuple[CashBalance, ...], balances: Mapping[_Key, Decimal], *, plain: bool
) -> tuple[CashBalance, ...]:
    """Return balances with some of them replaced, by asset and account."""
    if not balances:
        return cash
    found = {(row.currency, None if plain else row.account): row for row in cash}
    for (asset, account), total in balances.items():
        known = found.get((asset, account), CashBalance(asset, total, account=account))
        found[asset, account] = replace(known, total=total)
    return tuple(found.values())


class _Held:
    """Positions by symbol and balances of one state, by asset and account."""

    def __init__(self, state: State, assets: Assets, *, plain: bool) -> None:
        self.positions: dict[_Key, dict[str, Decimal]] = {}
        self.balances: dict[_Key, Decimal] = {}
        self.rows: dict[tuple[_Key, str], tuple[str | None, str, Leg]] = {}
        for row in state.positions or ():
            instrument = assets.of_symbol.get(row.symbol)
            if instrument is not None and row.leg is Leg.NET:
                key = instrument.base, None if plain else row.account
                amounts = self.positions.setdefault(key, {})
                amounts[row.symbol] = EXACT.add(amounts.get(row.symbol, ZERO), row.quantity)
                self.rows[key, row.symbol] = row.account, row.symbol, row.leg
        for balance in state.cash or ():
            if balance.currency in assets.kinds:
                key = balance.currency, None if plain else balance.account
                self.balances[key] = EXACT.add(self.balances.get(key, ZERO), balance.total)


def with_meant_views(
    recorded: RecordedSession, *, plain: bool
) -> tuple[RecordedSession, ComparedViews | None]:
    """The session with what was replayed for a side as the other one means it, and its views."""
    views = compared_views(recorded)
    if views is None or recorded.mirrored:
        return recorded, views
    records = recorded.own_records()
    internal, external = (
        _as_meant(records[side], records[side.other], views, side.other, plain=plain)
        for side in LedgerSide
    )
    if internal is recorded.internal and external is recorded.external:
        return recorded, views
    recorded = replace(recorded, internal=internal, external=external)
    return recorded, compared_views(recorded)


def _as_meant(
    record: SideRecord, other: SideRecord, views: ComparedViews, side: LedgerSide, *, plain: bool
) -> SideRecord:
    """One side with what was replayed for it as the other one, `side`, means it."""
    if not record.derived or (record.derived & other.derived):
        return record
    given, stated = (State(one.positions, one.cash) for one in (record, other))
    found = Meaning(record, views, side, plain=plain).read(given, stated)
    positions = found.state.positions if "positions" in record.derived else record.positions
    cash = found.state.cash if "cash" in record.derived else record.cash
    return replace(record, positions=positions, cash=cash, held=found.held)
