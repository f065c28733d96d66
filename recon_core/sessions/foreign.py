"""A side that a session file takes from a source in another format.

Recordings (nautilus_trader, freqtrade, those of plugins) hold both sides, and the file
says which it takes. ccxt's unified JSON and tables in general hold one side only; they
are never discovered, so they have readers of their own here. Their paths stay inside
the session's directory, and every file that was read is evidence.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Final

from pluggy import PluginManager

from recon_core.model import (
    SECTIONS,
    Currency,
    InputFile,
    Instrument,
    LedgerSide,
    RecordedSession,
    SideRecord,
)
from recon_core.sessions.files import unforeseen_refused
from recon_core.values.errors import SessionError
from recon_core.values.printable import printable, quoted
from recon_core.values.suggestions import suggestion


@dataclass(frozen=True, slots=True)
class SideSource:
    """Source of a side: a file or directory, inside `directory`.

    `as_of` is the time of a source that does not state its own.
    """

    path: Path
    directory: Path
    recording_format: str
    side: LedgerSide
    as_of: datetime | None = None


@dataclass(frozen=True, slots=True)
class TakenSide:
    """A side, the data that its replay uses, and the files that it was read from.

    `follows` names the side whose time is that of this one, where it has none of its own.
    """

    record: SideRecord
    inputs: tuple[InputFile, ...]
    instruments: Mapping[str, Instrument] = field(default_factory=dict)
    currencies: Mapping[str, Currency] = field(default_factory=dict)
    follows: LedgerSide | None = None


ONE_SIDED: Final = {
    "ccxt": "recon_core.sessions.formats.ccxt",
    "table": "recon_core.sessions.formats.table",
}
"""Formats of one side; each module has `read_side(source: SideSource) -> TakenSide`."""
_SHIPPED: Final = "recon_core.sessions.formats.shipped"


def one_sided_module(recording_format: str) -> str | None:
    """Return the module that reads a format of one side, `None` for any other format."""
    module = ONE_SIDED.get(recording_format)
    if module is None and recording_format in import_module(_SHIPPED).shipped_names():
        return _SHIPPED
    return module


def take_side(source: SideSource, manager: PluginManager) -> TakenSide:
    """Read the side of a source; raises `SessionError`."""
    module = one_sided_module(source.recording_format)
    if module is None:
        return _of_recording(source, manager)
    read: Callable[[SideSource], TakenSide] = import_module(module).read_side
    with unforeseen_refused(printable(source.path.name)):
        taken = read(source)
    return _from_origin(taken, str(source.path))


def _from_origin(taken: TakenSide, origin: str) -> TakenSide:
    """Both sides may name one source: what it says proves nothing about itself."""
    reported = [section for section in SECTIONS if taken.record.rows(section) is not None]
    return replace(taken, record=replace(taken.record, origins=dict.fromkeys(reported, origin)))


def _of_recording(source: SideSource, manager: PluginManager) -> TakenSide:
    if source.as_of is not None:
        raise SessionError(f"as_of: a {printable(source.recording_format, 40)} recording has one")
    recorded = manager.hook.recon_read_session(path=source.path)
    stated = getattr(recorded, "recording_format", None)
    if not isinstance(recorded, RecordedSession) or stated != source.recording_format:
        shown = quoted(_relative(source.path, source.directory), 100)
        known = _known(manager)
        is_known = source.recording_format in known
        near = "" if is_known else suggestion(source.recording_format, known)
        wanted = quoted(source.recording_format)
        raise SessionError(f"{shown} is no recording of format {wanted}{near}")
    record = recorded.side(source.side)
    if record is None:
        raise SessionError(f"the recording has no {source.side} side")
    taken = TakenSide(
        record=replace(record, notes=(*recorded.notes, *record.notes)),
        inputs=tuple(_located(file, recorded.anchor, source) for file in recorded.inputs),
        instruments=recorded.instruments,
        currencies=recorded.currencies,
    )
    return _from_origin(taken, f"{recorded.anchor.resolve()} {source.side}")


def _known(manager: PluginManager) -> list[str]:
    """The names of all formats: of one side, shipped, and those that are plugins."""
    plugins = [name for name, _ in manager.list_name_plugin() if name.isidentifier()]
    return [*ONE_SIDED, *import_module(_SHIPPED).shipped_names(), *plugins]


def _located(file: InputFile, anchor: Path, source: SideSource) -> InputFile:
    """The evidence under the path as seen from the session, so that no two share a name."""
    folder = _relative(anchor.parent, source.directory)
    name = file.name if folder == "." else f"{printable(folder)}/{file.name}"
    return InputFile(name, file.sha256)


def _relative(path: Path, directory: Path) -> str:
    resolved, root = path.resolve(), directory.resolve()
    return resolved.relative_to(root).as_posix() if resolved.is_relative_to(root) else path.name
