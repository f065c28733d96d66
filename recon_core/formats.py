"""The face for those who write a format: the records, exact amounts, times, files, rows.

Together with `recon_core.hookimpl` this is all that a reader of foreign recordings uses
(`docs/extending.md`). Other modules below `recon_core` may change without notice.
"""

from recon_core.model import (
    CashBalance,
    Currency,
    Fill,
    InputFile,
    Instrument,
    InstrumentKind,
    LedgerSide,
    Leg,
    Movement,
    MovementKind,
    Numbers,
    Opening,
    Order,
    OrderSide,
    OrderState,
    Position,
    RecordedSession,
    SessionMode,
    SideRecord,
    Snapshot,
)
from recon_core.sessions.files import FileContent, read_text_file
from recon_core.sessions.json_text import parse_json
from recon_core.sessions.tables import csv_rows
from recon_core.values.amounts import NumberText, parse_amount, require_amount, shortest_amount
from recon_core.values.errors import AmountError, ReconError, SessionError
from recon_core.values.printable import printable, quoted
from recon_core.values.times import parse_time

__all__ = [
    "AmountError",
    "CashBalance",
    "Currency",
    "FileContent",
    "Fill",
    "InputFile",
    "Instrument",
    "InstrumentKind",
    "LedgerSide",
    "Leg",
    "Movement",
    "MovementKind",
    "NumberText",
    "Numbers",
    "Opening",
    "Order",
    "OrderSide",
    "OrderState",
    "Position",
    "ReconError",
    "RecordedSession",
    "SessionError",
    "SessionMode",
    "SideRecord",
    "Snapshot",
    "csv_rows",
    "parse_amount",
    "parse_json",
    "parse_time",
    "printable",
    "quoted",
    "read_text_file",
    "require_amount",
    "shortest_amount",
]
