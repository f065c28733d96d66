"""Writing a recorded session as a file of `recon.session/1`.

The fields are those of `recon_core.sessions.schema`, in its order; absent values are left
out, amounts are text with the decimals they were given with. Equal sessions give equal
bytes. Each row has a line of its own.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Final

from recon_core.model import (
    Currency,
    Fill,
    Instrument,
    Numbers,
    Opening,
    RecordedSession,
    SideRecord,
    Snapshot,
)
from recon_core.sessions import schema
from recon_core.values.amounts import MOST_DIGITS, decimal_places, format_amount
from recon_core.values.errors import SessionError
from recon_core.values.fields import FileModel
from recon_core.values.printable import printable
from recon_core.values.times import format_time

ROW_TYPES: Final[Mapping[str, type[FileModel]]] = {
    "positions": schema.PositionRow,
    "cash": schema.CashRow,
    "orders": schema.OrderRow,
    "fills": schema.FillRow,
    "movements": schema.MovementRow,
}
OTHER_NAMES: Final[Mapping[tuple[type[FileModel], str], str]] = {
    (schema.OrderRow, "type"): "order_type",
    (schema.MovementRow, "kind"): "movement_kind",
}
"""Names of the model's fields that the file has under another name."""

_Rows = Iterable[Any] | None


def session_text(recorded: RecordedSession) -> str:
    """The whole file; raises `SessionError` for what the format does not hold."""
    return document_text(session_document(recorded))


def document_text(document: Mapping[str, Any]) -> str:
    """Plain data as the text of a session file."""
    return _written(document, 0) + "\n"


def session_document(recorded: RecordedSession) -> dict[str, Any]:
    """The session as plain data. What was derived by replay is left out again."""
    external = {"mirror": "internal"} if recorded.mirrored else _optional_side(recorded.external)
    return _without_absent(
        {
            "schema": schema.SCHEMA,
            "session_id": recorded.session_id,
            "strategy_id": recorded.strategy_id or None,
            "mode": recorded.mode,
            "instruments": {
                name: instrument_document(one)
                for name, one in sorted(recorded.instruments.items())
                # Written, it would read as one that can be replayed.
                if not one.not_replayed
            }
            or None,
            "currencies": _currencies(recorded.currencies) or None,
            "internal": _optional_side(recorded.internal),
            "external": external,
        }
    )


def side_document(record: SideRecord) -> dict[str, Any]:
    """One side as plain data."""
    sections = {
        name: None if name in record.derived else row_documents(name, record.rows(name))
        for name in ROW_TYPES
    }
    return _without_absent(
        {
            "as_of": record.as_of,
            "source": record.source,
            "numbers": None if record.numbers is Numbers.DECIMAL else record.numbers,
            "complete": None if record.complete else False,
            **sections,
            "opening": None if record.opening is None else opening_document(record.opening),
            "snapshots": None
            if record.snapshots is None
            else [snapshot_document(one) for one in record.snapshots],
            "counts": dict(sorted(record.counts.items())) or None,
            "miscounts": list(record.miscounts) or None,
            "keeps": {asset: str(kept) for asset, kept in sorted(record.keeps.items())} or None,
        }
    )


def _optional_side(record: SideRecord | None) -> dict[str, Any] | None:
    return None if record is None else side_document(record)


def opening_document(opening: Opening) -> dict[str, Any]:
    """The state before the first fill; empty sections are what a file takes for absent."""
    return _without_absent(
        {
            "as_of": opening.as_of,
            "positions": row_documents("positions", opening.positions) or None,
            "cash": row_documents("cash", opening.cash) or None,
        }
    )


def snapshot_document(snapshot: Snapshot) -> dict[str, Any]:
    """A state in between."""
    return _without_absent(
        {
            "as_of": snapshot.as_of,
            "positions": row_documents("positions", snapshot.positions),
            "cash": row_documents("cash", snapshot.cash),
        }
    )


def row_documents(section: str, rows: _Rows) -> list[dict[str, Any]] | None:
    """The rows of a section by its name, `None` where it is not reported."""
    return None if rows is None else [row_document(section, row) for row in rows]


def row_document(section: str, row: Any) -> dict[str, Any]:
    """One row; raises `SessionError` for what the format does not hold."""
    if isinstance(row, Fill) and not row.quantity:
        fill = printable(row.fill_id, 60)
        raise SessionError(f"fill {fill}: quantity 0 has no place in {schema.SCHEMA}")
    row_type = ROW_TYPES[section]
    document = {}
    for name, field in row_type.model_fields.items():
        value = getattr(row, OTHER_NAMES.get((row_type, name), name))
        if value is None or (value == field.default and not field.is_required()):
            continue
        document[name] = _plain(value)
    if isinstance(row, Fill) and not row.fee and row.fee_currency is None:
        document.pop("fee", None)
    return document


def instrument_document(instrument: Instrument) -> dict[str, Any]:
    """The fields of an instrument, without its symbol."""
    multiplier = instrument.multiplier
    return _without_absent(
        {
            "kind": instrument.instrument_kind,
            "base": instrument.base,
            "quote": instrument.quote,
            "settlement": instrument.settlement,
            "multiplier": None if multiplier == 1 else multiplier,
            "quantity_increment": instrument.quantity_increment,
            "settles": "daily" if instrument.settles_daily else None,
            "average": "arithmetic" if instrument.arithmetic_average else None,
            "notional": "float" if instrument.float_notional else None,
        }
    )


def _currencies(currencies: Mapping[str, Currency]) -> dict[str, Any]:
    return {code: {"precision": one.precision} for code, one in sorted(currencies.items())}


def _without_absent(table: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _plain(value) for name, value in table.items() if value is not None}


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return _amount(value)
    if isinstance(value, datetime):
        return format_time(value)
    return value.value if isinstance(value, Enum) else value


def _amount(amount: Decimal) -> str:
    if amount.adjusted() >= MOST_DIGITS or decimal_places(amount) > MOST_DIGITS:
        shown = printable(format_amount(amount), 60)
        raise SessionError(f"{shown} is longer than an amount of {schema.SCHEMA} may be")
    return format_amount(amount)


def _written(value: Any, depth: int) -> str:
    """JSON with each row of a table on one line, ASCII only."""
    is_row = isinstance(value, dict) and not any(
        isinstance(inner, dict | list) for inner in value.values()
    )
    if not isinstance(value, dict | list) or not value or (is_row and depth > 1):
        return json.dumps(value)
    space = "  " * (depth + 1)
    if isinstance(value, list):
        lines = [f"{space}{_written(inner, depth + 1)}" for inner in value]
        opening, closing = "[", "]"
    else:
        lines = [
            f"{space}{json.dumps(name)}: {_written(inner, depth + 1)}"
            for name, inner in value.items()
        ]
        opening, closing = "{", "}"
    return f"{opening}\n" + ",\n".join(lines) + f"\n{'  ' * depth}{closing}"
