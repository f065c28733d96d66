"""From verdict to outcome: match and INFO pass, WARN and WAIVED are xfails, others fail."""

import warnings

import pytest

from pytest_recon.drift_warning import ReconDriftWarning
from recon_core.model.comparison import Judgement
from recon_core.values.severity import Severity


class ComparisonFailed(Exception):  # noqa: N818  # it is a verdict, not an error
    """A comparison is not equal; its text is complete without any source line."""


class ComparisonDrifted(ComparisonFailed):
    """The same for a WARN or a WAIVED, which somebody looks at and which does not block."""


def apply_outcome(
    item: pytest.Item, judgement: Judgement, text: str, path: str, *, fail_on_warn: bool
) -> None:
    """Pass, or raise what makes the item xfail or fail.

    `text` is the difference in full, its first line is the description; `path` is the session's.
    """
    diff = judgement.diff
    if diff is None or diff.severity is Severity.INFO:
        return
    if diff.severity.blocks:
        raise ComparisonFailed(text)
    is_waived = diff.severity is Severity.WAIVED
    description = text.partition("\n")[0]
    if not is_waived:
        # No line: pytest would show it, and it is not that of the row.
        warnings.warn_explicit(description, ReconDriftWarning, filename=path, lineno=0)
    if is_waived or not fail_on_warn:
        # A marker, because pytest.xfail() does nothing under --runxfail and the
        # item would pass.
        item.add_marker(
            pytest.mark.xfail(raises=ComparisonDrifted, reason=description, strict=True)
        )
    raise ComparisonDrifted(text)
