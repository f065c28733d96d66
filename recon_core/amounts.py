"""Exact amounts, under the name by which format plugins import them (see `recon_core.values`)."""

from recon_core.values.amounts import NumberText, parse_amount, require_amount

__all__ = ["NumberText", "parse_amount", "require_amount"]
