"""Why two states differ: causes that account for every delta exactly, with proof."""

from recon_core.explain.explainer import explain

__all__ = ["explain"]
