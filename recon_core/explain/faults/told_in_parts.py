"""Executions stated twice: once whole, and once in parts named after it.

A flip is split into `7-C` and `7-O`, and `7` is delivered again: the ids show the relation,
the quantities prove it. Source: a report of a redelivered flip.
"""

from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Final

from recon_core.explain.faults.hypotheses import NEAR_TWIN
from recon_core.model import Fill
from recon_core.values.amounts import exact_sum

_ID: Final = attrgetter("fill_id")
_SEPARATORS: Final = "-_.:/"


def told_in_parts(fills: Sequence[Fill]) -> Mapping[int, str]:
    """Return the words on each fill that is stated whole and in parts, by the fill's `id()`."""
    ids = list(map(_ID, fills))
    if all(ids) and "".join(ids).isalnum():
        return {}
    separated = [fill for fill in fills if not fill.fill_id.isalnum()]
    whole = {(fill.account, fill.symbol, fill.fill_id): fill for fill in fills}
    parts: dict[tuple[str | None, str, str], list[Fill]] = {}
    for fill in separated:
        key = (fill.account, fill.symbol, _stem(fill.fill_id))
        if key in whole and whole[key] is not fill:
            parts.setdefault(key, []).append(fill)
    found: dict[int, str] = {}
    for key, some in parts.items():
        if _is_whole(whole[key], some):
            named = " and ".join(fill.fill_id for fill in some)
            found[id(whole[key])] = f"it is {named} together"
            found |= {id(fill): f"it is a part of {key[2]}" for fill in some}
    return found


def _stem(fill_id: str) -> str:
    """Return the id without its last part: `7` of `7-C`."""
    at = max(fill_id.rfind(separator) for separator in _SEPARATORS)
    return fill_id[:at] if at > 0 else ""


def _is_whole(whole: Fill, parts: Sequence[Fill]) -> bool:
    return (
        len(parts) > 1
        and exact_sum(part.quantity for part in parts) == whole.quantity
        and all((part.side, part.price) == (whole.side, whole.price) for part in parts)
        and all(abs(part.time - whole.time) <= NEAR_TWIN for part in parts)
    )
