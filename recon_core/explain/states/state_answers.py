"""Faults of a whole state, proven: one, several renamed names, or two that do not overlap."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import combinations
from typing import Final

from recon_core.aliases import with_aliases
from recon_core.amounts import format_amount
from recon_core.errors import SessionError
from recon_core.explain.answers.sequels import First, rounds_besides
from recon_core.explain.answers.verdicts import ROUNDED_OFF, not_proven, proof_text
from recon_core.explain.effects.changes import names_of, shifted
from recon_core.explain.effects.space import effect_of, is_position, negated, plus
from recon_core.explain.grounds.grounds import contradictions
from recon_core.explain.proving.proof import Outcome, Prover
from recon_core.explain.states.account_states import account_edits
from recon_core.explain.states.state_doubts import doubt
from recon_core.explain.states.state_edits import state_edits
from recon_core.explain.states.states import StateEdit
from recon_core.explanation import Booking, Cause, CauseKind, Explanation, ExplanationVerdict
from recon_core.model import CashBalance, LedgerSide, SideRecord
from recon_core.policy.aliases import Aliases

_MOST_EDITS: Final = 12
_WORDS: Final = {
    CauseKind.ROUNDING: "has rounded what it states",
    CauseKind.UNIT: "counts in another unit",
    CauseKind.SIGN_CONVENTION: "states amounts with the other sign",
    CauseKind.SPLIT: "has not applied a split",
    CauseKind.ALIAS: "uses another name",
    CauseKind.BALANCE_KIND: "states another kind of balance",
    CauseKind.NETTED_LEGS: "has netted hedge legs",
    CauseKind.FOREIGN_ACTIVITY: "holds activity that is not its own",
}


def state_answers(prover: Prover) -> tuple[Explanation, ...]:
    """The explanations by faults of a whole state that account for everything."""
    edits = _edits(prover)
    proven = [
        (chosen, outcome)
        for chosen in _choices(edits)
        for outcome in [_outcome(prover, chosen)]
        if outcome is not None and outcome.proven and outcome.vanished
    ]
    if not proven:
        return ()
    fewest = min(len(chosen) for chosen, _ in proven)
    best = _of_one_side(prover, [each for each in proven if len(each[0]) == fewest])
    explanations = [_explanation(chosen, outcome) for chosen, outcome in best]
    doubtful = doubt(prover, best[0][0])
    if rounds_besides(explanations[0].causes):
        doubtful = doubtful or ROUNDED_OFF
    if len({tuple(edit.cause_kind for edit in chosen) for chosen, _ in best}) == 1:
        explanations = explanations[:1]
        if not doubtful:
            return tuple(explanations)
    decides, count = doubtful or "the movements of both sides", len(explanations)
    return tuple(not_proven(one, decides, count) for one in explanations)


def only_rounded(explanations: Sequence[Explanation]) -> bool:
    """Whether all that was found are roundings: those fit many amounts."""
    causes = [cause for one in explanations for cause in one.causes]
    return all(cause.cause_kind is CauseKind.ROUNDING for cause in causes)


def beside_rounding(
    found: tuple[Explanation, ...], rounded: tuple[Explanation, ...]
) -> tuple[Explanation, ...]:
    """What a row accounts for in cash alone, where a rounding accounts for the same.

    An amount that small may be what was rounded off; one that moves a position is not.
    """
    causes = [cause for one in found for cause in one.causes]
    if any(cause.effect.position for cause in causes) or not all(
        one.verdict is ExplanationVerdict.UNIQUE for one in rounded
    ):
        return found
    return in_doubt((*found, *rounded)) if rounded else found


def in_doubt(found: tuple[Explanation, ...]) -> tuple[Explanation, ...]:
    """Explanations that the digits of a rounded figure would tell apart."""
    return tuple(not_proven(one, ROUNDED_OFF, len(found)) for one in found)


def _edits(prover: Prover) -> list[StateEdit]:
    space, recorded = prover.space, prover.recorded
    return _telling([*state_edits(space, recorded), *account_edits(space, recorded)][:_MOST_EDITS])


def _telling(edits: Sequence[StateEdit]) -> list[StateEdit]:
    """Without the new names for what are the legs of one name."""
    netted = {name for e in edits if e.cause_kind is CauseKind.NETTED_LEGS for name in e.correction}
    return [
        edit
        for edit in edits
        if edit.cause_kind is not CauseKind.ALIAS or netted.isdisjoint(edit.correction)
    ]


def _choices(edits: Sequence[StateEdit]) -> Iterator[tuple[StateEdit, ...]]:
    for edit in edits:
        yield (edit,)
    for side in LedgerSide:
        names = [e for e in edits if e.cause_kind is CauseKind.ALIAS and e.side is side]
        if len(names) > 2:  # noqa: PLR2004  # two are a pair
            yield tuple(names)
    for first, second in combinations(edits, 2):
        apart = first.correction.keys().isdisjoint(second.correction)
        if first.side is second.side and apart:
            yield first, second


def _of_one_side(
    prover: Prover, proven: list[tuple[tuple[StateEdit, ...], Outcome]]
) -> list[tuple[tuple[StateEdit, ...], Outcome]]:
    """Where both sides may have the fault: the one that contradicts its rows, else the ledger."""
    sides = {chosen[0].side for chosen, _ in proven}
    if len(sides) == 1:
        return proven
    wrong = contradictions(prover.recorded, prover.space, prover.reconciliation.replays)
    side = wrong[0] if wrong else LedgerSide.INTERNAL
    return [each for each in proven if each[0][0].side is side] or proven


def partial_states(prover: Prover) -> Iterator[First]:
    """Faults of a whole state that account for some diffs, wherever the rest comes from."""
    edits = _edits(prover)
    for edit in edits:
        if doubt(prover, (edit,)):
            continue
        record = _fixed(prover, (edit,))
        outcome = None if record is None else prover.outcome({edit.side: record})
        if record is None or outcome is None or not outcome.vanished or outcome.appeared:
            continue
        if not any(outcome.remaining.get(name) for name in edit.correction):
            yield _explanation((edit,), outcome), edit.side, record


def _outcome(prover: Prover, chosen: Sequence[StateEdit]) -> Outcome | None:
    record = _fixed(prover, chosen)
    return None if record is None else prover.outcome({chosen[0].side: record})


def _fixed(prover: Prover, chosen: Sequence[StateEdit]) -> SideRecord | None:
    """The side without the faults of its state."""
    record = prover.recorded.side(chosen[0].side)
    if record is None:
        return None
    names = dict(edit.renamed for edit in chosen if edit.renamed is not None)
    figures = [edit for edit in chosen if edit.renamed is None]
    renamed = _with_names(prover, chosen[0].side, names) if names else record
    if renamed is None or not figures:
        return renamed
    return _with_figures(prover, renamed, figures)


def _with_names(prover: Prover, side: LedgerSide, names: Mapping[str, str]) -> SideRecord | None:
    """The side as a policy's aliases give it; `None` where two names would become one."""
    try:
        return with_aliases(prover.recorded, Aliases(**{str(side): names})).side(side)
    except SessionError:
        return None


def _with_figures(prover: Prover, record: SideRecord, chosen: Sequence[StateEdit]) -> SideRecord:
    if record.derived:  # which leg a row is of, no row tells: the state alone is put right
        record = replace(record, derived=frozenset(), opening=None)
    names = names_of(prover.space, list(prover.recorded.own_records().values()))
    total: dict[str, Decimal] = {}
    for edit in chosen:
        total = plus(total, edit.correction)
    fixed = shifted(record, prover.space, total, names)
    parts = {part.currency: part for edit in chosen for part in edit.parts}
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


def _explanation(chosen: Sequence[StateEdit], outcome: Outcome) -> Explanation:
    side = chosen[0].side
    causes = tuple(
        Cause(
            edit.cause_kind,
            edit.side,
            (),
            effect_of(negated(edit.correction)),
            _text(edit),
        )
        for edit in chosen
    )
    text = "; ".join(cause.text for cause in causes)
    aliases = dict(edit.renamed for edit in chosen if edit.renamed is not None)
    repair = (
        ()
        if aliases
        else tuple(
            Booking(
                "adjust", side, _adjustment(name, format_amount(amount)), text, outcome.vanished
            )
            for edit in chosen
            for name, amount in sorted(edit.correction.items())
            if amount
        )
    )
    return Explanation(
        ExplanationVerdict.UNIQUE,
        side,
        causes,
        explains=outcome.vanished,
        text=text,
        proof=proof_text(outcome, "the other side's names" if aliases else ""),
        repair=repair,
        aliases={side: aliases} if aliases else {},
    )


def _text(edit: StateEdit) -> str:
    said = f"the {edit.side} side {edit.words or _WORDS[edit.cause_kind]}"
    return f"{said} ({edit.detail})" if edit.detail else said


def _adjustment(name: str, amount: str) -> dict[str, str]:
    section = "position" if is_position(name) else "cash"
    return {section: name.split("::", 1)[1], "amount": amount}
