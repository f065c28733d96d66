"""Probable aliases: two names, one on each side, with the same amount.

They are reported and never merged (design, "Names to keep"): only a policy says that
two names mean one thing.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

from recon_core.model import CashBalance, LedgerSide, Position
from recon_core.model.comparison import Comparison, ItemKind
from recon_core.values.printable import quoted

_MOST_CANDIDATES: Final = 3
"""Candidates that a note names; more are counted."""


def with_probable_aliases(comparisons: Iterable[Comparison]) -> list[Comparison]:
    """The comparisons, with a note on each two that look like one thing under two names.

    Those are names that only one side has, with equal quantities. They stay two
    comparisons: only a policy makes them one.
    """
    listed = list(comparisons)
    ours, theirs = _lonely(listed, LedgerSide.INTERNAL), _lonely(listed, LedgerSide.EXTERNAL)
    notes = {
        **_candidates(ours, theirs, LedgerSide.EXTERNAL),
        **_candidates(theirs, ours, LedgerSide.INTERNAL),
    }
    return [
        replace(each, notes=(*each.notes, *notes[each.identity]))
        if each.identity in notes
        else each
        for each in listed
    ]


_Amounts = dict[tuple[Any, ...], list[Comparison]]


def _lonely(comparisons: Iterable[Comparison], side: LedgerSide) -> _Amounts:
    """The comparisons in which only `side` has something, by what it has."""
    found: _Amounts = {}
    for each in comparisons:
        if each.item_kind not in (ItemKind.POSITION, ItemKind.CASH):
            continue
        own, other = _amount(each.internal), _amount(each.external)
        if side is LedgerSide.EXTERNAL:
            own, other = other, own
        if own and not other:
            value = each.internal or each.external
            leg = value.leg if isinstance(value, Position) else None
            found.setdefault((each.item_kind, leg, own), []).append(each)
    return found


def _amount(value: Position | CashBalance | Any) -> Any:
    if value is None:
        return None
    return value.quantity if isinstance(value, Position) else value.total


def _candidates(own: _Amounts, others: _Amounts, side: LedgerSide) -> dict[str, tuple[str, ...]]:
    """For each of `own` a note that names what has the same amount on `side`."""
    notes: dict[str, tuple[str, ...]] = {}
    for amount, comparisons in own.items():
        found = others.get(amount, ())
        if found:
            names = [quoted(each.name) for each in found[:_MOST_CANDIDATES]]
            more = len(found) - len(names)
            shown = f"{' and '.join(names)}{f' and {more} more' if more else ''}"
            note = (
                f"probable alias: {side} has the same amount as {shown}; "
                "the policy's [aliases] can say that they are one"
            )
            notes |= {each.identity: (note,) for each in comparisons}
    return notes
