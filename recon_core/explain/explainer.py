"""Explaining a session: what is tried, in which order, and when an answer is proven.

First what the rows of both sides show, then faults of a whole state, then one fault, then
two. The first step that gives an answer ends the search; within a step the answers with the
best evidence count, and where several of them differ in kind or amount none is named alone.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property
from itertools import chain, islice
from typing import Final

from recon_core.errors import ReconError
from recon_core.explain.answer_doubts import has_unread_spans
from recon_core.explain.attempt import Answer, attempt
from recon_core.explain.budget import (
    OF_A_PRINT,
    OF_A_REPLAY,
    OF_A_SIEVE,
    Budget,
    BudgetError,
    rows_of,
)
from recon_core.explain.candidates import Candidate, Found, candidates
from recon_core.explain.chances import is_coarse
from recon_core.explain.changed_numbers import tenfold
from recon_core.explain.contradicted import contradicted
from recon_core.explain.cumulative import Misread, misread
from recon_core.explain.edits import Edit
from recon_core.explain.ground import Ground
from recon_core.explain.grounds import grounds
from recon_core.explain.needs import ground_of
from recon_core.explain.nested import Nested
from recon_core.explain.order_partials import ordered
from recon_core.explain.order_reading import OrderReading
from recon_core.explain.pair_search import PairSearch
from recon_core.explain.pending import and_pending, with_pending
from recon_core.explain.proof import Prover, can_differ
from recon_core.explain.rounded_cash import lacking, rounded_answers, rounded_cash
from recon_core.explain.row_reading import RowReading, other_rows
from recon_core.explain.search import Search
from recon_core.explain.sequels import First, with_the_rest
from recon_core.explain.since import allowed, operations
from recon_core.explain.solved import solved
from recon_core.explain.solved_quantities import quantities
from recon_core.explain.space import deltas, space_of
from recon_core.explain.spans import others, spans
from recon_core.explain.state_answers import (
    beside_rounding,
    in_doubt,
    only_rounded,
    partial_states,
    state_answers,
)
from recon_core.explain.systematic import systematic
from recon_core.explain.told_apart import ToldApart
from recon_core.explain.verdicts import (
    alternatives,
    explained,
    nearly_explained,
    not_searched,
    partial,
    unexplained,
)
from recon_core.explanation import Effort, Explanation
from recon_core.model import LedgerSide, SideRecord
from recon_core.quick_memory import without_collecting
from recon_core.reconciliation import Reconciliation

_MOST_PROVEN: Final = 12
_MOST_MEMBERS: Final = 12
_MOST_ATOMS: Final = 400
_MOST_TENFOLD: Final = 2_000


@dataclass
class Explainer:
    """The steps of one session, the first that gives an answer counts."""

    prover: Prover
    budget: Budget
    _readings: dict[LedgerSide, Answer | None] = field(default_factory=dict)
    _contradicted: list[tuple[Ground, list[Found]]] = field(default_factory=list)

    def explanations(self) -> tuple[Explanation, ...]:
        """The explanations of the first step that has any."""
        found = self.of_one_fault() or self._of_two_faults() or self._nearly()
        return found or self._against_snapshots()

    def _against_snapshots(self) -> tuple[Explanation, ...]:
        """What fits the end, and not the snapshots: nothing that fits both was found."""
        for ground, found in self._contradicted:
            answers = self._borne_out(ground, found)
            if answers:
                return self._solved(answers)
        return ()

    def of_one_fault(self) -> tuple[Explanation, ...]:
        """What the rows show, a fault of a whole state, or one fault of the rows."""
        states = state_answers(self.prover)
        if states and not only_rounded(states):
            return states
        for answers in self._exact_steps():
            if answers:
                found = explained(self.prover, answers)
                near = self._nearly() if has_unread_spans(answers) else ()
                return in_doubt((*found, *near)) if near else beside_rounding(found, states)
        for search in () if states else self._searches:
            answers = self._proven(search.ground, self._second_look(search))
            if answers:
                return self._solved(answers)
        return states

    def _solved(self, answers: list[Answer]) -> tuple[Explanation, ...]:
        """Numbers that were solved for, or two faults: cash that was rounded proves none."""
        is_shown = all(answer.rank == 0 for answer in answers)
        # The shortest text of a binary float is no rounding.
        exact = is_shown or bool(self.prover.space.dust)
        rounded = None if exact else rounded_cash(self.prover)
        if rounded is not None:
            return nearly_explained(self.prover, answers, rounded.digits)
        return explained(self.prover, answers)

    def _of_two_faults(self) -> tuple[Explanation, ...]:
        firsts = [*partial_states(self.prover), *self._partly_read()]
        found = with_the_rest(self.prover, firsts, self._rest)
        if found:
            return alternatives(found)
        for search in self._searches:
            for found_pairs in self._pairs(search):
                answers = self._proven(search.ground, found_pairs)
                if answers:
                    return self._solved(answers)
        return tuple(first for first, _, _ in self._partly_read())[:1]

    def _pairs(self, search: Search) -> Iterator[Iterable[Found]]:
        """Two edits of the rows, those first that take the least to find."""
        nested = Nested(search, self.budget)
        yield ToldApart(search, self.budget).pairs()
        if search.ground.unknown:
            yield nested.beside_positions()
        yield PairSearch(search.also_of(self._atoms(search))).pairs()
        yield nested.pairs()

    def _atoms(self, search: Search) -> list[Edit | Misread]:
        """Edits of several rows, and those with a power of ten, for faults that come in pairs."""
        ground = search.ground
        found: list[Edit | Misread] = [*OrderReading(ground, search.fill_edits).atoms()]
        self.budget.spend(len(ground.fills) * OF_A_SIEVE)
        found += islice(chain(others(ground), misread(ground)), _MOST_ATOMS)
        if len(ground.fills) <= _MOST_TENFOLD:
            self.budget.spend(len(ground.fills) * OF_A_PRINT * 2)
            found += contradicted(ground, search.fill_edits)
            found += tenfold(ground)
            found += quantities(ground, search.fill_edits)
        return found

    def _nearly(self) -> tuple[Explanation, ...]:
        """What orders show but for a fee, or what fits cash that was rounded."""
        shown = ordered(self.prover, self._searches, self.budget)
        if shown is not None:
            return (partial(self.prover, shown),)
        return rounded_answers(self.prover, self._searches, self._second_look, self.budget)

    def _rest(self, prover: Prover) -> tuple[Explanation, ...]:
        return Explainer(prover, self.budget).of_one_fault()

    def _exact_steps(self) -> Iterator[list[Answer]]:
        """What accounts for everything to the last digit, without any number solved for.

        A row that does is worth more than a rounding, which many amounts would fit.
        """
        yield self._best_read()
        for ground in self._grounds:
            if ground.lagging:
                yield self._proven(ground, self._whole_rows(ground))
        for search in self._searches:
            whole = self._whole_rows(search.ground)
            yield self._proven(search.ground, [*whole, *((one,) for one in search.singles())])

    @cached_property
    def _grounds(self) -> list[Ground]:
        prover = self.prover
        found = grounds(prover.recorded, prover.space, prover.reconciliation.replays)
        self.budget.spend(sum(map(operations, found)))
        return found

    @cached_property
    def _searches(self) -> list[Search]:
        return [
            Search(ground, self.budget, max_skew=self._max_skew)
            for ground in self._grounds
            if not ground.lagging
        ]

    def _partly_read(self) -> list[First]:
        """What the rows of both sides show where it is not everything."""
        return [
            (partial(self.prover, answer), answer.side, answer.repaired)
            for answer in self._read()
            if not answer.outcome.proven
        ]

    def _best_read(self) -> list[Answer]:
        """The proven reading, that of a rounding before any other."""
        best: list[Answer] = []
        for answer in self._read():
            if answer.outcome.proven and (answer.rounded or not best):
                best = [answer]
            if best and (best[0].rounded or not best[0].of_figures):
                break
        return best

    def _read(self) -> Iterator[Answer]:
        """What the rows of both sides show, the ledger held against the exchange first."""
        if not self.prover.recorded.shares("fills"):
            found = map(self._reading_of, LedgerSide)
            yield from (one for one in found if one is not None and one.outcome.vanished)

    def _reading_of(self, side: LedgerSide) -> Answer | None:
        if side not in self._readings:
            recorded, space = self.prover.recorded, self.prover.space
            right, answer = other_rows(recorded.side(side.other)), None
            if right is not None:
                ground = ground_of(recorded, space, side, side, rows_right=False)
                answer = self._reading(ground, right)
            self._readings[side] = answer
        return self._readings[side]

    def _reading(self, ground: Ground | None, right: SideRecord) -> Answer | None:
        if ground is None or ground.record.fills is None:
            return None
        self.budget.spend(len(ground.fills) + len(right.fills or ()))
        edits = tuple(RowReading(ground, right, self._max_skew).edits())
        rows = tuple(edit.rows for edit in edits)
        return attempt(self.prover, ground, edits, rows, self.budget, read=True) if edits else None

    @property
    def _max_skew(self) -> timedelta:
        return self.prover.reconciliation.policy.max_skew

    def _whole_rows(self, ground: Ground) -> Iterable[Found]:
        self.budget.spend(len(ground.fills) * OF_A_REPLAY)
        return ((edit,) for edit in spans(ground, self._max_skew))

    def _second_look(self, search: Search) -> list[Found]:
        ground, edits = search.ground, search.fill_edits
        self.budget.spend(len(ground.fills) * 16)
        found: list[Found] = [
            (edit,) for edit in systematic(ground, edits) if ground.reached_by(edit.change)
        ]
        found += [(edit,) for edit in solved(ground, edits)]
        found += [(one,) for one in contradicted(ground, edits) if ground.reached_by(one.change)]
        read = OrderReading(ground, edits, search.max_skew).readings()
        found += [one for one in read if len(one) == 1 or not found]
        return found

    def _attempt(self, ground: Ground, candidate: Candidate) -> Answer | None:
        """The answer of the first choice of rows that gives all to the last digit, or nearly."""
        nearly = None
        for edits in candidate.members[:_MOST_MEMBERS]:
            answer = attempt(self.prover, ground, edits, candidate.rows, self.budget)
            if answer is not None and not answer.outcome.rest:
                return answer
            nearly = nearly or answer
        return nearly

    def _proven(self, ground: Ground, found: Iterable[Found]) -> list[Answer]:
        """Those of the candidates that the snapshots allow that are borne out."""
        fitting, contradicted = allowed(ground, found, self.budget)
        if contradicted:
            self._contradicted.append((ground, contradicted))
        return self._borne_out(ground, fitting)

    def _borne_out(self, ground: Ground, found: Iterable[Found]) -> list[Answer]:
        """The candidates with the best evidence that a reconciliation bears out."""
        answers: list[Answer] = []
        best, tried = None, 0
        for candidate in candidates(ground, list(found)):
            if best is not None and candidate.order > best:
                break
            if len(answers) == _MOST_PROVEN:
                return [replace(answer, complete=False) for answer in answers]
            try:
                answer = self._attempt(ground, candidate)
            except BudgetError:
                if not answers:
                    raise
                return [replace(one, complete=False) for one in answers]
            tried += 1
            if answer is not None:
                answers.append(answer)
                best = candidate.order
        if is_coarse(ground, tried):
            return [replace(one, complete=False) for one in answers]
        return answers


def explain(
    reconciliation: Reconciliation, effort: Effort = Effort.FAST
) -> tuple[Explanation, ...]:
    """Why the two sides of a session differ.

    Nothing for a session without diffs, or that cannot be compared. One explanation, or
    one for each alternative where the books do not decide. Never raises for what a
    session holds; the answer depends on the session and the effort only.
    """
    if effort is Effort.OFF or not can_differ(reconciliation):
        return ()
    space = space_of(
        reconciliation.recorded, reconciliation.comparisons, reconciliation.policy.float_dust
    )
    prover = Prover(reconciliation, space)
    settled, pending = with_pending(prover)
    if not prover.before or not settled.before:
        return ()
    with without_collecting():
        found = _explain(settled, Budget.of(effort, rows_of(reconciliation.recorded)))
    return tuple(and_pending(one, pending) for one in found)


def _explain(prover: Prover, budget: Budget) -> tuple[Explanation, ...]:
    space = prover.space
    delta = space.real(deltas(space, prover.recorded))
    try:
        found = Explainer(prover, budget).explanations()
    except BudgetError:
        return (not_searched(delta),)
    except ReconError:
        found = ()
    if found or not delta:
        return found
    return (unexplained(prover, delta, lacking(prover)),)
