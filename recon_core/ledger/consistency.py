"""Ledger comparisons: a side's stated state beside the result of its own rows.

Source of the rules: design, "Ledger comparisons". A difference shows which side is wrong
before the sides are compared with each other. A side whose rows cannot be posted although
it declares its instruments cannot be judged: that is CRITICAL.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from recon_core.compare.accounts import single_accounts
from recon_core.compare.holdings import Meaning
from recon_core.compare.keys import (
    float_sides,
    key_text,
    paired,
    position_unit,
    session_time,
    state_key,
)
from recon_core.compare.views import State, views_of_own_rows
from recon_core.ledger.replay import SideReplay
from recon_core.model import CashBalance, LedgerSide, Leg, Position, RecordedSession
from recon_core.model.comparison import Comparison, ItemKind, SessionCheck
from recon_core.values.severity import Severity


def ledger_comparisons(
    recorded: RecordedSession, replays: Mapping[LedgerSide, SideReplay]
) -> list[Comparison]:
    """A comparison for everything that a side states and that its rows give."""
    return [
        comparison
        for side, replayed in replays.items()
        for comparison in _side_comparisons(recorded, side, replayed)
    ]


def _side_comparisons(
    recorded: RecordedSession, side: LedgerSide, replayed: SideReplay
) -> list[Comparison]:
    stated = _stated(recorded, side)
    if stated.positions is None and stated.cash is None:
        return []
    if replayed.problem:
        return [_refused(recorded, side, replayed.problem)]
    found = OwnRows(recorded, side, plain=single_accounts(recorded)).compare(stated, replayed)
    return _with_distinct_keys(found, side)


class OwnRows:
    """A side's states beside what its own rows give; `plain` leaves the accounts unnamed."""

    def __init__(self, recorded: RecordedSession, side: LedgerSide, *, plain: bool) -> None:
        record, views = recorded.side(side), views_of_own_rows(recorded, side)
        assert record is not None and views is not None  # noqa: S101, PT018  # it states something
        self._recorded, self._side, self._plain, self._views = recorded, side, plain, views
        self._meaning = Meaning(record, views, side, plain=plain)
        self._in_floats = side in float_sides(recorded)

    def compare(
        self, stated: State, replayed: SideReplay, until: datetime | None = None
    ) -> list[Comparison]:
        """Return the comparisons of a state with a replay of the rows `until` then, or of all.

        Successive calls name no earlier time. A section that is `None` on either hand is
        not compared.
        """
        meant = self._meaning.read(State(replayed.positions, replayed.cash), stated, until).state
        found = [
            *self._positions(stated.positions, meant.positions, replayed.doubtful),
            *self._cash(stated.cash, meant.cash),
        ]
        return [one for one in found if self._views.compare(one)]

    def _positions(
        self,
        stated: tuple[Position, ...] | None,
        replayed: tuple[Position, ...] | None,
        doubtful: frozenset[str],
    ) -> list[Comparison]:
        if stated is None or replayed is None:
            return []
        rows = [row for row in stated if row.symbol not in doubtful]
        return [
            self._compared(key, position_unit(key[0], self._recorded.instruments), *values)
            for key, *values in paired(rows, replayed, self._key)
        ]

    def _cash(
        self,
        stated: tuple[CashBalance, ...] | None,
        replayed: tuple[CashBalance, ...] | None,
    ) -> list[Comparison]:
        if stated is None or replayed is None:
            return []
        return [
            self._compared(key, key[0], *values)
            for key, *values in paired(stated, replayed, self._key)
        ]

    def _key(self, row: Position | CashBalance) -> tuple[str, Leg, str | None]:
        return state_key(row, plain=self._plain)

    def _compared(
        self,
        key: tuple[str, Leg, str | None],
        unit: str,
        stated: Position | CashBalance | None,
        replayed: Position | CashBalance | None,
    ) -> Comparison:
        return Comparison(
            item_kind=ItemKind.LEDGER,
            key=f"{self._side}:{key_text(*key)}",
            name=key[0],
            as_of=session_time(self._recorded),
            internal=stated,
            external=replayed,
            unit=unit,
            side=self._side,
            in_floats=self._in_floats,
        )


def snapshots_key(side: LedgerSide) -> str:
    """The key of the one comparison of a side's snapshots."""
    return f"{side}:snapshots"


def _with_distinct_keys(comparisons: list[Comparison], side: LedgerSide) -> list[Comparison]:
    """A symbol may be called like a currency, and both like the item of the snapshots."""
    balances = {one.key for one in comparisons if isinstance(_row(one), CashBalance)}
    taken = {snapshots_key(side)}
    return [
        replace(one, key=f"{one.key},kind={_kind(one)}")
        if one.key in (balances | taken if isinstance(_row(one), Position) else taken)
        else one
        for one in comparisons
    ]


def _kind(comparison: Comparison) -> ItemKind:
    return ItemKind.POSITION if isinstance(_row(comparison), Position) else ItemKind.CASH


def _row(comparison: Comparison) -> Position | CashBalance | None:
    return comparison.internal or comparison.external


def _stated(recorded: RecordedSession, side: LedgerSide) -> State:
    """The rows that a side itself reports, not those that were replayed for it."""
    record = recorded.side(side)
    if record is None:
        return State(None, None)
    return State(
        None if "positions" in record.derived else record.positions,
        None if "cash" in record.derived else record.cash,
    )


def _refused(recorded: RecordedSession, side: LedgerSide, problem: str) -> Comparison:
    message = f"cannot be judged: {side} side: {problem}"
    check = SessionCheck(side, Severity.CRITICAL, message)
    return Comparison(ItemKind.LEDGER, side, side, session_time(recorded), check=check, side=side)
