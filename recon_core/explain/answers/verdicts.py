"""Verdicts: explanations from proven answers, unique, or ambiguous with the datum that decides."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Final

from recon_core.explain.answers.absent_data import (
    absent,
    absent_rows,
    deciding_rows,
    rows_hint,
    sides_text,
)
from recon_core.explain.answers.doubts import unseen_amounts
from recon_core.explain.answers.rivals import rivals_of
from recon_core.explain.answers.sums import executions_of, with_sums
from recon_core.explain.causes import precedence
from recon_core.explain.problem.dimensions import (
    Vector,
    effect_of,
    is_cash,
    is_position,
    label_of,
    negated,
    signed,
)
from recon_core.explain.problem.hypotheses import MISSING_ID, Row, Strength
from recon_core.explain.problem.patches import total_of
from recon_core.explain.problem.postings import order_name
from recon_core.explain.problem.problem import Problem
from recon_core.explain.problem.wording import row_id, vector_text
from recon_core.explain.proof.attempt import Answer, Part
from recon_core.explain.proof.prover import Outcome, Prover
from recon_core.explain.proof.snapshot_evidence import is_contradicted, since, time_of
from recon_core.explain.proof.wording import cause_text, change_text, off_text
from recon_core.explain.repair.entries import entries_for
from recon_core.explain.search.candidates import moves_derivative
from recon_core.model import Fill, LedgerSide
from recon_core.model.explanation import Cause, Explanation, ExplanationVerdict
from recon_core.values.amounts import EXACT, ZERO, percent_text

_LARGEST_FEE: Final = Decimal("0.01")
"""Largest fee of a missing fill, as a fraction of the amount by which it moves a balance.

1 % is ten times a usual fee. With more, another fault of the cash would pass as a fee; with
less, fills of an expensive venue would have no explanation.
"""

_LARGEST_LIQUIDATION_FEE: Final = Decimal("0.05")
"""The same of an order by which the exchange closes a position: venues charge up to 5 %."""

_OF_LIQUIDATION: Final = ("liquidation", "adl", "autoclose")
"""Words in the type of such an order."""

_MOST_ALTERNATIVES: Final = 5
"""Most ambiguous explanations that are returned.

`alternatives` has the full number. A reader compares a few, and more show only that too little
is known.
"""


ROUNDED_OFF: Final = "the digits that were rounded off"
"""Evidence that would decide if a rounding fits, as it fits many amounts."""

FEE: Final = "the fee of what is missing"
"""Evidence that would decide if little cash remains beside a missing fill."""

SNAPSHOTS: Final = "the rows behind the snapshots that contradict it"
"""Evidence that would decide if an answer accounts for the deltas and not for the snapshots."""


def ratio_hint(prover: Prover, delta: Vector) -> str:
    """Describe several positions that are one whole multiple of the other side's, else empty."""
    recorded, dimensions = prover.recorded, prover.dimensions
    stated = {
        side: dimensions.stated(record)
        for side in LedgerSide
        if (record := recorded.side(side)) is not None
    }
    found: dict[tuple[LedgerSide, int], list[str]] = {}
    for name in sorted(delta):
        mine, theirs = (values.get(name, ZERO) for values in stated.values())
        if not is_position(name) or not mine or not theirs:
            continue
        ratio = Fraction(mine) / Fraction(theirs)
        side, times = (
            (LedgerSide.INTERNAL, ratio) if abs(ratio) > 1 else (LedgerSide.EXTERNAL, 1 / ratio)
        )
        if times > 1 and times.denominator == 1:
            found.setdefault((side, times.numerator), []).append(label_of(name))
    shared = [(key, names) for key, names in found.items() if len(names) > 1]
    return "".join(_ratio_text(side, times, names) for (side, times), names in shared)


def _ratio_text(side: LedgerSide, times: int, names: Sequence[str]) -> str:
    named = " and ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")  # noqa: PLR2004
    why = ", as if every row was booked twice" if times == 2 else ""  # noqa: PLR2004
    return f"; {named} are exactly {times} times as much on the {side} side{why}"


def largest_fee(problem: Problem, fills: Iterable[Fill]) -> Decimal:
    """Return the largest fee that missing fills may have, as a fraction of their value."""
    return _LARGEST_LIQUIDATION_FEE if are_liquidations(problem, fills) else _LARGEST_FEE


def are_liquidations(problem: Problem, fills: Iterable[Fill]) -> bool:
    """True if all fills are of orders by which the exchange closed a position."""
    orders = [problem.orders.get(order_name(fill)) for fill in fills]
    types = ["" if order is None else (order.order_type or "").lower() for order in orders]
    return bool(types) and all(any(word in each for word in _OF_LIQUIDATION) for each in types)


def fee_hint(remaining: Vector, effect: Vector, *, is_liquidation: bool = False) -> str:
    """Describe a residual that may be the fee of the explained fills, else return an empty text.

    `remaining` is the excess of the faulty side: a cost, small against `effect`.
    """
    if len(remaining) != 1:
        return ""
    ((name, left),) = remaining.items()
    moved = effect.get(name, ZERO).copy_abs()
    share = _LARGEST_LIQUIDATION_FEE if is_liquidation else _LARGEST_FEE
    if not is_cash(name) or not ZERO < left <= EXACT.multiply(moved, share):
        return ""
    if is_liquidation:
        return f", consistent with a liquidation fee of {percent_text(left, moved)} of its value"
    return ", consistent with the fee"


def explanations_of(prover: Prover, answers: Sequence[Answer]) -> tuple[Explanation, ...]:
    """Return one explanation for each answer that differs in kind or amount.

    A single answer is unique if it is complete, has no rival, all its amounts are compared, and no
    snapshot contradicts it. All others are ambiguous.
    """
    distinct = [with_sums(answer) for answer in _distinct(answers)]
    rivals = _of_each_kind([each for one in distinct for each in rivals_of(prover, one)])
    told = [_explanation(prover, answer) for answer in (*distinct, *rivals)]
    found = [
        one for at, one in enumerate(told) if one.text not in {each.text for each in told[:at]}
    ]
    is_single = len(distinct) == 1 and is_whole(prover, answers)
    is_single = is_single and not _has_other_prices(distinct[0])
    others = executions_of(prover.recorded, distinct) or next((one.decides for one in rivals), "")
    if is_single and not rivals and not others:
        return (found[0],)
    contradicted = any(map(is_contradicted, answers))
    decides = SNAPSHOTS if contradicted else answers[0].decides or (is_single and others)
    decides = decides or _decides(prover, _unseen(prover, distinct), distinct)
    return tuple(not_proven(one, decides, len(found)) for one in found[:_MOST_ALTERNATIVES])


def is_whole(prover: Prover, answers: Sequence[Answer]) -> bool:
    """True if answers are complete, all their amounts are compared, and no snapshot denies them."""
    return (
        all(answer.complete for answer in answers)
        and not _unseen(prover, answers)
        and not any(map(is_contradicted, answers))
    )


def _unseen(prover: Prover, answers: Sequence[Answer]) -> list[str]:
    return sorted({name for answer in answers for name in unseen_amounts(prover, answer)})


def not_proven(one: Explanation, decides: str, count: int) -> Explanation:
    """Return an explanation as ambiguous, as one of `count` that fit."""
    is_ambiguous = one.verdict is ExplanationVerdict.AMBIGUOUS
    causes = "; ".join(cause.text for cause in one.causes) if is_ambiguous else one.text
    return replace(
        one,
        verdict=ExplanationVerdict.AMBIGUOUS,
        text=f"{_fits(count)}; {decides} would decide. {causes}",
        decides=decides,
        alternatives=count,
        repair=(),
        aliases={},
    )


def _fits(count: int) -> str:
    return f"{count} explanations fit" if count > 1 else "an explanation fits, but is not proven"


def partial(prover: Prover, answer: Answer) -> Explanation:
    """Return an explanation whose causes leave a part of the deltas."""
    whole, remaining = _explanation(prover, answer), answer.outcome.remaining
    added, postings = answer.patch.added, answer.problem.postings
    is_liquidation = are_liquidations(answer.problem, added)
    # A position that is closed moves cash by its PnL; the fee is a share of its value.
    effects = [postings.fills(added)] if is_liquidation else [one.effect for one in answer.parts]
    hint = fee_hint(
        signed(remaining, answer.side), total_of(effects), is_liquidation=is_liquidation
    )
    found = in_part(prover, whole, answer.outcome, hint)
    if not hint:
        return found
    return replace(found, decides=FEE, known=(f"{vector_text(remaining)} remains{hint}",))


def in_part(prover: Prover, one: Explanation, outcome: Outcome, hint: str = "") -> Explanation:
    """Return an explanation that leaves a part of the deltas; `hint` says what it may be."""
    rest = absent(prover.recorded, ["movements", "opening"])
    return replace(
        one,
        verdict=ExplanationVerdict.PARTIAL,
        text=f"{one.text}; {vector_text(outcome.remaining)} remains{hint}",
        residual=effect_of(outcome.all_remaining),
        decides=rest or deciding_rows(prover.recorded),
        repair=(),
    )


def rounded_explanations(
    prover: Prover, answers: Sequence[Answer], decides: str
) -> tuple[Explanation, ...]:
    """Return explanations that leave less than the rounding of a figure: never unique.

    `partial` if a single answer leaves a residual, else `ambiguous`.
    """
    distinct = _distinct(answers)
    count = len(distinct)
    leaves = any(answer.outcome.remaining for answer in distinct)
    verdict = ExplanationVerdict.PARTIAL if leaves and count == 1 else ExplanationVerdict.AMBIGUOUS
    fits = _fits(count)
    return tuple(
        replace(
            one,
            verdict=verdict,
            text=f"{fits}: {one.text}{off_text(answer.outcome.remaining)}; {decides} would decide",
            decides=decides,
            alternatives=count,
            explains=_with_what_is_left(prover, one, answer),
            repair=(),
        )
        for answer in distinct[:_MOST_ALTERNATIVES]
        for one in [_explanation(prover, answer)]
    )


def _with_what_is_left(prover: Prover, one: Explanation, answer: Answer) -> tuple[str, ...]:
    """Return the diffs that disappear, and the diffs of which only a rounding remains."""
    return tuple(sorted({*one.explains, *(prover.before & answer.outcome.remaining.keys())}))


def alternatives(prover: Prover, found: Sequence[Explanation]) -> tuple[Explanation, ...]:
    """Return one explanation, or several as ambiguous if they differ in kind or amount."""
    distinct = {
        tuple(sorted((str(cause.side), str(cause.cause_kind), str(cause.effect.to_dict()))
                     for cause in one.causes)): one
        for one in reversed(found)
    }  # fmt: skip
    each = list(reversed(distinct.values()))
    if len(each) == 1 and each[0].verdict is ExplanationVerdict.UNIQUE:
        return (each[0],)
    decides = next((one.decides for one in each if one.decides), deciding_rows(prover.recorded))
    return tuple(not_proven(one, decides, len(each)) for one in each[:_MOST_ALTERNATIVES])


def _distinct(answers: Sequence[Answer]) -> list[Answer]:
    """Return the answers that differ in side, kind or amount; rows of equal answers are united."""
    return _each_repair_once(_of_each_kind(answers))


def _of_each_kind(answers: Sequence[Answer]) -> list[Answer]:
    found: dict[object, Answer] = {}
    for answer in answers:
        key = (answer.side, *sorted(map(_amounts, answer.parts)))
        known = found.get(key)
        found[key] = answer if known is None else _merged(known, answer)
    return list(found.values())


def _each_repair_once(answers: Sequence[Answer]) -> list[Answer]:
    """Return one answer for each repair: the answer with the most specific causes."""
    found: dict[object, Answer] = {}
    for answer in answers:
        key = _repair(answer)
        known = found.get(key)
        if known is None or _figure_count(answer) < _figure_count(known):
            found[key] = answer
    return list(found.values())


def _repair(answer: Answer) -> tuple[object, ...]:
    """Return the side and the patch of an answer as a key, its kind of cause ignored."""
    patch = answer.patch
    removed = sorted(map(id, (*patch.removed, *patch.removed_movements)))
    added = sorted(map(str, (*patch.added, *patch.added_movements)))
    return answer.side, tuple(removed), tuple(added), str(patch.opening)


def _figure_count(answer: Answer) -> int:
    return precedence.figure_count(part.hypothesis for part in answer.parts)


def _amounts(part: Part) -> tuple[str, ...]:
    """Return the kind and the amounts of a cause as a key, its fitted numbers included."""
    hypothesis, numbers = part.hypothesis, list[Decimal]()
    patch = hypothesis.patch
    if patch.added and (
        hypothesis.strength >= Strength.FITTED or precedence.is_quantity(hypothesis)
    ):
        new = patch.added[0]
        numbers = [new.quantity, new.price]
        # Of a fill that no row states its price and its fee were found together.
        numbers += [one for old in patch.removed[:1] for one in (old.quantity, old.price)] or [
            new.fee
        ]
    fitted = (str(number.normalize(EXACT)) for number in numbers)
    return (str(part.hypothesis.cause_kind), vector_text(part.effect), *fitted)


def _has_other_prices(answer: Answer) -> bool:
    """True if any of several fills of a derivative may be wrong, at prices that later PnL shows."""
    return any(
        len(part.rows) > part.required_count
        and moves_derivative(answer.problem, part.hypothesis.patch)
        and len({row.price for row in part.rows if isinstance(row, Fill)}) > 1
        for part in answer.parts
    )


def _merged(first: Answer, second: Answer) -> Answer:
    parts = tuple(
        replace(one, rows=tuple({id(row): row for row in (*one.rows, *other.rows)}.values()))
        for one, other in zip(first.parts, second.parts, strict=True)
    )
    return replace(first, parts=parts)


def _decides(prover: Prover, unseen: Sequence[str], answers: Sequence[Answer]) -> str:
    recorded = prover.recorded
    unseen = [name for name in unseen if name]
    if not unseen:
        fills = any((*answer.patch.removed, *answer.patch.added) for answer in answers)
        return deciding_rows(recorded, of_movements=not fills)
    named = ", ".join(label_of(name) for name in unseen[:3])
    what, section = ("position", "positions") if is_position(unseen[0]) else ("cash", "cash")
    lacking = [side for side, record in recorded.own_records().items()
               if record.rows(section) is None]  # fmt: skip
    return f"the {what} {named} of {sides_text(lacking or list(LedgerSide))}"


def _explanation(prover: Prover, answer: Answer) -> Explanation:
    causes = tuple(_cause(answer, part) for part in answer.parts)
    sides = {cause.side for cause in causes}
    explanation = Explanation(
        verdict=ExplanationVerdict.UNIQUE,
        side=sides.pop() if len(sides) == 1 else None,
        causes=causes,
        residual=effect_of(answer.outcome.all_remaining),
        explains=answer.outcome.resolved,
        text="; ".join(cause.text for cause in causes),
        proof=f"{proof_text(answer.outcome, change_text(answer.patch))}{since(answer)}",
    )
    return replace(explanation, repair=entries_for(prover, answer, explanation))


def _cause(answer: Answer, part: Part) -> Cause:
    side = part.hypothesis.side or answer.side
    text = cause_text(part.hypothesis, side, part.rows, required_count=part.required_count)
    return Cause(
        cause_kind=part.hypothesis.cause_kind,
        side=side,
        ids=_ids(part.rows),
        effect=effect_of(part.effect if side is answer.side else negated(part.effect)),
        text=f"{text}{time_of(part.hypothesis, answer)}",
    )


def _ids(rows: Sequence[Row]) -> tuple[str, ...]:
    ids = [row_id(row) for row in rows]
    return tuple(dict.fromkeys(each for each in ids if each != MISSING_ID))


def proof_text(outcome: Outcome, patch: str) -> str:
    """Return the proof of an explanation in words."""
    count = len(outcome.resolved)
    diffs = "1 diff disappears" if count == 1 else f"{count} diffs disappear"
    return f"reconciled again with {patch or 'the correction'}: {diffs}, none appears"


def unexplained(prover: Prover, delta: Vector, decides: str = "") -> Explanation:
    """Return the explanation that nothing fits; `decides` if more than rows would decide."""
    hint = f"{ratio_hint(prover, delta)}{rows_hint(prover.recorded)}"
    text = f"{vector_text(delta)}{hint}"
    return Explanation(
        verdict=ExplanationVerdict.UNEXPLAINED,
        residual=effect_of(delta),
        text=f"no one or two faults that the rows show account for {text}",
        decides=decides or absent_rows(prover.recorded),
    )


def too_many_rows(rows: int, most: int) -> Explanation:
    """Return the explanation that a session was not searched for its size."""
    return Explanation(
        verdict=ExplanationVerdict.NOT_SEARCHED,
        text=f"the session has {rows} fills and movements; at most {most} are searched",
        decides="the same session in shorter parts",
    )


def not_searched(delta: Vector) -> Explanation:
    """Return the explanation that the budget ended before the search."""
    return Explanation(
        verdict=ExplanationVerdict.NOT_SEARCHED,
        residual=effect_of(delta),
        text=f"the search ended at its budget before {vector_text(delta)} was explained",
        decides="a search with more operations (full)",
    )
