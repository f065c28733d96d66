"""Figures that a side never lists, said beside an explanation, or alone if nothing else differs.

They are no fault and no part of the search: the same quantity is compared elsewhere.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from recon_core.compare.keys import encode_key
from recon_core.engine.reconciliation import Reconciliation
from recon_core.explain.problem.dimensions import (
    bare_name,
    effect_of,
    is_position,
    key_of,
    label_of,
    negated,
)
from recon_core.explain.problem.unlisted_figures import unlisted_figures
from recon_core.explain.proof.prover import Prover
from recon_core.model import ANY_ASSET, LedgerSide, RecordedSession, View
from recon_core.model.explanation import Cause, CauseKind, Explanation, ExplanationVerdict
from recon_core.values.printable import printable

_MOST_NAMES: Final = 5
"""Figures that a sentence names. More would hide the cause beside them."""


def and_unlisted(prover: Prover, found: tuple[Explanation, ...]) -> tuple[Explanation, ...]:
    """Add a sentence on figures that a side never lists.

    If nothing else differs, they are the explanation. A side that says by its `keeps` that it
    lists an asset as a position is taken at its word, and nothing is said of a balance.
    """
    figures = {
        side: undeclared
        for side, names in unlisted_figures(prover.recorded).items()
        if (undeclared := _undeclared(prover.recorded, side, names))
    }
    if found:
        said = "; ".join(_text(side, names) for side, names in figures.items())
        both = (replace(one, text=f"{one.text}; {said}") for one in found)
        return tuple(both) if said else found
    each = (_alone(prover.reconciliation, side, names) for side, names in figures.items())
    return tuple(one for one in each if one.explains)


def _undeclared(
    recorded: RecordedSession, side: LedgerSide, names: Sequence[str]
) -> tuple[str, ...]:
    """Return the figures without the balances of assets that the side keeps as positions."""
    record = recorded.side(side)
    kept = {} if record is None else {encode_key(one): how for one, how in record.keeps.items()}
    views = {name: kept.get(key_of(name), kept.get(ANY_ASSET)) for name in names}
    return tuple(name for name in names if is_position(name) or views[name] is not View.POSITION)


def _text(side: LedgerSide, names: Sequence[str]) -> str:
    sections = (
        ("position", "its balances", [label_of(name) for name in names if is_position(name)]),
        ("balance", "its positions", [label_of(name) for name in names if not is_position(name)]),
    )
    said = (
        f"no {what} of {_names_text(labels)}, which is in {elsewhere}"
        for what, elsewhere, labels in sections
        if labels
    )
    return f"the {side} side lists {', and '.join(said)}"


def _names_text(labels: Sequence[str]) -> str:
    named = ", ".join(printable(label, 60) for label in labels[:_MOST_NAMES])
    more = len(labels) - _MOST_NAMES
    return f"{named} and {more} more" if more > 0 else named


def _alone(reconciliation: Reconciliation, side: LedgerSide, names: Sequence[str]) -> Explanation:
    """Return the explanation of the diffs of these figures, and of the checks of their rows."""
    # A share is called like its symbol: the check of its position is none of its balance.
    known = frozenset(names)
    own = {(f"ledger::{side}:{key_of(name)}", is_position(name)) for name in names}
    checks = {
        one.identity
        for one in reconciliation.comparisons
        if (bare_name(one.identity), one.of_position) in own
    }
    diffs = {
        diff.identity: diff.delta
        for diff in reconciliation.diffs
        if bare_name(diff.identity) in known or diff.identity in checks
    }
    deltas = {name: delta for name, delta in sorted(diffs.items()) if delta and name not in checks}
    text = _text(side, names)
    effect = effect_of(deltas if side is LedgerSide.INTERNAL else negated(deltas))
    return Explanation(
        ExplanationVerdict.UNIQUE,
        causes=(Cause(CauseKind.BALANCE_KIND, None, (), effect, text),),
        explains=tuple(sorted(diffs)),
        text=text,
        proof="what it states elsewhere of the same quantity agrees",
    )
