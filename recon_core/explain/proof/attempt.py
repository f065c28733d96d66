"""The attempt to prove hypotheses that fit: an answer, or none.

Their patches are put into a copy of the session as one, and the copy is reconciled again. A fill
with a duplicate fee of 2.58 is replaced: cash moves by +2.58, and if one diff disappears and none
appears, the hypothesis is an answer.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from recon_core.explain.budget import OF_A_RECONCILIATION, OF_A_REPLAY, Budget
from recon_core.explain.causes import precedence
from recon_core.explain.causes.fills import with_orphan_fills
from recon_core.explain.problem.dimensions import (
    Vector,
    currency_of,
    is_cash,
    minus,
    negated,
    state_part,
)
from recon_core.explain.problem.hypotheses import Hypothesis, Row, Strength, together
from recon_core.explain.problem.patches import Patch, names_of, shifted, total_of
from recon_core.explain.problem.postings import order_name
from recon_core.explain.problem.problem import FaultIn, Problem
from recon_core.explain.proof.own_snapshots import with_new_snapshots
from recon_core.explain.proof.prover import Outcome, Prover
from recon_core.model import InstrumentKind, LedgerSide, SideRecord
from recon_core.model.assets import delivering
from recon_core.values.amounts import ZERO
from recon_core.values.errors import ReconError

_AS_POSTED: Final[dict[FaultIn, Callable[[Vector], dict[str, Decimal]]]] = {
    FaultIn.ROWS: negated,
    FaultIn.STATEMENT: dict,
}
"""Effect that was booked wrongly: the inverse of a repair of rows, and a fault as it is."""


@dataclass(frozen=True, slots=True)
class Part:
    """A hypothesis of an answer, with the rows that are interchangeable in it.

    `required_count` of the rows have the fault; `effect` is the amount booked wrongly by dimension,
    without zeros.
    """

    hypothesis: Hypothesis
    rows: tuple[Row, ...]
    required_count: int
    effect: Vector


@dataclass(frozen=True, slots=True)
class Answer:
    """Hypotheses that were proven together.

    `complete`: no other hypotheses of the same strength are untried. `decides` is the datum that
    would decide whether the answer is right, if it is known.
    """

    parts: tuple[Part, ...]
    side: LedgerSide
    problem: Problem
    outcome: Outcome
    patch: Patch
    repaired: SideRecord
    complete: bool = True
    decides: str = ""

    @property
    def strength(self) -> Strength:
        """The evidence strength of the weakest part."""
        return max(part.hypothesis.strength for part in self.parts)

    @property
    def of_figures(self) -> bool:
        """True if every part changes only the quantity or the price of rows."""
        return all(
            len(part.hypothesis.patch.removed) == len(part.hypothesis.patch.added) > 0
            for part in self.parts
        ) and all(
            (old.quantity, old.price) != (new.quantity, new.price)
            for part in self.parts
            for old, new in zip(
                part.hypothesis.patch.removed, part.hypothesis.patch.added, strict=True
            )
        )

    @property
    def rounded(self) -> bool:
        """True if every part is a rounding of figures by the faulty side."""
        return all(precedence.is_rounding(part.hypothesis) for part in self.parts)


def attempt(
    prover: Prover,
    problem: Problem,
    hypotheses: Sequence[Hypothesis],
    rows: Sequence[tuple[Row, ...]],
    budget: Budget,
    *,
    read: bool = False,
    limits: Vector | None = None,
    is_own: bool = False,
) -> Answer | None:
    """Return the answer that hypotheses give together, `None` if the reconciliation refutes it.

    `read`: the hypotheses result from comparing rows, so a residual is allowed. `limits`: the
    largest residual allowed per dimension (default: none). `is_own`: the side's own books require
    the hypotheses, so what it states is right, and no diff has to disappear. Raises `BudgetError`
    when the budget ends.
    """
    if not read and problem.fault_in is FaultIn.ROWS:
        hypotheses = with_orphan_fills(hypotheses, problem.fills, Strength.EXACT)
    patch = together(hypotheses)
    try:
        posted = _effects(problem, hypotheses, budget)
    except ReconError:
        return None
    left = problem.dimensions.real(state_part(minus(problem.exact, total_of(posted))))
    if not read and not _within(left, limits or {}):
        return None
    effects = list(map(_AS_POSTED[problem.fault_in], posted))
    known = patch if _has_own_rows(prover, problem) else None
    repaired = _repaired(prover, problem, patch, total_of(effects))
    for record in repaired[-1:] if is_own else repaired:
        budget.spend(len(problem.fills) * OF_A_RECONCILIATION)
        outcome = prover.outcome({problem.side: record}, known)
        if outcome is None:
            continue
        is_near = not outcome.new and _within(outcome.remaining, limits or {})
        is_part = not outcome.new and (is_own or bool(outcome.resolved))
        if is_near or (read and is_part):
            parts = tuple(
                Part(
                    hypothesis,
                    tuple(equal),
                    _required_count(hypotheses, rows, equal),
                    state_part(effect),
                )
                for hypothesis, equal, effect in zip(hypotheses, rows, effects, strict=True)
            )
            return Answer(parts, problem.side, problem, outcome, patch, record)
    return None


def _has_own_rows(prover: Prover, problem: Problem) -> bool:
    """True if the rows of the problem are those of the session, with accounts named or not."""
    record = prover.recorded.side(problem.owner)
    return record is not None and record.fills is problem.record.fills


def _within(amounts: Vector, limits: Vector) -> bool:
    """True if no amount is larger than the limit of its dimension, 0 without a limit."""
    return all(amount.copy_abs() <= limits.get(name, ZERO) for name, amount in amounts.items())


def _required_count(
    hypotheses: Sequence[Hypothesis], rows: Sequence[tuple[Row, ...]], equal: tuple[Row, ...]
) -> int:
    """Return the number of interchangeable rows that have the fault."""
    if any(len(hypothesis.rows) > 1 for hypothesis in hypotheses):
        return len(equal)
    return sum(each is equal for each in rows)


def _effects(
    problem: Problem, hypotheses: Sequence[Hypothesis], budget: Budget
) -> list[dict[str, Decimal]]:
    """Return the effect of each hypothesis: of derivatives by replay, in sequence."""
    if not any(_has_derivative(problem, hypothesis.patch) for hypothesis in hypotheses):
        return [state_part(hypothesis.patch.vector(problem.postings)) for hypothesis in hypotheses]
    effects, record = [], problem.record
    before = problem.replayed
    for hypothesis in hypotheses:
        budget.spend(len(problem.fills) * OF_A_REPLAY)
        record = hypothesis.patch.applied(record)
        after = problem.state_of(record)
        effects.append(minus(after, before))
        before = after
    return effects


def _has_derivative(problem: Problem, patch: Patch) -> bool:
    held = () if patch.opening is None else patch.opening.positions
    left = () if patch.old_opening is None else patch.old_opening.positions
    symbols = {fill.symbol for fill in (*patch.removed, *patch.added)}
    symbols |= {row.symbol for row in {*held} ^ {*left}}
    return any(map(problem.postings.derivative, symbols))


def _repaired(prover: Prover, problem: Problem, patch: Patch, effect: Vector) -> list[SideRecord]:
    """Return the faulty side repaired in its rows, in its stated amounts, or in both."""
    recorded, dimensions = prover.recorded, prover.dimensions
    names = names_of(dimensions, list(recorded.own_records().values()))
    correction = negated(state_part(effect))
    if problem.fault_in is FaultIn.STATEMENT:
        side = problem.statement_of(problem.side)
        if problem.side is problem.owner:  # its replay from its own rows is right
            return [_shifted_where_stated(side, prover, correction)]
        kept = _without_unlisted_balances(prover, side, correction)
        return [shifted(_as_stated(side), dimensions, kept, names)]
    changed = _without_orders(problem, patch.applied(problem.record), patch)
    changed = with_new_snapshots(recorded, problem.record, changed)
    if {"positions", "cash"} <= changed.derived:
        return [changed]
    return [_shifted_where_stated(changed, prover, correction), changed]


def _without_unlisted_balances(
    prover: Prover, record: SideRecord, correction: Vector
) -> dict[str, Decimal]:
    """Return a correction without balances that a side does not list.

    It has none of shares, of a kind of assets that it lists as positions, and none that neither
    side lists.
    """
    instruments = prover.recorded.instruments
    listed = {row.currency for row in record.cash_rows}
    stated = {
        row.currency for one in prover.recorded.own_records().values() for row in one.cash_rows
    }
    held = (delivering(row.symbol, instruments) for row in record.position_rows if row.quantity)
    alone = {one.instrument_kind for one in held if one is not None and one.base not in listed}
    unlisted = {
        one.base
        for one in instruments.values()
        if one.base not in listed
        and (one.instrument_kind in alone or one.instrument_kind is InstrumentKind.EQUITY)
    }
    kept = (stated | listed) - unlisted
    return {
        name: amount
        for name, amount in correction.items()
        if not is_cash(name) or currency_of(name) in kept
    }


def _without_orders(problem: Problem, record: SideRecord, patch: Patch) -> SideRecord:
    """Return the side without its own orders of changed fills, which repeat these fills.

    If both sides give orders, the orders are compared and kept.
    """
    others = problem.recorded.own_records().values()
    if not record.orders or all(other.orders is not None for other in others):
        return record
    names = {order_name(fill) for fill in (*patch.removed, *patch.added)} - problem.required.keys()
    kept = tuple(order for order in record.orders if order_name(order) not in names)
    return replace(record, orders=kept)


def _as_stated(record: SideRecord) -> SideRecord:
    """Return the side with its replayed sections as stated ones."""
    return replace(record, derived=frozenset()) if record.derived else record


def _shifted_where_stated(record: SideRecord, prover: Prover, correction: Vector) -> SideRecord:
    names = names_of(prover.dimensions, list(prover.recorded.own_records().values()))
    moved = shifted(record, prover.dimensions, correction, names)
    return replace(
        record,
        positions=record.positions if "positions" in record.derived else moved.positions,
        cash=record.cash if "cash" in record.derived else moved.cash,
    )
