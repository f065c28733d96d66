"""The internal ledger: postings, positions and cash, orders, replay."""

from recon_core.ledger.order_ledger import OrderLedger
from recon_core.ledger.position_ledger import PositionLedger

__all__ = ["OrderLedger", "PositionLedger"]
