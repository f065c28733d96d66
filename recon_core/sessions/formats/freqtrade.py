"""freqtrade: the result of a backtest, a zip or a JSON file, and the SQLite file of a bot.

A result holds both sides: its trades, booked on the starting balance, and the
`final_balance` that freqtrade itself arrived at. A SQLite file is the internal side,
trades and orders; `rpc_balance.json` beside it, the answer of the bot's balance
command, is the external one. Both compute in binary floats.
"""

import re
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Final

from recon_core.model import RecordedSession
from recon_core.plugins.hookspecs import hookimpl
from recon_core.sessions.files import file_head, unforeseen_refused
from recon_core.sessions.formats.directories import only_recording
from recon_core.sessions.formats.limits import limits_note
from recon_core.values.errors import SessionError
from recon_core.values.printable import printable

FORMAT: Final = "freqtrade"
CANNOT_KNOW: Final = (
    "single executions (an order is one fill at its average price)",
    "fees as charged (they are computed from the trade's rates, in the stake currency)",
    "when funding was paid (it stands per trade and is booked when the trade was closed)",
    "deposits and withdrawals while the bot ran",
    "the cancelled orders of a backtest",
)
"""Facts that a recording of this format does not state."""

_ZIP_NAME: Final = "backtest-result"
_JSON_NAME: Final = re.compile(r"backtest-result(-\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d)?\.json")
_JSON_HEAD: Final = re.compile(rb'\s*\{\s*"strategy"\s*:\s*\{\s*"[^"]*"\s*:\s*\{\s*"trades"\s*:')
_HEAD: Final = 1024
"""Bytes in which a result names its strategy and begins its trades."""
_SQLITE_NAME: Final = "tradesv3"
_SQLITE_SUFFIXES: Final = (".sqlite", ".sqlite3", ".db")


@hookimpl
def recon_anchor(path: Path) -> Path | None:
    """The zip, the JSON or the SQLite file itself, where it is one of freqtrade's."""
    is_one = path.is_file() and (_is_zip(path) or _is_json(path) or _is_sqlite(path))
    return path if is_one else None


@hookimpl
def recon_read_session(path: Path) -> RecordedSession | None:
    """Read the recording at `path`, or the only one in the directory `path`."""
    found = only_recording(path, recon_anchor) if path.is_dir() else recon_anchor(path)
    if found is None:
        return None
    with unforeseen_refused(printable(found.name)):
        recorded = _read(found)
    notes = (limits_note(FORMAT, CANNOT_KNOW), *recorded.notes)
    return replace(recorded, recording_format=FORMAT, notes=notes)


def _read(path: Path) -> RecordedSession:
    # Either reader is loaded when a recording of its kind is read, as in the functions below.
    if path.suffix in _SQLITE_SUFFIXES:
        from recon_core.sessions.formats.freqtrade_sqlite import read_sqlite  # noqa: PLC0415

        return read_sqlite(path)
    from recon_core.sessions.formats.freqtrade_backtest import read_backtest  # noqa: PLC0415

    return read_backtest(path)


def _is_zip(path: Path) -> bool:
    """By its name, a damaged one too, or by the names of its members."""
    if path.suffix != ".zip":
        return False
    if path.name.startswith(_ZIP_NAME):
        return True
    from recon_core.sessions.formats.freqtrade_zip import (  # noqa: PLC0415
        opened_archive,
        result_name,
    )

    try:
        with path.open("rb") as file, opened_archive(file) as archive:
            names = archive.namelist()
        return f"{result_name(names, path.name).removesuffix('.json')}_config.json" in names
    except (OSError, ValueError, NotImplementedError, zipfile.BadZipFile, SessionError):
        return False


def _is_json(path: Path) -> bool:
    """By its name, a damaged one too, or by how it begins."""
    if path.suffix != ".json" or path.name.endswith(".meta.json"):
        return False
    return bool(_JSON_NAME.fullmatch(path.name) or _JSON_HEAD.match(file_head(path, _HEAD)))


def _is_sqlite(path: Path) -> bool:
    if path.suffix not in _SQLITE_SUFFIXES:
        return False
    if path.name.startswith(_SQLITE_NAME):
        return True
    from recon_core.sessions.formats.database import has_column  # noqa: PLC0415

    return has_column(path, "orders", "ft_order_side")
