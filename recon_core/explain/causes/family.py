"""The interface of a family of causes: its hypotheses, its doubts, and its sentences.

Each file of this room ends with its `FAMILY`, and `CAUSES` lists them. A family answers the
questions that it has an answer to; what is left out proposes nothing.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

from recon_core.explain.causes.copies import Copies
from recon_core.explain.problem.dimensions import Dimensions
from recon_core.explain.problem.fee_evidence import FeeContradiction
from recon_core.explain.problem.fill_group import FillGroup
from recon_core.explain.problem.hypotheses import NO_FACTS, Facts, Hypothesis, Row
from recon_core.explain.problem.pairs import PairTest
from recon_core.explain.problem.problem import FaultIn, Problem
from recon_core.explain.problem.stated_figures import StateHypothesis, States
from recon_core.explain.problem.wording import Sentence
from recon_core.model import Fill, RecordedSession
from recon_core.model.explanation import CauseKind

ANY_PLACE = frozenset(FaultIn)
"""Both places of a fault: in the rows, and in the statement."""

OtherFee = tuple[str, Decimal, str]
"""A name, and a fee with its currency that a fill may have instead of its own."""


@dataclass(frozen=True, slots=True)
class Rival:
    """Another cause of what some hypotheses of an answer account for, with the same amounts.

    `left` are the places of these hypotheses, with the rows of each that it does not account for;
    `decides` is the datum that would decide between both, empty if rows would. The hypothesis names
    its side; it is shown, and never put into the books. `is_timed`: its patch is of the ledger's
    rows, so that snapshots may contradict it.
    """

    left: Mapping[int, tuple[Row, ...]]
    hypothesis: Hypothesis
    decides: str
    is_timed: bool = False


@dataclass(frozen=True, slots=True)
class FieldFault:
    """The fault of one field of a row, compared with the right row."""

    cause_kind: CauseKind
    detail: str = ""
    facts: Facts = NO_FACTS


@dataclass(frozen=True, slots=True)
class FillOperator:
    """An exact fault of one fill, known by its effect before any row is changed.

    The effect is `trade` times that of the fill's trade and `fee` times that of its fee: removed
    (-1, -1), side exchanged (-2, 0), fee with the wrong sign (0, -2).
    """

    name: str
    trade: int
    fee: int
    build: Callable[[Problem, Copies, Fill], Hypothesis]
    faults: frozenset[FaultIn] = ANY_PLACE


@dataclass(frozen=True, slots=True)
class FeeOperator:
    """Other fees of one fill; the effect is that of the new fee less that of the old one.

    `fees` is called once for a problem, its result for each fill: of those with a fee if `charged`,
    else of those without.
    """

    fees: Callable[[Problem], Callable[[Fill], Iterable[OtherFee]]]
    build: Callable[[Problem, Fill, Decimal, str], Hypothesis]
    charged: bool = True
    faults: frozenset[FaultIn] = ANY_PLACE


def _none(*_: object) -> Iterator[Hypothesis]:
    return iter(())


def _no_state(_: States) -> Iterator[StateHypothesis]:
    return iter(())


def _no_rival(*_: object) -> Iterator[Rival]:
    return iter(())


def _no_doubt(*_: object) -> str:
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseFamily:
    """One family of causes.

    In rows: `sentences` are the words for each kind; `operators` and `fee_operators` the exact
    faults of one fill, `of_other_rows` those of a movement or of the opening. `of_all` are faults
    of all fills of a group that may have the required effect, `reducing` those that may have a part
    of it, `of_orders` those of all fills of an order. `fitted` are faults with a fitted number; it
    is given the number of similar searches. `by_fee` are the faults that the fee of
    a row shows, `of_a_pair` those of one fill that are searched for only with another fault.

    `rivals` are asked of every answer, whatever its other causes are: causes of this family that
    account for some of its hypotheses as well. They are given the largest skew of two clocks.

    In pairs of rows: `in_pairs` are faults that most pairs share, `fields` the fault of one field.

    In statements: `in_states` are faults of a side's statement as a whole, with `state_words` for
    them. `state_doubt` returns the datum that would decide whether it is one. `may_be_a_row` is
    true if a single wrong row could have the same effect, `is_of_figures` is false if the figure is
    right and its meaning is wrong, `is_booked` is false if no entry repairs it.
    """

    sentences: Mapping[CauseKind, Sentence]
    operators: tuple[FillOperator, ...] = ()
    fee_operators: tuple[FeeOperator, ...] = ()
    of_other_rows: Callable[[Problem], Iterator[Hypothesis]] = _none
    of_all: Callable[[FillGroup], Iterator[Hypothesis]] = _none
    reducing: Callable[[FillGroup], Iterator[Hypothesis]] = _none
    of_orders: Callable[[Problem], Iterator[Hypothesis]] = _none
    fitted: Callable[[Problem, int], Iterator[Hypothesis]] = _none
    by_fee: Callable[[FeeContradiction], Iterator[Hypothesis]] = _none
    of_a_pair: Callable[[Problem], Iterator[Hypothesis]] = _none
    rivals: Callable[[Problem, Sequence[Hypothesis], timedelta], Iterator[Rival]] = _no_rival
    in_pairs: tuple[PairTest, ...] = ()
    fields: Mapping[str, Callable[[Fill, Fill], FieldFault]] = field(default_factory=dict)
    in_states: Callable[[States], Iterator[StateHypothesis]] = _no_state
    state_words: Mapping[CauseKind, str] = field(default_factory=dict)
    state_doubt: Callable[[Dimensions, RecordedSession, Sequence[StateHypothesis]], str] = _no_doubt
    may_be_a_row: bool = False
    is_of_figures: bool = True
    is_booked: bool = True
