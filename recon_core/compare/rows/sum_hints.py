"""Causes of fills that do not add up to their order: duplicates, or cumulative quantities."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from operator import attrgetter

from recon_core.model import Fill
from recon_core.values.amounts import EXACT, ZERO, exact_sum


def sum_hint(fills: Sequence[Fill], other: Sequence[Fill] | None, filled: Sequence[Decimal]) -> str:
    """Return the likely cause of an order's sum of fills, in words that follow it, or nothing.

    `other` are the other side's fills of the order, `filled` the filled quantities of its
    rows.
    """
    quantities = _in_time_order(fills)
    if len({fill.fill_id for fill in fills}) < len(fills):
        return " (an id is listed more than once among them)"
    if len(quantities) > 1 and _rises(quantities) and quantities[-1] in filled:
        return " (their quantities run up to it: cumulative quantities read as increments)"
    running = _sum_of_running_sums(_in_time_order(other or ()))
    if running is not None and running == exact_sum(quantities):
        return " (the running sums of the other side's: cumulative quantities read as increments)"
    running = _sum_of_running_sums(quantities)
    if running is not None and running in filled:
        return " (it is the sum of their running sum: cumulative quantities read as increments)"
    return ""


def _rises(quantities: Sequence[Decimal]) -> bool:
    return all(one < other for one, other in pairwise(quantities))


def _in_time_order(fills: Sequence[Fill]) -> list[Decimal]:
    return [fill.quantity for fill in sorted(fills, key=attrgetter("time"))]


def _sum_of_running_sums(quantities: Sequence[Decimal]) -> Decimal | None:
    """The sum of the cumulative quantities, `None` where there is no second one."""
    if len(quantities) < 2:  # noqa: PLR2004  # of one, both are the same
        return None
    running = total = ZERO
    for quantity in quantities:
        running = EXACT.add(running, quantity)
        total = EXACT.add(total, running)
    return total
