"""One side of a session as the place of a fault: its rows, its statement, the changed session.

A fault of rows changes the side's own opening, fills and movements; what the side states of its
positions and balances moves by what the changed rows give. Where the side lists no fills, those
of the other side are taken for the events that it has seen, and its statement alone moves: an
exchange that states 5000 USDT and did not see a purchase of 1 BTC at 100 states 5100.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from typing import Any, TypeVar

from recon_core.compare.accounts import single_accounts
from recon_core.compare.aliases import with_aliases
from recon_core.compare.keys import position_unit
from recon_core.explain.problem.patches import moved_balance, moved_position
from recon_core.explain.proof.own_snapshots import with_new_snapshots
from recon_core.ledger.replay import SideReplay, replay_sides
from recon_core.model import (
    SECTIONS,
    CashBalance,
    Fill,
    Instrument,
    LedgerSide,
    Leg,
    Opening,
    Position,
    RecordedSession,
    SideRecord,
)
from recon_core.policy.aliases import Aliases
from recon_core.values.amounts import EXACT, ZERO, decimal_places
from recon_core.values.errors import ReplayError

_Row = TypeVar("_Row", Position, CashBalance)
_Key = tuple[object, ...]
_CASH_PLACES = 2
"""Decimals of a currency that is not declared, at least: cents."""
_QUANTITY_PLACES = 4
"""Decimals of a quantity whose instrument declares none, at least."""


@dataclass(frozen=True)  # without slots: the replay of the rows is kept
class Scene:
    """A side of a session that faults are put into; `aliases` are those of the policy."""

    recorded: RecordedSession
    side: LedgerSide
    aliases: Aliases

    @cached_property
    def record(self) -> SideRecord:
        """The side as it was read."""
        record = self.recorded.side(self.side)
        assert record is not None  # noqa: S101  # scenes are made of sides that are there
        return record

    @property
    def lists_fills(self) -> bool:
        """True if the rows that a fault changes are the side's own."""
        return self.record.fills is not None

    @cached_property
    def book(self) -> SideRecord:
        """The side with the rows that its faults are made of."""
        other = self._session.side(self.side.other)
        record = self.record
        if not self.lists_fills and other is not None and other.fills:
            record = replace(
                record,
                fills=other.fills,
                opening=other.opening if record.opening is None else record.opening,
                movements=other.movements if record.movements is None else record.movements,
            )
        return record if record.opening is not None else replace(record, opening=Opening(None))

    @cached_property
    def fills(self) -> tuple[Fill, ...]:
        """The fills that faults are made of, without those of no quantity."""
        return tuple(fill for fill in self.book.fill_rows if fill.quantity)

    @cached_property
    def _session(self) -> RecordedSession:
        """The session in the names that are compared where rows of the other side are taken."""
        return self.recorded if self.lists_fills else with_aliases(self.recorded, self.aliases)

    def with_rows(self, book: SideRecord) -> RecordedSession:
        """Return the session with changed rows; raises `ReplayError` where they cannot be posted.

        `book` is the scene's own with other fills, movements, orders or another opening.
        """
        record = self.record
        changed = replace(record, as_of=book.as_of, orders=book.orders, counts=self._counts(book))
        if record.opening is not None:
            changed = replace(changed, opening=book.opening)
        if record.fills is not None:
            changed = replace(changed, fills=book.fills)
        if record.movements is not None:
            changed = replace(changed, movements=book.movements)
        changed = with_new_snapshots(self._session, record, changed)
        if record.positions is not None or record.cash is not None:
            changed = self._restated(changed, self._replayed(book))
        return self.with_side(changed)

    def opened(self, section: str) -> tuple[Any, ...]:
        """The positions or the cash that the side began with, else those that it states."""
        source = self.record if self.record.opening is None else self.record.opening
        return getattr(source, section) or ()

    def with_opened(self, section: str, old: object, new: object) -> RecordedSession:
        """Return the session with one of the rows of `opened` replaced, found by identity."""
        rows = tuple(new if row is old else row for row in self.opened(section))
        opening = self.book.opening
        changed: dict[str, Any] = {section: rows}
        if self.record.opening is None or opening is None:
            return self.with_side(replace(self.record, **changed))
        return self.with_rows(replace(self.book, opening=replace(opening, **changed)))

    def with_side(self, changed: SideRecord) -> RecordedSession:
        """Return the session with a changed side, and what both sides read from one source."""
        sides: dict[str, Any] = {str(self.side): changed}
        other, name = self.recorded.side(self.side.other), str(self.side.other)
        if self.recorded.mirrored or other is self.record:
            sides[name] = changed
        elif other is not None:
            shared: dict[str, Any] = {
                section: changed.rows(section)
                for section in SECTIONS
                if self.recorded.shares(section)
                and changed.rows(section) is not self.record.rows(section)
            }
            sides[name] = replace(other, **shared) if shared else other
        return replace(self.recorded, **sides)

    def _counts(self, book: SideRecord) -> Mapping[str, int]:
        """Return what the side counts: one that lost a row counts one less."""
        return {
            section: count + len(book.rows(section) or ()) - len(self.book.rows(section) or ())
            for section, count in self.record.counts.items()
        }

    @cached_property
    def _before(self) -> SideReplay:
        return self._replayed(self.book)

    def _replayed(self, book: SideRecord, session: RecordedSession | None = None) -> SideReplay:
        session = replace(session or self._session, internal=book)
        known = {LedgerSide.EXTERNAL: SideReplay()}
        found = replay_sides(session, known)[LedgerSide.INTERNAL]
        if found.problem:
            raise ReplayError(found.problem)
        return found

    def _restated(self, record: SideRecord, after: SideReplay) -> SideRecord:
        """Return the side with its statement moved by what the changed rows give."""
        before = self._before
        return replace(
            record,
            positions=self._moved(
                record.positions, before.positions, after.positions, moved_position
            ),
            cash=self._moved(record.cash, before.cash, after.cash, moved_balance),
        )

    def _moved(
        self,
        rows: tuple[_Row, ...] | None,
        before: Sequence[_Row] | None,
        after: Sequence[_Row] | None,
        moved_by: Callable[[_Row, Decimal | None], _Row],
    ) -> tuple[_Row, ...] | None:
        if rows is None or before is None or after is None:
            return rows
        old, new = self._amounts(before), self._amounts(after)
        deltas = {
            key: EXACT.subtract(new.get(key, ZERO), old.get(key, ZERO)) for key in {**old, **new}
        }
        moved = [moved_by(row, deltas.pop(self._key(row), None)) for row in rows]
        # What the rows gave before and the side does not list, it never lists.
        fresh = {key for key, delta in deltas.items() if delta and not old.get(key)}
        moved += [self._plain(row) for row in after if self._key(row) in fresh]
        return tuple(moved)

    def _amounts(self, rows: Sequence[Position] | Sequence[CashBalance]) -> dict[_Key, Decimal]:
        found: dict[_Key, Decimal] = {}
        for row in rows:
            amount = row.quantity if isinstance(row, Position) else row.total
            key = self._key(row)
            found[key] = EXACT.add(found.get(key, ZERO), amount)
        return found

    def _key(self, row: Position | CashBalance) -> _Key:
        account = None if self._is_plain else row.account
        if isinstance(row, Position):
            return self._common(row.symbol), Leg.NET if self._nets else row.leg, account
        return self._common(row.currency), account

    def _plain(self, row: _Row) -> _Row:
        """Return a row that the side did not list, in the account that its own rows name."""
        return replace(row, account=self.record.only_account()) if self._is_plain else row

    def _common(self, name: str) -> str:
        return self.aliases.of(self.side).get(name, name)

    @cached_property
    def _nets(self) -> bool:
        """True if the side states no leg, whatever legs its fills have."""
        return all(row.leg is Leg.NET for row in self.record.position_rows)

    @cached_property
    def _is_plain(self) -> bool:
        return single_accounts(self.recorded)

    def with_multiplier(self, symbol: str, multiplier: Decimal) -> RecordedSession:
        """Return the session whose side counts the cash of a contract with another multiplier.

        Raises `ReplayError` where that cannot be posted.
        """
        session = self._session
        other = replace(session.instruments[symbol], multiplier=multiplier)
        wrong = replace(session, instruments={**session.instruments, symbol: other})
        cash = self._moved(
            self.record.cash,
            self._before.cash,
            self._replayed(self.book, wrong).cash,
            moved_balance,
        )
        return self.with_side(replace(self.record, cash=cash))

    def instrument_of(self, symbol: str) -> Instrument | None:
        """The instrument of a symbol, `None` where the session declares none."""
        return self._session.instruments.get(symbol)

    def unit_of(self, symbol: str) -> str:
        """The unit of a quantity, the symbol where the session does not say any."""
        return position_unit(symbol, self._session.instruments) or symbol

    def cash_step(self, currency: str | None) -> Decimal:
        """The smallest amount of a currency: as declared, else as the session writes it."""
        declared = self._session.currencies.get(currency or "")
        if declared is not None:
            return _step(declared.precision)
        sides = self.recorded.own_records().values()
        amounts = [
            row.total for side in sides for row in side.cash_rows if row.currency == currency
        ]
        amounts += [fill.fee for fill in self.fills if fill.fee_currency == currency]
        amounts += [
            row.amount
            for row in self.book.movement_rows
            if row.currency == currency and row.amount is not None
        ]
        return _finest(amounts, _CASH_PLACES)

    def quantity_step(self, symbol: str) -> Decimal:
        """The smallest quantity of a symbol: the instrument's, else as the session writes it."""
        instrument = self._session.instruments.get(symbol)
        if instrument is not None and instrument.quantity_increment:
            return instrument.quantity_increment
        sides = self.recorded.own_records().values()
        rows = [row for side in sides for row in side.position_rows if row.symbol == symbol]
        amounts = [row.quantity for row in rows]
        amounts += [fill.quantity for fill in self.fills if fill.symbol == symbol]
        return _finest(amounts, _QUANTITY_PLACES)

    def price_step(self, symbol: str) -> Decimal:
        """The smallest difference of two prices of a symbol, as its fills write them."""
        prices = (fill.price for fill in self.fills if fill.symbol == symbol)
        return _finest(prices, _CASH_PLACES)


def _finest(amounts: Iterable[Decimal], least: int) -> Decimal:
    """Return one unit of the last decimal that amounts are written with."""
    return _step(max([least, *map(decimal_places, amounts)]))


def _step(places: int) -> Decimal:
    return Decimal(1).scaleb(-places)


def scenes_of(recorded: RecordedSession, aliases: Aliases) -> list[Scene]:
    """Return the sides of a session that speak for themselves, each as a scene."""
    return [Scene(recorded, side, aliases) for side in recorded.own_records()]
