"""A reconciliation as plain data, for JSON."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from recon_core.reconciliation import Reconciliation


def reconciliation_report(reconciliation: "Reconciliation") -> dict[str, object]:
    """Summary, and every comparison with its verdict and its diff, as plain data."""
    summary = reconciliation.summary()
    return {
        "summary": summary.to_dict(),
        "comparisons": [
            {
                "kind": str(judgement.comparison.item_kind),
                "key": judgement.comparison.key,
                "verdict": judgement.verdict,
                "message": judgement.message,
                "diff": None if judgement.diff is None else judgement.diff.to_dict(),
            }
            for judgement in reconciliation.judgements
        ],
    }
