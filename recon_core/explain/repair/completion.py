"""Whole repairs: which entry answers which diff, and aliases added to those of the policy."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from recon_core.compare.keys import encode_key
from recon_core.explain.problem.dimensions import without_account
from recon_core.model.explanation import Booking, Explanation
from recon_core.policy.aliases import Aliases


def diffs_of_entries(explanation: Explanation) -> Iterator[list[str]]:
    """Yield, for each correcting entry of a repair, the identities of the diffs that it answers.

    The diff of a row or an order is answered by the entries of that row or order, any other
    diff by all entries: a thousand missing fills are not a thousand answers to each fill's
    diff.
    """
    of_rows = [_names(booking) for booking in explanation.repair]
    named = set().union(*of_rows)
    common = [each for each in explanation.explains if _whole(each) not in named]
    own: dict[str, list[str]] = {}
    for identity in explanation.explains:
        own.setdefault(_whole(identity), []).append(identity)
    for names in of_rows:
        yield [*common, *(each for name in sorted(names) for each in own.get(name, ()))]


def _names(booking: Booking) -> set[str]:
    """Return the identities that comparisons of an entry's row may have, without account."""
    row, names = booking.row, set()
    if "fill_id" in row and "symbol" in row:
        names.add(f"fill::{encode_key(row['symbol'])},{encode_key(row['fill_id'])}")
    for name in ("client_order_id", "exchange_order_id"):
        if name in row:
            names.add(f"order::{encode_key(row[name])}")
    return names


def _whole(identity: str) -> str:
    return without_account(identity)


def with_whole_aliases(known: Aliases, explanation: Explanation) -> Explanation:
    """Return the explanation with the policy's aliases added, for the sides that it renames on.

    Aliases are applied at once. If the policy renames to a name that is wrong itself, the alias
    is given the right name.
    """
    whole = {side: _joined(known.of(side), names) for side, names in explanation.aliases.items()}
    return replace(explanation, aliases=whole)


def _joined(known: Mapping[str, str], found: Mapping[str, str]) -> dict[str, str]:
    return {**{own: found.get(other, other) for own, other in known.items()}, **found}
