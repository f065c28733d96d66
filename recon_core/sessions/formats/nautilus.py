"""nautilus_trader: a directory of its own reports, recognised by `meta.json` and their names."""

from dataclasses import replace
from pathlib import Path
from typing import Final

from recon_core.model import RecordedSession
from recon_core.plugins.hookspecs import hookimpl
from recon_core.sessions.files import read_text_file, unforeseen_refused
from recon_core.sessions.formats.limits import limits_note
from recon_core.sessions.formats.nautilus_meta import ANCHOR, ENGINE, TABLES, engine_of
from recon_core.sessions.json_text import parse_json
from recon_core.values.errors import SessionError
from recon_core.values.printable import printable

FORMAT: Final = "nautilus"
CANNOT_KNOW: Final = (
    "movements of cash without a fill, unless a movements table lies beside the reports",
    "the time of the reports (the latest time in them stands for it)",
    "positions of an account apart from the sum of their rows",
    "orders of the internal side (its fills stand for them)",
    "what orders in the quote currency were to fill (they are left out where they were filled)",
)
"""Facts that the reports of this format do not state."""


@hookimpl
def recon_anchor(path: Path) -> Path | None:
    """`meta.json` of the recording at `path`: its directory, or the file itself."""
    directory = path.parent if path.name == ANCHOR else path
    return directory / ANCHOR if directory.is_dir() and _is_recording(directory) else None


@hookimpl
def recon_read_session(path: Path) -> RecordedSession | None:
    """Read the recording at `path`, or `None` where it is none of nautilus_trader."""
    anchor = recon_anchor(path)
    if anchor is None:
        return None
    from recon_core.sessions.formats.nautilus_reports import read_reports  # noqa: PLC0415  # brings pydantic

    with unforeseen_refused(printable(anchor.name)):
        recorded = read_reports(anchor.parent)
    notes = (limits_note(FORMAT, CANNOT_KNOW), *recorded.notes)
    return replace(recorded, recording_format=FORMAT, notes=notes)


def _is_recording(directory: Path) -> bool:
    """Recognise a recording by its files, a damaged one too: it must not be missed."""
    names = {entry.name for entry in directory.iterdir()}
    accounts = any(name.startswith("account_") and name.endswith(TABLES) for name in names)
    if ANCHOR not in names:
        return accounts and "instruments.json" in names
    try:
        content = read_text_file(directory / ANCHOR)
        return bool(engine_of(parse_json(content.text, content.name, constants=True)) == ENGINE)
    except SessionError:
        return accounts or any(f"fills{ending}" in names for ending in TABLES)
