"""Waivers of a run in words: which held, and which want somebody's attention."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from recon_core.judging.waiving import whole_account
from recon_core.model.comparison import ReconDiff
from recon_core.policy.waivers import Waiver, Waivers
from recon_core.values.printable import printable

WAIVER: Final = "recon.waiver"
"""The property of an item that a waiver covers."""

_MOST: Final = 5
"""Waivers of one state that a line names: a baseline of hundreds is one line."""


def waiver_properties(diff: ReconDiff | None) -> dict[str, str]:
    """Return the property of an item that is waived; nothing for any other."""
    use = None if diff is None else diff.waiver
    return (
        {} if use is None else {WAIVER: f"{use.id} until {use.expires}, {use.owner}: {use.reason}"}
    )


def waiver_lines(
    waivers: Waivers | None, accounts: Iterable[Mapping[str, Sequence[str]]]
) -> Iterator[str]:
    """Yield the files of a run's waivers with their counts, then a line for each state.

    `accounts` are those of its sessions; without a file there is nothing to say.
    """
    if not waivers:
        return
    by_state = whole_account(waivers, accounts)
    counts = [f"{len(found)} {state}" for state, found in by_state.items()]
    yield f"waivers {', '.join(waivers.files)}: {', '.join(counts) or 'none'}"
    for state, found in by_state.items():
        more = len(found) - _MOST
        named = "; ".join(_named(waiver, waivers) for waiver in found[:_MOST])
        yield f"waivers {state}: {named}" + (f"; and {more} more" if more > 0 else "")


def _named(waiver: Waiver, waivers: Waivers) -> str:
    """`swap-2026 (until 2026-12-31, 33 days, ops@desk)`."""
    left = (waiver.expires - waivers.day).days
    days = "1 day" if left == 1 else f"{left} days"
    until = f"until {waiver.expires}, {days}" if left >= 0 else f"expired {waiver.expires}"
    return f"{waiver.id} ({until}, {printable(waiver.owner, 60)})"
