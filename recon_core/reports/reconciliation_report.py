"""A reconciliation as plain data, for JSON."""

from recon_core.model.judged_session import JudgedSession


def reconciliation_report(reconciliation: JudgedSession) -> dict[str, object]:
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
