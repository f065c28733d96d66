"""The pytest plugin: recorded sessions become test items, and a FAIL blocks."""

from typing import TYPE_CHECKING, Any

from pytest_recon.drift_warning import ReconDriftWarning

if TYPE_CHECKING:
    from pytest_recon.assertion import assert_reconciles

__all__ = ["ReconDriftWarning", "assert_reconciles"]


def __getattr__(name: str) -> Any:
    # The assertion brings the whole core along; most pytest starts need none of it.
    if name == "assert_reconciles":
        from pytest_recon.assertion import assert_reconciles  # noqa: PLC0415

        return assert_reconciles
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
