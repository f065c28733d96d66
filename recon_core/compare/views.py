"""Views: how a side lists what it has of an asset, and the views that two sides compare.

A bot lists what it has of an asset as a position, a wallet as a balance, some as both. Each
view that both sides keep is compared; where they keep different ones, the sum of the
positions is compared with the balance. Nothing that is held is left uncompared.

Source of the rules: rules, "Holdings".
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final, TypeVar

from recon_core.model import (
    ANY_ASSET,
    CashBalance,
    Instrument,
    InstrumentKind,
    LedgerSide,
    Opening,
    Position,
    RecordedSession,
    SideRecord,
    Snapshot,
    View,
)
from recon_core.model.assets import delivering
from recon_core.model.comparison import Comparison
from recon_core.values.memory import once_while_it_lives
from recon_core.values.printable import printable

Views = frozenset[View]
_Row = TypeVar("_Row")

BOTH: Final[Views] = frozenset({View.POSITION, View.BALANCE})
_SHARED: Final[Mapping[Views, Views]] = {
    views: views for views in (frozenset[View](), *map(frozenset, ({one} for one in View)), BOTH)
}
"""One object for each set of views: a session has one for each asset and side."""
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
        self.only_held = self.kinds.keys() - paid

    def kept(self, listing: Listing) -> dict[str, Views]:
        """The views that a side keeps of each asset: what it says, else what its rows show."""
        shown = _Shown.by(self, listing)
        return {asset: self._kept(listing, shown, asset) for asset in self.kinds}

    def _kept(self, listing: Listing, shown: "_Shown", asset: str) -> Views:
        said = listing.keeps.get(asset) or listing.keeps.get(ANY_ASSET)
        if said is not None:
            kept = BOTH if said is View.BOTH else frozenset({said})
            absent = {View.POSITION} if listing.positions is None else set()
            return kept - absent - ({View.BALANCE} if listing.cash is None else set())
        found = {View.POSITION} if self._lists_positions(listing, shown, asset) else set()
        is_balance = self._lists_balance(listing, shown, asset)
        return _SHARED[frozenset(found | ({View.BALANCE} if is_balance else set()))]

    def _lists_positions(self, listing: Listing, shown: "_Shown", asset: str) -> bool:
        if listing.positions is None:
            return False
        if "positions" in listing.replayed:
            return True
        kinds = self.kinds[asset]
        if kinds & shown.positions or InstrumentKind.EQUITY in kinds:
            return True
        # An empty list says that there is nothing, unless it is one of derivatives.
        return not shown.positions and self.delivers_only and InstrumentKind.SPOT in kinds

    def _lists_balance(self, listing: Listing, shown: "_Shown", asset: str) -> bool:
        if listing.cash is None:
            return False
        kinds = self.kinds[asset]
        if "cash" in listing.replayed or asset not in self.only_held or InstrumentKind.FX in kinds:
            return True
        return bool(kinds & shown.balances)


@dataclass(frozen=True, slots=True)
class _Shown:
    """Kinds of the instruments that a side lists positions of, and balances of their assets."""

    positions: frozenset[InstrumentKind]
    balances: frozenset[InstrumentKind]

    @classmethod
    def by(cls, assets: Assets, listing: Listing) -> "_Shown":
        symbols = {row.symbol for row in listing.positions or ()} & assets.of_symbol.keys()
        held = {row.currency for row in listing.cash or ()} & assets.only_held
        return cls(
            frozenset(assets.of_symbol[one].instrument_kind for one in symbols),
            frozenset(kind for one in held for kind in assets.kinds[one]),
        )


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
        found = self._known.get(asset)
        if found is None:
            found = self._known[asset] = _SHARED[self._of(asset)]
        return found

    @cached_property
    def _known(self) -> dict[str, Views]:
        return {}

    def _of(self, asset: str) -> Views:
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


@once_while_it_lives
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
    kept = {side: assets.kept(listing) for side, listing in listings.items()}
    for side, record in ((LedgerSide.INTERNAL, ours), (LedgerSide.EXTERNAL, theirs)):
        kept[side] |= _only_shown(assets, record, kept[side], kept[side.other])
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


def _only_shown(
    assets: Assets, record: SideRecord, kept: Mapping[str, Views], others: Mapping[str, Views]
) -> dict[str, Views]:
    """Return the one view of those assets that a side has in a list which is not compared.

    It keeps both lists, the other side keeps one, and what it has is in the other: compared there
    it would seem to have nothing, as an exchange with an empty list of positions has. Of what was
    replayed the balance is what a side has: a position without one was traded, and moved since.
    """
    symbols = {row.symbol for row in record.positions or () if row.quantity}
    shown = {
        View.POSITION: {assets.of_symbol[one].base for one in symbols & assets.of_symbol.keys()},
        View.BALANCE: {row.currency for row in record.cash or () if row.total},
    }
    has = {**shown, View.POSITION: set()} if "positions" in record.derived else shown
    return {
        asset: frozenset({view})
        for view, other in ((View.POSITION, View.BALANCE), (View.BALANCE, View.POSITION))
        for asset in (has[view] - shown[other]) & assets.kinds.keys()
        if kept[asset] == BOTH and others[asset] == {other}
    }


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


def views_of_own_rows(recorded: RecordedSession, side: LedgerSide) -> ComparedViews | None:
    """The views in which a side is compared with its own replay: those that it states."""
    record = recorded.side(side)
    if record is None:
        return None
    listing = listing_of(record, own=True)
    symbols = {row.symbol for row in (*(listing.positions or ()), *(record.positions or ()))}
    assets = Assets(recorded.instruments, symbols)
    kept = assets.kept(listing)
    return ComparedViews(assets, {side: kept, side.other: dict.fromkeys(assets.kinds, BOTH)})


def _named(names: list[str]) -> str:
    shown = ", ".join(printable(name, 60) for name in names[:_MOST_NAMED])
    more = len(names) - _MOST_NAMED
    return f"{shown} and {more} more" if more > 0 else shown
