"""Holdings: one asset, whichever list shows it, and the views in which two sides compare it.

A bot lists what it has of an asset as a position, a wallet as a balance, some as both. Each
view that both sides keep is compared; where they keep different ones, the sum of the
positions is compared with the balance. Nothing that is held is left uncompared.

Source of the rules: rules, "Holdings".
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final, TypeVar

from recon_core.model import (
    ANY_ASSET,
    CashBalance,
    Instrument,
    InstrumentKind,
    LedgerSide,
    Leg,
    Opening,
    Position,
    RecordedSession,
    SideRecord,
    Snapshot,
    View,
)
from recon_core.model.assets import delivering
from recon_core.model.comparison import Comparison
from recon_core.values.amounts import EXACT, ZERO, exact_sum
from recon_core.values.printable import printable

Views = frozenset[View]
_Row = TypeVar("_Row")
_Key = tuple[str, str | None]
"""Asset and account."""

_BOTH: Final[Views] = frozenset({View.POSITION, View.BALANCE})
_MOST_NAMED: Final = 5
"""Assets that a note names; more are counted."""


@dataclass(frozen=True, slots=True)
class State:
    """Positions and balances of one side at one time; `None` for what is not reported."""

    positions: tuple[Position, ...] | None
    cash: tuple[CashBalance, ...] | None


@dataclass(frozen=True, slots=True)
class Listing:
    """Rows in which one side lists what it has; `None` where it does not report a section.

    A section that was replayed has every asset, in whatever view somebody asks for.
    """

    positions: tuple[Position, ...] | None
    cash: tuple[CashBalance, ...] | None
    replayed: frozenset[str] = frozenset()
    keeps: Mapping[str, View] = field(default_factory=dict)


def listing_of(record: SideRecord, *, own: bool = False) -> Listing:
    """Everything that a side lists at any time: what it lists once, it keeps.

    With `own`, what was replayed for it is left out.
    """
    replayed = record.derived if own else frozenset()
    states: list[State | Snapshot] = [
        State(
            None if "positions" in replayed else record.positions,
            None if "cash" in replayed else record.cash,
        ),
        *(record.snapshots or ()),
    ]
    opening = record.opening or Opening(None)
    return Listing(
        _listed((state.positions for state in states), opening.positions),
        _listed((state.cash for state in states), opening.cash),
        frozenset() if own else record.derived,
        record.keeps,
    )


def with_policy_views(
    recorded: RecordedSession, keeps: Mapping[LedgerSide, Mapping[str, View]]
) -> RecordedSession:
    """The session with the views that a policy says a side keeps, over those of its own."""
    if not any(keeps.values()):
        return recorded
    sides = {
        side: None
        if (record := recorded.side(side)) is None
        else replace(record, keeps={**record.keeps, **keeps.get(side, {})})
        for side in LedgerSide
    }
    internal, external = sides[LedgerSide.INTERNAL], sides[LedgerSide.EXTERNAL]
    is_copy = recorded.external is recorded.internal
    return replace(recorded, internal=internal, external=internal if is_copy else external)


def _listed(
    sections: Iterable[tuple[_Row, ...] | None], opening: tuple[_Row, ...]
) -> tuple[_Row, ...] | None:
    """All rows of a section at any time; `None` where no state reports it."""
    found = [*opening]
    is_reported = False
    for rows in sections:
        is_reported = is_reported or rows is not None
        found += rows or ()
    return tuple(found) if is_reported else None


_Listed = tuple[set[InstrumentKind], set[InstrumentKind]]


class Assets:
    """The assets that a session's symbols deliver, and the symbols of each.

    `symbols` are all that a row may name; those that deliver nothing have no asset.
    """

    def __init__(self, instruments: Mapping[str, Instrument], symbols: Iterable[str]) -> None:
        self.of_symbol: dict[str, Instrument] = {}
        self.kinds: defaultdict[str, set[InstrumentKind]] = defaultdict(set)
        self.delivers_only = all(one.instrument_kind.delivers for one in instruments.values())
        for symbol in {*instruments, *symbols}:
            found = delivering(symbol, instruments)
            if found is not None:
                self.of_symbol[symbol] = found
                self.kinds[found.base].add(found.instrument_kind)
        traded = [*instruments.values(), *self.of_symbol.values()]
        paid = {one.quote for one in traded} | {one.settlement for one in traded}
        self._only_held = self.kinds.keys() - paid
        self._looked_at: tuple[Listing, _Listed] | None = None

    def keeps(self, listing: Listing, asset: str) -> Views:
        """The views that a side keeps of an asset: what it says, else what its rows show."""
        said = listing.keeps.get(asset) or listing.keeps.get(ANY_ASSET)
        if said is not None:
            kept = _BOTH if said is View.BOTH else frozenset({said})
            absent = {View.POSITION} if listing.positions is None else set()
            return kept - absent - ({View.BALANCE} if listing.cash is None else set())
        found = {View.POSITION} if self._lists_positions(listing, asset) else set()
        return frozenset(found | ({View.BALANCE} if self._lists_balance(listing, asset) else set()))

    def _lists_positions(self, listing: Listing, asset: str) -> bool:
        if listing.positions is None:
            return False
        if "positions" in listing.replayed:
            return True
        kinds = self.kinds[asset]
        listed, _ = self._listed(listing)
        if kinds & listed or InstrumentKind.EQUITY in kinds:
            return True
        # An empty list says that there is nothing, unless it is one of derivatives.
        return not listed and self.delivers_only and InstrumentKind.SPOT in kinds

    def _lists_balance(self, listing: Listing, asset: str) -> bool:
        if listing.cash is None:
            return False
        kinds = self.kinds[asset]
        if "cash" in listing.replayed or asset not in self._only_held or InstrumentKind.FX in kinds:
            return True
        _, listed = self._listed(listing)
        return bool(kinds & listed)

    def _listed(self, listing: Listing) -> _Listed:
        """Return the kinds that a side lists as positions, and those that it lists as balances.

        A side is asked for each asset, and its rows are looked at once.
        """
        if self._looked_at is None or self._looked_at[0] is not listing:
            symbols = (row.symbol for row in listing.positions or ())
            held = self._only_held.intersection(row.currency for row in listing.cash or ())
            listed = (
                {self.of_symbol[one].instrument_kind for one in symbols if one in self.of_symbol},
                {kind for one in held for kind in self.kinds[one]},
            )
            self._looked_at = listing, listed
        return self._looked_at[1]


@dataclass(frozen=True)
class ComparedViews:
    """The views in which the sides of one session compare each asset.

    `listed` are the assets that a side lists something of; `reported` are the views of the
    sections that a side reports at all.
    """

    assets: Assets
    kept: Mapping[LedgerSide, Mapping[str, Views]]
    listed: frozenset[str] = frozenset()
    reported: Mapping[LedgerSide, Views] = field(default_factory=dict)

    def of(self, asset: str) -> Views:
        """The views of an asset that are compared; empty where the sides keep different ones.

        What one side keeps in no view counts as 0 in the sections that it reports.
        """
        ours, theirs = (self.kept[side].get(asset, frozenset()) for side in LedgerSide)
        if ours and theirs:
            return ours & theirs
        inner, outer = (self.reported.get(side, frozenset()) for side in LedgerSide)
        return (ours & outer) | (theirs & inner)

    def position(self, symbol: str) -> bool:
        """True if a symbol's positions are compared."""
        instrument = self.assets.of_symbol.get(symbol)
        return instrument is None or View.POSITION in self.of(instrument.base)

    def balance(self, currency: str) -> bool:
        """True if a currency's balances are compared."""
        return currency not in self.assets.kinds or View.BALANCE in self.of(currency)

    def compare(self, comparison: Comparison) -> bool:
        """True if both sides keep the view of a comparison of positions or of balances."""
        of = self.position if comparison.of_position else self.balance
        return of(comparison.name)

    def apart(self) -> list[str]:
        """Return the assets that the sides keep in different views, sorted."""
        return sorted(
            asset
            for asset in self.assets.kinds
            if all(kept.get(asset) for kept in self.kept.values()) and not self.of(asset)
        )

    def notes(self) -> Iterator[str]:
        """Yield notes on what is compared in one view only, though its kind is kept in both."""
        for view, other in ((View.POSITION, View.BALANCE), (View.BALANCE, View.POSITION)):
            for side in LedgerSide:
                named = sorted(
                    asset
                    for asset, kinds in self.assets.kinds.items()
                    if InstrumentKind.SPOT in kinds
                    and asset in self.listed
                    and self.of(asset) == {view}
                    and other in self.kept[side.other][asset]
                    and other not in self.kept[side][asset]
                )
                if named:
                    shown = _named(named)
                    yield f"{shown}: compared as {view}s; {side} lists no {other} of them"


def compared_views(recorded: RecordedSession) -> ComparedViews | None:
    """The views of a session whose sides have been replayed, `None` where one has no state."""
    ours, theirs = recorded.internal, recorded.external
    if ours is None or theirs is None or not (_reports_state(ours) and _reports_state(theirs)):
        return None
    listings = {
        LedgerSide.INTERNAL: listing_of(ours),
        LedgerSide.EXTERNAL: listing_of(theirs),
    }
    rows = [row for listing in listings.values() for row in listing.positions or ()]
    assets = Assets(recorded.instruments, (row.symbol for row in rows))
    kept = {
        side: {asset: assets.keeps(listing, asset) for asset in assets.kinds}
        for side, listing in listings.items()
    }
    symbols = {row.symbol for row in rows if row.quantity}
    listed = {assets.of_symbol[one].base for one in symbols if one in assets.of_symbol}
    cash = [row for listing in listings.values() for row in listing.cash or () if row.total]
    reported = {
        side: frozenset(
            view
            for view, rows in ((View.POSITION, one.positions), (View.BALANCE, one.cash))
            if rows is not None
        )
        for side, one in listings.items()
    }
    named = frozenset(listed.union(row.currency for row in cash))
    return ComparedViews(assets, kept, named, reported)


def _reports_state(record: SideRecord) -> bool:
    """True if a side reports positions or balances: absent is not zero."""
    return record.positions is not None or record.cash is not None


def balances_stand_in(recorded: RecordedSession, silent: LedgerSide) -> bool:
    """True if a side without positions is no gap: its balances show all that the other holds.

    That is so where every symbol that the other side has a position in delivers its asset, and
    the silent side keeps balances of these.
    """
    record, other, views = recorded.side(silent), recorded.side(silent.other), None
    if record is not None and other is not None and not _says_positions(record):
        views = compared_views(recorded)
    if views is None or other is None or not views.assets.kinds:
        return False
    held = [views.assets.of_symbol.get(row.symbol) for row in other.positions or () if row.quantity]
    kept = views.kept[silent]
    return all(one is not None and View.BALANCE in kept[one.base] for one in held)


def _says_positions(record: SideRecord) -> bool:
    """True if a side says that it keeps positions of some asset."""
    return any(view is not View.BALANCE for view in record.keeps.values())


def holdings(
    record: SideRecord, views: ComparedViews, side: LedgerSide, *, plain: bool
) -> list[Position]:
    """Return what a side holds of the assets that the sides keep in different views, by account.

    A holding is a position that is called like its asset.
    """
    sums: dict[tuple[str, str | None], Decimal] = {}
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


def views_of_own_rows(recorded: RecordedSession, side: LedgerSide) -> ComparedViews | None:
    """The views in which a side is compared with its own replay: those that it states."""
    record = recorded.side(side)
    if record is None:
        return None
    listing = listing_of(record, own=True)
    symbols = {row.symbol for row in (*(listing.positions or ()), *(record.positions or ()))}
    assets = Assets(recorded.instruments, symbols)
    kept = {asset: assets.keeps(listing, asset) for asset in assets.kinds}
    return ComparedViews(assets, {side: kept, side.other: dict.fromkeys(assets.kinds, _BOTH)})


@dataclass(frozen=True, slots=True)
class Replayed:
    """Result of a replay as another state means it.

    `held` are the assets whose positions are what the account holds, and not what the fills
    of a symbol traded.
    """

    state: State
    held: frozenset[str] = frozenset()


def as_meant_by(
    other: State,
    replayed: State,
    record: SideRecord | None,
    views: ComparedViews,
    side: LedgerSide,
    *,
    plain: bool,
) -> Replayed:
    """Return the replayed state of a record as `other`, a state of `side`, means it.

    A replay knows what the fills of a symbol traded, and what the account holds of its
    asset: fees by other symbols, rewards and transfers are in the second only. A side whose
    positions sum up to its balance of the asset means what is held; so does one that lists one
    of both, unless the record's opening has a balance of it and no position. What the record
    lists as a quantity only, in its opening or in a movement, is held as well. With `plain` all
    accounts are one.
    """
    if replayed.cash is None:
        return Replayed(replayed)
    opening = Opening(None) if record is None else record.opening or Opening(None)
    ours, theirs, opened = (
        _Held(state, views.assets, plain=plain)
        for state in (replayed, other, State(opening.positions, opening.cash))
    )
    quantities = _quantities_alone(record, opened, views.assets, plain=plain)
    held = {
        key: EXACT.add(ours.balances.get(key, ZERO), quantities.get(key, ZERO))
        for key in {*ours.balances, *ours.positions, *theirs.positions, *quantities}
    }
    apart = {key for key, total in opened.balances.items() if total} - opened.positions.keys()
    meant = {
        key: amount
        for key, amount in held.items()
        if _means_held(key, theirs, views.kept[side].get(key[0], frozenset()), apart)
    }
    positions, changed = replayed.positions, frozenset[str]()
    if positions is not None and other.positions is not None:
        positions, changed = _held_positions(positions, ours, theirs, meant)
    wallets = {
        key: amount
        for key, amount in meant.items()
        if key in quantities and amount != ours.balances.get(key)
    }
    return Replayed(State(positions, _with_balances(replayed.cash, wallets, plain=plain)), changed)


def _quantities_alone(
    record: SideRecord | None, opened: "_Held", assets: Assets, *, plain: bool
) -> dict[_Key, Decimal]:
    """Return the quantities of assets that a record gives without their balance, by account."""
    found = {
        key: exact_sum(listed.values())
        for key, listed in opened.positions.items()
        if key not in opened.balances
    }
    for movement in () if record is None else record.movements or ():
        instrument = assets.of_symbol.get(movement.symbol or "")
        if instrument is None or not movement.quantity or instrument.base == movement.currency:
            continue
        key = instrument.base, None if plain else movement.account
        found[key] = EXACT.add(found.get(key, ZERO), movement.quantity)
    return found


def _means_held(key: _Key, theirs: "_Held", kept: Views, apart: AbstractSet[_Key]) -> bool:
    """True if a side means by its rows of an asset what the account holds of it."""
    if kept == _BOTH:
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


def with_meant_views(recorded: RecordedSession, *, plain: bool) -> RecordedSession:
    """The session with what was replayed for a side as the other side means it."""
    views = compared_views(recorded)
    if views is None or recorded.mirrored:
        return recorded
    records = recorded.own_records()
    internal, external = (
        _as_meant(records[side], records[side.other], views, side.other, plain=plain)
        for side in LedgerSide
    )
    return replace(recorded, internal=internal, external=external)


def _as_meant(
    record: SideRecord, other: SideRecord, views: ComparedViews, side: LedgerSide, *, plain: bool
) -> SideRecord:
    """One side with what was replayed for it as the other one, `side`, means it."""
    if not record.derived or (record.derived & other.derived):
        return record
    given, stated = (State(one.positions, one.cash) for one in (record, other))
    found = as_meant_by(stated, given, record, views, side, plain=plain)
    positions = found.state.positions if "positions" in record.derived else record.positions
    cash = found.state.cash if "cash" in record.derived else record.cash
    return replace(record, positions=positions, cash=cash, held=found.held)


def view_notes(recorded: RecordedSession) -> list[str]:
    """Notes on assets that are compared in one view only."""
    views = compared_views(recorded)
    return [] if views is None else list(views.notes())


def _named(names: list[str]) -> str:
    shown = ", ".join(printable(name, 60) for name in names[:_MOST_NAMED])
    more = len(names) - _MOST_NAMED
    return f"{shown} and {more} more" if more > 0 else shown
