"""Explanations in the reports: a sentence, and the lines below a diff.

Every text is safe to print; long lists are cut, and say so.
"""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Final, Protocol

from recon_core.model import LedgerSide
from recon_core.model.comparison import ReconDiff
from recon_core.model.explanation import CauseKind, Effect, Explanation, ExplanationVerdict
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


def explanation_sentence(explanation: Explanation) -> str:
    """One line: `unique: the internal side lacks a fill: BUY 0.1 BTC/EUR at 42000`."""
    causes = explanation.causes
    if not causes:
        return (
            f"{explanation.verdict}: {printable(explanation.text, _LONGEST)}{_facts(explanation)}"
        )
    more = f"; and {counted(len(causes) - 1, 'more cause')}" if len(causes) > 1 else ""
    fits = f" ({alternatives_text(explanation)})" if _is_open(explanation) else ""
    said = f"{explanation.verdict}{fits}: {printable(causes[0].text, _LONGEST)}{more}"
    return f"{said}{_facts(explanation)}"


def _facts(explanation: Explanation) -> str:
    """Return the first facts about a difference whose cause is not proven, after a sentence."""
    if explanation.verdict is ExplanationVerdict.UNIQUE:
        return ""
    shown = "; ".join(printable(each, _LONGEST) for each in explanation.known[:_MOST_FACTS])
    more = len(explanation.known) - _MOST_FACTS
    return f"; known: {shown}{f'; and {more} more' if more > 0 else ''}" if shown else ""


def explanation_facts(explanation: Explanation, *, ids: bool = False) -> Iterator[tuple[str, str]]:
    """The explanation as names and values: verdict, causes, what is left, proof, what decides."""
    yield "explanation", _head(explanation)
    for cause in explanation.causes[:_MOST]:
        yield "cause", f"{cause.cause_kind}: {printable(cause.text, _LONGEST)}"
        if ids and cause.ids:
            yield "ids", _listed(cause.ids)
        if cause.effect:
            yield "effect", effect_text(cause.effect)
    if len(explanation.causes) > _MOST:
        yield "cause", f"and {counted(len(explanation.causes) - _MOST, 'more cause')}"
    if explanation.residual:
        yield "left", effect_text(explanation.residual)
    for fact in explanation.known:
        yield "known", printable(fact, _LONGEST)
    if explanation.proof:
        yield "proof", printable(explanation.proof, _LONGEST)
    if explanation.decides:
        yield "decides", printable(explanation.decides, _LONGEST)


def whole_explanation(explanation: Explanation) -> Iterator[tuple[str, str]]:
    """The explanation with the ids of its causes, what it explains and what would repair it."""
    for name, value in explanation_facts(explanation, ids=True):
        if name == "proof" and explanation.explains:
            yield "explains", _listed(each.replace("::", " ", 1) for each in explanation.explains)
        yield name, value
    for entry in explanation.repair[:_MOST]:
        yield "repair", entry_text(entry)
    if len(explanation.repair) > _MOST:
        more = counted(len(explanation.repair) - _MOST, "more booking")
        yield "repair", f"and {more}; recon repair writes them all"
    if explanation.leaves_out_the_exchange:
        yield "next", _next_step(explanation)
    for line in ("[aliases]", *alias_lines(explanation.aliases)) if explanation.aliases else ():
        yield "policy", line


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


def alternatives_text(explanation: Explanation) -> str:
    """Return the number of explanations that fit, as in `1 of 2 that fit`."""
    if explanation.alternatives > 1:
        return f"1 of {explanation.alternatives} that fit"
    return "it fits, and is not proven"


def explanation_properties(diff: ReconDiff | None) -> dict[str, str]:
    """The property of an item; nothing where its diff has no explanation."""
    found = None if diff is None else diff.explanation
    return {} if found is None else {EXPLANATION: explanation_sentence(found)}


def effect_text(effect: Effect) -> str:
    """`position BTC/EUR -0.1, cash EUR +4204.2`: signed amounts."""
    parts = [*_amounts("position", effect.position), *_amounts("cash", effect.cash)]
    more = f" and {len(parts) - 2 * _MOST} more" if len(parts) > 2 * _MOST else ""
    return f"{', '.join(parts[: 2 * _MOST])}{more}"


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


def entry_text(entry: Correcting) -> str:
    """`add fill f7 (BUY 0.1 BTC/EUR at 42000, fee 4.2 EUR, 2026-01-01T12:00:00Z)`."""
    row = {name: printable(value, 100) for name, value in entry.row.items()}
    verb, _, noun = entry.action.partition("_")
    if noun == "fill":
        details = _fill_text(row)
    elif noun == "movement":
        details = f"{row.get('kind')} {row.get('movement_id')} ({_movement_text(row)})"
    else:
        details = _adjustment_text(row)
    return f"{entry.side}: {verb} {noun} {details}"


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
