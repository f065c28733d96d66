"""Faults of a whole state, proven: one, several renamed names, or two that do not overlap.

Each choice of hypotheses corrects the stated figures in a copy, which is reconciled again. Only
the choices with the fewest faults are answers.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import combinations, islice
from typing import Final

from recon_core.compare.aliases import with_aliases
from recon_core.explain import causes
from recon_core.explain.answers.fault_sequences import First
from recon_core.explain.answers.verdicts import ROUNDED_OFF, not_proven, proof_text
from recon_core.explain.causes import precedence
from recon_core.explain.causes.alias import renamed_currencies
from recon_core.explain.causes.strengths import may_be_unique
from recon_core.explain.problem.dimensions import (
    Vector,
    bare_name,
    effect_of,
    instrument_of,
    is_cash,
    is_position,
    key_of,
    label_of,
    minus,
    negated,
    plus,
)
from recon_core.explain.problem.hypotheses import Strength
from recon_core.explain.problem.patches import names_of, shifted
from recon_core.explain.problem.problems import contradictions
from recon_core.explain.problem.stated_figures import StateHypothesis
from recon_core.explain.proof.prover import Outcome, Prover
from recon_core.explain.search.states import state_hypotheses
from recon_core.ledger.bookings import is_derivative
from recon_core.model import CashBalance, LedgerSide, SideRecord
from recon_core.model.comparison import ItemKind
from recon_core.model.explanation import (
    Booking,
    Cause,
    CauseKind,
    Explanation,
    ExplanationVerdict,
)
from recon_core.policy.aliases import Aliases
from recon_core.values.amounts import EXACT, ZERO, format_amount
from recon_core.values.errors import SessionError

_CUT: Final = (
    "no booking repairs it: the digits that the exchange rounds off are in no record of it"
)

_MOST_HYPOTHESES: Final = 12
"""Hypotheses of a state that are tried.

Each alone and every two are up to 78 reconciliations, which the budget does not count.
"""


def doubt(prover: Prover, chosen: Sequence[StateHypothesis]) -> str:
    """Return the datum that would decide where a fault fits without proof, else an empty text."""
    of_opening = _opening(prover, chosen)
    if of_opening:
        return of_opening
    for family in causes.CAUSES:
        doubtful = family.state_doubt(prover.dimensions, prover.recorded, chosen)
        if doubtful:
            return doubtful
    return (
        _cash(prover, chosen)
        or _witness(prover, chosen)
        or _rows(prover, chosen)
        or _own_rows(prover, chosen)
    )


def _own_rows(prover: Prover, chosen: Sequence[StateHypothesis]) -> str:
    """Doubt a corrected figure that the rows of its own side contradict, as they do the stated one.

    What else is wrong there may have changed that figure as well.
    """
    for one in chosen:
        record = prover.recorded.side(one.side)
        replayed = prover.reconciliation.replays.get(one.side)
        if record is None or replayed is None or one.renamed is not None:
            continue
        given = prover.dimensions.state(replayed.positions, replayed.cash)
        stated = prover.dimensions.stated(record)
        off = prover.dimensions.real(minus(stated, given))
        left = prover.dimensions.real(minus(plus(stated, one.correction), given))
        if any(name in off and name in left and name in given for name in one.correction):
            return f"why the {one.side} side's rows give another state than it states"
    return ""


def _rows(prover: Prover, chosen: Sequence[StateHypothesis]) -> str:
    """Doubt a rounding beside rows that differ: either row may be right, and the digits with it."""
    is_doubtful = any(map(precedence.is_rounding, chosen)) and any(
        one.diff_type == ItemKind.FILL.diff_type for one in prover.reconciliation.diffs
    )
    return "which of the rows that differ is right" if is_doubtful else ""


def _witness(prover: Prover, chosen: Sequence[StateHypothesis]) -> str:
    """Return the witness that a fault of a single figure lacks, else an empty text."""
    for hypothesis in chosen:
        if not may_be_unique(hypothesis.strength):
            if not any(map(is_cash, prover.dimensions.compared)):
                return "the cash of both sides"
            named = ", ".join(map(label_of, sorted(hypothesis.correction)))
            return f"the rows behind {named}, or another figure with the same fault"
    return ""


def _opening(prover: Prover, chosen: Sequence[StateHypothesis]) -> str:
    """Doubt figures that may be those of an opening, which may be wrong instead.

    Another kind of balance is not doubted: the other side states it, too.
    """
    for record in prover.recorded.own_records().values():
        if record.opening is None:
            continue
        opening = prover.dimensions.state(record.opening.positions, record.opening.cash)
        state = prover.dimensions.stated(record)
        if any(_is_of_opening(hypothesis, opening, state) for hypothesis in chosen):
            return "the balances before the first fill"
    return ""


def _is_of_opening(hypothesis: StateHypothesis, opening: Vector, state: Vector) -> bool:
    """True if for every figure the opening holds it, its correction, or its corrected amount."""
    wrong = {name: one for name, one in hypothesis.correction.items() if one}
    if not causes.family_of(hypothesis.cause_kind).is_of_figures:
        return False
    return all(
        opening.get(name)
        and opening[name]
        in {state.get(name), one.copy_abs(), EXACT.add(state.get(name, ZERO), one)}
        for name, one in wrong.items()
    )


def _cash(prover: Prover, chosen: Sequence[StateHypothesis]) -> str:
    """Doubt a single figure in another unit, or with the other sign: a row may be wrong instead."""
    records = prover.recorded.own_records().values()
    if not any(record.fills for record in records):
        return ""
    has_cash = any(map(is_cash, prover.dimensions.compared))
    is_doubtful = any(_may_be_a_row(prover, one, has_cash=has_cash) for one in chosen)
    return "the cash of both sides" if is_doubtful else ""


def _may_be_a_row(prover: Prover, one: StateHypothesis, *, has_cash: bool) -> bool:
    """True if a fault is of a single figure, and no cash shows the rows behind it to be right."""
    names = one.correction
    if len(set(map(bare_name, names))) != 1 or not causes.family_of(one.cause_kind).may_be_a_row:
        return False
    is_unit = one.cause_kind is CauseKind.UNIT
    is_traded = is_unit and all(_is_of_a_contract(prover, name) for name in names)
    return is_traded or not has_cash


def _is_of_a_contract(prover: Prover, name: str) -> bool:
    """True if a position is of a derivative: no cash shows how many were traded."""
    instrument = instrument_of(prover.recorded, name)
    return is_position(name) and instrument is not None and is_derivative(instrument)


@dataclass(frozen=True, slots=True)
class StateAnswers:
    """The explanations by faults of a whole state that account for every delta.

    `strength` is the evidence of the first.
    """

    explanations: tuple[Explanation, ...] = ()
    strength: Strength = Strength.EXACT

    @property
    def are_chance(self) -> bool:
        """True if they fit a single figure, and a fault of rows may fit as well."""
        return bool(self.explanations) and not may_be_unique(self.strength)


def state_answers(prover: Prover) -> StateAnswers:
    """Return the explanations by faults of a whole state that account for every delta."""
    hypotheses = _hypotheses(prover)
    proven = [
        (chosen, outcome)
        for chosen in _choices(hypotheses)
        for outcome in [_outcome(prover, chosen)]
        if outcome is not None and outcome.proven and outcome.resolved
    ]
    if not proven:
        return StateAnswers()
    fewest = min(len(chosen) for chosen, _ in proven)
    best = _of_one_side(prover, [each for each in proven if len(each[0]) == fewest])
    strength = max(one.strength for one in best[0][0])
    explanations = [_explanation(chosen, outcome) for chosen, outcome in best]
    doubtful = doubt(prover, best[0][0])
    if precedence.has_extra_rounding(explanations[0].causes):
        doubtful = doubtful or ROUNDED_OFF
    if len({tuple(hypothesis.cause_kind for hypothesis in chosen) for chosen, _ in best}) == 1:
        explanations = explanations[:1]
        if not doubtful:
            return StateAnswers(tuple(explanations), strength)
    decides, count = doubtful or "the movements of both sides", len(explanations)
    found = tuple(not_proven(one, decides, count) for one in explanations)
    return StateAnswers(found, strength)


def or_rounding(
    found: tuple[Explanation, ...], rounded: tuple[Explanation, ...]
) -> tuple[Explanation, ...]:
    """Return the explanations by rows, in doubt where a rounding explains the same cash.

    So small an amount may have been rounded off; an amount that moves a position was not.
    """
    moved = (cause.effect.position for one in found for cause in one.causes)
    if any(moved) or not all(one.verdict is ExplanationVerdict.UNIQUE for one in rounded):
        return found
    return in_doubt((*found, *rounded)) if rounded else found


def in_doubt(found: tuple[Explanation, ...]) -> tuple[Explanation, ...]:
    """Return the explanations as not proven: the digits of a rounded figure would decide."""
    return tuple(not_proven(one, ROUNDED_OFF, len(found)) for one in found)


def _hypotheses(prover: Prover) -> list[StateHypothesis]:
    dimensions, recorded = prover.dimensions, prover.recorded
    replays = prover.reconciliation.replays
    found = islice(state_hypotheses(dimensions, recorded, replays), _MOST_HYPOTHESES)
    return precedence.without_names_of_legs(list(found))


def _choices(hypotheses: Sequence[StateHypothesis]) -> Iterator[tuple[StateHypothesis, ...]]:
    for hypothesis in hypotheses:
        yield (hypothesis,)
    for side in LedgerSide:
        names = [one for one in hypotheses if precedence.is_alias(one) and one.side is side]
        if len(names) > 2:  # noqa: PLR2004  # two are a pair
            yield tuple(names)
    for first, second in combinations(hypotheses, 2):
        is_independent = first.correction.keys().isdisjoint(second.correction)
        if first.side is second.side and is_independent:
            yield first, second


def _of_one_side(
    prover: Prover, proven: list[tuple[tuple[StateHypothesis, ...], Outcome]]
) -> list[tuple[tuple[StateHypothesis, ...], Outcome]]:
    """Return the faults of one side: the side that contradicts its rows, else the ledger.

    A name that only one side can have wrong stays beside a conversion of the other side.
    """
    sides = {chosen[0].side for chosen, _ in proven}
    if len(sides) == 1:
        return proven
    wrong = contradictions(prover.recorded, prover.dimensions, prover.reconciliation.replays)
    side = wrong[0] if wrong else LedgerSide.INTERNAL
    of_side = [each for each in proven if each[0][0].side is side]
    if all(precedence.is_conversion(one) for chosen, _ in of_side for one in chosen):
        of_side += [each for each in proven if not any(map(precedence.is_conversion, each[0]))]
    return of_side or proven


def partial_states(prover: Prover) -> Iterator[First]:
    """Yield the faults of a whole state that account for some diffs, with the repaired side."""
    hypotheses = _hypotheses(prover)
    rows_exist = any(record.fills for record in prover.recorded.own_records().values())
    for hypothesis in hypotheses:
        of_rows = rows_exist and precedence.is_one_figure_of_rows(hypothesis)
        if of_rows or doubt(prover, (hypothesis,)):
            continue
        found = _in_part(prover, (hypothesis,))
        if found is not None:
            first, outcome = found
            if not any(outcome.remaining.get(name) for name in hypothesis.correction):
                yield first


def of_names(prover: Prover, names: Mapping[str, str]) -> tuple[First, Outcome] | None:
    """Return the explanation that the other side calls these currencies of the ledger otherwise."""
    return _in_part(prover, renamed_currencies(prover.dimensions, prover.recorded, names))


def _in_part(prover: Prover, chosen: Sequence[StateHypothesis]) -> tuple[First, Outcome] | None:
    """Return faults of one side with the repaired side, and what remains.

    `None` if no diff disappears, or a new one appears.
    """
    record = _fixed(prover, chosen)
    outcome = None if record is None else prover.outcome({chosen[0].side: record})
    if record is None or outcome is None or not outcome.resolved or outcome.new:
        return None
    return (_explanation(chosen, outcome), chosen[0].side, record), outcome


def _outcome(prover: Prover, chosen: Sequence[StateHypothesis]) -> Outcome | None:
    record = _fixed(prover, chosen)
    return None if record is None else prover.outcome({chosen[0].side: record})


def _fixed(prover: Prover, chosen: Sequence[StateHypothesis]) -> SideRecord | None:
    """Return the side without the faults of its state, `None` if it cannot be repaired."""
    record = prover.recorded.side(chosen[0].side)
    if record is None:
        return None
    names = dict(hypothesis.renamed for hypothesis in chosen if hypothesis.renamed is not None)
    figures = [hypothesis for hypothesis in chosen if hypothesis.renamed is None]
    renamed = _with_names(prover, chosen[0].side, names) if names else record
    if renamed is None or not figures:
        return renamed
    return _with_figures(prover, renamed, figures)


def _with_names(prover: Prover, side: LedgerSide, names: Mapping[str, str]) -> SideRecord | None:
    """Return the side as a policy's aliases give it, `None` if two names would become one."""
    try:
        return with_aliases(prover.recorded, Aliases(**{str(side): names})).side(side)
    except SessionError:
        return None


def _with_figures(
    prover: Prover, record: SideRecord, chosen: Sequence[StateHypothesis]
) -> SideRecord:
    if record.derived:  # no row states its leg: only the state is repaired
        record = replace(record, derived=frozenset(), opening=None)
    names = names_of(prover.dimensions, list(prover.recorded.own_records().values()))
    total: dict[str, Decimal] = {}
    for hypothesis in chosen:
        total = plus(total, hypothesis.correction)
    fixed = shifted(record, prover.dimensions, total, names)
    parts = {part.currency: part for hypothesis in chosen for part in hypothesis.parts}
    return _with_parts(fixed, parts)


def _with_parts(record: SideRecord, parts: dict[str, CashBalance]) -> SideRecord:
    if not parts or record.cash is None:
        return record
    cash = tuple(
        parts[row.currency]
        if row.currency in parts and row.account == parts[row.currency].account
        else row
        for row in record.cash
    )
    return replace(record, cash=cash)


def _explanation(chosen: Sequence[StateHypothesis], outcome: Outcome) -> Explanation:
    side = chosen[0].side
    found = tuple(
        Cause(
            hypothesis.cause_kind,
            hypothesis.side,
            (),
            effect_of(negated(hypothesis.correction)),
            _text(hypothesis),
        )
        for hypothesis in chosen
    )
    text = "; ".join(cause.text for cause in found)
    aliases = dict(hypothesis.renamed for hypothesis in chosen if hypothesis.renamed is not None)
    is_booked = all(causes.family_of(one.cause_kind).is_booked for one in chosen)
    is_cut = side is LedgerSide.EXTERNAL and any(map(precedence.is_rounding, chosen))
    repair = (
        ()
        if aliases or is_cut or not is_booked
        else tuple(
            Booking(
                "adjust", side, _adjustment(name, format_amount(amount)), text, outcome.resolved
            )
            for hypothesis in chosen
            for name, amount in sorted(hypothesis.correction.items())
            if amount
        )
    )
    return Explanation(
        ExplanationVerdict.UNIQUE,
        side,
        found,
        explains=outcome.resolved,
        text=text,
        proof=proof_text(outcome, "the other side's names" if aliases else ""),
        repair=repair,
        aliases={side: aliases} if aliases else {},
        refusal=_CUT if is_cut else "",
    )


def _text(hypothesis: StateHypothesis) -> str:
    words = causes.family_of(hypothesis.cause_kind).state_words[hypothesis.cause_kind]
    text = f"the {hypothesis.side} side {hypothesis.words or words}"
    return f"{text} ({hypothesis.detail})" if hypothesis.detail else text


def _adjustment(name: str, amount: str) -> dict[str, str]:
    section = "position" if is_position(name) else "cash"
    return {section: key_of(name), "amount": amount}
