"""Explanations of why the two sides of a session differ: causes for every delta, with proof.

The public names are loaded on first use: a session without a diff never pays for the search.
"""

from typing import TYPE_CHECKING

from recon_core.values.lazy import lazy_names

if TYPE_CHECKING:
    from recon_core.explain.explainer import explain
    from recon_core.explain.repair.entries import RepairEntry, apply_entries, entries_of
    from recon_core.model.explanation import (
        Booking,
        Cause,
        CauseKind,
        Effect,
        Effort,
        Explanation,
        ExplanationVerdict,
    )

_HOME = {
    "recon_core.explain.explainer": ("explain",),
    "recon_core.explain.repair.entries": ("RepairEntry", "apply_entries", "entries_of"),
    "recon_core.model.explanation": (
        "Booking",
        "Cause",
        "CauseKind",
        "Effect",
        "Effort",
        "Explanation",
        "ExplanationVerdict",
    ),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "Booking",
    "Cause",
    "CauseKind",
    "Effect",
    "Effort",
    "Explanation",
    "ExplanationVerdict",
    "RepairEntry",
    "apply_entries",
    "entries_of",
    "explain",
]

__getattr__ = lazy_names(__name__, _MODULE_OF)
