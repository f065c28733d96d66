"""Thresholds and tolerances, and the TOML file that changes them."""

from recon_core.policy.model import CashPolicy, Policy, PositionPolicy, Tolerance

__all__ = ["CashPolicy", "Policy", "PositionPolicy", "Tolerance"]
