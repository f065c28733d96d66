"""Explanations in the reports: a sentence, and the lines below a diff.

Every text is safe to print; long lists are cut, and say so.
"""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Final

from recon_core.amounts import format_amount
from recon_core.comparison import ReconDiff
from recon_core.explanation import Cause, Effect, Explanation, ExplanationVerdict
from recon_core.printable import printable
from recon_core.reports.wording import counted

EXPLANATION: Final = "recon.explanation"
"""The property of an item whose diff has one."""

_MOST: Final = 5
_LONGEST: Final = 1000


def explanation_sentence(explanation: Explanation) -> str:
    """One line: `unique: the internal side lacks a fill: BUY 0.1 BTC/EUR at 42000`."""
    causes = explanation.causes
    if not causes:
        return f"{explanation.verdict}: {printable(explanation.text, _LONGEST)}"
    more = f"; and {counted(len(causes) - 1, 'more cause')}" if len(causes) > 1 else ""
    fits = f" ({alternatives_text(explanation)})" if _is_open(explanation) else ""
    return f"{explanation.verdict}{fits}: {printable(causes[0].text, _LONGEST)}{more}"


def explanation_facts(explanation: Explanation) -> Iterator[tuple[str, str]]:
    """The explanation in full, as names and values: verdict, causes, what is left, proof."""
    yield "explanation", _head(explanation)
    for cause in explanation.causes[:_MOST]:
        yield "cause", f"{printable(cause.text, _LONGEST)} ({cause.cause_kind})"
        if cause.effect:
            yield "effect", effect_text(cause.effect)
    if len(explanation.causes) > _MOST:
        yield "cause", f"and {counted(len(explanation.causes) - _MOST, 'more cause')}"
    if explanation.residual:
        yield "left", effect_text(explanation.residual)
    if explanation.proof:
        yield "proof", printable(explanation.proof, _LONGEST)
    if explanation.decides:
        yield "decides", printable(explanation.decides, _LONGEST)


def alternatives_text(explanation: Explanation) -> str:
    """How far an explanation stands alone: `1 of 2 that fit`."""
    if explanation.alternatives > 1:
        return f"1 of {explanation.alternatives} that fit"
    return "it fits, and is not proven"


def explanation_properties(diff: ReconDiff | None) -> dict[str, str]:
    """The property of an item; nothing where its diff has no explanation."""
    found = None if diff is None else diff.explanation
    return {} if found is None else {EXPLANATION: explanation_sentence(found)}


def explanations_of(diffs: Iterable[ReconDiff]) -> list[Explanation]:
    """The explanations of several diffs, each once, in the order of the diffs."""
    found: list[Explanation] = []
    for diff in diffs:
        if diff.explanation is not None and diff.explanation not in found:
            found.append(diff.explanation)
    return found


def effect_text(effect: Effect) -> str:
    """`position BTC/EUR -0.1, cash EUR +4204.2`: signed amounts."""
    parts = [*_amounts("position", effect.position), *_amounts("cash", effect.cash)]
    more = f" and {len(parts) - 2 * _MOST} more" if len(parts) > 2 * _MOST else ""
    return f"{', '.join(parts[: 2 * _MOST])}{more}"


def ids_text(cause: Cause) -> str:
    """The ids of a cause, five of them and how many more there are."""
    shown = ", ".join(printable(each, 60) for each in cause.ids[:_MOST])
    more = len(cause.ids) - _MOST
    return f"{shown} and {more} more" if more > 0 else shown


def _amounts(noun: str, amounts: Mapping[str, Decimal]) -> Iterator[str]:
    for key, amount in amounts.items():
        if amount:
            sign = "+" if amount > 0 else ""
            yield f"{noun} {printable(key, 100)} {sign}{format_amount(amount)}"


def _head(explanation: Explanation) -> str:
    said = str(explanation.verdict)
    if not explanation.causes:
        return f"{said}: {printable(explanation.text, _LONGEST)}"
    if _is_open(explanation):
        said += f", {alternatives_text(explanation)}"
    return said if explanation.side is None else f"{said}, {explanation.side} side"


def _is_open(explanation: Explanation) -> bool:
    return explanation.verdict is ExplanationVerdict.AMBIGUOUS
