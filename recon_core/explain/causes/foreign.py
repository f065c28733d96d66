"""Activity that is not the side's own: fills of another account, position or symbol."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from operator import attrgetter
from typing import Final

from recon_core.explain.causes.family import CauseFamily
from recon_core.explain.causes.strengths import of_one_amount
from recon_core.explain.problem.dimensions import (
    Vector,
    account_of,
    is_position,
    minus,
    negated,
    without_account,
)
from recon_core.explain.problem.figures import common_lot
from recon_core.explain.problem.hypotheses import Hypothesis, Strength
from recon_core.explain.problem.patches import Patch
from recon_core.explain.problem.problem import FaultIn, Problem
from recon_core.explain.problem.rows import in_time_order
from recon_core.explain.problem.stated_figures import StateHypothesis, States
from recon_core.explain.problem.wording import sentence_of
from recon_core.model import Fill
from recon_core.model.explanation import CauseKind
from recon_core.model.fill_table import table_of
from recon_core.values.amounts import exact_sum


@dataclass(frozen=True, slots=True)
class _GroupField:
    """A field by which fills may be foreign: its words, its key, and its values in a problem."""

    words: str
    name: str
    key: Callable[[Fill], str | None]
    names: Callable[[Problem], Collection[str | None]]

    def hypothesis(self, name: str | None, fills: Sequence[Fill], strength: Strength) -> Hypothesis:
        """Build the removal of all fills of one name."""
        patch, detail = (
            Patch(removed=tuple(fills)),
            f"all {len(fills)} fills of {self.words} {name}",
        )
        return Hypothesis(CauseKind.FOREIGN_ACTIVITY, patch, tuple(fills), strength, detail)


_GROUP_FIELDS: Final = (
    _GroupField("account", "account", attrgetter("account"), attrgetter("rows.accounts")),
    _GroupField(
        "position", "position_id", attrgetter("position_id"), attrgetter("rows.position_ids")
    ),
    _GroupField("symbol", "symbol", attrgetter("symbol"), attrgetter("rows.symbols")),
)


def foreign(problem: Problem) -> Iterator[Hypothesis]:
    """Yield all rows of an account, position or symbol if removing them has the required effect.

    One figure of few units is no witness: a position of 1 lot is that of any fill of 1 lot.
    """
    found = [
        one
        for one in others(problem)
        if problem.reached_by_effect(negated(problem.postings.fills(one.patch.removed)))
    ]
    required = [*problem.required.values()]
    for one in found:
        lot = common_lot(fill.quantity for fill in one.patch.removed)
        is_one = len(required) == 1
        strength = of_one_amount(required[0], len(one.rows), lot) if is_one else one.strength
        yield replace(one, strength=max(strength, one.strength))


def others(problem: Problem) -> Iterator[Hypothesis]:
    """Yield the removal of all rows of each account, position and symbol.

    None where the rows are right: a state that counts none of them is no proof that they are false.
    """
    if problem.fault_in is FaultIn.STATEMENT:
        return
    for group_field in _GROUP_FIELDS:
        if len(group_field.names(problem)) == 1:
            continue
        groups: dict[str, list[Fill]] = {}
        for fill in problem.fills:
            groups.setdefault(group_field.key(fill) or "", []).append(fill)
        for name, fills in groups.items():
            if name and len(fills) > 1:
                hypothesis = group_field.hypothesis(name, fills, Strength.EXACT)
                yield replace(hypothesis, side=problem.owner)


def whole_groups(
    surplus: Sequence[Fill], fills: Sequence[Fill], right: Sequence[Fill]
) -> Iterator[Hypothesis]:
    """Yield all fills of an account, position or symbol that the other side does not know."""
    left = {id(fill) for fill in surplus}
    for group_field in _GROUP_FIELDS:
        key_of = group_field.key
        keys = set(map(key_of, surplus)) - {None}
        keys -= table_of(right).distinct(group_field.name) if keys else keys
        groups: dict[str | None, list[Fill]] = {}
        found = table_of(fills).having(**{group_field.name: keys}) if keys else ()
        for fill in in_time_order(found):
            groups.setdefault(key_of(fill), []).append(fill)
        for key, rows in groups.items():
            if len(rows) > 1 and all(id(fill) in left for fill in rows):
                left -= {id(fill) for fill in rows}
                yield group_field.hypothesis(key, rows, Strength.SHOWN)


def _in_states(states: States) -> Iterator[StateHypothesis]:
    """Yield the positions of one account that are the sum of several accounts of the other side.

    Not if the side states a position in two accounts: it lists each account by itself.
    """
    if "positions" in states.record.derived:
        return
    correction: dict[str, Decimal] = {}
    accounts: set[str] = set()
    for name, amounts in _by_account(states.other).items():
        held = {
            each: amount
            for each, amount in states.stated.items()
            if without_account(each) == name and amount
        }
        if len(held) > 1:
            return
        total = exact_sum(amounts.values())
        if len(amounts) > 1 and list(held.values()) == [total]:
            correction |= {
                each: amount
                for each, amount in minus(amounts, held).items()
                if amount and each in states.dimensions.compared
            }
            accounts |= {*map(account_of, amounts)}
    if correction:
        detail = f"its positions are the sum of the accounts {', '.join(sorted(accounts))}"
        yield StateHypothesis(CauseKind.FOREIGN_ACTIVITY, states.side, correction, detail)


def _by_account(stated: Vector) -> dict[str, dict[str, Decimal]]:
    """Return the quantities of each position that is held in accounts, by dimension."""
    found: dict[str, dict[str, Decimal]] = {}
    for name, amount in stated.items():
        if is_position(name) and without_account(name) != name and amount:
            found.setdefault(without_account(name), {})[name] = amount
    return found


FAMILY: Final = CauseFamily(
    sentences={
        CauseKind.FOREIGN_ACTIVITY: sentence_of(
            "{subject} holds activity that is not its own: {rows}"
        ),
    },
    in_states=_in_states,
    state_words={CauseKind.FOREIGN_ACTIVITY: "holds activity that is not its own"},
)
