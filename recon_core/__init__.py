"""Reconciliation of a trading system's ledger with the exchange's state.

The public names are loaded on first use, so that importing the package (as every
pytest start does) costs nothing.
"""

from typing import TYPE_CHECKING

from recon_core.plugins.hookspecs import hookimpl
from recon_core.values.lazy import lazy_names

if TYPE_CHECKING:
    from recon_core.audit.entries import LedgerEntry
    from recon_core.audit.log import AuditLog
    from recon_core.engine.ledgers import ReconciliationEngine
    from recon_core.engine.reconciliation import Reconciliation, reconcile_session
    from recon_core.ledger import OrderLedger, PositionLedger
    from recon_core.model import (
        CashBalance,
        Currency,
        Fill,
        Instrument,
        InstrumentKind,
        LedgerSide,
        Leg,
        Movement,
        MovementKind,
        Opening,
        Order,
        OrderSide,
        OrderState,
        Position,
        RecordedSession,
        SideRecord,
    )
    from recon_core.model.comparison import (
        Comparison,
        ItemKind,
        Judgement,
        ReconDiff,
        SessionCheck,
    )
    from recon_core.model.snapshot import ExternalSnapshot
    from recon_core.model.summary import ReconSummary
    from recon_core.policy import CashPolicy, Policy, PositionPolicy, Tolerance
    from recon_core.policy.toml_file import read_policy
    from recon_core.sessions import read_session
    from recon_core.sessions.formats.nautilus_writer import write_nautilus_recording
    from recon_core.sessions.recorder import SessionRecorder
    from recon_core.values.errors import (
        AmountError,
        AuditError,
        PolicyError,
        ReconError,
        ReconWarning,
        ReplayError,
        SessionError,
    )
    from recon_core.values.severity import Severity

__version__ = "0.1.0"

_HOME = {
    "recon_core.audit.entries": ("LedgerEntry",),
    "recon_core.audit.log": ("AuditLog",),
    "recon_core.model.comparison": (
        "Comparison",
        "ItemKind",
        "Judgement",
        "ReconDiff",
        "SessionCheck",
    ),
    "recon_core.engine.ledgers": ("ReconciliationEngine",),
    "recon_core.values.errors": (
        "AmountError",
        "AuditError",
        "PolicyError",
        "ReconError",
        "ReconWarning",
        "ReplayError",
        "SessionError",
    ),
    "recon_core.model.snapshot": ("ExternalSnapshot",),
    "recon_core.ledger": ("OrderLedger", "PositionLedger"),
    "recon_core.model": (
        "CashBalance",
        "Currency",
        "Fill",
        "Instrument",
        "InstrumentKind",
        "LedgerSide",
        "Leg",
        "Movement",
        "MovementKind",
        "Opening",
        "Order",
        "OrderSide",
        "OrderState",
        "Position",
        "RecordedSession",
        "SideRecord",
    ),
    "recon_core.policy": ("CashPolicy", "Policy", "PositionPolicy", "Tolerance"),
    "recon_core.policy.toml_file": ("read_policy",),
    "recon_core.engine.reconciliation": ("Reconciliation", "reconcile_session"),
    "recon_core.sessions": ("read_session",),
    "recon_core.sessions.formats.nautilus_writer": ("write_nautilus_recording",),
    "recon_core.sessions.recorder": ("SessionRecorder",),
    "recon_core.values.severity": ("Severity",),
    "recon_core.model.summary": ("ReconSummary",),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "AmountError",
    "AuditError",
    "AuditLog",
    "CashBalance",
    "CashPolicy",
    "Comparison",
    "Currency",
    "ExternalSnapshot",
    "Fill",
    "Instrument",
    "InstrumentKind",
    "ItemKind",
    "Judgement",
    "LedgerEntry",
    "LedgerSide",
    "Leg",
    "Movement",
    "MovementKind",
    "Opening",
    "Order",
    "OrderLedger",
    "OrderSide",
    "OrderState",
    "Policy",
    "PolicyError",
    "Position",
    "PositionLedger",
    "PositionPolicy",
    "ReconDiff",
    "ReconError",
    "ReconSummary",
    "ReconWarning",
    "Reconciliation",
    "ReconciliationEngine",
    "RecordedSession",
    "ReplayError",
    "SessionCheck",
    "SessionError",
    "SessionRecorder",
    "Severity",
    "SideRecord",
    "Tolerance",
    "__version__",
    "hookimpl",
    "read_policy",
    "read_session",
    "reconcile_session",
    "write_nautilus_recording",
]

__getattr__ = lazy_names(__name__, _MODULE_OF)
