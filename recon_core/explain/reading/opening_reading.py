"""What the openings of both sides show: every entry that differs is a fault of one side."""

from collections.abc import Iterator
from dataclasses import replace

from recon_core.amounts import ZERO
from recon_core.explain.effects.changes import Change
from recon_core.explain.faults.edits import Edit
from recon_core.explain.grounds.ground import Ground
from recon_core.explanation import CauseKind
from recon_core.model import CashBalance, Opening, Position, SideRecord


def opening_differences(ground: Ground, right: SideRecord) -> Iterator[Edit]:
    """The edits that make the opening of the ground's side that of the other side."""
    mine, theirs = ground.record.opening, right.opening
    if mine is None or theirs is None:
        return
    space, at = ground.space, mine
    first = space.state(mine.positions, mine.cash)
    second = space.state(theirs.positions, theirs.cash)
    for name in sorted(first.keys() | second.keys()):
        if first.get(name, ZERO) == second.get(name, ZERO):
            continue
        changed = _with_entry(ground, at, theirs, name)
        change = Change(opening=changed, old_opening=at)
        yield Edit(CauseKind.OPENING_BALANCE, change, (), 0, name.split("::", 1)[1])
        at = changed


def _with_entry(ground: Ground, mine: Opening, right: Opening, name: str) -> Opening:
    """The opening with one entry as the other side has it."""
    space, account = ground.space, ground.record.only_account()

    def named(row: Position | CashBalance) -> str:
        if isinstance(row, Position):
            return space.position(row.symbol, row.leg, row.account)
        return space.cash(row.currency, row.account)

    positions = [row for row in mine.positions if named(row) != name]
    cash = [row for row in mine.cash if named(row) != name]
    positions += [
        replace(row, account=account) if space.plain else row
        for row in right.positions
        if named(row) == name
    ]
    cash += [
        replace(row, account=account) if space.plain else row
        for row in right.cash
        if named(row) == name
    ]
    return replace(mine, positions=tuple(positions), cash=tuple(cash))
