"""Scope of a session at an exchange: its symbols, its time, and where its snapshot is."""

from datetime import datetime
from pathlib import Path

from recon_core.model import SideRecord
from recon_core.plugins.manager import extension_manager
from recon_core.sessions import read_session
from recon_core.values.errors import SessionError
from recon_core.values.printable import printable


def session_scope(path: Path) -> tuple[list[str], datetime]:
    """Return the symbols of a session's ledger and its first time; raises `SessionError`.

    The external side is not read: it may be the snapshot that is yet to be made.
    """
    record = _internal(path)
    opening = record.opening
    fills, orders, movements = record.fill_rows, record.order_rows, record.movement_rows
    held = (*(record.position_rows), *(() if opening is None else opening.positions))
    named = {row.symbol for row in held} | {row.symbol for row in fills}
    named |= {row.symbol for row in orders}
    if not named:
        raise SessionError(f"{printable(path.name)}: its ledger names no symbol; expected --symbol")
    if opening is not None and opening.as_of is not None:
        return sorted(named), opening.as_of
    times = [row.time for row in fills] + [row.time for row in orders]
    times += [row.time for row in movements]
    return sorted(named), min(times, default=record.as_of)


def snapshot_place(path: Path) -> Path:
    """Return the directory that a session takes its external side from; raises `SessionError`."""
    from recon_core.sessions.formats.ccxt import FORMAT, snapshot_directory  # noqa: PLC0415  # as the next
    from recon_core.sessions.native import external_source  # noqa: PLC0415  # brings pydantic

    source = external_source(path) if path.suffix == ".json" else None
    if source is None or source[0] != FORMAT:
        wanted = '{"from": {"format": "ccxt", "path": "account/coverage.json"}}'
        raise SessionError(f"{printable(path.name)}: external: is no snapshot; expected {wanted}")
    return snapshot_directory(source[1])


def _internal(path: Path) -> SideRecord:
    if path.suffix == ".json":
        from recon_core.sessions.native import ledger_of_session  # noqa: PLC0415  # brings pydantic

        record = ledger_of_session(path, extension_manager())
    else:
        record = read_session(path).internal
    if record is None:
        raise SessionError(f"{printable(path.name)}: has no internal side; expected a ledger")
    return record
