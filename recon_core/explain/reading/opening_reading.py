"""Differences between the openings of both sides: each entry that differs is one fault."""

from collections.abc import Iterator
from dataclasses import replace

from recon_core.explain.effects.patches import Patch
from recon_core.explain.faults.hypotheses import Hypothesis, Strength
from recon_core.explain.problems.problem import Problem
from recon_core.model import CashBalance, Opening, Position, SideRecord
from recon_core.model.explanation import CauseKind
from recon_core.values.amounts import ZERO


def opening_differences(problem: Problem, right: SideRecord) -> Iterator[Hypothesis]:
    """Yield a hypothesis per position or balance that differs, each on top of the previous."""
    mine, theirs = problem.record.opening, right.opening
    if mine is None or theirs is None:
        return
    dimensions, at = problem.dimensions, mine
    first = dimensions.state(mine.positions, mine.cash)
    second = dimensions.state(theirs.positions, theirs.cash)
    for name in sorted(first.keys() | second.keys()):
        if first.get(name, ZERO) == second.get(name, ZERO):
            continue
        changed = _with_entry(problem, at, theirs, name)
        patch = Patch(opening=changed, old_opening=at)
        yield Hypothesis(
            CauseKind.OPENING_BALANCE, patch, (), Strength.SHOWN, name.split("::", 1)[1]
        )
        at = changed


def _with_entry(problem: Problem, mine: Opening, right: Opening, name: str) -> Opening:
    """Return the opening `mine` with one position or balance taken from `right`."""
    dimensions, account = problem.dimensions, problem.record.only_account()

    def named(row: Position | CashBalance) -> str:
        if isinstance(row, Position):
            return dimensions.position(row.symbol, row.leg, row.account)
        return dimensions.cash(row.currency, row.account)

    positions = [row for row in mine.positions if named(row) != name]
    cash = [row for row in mine.cash if named(row) != name]
    positions += [
        replace(row, account=account) if dimensions.plain else row
        for row in right.positions
        if named(row) == name
    ]
    cash += [
        replace(row, account=account) if dimensions.plain else row
        for row in right.cash
        if named(row) == name
    ]
    return replace(mine, positions=tuple(positions), cash=tuple(cash))
