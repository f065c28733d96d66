"""Explanations in the words of people: a sentence, and the facts below a difference.

Every text is safe to print; long lists are cut, and say so.
"""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Final, Protocol

from recon_core.compare.keys import key_label
from recon_core.model import LedgerSide
from recon_core.model.comparison import ReconDiff
from recon_core.model.explanation import Cause, CauseKind, Effect, Explanation, ExplanationVerdict
from recon_core.reports.layout import BOLD, Row
from recon_core.reports.side_names import SideNames
from recon_core.reports.wording import counted
from recon_core.values.amounts import format_amount
from recon_core.values.printable import printable

EXPLANATION: Final = "recon.explanation"
"""The property of an item whose diff has one."""

_MOST: Final = 5
"""Causes or entries that a text lists; more are counted."""
_MOST_FACTS: Final = 3
"""Facts in one sentence; `recon explain` shows all."""
_LONGEST: Final = 450
"""Characters of a sentence of an explanation; ids of any length must not fill the screen."""
_PLAIN: Final = {
    "no one or two faults that the rows show account for": "no one or two faults account for",
    "neither side gives rows": "neither side lists its fills, so there is nothing to search",
    " gives no rows": " lists no fills",
    "has rounded what it states": "reports rounded figures",
    "what it states": "what it reports",
}
"""Words of the engine, and what a trader says."""
_SUBJECT: Final = "the {} side "


def explanation_sentence(explanation: Explanation, names: SideNames) -> str:
    """One line: `unique: the ledger lacks a fill: BUY 0.1 BTC/EUR at 42000`."""
    causes = explanation.causes
    if not causes:
        text = said(explanation.text, names)
        return f"{explanation.verdict}: {text}{_facts(explanation, names)}"
    more = f"; and {counted(len(causes) - 1, 'more cause')}" if len(causes) > 1 else ""
    fits = f" ({_fit_text(explanation)})" if _is_open(explanation) else ""
    text = f"{explanation.verdict}{fits}: {said(causes[0].text, names)}{more}"
    return f"{text}{_facts(explanation, names)}"


def _facts(explanation: Explanation, names: SideNames) -> str:
    """Return the first facts about a difference whose cause is not proven, after a sentence."""
    if explanation.verdict is ExplanationVerdict.UNIQUE:
        return ""
    shown = "; ".join(said(each, names) for each in explanation.known[:_MOST_FACTS])
    more = len(explanation.known) - _MOST_FACTS
    return f"; known: {shown}{f'; and {more} more' if more > 0 else ''}" if shown else ""


def said(sentence: str, names: SideNames) -> str:
    """Return a sentence of an explanation in the words of people, and not too long."""
    text = names.said(printable(sentence, _LONGEST))
    for words, plain in _PLAIN.items():
        text = text.replace(words, plain)
    return text


def certainty_text(explanation: Explanation) -> str:
    """Return how sure a cause is: `Cause, proven`, `Possible cause, 1 of 12 that fit`."""
    if explanation.verdict is ExplanationVerdict.UNIQUE:
        return "Cause, proven"
    if explanation.verdict is ExplanationVerdict.PARTIAL:
        return "Cause of a part"
    return f"Possible cause, {_fit_text(explanation)}"


def _fit_text(explanation: Explanation) -> str:
    if explanation.alternatives > 1:
        return f"1 of {explanation.alternatives} that fit"
    return "not proven"


def cause_phrase(cause: Cause, names: SideNames) -> str:
    """Return a cause without its side, which is in front: `missing a fill: SELL 0.026 …`."""
    text = cause.text
    if cause.side is not None:
        text = text.removeprefix(_SUBJECT.format(cause.side))
    if text.startswith("lacks "):
        text = f"missing {text.removeprefix('lacks ')}"
    return said(text, names)


def side_text(cause: Cause, names: SideNames) -> str:
    """Return the side of a cause behind how sure it is, as in ` (ledger)`."""
    return "" if cause.side is None else f" ({names.of(cause.side)})"


def explanation_rows(
    explanation: Explanation,
    names: SideNames,
    *,
    whole: bool = False,
    notes: tuple[str, ...] = (),
) -> Iterator[Row]:
    """Yield an explanation row by row: causes, what remains, proof, what would decide.

    With `whole` the kinds and the ids of the causes and what would repair them are among the
    rows. Amounts are exact. A fact that is one of the `notes` on a difference is left out: the
    reader has both.
    """
    yield from _cause_rows(explanation, names, whole=whole)
    if explanation.residual:
        yield Row(effect_text(explanation.residual), "Remains: ")
    for fact in explanation.known:
        if not fact.endswith(notes):
            yield Row(said(fact, names), "Known: ")
    if explanation.proof:
        yield Row(said(explanation.proof, names), "Checked: ")
    if explanation.decides:
        yield Row(said(explanation.decides, names), "To find out: ")
    if whole:
        yield from _repair_rows(explanation, names)


def _cause_rows(explanation: Explanation, names: SideNames, *, whole: bool) -> Iterator[Row]:
    causes = explanation.causes
    if not causes:
        is_found = explanation.verdict is ExplanationVerdict.UNIQUE
        head = "Cause" if is_found else "No cause found"
        yield Row(said(explanation.text, names), f"{head}: ", BOLD)
    certainty = certainty_text(explanation)
    for place, cause in enumerate(causes[:_MOST], 1):
        number = f", {place} of {len(causes)} together" if len(causes) > 1 else ""
        head = f"{certainty}{number}{side_text(cause, names)}: "
        yield Row(cause_phrase(cause, names), head, BOLD)
        if whole:
            yield Row(str(cause.cause_kind), "Kind: ")
        if whole and cause.ids:
            yield Row(_listed(cause.ids), "Ids: ")
        if cause.effect:
            yield Row(effect_text(cause.effect), "Off by: ")
    if len(causes) > _MOST:
        yield Row(f"and {counted(len(causes) - _MOST, 'more cause')}")


def _repair_rows(explanation: Explanation, names: SideNames) -> Iterator[Row]:
    for entry in explanation.repair[:_MOST]:
        yield Row(entry_text(entry, names), "Repair: ")
    if len(explanation.repair) > _MOST:
        more = counted(len(explanation.repair) - _MOST, "more booking")
        yield Row(f"and {more}; recon repair writes them all", "Repair: ")
    if explanation.leaves_out_the_exchange:
        yield Row(names.said(_next_step(explanation)), "To do: ")
    for line in ("[aliases]", *alias_lines(explanation.aliases)) if explanation.aliases else ():
        yield Row(line, "Policy: ", is_whole=True)


_BEHIND: Final = frozenset({CauseKind.STALE_SIDE, CauseKind.AS_OF_SHIFT})

_COUNTS_OTHERWISE: Final = frozenset({
    CauseKind.UNIT,
    CauseKind.SIGN_CONVENTION,
    CauseKind.SPLIT,
    CauseKind.BALANCE_KIND,
    CauseKind.NETTED_LEGS,
})  # fmt: skip


def _next_step(explanation: Explanation) -> str:
    """Return what to do about a fault of the external side, whose record is left as it is."""
    kinds = {one.cause_kind for one in explanation.causes if one.side is LedgerSide.EXTERNAL}
    if kinds <= _BEHIND:
        step = "ask the external side again, its state is from before these rows"
    elif kinds <= {CauseKind.ROUNDING}:
        step = "allow what the external side rounds off with a tolerance of the policy"
    elif kinds <= _COUNTS_OTHERWISE:
        step = "record the external side's figures as the ledger counts them"
    else:
        step = "fetch the external side's rows again, or ask the exchange to correct them"
    return f"{step}; its record is left as it is (--repair-exchange proposes entries for it)"


def alias_lines(aliases: Mapping[LedgerSide, Mapping[str, str]]) -> Iterator[str]:
    """Yield the lines of a policy's `[aliases]`: `external = { "XBT" = "BTC" }`, in TOML."""
    for side, names in sorted(aliases.items()):
        pairs = (f"{_toml_text(own)} = {_toml_text(other)}" for own, other in names.items())
        yield f"{side} = {{ {', '.join(pairs)} }}"


def _toml_text(name: str) -> str:
    """A name as a basic string; what cannot be printed is escaped."""
    return f'"{"".join(map(_toml_character, name))}"'


def _toml_character(one: str) -> str:
    if one in {'"', "\\"}:
        return f"\\{one}"
    return one if one.isprintable() else f"\\U{ord(one):08X}"


def explanation_properties(diff: ReconDiff | None, names: SideNames) -> dict[str, str]:
    """The property of an item; nothing where its diff has no explanation."""
    found = None if diff is None else diff.explanation
    return {} if found is None else {EXPLANATION: explanation_sentence(found, names)}


def effect_text(effect: Effect) -> str:
    """`position BTC/EUR -0.1, cash EUR +4204.2`: signed amounts, the first ten.

    The others are counted; of an effect that a diff carries only the first ones are known.
    """
    parts = [*_amounts("position", effect.position), *_amounts("cash", effect.cash)]
    more = len(parts) - 2 * _MOST
    if more <= 0:
        return ", ".join(parts)
    least = "at least " if effect.may_be_trimmed else ""
    return f"{', '.join(parts[: 2 * _MOST])} and {least}{more} more"


def _listed(names: Iterable[str]) -> str:
    """Five names, and how many more there are."""
    every = list(names)
    shown = ", ".join(printable(each, 60) for each in every[:_MOST])
    more = len(every) - _MOST
    return f"{shown} and {more} more" if more > 0 else shown


def _amounts(noun: str, amounts: Mapping[str, Decimal]) -> Iterator[str]:
    for key, amount in amounts.items():
        if amount:
            sign = "+" if amount > 0 else ""
            yield f"{noun} {key_label(key)} {sign}{format_amount(amount)}"


def _is_open(explanation: Explanation) -> bool:
    return explanation.verdict is ExplanationVerdict.AMBIGUOUS


class Correcting(Protocol):
    """A correcting entry, of an explanation or of a repair."""

    @property
    def action(self) -> str:
        """The action, such as `add_fill`."""

    @property
    def side(self) -> LedgerSide:
        """Whose rows or amounts."""

    @property
    def row(self) -> Mapping[str, str]:
        """With what."""


def entry_text(entry: Correcting, names: SideNames) -> str:
    """`ledger: add fill f7 (BUY 0.1 BTC/EUR at 42000, fee 4.2 EUR, 2026-01-01T12:00:00Z)`."""
    row = {name: printable(value, 100) for name, value in entry.row.items()}
    verb, _, noun = entry.action.partition("_")
    if noun == "fill":
        details = _fill_text(row)
    elif noun == "movement":
        details = f"{row.get('kind')} {row.get('movement_id')} ({_movement_text(row)})"
    else:
        details = _adjustment_text(row)
    return f"{names.of(entry.side)}: {verb} {noun} {details}"


def _fill_text(row: Mapping[str, str]) -> str:
    order = row.get("client_order_id") or row.get("exchange_order_id")
    of_order = f" of order {order}" if order else ""
    fee = f", fee {row['fee']} {row.get('fee_currency')}" if "fee" in row else ""
    trade = f"{row.get('side')} {row.get('quantity')} {row.get('symbol')} at {row.get('price')}"
    return f"{row.get('fill_id')}{of_order} ({trade}{fee}, {row.get('time')})"


def _movement_text(row: Mapping[str, str]) -> str:
    moved = [
        f"{row[amount]} {row.get(name)}"
        for amount, name in (("amount", "currency"), ("quantity", "symbol"))
        if amount in row
    ]
    return f"{' and '.join(moved)}, {row.get('time')}"


def _adjustment_text(row: Mapping[str, str]) -> str:
    if not {"amount", "stated", "corrected"} <= row.keys():
        return ", ".join(f"{name} {value}" for name, value in row.items())
    leg = f" {row['leg']}" if "leg" in row else ""
    account = f" of account {row['account']}" if "account" in row else ""
    name = f"{row.get('symbol') or row.get('currency')}{leg}{account}"
    return f"{name} by {row['amount']}, from {row['stated']} to {row['corrected']}"
