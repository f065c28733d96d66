"""Ledger comparisons: a side's stated state beside the result of its own rows.

Source of the rules: design, "Ledger comparisons". A difference shows which side is wrong
before the sides are compared with each other. A side whose rows cannot be posted although
it declares its instruments cannot be judged: that is CRITICAL.
"""

from collections.abc import Mapping
from dataclasses import replace

from recon_core.compare.accounts import single_accounts
from recon_core.compare.holdings import State, as_meant_by, views_of_own_rows
from recon_core.compare.keys import (
    float_sides,
    key_text,
    paired,
    position_unit,
    session_time,
)
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
    plain = single_accounts(recorded)
    found = state_comparisons(recorded, side, stated.positions, stated.cash, replayed, plain=plain)
    return _with_distinct_keys(found, side)


def state_comparisons(
    recorded: RecordedSession,
    side: LedgerSide,
    positions: tuple[Position, ...] | None,
    cash: tuple[CashBalance, ...] | None,
    replayed: SideReplay,
    *,
    plain: bool,
) -> list[Comparison]:
    """Return comparisons of stated with replayed rows; `plain` leaves the accounts unnamed.

    A section that is `None` on either hand is not compared.
    """
    views = views_of_own_rows(recorded, side)
    if views is None:
        return []
    record = recorded.side(side)
    given, stated = State(replayed.positions, replayed.cash), State(positions, cash)
    meant = as_meant_by(stated, given, record, views, side, plain=plain).state
    shown = replace(replayed, positions=meant.positions)
    found = [
        *_positions(recorded, side, positions, shown, plain=plain),
        *_cash(recorded, side, cash, meant.cash, plain=plain),
    ]
    return [one for one in found if views.compare(one)]


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


def _positions(
    recorded: RecordedSession,
    side: LedgerSide,
    stated: tuple[Position, ...] | None,
    replayed: SideReplay,
    *,
    plain: bool,
) -> list[Comparison]:
    if stated is None or replayed.positions is None:
        return []
    doubtful = replayed.doubtful
    rows = [row for row in stated if row.symbol not in doubtful]
    return [
        _compared(recorded, side, key, position_unit(key[0], recorded.instruments), *values)
        for key, *values in paired(
            rows,
            replayed.positions,
            lambda row: (row.symbol, row.leg, None if plain else row.account),
        )
    ]


def _cash(
    recorded: RecordedSession,
    side: LedgerSide,
    stated: tuple[CashBalance, ...] | None,
    replayed: tuple[CashBalance, ...] | None,
    *,
    plain: bool,
) -> list[Comparison]:
    if stated is None or replayed is None:
        return []
    return [
        _compared(recorded, side, key, key[0], *values)
        for key, *values in paired(
            stated, replayed, lambda row: (row.currency, Leg.NET, None if plain else row.account)
        )
    ]


def _compared(
    recorded: RecordedSession,
    side: LedgerSide,
    key: tuple[str, Leg, str | None],
    unit: str,
    stated: Position | CashBalance | None,
    replayed: Position | CashBalance | None,
) -> Comparison:
    return Comparison(
        item_kind=ItemKind.LEDGER,
        key=f"{side}:{key_text(*key)}",
        name=key[0],
        as_of=session_time(recorded),
        internal=stated,
        external=replayed,
        unit=unit,
        side=side,
        in_floats=side in float_sides(recorded),
    )
