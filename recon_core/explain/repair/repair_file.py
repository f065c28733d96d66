"""File of a repair: a list of entries that only grows, `recon.repair/1`."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import ConfigDict, Field, StringConstraints, ValidationError

from recon_core.explain.repair.entries import RepairEntry
from recon_core.model import LedgerSide
from recon_core.sessions.json_text import parse_json
from recon_core.values.errors import ReconError
from recon_core.values.fields import FileModel, problem_text
from recon_core.values.files import refusing, write_atomically
from recon_core.values.printable import printable, quoted

SCHEMA: Final = "recon.repair/1"

_LARGEST: Final = 256 << 20
"""Most bytes of a file, 256 MiB.

It is read and parsed in memory, which takes several times its size.
"""

_Text = Annotated[str, StringConstraints(strict=True, min_length=1)]


class EntryTable(FileModel):
    """One correcting entry: an action on a row of a side, and its reason."""

    model_config = ConfigDict(title="RepairEntry")

    entry_id: _Text
    session_id: _Text
    side: Literal["internal", "external"]
    action: Literal[
        "remove_fill",
        "add_fill",
        "remove_movement",
        "add_movement",
        "adjust_position",
        "adjust_cash",
        "adjust_opening",
    ]
    row: dict[str, str]
    reason: str
    answers: list[_Text]


class RepairFile(FileModel):
    """Correcting entries in the order in which they were proposed."""

    schema_name: Literal["recon.repair/1"] = Field(alias="schema")
    entries: list[EntryTable]


def read_repair(path: Path, name: str = "") -> list[RepairEntry]:
    """Return the entries of a file; raise `ReconError` for any other content.

    `name`: the file's name in messages, by default the last part of its path.
    """
    name = printable(name or path.name)
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
        if len(content) > _LARGEST:
            raise ReconError(f"{name}: is larger than {_LARGEST >> 20} MiB")
        text = content.decode("utf-8")
    except OSError as error:
        raise ReconError(f"{name}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ReconError(f"{name}: is not UTF-8; expected a list of {SCHEMA}") from None
    return _entries(parse_json(text, name), name)


def _entries(document: Any, name: str) -> list[RepairEntry]:
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise ReconError(f"{name}: holds something else; expected a list of {SCHEMA}")
    try:
        tables = RepairFile.model_validate(document).entries
    except ValidationError as error:
        raise ReconError(f"{name}: {problem_text(error)}") from None
    entries = [_entry(table) for table in tables]
    ids = [entry.entry_id for entry in entries]
    if len(set(ids)) != len(ids):
        duplicate = next(each for at, each in enumerate(ids) if each in ids[:at])
        raise ReconError(f"{name}: entry {quoted(duplicate)} stands twice")
    return entries


def _entry(table: EntryTable) -> RepairEntry:
    return RepairEntry(
        table.entry_id,
        table.session_id,
        LedgerSide(table.side),
        table.action,
        table.row,
        table.reason,
        tuple(table.answers),
    )


def joined(known: Sequence[RepairEntry], new: Sequence[RepairEntry]) -> list[RepairEntry]:
    """Return the known entries, then the proposed entries with new ids."""
    ids = {entry.entry_id for entry in known}
    return [*known, *(entry for entry in new if entry.entry_id not in ids)]


def write_repair(path: Path, entries: Sequence[RepairEntry], name: str = "") -> None:
    """Write the whole list or nothing; raise `ReconError` if the file cannot be written.

    `name`: the file's name in messages, by default the last part of its path.
    """
    document = {"schema": SCHEMA, "entries": [entry.to_dict() for entry in entries]}
    with refusing(name or path.name):
        write_atomically(path, f"{json.dumps(document, indent=2)}\n")
