"""Doubts that keep a proven answer from being unique: amounts that no side states, or chance."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from itertools import permutations
from typing import Final

from recon_core.explain.answers.denials import is_denied, refused
from recon_core.explain.answers.readings import has_two_readings, is_of_fees
from recon_core.explain.causes import precedence
from recon_core.explain.causes.copies import Copies
from recon_core.explain.causes.fee_amount import lost_fees
from recon_core.explain.causes.precedence import is_quantity
from recon_core.explain.causes.strengths import is_far_larger, may_be_unique, of_one_amount
from recon_core.explain.problem.chances import is_little, is_much
from recon_core.explain.problem.dimensions import is_cash, is_position
from recon_core.explain.problem.fee_evidence import has_usual_fee
from recon_core.explain.problem.figures import common_lot
from recon_core.explain.problem.hypotheses import Strength
from recon_core.explain.problem.market import market_of, paid_in
from recon_core.explain.problem.patches import total_of
from recon_core.explain.problem.problem import FaultIn, Problem
from recon_core.explain.problem.problems import problem_of
from recon_core.explain.proof.attempt import Answer, Part
from recon_core.explain.proof.prover import Prover
from recon_core.explain.proof.snapshot_evidence import is_unstated
from recon_core.explain.search.row_comparison import RowComparison, other_rows
from recon_core.ledger.bookings import notional
from recon_core.model import Fill, LedgerSide
from recon_core.model.explanation import CauseKind
from recon_core.values.amounts import EXACT, ZERO, decimal_places, unit_at

_FAR: Final = Decimal(10)
"""Factor by which a fee is off that follows another quantity, as by a slip of the decimal point."""

_FORMS_OF_AN_AMOUNT: Final = 3
"""Faults of a fee or a movement that one amount may show: it is missing, twice there, or turned."""

_TURNS: Final = frozenset({CauseKind.SIGN_CONVENTION, CauseKind.SIDE_FLIPPED})
"""Causes that exchange BUY and SELL."""


def unseen_amounts(prover: Prover, answer: Answer) -> list[str]:
    """Return the dimensions in which an answer posts amounts and nothing is compared.

    An empty name is a doubt that no comparison would remove.
    """
    if is_denied(prover, answer):
        return [""]
    uncompared = refused(prover, answer)
    if uncompared:
        return uncompared
    if all(
        part.hypothesis.strength is Strength.SHOWN
        and not precedence.is_unread_span(answer.problem, part.hypothesis)
        for part in answer.parts
    ):
        return []
    dimensions = prover.dimensions
    unseen = [name for part in answer.parts for name in part.effect if not dimensions.shows(name)]
    return [*unseen, ""] if _is_doubtful(prover, answer) else unseen


def _is_doubtful(prover: Prover, answer: Answer) -> bool:
    """True if an answer may be a coincidence, or one of two readings of the same figures."""
    return (
        not may_be_unique(answer.strength)
        or _below_digits(prover, answer)
        or any(has_two_readings(answer, part) for part in answer.parts)
        or any(map(_is_one_of_unlike_fills, answer.parts))
        or _is_net_zero(answer)
        or _has_an_idle_cause(answer)
        or any(_turns_an_odd_fee(answer.problem, part) for part in answer.parts)
        or _is_of_few_lots(answer)
        or _pulls_apart(answer)
        or _turns_a_fill_twice(answer)
        or _is_little_cash(answer)
        or _is_of_a_common_amount(answer)
        or _may_be_a_false_fill(answer)
        or _leaves_copies(answer)
        or any(_leaves_an_odd_fee(answer, part) for part in answer.parts)
        or any(_may_hide_a_lost_fee(answer, part) for part in answer.parts)
        or _leaves_rows(prover, answer)
    )


def is_absurd(answer: Answer) -> bool:
    """True if an answer is of causes that cancel, and no rows show them."""
    effects = [part.effect for part in answer.parts]
    return answer.strength > Strength.SHOWN and is_far_larger(effects, total_of(effects))


def has_unread_spans(answers: Sequence[Answer]) -> bool:
    """True if any answer is missing rows from a time on that only a state shows."""
    return any(
        precedence.is_unread_span(answer.problem, part.hypothesis)
        for answer in answers
        for part in answer.parts
    )


def _is_little_cash(answer: Answer) -> bool:
    """True if one row is the cause of so little cash that one of many rows nearly always fits.

    Beside a movement, which leaves a residual, the row is the cause of that alone.
    A quantity that was fitted to a position has no other witness than the cash.
    """
    parts = answer.parts
    if len(parts) > 1:
        parts = tuple(part for part in parts if not _moves_without_a_fill(part))
    if len(parts) != 1:
        return False
    (part,) = parts
    is_moved = any(map(is_position, part.effect))
    is_fitted = is_quantity(part.hypothesis) and part.hypothesis.strength > Strength.SHOWN
    is_witnessed = is_moved and not is_fitted
    if is_witnessed or _has_the_only_rebate(answer.problem, part):
        return False
    return is_little(answer.problem, part.effect, of_fees=is_of_fees(part))


def _is_of_a_common_amount(answer: Answer) -> bool:
    """True if one balance is all that differs, by an amount that many faults may have.

    No row shows the fault: each fee is as it should be by its row, or the exchange's statement is
    off. 45.00 are 45 units, and 9 fees that may be missing, doubled or turned round have most of
    them; so may a credit that nobody lists. Two faults have as many amounts as there are pairs. A
    snapshot between them is a second witness.
    """
    problem = answer.problem
    total = problem.dimensions.seen(total_of(part.effect for part in answer.parts))
    moved = [name for name, amount in total.items() if amount]
    unshown = [part for part in answer.parts if _is_of_no_row(answer, part)]
    if problem.divergence or len(moved) != 1 or not is_cash(moved[0]) or not unshown:
        return False
    amounts = {fee.copy_abs() for fee in problem.rows.fees}
    amounts |= {row.amount.copy_abs() for row in problem.rows.movements if row.amount is not None}
    single = len(amounts) * _FORMS_OF_AN_AMOUNT
    forms = single if len(unshown) == 1 else single * single // 2
    lot = common_lot(problem.rows.fees) if all(map(is_of_fees, unshown)) else ZERO
    return not may_be_unique(of_one_amount(total[moved[0]], forms, lot))


def _is_of_no_row(answer: Answer, part: Part) -> bool:
    """True if no row shows a cause: of a fee, a movement, or a statement of the exchange.

    A single fee that the exchange has not posted yet is ordinary, whatever it is.
    """
    problem, hypothesis = answer.problem, part.hypothesis
    is_alone = len(answer.parts) == 1
    if hypothesis.strength is Strength.SHOWN:
        return False
    if problem.fault_in is FaultIn.STATEMENT:
        is_ordinary = is_alone and hypothesis.cause_kind is CauseKind.MISSING_FEE
        return problem.side is LedgerSide.EXTERNAL and not is_ordinary
    patch = hypothesis.patch
    if is_of_fees(part):
        return not is_alone or any(has_usual_fee(problem, fill) for fill in patch.removed)
    return not is_alone and bool(patch.removed_movements and patch.added_movements)


def _is_one_of_unlike_fills(part: Part) -> bool:
    """True if the fault is in one of several fills, and the books show which one of them has it.

    12 at 1.1492 and 12 at 1.1494 cost 13.79 both, and the books without one are not those without
    the other. A fee is that of a BUY or of a SELL, and stays with the fill that is turned round.
    """
    fills = [row for row in part.rows if isinstance(row, Fill)]
    sides = {(row.symbol, row.leg, row.side) for row in fills}
    patch = part.hypothesis.patch
    is_removed = len(patch.removed) == 1 and not patch.added
    is_turned = [one.side.other for one in patch.removed] == [one.side for one in patch.added]
    return part.required_count == 1 and (
        len(sides) > 1
        or (is_removed and len({row.price for row in fills}) > 1)
        or (is_turned and len({row.fee for row in fills}) > 1)
    )


def _has_the_only_rebate(problem: Problem, part: Part) -> bool:
    """True if a fee is turned that is the only one below zero, which its row shows by itself."""
    removed = part.hypothesis.patch.removed
    if part.hypothesis.cause_kind is not CauseKind.FEE_SIGN or not removed or removed[-1].fee > 0:
        return False
    return sum(fee < 0 for fee in problem.rows.fees) == 1


def _moves_without_a_fill(part: Part) -> bool:
    patch = part.hypothesis.patch
    return bool(patch.added_movements or patch.removed_movements)


def _below_digits(prover: Prover, answer: Answer) -> bool:
    """True if an answer moves only cash, by at most half a unit of a stated balance."""
    total = total_of(part.effect for part in answer.parts)
    moved = {name: amount.copy_abs() for name, amount in total.items() if amount}
    units: dict[str, Decimal] = {}
    for record in prover.recorded.own_records().values():
        for row in () if "cash" in record.derived else record.cash_rows:
            name = prover.dimensions.cash(row.currency, row.account)
            units[name] = max(units.get(name, ZERO), unit_at(decimal_places(row.total)))
    return bool(moved) and all(
        EXACT.add(amount, amount) <= units.get(name, ZERO) for name, amount in moved.items()
    )


def _may_be_a_false_fill(answer: Answer) -> bool:
    """True if several causes move a fee in all, of a fill whose position nobody compares.

    The fees of a contract are all that a statement of balances shows of it.
    """
    if len(answer.parts) == 1:
        return False
    problem = answer.problem
    seen = problem.dimensions.seen(total_of(part.effect for part in answer.parts))
    moved = set(map(Decimal.copy_abs, seen.values()))
    return len(moved) == 1 and any(
        fill.fee.copy_abs() in moved
        for name, fills in problem.by_symbol.items()
        if not problem.dimensions.shows(name)
        for fill in fills
        if problem.postings.derivative(fill.symbol)
    )


def _leaves_copies(answer: Answer) -> bool:
    """True if rows have a fill twice by its id, and an answer from figures alone leaves both.

    That is a fault which the rows show by themselves, and it is hidden in another one.
    """
    problem = answer.problem
    if problem.statement_of(problem.owner.other).fills is not None:
        return False
    ids = {fill_id for _, _, fill_id in problem.table.copies()}
    removed = {fill.fill_id for part in answer.parts for fill in part.hypothesis.patch.removed}
    copies = Copies(problem.table.having(fill_id=ids - removed)) if ids - removed else None
    return copies is not None and any(map(copies.is_duplicate, copies.fills))


def _leaves_an_odd_fee(answer: Answer, part: Part) -> bool:
    """True if a fill that no row states is missing, and one of its market keeps a fee at no rate.

    0.044 for a fee of 7.86, where all others pay 0.1 % and 1.50: both figures of that row may be
    wrong, and no fill is missing. A sample of a long list is asked.
    """
    if not is_unstated(part.hypothesis):
        return False
    problem = answer.problem
    (fill,) = part.hypothesis.patch.added
    if problem.postings.position(fill) not in problem.by_symbol:
        return False
    changed = {id(row) for each in answer.parts for row in each.hypothesis.patch.removed}
    kept = (row for row in problem.schedules.sample(fill) if id(row) not in changed)
    models = ((problem.schedules.model(row), row) for row in kept)
    return any(
        model is not None and not model.is_near(problem.postings, row) for model, row in models
    )


def _may_hide_a_lost_fee(answer: Answer, part: Part) -> bool:
    """True if a fill that no row states has another tick's price with the fee that a fill lacks.

    69 at 390.93 cost 2.07 less than 69 at 390.96, and 2.07 is the fee of another fill of 69.
    """
    if not is_unstated(part.hypothesis):
        return False
    problem = answer.problem
    (fill,) = part.hypothesis.patch.added
    name = problem.postings.position(fill)
    market = market_of(problem, name)
    if market is None or not any(one.fee for one in market.fills):
        return False
    tick = notional(market.instrument, None, fill.quantity, unit_at(market.tick_places))
    unit = problem.postings.resolution(paid_in(market.instrument))
    fees = lost_fees(problem, name)
    return any(fee >= tick and _is_of_ticks(fee, tick, unit) for fee in fees)


def _is_of_ticks(fee: Decimal, tick: Decimal, unit: Decimal) -> bool:
    """True if a fee is what a whole number of ticks costs, but for the rounding of cash."""
    left = Fraction(fee) % Fraction(tick)
    return min(left, Fraction(tick) - left) <= Fraction(unit)


def _leaves_rows(prover: Prover, answer: Answer) -> bool:
    """True if both sides list fills, and other rows differ after a repair that none of them shows.

    The rows that are left may cancel in every figure, and belong to the fault all the same.
    """
    recorded = prover.recorded
    if not all(record.fills for record in recorded.own_records().values()):
        return False
    is_internal = answer.side is LedgerSide.INTERNAL
    inner = answer.repaired if is_internal else recorded.internal
    outer = recorded.external if is_internal else answer.repaired
    repaired = replace(recorded, internal=inner, external=outer)
    own = LedgerSide.INTERNAL
    problem = problem_of(repaired, prover.dimensions, own, own, rows_right=False)
    right = other_rows(repaired.external)
    if problem is None or right is None or repaired.shares("fills"):
        return False
    return bool(RowComparison(problem, right, prover.max_skew).hypotheses())


def _pulls_apart(answer: Answer) -> bool:
    """True if causes move one position in opposite directions, and a single fill may leave as much.

    A snapshot between them shows each by itself.
    """
    if answer.problem.divergence:
        return False
    total = total_of(part.effect for part in answer.parts)
    signs: dict[str, set[bool]] = {}
    for part in answer.parts:
        for name, amount in part.effect.items():
            if is_position(name):
                signs.setdefault(name, set()).add(amount > 0)
    return any(len(each) > 1 and total[name] for name, each in signs.items())


def _turns_an_odd_fee(problem: Problem, part: Part) -> bool:
    """True if a fee of the wrong sign is far from every rate of its market with the right one, too.

    0.0000241 for 304.5, where 0.1 costs as much: other figures of that row are wrong as well.
    """
    patch = part.hypothesis.patch
    if part.hypothesis.cause_kind is not CauseKind.FEE_SIGN or len(patch.added) != 1:
        return False
    (new,) = patch.added
    model, fee = problem.schedules.model(new), new.fee.copy_abs()
    if model is None or model.is_near(problem.postings, new):
        return False
    usual = (model.fee(problem.postings, new, rate).copy_abs() for rate in model.rates)
    return all(EXACT.multiply(fee, _FAR) < one or EXACT.multiply(one, _FAR) < fee for one in usual)


def _has_an_idle_cause(answer: Answer) -> bool:
    """True if one of several causes moves nothing that is compared: the others explain all."""
    dimensions = answer.problem.dimensions
    return len(answer.parts) > 1 and not all(dimensions.seen(part.effect) for part in answer.parts)


def _turns_a_fill_twice(answer: Answer) -> bool:
    """True if all fills of a position are turned round, and one of them again.

    Then that one alone is wrong, and the figure that the exchange states has the other sign.
    """
    turned = [part for part in answer.parts if part.hypothesis.cause_kind in _TURNS]
    return any(
        one.hypothesis.patch.builds_on(other.hypothesis.patch)
        for one, other in permutations(turned, 2)
    )


def _is_of_few_lots(answer: Answer) -> bool:
    """True if several causes explain nothing but a position that is off by few lots.

    Two fills of one lot that are turned round are 4 lots, as a figure with the other sign may be.
    """
    forms = len(answer.parts)
    total = total_of(part.effect for part in answer.parts)
    moved = [name for name, amount in total.items() if amount]
    if forms == 1 or len(moved) != 1 or not is_position(moved[0]):
        return False
    lot = common_lot(fill.quantity for fill in answer.problem.by_symbol.get(moved[0], ()))
    return not may_be_unique(of_one_amount(total[moved[0]], forms, lot))


def _is_net_zero(answer: Answer) -> bool:
    """True if causes that move positions cancel there, and little cash is evidence of them."""
    total = total_of(part.effect for part in answer.parts)
    moved = [name for part in answer.parts for name in filter(is_position, part.effect)]
    is_net_zero = bool(moved) and not any(total[name] for name in moved)
    return is_net_zero and not is_much(answer.problem, total)
