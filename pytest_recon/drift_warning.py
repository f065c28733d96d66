"""The warning of a WARN diff."""

from recon_core.values.errors import ReconWarning


class ReconDriftWarning(ReconWarning):
    """Two states differ by a WARN; `-W error::pytest_recon.ReconDriftWarning` makes it fail."""


# The name under which users filter it.
ReconDriftWarning.__module__ = "pytest_recon"
