"""A wrong opening balance: the difference at the end is the difference at the start.

The openings of both sides show it entry by entry, or a snapshot that was taken before the first
row shows the difference of the end: the rows after it then have no part in the difference. Without
such evidence, an entry that is missing or off by a power of ten may have the required effect.
Example: the openings differ by 250 USDT, 40 fills follow, the final balances differ by 250 USDT.

Where the oldest fills of the ledger are said to be false, its opening may count them already.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from recon_core.explain.causes import precedence
from recon_core.explain.causes.family import CauseFamily, Rival
from recon_core.explain.causes.removed_rows import patch_of_removed, removed_at_end
from recon_core.explain.causes.stale import is_span
from recon_core.explain.causes.strengths import of_one_amount
from recon_core.explain.problem.dimensions import (
    Vector,
    account_of,
    currency_of,
    is_cash,
    is_position,
    label_of,
    minus,
    state_part,
)
from recon_core.explain.problem.figures import common_lot
from recon_core.explain.problem.hypotheses import MISSING_ID, Hypothesis, Row, Strength
from recon_core.explain.problem.patches import Patch, names_of, shifted
from recon_core.explain.problem.problem import FaultIn, Problem
from recon_core.explain.problem.wording import rows_text, sentence_of
from recon_core.model import (
    CashBalance,
    LedgerSide,
    Movement,
    MovementKind,
    Opening,
    Position,
    SideRecord,
)
from recon_core.model.explanation import CauseKind
from recon_core.values.amounts import EXACT, ZERO
from recon_core.values.times import format_time

_POWERS: Final = (None, -3, -2, -1, 1, 2, 3)
"""Powers of ten by which an opening entry may be off; `None` removes it. Each is a hypothesis."""


def _of_other_rows(problem: Problem) -> Iterator[Hypothesis]:
    """Yield the opening with each entry removed, and multiplied by powers of ten."""
    opening = problem.record.opening
    if opening is None:
        return
    for at, row in enumerate(opening.cash):
        for power in _POWERS:
            total = None if power is None else row.total.scaleb(power, EXACT)
            entry = (
                () if total is None else (CashBalance(row.currency, total, account=row.account),)
            )
            cash = (*opening.cash[:at], *entry, *opening.cash[at + 1 :])
            if row.total:
                one = _opening(opening, replace(opening, cash=cash), row.currency)
                # A withdrawal of a round amount may be missing as well.
                strength = of_one_amount(row.total, len(_POWERS)) if power is None else one.strength
                is_none = power is None and _is_stated_as_none(problem, row)
                yield replace(one, strength=Strength.CHANCE if is_none else strength)
    for at, held in enumerate(opening.positions):
        for power in _POWERS:
            quantity = None if power is None else held.quantity.scaleb(power, EXACT)
            rows = () if quantity is None else (replace(held, quantity=quantity),)
            positions = (*opening.positions[:at], *rows, *opening.positions[at + 1 :])
            if held.quantity:
                one = _opening(opening, replace(opening, positions=positions), held.symbol)
                yield replace(one, strength=max(one.strength, _of_lots(problem)))


def _is_stated_as_none(problem: Problem, row: CashBalance) -> bool:
    """True if a side states none of a balance that rows give: the figure may be wrong."""
    side = problem.side if problem.is_of_own_statement else problem.owner.other
    stated = problem.dimensions.stated(problem.statement_of(side))
    name = problem.dimensions.cash(row.currency, row.account)
    return not stated.get(name) and (problem.is_of_own_statement or name in stated)


def _of_lots(problem: Problem) -> Strength:
    """Return the strength of a position of the opening, by its lots if no other figure differs.

    A position that is one share short may lack the one share of the opening, or any other.
    """
    if len(problem.required) != 1:
        return Strength.SHOWN
    ((name, amount),) = problem.required.items()
    fills = problem.by_symbol.get(name, ())
    lot = common_lot(fill.quantity for fill in fills)
    return of_one_amount(amount, len(_POWERS), lot)


def _opening(old: Opening, new: Opening, name: str) -> Hypothesis:
    patch = Patch(opening=new, old_opening=old)
    return Hypothesis(CauseKind.OPENING_BALANCE, patch, (), detail=name)


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
        yield Hypothesis(CauseKind.OPENING_BALANCE, patch, (), Strength.SHOWN, label_of(name))
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


def first_balances(problem: Problem) -> Iterator[Hypothesis]:
    """Yield the corrected opening as a hypothesis, if it explains the whole difference."""
    opening = problem.record.opening
    if opening is None or problem.is_of_own_statement or problem.stale_only:
        return
    required = problem.dimensions.real(problem.exact)
    shown = _first_difference(problem, opening, required)
    if not required or shown is None:
        return
    # A lost fill before that time would move a position, too: all positions must agree.
    is_seen = shown.has_positions and not any(map(is_position, required))
    if shown.since is None or is_seen:
        detail = ", ".join(label_of(name) for name in sorted(required))
        if shown.since is not None and problem.fault_in is FaultIn.STATEMENT:
            detail += f", or of what moved it before {format_time(shown.since)}"
        patch = Patch(opening=_moved(problem, opening, shown.amount), old_opening=opening)
        yield Hypothesis(CauseKind.OPENING_BALANCE, patch, (), Strength.SHOWN, detail)


@dataclass(frozen=True, slots=True)
class _Shown:
    """Evidence of a first difference of `amount`; `since` is its time if after the opening.

    A movement before that time, which the ledger lacks, would be seen then as well.

    What differs at the end has the dust of all fills beside it, where a side computes in floats.
    """

    amount: Vector
    since: datetime | None
    has_positions: bool


def _first_difference(problem: Problem, opening: Opening, required: Vector) -> _Shown | None:
    other = problem.statement_of(problem.owner.other)
    shown = _by_opening(problem, opening, other, required)
    return shown or _by_a_snapshot(problem, opening, required)


def _by_opening(
    problem: Problem, mine: Opening, other: SideRecord, required: Vector
) -> _Shown | None:
    """Return the evidence of both openings, if they differ by `required` with no row between."""
    theirs = other.opening
    if theirs is None:
        return None
    given, right = problem.postings.opening(mine), problem.postings.opening(theirs)
    amount = problem.dimensions.real(minus(right, given))
    if not _is_but_for_dust(problem, amount, required):
        return None
    if mine.as_of is None or theirs.as_of is None or mine.as_of == theirs.as_of:
        return _Shown(amount, None, has_positions=True)
    last = max(mine.as_of, theirs.as_of)
    is_between = any(row.time <= last for row in problem.timeline)
    return None if is_between else _Shown(amount, last, has_positions=True)


def _is_but_for_dust(problem: Problem, amount: Vector, required: Vector) -> bool:
    """True if an amount is what is required, float dust excepted."""
    return not problem.dimensions.real(minus(required, amount))


def _by_a_snapshot(problem: Problem, opening: Opening, required: Vector) -> _Shown | None:
    """Return the evidence of the first snapshot, if it is before all rows and as `required`."""
    if not problem.divergence or not problem.timeline:
        return None
    first = problem.divergence.states[0]
    shows = _is_but_for_dust(problem, first.required, required)
    if not (shows and all(map(first.is_known, required))) or first.time >= problem.timeline[0].time:
        return None
    is_later = opening.as_of is None or opening.as_of < first.time
    return _Shown(first.required, first.time if is_later else None, first.has_positions)


def _moved(problem: Problem, opening: Opening, required: Vector) -> Opening:
    """Return the opening with `required` added to its positions and balances."""
    names = names_of(problem.dimensions, problem.recorded.own_records().values())
    held = replace(problem.record, positions=opening.positions, cash=opening.cash)
    moved = shifted(held, problem.dimensions, required, names)
    return replace(opening, positions=moved.position_rows, cash=moved.cash_rows)


def _rivals(
    problem: Problem, hypotheses: Sequence[Hypothesis], _max_skew: timedelta
) -> Iterator[Rival]:
    yield from _movements_before(problem, hypotheses)
    yield from _counted_rows(problem, hypotheses)


def _movements_before(problem: Problem, hypotheses: Sequence[Hypothesis]) -> Iterator[Rival]:
    """Yield the movements between an opening and what first shows it to be wrong, in its place."""
    if problem.fault_in is FaultIn.STATEMENT:
        return
    for at, one in enumerate(hypotheses):
        old, new = one.patch.old_opening, one.patch.opening
        if one.strength is not Strength.SHOWN or old is None or new is None:
            continue
        required = problem.dimensions.real(problem.exact)
        shown = _first_difference(problem, old, required)
        if shown is None or shown.since is None:
            continue
        moved = minus(problem.postings.opening(new), problem.postings.opening(old))
        rows = tuple(
            Movement(
                MISSING_ID,
                MovementKind.TRANSFER,
                shown.since,
                currency=currency_of(name),
                amount=amount,
                account=account_of(name) or None,
            )
            for name, amount in sorted(problem.dimensions.real(moved).items())
            if is_cash(name)
        )
        lacking = Hypothesis(
            CauseKind.MISSING_MOVEMENT,
            Patch(added_movements=rows),
            rows,
            side=problem.side,
        )
        decides = f"the movements of both sides before {format_time(shown.since)}"
        yield Rival({at: ()}, lacking, decides)


def _counted_rows(problem: Problem, hypotheses: Sequence[Hypothesis]) -> Iterator[Rival]:
    """Yield the opening that counts the first rows already, if hypotheses remove these rows.

    Not if the exchange shows that they are false: by its own opening, its fills or its reports, its
    movements where one is among them, or a snapshot from before them. Nor if they are the copies
    of other fills or of running sums, which rows show, or all that the exchange does not know yet,
    and no such position is in that opening.
    """
    outer, opening = problem.statement_of(LedgerSide.EXTERNAL), problem.record.opening
    if opening is None or outer.opening is not None:
        return
    is_behind = any(map(is_span, hypotheses))
    if outer.fills is not None or (outer.orders is not None and not is_behind):
        return
    for left, rows in (_counted(problem, hypotheses), _beside_copies(problem, hypotheses)):
        if not left or any(one.as_of < rows[0].time for one in outer.snapshot_rows):
            continue
        effect = state_part(patch_of_removed(rows).vector(problem.postings))
        removed = [hypotheses[at] for at in left]
        is_shown = precedence.is_misread_order(removed) or any(map(_is_of_copies, removed))
        if (is_shown or is_behind) and not _is_held(problem, opening, effect):
            continue
        names = sorted(set(map(label_of, effect)))
        yield Rival(
            left,
            Hypothesis(
                CauseKind.OPENING_BALANCE,
                Patch(opening=_moved(problem, opening, effect), old_opening=opening),
                rows,
                detail=f"{', '.join(names)}: it counts {rows_text(rows)} already",
                side=LedgerSide.INTERNAL,
            ),
            "the balances before the first fill",
            is_timed=True,
        )
        return


def _is_of_copies(one: Hypothesis) -> bool:
    return one.cause_kind is CauseKind.DUPLICATE_FILL


def _counted(
    problem: Problem, hypotheses: Sequence[Hypothesis]
) -> tuple[Mapping[int, tuple[Row, ...]], tuple[Row, ...]]:
    """Return the places of hypotheses that remove the first fills, or all rows, and these rows."""
    for at, one in enumerate(hypotheses):
        if is_span(one) and len(one.patch.rows_removed) == len(problem.timeline):
            return {at: ()}, tuple(problem.timeline)
        if precedence.is_misread_order((one,)):
            first = one.rows[:-1]
            moved = minus(patch_of_removed(first).vector(problem.postings),
                          one.patch.vector(problem.postings))  # fmt: skip
            if first == tuple(problem.fills[: len(first)]) and not any(moved.values()):
                return {at: ()}, first
    return removed_at_end(problem, hypotheses, _oldest(problem))


def _beside_copies(
    problem: Problem, hypotheses: Sequence[Hypothesis]
) -> tuple[Mapping[int, tuple[Row, ...]], tuple[Row, ...]]:
    """Return the same where copies are among the first fills: they are false in any case."""
    places = [at for at, one in enumerate(hypotheses) if not _is_of_copies(one)]
    if len(places) in {0, len(hypotheses)}:
        return {}, ()
    copies = {id(row) for one in filter(_is_of_copies, hypotheses) for row in one.patch.removed}
    others = (row for row in _oldest(problem) if id(row) not in copies)
    left, rows = removed_at_end(problem, [hypotheses[at] for at in places], others)
    return {places[at]: each for at, each in left.items()}, rows


def _oldest(problem: Problem) -> Sequence[Row]:
    """Return the ledger's rows, the oldest first; fills alone if the exchange lists movements."""
    lists = problem.statement_of(LedgerSide.EXTERNAL).movement_rows
    return problem.fills if lists else problem.timeline


def _is_held(problem: Problem, opening: Opening, effect: Vector) -> bool:
    """True if an opening has each position that rows open: they may be counted in it."""
    held = problem.postings.opening(opening)
    opened = {name: amount.copy_negate() for name, amount in effect.items() if is_position(name)}
    return bool(opened) and all(
        held.get(name, ZERO) * amount > 0 and held[name].copy_abs() >= amount.copy_abs()
        for name, amount in opened.items()
    )


FAMILY: Final = CauseFamily(
    sentences={
        CauseKind.OPENING_BALANCE: sentence_of("{subject} has a wrong opening balance of {detail}"),
    },
    of_other_rows=_of_other_rows,
    rivals=_rivals,
)
